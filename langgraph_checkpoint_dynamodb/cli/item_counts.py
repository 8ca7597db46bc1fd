"""Approximate item counts of tables, as totals for progress bars.

DynamoDB updates the counts that DescribeTable returns about every six hours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.errors import ServiceError
from langgraph_checkpoint_dynamodb.format.tables import Table

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb.cli.connection import Connection


def item_count(connection: Connection, *tables: Table) -> int | None:
    """Return how many items tables have; `None` if DynamoDB does not say, or says none."""
    try:
        descriptions = [connection.describe(table) or {} for table in tables]
    except ServiceError:
        return None
    return sum(description.get("ItemCount", 0) for description in descriptions) or None


def checkpoint_count(connection: Connection) -> int | None:
    """Return how many checkpoints there are; `None` if DynamoDB does not say, or says none.

    The items of the thread index are not checkpoints and are subtracted.
    """
    try:
        description = connection.describe(Table.CHECKPOINTS) or {}
    except ServiceError:
        return None
    thread_index = connection.saver._settings.thread_index
    listed = sum(
        index.get("ItemCount", 0)
        for index in description.get("GlobalSecondaryIndexes", [])
        if thread_index is not None and index.get("IndexName") == thread_index.index_name
    )
    return max(0, description.get("ItemCount", 0) - listed) or None
