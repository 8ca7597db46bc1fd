"""Savers on aiobotocore whose requests are recorded, held and cancelled."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from aiobotocore.session import AioSession
from botocore.loaders import create_loader

from langgraph_checkpoint_dynamodb import DynamoDBSaver
from langgraph_checkpoint_dynamodb.aio import AsyncDynamoDBSaver
from tests.support.concurrency import DEADLOCK
from tests.support.values import checkpoint, config, metadata

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Generator

    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import CheckpointTuple

    from tests.support.buckets import Bucket
    from tests.support.tables import Tables

    Act = Callable[[AsyncDynamoDBSaver], Coroutine[Any, Any, Any]]

TICKS = 20
NAMES: dict[str, Any] = {"checkpoints_table_name": "checkpoints", "writes_table_name": "writes"}
BATCH = 25
LARGE = "a long value " * 60
_loader = create_loader()


class Session(AioSession):  # type: ignore[misc]  # aiobotocore has no types
    """A session that records the clients it creates, and which of them are open.

    Attributes:
        asked: Service and arguments of every client requested.
        made: The clients, in that order.
        open: The services of the clients that are open.
    """

    def __init__(self) -> None:
        super().__init__()
        self.register_component("data_loader", _loader)
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.made: list[Any] = []
        self.open: list[str] = []

    @property
    def services(self) -> list[str]:
        """The services of all clients ever requested."""
        return sorted(service for service, _ in self.asked)

    def create_client(self, service: str, **arguments: Any) -> Any:
        self.asked.append((service, arguments))
        return _Noted(self, service, super().create_client(service, **arguments))

    async def get_credentials(self) -> Any:
        await asyncio.sleep(0)  # As when credentials come from the network.
        return await super().get_credentials()


class _Noted:
    """The client's context manager, which records when the client is open."""

    def __init__(self, session: Session, service: str, context: Any) -> None:
        self._session = session
        self._service = service
        self._context = context

    async def __aenter__(self) -> Any:
        client = await self._context.__aenter__()
        self._session.made.append(client)
        self._session.open.append(self._service)
        return client

    async def __aexit__(self, *error: object) -> None:
        self._session.open.remove(self._service)
        await self._context.__aexit__(*error)


class Hold:
    """Holds the requests of an action, each on its own loop, until they are released."""

    def __init__(self, session: Session, action: str = "") -> None:
        self.parked = threading.Event()
        self.cancelled = threading.Event()
        self._let_go: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
        self._over = False
        event = "before-parameter-build.dynamodb"
        session.register(f"{event}.{action}" if action else event, self._hold)

    def release(self) -> None:
        """Release the held requests and hold no more."""
        self._over = True
        for loop, event in self._let_go:
            loop.call_soon_threadsafe(event.set)

    async def reached(self) -> None:
        """Yield to the event loop until a request is held."""
        while not self.parked.is_set():  # noqa: ASYNC110 - maybe set on another loop
            await asyncio.sleep(0)

    async def _hold(self, **_: object) -> None:
        if self._over:
            return
        event = asyncio.Event()
        self._let_go.append((asyncio.get_running_loop(), event))
        self.parked.set()
        try:
            await event.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


def aio_saver(
    tables: Tables, session: Session | None = None, **settings: Any
) -> AsyncDynamoDBSaver:
    """The saver under test, on a session that records its clients."""
    return AsyncDynamoDBSaver(
        checkpoints_table_name=tables.checkpoints,
        writes_table_name=tables.writes,
        session=Session() if session is None else session,
        endpoint_url=tables.engine.url,
        **settings,
    )


def plain_saver(tables: Tables, bucket: Bucket | None = None, **settings: Any) -> DynamoDBSaver:
    """A new `DynamoDBSaver`, separate from the saver under test: it sees only what is stored."""
    return DynamoDBSaver(
        checkpoints_table_name=tables.checkpoints,
        writes_table_name=tables.writes,
        client=tables.client,
        s3_client=None if bucket is None else bucket.client,
        **settings,
    )


