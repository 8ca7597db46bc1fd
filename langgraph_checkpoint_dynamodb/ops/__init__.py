"""The operations: what a saver does, as generators of requests. No I/O, no clock, no chance."""
