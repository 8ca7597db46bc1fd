"""`DynamoDBCache` on threads: shared by many, awaited on an event loop, and cancelled there."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.cache import DynamoDBCache
from tests.store.faces import ThreadNoting

if TYPE_CHECKING:
    from tests.cache.faces import FullKey
    from tests.store.faces import StoreTable

A = ("a",)
AT: FullKey = (A, "k")


def threaded(table: StoreTable, **settings: Any) -> DynamoDBCache[Any]:
    return DynamoDBCache(cache_table_name=table.name, client=table.client, **settings)


def test_a_large_value_is_serialized_and_loaded_by_another_thread(table: StoreTable) -> None:
    serde = ThreadNoting()

    async def main() -> None:
        async with threaded(table, serde=serde) as cache:
            await cache.aset({AT: ("x" * 300_000, None)})
            assert len(await cache.aget([AT])) == 1
            assert threading.get_ident() not in serde.threads

    asyncio.run(main())


def test_a_cancelled_set_is_whole_or_not_there_and_the_next_call_comes_after_it(
    table: StoreTable,
) -> None:
    reached, release = threading.Event(), threading.Event()

    def hold(**_: object) -> None:
        reached.set()
        release.wait()

    table.client.meta.events.register("before-call.dynamodb.PutItem", hold)

    async def main() -> None:
        async with threaded(table) as cache:
            setting = asyncio.create_task(cache.aset({AT: (1, None)}))
            await asyncio.to_thread(reached.wait)
            setting.cancel()
            await asyncio.wait([setting])
            assert setting.cancelled()
            getting = asyncio.create_task(cache.aget([AT]))
            release.set()
            assert await getting == {AT: 1}

    asyncio.run(main())


def test_threads_that_share_a_cache_find_what_each_has_set(table: StoreTable) -> None:
    with threaded(table) as cache, ThreadPoolExecutor(8) as pool:

        def use(number: int) -> None:
            for step in range(5):
                key: FullKey = (("t", str(number % 3)), f"{number}-{step}")
                cache.set({key: (step, None)})
                assert cache.get([key]) == {key: step}

        for done in [pool.submit(use, number) for number in range(8)]:
            done.result()
        cache.clear()
        spaces = [("t", str(number)) for number in range(3)]
        assert (
            cache.get([(space, f"{n}-{s}") for space in spaces for n in range(8) for s in range(5)])
            == {}
        )