def run(main: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine on its own loop. It must leave no task and no open client."""
    found = asyncio.run(asyncio.wait_for(main, DEADLOCK))
    gc.collect()  # A resource left open warns here, and warnings are errors.
    return found


def loop_threads() -> set[threading.Thread]:
    """The threads that run an event loop for a saver's plain methods."""
    return {t for t in threading.enumerate() if t.name == "dynamodb-saver-loop"}


async def awaited(work: Awaitable[Any]) -> Any:
    return await work


async def turn(times: int = TICKS) -> None:
    for _ in range(times):
        await asyncio.sleep(0)


async def listed(saver: AsyncDynamoDBSaver, *args: Any, **settings: Any) -> list[CheckpointTuple]:
    return [found async for found in saver.alist(*args, **settings)]


@dataclass
class Stop:
    """When to cancel a task: at which of its awaits, requests or replies.

    Attributes:
        at: The await, request or reply, counted from 1; 0 for none.
        of: `await`, before the task waits; `resume`, when the awaited result is there; `request`
            and `reply`, of any task that works for the cancelled one.
        again: Whether the task is also cancelled at each later await.
        passed: How many have passed so far.
        reached: Whether the task was cancelled.
        left: The other tasks on the loop when the cancelled task ended.
    """

    at: int
    of: str
    again: bool = False
    passed: int = 0
    reached: bool = False
    left: set[asyncio.Task[Any]] = field(default_factory=set)

    def count(self, of: str) -> bool:
        """Count an event; returns whether to cancel now."""
        if of == self.of:
            self.passed += 1
            if self.passed == self.at:
                self.reached = True
                return True
        return False


class Cancelled:
    """Awaits a coroutine in a task that is cancelled at its `Stop`."""

    def __init__(self, work: Coroutine[Any, Any, Any], stop: Stop) -> None:
        self._work = work
        self._stop = stop

    def __await__(self) -> Generator[Any, Any, Any]:
        task = asyncio.current_task()
        assert task is not None
        try:
            return (yield from self._steps(task))
        finally:
            # Checked here: a leftover task may end before a caller can look.
            self._stop.left = asyncio.all_tasks() - {task}

    def _steps(self, task: asyncio.Task[Any]) -> Generator[Any, Any, Any]:
        steps = self._work.__await__()
        resume: Callable[[], Any] = partial(steps.send, None)
        while True:
            again = self._stop.again and self._stop.reached
            try:
                awaited = resume()
            except StopIteration as end:
                return end.value
            if self._stop.count("await") or again:
                task.cancel()  # While it runs: takes effect at its next await.
            if self._stop.count("resume"):
                # Before the task resumes: the result is there and never reaches the task.
                if awaited is None:
                    asyncio.get_running_loop().call_soon(task.cancel)
                else:
                    awaited.add_done_callback(lambda _: task.cancel())
            try:
                resume = partial(steps.send, (yield awaited))
            except BaseException as error:
                resume = partial(steps.throw, error)


AT = config("t", "", "0003")


def put_threads(saver: DynamoDBSaver) -> None:
    """Store thread `t`, a chain with a nested namespace, and thread `o`, which must not change."""
    for thread, namespace, ids in (("t", "", "123"), ("t", "sub", "12"), ("o", "", "1")):
        parent = None
        for number in ids:
            at = saver.put(
                config(thread, namespace, parent),
                checkpoint(f"000{number}", text=LARGE + number),
                metadata(run_id=f"run-{thread}-{number}"),
                {},
            )
            saver.put_writes(at, [("log", LARGE + number), ("other", number)], "task")
            parent = f"000{number}"


async def put_new(saver: AsyncDynamoDBSaver) -> RunnableConfig:
    return await saver.aput(AT, checkpoint("0004", text=LARGE, more=[1]), metadata(step=4), {})


TASKS = 2 if sys.version_info < (3, 12) else 1
"""Tasks on an idle loop: the main task, and before Python 3.12 the task that ends a deadlock."""


async def used(saver: AsyncDynamoDBSaver, step: int = 1) -> None:
    """Make a call that sends a group of requests."""
    at = await saver.aput(config(f"thread-{step}"), checkpoint(), metadata(), {})
    found = await asyncio.gather(*(saver.aget_tuple(at) for _ in range(5)))
    assert all(one is not None and one.config == at for one in found)


async def used_within(saver: AsyncDynamoDBSaver, step: int = 1) -> None:
    async with saver as entered:
        assert entered is saver
        await used(saver, step)


async def put_writes(saver: AsyncDynamoDBSaver, *writes: tuple[str, Any]) -> None:
    await saver.aput_writes(AT, writes, "task 2", "path")


async def history(saver: AsyncDynamoDBSaver) -> Any:
    return await saver.aget_delta_channel_history(config=AT, channels=["log", "text"])
