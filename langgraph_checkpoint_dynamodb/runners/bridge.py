"""An event loop in a thread of its own, on which synchronous code runs coroutines."""

from __future__ import annotations

import asyncio
import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import finalize

from langgraph_checkpoint_dynamodb.runners.process import PerProcess, keep_in_children

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable, Coroutine
    from concurrent.futures import Future

R = TypeVar("R")


class Bridge:
    """Runs coroutines for callers that cannot await. Its thread starts at the first call."""

    def __init__(self) -> None:
        self._processes: PerProcess[_ProcessBridge] = PerProcess(_make_process_bridge)

    def run(
        self,
        begin: Callable[[], Coroutine[Any, Any, R]],
        may_begin: Callable[[], None] = lambda: None,
    ) -> R:
        """Run a coroutine on the bridge's loop and wait for its result.

        If the caller is interrupted while it waits, the coroutine is cancelled.

        Args:
            begin: Creates the coroutine.
            may_begin: Raises an error if no coroutine may start. Called under the lock that `close`
                takes.
        """
        future = self._processes.get().begin(begin, may_begin)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def close(self) -> None:
        """End the thread. Can be repeated; the next coroutine starts a new thread."""
        self._processes.get().close()


class _ProcessBridge:
    """The bridge of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: _LoopThread | None = None

    def begin(
        self, begin: Callable[[], Coroutine[Any, Any, R]], may_begin: Callable[[], None]
    ) -> Future[R]:
        # Under the lock: a coroutine scheduled after `close` has stopped the loop would never run.
        with self._lock:
            may_begin()
            if self._thread is None:
                self._thread = _LoopThread()
            return asyncio.run_coroutine_threadsafe(begin(), self._thread.loop)

    def close(self) -> None:
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.close()


def _make_process_bridge(parents: _ProcessBridge | None) -> _ProcessBridge:  # noqa: ARG001 - a child inherits nothing
    return _ProcessBridge()


class _LoopThread:
    """A thread that runs an event loop until closed or garbage-collected."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        # A daemon: a saver that is not closed must not keep the process alive.
        self._thread = threading.Thread(
            target=_run, args=(self.loop,), name="dynamodb-saver-loop", daemon=True
        )
        self._thread.start()
        self._stop = finalize(self, _stop, self.loop, os.getpid())
        keep_in_children(self)

    def close(self) -> None:
        self._stop()
        self._thread.join()


def _run(loop: AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        loop.run_until_complete(_wait_for_tasks())
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()


async def _wait_for_tasks() -> None:
    """Wait for the remaining tasks, such as closing clients of collected savers."""
    await asyncio.sleep(0)
    others = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.gather(*others, return_exceptions=True)


def _stop(loop: AbstractEventLoop, pid: int) -> None:
    if pid != os.getpid():
        return  # A child after a fork: it would wake up the parent's loop.
    with suppress(RuntimeError):  # A closed loop raises it.
        loop.call_soon_threadsafe(loop.stop)
