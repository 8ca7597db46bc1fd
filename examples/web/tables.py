"""The saver and the store of the application, open while it serves."""

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
"""The key of a run's `configurable` that names the owner of the conversation."""


@dataclass(frozen=True)
class Tables:
    """The application's data.

    Attributes:
        saver: Keeps conversations.
        store: Keeps the costs of runs.
    """

    saver: AsyncDynamoDBSaver
    store: AsyncDynamoDBStore


@asynccontextmanager
async def open_tables(settings: Settings) -> AsyncIterator[Tables]:
    """Open saver and store, and check that the tables exist.

    Raises:
        DynamoDBSaverError: A table is not usable.
    """
    saver = AsyncDynamoDBSaver(
        checkpoints_table_name=settings.checkpoints_table,
        writes_table_name=settings.writes_table,
        endpoint_url=settings.endpoint_url,
        region_name=settings.region,
        compression="incremental",
        thread_index=ThreadIndex(owner=OWNER),
        # If two servers or tabs answer one question, the second gets an error.
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
        # One small read of each table and of the index, so that a missing one fails at the start.
        await saver.alist_threads(owner="nobody", limit=1)
        await saver.aget_tuple({"configurable": {"thread_id": "/", "checkpoint_id": "1"}})
        await store.aget(("costs", "nobody"), "none")
        yield Tables(saver, store)
