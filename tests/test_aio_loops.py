"""The saver on aiobotocore on consecutive and concurrent event loops, and from threads without one.

Nothing here measures time; a timeout only turns a deadlock into a failure.
"""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langgraph_checkpoint_dynamodb import (
    DynamoDBSaverError,
    EventLoopError,
    SaverClosedError,
)
from langgraph_checkpoint_dynamodb.aio import AsyncDynamoDBSaver
from tests.support.aio import (
    AT,
    TASKS,
    Cancelled,
    Hold,
    Session,
    Stop,
    aio_saver,
    awaited,
    history,
    listed,
    loop_threads,
    plain_saver,
    put_new,
    put_threads,
    put_writes,
    run,
    turn,
    used,
    used_within,
)
from tests.support.calls import elsewhere
from tests.support.concurrency import DEADLOCK
from tests.support.values import checkpoint, config, metadata

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from langgraph.checkpoint.base import CheckpointTuple

    from tests.support.buckets import Bucket
    from tests.support.calls import LoopThread
    from tests.support.tables import Tables


@pytest.mark.parametrize("use", [used, used_within], ids=["left open", "closed"])
def test_a_saver_serves_one_loop_after_another_with_one_client_each(
    existing_tables: Tables, use: Callable[..., Coroutine[Any, Any, None]]
) -> None:
    session = Session()
    saver = aio_saver(existing_tables, session)
    for step in range(3):
        run(use(saver, step))
        assert session.open == []
        assert session.services == ["dynamodb"] * (step + 1)


@pytest.mark.parametrize("use", [used, used_within], ids=["left open", "closed"])
def test_a_saver_serves_the_loops_of_many_threads_at_once(
    existing_tables: Tables, use: Callable[..., Coroutine[Any, Any, None]]
) -> None:
    session = Session()
    saver = aio_saver(existing_tables, session)
    meet = threading.Barrier(4, timeout=DEADLOCK)
    failed: list[BaseException] = []

    async def meeting(step: int) -> None:
        await saver.aopen()
        meet.wait()
        assert len(session.open) == 4
        meet.wait()
        await use(saver, step)

    def work(step: int) -> None:
        try:
            asyncio.run(meeting(step))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(step,), daemon=True) for step in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLOCK)
    assert failed == []
    assert session.open == []
    assert session.services == ["dynamodb"] * 4
    gc.collect()


def test_a_loop_has_one_client_for_each_service_however_many_call_at_once(
    existing_tables: Tables, bucket: Bucket
) -> None:
    session = Session()
    saver = aio_saver(existing_tables, session, s3_offload_config=bucket.config())

    async def main() -> None:
        await asyncio.gather(*(used(saver, step) for step in range(6)))
        assert sorted(session.open) == ["dynamodb", "s3"]

    run(main())
    assert session.services == ["dynamodb", "s3"]
    assert session.open == []


@pytest.mark.parametrize("plain", [True, False], ids=["open", "aopen"])
def test_opening_makes_the_clients_and_opens_what_was_closed(
    existing_tables: Tables, bucket: Bucket, plain: bool
) -> None:
    session = Session()
    saver = aio_saver(existing_tables, session, s3_offload_config=bucket.config())

    async def main() -> None:
        for _ in range(2):
            assert await saver.aopen() is saver
            assert await saver.aopen() is saver
            assert session.open == ["dynamodb", "s3"]
            await saver.aclose()
            assert session.open == []

    if not plain:
        run(main())
        return
    for _ in range(2):
        assert saver.open() is saver
        with saver:
            assert session.open == ["dynamodb", "s3"]
            assert saver.get_tuple(AT) is None
        assert session.open == []


def test_clones_share_the_clients(existing_tables: Tables) -> None:
    session = Session()
    saver = aio_saver(
        existing_tables, session, serde=JsonPlusSerializer(allowed_msgpack_modules=None)
    )
    clone = saver.with_allowlist([("a", "b")])
    assert clone is not saver

    async def main() -> None:
        assert isinstance(clone, AsyncDynamoDBSaver)
        await used(saver)
        await used(clone, 2)
        await saver.aclose()
        with pytest.raises(SaverClosedError):
            await used(clone)

    run(main())
    assert session.services == ["dynamodb"]


