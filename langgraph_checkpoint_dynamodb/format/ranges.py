"""Ranges of sort keys."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SortRange:
    """A range of sort keys, both ends included. `None` leaves an end open."""

    low: str | None = None
    high: str | None = None

    @property
    def empty(self) -> bool:
        """Whether no key can be in it. DynamoDB rejects a Query with such a range."""
        return self.low is not None and self.high is not None and self.high < self.low


EVERY_KEY = SortRange()


def beginning_with(prefix: str) -> SortRange:
    """Sort keys with a prefix, which must not be empty and must end with an ASCII character."""
    # The upper end is the prefix with its last character incremented.
    return SortRange(prefix, prefix[:-1] + chr(ord(prefix[-1]) + 1))
