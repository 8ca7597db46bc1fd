"""Operations of the store, as data: generators of requests."""
