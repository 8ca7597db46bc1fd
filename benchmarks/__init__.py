"""Benchmarks against other checkpointers, on one engine, in one run. `make bench` runs them."""
