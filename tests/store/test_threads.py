"""`DynamoDBStore` awaited on an event loop: large values go elsewhere, cancelled calls end."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.store import DynamoDBStore
from tests.store.faces import ThreadNoting

if TYPE_CHECKING:
    from tests.store.faces import StoreTable

AT = ("users", "ann")


def threaded(table: StoreTable, **settings: Any) -> DynamoDBStore:
    return DynamoDBStore(store_table_name=table.name, client=table.client, **settings)


def test_a_large_value_is_serialized_and_loaded_by_another_thread(table: StoreTable) -> None:
    serde = ThreadNoting()

    async def main() -> None:
        async with threaded(table, serde=serde) as store:
            await store.aput(AT, "k", {"text": "x" * 300_000})
            assert (await store.aget(AT, "k")) is not None
            assert threading.get_ident() not in serde.threads

    asyncio.run(main())


def test_a_cancelled_put_is_whole_or_not_there_and_the_next_call_comes_after_it(
    table: StoreTable,
) -> None:
    reached, release = threading.Event(), threading.Event()

    def hold(**_: object) -> None:
        reached.set()
        release.wait()

    table.client.meta.events.register("before-call.dynamodb.PutItem", hold)

    async def main() -> None:
        async with threaded(table) as store:
            put = asyncio.create_task(store.aput(AT, "k", {"n": 1}))
            await asyncio.to_thread(reached.wait)
            put.cancel()
            await asyncio.wait([put])
            assert put.cancelled()
            get = asyncio.create_task(store.aget(AT, "k"))
            release.set()
            found = await get
            assert found is not None
            assert found.value == {"n": 1}
            await store.aput(AT, "k", {"n": 2})
            assert store.list_namespaces() == [AT]

    asyncio.run(main())


def test_threads_that_share_a_store_see_what_each_has_stored(table: StoreTable) -> None:
    failed: list[BaseException] = []

    with threaded(table) as store:

        def use(number: int) -> None:
            try:
                for step in range(5):
                    store.put(("t", str(number % 3)), f"{number}-{step}", {"n": step})
                    found = store.get(("t", str(number % 3)), f"{number}-{step}")
                    assert found is not None
            except BaseException as error:
                failed.append(error)

        threads = [threading.Thread(target=use, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failed == []
        assert len(store.search(("t",), limit=100)) == 40
        assert store.list_namespaces() == [("t", "0"), ("t", "1"), ("t", "2")]
