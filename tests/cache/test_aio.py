"""The cache on aiobotocore: cancelled anywhere, on several loops, and beside large values."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from langgraph_checkpoint_dynamodb import EventLoopError, SaverClosedError
from langgraph_checkpoint_dynamodb.cache import DynamoDBCache
from langgraph_checkpoint_dynamodb.cache.aio import AsyncDynamoDBCache
from langgraph_checkpoint_dynamodb.errors import InvalidInputTypeError
from langgraph_checkpoint_dynamodb.format.expiry import GRACE_SECONDS
from tests.cache.test_crash import KEYS, LARGE, A, C, loose_ends, put_first
from tests.store.cancelling import Cancelling
from tests.store.faces import ThreadNoting, with_payloads
from tests.support.aio import Session, run

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from tests.cache.faces import Cache, FullKey
    from tests.store.faces import StoreTable
    from tests.support.clocks import Clock

AT: FullKey = (A, "k")
ACTS: dict[str, Callable[[Cache], Coroutine[Any, Any, Any]]] = {
    "small": lambda cache: cache.aset({(C, "k"): (9, None)}),
    "large over large": lambda cache: cache.aset({(A, "large"): (LARGE + "x", None)}),
    "many": lambda cache: cache.aset(
        {
            (C, "k"): (1, None),
            (C, "l"): (LARGE, None),
            (A, "small"): (3, None),
            (A, "large"): (4, 0),
        }
    ),
    "clear": lambda cache: cache.aclear(),
}


def aio_cache(table: StoreTable, session: Session, **settings: Any) -> AsyncDynamoDBCache[Any]:
    return AsyncDynamoDBCache(
        cache_table_name=table.name, session=session, endpoint_url=table.engine.url, **settings
    )


def plain(table: StoreTable, clock: Clock) -> DynamoDBCache[Any]:
    cache: DynamoDBCache[Any] = DynamoDBCache(
        cache_table_name=table.name, client=table.client, clock=clock
    )
    return with_payloads(cache, inline_limit=400, chunk_bytes=500)


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
        cache = with_payloads(
            aio_cache(table, session, clock=clock, max_concurrency=3),
            inline_limit=400,
            chunk_bytes=500,
        )
        cancelling = Cancelling(session)

        def fresh() -> None:
            begin(table, clock)
            cache._memories.get().clear()

        begin(table, clock)
        before = plain(table, clock).get(KEYS)
        await ACTS[act](cache)
        after = plain(table, clock).get(KEYS)
        async for _ in cancelling.everywhere(fresh, lambda: ACTS[act](cache)):
            now = plain(table, clock).get(KEYS)
            for key in KEYS:
                assert now.get(key) in (before.get(key), after.get(key))
            assert loose_ends(table, None)["missing"] == 0
            await ACTS[act](cache)
            assert plain(table, clock).get(KEYS) == after
            clock.now += 2 * GRACE_SECONDS
            plain(table, clock).sweep_orphans(older_than=GRACE_SECONDS)
            clock.now -= 2 * GRACE_SECONDS
            assert loose_ends(table, None) == Counter(missing=0, needless=0)
        await cache.aclose()
        return cancelling.points

    points = run(main())
    assert min(points.values()) >= 1


def test_one_cache_serves_loops_and_plain_code_at_once(table: StoreTable) -> None:
    cache = aio_cache(table, Session())

    async def use(number: int) -> Any:
        await cache.aset({(A, str(number)): (number, None)})
        return await cache.aget([(A, str(number))])

    for number in range(3):
        assert asyncio.run(use(number)) == {(A, str(number)): number}
    cache.set({AT: (3, None)})
    assert len(cache.get([AT, *((A, str(number)) for number in range(3))])) == 4
    cache.close()
    with pytest.raises(SaverClosedError):
        cache.get([AT])
    with cache:
        assert cache.get([AT]) == {AT: 3}


def test_plain_methods_are_refused_where_an_event_loop_runs(table: StoreTable) -> None:
    cache = aio_cache(table, Session())
    calls: list[tuple[str, Callable[[], object]]] = [
        ("aget", lambda: cache.get([AT])),
        ("aset", lambda: cache.set({AT: (1, None)})),
        ("aclear", cache.clear),
        ("aopen", cache.open),
    ]

    async def main() -> None:
        for instead, call in calls:
            with pytest.raises(EventLoopError, match=instead):
                call()

    asyncio.run(main())


def test_a_session_of_boto3_is_refused() -> None:
    with pytest.raises(InvalidInputTypeError, match="aiobotocore"):
        AsyncDynamoDBCache(cache_table_name="cache", session="a session")


def test_the_module_offers_both_kinds() -> None:
    from langgraph_checkpoint_dynamodb import cache

    assert cache.AsyncDynamoDBCache is AsyncDynamoDBCache


def test_a_large_value_is_serialized_and_loaded_by_another_thread(table: StoreTable) -> None:
    serde = ThreadNoting()

    async def main() -> None:
        async with aio_cache(table, Session(), serde=serde) as cache:
            await cache.aset({AT: ("x" * 300_000, None)})
            assert len(await cache.aget([AT])) == 1
            assert threading.get_ident() not in serde.threads
            await cache.aset({(A, "small"): (1, None)})
            assert threading.get_ident() in serde.threads

    asyncio.run(main())
