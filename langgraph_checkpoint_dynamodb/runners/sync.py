"""Performs operations with a boto3 client and threads.

One pool of worker threads serves both groups of operations and the saver's `a*` methods. A thread
that waits for a group works on it, too, so a group makes progress however busy the pool is, and
nested groups cannot deadlock. A semaphore limits the requests in flight to the connection pool; it
is held for one SDK call only.
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
        """Create the clients."""
        self.call(_open)

    def start_open(self) -> Started[None]:
        """Create the clients on a worker thread."""
        return self.submit(_open)

    def run(self, operation: Operation[R]) -> R:
        """Perform an operation to its end and return its result."""
        return self.call(lambda performer, call: performer.drive(operation, call))

    def start(self, operation: Operation[R]) -> Started[R]:
        """Perform an operation on a worker thread, in the caller's context."""
        return self.submit(lambda performer, call: performer.drive(operation, call))

    def pages(self, stream: Stream[R]) -> Pages[R]:
        """Perform a stream page by page, as its pages are requested; each `Emit` is a page."""
        return Pages(stream, self)

    def call(self, work: Callable[[Performer, Call], R]) -> R:
        """Run work on the caller's thread, as a call that `close` waits for."""
        performer = self.performer()
        call = performer.calls.begin()
        try:
            call.start()
            return work(performer, call)
        finally:
            call.leave()

    def submit(self, work: Callable[[Performer, Call], R]) -> Started[R]:
        """Run work on a worker thread, in the caller's context, as a call `close` waits for."""
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
        """Wait for calls in flight, then end the threads and the clients. Can be repeated."""
        self.performer().close()

    def performer(self) -> Performer:
        """The performer of this process."""
        return self._processes.get()


def _make_performer(settings: RunnerSettings, parents: Performer | None) -> Performer:
    return Performer(settings, parents)


def _open(performer: Performer, call: Call) -> None:  # noqa: ARG001 - it sends no request
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
        """The result. A caller that is cancelled abandons the call and does not wait for it."""
        try:
            return await asyncio.wrap_future(self.future)
        finally:
            if not self.future.done() and not self.future.cancel():
                self.call.abandon(AbandonedError())


class Performer:
    """Performs requests in one process, with its clients, threads and calls in flight.

    Args:
        settings: The saver's settings.
        parents: That of the parent process, in a child created by `os.fork`. If it is closed, this
            is, too.
    """

    def __init__(self, settings: RunnerSettings, parents: Performer | None) -> None:
        closed = parents is not None and parents.calls.closed
        self.calls: CallsUnderWay = CallsUnderWay(closed=closed)
        self._limit = concurrency(settings)
        self.workers = Workers(self._limit, "dynamodb-saver")
        self._services = services(settings)
        self._clients = ClientHolder(settings, forked=parents is not None)
        self._wire = Wire(settings.table_names)
        self._in_flight = _FairSemaphore(self._limit)

    def open(self) -> None:
        """Create the clients."""
        for service in self._services:
            self._clients.get(service)

    def close(self) -> None:
        """Wait for calls in flight, then end the threads and the clients. Can be repeated."""
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
        """Perform a request and send its reply, or throw its error, into the operation."""
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
        record = sdk_call.record
        with self._in_flight:
            call.check()
            try:
                if record is None:
                    response = _ask(client, sdk_call)
                else:
                    with record.during(client):
                        response = record.response = _ask(client, sdk_call)
            except Exception as error:
                return self._wire.error(request, sdk_call, error, client.meta)
        return self._wire.reply(request, sdk_call, response)

    def _gather(self, operations: Sequence[Operation[Any]], call: Call) -> list[Any]:
        group = Group(operations)
        helpers: list[Future[None]] = []
        # At interpreter exit no thread can be started: this thread then does all the work.
        with suppress(RuntimeError):
            helpers.extend(
                self.workers.submit(partial(self._help, group, call))
                for _ in range(min(len(operations), self._limit) - 1)
            )
        try:
            self._work(group, call)
            # Helpers that have not started have nothing to do; the others run their last operation.
            for helper in helpers:
                if not helper.cancel():
                    helper.result()
        except BaseException as error:
            # This thread was interrupted. It must not wait for a server that may not respond.
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


class _FairSemaphore:
    """A semaphore that is first in, first out.

    That of the standard library lets a thread that returns at once overtake the threads that wait:
    of 500 threads, some would wait until most others have finished.
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
        """Leave the queue after an interrupt, or pass on the place that was just granted."""
        with self._lock:
            if turn in self._waiting:
                self._waiting.remove(turn)
                return
        self.__exit__()


class Pages(Generic[R]):
    """A stream that is performed page by page, as its pages are requested."""

    def __init__(self, stream: Stream[R], runner: SyncRunner) -> None:
        self._stream = stream
        self._runner = runner

    def __iter__(self) -> Iterator[list[R]]:
        """The pages, performed in the caller's thread."""
        while (page := self._runner.call(self._advance)) is not None:
            yield page

    def start_next(self) -> Started[list[R] | None]:
        """Fetch the next page on a worker thread; `None` after the last."""
        return self._runner.submit(self._advance)

    async def awaited(self) -> AsyncGenerator[list[R], None]:
        """The pages, each fetched by a worker thread."""
        try:
            while (page := await self.start_next().result()) is not None:
                yield page
        finally:
            self.close()

    def close(self) -> None:
        """Close the stream, unless a worker thread is running it."""
        with suppress(ValueError):  # Python raises it for a generator that is running.
            self._stream.close()

    def _advance(self, performer: Performer, call: Call) -> list[R] | None:
        try:
            request: Any = next(self._stream)
            while not isinstance(request, Emit):
                request = performer.step(self._stream, request, call)
        except StopIteration:
            return None
        except BaseException:
            # If the call was abandoned, the caller could not close the stream.
            self._stream.close()
            raise
        return request.values
