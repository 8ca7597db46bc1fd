"""Counting for `stats`: items, bytes and capacity units by thread and by namespace."""
