"""Clocks that tests set."""

from __future__ import annotations

from dataclasses import dataclass

NOW = 4_000_000_000


@dataclass
class Clock:
    """A clock that changes only when it is set.

    Attributes:
        now: Its time, in seconds since the epoch.
    """

    now: float = NOW

    def __call__(self) -> float:
        return self.now
