"""Runs operations with aiobotocore on one event loop."""

from __future__ import annotations

import asyncio
import random
from asyncio import sleep
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from aiohttp import ClientError as HTTPError

from langgraph_checkpoint_dynamodb.errors import DynamoDBSaverError, SaverClosedError
from langgraph_checkpoint_dynamodb.requests.operations import Backoff, Compute, Concurrently, Emit
from langgraph_checkpoint_dynamodb.runners.client import concurrency
from langgraph_checkpoint_dynamodb.runners.group import Group
from langgraph_checkpoint_dynamodb.runners.loop_clients import LoopClients, Sessions
from langgraph_checkpoint_dynamodb.runners.observed import observed
from langgraph_checkpoint_dynamodb.runners.process import keep_in_children
from langgraph_checkpoint_dynamodb.runners.wire import Wire
from langgraph_checkpoint_dynamodb.watching.watcher import Watched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from langgraph_checkpoint_dynamodb.requests.operations import Operation, Request, Stream
    from langgraph_checkpoint_dynamodb.runners.compute_threads import ComputeThreads
    from langgraph_checkpoint_dynamodb.runners.sdk_calls.call import SdkCall
    from langgraph_checkpoint_dynamodb.settings.client import RunnerSettings

R = TypeVar("R")


class LoopRunner:
    """Runs operations on one event loop.

    Args:
        settings: The saver's settings.
        sessions: Provides the sessions to create clients from.
        threads: Run processor-bound work.
        forget: Called once this runner is closed.

    Attributes:
        closed: Whether it was closed.
        clients: The clients of this loop.
    """

    def __init__(
        self,
        settings: RunnerSettings,
        sessions: Sessions,
        threads: ComputeThreads,
        forget: Callable[[LoopRunner], None],
    ) -> None:
        self.closed = False
        self.clients = LoopClients(settings, sessions)
        self._threads = threads
        self._forget = forget
        self._wire = Wire(settings.table_names, (HTTPError,))
        self._limit = concurrency(settings)
        self._in_flight = asyncio.Semaphore(self._limit)
        self._calls_in_flight = 0
        self._idle = asyncio.Event()
        keep_in_children(self)

    async def run(self, operation: Operation[R]) -> R:
        """Perform an operation to its end and return its result."""
        with self._call():
            return await self._drive(operation)

    async def advance(self, stream: Stream[R]) -> list[R] | None:
        """Perform a stream up to its next page; `None` after the last."""
        with self._call():
            try:
                request: Any = next(stream)
                while not isinstance(request, Emit):
                    request = _resume(stream, await self._answer(request))
            except StopIteration:
                return None
            return request.values

    async def close(self) -> None:
        """Wait for calls in flight, then close the clients. Can be repeated."""
        self.closed = True
        while self._calls_in_flight:
            self._idle.clear()
            await self._idle.wait()
        await self.clients.close()
        self._forget(self)

    @contextmanager
    def _call(self) -> Iterator[None]:
        """A call that `close` waits for."""
        if self.closed:
            raise SaverClosedError
        self._calls_in_flight += 1
        try:
            yield
        finally:
            self._calls_in_flight -= 1
            self._idle.set()

    async def _drive(self, operation: Operation[R]) -> R:
        try:
            request = next(operation)
            while True:
                request = _resume(operation, await self._answer(request))
        except StopIteration as stop:
            result: R = stop.value
            return result
        finally:
            operation.close()

    async def _answer(self, request: Request[Any]) -> object:
        """The reply to a request, or the error it ended with."""
        try:
            return await self._perform(request)
        except DynamoDBSaverError as error:
            return _Failed(error)

    async def _perform(self, request: Request[Any]) -> object:
        match request:
            case Concurrently(operations):
                return await self._gather(operations)
            case Backoff(ceiling):
                await sleep(random.uniform(0, ceiling))  # noqa: S311 - jitter, not a secret
                return None
            case Compute(work):
                return await self._threads.run(work)
            case Watched(watched, watch):
                with observed(watched, watch, self._wire.call(watched)) as call:
                    return await self._send(watched, call)
        return await self._send(request, self._wire.call(request))

    async def _send(self, request: Request[Any], call: SdkCall) -> object:
        client = await self.clients.get(call.service)
        record = call.record
        async with self._in_flight:
            try:
                if record is None:
                    response = await _ask(client, call)
                else:
                    with record.during(client):
                        response = record.response = await _ask(client, call)
            except Exception as error:
                return self._wire.error(request, call, error, client.meta)
        return self._wire.reply(request, call, response)

    async def _gather(self, operations: Sequence[Operation[Any]]) -> list[Any]:
        group = Group(operations)
        workers = min(len(operations), self._limit)
        helpers = [asyncio.create_task(self._work(group)) for _ in range(workers - 1)]
        try:
            await self._work(group)
            for helper in helpers:
                await helper
        finally:
            # They still run only if this task was cancelled.
            await _cancel(helpers)
        return group.results()

    async def _work(self, group: Group[Any]) -> None:
        while (task := group.take()) is not None:
            position, operation = task
            try:
                group.succeeded(position, await self._drive(operation))
            except Exception as error:
                group.failed(position, error)


async def _ask(client: Any, call: SdkCall) -> Any:
    """The response to an SDK call, read to its end."""
    response = await getattr(client, call.method)(**call.arguments)
    if "Body" in response:
        async with response["Body"] as body:
            response["Body"] = await body.read()
    return response


@dataclass(frozen=True, slots=True)
class _Failed:
    error: DynamoDBSaverError


def _resume(operation: Any, answer: object) -> Any:
    """Send a reply, or throw an error, into an operation. Returns its next request.

    Not a coroutine: `StopIteration` cannot leave one.
    """
    if isinstance(answer, _Failed):
        return operation.throw(answer.error)
    return operation.send(answer)


async def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait until they have ended, even if this task is cancelled too."""
    for task in tasks:
        task.cancel()
    while running := [task for task in tasks if not task.done()]:
        with suppress(asyncio.CancelledError):
            await asyncio.wait(running)