def test_a_closed_saver_that_is_gone_leaves_nothing_to_its_loop(existing_tables: Tables) -> None:
    async def main() -> None:
        saver = aio_saver(existing_tables, Session())
        await used(saver)
        await saver.aclose()
        del saver
        gc.collect()
        await asyncio.sleep(0)
        assert len(asyncio.all_tasks()) == TASKS

    run(main())


def test_clients_of_a_saver_that_is_gone_are_closed(existing_tables: Tables) -> None:
    session = Session()

    async def main() -> None:
        saver = aio_saver(existing_tables, session)
        await used(saver)
        assert session.open == ["dynamodb"]
        gone = weakref.ref(saver)
        del saver
        while gone() is not None or session.open:
            gc.collect()
            await asyncio.sleep(0)
        await turn()
        assert len(asyncio.all_tasks()) == TASKS

    run(main())


def test_aclose_waits_for_calls_under_way(existing_tables: Tables) -> None:
    session = Session()
    hold = Hold(session, "PutItem")

    async def main() -> None:
        saver = aio_saver(existing_tables, session)
        call = asyncio.create_task(put_new(saver))
        await hold.reached()
        closing = asyncio.create_task(saver.aclose())
        await turn()
        assert not closing.done()
        with pytest.raises(SaverClosedError):
            await saver.aget_tuple(AT)
        assert session.open == ["dynamodb"]
        hold.release()
        await asyncio.gather(call, closing)
        assert session.open == []

    run(main())
    assert len(existing_tables.checkpoint_items()) == 1


def test_a_saver_may_be_closed_twice_at_once(existing_tables: Tables) -> None:
    session = Session()

    async def main() -> None:
        async with aio_saver(existing_tables, session) as saver:
            await used(saver)
            await asyncio.gather(saver.aclose(), saver.aclose())
            assert session.open == []

    run(main())


@pytest.mark.parametrize("of", ["await", "resume"])
@pytest.mark.parametrize("name", ["aopen", "aget_tuple", "aclose"])
def test_a_saver_cancelled_in_its_first_or_last_call_can_be_used_and_closed(
    existing_tables: Tables, name: str, of: str
) -> None:
    session = Session()

    async def cancelled_at(stop: Stop) -> bool:
        saver = aio_saver(existing_tables, session, max_concurrency=1)
        if name == "aclose":
            await used(saver)
        acts: dict[str, Any] = {"aopen": saver.aopen, "aclose": saver.aclose}
        act = acts.get(name, partial(saver.aget_tuple, AT))
        await asyncio.wait([asyncio.create_task(awaited(Cancelled(act(), stop)))])
        if name != "aclose":
            await used(saver)
        await saver.aclose()
        assert session.open == []
        assert len(asyncio.all_tasks()) == TASKS
        return stop.reached

    async def main() -> int:
        at = 1
        while await cancelled_at(Stop(at, of)):
            gc.collect()
            at += 1
        return at

    assert run(main()) > 1


def test_close_waits_for_a_loop_that_ends_meanwhile(existing_tables: Tables) -> None:
    session = Session()
    hold = Hold(session, "PutItem")
    saver = aio_saver(existing_tables, session)
    ending = threading.Event()

    async def main() -> None:
        call = asyncio.create_task(put_new(saver))
        await hold.reached()
        while not ending.is_set():  # noqa: ASYNC110 - set by a thread
            await asyncio.sleep(0)
        # A task of `close` waits here for the call; both are cancelled when the loop ends.
        while len(asyncio.all_tasks()) < TASKS + 2:  # noqa: ASYNC110 - no event
            await asyncio.sleep(0)
        assert not call.done()

    thread = threading.Thread(target=run, args=(main(),), daemon=True)
    thread.start()
    assert hold.parked.wait(DEADLOCK)
    ending.set()
    saver.close()
    thread.join(DEADLOCK)
    assert not thread.is_alive()
    assert session.open == []


