"""The store on aiobotocore: cancelled anywhere, on several loops, and beside large values."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.store.base import GetOp, PutOp, SearchOp

from langgraph_checkpoint_dynamodb import EventLoopError, SaverClosedError
from langgraph_checkpoint_dynamodb.errors import InvalidInputTypeError
from langgraph_checkpoint_dynamodb.format.life import MARGIN
from langgraph_checkpoint_dynamodb.store import DynamoDBStore
from langgraph_checkpoint_dynamodb.store.aio import AsyncDynamoDBStore
from tests.store.faces import Clock, StoreTable, with_payloads
from tests.store.test_crash import LARGE, loose_ends, put_first, seen
from tests.support.aio import Cancelled, Session, Stop, awaited, run

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    Act = Callable[[AsyncDynamoDBStore], Coroutine[Any, Any, Any]]

AT = ("a", "b")
ACTS: dict[str, Act] = {
    "put": lambda store: store.aput(AT, "new", {"n": 9}),
    "put of a namespace": lambda store: store.aput(("new", "b"), "k", {"text": LARGE}),
    "put over": lambda store: store.aput(AT, "large", {"text": LARGE + "x"}),
    "delete": lambda store: store.adelete(AT, "large"),
    "batch": lambda store: store.abatch(
        [PutOp(("x", str(i)), "k", {"text": LARGE * (i % 2)}) for i in range(3)]
        + [PutOp(AT, "small", None), GetOp(AT, "large"), SearchOp(("a",))]
    ),
}


def aio_store(table: StoreTable, session: Session, **settings: Any) -> AsyncDynamoDBStore:
    return AsyncDynamoDBStore(
        store_table_name=table.name, session=session, endpoint_url=table.engine.url, **settings
    )


def plain(table: StoreTable, clock: Clock) -> DynamoDBStore:
    store = DynamoDBStore(store_table_name=table.name, client=table.client, clock=clock)
    return with_payloads(store, inline_limit=400, chunk_bytes=500)


def begin(table: StoreTable, clock: Clock) -> None:
    for item in table.items():
        key = {name: item[name] for name in ("root", "path")}
        table.client.delete_item(TableName=table.name, Key=key)
    put_first(plain(table, clock))


@pytest.mark.sample(2)
@pytest.mark.parametrize("act", ACTS)
def test_a_call_that_is_cancelled_anywhere_leaves_the_old_or_the_new(
    table: StoreTable, clock: Clock, act: str
) -> None:
    async def main() -> Counter[str]:
        session = Session()
        store = with_payloads(
            aio_store(table, session, clock=clock, max_concurrency=3),
            inline_limit=400,
            chunk_bytes=500,
        )
        stop = Stop(0, "")
        task: Any = None

        def passed(of: str, **_: object) -> None:
            if stop.count(of):
                task.cancel()

        for event, of in (("before-send", "request"), ("after-call", "reply")):
            session.register(event, partial(passed, of))
        begin(table, clock)
        before = seen(plain(table, clock))
        await ACTS[act](store)
        after = seen(plain(table, clock))
        points: Counter[str] = Counter()
        for of in ("await", "request", "reply"):
            while True:
                begin(table, clock)
                store._memories.get().clear()
                stop = Stop(points[of] + 1, of)
                others = asyncio.all_tasks()
                task = asyncio.create_task(awaited(Cancelled(ACTS[act](store), stop)))
                await asyncio.wait([task])
                assert stop.left == others
                if not stop.reached:
                    break
                points[of] += 1
                assert task.cancelled()
                now = seen(plain(table, clock))
                for place in before.keys() | after.keys():
                    assert now.get(place) in (before.get(place), after.get(place))
                stop = Stop(0, "")
                await ACTS[act](store)
                assert seen(plain(table, clock)) == after
                clock.now += 2 * MARGIN
                plain(table, clock).sweep_orphans(older_than=MARGIN)
                assert loose_ends(table, None) == Counter(missing=0, needless=0)
        await store.aclose()
        return points

    points = run(main())
    assert min(points.values()) >= 1


def test_one_store_serves_loops_and_plain_code_at_once(table: StoreTable) -> None:
    store = aio_store(table, Session())

    async def use(number: int) -> Any:
        await store.aput(AT, str(number), {"n": number})
        found = await store.aget(AT, str(number))
        return found and found.value

    for number in range(3):
        assert asyncio.run(use(number)) == {"n": number}
    store.put(AT, "plain", {"n": 3})
    assert len(store.search(AT)) == 4
    store.close()
    with pytest.raises(SaverClosedError):
        store.get(AT, "plain")
    with store:
        assert store.get(AT, "plain") is not None


def test_plain_methods_are_refused_where_an_event_loop_runs(table: StoreTable) -> None:
    store = aio_store(table, Session())

    async def main() -> None:
        with pytest.raises(EventLoopError, match="abatch"):
            store.get(AT, "k")
        with pytest.raises(EventLoopError, match="aopen"):
            store.open()

    asyncio.run(main())


def test_a_session_of_boto3_is_refused() -> None:
    with pytest.raises(InvalidInputTypeError, match="aiobotocore"):
        AsyncDynamoDBStore(store_table_name="store", session="a session")


def test_a_large_value_is_serialized_and_loaded_by_another_thread(table: StoreTable) -> None:
    threads = set()

    class Serde(JsonPlusSerializer):
        def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
            threads.add(threading.get_ident())
            return super().dumps_typed(obj)

        def loads_typed(self, data: tuple[str, bytes]) -> Any:
            threads.add(threading.get_ident())
            return super().loads_typed(data)

    async def main() -> None:
        async with aio_store(table, Session(), serde=Serde()) as store:
            await store.aput(AT, "k", {"text": "x" * 300_000})
            found = await store.aget(AT, "k")
            assert found is not None
            assert threading.get_ident() not in threads
            await store.aput(AT, "small", {"n": 1})
            assert threading.get_ident() in threads

    asyncio.run(main())
