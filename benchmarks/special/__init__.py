"""Measurements that not every contender takes part in."""
