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
        """Whether no key can lie in it. DynamoDB refuses such a range, it does not find nothing."""
        return self.low is not None and self.high is not None and self.high < self.low


EVERY_KEY = SortRange()


def beginning_with(prefix: str) -> SortRange:
    """Sort keys that begin with a text, which is not empty and ends with ASCII."""
    # The next character in place of its last one, so nothing that begins with it lies above this.
    return SortRange(prefix, prefix[:-1] + chr(ord(prefix[-1]) + 1))
