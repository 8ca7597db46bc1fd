"""Threads that do the processor-bound work of event loops."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import TYPE_CHECKING, TypeVar

from langgraph_checkpoint_dynamodb.runners.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Callable


R = TypeVar("R")


class ComputeThreads:
    """Threads for work that would block an event loop, started at the first use.

    Not the loop's default executor: the nodes of a graph run there and may occupy it for long.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._workers: Workers | None = None

    async def run(self, work: Callable[[], R]) -> R:
        """Run work on a thread, in the caller's context, and return its result."""
        with self._lock:
            if self._workers is None:
                self._workers = Workers(os.cpu_count() or 1, "dynamodb-saver")
            future = self._workers.submit(work)
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Stop the threads. The next work starts new ones."""
        with self._lock:
            workers, self._workers = self._workers, None
        if workers is not None:
            workers.close(wait=False)
