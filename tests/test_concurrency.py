"""Concurrent requests, concurrent callers, and an event loop that is never blocked.

Nothing here measures time. Requests are held at the client with barriers and events; a timeout
only turns a deadlock into a failure.
"""

from __future__ import annotations

import asyncio
import copy
import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import pytest

from langgraph_checkpoint_dynamodb import DynamoDBSaver, SaverClosedError
from langgraph_checkpoint_dynamodb.savers.methods import SaverMethods
from tests.support.calls import AsyncCalls, SyncCalls
from tests.support.concurrency import (
    DEADLOCK,
    TICKS,
    Hold,
    Watch,
    listed,
    run_all,
    run_on_loop,
    saver_threads,
    set_up_saver,
    wait_until,
)
from tests.support.values import checkpoint, config, id_of, metadata, new_id, put_chain

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import CheckpointTuple

    from tests.support.calls import Calls, LoopThread
    from tests.support.tables import Tables


@pytest.fixture
def saver(tables: Tables) -> Iterator[DynamoDBSaver]:
    with tables.boto_saver() as made:
        made.setup()
        yield made


def store_many(tables: Tables, saver: DynamoDBSaver, count: int) -> list[str]:
    """Many copies in one thread of a checkpoint stored by the saver; ids, newest first."""
    stored = saver.put(config("thread"), checkpoint(), metadata(), {})
    (item,) = tables.checkpoint_items()
    ids = [id_of(stored), *(new_id(step) for step in range(count - 1))]
    for start in range(1, count, 25):
        requests: Any = [
            {"PutRequest": {"Item": {**item, "checkpoint_id": {"S": id_}}}}
            for id_ in ids[start : start + 25]
        ]
        tables.client.batch_write_item(RequestItems={tables.checkpoints: requests})
    return sorted(ids, reverse=True)


# --- concurrent requests ---


@pytest.mark.parametrize(("group", "limit"), [(8, 8), (4, 8), (2, 2)])
def test_the_requests_of_a_group_are_in_flight_together(
    tables: Tables, calls_of: Callable[[Any], Calls], group: int, limit: int
) -> None:
    meet = threading.Barrier(group, timeout=DEADLOCK)

    def hold(params: dict[str, Any], **_: object) -> None:
        if params["TableName"] == tables.writes:
            meet.wait()

    with set_up_saver(tables, max_concurrency=limit) as saver:
        put_chain(SyncCalls(saver), "thread", group)
        tables.client.meta.events.register("before-parameter-build.dynamodb.Query", hold)
        found = list(calls_of(saver).list(config("thread"), limit=group))
    assert len(found) == group
    assert not meet.broken


def test_a_checkpoint_and_its_writes_are_read_together(
    tables: Tables, calls_of: Callable[[Any], Calls]
) -> None:
    meet = threading.Barrier(2, timeout=DEADLOCK)

    def hold(**_: object) -> None:
        meet.wait()

    with set_up_saver(tables, max_concurrency=2) as saver:
        stored = saver.put(config("thread"), checkpoint(), metadata(), {})
        for action in ("GetItem", "Query"):
            tables.client.meta.events.register(f"before-parameter-build.dynamodb.{action}", hold)
        assert calls_of(saver).get_tuple(stored) is not None


@pytest.mark.parametrize("limit", [1, 3])
def test_no_more_requests_are_in_flight_than_allowed(
    tables: Tables, calls_of: Callable[[Any], Calls], limit: int
) -> None:
    with set_up_saver(tables, max_concurrency=limit) as saver:
        put_chain(SyncCalls(saver), "thread", 12)
        calls = calls_of(saver)
        watch = Watch(tables.client)
        watch.hold_until(limit)
        run_all([lambda: list(calls.list(config("thread")))] * 12)
    assert watch.peak == limit


