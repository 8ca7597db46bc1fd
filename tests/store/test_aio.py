"""The store on aiobotocore: cancelled anywhere, on several loops, and beside large values."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from langgraph.store.base import GetOp, PutOp, SearchOp

from langgraph_checkpoint_dynamodb import EventLoopError, SaverClosedError
from langgraph_checkpoint_dynamodb.errors import InvalidInputTypeError
from langgraph_checkpoint_dynamodb.format.expiry import GRACE_SECONDS
from langgraph_checkpoint_dynamodb.store import DynamoDBStore
from langgraph_checkpoint_dynamodb.store.aio import AsyncDynamoDBStore
from tests.store.cancelling import Cancelling
from tests.store.faces import StoreTable, ThreadNoting, with_payloads
from tests.store.test_crash import LARGE, loose_ends, put_first, seen
from tests.support.aio import Session, run

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from tests.support.clocks import Clock

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
    table.empty()
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
        cancelling = Cancelling(session)

        def fresh() -> None:
            begin(table, clock)
            store._memories.get().clear()

        begin(table, clock)
        before = seen(plain(table, clock))
        await ACTS[act](store)
        after = seen(plain(table, clock))
        async for _ in cancelling.everywhere(fresh, lambda: ACTS[act](store)):
            now = seen(plain(table, clock))
            for place in before.keys() | after.keys():
                assert now.get(place) in (before.get(place), after.get(place))
            await ACTS[act](store)
            assert seen(plain(table, clock)) == after
            clock.now += 2 * GRACE_SECONDS
            plain(table, clock).sweep_orphans(older_than=GRACE_SECONDS)
            assert loose_ends(table, None) == Counter(missing=0, needless=0)
        await store.aclose()
        return cancelling.points

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
    serde = ThreadNoting()

    async def main() -> None:
        async with aio_store(table, Session(), serde=serde) as store:
            await store.aput(AT, "k", {"text": "x" * 300_000})
            found = await store.aget(AT, "k")
            assert found is not None
            assert threading.get_ident() not in serde.threads
            await store.aput(AT, "small", {"n": 1})
            assert threading.get_ident() in serde.threads

    asyncio.run(main())
