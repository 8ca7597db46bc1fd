"""Calls of `DynamoDBSaver` without a caller: cancelled, interrupted, or at process exit.

Nothing here measures time. Requests are held at the client; a timeout only turns a deadlock into a
failure.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from langgraph_checkpoint_dynamodb import SaverClosedError
from tests.support.calls import SyncCalls
from tests.support.concurrency import (
    TICKS,
    Hold,
    Watch,
    listed,
    run_on_loop,
    set_up_saver,
    wait_until,
)
from tests.support.forks import STUCK, hanging_server
from tests.support.savers import native
from tests.support.tables import with_payloads
from tests.support.values import checkpoint, config, metadata, put_chain

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from langgraph_checkpoint_dynamodb import DynamoDBSaver
    from tests.support.tables import Tables

AT = config("t")


def waiting(saver: DynamoDBSaver) -> int:
    """Number of threads that wait for abandoned calls to finish."""
    condition: Any = saver._runner.performer().calls.changed
    return len(condition._waiters)


async def cancelled_while_held(hold: Hold, call: Coroutine[Any, Any, Any]) -> None:
    """Cancel a call while its request is held. The caller does not block."""
    task = asyncio.ensure_future(call)
    await hold.reached()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not hold.released.is_set()


async def until(reached: Callable[[], bool]) -> None:
    while not reached():  # noqa: ASYNC110 - by a thread, not by this loop
        await asyncio.sleep(0)


def put(saver: DynamoDBSaver, id_: str = "0001", **values: Any) -> Coroutine[Any, Any, Any]:
    return saver.aput(AT, checkpoint(id_, **values), metadata(), {})


LATER: dict[str, Callable[[DynamoDBSaver], Coroutine[Any, Any, Any]]] = {
    "awaited": lambda saver: saver.adelete_thread("t"),
    "plain": lambda saver: asyncio.to_thread(saver.delete_thread, "t"),
}


@pytest.mark.parametrize("name", LATER)
def test_a_cancelled_aput_does_not_land_behind_a_later_delete(tables: Tables, name: str) -> None:
    with set_up_saver(tables) as saver:
        watch, hold = Watch(tables.client), Hold(tables.client, "PutItem")

        async def main() -> None:
            await cancelled_while_held(hold, put(saver))
            delete = asyncio.ensure_future(LATER[name](saver))
            # If it did not wait, it would be done by now, with the put still held.
            await until(lambda: waiting(saver) == 1 or delete.done())
            assert watch.sent == []
            hold.released.set()
            await delete

        run_on_loop(main())
    assert tables.checkpoint_items() == []


def test_a_cancelled_call_sends_nothing_after_the_request_it_is_at(tables: Tables) -> None:
    with set_up_saver(tables, max_concurrency=1) as saver:
        with_payloads(saver, inline_limit=500, chunk_bytes=250)
        watch, hold = Watch(tables.client), Hold(tables.client, "PutItem")

        async def main() -> None:
            # The request of a chunk; more chunks and the checkpoint would follow.
            await cancelled_while_held(hold, put(saver, text="x" * 2000))
            hold.released.set()
            assert await saver.aget_tuple(AT) is None

        run_on_loop(main())
    assert [action for action, _ in watch.sent] == ["PutItem", "Query"]
    assert tables.checkpoint_items() == []


def test_a_cancelled_alist_reads_no_further_and_a_later_call_waits_for_it(tables: Tables) -> None:
    with set_up_saver(tables) as saver:
        put_chain(SyncCalls(saver), "thread", 3)
        watch, hold = Watch(tables.client), Hold(tables.client, "Query")

        async def main() -> None:
            await cancelled_while_held(hold, listed(saver))
            later = asyncio.ensure_future(saver.adelete_thread("other"))
            await until(lambda: waiting(saver) == 1 or later.done())
            assert watch.sent == []
            hold.released.set()
            await later

        run_on_loop(main())
    asked = [str(params) for _, params in watch.sent]
    assert ["other" in params for params in asked] == [False, *[True] * (len(asked) - 1)]


def test_a_call_that_waits_for_an_abandoned_one_can_be_cancelled_and_never_begins(
    tables: Tables,
) -> None:
    with set_up_saver(tables) as saver:
        watch, hold = Watch(tables.client), Hold(tables.client, "PutItem")

        async def main() -> None:
            await cancelled_while_held(hold, put(saver))
            second = asyncio.ensure_future(put(saver, "0002"))
            await until(lambda: waiting(saver) == 1)
            second.cancel()
            with pytest.raises(asyncio.CancelledError):
                await second
            third = asyncio.ensure_future(saver.aget_tuple(AT))
            await asyncio.sleep(0)
            hold.released.set()
            found = await third
            assert found is not None
            assert found.checkpoint["id"] == "0001"

        run_on_loop(main())
    assert [action for action, _ in watch.sent].count("PutItem") == 1


def test_many_calls_that_wait_hold_all_threads_and_everything_goes_on(tables: Tables) -> None:
    with set_up_saver(tables, max_concurrency=2) as saver:
        put_chain(SyncCalls(saver), "thread", 6)
        hold = Hold(tables.client, "PutItem")

        async def main() -> None:
            # The groups already in progress need helpers, for which there is no thread.
            await cancelled_while_held(hold, put(saver))
            later = [asyncio.ensure_future(listed(saver)) for _ in range(20)]
            later += [
                asyncio.ensure_future(asyncio.to_thread(lambda: [*saver.list(config("thread"))]))
                for _ in range(4)
            ]
            await until(lambda: waiting(saver) >= 1)
            for _ in range(TICKS):
                await asyncio.sleep(0)
            assert not any(one.done() for one in later)
            hold.released.set()
            assert [len(found) for found in await asyncio.gather(*later)] == [6] * 24

        run_on_loop(main())


def test_close_waits_for_an_abandoned_call_and_then_nothing_is_sent(tables: Tables) -> None:
    with set_up_saver(tables) as saver:
        watch, hold = Watch(tables.client), Hold(tables.client, "PutItem")
        run_on_loop(cancelled_while_held(hold, put(saver)))
        with ThreadPoolExecutor(1) as pool:
            closing = pool.submit(saver.close)
            wait_until(lambda: waiting(saver) == 1)
            assert not closing.done()
            hold.released.set()
            closing.result(STUCK)
        with pytest.raises(SaverClosedError):
            saver.get_tuple(AT)
    assert len(watch.sent) == 1


def test_a_cancelled_aclose_does_not_hold_up_the_event_loop(tables: Tables) -> None:
    with set_up_saver(tables) as saver:
        hold = Hold(tables.client, "PutItem")

        async def main() -> None:
            call = asyncio.ensure_future(put(saver))
            await hold.reached()
            closing = asyncio.ensure_future(saver.aclose())
            await until(lambda: waiting(saver) == 1)
            closing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await closing
            assert not hold.released.is_set()
            hold.released.set()
            await call

        run_on_loop(main())


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
def test_an_interrupted_group_does_not_wait_for_its_helpers_but_later_calls_do(
    tables: Tables, interrupt: type[BaseException]
) -> None:
    here, held, go_on = threading.get_ident(), threading.Event(), threading.Event()
    over: list[str] = []

    def hold(params: dict[str, Any], **_: object) -> None:
        if params["TableName"] != tables.writes or go_on.is_set():
            return
        if threading.get_ident() == here:
            assert held.wait(STUCK)
            raise interrupt
        held.set()
        assert go_on.wait(STUCK)
        over.append("helper")

    def later() -> None:
        assert saver.get_tuple(AT) is None
        over.append("later")

    with set_up_saver(tables, max_concurrency=2) as saver:
        put_chain(SyncCalls(saver), "thread", 6)
        tables.client.meta.events.register("before-parameter-build.dynamodb.Query", hold)
        with pytest.raises(interrupt):
            list(saver.list(config("thread")))
        assert not go_on.is_set()
        with ThreadPoolExecutor(1) as pool:
            call = pool.submit(later)
            wait_until(lambda: waiting(saver) == 1 or call.done())
            go_on.set()
            call.result(STUCK)
    assert over == ["helper", "later"]


# --- process exit ---

BEGIN = """
import asyncio, os, sys, threading
from botocore.config import Config
from langgraph_checkpoint_dynamodb import {saver} as Saver