def test_requests_are_sent_in_the_order_they_came(tables: Tables) -> None:
    sent: list[str] = []
    go_on = threading.Event()

    def note(params: dict[str, Any], **_: object) -> None:
        sent.append(params["Item"]["checkpoint_id"]["S"])
        assert go_on.wait(DEADLOCK)

    with set_up_saver(tables, max_concurrency=1) as saver:
        tables.client.meta.events.register("before-parameter-build.dynamodb.PutItem", note)

        def put(*ids: str) -> None:
            for id_ in ids:
                saver.put(config("thread"), checkpoint(id_), metadata(), {})

        with ThreadPoolExecutor(5) as pool:
            # The first call returns at once, and the same caller has to queue again.
            calls = [pool.submit(put, "0", "again")]
            wait_until(lambda: sent == ["0"])
            for number in range(1, 5):
                calls.append(pool.submit(put, str(number)))
                wait_until(partial(in_line, saver, number))
            go_on.set()
            for call in calls:
                call.result(DEADLOCK)
    assert sent == ["0", "1", "2", "3", "4", "again"]


def in_line(saver: DynamoDBSaver, count: int) -> bool:
    return len(saver._runner.performer()._in_flight._waiting) == count


def test_clones_share_the_limit(tables: Tables) -> None:
    with set_up_saver(tables, max_concurrency=2) as saver:
        put_chain(SyncCalls(saver), "thread", 6)
        watch = Watch(tables.client)
        watch.hold_until(2)
        run_all([partial(_listed, copy.copy(saver)) for _ in range(6)])
    assert watch.peak == 2


def test_nested_groups_of_many_callers_finish_with_two_requests_at_once(
    tables: Tables, loop_thread: LoopThread
) -> None:
    with set_up_saver(tables, max_concurrency=2) as saver:
        threads = [f"thread-{number}" for number in range(5)]
        newest = [put_chain(SyncCalls(saver), thread, 4)[-1] for thread in threads]
        for stored in newest:
            saver.put_writes(stored, [("a", 1), ("b", 2)], "task")
        sync, asynchronous = SyncCalls(saver), AsyncCalls(saver, loop_thread)
        work: list[Callable[[], object]] = []
        for number in range(20):
            for calls in (sync, asynchronous):
                work += [
                    partial(calls.prune, threads),
                    partial(calls.get_tuple, newest[number % 5]),
                    partial(_all_of, calls),
                ]
        run_all(work)
        kept = [found.config for found in saver.list(None)]
    assert sorted(map(str, kept)) == sorted(map(str, newest))


def _all_of(calls: Calls) -> list[CheckpointTuple]:
    return list(calls.list(None))


def test_a_hundred_coroutines_finish_with_two_requests_at_once(tables: Tables) -> None:
    with set_up_saver(tables, max_concurrency=2) as saver:
        stored = put_chain(SyncCalls(saver), "thread", 3)[-1]

        async def main() -> list[CheckpointTuple | None]:
            return await asyncio.gather(*(saver.aget_tuple(stored) for _ in range(100)))

        found = run_on_loop(main())
    assert [one.config for one in found] == [stored] * 100


def test_a_group_goes_on_in_its_own_thread_where_all_workers_are_held(tables: Tables) -> None:
    with set_up_saver(tables, max_concurrency=2) as saver:
        put_chain(SyncCalls(saver), "thread", 4)
        hold = Hold(tables.client, "GetItem")
        stored = config("thread", "", new_id())

        async def main() -> None:
            held = asyncio.create_task(saver.aget_tuple(stored))
            await hold.reached()
            assert len(list(await asyncio.to_thread(_listed, saver))) == 4
            hold.released.set()
            assert await held is None

        run_on_loop(main())


def _listed(saver: DynamoDBSaver) -> list[CheckpointTuple]:
    return list(saver.list(config("thread")))


# --- the event loop ---


ADDRESS = config("thread", "", "1f000000-0000-6000-8000-000000000000")
ASYNC_CALLS: dict[str, Callable[[DynamoDBSaver], Coroutine[Any, Any, Any]]] = {
    "asetup": lambda saver: saver.asetup(),
    "aget_tuple": lambda saver: saver.aget_tuple(config("thread")),
    "aget_tuple_by_id": lambda saver: saver.aget_tuple(ADDRESS),
    "alist": listed,
    "aput": lambda saver: saver.aput(config("thread"), checkpoint(), metadata(), {}),
    "aput_writes": lambda saver: saver.aput_writes(ADDRESS, [("a", 1), ("b", 2)], "task"),
    "adelete_thread": lambda saver: saver.adelete_thread("thread"),
    "adelete_for_runs": lambda saver: saver.adelete_for_runs(["run"]),
    "acopy_thread": lambda saver: saver.acopy_thread("thread", "target"),
    "aprune": lambda saver: saver.aprune(["thread"]),
    "aget_delta_channel_history": lambda saver: saver.aget_delta_channel_history(
        config=config("thread"), channels=["a"]
    ),
    "asweep_orphans": lambda saver: saver.asweep_orphans(),
}


