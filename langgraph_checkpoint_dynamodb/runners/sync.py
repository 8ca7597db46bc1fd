"""Performs operations with a boto3 client and threads.

One pool of worker threads serves both the parts of a group and the saver's `a*` methods. A thread
that waits for a group works on the group itself, so a group makes progress however busy the pool
is, and nesting cannot deadlock. A queue keeps the requests in flight within the connection pool; a
place in it is held for the time of one SDK call only.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from langgraph_checkpoint_dynamodb.errors import DynamoDBSaverError
from langgraph_checkpoint_dynamodb.requests.operations import Backoff, Compute, Concurrently, Emit
from langgraph_checkpoint_dynamodb.runners.client import ClientHolder, concurrency, services
from langgraph_checkpoint_dynamodb.runners.group import Group
from langgraph_checkpoint_dynamodb.runners.observed import observed
from langgraph_checkpoint_dynamodb.runners.process import PerProcess
from langgraph_checkpoint_dynamodb.runners.under_way import AbandonedError, CallsUnderWay
from langgraph_checkpoint_dynamodb.runners.wire import Wire
from langgraph_checkpoint_dynamodb.runners.workers import Workers
from langgraph_checkpoint_dynamodb.watching.watcher import Watched

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
    from concurrent.futures import Future

    from langgraph_checkpoint_dynamodb.requests.operations import Operation, Request, Stream
    from langgraph_checkpoint_dynamodb.runners.sdk_calls.call import SdkCall
    from langgraph_checkpoint_dynamodb.runners.under_way import Call
    from langgraph_checkpoint_dynamodb.settings.client import RunnerSettings

R = TypeVar("R")


class SyncRunner:
    """Runs operations against DynamoDB. Safe to use from any number of threads and processes."""

    def __init__(self, settings: RunnerSettings) -> None:
        self._processes: PerProcess[Performer] = PerProcess(partial(_make_performer, settings))

    def open(self) -> None:
        """Make the clients."""
        self.call(_open)

    def start_open(self) -> Started[None]:
        """Have a worker thread make the clients."""
        return self.submit(_open)

    def run(self, operation: Operation[R]) -> R:
        """Perform an operation to its end and return its result."""
        return self.call(lambda performer, call: performer.drive(operation, call))

    def start(self, operation: Operation[R]) -> Started[R]:
        """Have a worker thread perform an operation, in the caller's context."""
        return self.submit(lambda performer, call: performer.drive(operation, call))

    def pages(self, stream: Stream[R]) -> Pages[R]:
        """Perform a stream as far as its values are asked for; each `Emit` is a page."""
        return Pages(stream, self)

    def call(self, work: Callable[[Performer, Call], R]) -> R:
        """Do some work in the caller's thread, as a call that `close` waits for."""
        performer = self.performer()
        call = performer.calls.begin()
        try:
            call.start()
            return work(performer, call)
        finally:
            call.leave()

    def submit(self, work: Callable[[Performer, Call], R]) -> Started[R]:
        """Have a worker thread do some work, in the caller's context, as a call."""
        performer = self.performer()
        call = performer.calls.begin()

        def do() -> R:
            call.start()
            return work(performer, call)

        try:
            future = performer.workers.submit(do)
        except BaseException:
            call.leave()
            raise
        future.add_done_callback(lambda _: call.leave())
        return Started(future, call)

    def close(self) -> None:
        """Let calls under way finish, then end the threads and the client. Can be repeated."""
        self.performer().close()

    def performer(self) -> Performer:
        """What performs operations in this process."""
        return self._processes.get()


def _make_performer(settings: RunnerSettings, parents: Performer | None) -> Performer:
    return Performer(settings, parents)


def _open(performer: Performer, call: Call) -> None:  # noqa: ARG001 - it waits for nobody
    performer.open()


@dataclass(frozen=True, slots=True)
class Started(Generic[R]):
    """A call that a worker thread performs.

    Attributes:
        future: Its result.
        call: The call.
    """

    future: Future[R]
    call: Call

    async def result(self) -> R:
        """The result. A caller that is cancelled abandons the call, and is not held up by it."""
        try:
            return await asyncio.wrap_future(self.future)
        finally:
            if not self.future.done() and not self.future.cancel():
                self.call.abandon(AbandonedError())


