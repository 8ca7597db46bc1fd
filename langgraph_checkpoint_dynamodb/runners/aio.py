"""Performs operations with aiobotocore clients and tasks.

Clients belong to the event loop they were made on, so there is a set of them for each loop that the
saver is used on. They are closed with the saver, or else when their loop ends: `asyncio.run` closes
the asynchronous generators that are still open, and one of them holds the clients.
"""

from __future__ import annotations

import asyncio
import os
import random
import threading
from asyncio import sleep
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from weakref import WeakSet, finalize

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from aiohttp import ClientError as HTTPError

from langgraph_checkpoint_dynamodb.errors import DynamoDBSaverError, SaverClosedError
from langgraph_checkpoint_dynamodb.requests.operations import Backoff, Compute, Concurrently, Emit
from langgraph_checkpoint_dynamodb.runners.bodies import check_bodies
from langgraph_checkpoint_dynamodb.runners.client import client_config, concurrency, services
from langgraph_checkpoint_dynamodb.runners.group import Group
from langgraph_checkpoint_dynamodb.runners.observed import listen, observed
from langgraph_checkpoint_dynamodb.runners.process import PerProcess, keep_in_children
from langgraph_checkpoint_dynamodb.runners.wire import Wire
from langgraph_checkpoint_dynamodb.runners.workers import Workers
from langgraph_checkpoint_dynamodb.watching.watcher import Watched

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import AsyncGenerator, Callable, Iterator, Sequence

    from langgraph_checkpoint_dynamodb.requests.operations import Operation, Request, Stream
    from langgraph_checkpoint_dynamodb.runners.client import Service
    from langgraph_checkpoint_dynamodb.runners.sdk_calls.call import SdkCall
    from langgraph_checkpoint_dynamodb.settings.client import RunnerSettings

R = TypeVar("R")

_WHOLE_BYTES = 1024 * 1024
"""Largest body that aiohttp writes at once without a warning."""
_LOOK_SECONDS = 0.1
"""How often to look whether a loop that was asked for something still runs."""


class AsyncRunner:
    """Runs operations on whatever event loop they are awaited on, in whatever process."""

    def __init__(self, settings: RunnerSettings) -> None:
        self._services = services(settings)
        self._processes: PerProcess[Loops] = PerProcess(partial(_make_loops, settings))

    def require_open(self) -> None:
        """Check that the saver was not closed everywhere.

        Raises:
            SaverClosedError: It was.
        """
        self._loops().require_open()

    async def run(self, operation: Operation[R]) -> R:
        """Perform an operation to its end and return its result."""
        return await self._loops().here().run(operation)

    def pages(self, stream: Stream[R]) -> AsyncPages[R]:
        """Perform a stream as far as its values are asked for; each `Emit` is a page."""
        return AsyncPages(stream, self)

    async def advance(self, stream: Stream[R]) -> list[R] | None:
        """Perform a stream up to its next page; `None` after the last."""
        return await self._loops().here().advance(stream)

    async def compute(self, work: Callable[[], R]) -> R:
        """Have another thread do some work, in the caller's context."""
        return await self._loops().threads.do(work)

    async def open(self) -> None:
        """Make the clients on this loop. Opens what was closed."""
        loops = self._loops()
        loops.open()
        for service in self._services:
            await loops.here().client(service)

    async def close(self) -> None:
        """Let calls under way on this loop finish, then close its clients. Can be repeated."""
        await self._loops().close_here()

    async def close_everywhere(self) -> None:
        """Do so on every loop that runs, and end the threads. Loops that stand still are left out.

        Their clients are closed when they end.
        """
        await self._loops().close()

    def _loops(self) -> Loops:
        return self._processes.get()


