"""Savers and requests of the running test, and its cleanup."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Tally:
    """Counts of the running test.

    Attributes:
        savers: Number of savers created.
        requests: Number of requests sent by savers of this package.
    """

    def __init__(self) -> None:
        self.savers = 0
        self.requests = 0
        self._undo: list[Callable[[], object]] = []

    def begin(self) -> None:
        """Start again from zero."""
        self.savers = self.requests = 0

    def made(self, undo: Callable[[], object] | None = None) -> None:
        """Count a saver, and register its cleanup."""
        self.savers += 1
        if undo is not None:
            self._undo.append(undo)

    def asked(self, **_: object) -> None:
        """Count a request; a handler for the SDK's events."""
        self.requests += 1

    def end(self) -> None:
        """Run the cleanups, last first."""
        while self._undo:
            self._undo.pop()()


tally = Tally()
