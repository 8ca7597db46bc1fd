"""Where the bytes of a value go, and how they come back: in its item or outside, packed or not."""