def test_every_asynchronous_method_is_tested_here() -> None:
    own = {name for name in vars(SaverMethods) if name.startswith("a")}
    assert own - {"aopen", "aclose"} == ASYNC_CALLS.keys() - {"aget_tuple_by_id"}


@pytest.mark.parametrize("name", ASYNC_CALLS)
def test_the_event_loop_turns_while_a_request_is_under_way(tables: Tables, name: str) -> None:
    with set_up_saver(tables) as saver:
        hold = Hold(tables.client)

        async def main() -> int:
            _, ticks = await asyncio.gather(ASYNC_CALLS[name](saver), hold.tick_and_release())
            return ticks

        assert run_on_loop(main()) == TICKS


def test_the_event_loop_turns_while_the_saver_closes(tables: Tables) -> None:
    saver = tables.boto_saver(client=tables.client)
    saver.setup()
    hold = Hold(tables.client)

    async def close() -> None:
        await hold.reached()
        async with saver:
            pass

    async def main() -> tuple[RunnableConfig, int]:
        stored, _, ticks = await asyncio.gather(
            saver.aput(config("thread"), checkpoint(), metadata(), {}),
            close(),
            hold.tick_and_release(),
        )
        return stored, ticks

    stored, ticks = run_on_loop(main())
    assert ticks == TICKS
    with tables.boto_saver() as another:
        assert another.get_tuple(stored) is not None


def test_one_saver_serves_one_loop_after_another(saver: DynamoDBSaver) -> None:
    async def turn() -> RunnableConfig:
        stored = await saver.aput(config("thread"), checkpoint(), metadata(), {})
        assert await saver.aget_tuple(stored) is not None
        return stored

    stored = [asyncio.run(turn()) for _ in range(3)]
    assert {id_of(one.config) for one in saver.list(config("thread"))} == set(map(id_of, stored))


def _run_with(main: Callable[[int], Coroutine[Any, Any, None]], number: int) -> None:
    run_on_loop(main(number))


def test_loops_in_several_threads_use_one_saver_at_once(saver: DynamoDBSaver) -> None:
    loops, each = 3, 50

    async def main(number: int) -> None:
        stored = await asyncio.gather(
            *(
                saver.aput(config(f"thread-{number}"), checkpoint(step=step), metadata(), {})
                for step in range(each)
            )
        )
        read = await asyncio.gather(*(saver.aget_tuple(one) for one in stored))
        steps = [one and one.checkpoint["channel_values"] for one in read]
        assert steps == [{"step": step} for step in range(each)]

    run_all([partial(_run_with, main, number) for number in range(loops)])
    for number in range(loops):
        assert len(list(saver.list(config(f"thread-{number}")))) == each


@pytest.mark.parametrize("name", ASYNC_CALLS)
def test_a_cancelled_call_is_cancelled_and_the_saver_goes_on(tables: Tables, name: str) -> None:
    with set_up_saver(tables) as saver:
        hold = Hold(tables.client)

        async def main() -> None:
            task = asyncio.ensure_future(ASYNC_CALLS[name](saver))
            await hold.reached()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert task.cancelled()
            assert not hold.released.is_set()
            hold.released.set()
            stored = await saver.aput(config("another"), checkpoint(), metadata(), {})
            assert await saver.aget_tuple(stored) is not None

        run_on_loop(main())


def test_a_call_that_is_cancelled_while_it_waits_for_a_thread_sends_nothing(
    tables: Tables,
) -> None:
    with set_up_saver(tables, max_concurrency=1) as saver:
        watch = Watch(tables.client)
        hold = Hold(tables.client, "Query")

        async def main() -> None:
            held = asyncio.create_task(saver.aget_tuple(config("thread")))
            await hold.reached()
            waiting = asyncio.create_task(
                saver.aput(config("thread"), checkpoint(), metadata(), {})
            )
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            hold.released.set()
            assert await held is None
            # Queued after the cancelled one, which would have run by now.
            assert await saver.aget_tuple(config("thread")) is None

        run_on_loop(main())
    assert {name for name, _ in watch.sent} == {"Query"}


