"""A saver that is used in a child of `os.fork`, while its parent continues to use it.

A timeout only turns a deadlock into a failure.
"""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config

from langgraph_checkpoint_dynamodb import DynamoDBSaver, SaverClosedError, ServiceError
from tests.support.calls import AsyncCalls, LoopThread, SyncCalls
from tests.support.forks import STUCK, Child, answering_server, hanging_server
from tests.support.savers import native, new_saver
from tests.support.sessions import new_session
from tests.support.values import checkpoint, config, metadata

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.calls import Calls
    from tests.support.savers import Saver
    from tests.support.tables import Tables

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")

NAMES: dict[str, Any] = {"checkpoints_table_name": "checkpoints", "writes_table_name": "writes"}
THREADS = 12
ONE_TRY = Config(retries={"total_max_attempts": 1})


def store_threads(saver: Saver) -> None:
    for number in range(THREADS):
        at = saver.put(config(f"thread-{number}"), checkpoint(number=number), metadata(), {})
        saver.put_writes(at, [("number", number)], "task")


def read_thread(calls: Calls, number: int) -> None:
    """Read a thread's checkpoint; the response must be that checkpoint."""
    found = calls.get_tuple(config(f"thread-{number}"))
    assert found is not None
    assert found.checkpoint["channel_values"] == {"number": number}
    assert found.pending_writes == [("task", "number", number)]


def read_all(calls: Calls) -> None:
    """Read all threads concurrently, many times."""
    with ThreadPoolExecutor(4) as pool:
        for _ in pool.map(partial(read_thread, calls), [*range(THREADS)] * 4):
            pass


class Readers:
    """Threads that read until they are stopped."""

    def __init__(self, calls: Calls, count: int = 4) -> None:
        self._calls = calls
        self._over = threading.Event()
        self._pool = ThreadPoolExecutor(count)
        self._reading = [self._pool.submit(self._read, first) for first in range(count)]

    def stop(self) -> None:
        self._over.set()
        for reading in self._reading:
            assert reading.result(STUCK) > 0
        self._pool.shutdown()

    def _read(self, number: int) -> int:
        times = 0
        while not self._over.is_set():
            read_thread(self._calls, number % THREADS)
            number += 5
            times += 1
        return times


def plain(saver: Saver) -> Calls:
    return SyncCalls(saver)


def awaited(saver: Saver) -> Calls:
    return AsyncCalls(saver, LoopThread())


FACES = [plain, awaited]


@pytest.mark.sample(1)
@pytest.mark.parametrize("child_face", FACES)
@pytest.mark.parametrize("parent_face", FACES)
def test_parent_and_child_read_at_the_same_time_and_get_what_they_asked_for(
    saver: Saver, parent_face: Callable[[Saver], Calls], child_face: Callable[[Saver], Calls]
) -> None:
    store_threads(saver)
    calls = parent_face(saver)
    read_all(calls)
    readers = Readers(calls)
    try:
        children = [Child(lambda: read_all(child_face(saver))) for _ in range(3)]
        for child in children:
            child.join()
    finally:
        readers.stop()
    read_all(calls)


def test_every_family_of_calls_works_in_one_child_and_in_a_child_of_it(saver: Saver) -> None:
    store_threads(saver)
    asyncio.run(awaited_once(saver))

    def use() -> None:
        read_all(SyncCalls(saver))
        asyncio.run(awaited_once(saver))
        read_all(AsyncCalls(saver, LoopThread()))
        assert len(list(saver.list(None))) == THREADS

    def use_and_fork() -> None:
        use()
        Child(use).join()
        use()
        saver.close()
        with pytest.raises(SaverClosedError):
            saver.get_tuple(config("thread-1"))

    Child(use_and_fork).join()
    use()


async def awaited_once(saver: Saver) -> None:
    found = await asyncio.gather(
        *(saver.aget_tuple(config(f"thread-{number}")) for number in range(THREADS))
    )
    values = [one and one.checkpoint["channel_values"] for one in found]
    assert values == [{"number": number} for number in range(THREADS)]


def test_a_listing_that_the_parent_has_begun_goes_on_in_the_child(saver: Saver) -> None:
    for number in range(30):
        saver.put(config("t"), checkpoint(f"{number:04}"), metadata(), {})
    listing = iter(saver.list(config("t")))
    next(listing)

    def go_on() -> None:
        assert len(list(listing)) == 29

    Child(go_on).join()
    assert len(list(listing)) == 29


