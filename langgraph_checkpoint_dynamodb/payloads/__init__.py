"""Where the bytes of a value are stored (in its item, in chunks, in S3) and how they are packed."""