# --- what is stored is what was passed ---


def test_aput_stores_the_values_of_the_moment_it_was_called(tables: Tables) -> None:
    with set_up_saver(tables, max_concurrency=1) as saver:
        hold = Hold(tables.client, "GetItem")
        log, note, address = ["old"], {"deep": ["old"]}, config("thread")
        passed = checkpoint(log=log)

        async def main() -> RunnableConfig:
            # Holds the only worker thread: aput has done nothing beyond its first await.
            held = asyncio.create_task(saver.aget_tuple(ADDRESS))
            await hold.reached()
            task = asyncio.create_task(saver.aput(address, passed, metadata(note=note), {}))
            await asyncio.sleep(0)
            log.append("new")
            note["deep"].append("new")
            passed["channel_values"]["more"] = "new"
            address["configurable"]["thread_id"] = "another"
            hold.released.set()
            await held
            return await task

        stored = run_on_loop(main())
        found = saver.get_tuple(stored)
    assert stored["configurable"]["thread_id"] == "thread"
    assert found is not None
    assert found.checkpoint["channel_values"] == {"log": ["old"]}
    assert dict(found.metadata)["note"] == {"deep": ["old"]}


def test_aput_writes_stores_the_values_of_the_moment_it_was_called(tables: Tables) -> None:
    with set_up_saver(tables, max_concurrency=1) as saver:
        stored = saver.put(config("thread"), checkpoint(), metadata(), {})
        hold = Hold(tables.client, "GetItem")
        value, raw, address = ["old"], bytearray(b"old"), config("thread", "", id_of(stored))
        writes = [("a", value), ("b", raw)]

        async def main() -> None:
            held = asyncio.create_task(saver.aget_tuple(ADDRESS))
            await hold.reached()
            task = asyncio.create_task(saver.aput_writes(address, writes, "task"))
            await asyncio.sleep(0)
            value.append("new")
            raw[:] = b"new"
            writes.append(("c", ["new"]))
            address["configurable"]["checkpoint_id"] = new_id()
            hold.released.set()
            await held
            await task

        run_on_loop(main())
        found = saver.get_tuple(stored)
    assert found is not None
    assert found.pending_writes == [("task", "a", ["old"]), ("task", "b", bytearray(b"old"))]


def test_of_many_threads_that_store_the_same_writes_one_is_first_with_all_of_them(
    saver: DynamoDBSaver,
) -> None:
    stored = saver.put(config("thread"), checkpoint(), metadata(), {})
    callers, seen = 20, set[tuple[Any, ...]]()
    together = threading.Barrier(callers, timeout=DEADLOCK)

    def write(number: int) -> None:
        together.wait()
        saver.put_writes(stored, [("a", number), ("b", number), ("c", number)], "task")
        found = saver.get_tuple(stored)
        assert found is not None
        seen.add(tuple(value for _, _, value in found.pending_writes or []))

    run_all([partial(write, number) for number in range(callers)])
    assert len(seen) == 1
    (values,) = seen
    assert len(values) == 3
    assert len(set(values)) == 1


# --- listing only as far as needed ---


def test_the_first_of_many_checkpoints_costs_one_small_page(
    tables: Tables, calls_of: Callable[[Any], Calls]
) -> None:
    with set_up_saver(tables) as saver:
        ids = store_many(tables, saver, 500)
        watch = Watch(tables.client)
        found = calls_of(saver).list(config("thread"))
        assert watch.sent == []
        assert id_of(next(found).config) == ids[0]
        (page,) = watch.queries(tables.checkpoints)
        assert page["Limit"] <= 25
        assert len(watch.queries(tables.writes)) <= page["Limit"]
        assert [id_of(one.config) for one in found] == ids[1:]
        assert len(watch.queries(tables.checkpoints)) < 20


