"""Stores. Each is made as its README says, on a fresh table, with its own defaults."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from langgraph.store.memory import InMemoryStore

from benchmarks.calls import StoreCalls
from benchmarks.contenders.base import REGION, Contender, EngineContext, import_class

if TYPE_CHECKING:
    from collections.abc import Iterator


_TABLE = "store"


@dataclass(frozen=True)
class StoreContender(Contender):
    """A column of the comparison of stores. `open` takes the name of a table, too."""

    @contextmanager
    def open_calls(self, context: EngineContext) -> Iterator[StoreCalls]:
        """The calls of its store, which is ready for use."""
        with self.open(context, _TABLE) as store:
            fresh = partial(self.open, context)
            yield StoreCalls(store, context.loop, is_async=self.is_async, fresh=fresh)


@contextmanager
def _ours(context: EngineContext, table: str) -> Iterator[Any]:
    from langgraph_checkpoint_dynamodb.store import DynamoDBStore

    with DynamoDBStore(
        store_table_name=table, session=context.session(), endpoint_url=context.url
    ) as store:
        store.setup()
        yield store


@contextmanager
def _ours_async(context: EngineContext, table: str) -> Iterator[Any]:
    from aiobotocore.session import get_session

    from langgraph_checkpoint_dynamodb.store.aio import AsyncDynamoDBStore

    session = get_session()
    context.meter.attach(session, is_async=True)

    async def opened() -> Any:
        store = AsyncDynamoDBStore(
            store_table_name=table, session=session, region_name=REGION, endpoint_url=context.url
        )
        await store.aopen()
        await store.asetup()
        return store

    store = context.loop.run_until_complete(opened())
    try:
        yield store
    finally:
        context.loop.run_until_complete(store.aclose())
        store.close()


@contextmanager
def _aws(context: EngineContext, table: str) -> Iterator[Any]:
    store = import_class("langgraph_checkpoint_aws", "DynamoDBStore")(
        table, boto3_session=context.session(), region_name=REGION, endpoint_url=context.url
    )
    store.setup()
    yield store
    store.client.close()


@contextmanager
def _community(context: EngineContext, table: str) -> Iterator[Any]:
    yield import_class("langgraph_store_dynamodb", "DynamoDBStore")(
        table, boto_session=context.session(), endpoint_url=context.url
    )


@contextmanager
def _memory(context: EngineContext, table: str) -> Iterator[Any]:  # noqa: ARG001 - it needs none
    yield InMemoryStore()


STORE_CONTENDERS = (
    StoreContender("store", "this package, sync", _ours),
    StoreContender("store-async", "this package, async", _ours_async, is_async=True),
    StoreContender("store-aws", "langgraph-checkpoint-aws", _aws),
    StoreContender("store-community", "langgraph-store-dynamodb", _community),
    StoreContender("store-memory", "InMemoryStore", _memory),
)
"""In the order of the tables."""