class Performer:
    """Performs requests in one process: its clients, its threads, its calls under way.

    Args:
        settings: The saver's settings.
        parents: That of the parent, in a child made by `os.fork`. Closed there is closed here.
    """

    def __init__(self, settings: RunnerSettings, parents: Performer | None) -> None:
        closed = parents is not None and parents.calls.closed
        self.calls: CallsUnderWay = CallsUnderWay(closed=closed)
        self._limit = concurrency(settings)
        self.workers = Workers(self._limit, "dynamodb-saver")
        self._services = services(settings)
        self._clients = ClientHolder(settings, forked=parents is not None)
        self._wire = Wire(settings.table_names)
        self._in_flight = _Queue(self._limit)

    def open(self) -> None:
        """Make the clients."""
        for service in self._services:
            self._clients.get(service)

    def close(self) -> None:
        """Let calls under way finish, then end the threads and the clients. Can be repeated."""
        self.calls.close()
        self.workers.close()
        self._clients.close()

    def drive(self, operation: Operation[R], call: Call) -> R:
        """Perform an operation to its end and return its result."""
        try:
            request = next(operation)
            while True:
                request = self.step(operation, request, call)
        except StopIteration as stop:
            result: R = stop.value
            return result
        finally:
            operation.close()

    def step(self, operation: Any, request: Any, call: Call) -> Any:
        """Perform a request and hand its reply, or its error, to the operation that asked."""
        call.check()
        try:
            reply = self._perform(request, call)
        except DynamoDBSaverError as error:
            return operation.throw(error)
        return operation.send(reply)

    def _perform(self, request: Request[Any], call: Call) -> object:
        match request:
            case Concurrently(operations):
                return self._gather(operations, call)
            case Backoff(ceiling):
                time.sleep(random.uniform(0, ceiling))  # noqa: S311 - jitter, not a secret
                return None
            case Compute(work):
                return work()
            case Watched(watched, watch):
                with observed(watched, watch, self._wire.call(watched)) as sdk_call:
                    return self._send(watched, sdk_call, call)
        return self._send(request, self._wire.call(request), call)

    def _send(self, request: Request[Any], sdk_call: SdkCall, call: Call) -> object:
        client = self._clients.get(sdk_call.service)
        sight = sdk_call.sight
        with self._in_flight:
            call.check()
            try:
                if sight is None:
                    response = _ask(client, sdk_call)
                else:
                    with sight.of(client):
                        response = sight.response = _ask(client, sdk_call)
            except Exception as error:
                return self._wire.error(request, sdk_call, error, client.meta)
        return self._wire.reply(request, sdk_call, response)

    def _gather(self, operations: Sequence[Operation[Any]], call: Call) -> list[Any]:
        group = Group(operations)
        helpers: list[Future[None]] = []
        # No thread can be started any more when the interpreter ends: this one does all of it then.
        with suppress(RuntimeError):
            helpers.extend(
                self.workers.submit(partial(self._help, group, call))
                for _ in range(min(len(operations), self._limit) - 1)
            )
        try:
            self._work(group, call)
            # Those that have not begun would find nothing to do; the others are on their last one.
            for helper in helpers:
                if not helper.cancel():
                    helper.result()
        except BaseException as error:
            # This thread was interrupted. It does not wait for a server that may be hanging.
            call.abandon(error)
            raise
        return group.results()

    def _help(self, group: Group[Any], call: Call) -> None:
        if not call.join():
            return
        try:
            self._work(group, call)
        except BaseException as error:
            group.stopped(error)
        finally:
            call.leave()

    def _work(self, group: Group[Any], call: Call) -> None:
        while (task := group.take()) is not None:
            position, operation = task
            try:
                group.succeeded(position, self.drive(operation, call))
            except Exception as error:
                group.failed(position, error)


def _ask(client: Any, sdk_call: SdkCall) -> Any:
    """The response to an SDK call, read to its end."""
    response = getattr(client, sdk_call.method)(**sdk_call.arguments)
    if "Body" in response:
        response["Body"] = response["Body"].read()
    return response


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

    def start_next(self) -> Started[list[R] | None]:
        """Have a worker thread fetch the next page; `None` after the last."""
        return self._runner.submit(self._advance)

    async def awaited(self) -> AsyncGenerator[list[R], None]:
        """The pages, each fetched by a worker thread."""
        try:
            while (page := await self.start_next().result()) is not None:
                yield page
        finally:
            self.close()

    def close(self) -> None:
        """Unwind the stream, unless a worker thread is still on its way with it."""
        with suppress(ValueError):  # What Python raises for a generator that is running.
            self._stream.close()

    def _advance(self, performer: Performer, call: Call) -> list[R] | None:
        try:
            request: Any = next(self._stream)
            while not isinstance(request, Emit):
                request = performer.step(self._stream, request, call)
        except StopIteration:
            return None
        except BaseException:
            # Abandoned, maybe: the caller has gone, and could not unwind it.
            self._stream.close()
            raise
        return request.values