def test_a_listing_that_is_abandoned_asks_for_no_further_page_and_leaves_no_thread(
    tables: Tables, calls_of: Callable[[Any], Calls]
) -> None:
    before = saver_threads()
    with set_up_saver(tables, max_concurrency=4) as saver:
        store_many(tables, saver, 100)
        watch = Watch(tables.client)
        for _ in range(10):
            found = cast("Any", calls_of(saver).list(config("thread")))
            next(found)
            next(found)
            found.close()
        assert len(watch.queries(tables.checkpoints)) == 10
        assert len(saver_threads() - before) <= 4
    assert saver_threads() <= before
    sent = len(watch.sent)
    gc.collect()
    assert len(watch.sent) == sent


def test_an_alist_left_by_break_asks_for_no_further_page(tables: Tables) -> None:
    with set_up_saver(tables) as saver:
        ids = store_many(tables, saver, 100)
        watch = Watch(tables.client)

        async def main() -> str:
            async for found in saver.alist(config("thread")):
                return id_of(found.config)
            return ""

        assert run_on_loop(main()) == ids[0]
        gc.collect()
    assert len(watch.queries(tables.checkpoints)) == 1


def test_listings_of_one_saver_do_not_disturb_each_other(
    tables: Tables, calls_of: Callable[[Any], Calls]
) -> None:
    with set_up_saver(tables) as saver:
        ids = store_many(tables, saver, 60)
        calls = calls_of(saver)
        first, second = calls.list(config("thread")), calls.list(config("thread"))
        pairs = [(id_of(a.config), id_of(b.config)) for a, b in zip(first, second, strict=True)]
    assert pairs == [(id_, id_) for id_ in ids]


# --- closing while calls run ---


def wait_until_refused(call: Callable[[], object]) -> None:
    """Repeat a call until the saver raises because it is closed."""
    with suppress(SaverClosedError):
        while True:
            call()


def test_close_lets_asynchronous_calls_finish(tables: Tables, loop_thread: LoopThread) -> None:
    saver = tables.boto_saver(client=tables.client)
    saver.setup()
    chain = put_chain(SyncCalls(saver), "thread", 3)
    hold = Hold(tables.client, "Query")
    result: list[CheckpointTuple | None] = []
    # The newest checkpoint takes a second request, which is sent after close has begun.
    caller = threading.Thread(
        target=lambda: result.append(loop_thread.run(saver.aget_tuple(config("thread")))),
        daemon=True,
    )
    caller.start()
    assert hold.parked.wait(DEADLOCK)
    closer = threading.Thread(target=saver.close, daemon=True)
    closer.start()
    wait_until_refused(lambda: loop_thread.run(saver.aget_tuple(config("another"))))
    hold.released.set()
    caller.join(DEADLOCK)
    closer.join(DEADLOCK)
    assert [one and one.config for one in result] == [chain[-1]]


@pytest.mark.parametrize("name", ["get_tuple", "list", "delete_thread"])
def test_close_lets_calls_of_other_threads_finish(tables: Tables, name: str) -> None:
    saver = tables.boto_saver(client=tables.client)
    saver.setup()
    chain = put_chain(SyncCalls(saver), "thread", 3)
    hold = Hold(tables.client, "Query")
    expected: dict[str, object] = {"get_tuple": chain[-1], "list": chain[-1]}
    call: dict[str, Callable[[], object]] = {
        "get_tuple": lambda: cast("Any", saver.get_tuple(config("thread"))).config,
        "list": lambda: next(saver.list(config("thread"))).config,
        "delete_thread": lambda: cast("Any", saver).delete_thread("thread"),
    }
    results: list[object] = []

    def run() -> None:
        try:
            results.append(call[name]())
        except SaverClosedError as error:
            results.append(error)

    caller = threading.Thread(target=run, daemon=True)
    caller.start()
    assert hold.parked.wait(DEADLOCK)
    closer = threading.Thread(target=saver.close, daemon=True)
    closer.start()
    wait_until_refused(lambda: saver.get_tuple(config("another")))
    hold.released.set()
    caller.join(DEADLOCK)
    closer.join(DEADLOCK)
    assert results == [expected.get(name)]


def test_close_ends_every_thread_that_was_started(tables: Tables, loop_thread: LoopThread) -> None:
    before = saver_threads()
    saver = tables.boto_saver(max_concurrency=4)
    saver.setup()
    put_chain(SyncCalls(saver), "thread", 8)
    assert len(loop_thread.run(listed(saver))) == 8
    assert saver_threads() - before
    saver.close()
    assert saver_threads() <= before
