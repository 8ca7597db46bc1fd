"""The operations of a saver, as generators of requests. No I/O, clock or random numbers here."""
