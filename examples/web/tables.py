"""The saver and the store of the application, open for as long as it serves."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from examples.web.costs import count
from langgraph_checkpoint_dynamodb import ThreadIndex
from langgraph_checkpoint_dynamodb.aio import AsyncDynamoDBSaver
from langgraph_checkpoint_dynamodb.store.aio import AsyncDynamoDBStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from examples.web.settings import Settings

OWNER = "user_id"
"""The key of a run's `configurable` that names whose conversation it is."""


@dataclass(frozen=True)
class Tables:
    """What the application keeps its data in.

    Attributes:
        saver: Conversations.
        store: What their runs have cost.
    """

    saver: AsyncDynamoDBSaver
    store: AsyncDynamoDBStore


@asynccontextmanager
async def open_tables(settings: Settings) -> AsyncIterator[Tables]:
    """Open saver and store, and see that the tables are there.

    Raises:
        DynamoDBSaverError: A table cannot be used.
    """
    saver = AsyncDynamoDBSaver(
        checkpoints_table_name=settings.checkpoints_table,
        writes_table_name=settings.writes_table,
        endpoint_url=settings.endpoint_url,
        region_name=settings.region,
        compression="incremental",
        thread_index=ThreadIndex(owner=OWNER),
        # Of two servers or tabs that answer one question, the second is told.
        on_conflict="raise",
        on_request=count,
    )
    store = AsyncDynamoDBStore(
        store_table_name=settings.costs_table,
        endpoint_url=settings.endpoint_url,
        region_name=settings.region,
    )
    async with saver, store:
        if settings.set_up:
            await saver.asetup()
            await store.asetup()
        # One small read of each table and of the index: what is missing is told at the start.
        await saver.alist_threads(owner="nobody", limit=1)
        await saver.aget_tuple({"configurable": {"thread_id": "/", "checkpoint_id": "1"}})
        await store.aget(("costs", "nobody"), "none")
        yield Tables(saver, store)
