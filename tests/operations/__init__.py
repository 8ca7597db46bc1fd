"""Operations without an engine: the requests they make, and what they make of each reply."""
