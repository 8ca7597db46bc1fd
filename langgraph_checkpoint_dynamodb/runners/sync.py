"""Performs operations with a boto3 client and threads.

One pool of worker threads serves both the parts of a group and the saver's `a*` methods. A thread
that waits for a group works on the group itself, so a group makes progress however busy the pool
is, and nesting cannot deadlock. A semaphore keeps the requests in flight within the connection
pool; it is held for the time of one SDK call only.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from langgraph_checkpoint_dynamodb.effects import Backoff, Compute, Concurrently, Emit
from langgraph_checkpoint_dynamodb.errors import DynamoDBSaverError, SaverClosedError
from langgraph_checkpoint_dynamodb.runners.client import ClientHolder, concurrency
from langgraph_checkpoint_dynamodb.runners.group import Group
from langgraph_checkpoint_dynamodb.runners.wire import SDK_ERRORS, Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future

    from langgraph_checkpoint_dynamodb.effects import Operation, Request, Stream
    from langgraph_checkpoint_dynamodb.settings import Settings

R = TypeVar("R")


class SyncRunner:
    """Runs operations against DynamoDB. Safe to use from any number of threads."""

    def __init__(self, settings: Settings) -> None:
        self._clients = ClientHolder(settings)
        self._wire = Wire(settings.table_names)
        self._limit = concurrency(settings)
        self._in_flight = _Queue(self._limit)
        self._state = threading.Condition()
        self._under_way = 0
        self._closed = False
        self._workers: ThreadPoolExecutor | None = None

    def run(self, operation: Operation[R]) -> R:
        """Perform an operation to its end and return its result."""
        return self.call(lambda: self._drive(operation))

    def start(self, operation: Operation[R]) -> Future[R]:
        """Have a worker thread perform an operation, in the caller's context."""
        return self.submit(lambda: self._drive(operation))

    def pages(self, stream: Stream[R]) -> Pages[R]:
        """Perform a stream as far as its values are asked for; each `Emit` is a page."""
        return Pages(stream, self)

    def call(self, work: Callable[[], R]) -> R:
        """Do some work in the caller's thread, as a call that `close` waits for."""
        self._begin()
        try:
            return work()
        finally:
            self._end()

    def submit(self, work: Callable[[], R]) -> Future[R]:
        """Have a worker thread do some work, in the caller's context, as a call."""
        self._begin()
        try:
            future = self._pool().submit(copy_context().run, work)
        except BaseException:
            self._end()
            raise
        future.add_done_callback(lambda _: self._end())
        return future

    def step(self, operation: Any, request: Any) -> Any:
        """Perform a request and hand its reply, or its error, to the operation that asked."""
        try:
            reply = self._perform(request)
        except DynamoDBSaverError as error:
            return operation.throw(error)
        return operation.send(reply)

    def close(self) -> None:
        """Let calls under way finish, then end the threads and the client. Can be repeated."""
        with self._state:
            self._closed = True
            self._state.wait_for(lambda: self._under_way == 0)
            workers, self._workers = self._workers, None
        if workers is not None:
            workers.shutdown(wait=True)
        self._clients.close()

    def _begin(self) -> None:
        with self._state:
            if self._closed:
                raise SaverClosedError
            self._under_way += 1

    def _end(self) -> None:
        with self._state:
            self._under_way -= 1
            self._state.notify_all()

    def _pool(self) -> ThreadPoolExecutor:
        with self._state:
            if self._workers is None:
                self._workers = ThreadPoolExecutor(self._limit, "dynamodb-saver")
            return self._workers

    def _drive(self, operation: Operation[R]) -> R:
        try:
            request = next(operation)
            while True:
                request = self.step(operation, request)
        except StopIteration as stop:
            result: R = stop.value
            return result
        finally:
            operation.close()

    def _perform(self, request: Request[Any]) -> object:
        match request:
            case Concurrently(operations):
                return self._gather(operations)
            case Backoff(ceiling):
                time.sleep(random.uniform(0, ceiling))  # noqa: S311 - jitter, not a secret
                return None
            case Compute(work):
                return work()
        call = self._wire.call(request)
        client = self._clients.get(call.service)
        with self._in_flight:
            try:
                response = getattr(client, call.method)(**call.arguments)
                if "Body" in response:
                    response["Body"] = response["Body"].read()
            except SDK_ERRORS as error:
                return self._wire.error(request, call, error)
        return self._wire.reply(request, response)

    def _gather(self, operations: Sequence[Operation[Any]]) -> list[Any]:
        group = Group(operations)
        helpers: list[Future[None]] = []
        # No thread can be started any more when the interpreter ends: this one does all of it then.
        with suppress(RuntimeError):
            helpers.extend(
                self._pool().submit(copy_context().run, self._work, group)
                for _ in range(min(len(operations), self._limit) - 1)
            )
        try:
            self._work(group)
        finally:
            # Those that have not begun would find nothing to do; the others are on their last one.
            for helper in helpers:
                if not helper.cancel():
                    helper.result()
        return group.results()

    def _work(self, group: Group[Any]) -> None:
        while (task := group.take()) is not None:
            position, operation = task
            try:
                group.succeeded(position, self._drive(operation))
            except BaseException as error:
                group.failed(position, error)


class _Queue:
    """Lets so many threads in at once, in the order they came.

    A semaphore of the standard library lets a thread that comes back at once overtake those that
    wait: among 500 threads, some would wait for most of the time the others take together.
    """

    def __init__(self, places: int) -> None:
        self._lock = threading.Lock()
        self._free = places
        self._waiting: deque[threading.Lock] = deque()

    def __enter__(self) -> None:
        with self._lock:
            if self._free:
                self._free -= 1
                return
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        try:
            turn.acquire()
        except BaseException:
            self._give_up(turn)
            raise

    def __exit__(self, *_: object) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1

    def _give_up(self, turn: threading.Lock) -> None:
        """An interrupted thread leaves the queue, or hands on the place it was just given."""
        with self._lock:
            if turn in self._waiting:
                self._waiting.remove(turn)
                return
        self.__exit__()


class Pages(Generic[R]):
    """A stream that is performed page by page, as it is asked for pages."""

    def __init__(self, stream: Stream[R], runner: SyncRunner) -> None:
        self._stream = stream
        self._runner = runner

    def __iter__(self) -> Iterator[list[R]]:
        """The pages, performed in the caller's thread."""
        while (page := self._runner.call(self._advance)) is not None:
            yield page

    def start_next(self) -> Future[list[R] | None]:
        """Have a worker thread fetch the next page; `None` after the last."""
        return self._runner.submit(self._advance)

    def close(self) -> None:
        """Unwind the stream, unless a worker thread is still on its way with it."""
        with suppress(ValueError):  # What Python raises for a generator that is running.
            self._stream.close()

    def _advance(self) -> list[R] | None:
        try:
            request: Any = next(self._stream)
            while not isinstance(request, Emit):
                request = self._runner.step(self._stream, request)
        except StopIteration:
            return None
        return request.values