class Loops:
    """The event loops of one process that the saver is used on.

    Args:
        settings: The saver's settings.
        parents: Those of the parent, in a child made by `os.fork`. Closed there is closed here.
    """

    def __init__(self, settings: RunnerSettings, parents: Loops | None) -> None:
        self.threads = _Threads()
        self._settings = settings
        self._lock = threading.Lock()
        self._here: dict[AbstractEventLoop, LoopRunner] = {}
        self._closed_on: WeakSet[AbstractEventLoop] = WeakSet()
        self._closed: bool = parents is not None and parents._closed
        self._sessions = _Sessions(settings.client.session)

    def require_open(self) -> None:
        """Check that the saver was not closed everywhere.

        Raises:
            SaverClosedError: It was.
        """
        if self._closed:
            raise SaverClosedError

    def here(self) -> LoopRunner:
        """What runs operations on this loop.

        Raises:
            SaverClosedError: The saver was closed here or everywhere.
        """
        loop = asyncio.get_running_loop()
        here = self._here.get(loop)
        if here is not None and not here.closed and not self._closed:
            return here
        with self._lock:
            self.require_open()
            if loop in self._closed_on:
                raise SaverClosedError
            for ended in [other for other in self._here if other.is_closed()]:
                del self._here[ended]
            here = self._here[loop] = LoopRunner(
                self._settings, self._sessions, self.threads, self._forget
            )
            return here

    def open(self) -> None:
        """Open what was closed, here and everywhere."""
        with self._lock:
            self._closed = False
            self._closed_on.discard(asyncio.get_running_loop())

    async def close_here(self) -> None:
        """Let calls under way on this loop finish, then close its clients. Can be repeated."""
        loop = asyncio.get_running_loop()
        with self._lock:
            self._closed_on.add(loop)
            here = self._here.get(loop)
        if here is not None:
            await here.close()

    async def close(self) -> None:
        """Do so on every loop that runs, and end the threads."""
        with self._lock:
            self._closed = True
            everywhere = [*self._here.items()]
        for loop, here in everywhere:
            if loop is asyncio.get_running_loop():
                await here.close()
            else:
                await _close_there(loop, here)
        self.threads.close()

    def _forget(self, ended: LoopRunner) -> None:
        with self._lock:
            for loop in [loop for loop, here in self._here.items() if here is ended]:
                del self._here[loop]


def _make_loops(settings: RunnerSettings, parents: Loops | None) -> Loops:
    return Loops(settings, parents)


class LoopRunner:
    """Runs operations on one event loop."""

    def __init__(
        self,
        settings: RunnerSettings,
        sessions: _Sessions,
        threads: _Threads,
        forget: Callable[[LoopRunner], None],
    ) -> None:
        self.closed = False
        self._settings = settings
        self._sessions = sessions
        self._threads = threads
        self._forget = forget
        self._wire = Wire(settings.table_names, (HTTPError,))
        self._limit = concurrency(settings)
        self._in_flight = asyncio.Semaphore(self._limit)
        self._clients: dict[Service, Any] = {}
        self._stack = AsyncExitStack()
        self._making = asyncio.Lock()
        self._keeper: AsyncGenerator[None, None] | None = None
        self._under_way = 0
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

    async def client(self, service: Service) -> Any:
        """The client for a service, made at its first use."""
        client = self._clients.get(service)
        if client is None:
            async with self._making:
                client = self._clients.get(service)
                if client is None:
                    client = self._clients[service] = await self._make(service)
        return client

    async def close(self) -> None:
        """Let calls under way finish, then close the clients. Can be repeated."""
        self.closed = True
        while self._under_way:
            self._idle.clear()
            await self._idle.wait()
        async with self._making:
            if self._keeper is not None:
                await self._keeper.aclose()
        self._forget(self)

    @contextmanager
    def _call(self) -> Iterator[None]:
        """A call that `close` waits for."""
        if self.closed:
            raise SaverClosedError
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
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
                return await self._threads.do(work)
            case Watched(watched, watch):
                with observed(watched, watch, self._wire.call(watched)) as call:
                    return await self._send(watched, call)
        return await self._send(request, self._wire.call(request))

    async def _send(self, request: Request[Any], call: SdkCall) -> object:
        client = self._clients.get(call.service) or await self.client(call.service)
        sight = call.sight
        async with self._in_flight:
            try:
                if sight is None:
                    response = await _ask(client, call)
                else:
                    with sight.of(client):
                        response = sight.response = await _ask(client, call)
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
            # Only where this task was cancelled are any of them still under way.
            await _ended(helpers)
        return group.results()

    async def _work(self, group: Group[Any]) -> None:
        while (task := group.take()) is not None:
            position, operation = task
            try:
                group.succeeded(position, await self._drive(operation))
            except Exception as error:
                group.failed(position, error)

    async def _make(self, service: Service) -> Any:
        if self._keeper is None:
            self._keeper = _keep(self._stack)
            await anext(self._keeper)
            loop = asyncio.get_running_loop()
            finalize(self, _close_later, loop, self._keeper, os.getpid())
        given = self._settings.client
        arguments = given.arguments if service == "dynamodb" else given.s3_arguments
        config = AioConfig().merge(client_config(self._settings, service))
        creating = self._sessions.get().create_client(service, **{**arguments, "config": config})
        client = await self._stack.enter_async_context(creating)
        client.meta.events.register("before-send", _send_in_pieces)
        check_bodies(client, service)
        if self._settings.on_request is not None:
            listen(client, service)
        return client


