"""What the test that runs has made, asked for, and left to undo."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Tally:
    """Counts of the test that runs.

    Attributes:
        savers: How many savers it has made.
        requests: How many requests those of this package have sent.
    """

    def __init__(self) -> None:
        self.savers = 0
        self.requests = 0
        self._undo: list[Callable[[], object]] = []

    def begin(self) -> None:
        """Start again from zero."""
        self.savers = self.requests = 0

    def made(self, undo: Callable[[], object] | None = None) -> None:
        """Count a saver, and remember how to undo it."""
        self.savers += 1
        if undo is not None:
            self._undo.append(undo)

    def asked(self, **_: object) -> None:
        """Count a request; a handler of the SDK's events."""
        self.requests += 1

    def end(self) -> None:
        """Undo what was made, the last first."""
        while self._undo:
            self._undo.pop()()


tally = Tally()
