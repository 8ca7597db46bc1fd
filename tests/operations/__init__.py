"""Operations without an engine: their requests, and how they handle each reply."""
