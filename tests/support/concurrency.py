"""Counts and holds the requests of a boto3 client; runs callers on threads and event loops.

Nothing here measures time. Events hold the requests in the client; a timeout only turns a deadlock
into a failure.
"""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.support.values import config

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from langgraph.checkpoint.base import CheckpointTuple
    from mypy_boto3_dynamodb import DynamoDBClient

    from langgraph_checkpoint_dynamodb import DynamoDBSaver
    from tests.support.tables import Tables

DEADLOCK = 60
"""Timeout in seconds that counts as a deadlock."""
TICKS = 50


class Watch:
    """The requests of a client: those sent, those in flight, and the most in flight at once."""

    def __init__(self, client: DynamoDBClient) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.peak = 0
        self._in_flight = 0
        self._changed = threading.Condition()
        client.meta.events.register("before-parameter-build", self._begin)
        client.meta.events.register("after-call", self._end)
        client.meta.events.register("after-call-error", self._end)

    def queries(self, table: str) -> list[dict[str, Any]]:
        """The queries on a table, in order."""
        return [p for name, p in self.sent if name == "Query" and p["TableName"] == table]

    def hold_until(self, in_flight: int) -> None:
        """Hold every further request until this many have been in flight at once."""
        self._wanted = in_flight

    _wanted = 0

    def _begin(self, params: dict[str, Any], model: Any, **_: object) -> None:
        with self._changed:
            self.sent.append((model.name, dict(params)))
            self._in_flight += 1
            self.peak = max(self.peak, self._in_flight)
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: self.peak >= self._wanted, DEADLOCK)

    def _end(self, **_: object) -> None:
        with self._changed:
            self._in_flight -= 1


class Hold:
    """Holds the first request of an action, or of any action, until it is released."""

    def __init__(self, client: DynamoDBClient, action: str = "") -> None:
        self.parked = threading.Event()
        self.released = threading.Event()
        self._lock = threading.Lock()
        event = f"before-parameter-build.dynamodb.{action}" if action else "before-parameter-build"
        client.meta.events.register(event, self._hold)

    def _hold(self, **_: object) -> None:
        with self._lock:
            first = not self.parked.is_set()
            self.parked.set()
        if first:
            assert self.released.wait(DEADLOCK)

    async def reached(self) -> None:
        """Yield to the event loop until the request is held."""
        while not self.parked.is_set():  # noqa: ASYNC110 - set by a thread, not by this loop
            await asyncio.sleep(0)

    async def tick_and_release(self) -> int:
        """Once the request is held, yield to the loop some times, then release the request."""
        await self.reached()
        ticks = 0
        for _ in range(TICKS):
            await asyncio.sleep(0)
            ticks += 1
        assert not self.released.is_set()
        self.released.set()
        return ticks


@contextmanager
def set_up_saver(tables: Tables, **settings: Any) -> Iterator[DynamoDBSaver]:
    """A saver on the tables' own client, so that tests can watch and hold its requests."""
    with tables.boto_saver(client=tables.client, **settings) as saver:
        saver.setup()
        yield saver


def run_all(work: list[Callable[[], object]]) -> None:
    """Run each function in its own thread; raise the first error, or an error if one is stuck."""
    failed: list[BaseException] = []

    def guarded(function: Callable[[], object]) -> None:
        try:
            function()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=guarded, args=(each,), daemon=True) for each in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLOCK)
    if failed:
        raise failed[0]
    assert [thread.name for thread in threads if thread.is_alive()] == []


def run_on_loop(main: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine on its own loop; a deadlock is a failure."""
    return asyncio.run(asyncio.wait_for(main, DEADLOCK))


def saver_threads() -> set[threading.Thread]:
    """The threads of all savers in this process."""
    return {t for t in threading.enumerate() if t.name.startswith("dynamodb-saver")}


def wait_until(reached: Callable[[], bool]) -> None:
    """Poll until the condition holds; a deadlock is a failure."""
    deadline = time.monotonic() + DEADLOCK
    while not reached():
        assert time.monotonic() < deadline


async def listed(saver: DynamoDBSaver) -> list[CheckpointTuple]:
    return [found async for found in saver.alist(config("thread"))]
