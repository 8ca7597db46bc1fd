"""A pool of threads that does not keep the process alive.

Python joins the threads of `ThreadPoolExecutor` when the interpreter exits. A thread that waits for
a server that does not respond would delay the exit until the SDK gives up.
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
    """Threads that run jobs in the order of submission, each started when all others are busy.

    They end when this is closed or garbage-collected.

    Args:
        most: Maximum number of threads.
        name: Prefix of their names.
    """

    def __init__(self, most: int, name: str) -> None:
        self._most = most
        self._name = name
        self._queue = _JobQueue()
        self._threads: list[threading.Thread] = []
        # In a child after a fork the lock may stay locked, and the threads do not exist.
        finalize(self, _end, self._queue, os.getpid()).atexit = False

    def submit(self, work: Callable[[], R]) -> Future[R]:
        """Run work on a thread, in the caller's context.

        Raises:
            SaverClosedError: The pool was closed.
            RuntimeError: No thread can be started, because the interpreter is exiting.
        """
        future: Future[R] = Future()
        job = _Job(future, partial(copy_context().run, work))
        with self._queue.changed:
            if self._queue.closed:
                raise SaverClosedError
            if self._queue.idle <= len(self._queue.jobs) and len(self._threads) < self._most:
                self._start()
            self._queue.jobs.append(job)
            self._queue.changed.notify()
        return future

    def close(self, *, wait: bool = True) -> None:
        """End the threads once all jobs are done. Can be repeated."""
        self._queue.close()
        if wait:
            for thread in self._threads:
                thread.join()

    def _start(self) -> None:
        thread = threading.Thread(
            target=_serve,
            args=(self._queue,),
            name=f"{self._name}_{len(self._threads)}",
            daemon=True,
        )
        thread.start()
        self._threads.append(thread)


def run_in_thread(work: Callable[[], R], name: str) -> Future[R]:
    """Run work on a thread of its own."""
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


class _JobQueue:
    """The jobs that wait for a thread, and how many threads wait for a job."""

    def __init__(self) -> None:
        # Reentrant: the garbage collector may close a queue in the middle of `next`.
        self.changed = threading.Condition(threading.RLock())
        self.jobs: deque[_Job] = deque()
        self.idle = 0
        self.closed = False

    def next(self) -> _Job | None:
        """The next job; `None` if the queue is closed and empty."""
        with self.changed:
            self.idle += 1
            self.changed.wait_for(lambda: self.jobs or self.closed)
            self.idle -= 1
            return self.jobs.popleft() if self.jobs else None

    def close(self) -> None:
        with self.changed:
            self.closed = True
            self.changed.notify_all()


def _serve(queue: _JobQueue) -> None:
    while (job := queue.next()) is not None:
        job.do()
        del job  # It references the result, and maybe the saver: both must be collectable.


def _end(queue: _JobQueue, pid: int) -> None:
    if pid == os.getpid():
        queue.close()