def test_a_saver_closed_by_the_parent_is_closed_in_the_child(saver: Saver) -> None:
    saver.get_tuple(config("t"))
    saver.close()

    async def aget() -> None:
        await saver.aget_tuple(config("t"))

    def refused() -> None:
        with pytest.raises(SaverClosedError):
            saver.get_tuple(config("t"))
        with pytest.raises(SaverClosedError):
            asyncio.run(aget())
        saver.close()

    Child(refused).join()


def test_closing_in_the_child_closes_nothing_of_the_parents(saver: Saver) -> None:
    store_threads(saver)
    Child(saver.close).join()
    read_all(SyncCalls(saver))


@pytest.mark.parametrize("face", FACES)
def test_a_call_under_way_in_the_parent_does_not_hold_up_close_in_the_child(
    face: Callable[[Saver], Calls],
) -> None:
    with hanging_server() as server:
        hung = new_saver(
            **NAMES, endpoint_url=server.url, region_name="us-east-1", boto_config=ONE_TRY
        )
        with ThreadPoolExecutor(1) as pool:
            call = pool.submit(face(hung).get_tuple, config("t"))
            assert server.asked.wait(STUCK)
            Child(hung.close).join()
            assert not call.done()
            server.end()
            with pytest.raises(ServiceError):
                call.result(STUCK)
        hung.close()


@pytest.mark.skipif(native(), reason="makes clients without a lock")
def test_a_lock_that_the_parent_holds_at_the_fork_does_not_hold_up_the_child(
    tables: Tables,
) -> None:
    parent = os.getpid()
    making, go_on = threading.Event(), threading.Event()

    class Session(boto3.Session):
        def client(self, *args: Any, **settings: Any) -> Any:
            if os.getpid() == parent:
                making.set()
                assert go_on.wait(STUCK)
            return super().client(*args, **settings)

    tables.set_up()
    session = Session()
    with (
        closing(tables.boto_saver(session=session, endpoint_url=tables.engine.url)) as made,
        ThreadPoolExecutor(1) as pool,
    ):
        first = pool.submit(made.get_tuple, config("t"))
        assert making.wait(STUCK)
        try:
            Child(lambda: made.get_tuple(config("t"))).join()
        finally:
            go_on.set()
        assert first.result(STUCK) is None


@pytest.mark.skipif(native(), reason="clients cannot be passed in there")
def test_a_client_that_is_passed_in_has_connections_of_its_own_in_the_child() -> None:
    with answering_server() as server:
        client = new_session().client("dynamodb", endpoint_url=server.url, region_name="us-east-1")
        made = DynamoDBSaver(**NAMES, client=client)

        def use() -> None:
            for _ in range(3):
                assert made.get_tuple(config("t")) is None

        use()
        Child(use).join()
        use()
        client.close()
    of_parent, of_child = {*server.ports[:3], *server.ports[6:]}, set(server.ports[3:6])
    assert len(of_parent) == 1
    assert len(of_child) == 1
    assert of_parent != of_child


@pytest.mark.sample(1)
@pytest.mark.parametrize("how", ["dropped", "ended"])
def test_a_child_that_lets_go_of_a_saver_does_not_disturb_the_connections_of_the_parent(
    how: str,
) -> None:
    with answering_server() as server:
        program = PROGRAM.format(url=server.url, how=how, saver=type(new_saver(**NAMES)).__name__)
        done = subprocess.run(  # noqa: S603 - the interpreter that runs this test
            [sys.executable, "-W", "ignore::DeprecationWarning", "-c", program],
            capture_output=True,
            text=True,
            check=False,
            timeout=STUCK,
        )
    gc.collect()
    assert done.stderr == ""
    assert done.stdout == "child\nparent\n"
    # One connection for sync and one for async calls, before and after.
    assert sorted(server.ports[:2]) == sorted(server.ports[2:])


PROGRAM = """
import asyncio, gc, os, sys, threading
from botocore.config import Config
from langgraph_checkpoint_dynamodb import {saver} as Saver

saver = Saver(
    checkpoints_table_name="checkpoints", writes_table_name="writes", endpoint_url="{url}",
    region_name="us-east-1",
    # What the parent does not get to know of would only come to light after this time.
    boto_config=Config(read_timeout=600),
)
at = {{"configurable": {{"thread_id": "t"}}}}
loop = asyncio.new_event_loop()
threading.Thread(target=loop.run_forever, daemon=True).start()

def use():
    assert saver.get_tuple(at) is None
    assert asyncio.run_coroutine_threadsafe(saver.aget_tuple(at), loop).result() is None

use()
pid = os.fork()
if pid == 0:
    if "{how}" == "dropped":
        del saver
        gc.collect()
    print("child", flush=True)
    sys.exit()
os.waitpid(pid, 0)
use()
print("parent", flush=True)
saver.close()
"""
