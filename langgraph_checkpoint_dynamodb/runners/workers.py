"""A pool of threads that does not keep the process alive.

The standard one is waited for when the interpreter ends. A thread of it that waits for a server
that does not answer would hold up the end of the process until the SDK gives up.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from concurrent.futures import Future
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import finalize

from langgraph_checkpoint_dynamodb.errors import SaverClosedError

if TYPE_CHECKING:
    from collections.abc import Callable

R = TypeVar("R")


class Workers:
    """Threads that do work in the order it comes, each started when all others are busy.

    They end when this is closed, or when nobody has it any more.

    Args:
        most: How many threads there may be.
        name: What their names begin with.
    """

    def __init__(self, most: int, name: str) -> None:
        self._most = most
        self._name = name
        self._line = _Line()
        self._threads: list[threading.Thread] = []
        # In a child after a fork the lock may be held for ever, and the threads are gone anyhow.
        finalize(self, _end, self._line, os.getpid()).atexit = False

    def submit(self, work: Callable[[], R]) -> Future[R]:
        """Have a thread do some work, in the caller's context.

        Raises:
            SaverClosedError: This was closed.
            RuntimeError: No thread can be started any more, because the interpreter ends.
        """
        future: Future[R] = Future()
        job = _Job(future, partial(copy_context().run, work))
        with self._line.changed:
            if self._line.closed:
                raise SaverClosedError
            if self._line.idle <= len(self._line.jobs) and len(self._threads) < self._most:
                self._start()
            self._line.jobs.append(job)
            self._line.changed.notify()
        return future

    def close(self, *, wait: bool = True) -> None:
        """End the threads once all work is done. Can be repeated."""
        self._line.close()
        if wait:
            for thread in self._threads:
                thread.join()

    def _start(self) -> None:
        thread = threading.Thread(
            target=_serve,
            args=(self._line,),
            name=f"{self._name}_{len(self._threads)}",
            daemon=True,
        )
        thread.start()
        self._threads.append(thread)


def do_in_a_thread(work: Callable[[], R], name: str) -> Future[R]:
    """Have a thread of its own do some work."""
    workers = Workers(1, name)
    future = workers.submit(work)
    workers.close(wait=False)
    return future


@dataclass(frozen=True, slots=True)
class _Job:
    future: Future[Any]
    work: Callable[[], Any]

    def do(self) -> None:
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            result = self.work()
        except BaseException as error:
            self.future.set_exception(error)
        else:
            self.future.set_result(result)


class _Line:
    """The work that waits, and those that wait for work."""

    def __init__(self) -> None:
        # Reentrant: the garbage collector may close a line in the middle of `next`.
        self.changed = threading.Condition(threading.RLock())
        self.jobs: deque[_Job] = deque()
        self.idle = 0
        self.closed = False

    def next(self) -> _Job | None:
        """The next piece of work, `None` when there will be no more."""
        with self.changed:
            self.idle += 1
            self.changed.wait_for(lambda: self.jobs or self.closed)
            self.idle -= 1
            return self.jobs.popleft() if self.jobs else None

    def close(self) -> None:
        with self.changed:
            self.closed = True
            self.changed.notify_all()


def _serve(line: _Line) -> None:
    while (job := line.next()) is not None:
        job.do()
        del job  # It holds the result, and maybe the saver: nobody may have them any more.


def _end(line: _Line, pid: int) -> None:
    if pid == os.getpid():
        line.close()