saver = Saver(
    checkpoints_table_name="checkpoints", writes_table_name="writes", endpoint_url="{url}",
    region_name="us-east-1", boto_config=Config(read_timeout=600, connect_timeout=600),
)
at = {{"configurable": {{"thread_id": "t", "checkpoint_ns": "", "checkpoint_id": "1"}}}}
asked = sys.stdin
"""
ENDS = {
    "an abandoned awaited call": """
async def main():
    task = asyncio.create_task(saver.aget_tuple(at))
    await asyncio.to_thread(asked.readline)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        print("cancelled")
asyncio.run(main())
""",
    "an awaited call whose loop stands still": """
loop = asyncio.new_event_loop()
threading.Thread(target=loop.run_forever, daemon=True).start()
asyncio.run_coroutine_threadsafe(saver.aget_tuple(at), loop)
asked.readline()
print("cancelled")
""",
    "an interrupted plain call": """
import signal
# A shell starts what runs in its background with this signal ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
def interrupt():
    asked.readline()
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt, daemon=True).start()
try:
    saver.get_tuple(at)
except KeyboardInterrupt:
    print("cancelled")
""",
    "a call in a daemon thread": """
threading.Thread(target=saver.get_tuple, args=(at,), daemon=True).start()
asked.readline()
print("cancelled")
""",
}


@pytest.mark.parametrize("name", ENDS)
def test_a_call_to_a_server_that_hangs_does_not_hold_up_the_end_of_the_process(name: str) -> None:
    kind = "AsyncDynamoDBSaver" if native() else "DynamoDBSaver"
    with hanging_server() as server:
        program = BEGIN.format(saver=kind, url=server.url) + ENDS[name]
        with subprocess.Popen(  # noqa: S603 - the interpreter that runs this test
            [sys.executable, "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ},
        ) as process:
            try:
                assert server.asked.wait(STUCK)
                said, _ = process.communicate("go on\n", STUCK)
            finally:
                process.kill()
    assert said == "cancelled\n"
    assert process.returncode == 0