async def _ask(client: Any, call: SdkCall) -> Any:
    """The response to an SDK call, read to its end."""
    response = await getattr(client, call.method)(**call.arguments)
    if "Body" in response:
        async with response["Body"] as body:
            response["Body"] = await body.read()
    return response


class AsyncPages(Generic[R]):
    """A stream that is performed page by page, as it is asked for pages."""

    def __init__(self, stream: Stream[R], runner: AsyncRunner) -> None:
        self._stream = stream
        self._runner = runner

    async def next(self) -> list[R] | None:
        """The next page; `None` after the last."""
        return await self._runner.advance(self._stream)

    def close(self) -> None:
        """Unwind the stream, unless its loop is still on its way with it."""
        with suppress(ValueError):  # What Python raises for a generator that is running.
            self._stream.close()


class _Sessions:
    """Where clients come from: the user's session, else one for each, with the models they share.

    Reading the SDK's models takes most of the time that making a client takes. A session's
    credentials may not be refreshed by two event loops, so the rest is not shared.
    """

    def __init__(self, given: Any) -> None:
        self._given = given
        self._models: Any = None

    def get(self) -> Any:
        """A session to make a client from."""
        if self._given is not None:
            return self._given
        session = get_session()
        if self._models is None:
            self._models = session.get_component("data_loader")
        session.register_component("data_loader", self._models)
        return session


class _Threads:
    """Threads for what would keep an event loop busy, started when they are needed.

    The loop's own threads run the nodes of a graph, which may hold all of them for long.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._workers: Workers | None = None

    async def do(self, work: Callable[[], R]) -> R:
        """Have a thread do some work, in the caller's context."""
        with self._lock:
            if self._workers is None:
                self._workers = Workers(os.cpu_count() or 1, "dynamodb-saver")
            doing = self._workers.submit(work)
        return await asyncio.wrap_future(doing)

    def close(self) -> None:
        """End the threads. The next work starts them again."""
        with self._lock:
            workers, self._workers = self._workers, None
        if workers is not None:
            workers.close(wait=False)


async def _close_there(loop: AbstractEventLoop, here: LoopRunner) -> None:
    """Have another loop close its clients. One that ends meanwhile closes them by itself."""
    if not loop.is_running():
        return
    work = here.close()
    try:
        closing = asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, loop))
    except RuntimeError:  # It has ended since, and has closed them.
        work.close()
        return
    while not closing.done() and loop.is_running():
        await asyncio.wait([closing], timeout=_LOOK_SECONDS)
    if closing.done() and not closing.cancelled():
        closing.result()


async def _keep(clients: AsyncExitStack) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        await clients.aclose()


def _close_later(loop: AbstractEventLoop, keeper: AsyncGenerator[None, None], pid: int) -> None:
    """Have the clients closed of a saver that is gone. A loop that has ended has done it."""
    if pid != os.getpid():
        return  # A child after a fork: the loop is the parent's, and would be woken up there.
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(lambda: loop.create_task(_close_now(keeper)))


async def _close_now(keeper: AsyncGenerator[None, None]) -> None:
    with suppress(RuntimeError):  # What Python raises where the end of the loop is closing it too.
        await keeper.aclose()


def _send_in_pieces(request: Any, **_: object) -> None:
    """Let aiohttp write a large body piece by piece, and other tasks run in between."""
    if isinstance(request.body, bytes) and len(request.body) > _WHOLE_BYTES:
        request.body = BytesIO(request.body)


@dataclass(frozen=True, slots=True)
class _Failed:
    error: DynamoDBSaverError


def _resume(operation: Any, answer: object) -> Any:
    """Hand an answer to the operation that asked; what it asks next.

    A coroutine cannot do it: `StopIteration` does not get out of one.
    """
    if isinstance(answer, _Failed):
        return operation.throw(answer.error)
    return operation.send(answer)


async def _ended(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait for their ends, if need be through further cancellations."""
    for task in tasks:
        task.cancel()
    while left := [task for task in tasks if not task.done()]:
        with suppress(asyncio.CancelledError):
            await asyncio.wait(left)