def test_aclose_on_one_loop_leaves_calls_on_another_alone(existing_tables: Tables) -> None:
    session = Session()
    hold = Hold(session, "PutItem")
    saver = aio_saver(existing_tables, session)

    async def main() -> None:
        call = asyncio.create_task(put_new(saver))
        await hold.reached()
        elsewhere(lambda: asyncio.run(opened_and_closed()))
        assert session.services == ["dynamodb"] * 2
        hold.release()
        assert await saver.aget_tuple(await call)
        assert session.services == ["dynamodb"] * 2

    async def opened_and_closed() -> None:
        async with saver:
            assert await saver.aget_tuple(AT) is None

    run(main())


def test_after_aclose_calls_on_that_loop_alone_say_so_until_it_is_opened_again(
    existing_tables: Tables,
) -> None:
    saver = aio_saver(existing_tables)

    async def main() -> None:
        for step in range(2):
            await saver.aopen()
            await used(saver, step)
            for _ in range(2):
                await saver.aclose()
            for name, acall in async_calls(saver).items():
                with pytest.raises(SaverClosedError):
                    pytest.fail(f"{name} returned {await acall()!r}")
            assert elsewhere(lambda: saver.get_tuple(AT)) is None
            elsewhere(lambda: asyncio.run(used(saver, 9)))

    run(main())
    run(used(saver))
    saver.close()


def test_after_close_every_call_everywhere_says_so_until_it_is_opened_again(
    existing_tables: Tables,
) -> None:
    session = Session()
    saver = aio_saver(existing_tables, session)
    assert saver.get_tuple(AT) is None
    for _ in range(2):
        saver.close()
    before = threading.enumerate()
    for name, call in plain_calls(saver).items():
        with pytest.raises(SaverClosedError):
            pytest.fail(f"{name} returned {call()!r}")
    assert threading.enumerate() == before

    async def main() -> None:
        for name, acall in async_calls(saver).items():
            with pytest.raises(SaverClosedError):
                pytest.fail(f"{name} returned {await acall()!r}")
        await saver.aclose()
        async with saver:
            await used(saver)

    run(main())
    assert saver.get_tuple(AT) is None
    saver.close()
    assert session.open == []


def test_close_closes_the_clients_of_a_loop_that_runs_elsewhere(
    existing_tables: Tables, loop_thread: LoopThread
) -> None:
    session = Session()
    saver = aio_saver(existing_tables, session)
    loop_thread.run(used(saver))
    assert session.open == ["dynamodb"]
    saver.close()
    assert session.open == []
    with pytest.raises(SaverClosedError):
        loop_thread.run(used(saver))


# --- sync calls ---


def plain_calls(saver: AsyncDynamoDBSaver) -> dict[str, Callable[[], Any]]:
    """A call of each sync method."""
    return {
        "setup": saver.setup,
        "put": lambda: saver.put(config("t"), checkpoint("0003"), metadata(), {}),
        "put_writes": lambda: saver.put_writes(AT, [("a", 1), ("b", 2)], "task"),
        "get_tuple": lambda: saver.get_tuple(AT),
        "get": lambda: saver.get(AT),
        "list": lambda: [*saver.list(None)],
        "get_delta_channel_history": lambda: saver.get_delta_channel_history(
            config=AT, channels=["a"]
        ),
        "copy_thread": lambda: saver.copy_thread("t", "target"),
        "prune": lambda: saver.prune(["target"]),
        "delete_for_runs": lambda: saver.delete_for_runs(["run"]),
        "delete_thread": lambda: saver.delete_thread("target"),
        "sweep_orphans": saver.sweep_orphans,
    }


def async_calls(saver: AsyncDynamoDBSaver) -> dict[str, Callable[[], Awaitable[Any]]]:
    """A call of each async method."""
    return {
        "asetup": saver.asetup,
        "aput": lambda: put_new(saver),
        "aput_writes": lambda: put_writes(saver, ("a", 1), ("b", 2)),
        "aget_tuple": lambda: saver.aget_tuple(AT),
        "alist": lambda: listed(saver, None),
        "aget_delta_channel_history": lambda: history(saver),
        "acopy_thread": lambda: saver.acopy_thread("t", "target"),
        "aprune": lambda: saver.aprune(["target"]),
        "adelete_for_runs": lambda: saver.adelete_for_runs(["run"]),
        "adelete_thread": lambda: saver.adelete_thread("target"),
        "asweep_orphans": saver.asweep_orphans,
    }


