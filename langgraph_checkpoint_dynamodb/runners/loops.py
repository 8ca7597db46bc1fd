"""The event loops on which a saver is used."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakSet

from langgraph_checkpoint_dynamodb.errors import SaverClosedError
from langgraph_checkpoint_dynamodb.runners.compute_threads import ComputeThreads
from langgraph_checkpoint_dynamodb.runners.loop_clients import Sessions
from langgraph_checkpoint_dynamodb.runners.loop_runner import LoopRunner

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from langgraph_checkpoint_dynamodb.settings.client import RunnerSettings

R = TypeVar("R")

_POLL_SECONDS = 0.1
"""How often to check whether another loop still runs."""


class Loops:
    """The event loops of one process on which the saver is used.

    Args:
        settings: The saver's settings.
        parents: Those of the parent process, in a child created by `os.fork`. If they are closed,
            these are, too.
    """

    def __init__(self, settings: RunnerSettings, parents: Loops | None) -> None:
        self.threads = ComputeThreads()
        self._settings = settings
        self._lock = threading.Lock()
        self._runners: dict[AbstractEventLoop, LoopRunner] = {}
        self._closed_on: WeakSet[AbstractEventLoop] = WeakSet()
        self._closed: bool = parents is not None and parents._closed
        self._sessions = Sessions(settings.client.session)

    def require_open(self) -> None:
        """Check that the saver was not closed on all loops.

        Raises:
            SaverClosedError: It was.
        """
        if self._closed:
            raise SaverClosedError

    def current(self) -> LoopRunner:
        """The runner of the running event loop.

        Raises:
            SaverClosedError: The saver was closed on this loop or on all.
        """
        loop = asyncio.get_running_loop()
        runner = self._runners.get(loop)
        if runner is not None and not runner.closed and not self._closed:
            return runner
        with self._lock:
            self.require_open()
            if loop in self._closed_on:
                raise SaverClosedError
            for ended in [other for other in self._runners if other.is_closed()]:
                del self._runners[ended]
            runner = self._runners[loop] = LoopRunner(
                self._settings, self._sessions, self.threads, self._forget
            )
            return runner

    def reopen(self) -> None:
        """Open this loop again, if it or all loops were closed."""
        with self._lock:
            self._closed = False
            self._closed_on.discard(asyncio.get_running_loop())

    async def close_current(self) -> None:
        """Wait for the calls in flight on this loop, then close its clients. Can be repeated."""
        loop = asyncio.get_running_loop()
        with self._lock:
            self._closed_on.add(loop)
            runner = self._runners.get(loop)
        if runner is not None:
            await runner.close()

    async def close(self) -> None:
        """Close all loops that are running, and stop the threads."""
        with self._lock:
            self._closed = True
            runners = [*self._runners.items()]
        for loop, runner in runners:
            if loop is asyncio.get_running_loop():
                await runner.close()
            else:
                await _close_on_other_loop(loop, runner)
        self.threads.close()

    def _forget(self, ended: LoopRunner) -> None:
        with self._lock:
            for loop in [loop for loop, runner in self._runners.items() if runner is ended]:
                del self._runners[loop]


async def _close_on_other_loop(loop: AbstractEventLoop, runner: LoopRunner) -> None:
    """Close a runner on its own loop. A loop that has just ended has closed its clients."""
    closed: Future[None] = Future()

    def begin() -> None:
        # A task created after the loop's end has begun to close the clients may never run.
        if runner.clients.is_closing:
            closed.set_result(None)
        else:
            loop.create_task(runner.close()).add_done_callback(partial(_pass_on, closed))

    if not loop.is_running():
        return
    with suppress(RuntimeError):  # The loop has ended in the meantime.
        loop.call_soon_threadsafe(begin)
    closing = asyncio.wrap_future(closed)
    while not closing.done() and loop.is_running():
        await asyncio.wait([closing], timeout=_POLL_SECONDS)
    if closing.done():
        closing.result()


def _pass_on(closed: Future[None], task: asyncio.Task[None]) -> None:
    """Give the end of a task to a future of another thread. The end of its loop cancels it."""
    error = None if task.cancelled() else task.exception()
    if error is None:
        closed.set_result(None)
    else:
        closed.set_exception(error)
