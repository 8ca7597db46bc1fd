"""Calls of a store or cache on aiobotocore that are cancelled at any point."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.support.aio import Cancelled, Session, Stop, awaited

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine


class Cancelling:
    """Cancels calls that use a session at each await, each request and each reply.

    Attributes:
        points: By kind, how many points calls were cancelled at.
    """

    def __init__(self, session: Session) -> None:
        self.points: Counter[str] = Counter()
        self._stop = Stop(0, "")
        self._task: Any = None
        for event, of in (("before-send", "request"), ("after-call", "reply")):
            session.register(event, partial(self._pass, of))

    async def everywhere(
        self, begin: Callable[[], None], act: Callable[[], Coroutine[Any, Any, Any]]
    ) -> AsyncIterator[None]:
        """Make a call and cancel it at each point.

        Args:
            begin: Sets up the table before each call.
            act: The call.

        Yields:
            After each cancelled call.
        """
        for of in ("await", "request", "reply"):
            while True:
                begin()
                self._stop = stop = Stop(self.points[of] + 1, of)
                others = asyncio.all_tasks()
                self._task = asyncio.create_task(awaited(Cancelled(act(), stop)))
                await asyncio.wait([self._task])
                assert stop.left == others
                if not stop.reached:
                    break
                self.points[of] += 1
                assert self._task.cancelled()
                self._stop = Stop(0, "")
                yield

    def _pass(self, of: str, **_: object) -> None:
        if self._stop.count(of):
            self._task.cancel()