def test_plain_calls_work_while_the_loop_that_the_saver_is_used_on_stands_still(
    tables: Tables,
) -> None:
    session = Session()
    saver = aio_saver(tables, session)

    async def main() -> dict[str, Any]:
        await saver.aopen()
        # Waits for the thread, which blocks this loop.
        return elsewhere(lambda: {name: call() for name, call in plain_calls(saver).items()})

    results = run(main())
    assert results["get_tuple"].config == AT
    assert len(results["list"]) == 1
    assert session.services == ["dynamodb"] * 2
    saver.close()
    assert session.open == []


def test_a_plain_call_on_an_event_loop_names_the_asynchronous_one(existing_tables: Tables) -> None:
    session = Session()
    saver = aio_saver(existing_tables, session)
    before = threading.enumerate()

    async def main() -> None:
        ends = {"open": saver.open, "close": saver.close}
        for name, call in {**plain_calls(saver), **ends}.items():
            with pytest.raises(EventLoopError, match=r"to_thread") as caught:
                pytest.fail(f"{name} returned {call()!r}")
            assert isinstance(caught.value, asyncio.InvalidStateError)
            assert isinstance(caught.value, DynamoDBSaverError)
            said = {"get": "get_tuple"}.get(name, name)
            assert (caught.value.method, caught.value.instead) == (said, f"a{said}")
            assert f"a{said}()" in str(caught.value)

    run(main())
    assert session.asked == []
    assert threading.enumerate() == before


def test_a_plain_list_is_refused_at_its_first_page_and_at_any_later_one(
    existing_tables: Tables,
) -> None:
    saver = aio_saver(existing_tables)
    with plain_saver(existing_tables) as plain:
        put_threads(plain)
    begun = iter(saver.list(None))
    one = next(begun)

    async def main() -> list[CheckpointTuple]:
        first = saver.list(None)
        with pytest.raises(EventLoopError):
            next(first)
        rest = [one]
        with pytest.raises(EventLoopError):
            rest.extend(begun)
        return rest

    assert 1 <= len(run(main())) <= 6
    with saver:
        assert len([*saver.list(None)]) == 6


def test_an_interrupted_plain_call_is_cancelled_and_the_saver_goes_on(
    existing_tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session()
    hold = Hold(session, "PutItem")
    saver = aio_saver(existing_tables, session, max_concurrency=1)
    result = Future.result

    def interrupted(self: Future[Any], timeout: float | None = None) -> Any:
        if threading.current_thread() is not caller:
            return result(self, timeout)
        assert hold.parked.wait(DEADLOCK)
        raise KeyboardInterrupt

    caller = threading.current_thread()
    with saver:
        with monkeypatch.context() as patch:
            patch.setattr(Future, "result", interrupted)
            with pytest.raises(KeyboardInterrupt):
                saver.put(config("t"), checkpoint("0003"), metadata(), {})
        cancelled = hold.cancelled.wait(DEADLOCK)
        hold.release()  # Otherwise `close` would wait for it.
        assert cancelled
        assert saver.get_tuple(AT) is None
    assert existing_tables.checkpoint_items() == []


@pytest.mark.parametrize("dropped", [False, True], ids=["closed", "dropped"])
def test_the_thread_of_plain_calls_ends_with_the_saver(
    existing_tables: Tables, dropped: bool
) -> None:
    gc.collect()
    session = Session()
    before = loop_threads()
    saver: AsyncDynamoDBSaver | None = aio_saver(existing_tables, session)
    assert saver is not None
    saver.get_tuple(AT)
    saver.get_tuple(AT)
    (thread,) = loop_threads() - before
    if not dropped:
        saver.close()
        assert not thread.is_alive()
    saver = None
    gc.collect()
    thread.join(DEADLOCK)
    assert not thread.is_alive()
    assert session.open == []
    assert session.services == ["dynamodb"]
    gc.collect()
