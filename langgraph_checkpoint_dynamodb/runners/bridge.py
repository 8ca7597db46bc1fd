"""An event loop in a thread of its own, on which plain code has things done."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import finalize

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable, Coroutine

R = TypeVar("R")


class Bridge:
    """Runs coroutines for callers that cannot await. Its thread starts at the first one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: _LoopThread | None = None

    def run(self, begin: Callable[[], Coroutine[Any, Any, R]]) -> R:
        """Run a coroutine on the bridge's loop and wait for its result.

        A caller that is interrupted while it waits cancels it.
        """
        future = asyncio.run_coroutine_threadsafe(begin(), self._loop())
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def close(self) -> None:
        """End the thread. Can be repeated; the next coroutine starts another one."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.close()

    def _loop(self) -> AbstractEventLoop:
        with self._lock:
            if self._thread is None:
                self._thread = _LoopThread()
            return self._thread.loop


class _LoopThread:
    """A thread that runs an event loop until nobody needs it any more."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        # A daemon: a saver that nobody closes must not keep the process alive.
        self._thread = threading.Thread(
            target=_run, args=(self.loop,), name="dynamodb-saver-loop", daemon=True
        )
        self._thread.start()
        self._stop = finalize(self, _stop, self.loop)

    def close(self) -> None:
        self._stop()
        self._thread.join()


def _run(loop: AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        loop.run_until_complete(_others_end())
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()


async def _others_end() -> None:
    """Let what is under way end, such as the closing of clients that nobody uses any more."""
    await asyncio.sleep(0)
    others = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.gather(*others, return_exceptions=True)


def _stop(loop: AbstractEventLoop) -> None:
    with suppress(RuntimeError):  # What a loop raises that has been closed.
        loop.call_soon_threadsafe(loop.stop)
