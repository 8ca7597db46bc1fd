"""Performs operations with aiobotocore clients and tasks.

Clients belong to the event loop on which they were created, so there is a set of them for each loop
on which the saver is used.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

from langgraph_checkpoint_dynamodb.runners.client import services
from langgraph_checkpoint_dynamodb.runners.loops import Loops
from langgraph_checkpoint_dynamodb.runners.process import PerProcess

if TYPE_CHECKING:
    from collections.abc import Callable

    from langgraph_checkpoint_dynamodb.requests.operations import Operation, Stream
    from langgraph_checkpoint_dynamodb.settings.client import RunnerSettings

R = TypeVar("R")


class AsyncRunner:
    """Runs operations on the event loop on which they are awaited, in any process."""

    def __init__(self, settings: RunnerSettings) -> None:
        self._services = services(settings)
        self._processes: PerProcess[Loops] = PerProcess(partial(Loops, settings))

    def require_open(self) -> None:
        """Check that the saver was not closed on all loops.

        Raises:
            SaverClosedError: It was.
        """
        self._loops().require_open()

    async def run(self, operation: Operation[R]) -> R:
        """Perform an operation to its end and return its result."""
        return await self._loops().current().run(operation)

    def pages(self, stream: Stream[R]) -> AsyncPages[R]:
        """Perform a stream page by page, as its pages are requested; each `Emit` is a page."""
        return AsyncPages(stream, self)

    async def advance(self, stream: Stream[R]) -> list[R] | None:
        """Perform a stream up to its next page; `None` after the last."""
        return await self._loops().current().advance(stream)

    async def compute(self, work: Callable[[], R]) -> R:
        """Run work on another thread, in the caller's context, and return its result."""
        return await self._loops().threads.run(work)

    async def open(self) -> None:
        """Create the clients of this loop. Reopens a closed saver."""
        loops = self._loops()
        loops.reopen()
        for service in self._services:
            await loops.current().clients.get(service)

    async def close(self) -> None:
        """Wait for the calls in flight on this loop, then close its clients. Can be repeated."""
        await self._loops().close_current()

    async def close_everywhere(self) -> None:
        """Close all loops that are running, and stop the threads.

        The clients of a loop that is not running are closed when that loop ends.
        """
        await self._loops().close()

    def _loops(self) -> Loops:
        return self._processes.get()


class AsyncPages(Generic[R]):
    """A stream that is performed page by page, as its pages are requested."""

    def __init__(self, stream: Stream[R], runner: AsyncRunner) -> None:
        self._stream = stream
        self._runner = runner

    async def next(self) -> list[R] | None:
        """The next page; `None` after the last."""
        return await self._runner.advance(self._stream)

    def close(self) -> None:
        """Close the stream, unless its loop is running it."""
        with suppress(ValueError):  # Python raises it for a generator that is running.
            self._stream.close()
