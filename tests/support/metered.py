"""The cost of a call: its requests, and the longest chain of dependent requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.calls import SyncCalls

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.savers import Saver
    from tests.support.sessions import Meter
    from tests.support.walking import Depth


class Metered:
    """A saver whose calls are measured one at a time."""

    def __init__(self, saver: Saver, meter: Meter, depth: Depth) -> None:
        self.saver = saver
        self.calls = SyncCalls(saver)
        self.meter = meter
        self._depth = depth

    def cost(self, call: Callable[[], object]) -> tuple[int, int]:
        """The number of requests and the serial depth of a call."""
        self.meter.reset()
        before = self._depth.clock
        call()
        return self.meter.total, self._depth.clock - before
