"""Doing something to many threads, some of them side by side."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.cli.terminal.output import count
from langgraph_checkpoint_dynamodb.cli.threads.scan import table_threads
from langgraph_checkpoint_dynamodb.errors import ServiceError
from langgraph_checkpoint_dynamodb.format.tables import Table
from langgraph_checkpoint_dynamodb.requests.operations import together

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from langgraph_checkpoint_dynamodb.cli.changes import ChangeCounter
    from langgraph_checkpoint_dynamodb.cli.connection import Connection
    from langgraph_checkpoint_dynamodb.cli.terminal.progress import Bar
    from langgraph_checkpoint_dynamodb.requests.operations import Operation

_SIDE_BY_SIDE = 16
_PAGE = 200


def for_each(
    connection: Connection,
    watch: ChangeCounter,
    thread_ids: Iterable[str],
    make: Callable[[str], Operation[None]],
    on_done: Callable[[], object],
) -> int:
    """Perform an operation for each thread; how many there were."""

    def told(thread_id: str) -> Operation[None]:
        yield from watch.over(make(thread_id))
        on_done()

    done = 0
    coming = iter(thread_ids)
    while group := [*islice(coming, _SIDE_BY_SIDE)]:
        connection.run(together([told(thread_id) for thread_id in group]))
        done += len(group)
    return done


def of_table(connection: Connection, bar: Bar) -> Iterator[str]:
    """Every thread of the table; the bar counts the items that were read to find them."""
    bar.expect(items_of(connection, Table.CHECKPOINTS))
    for found in table_threads(connection, on_page=bar.advance):
        yield found.thread_id


def of_owner(connection: Connection, owner: str) -> Iterator[str]:
    """Every thread of an owner."""
    cursor: str | None = None
    while True:
        page = connection.saver.list_threads(owner=owner, limit=_PAGE, cursor=cursor)
        yield from (info.thread_id for info in page.threads)
        cursor = page.cursor
        if cursor is None:
            return


def items_of(connection: Connection, *tables: Table) -> int | None:
    """How many items tables have, as DynamoDB has counted them within the last six hours.

    `None` where it has counted none, or may not be asked.
    """
    try:
        described = [connection.describe(table) or {} for table in tables]
    except ServiceError:
        return None
    return sum(one.get("ItemCount", 0) for one in described) or None


def checkpoints_of(connection: Connection) -> int | None:
    """About how many checkpoints there are: without the items of threads, of which an index tells.

    `None` where nobody knows.
    """
    try:
        described = connection.describe(Table.CHECKPOINTS) or {}
    except ServiceError:
        return None
    index = connection.saver._settings.thread_index
    listed = sum(
        one.get("ItemCount", 0)
        for one in described.get("GlobalSecondaryIndexes", [])
        if index is not None and one.get("IndexName") == index.index_name
    )
    return max(0, described.get("ItemCount", 0) - listed) or None


def changed(watch: ChangeCounter) -> str:
    """What has been deleted, in words."""
    changes = watch.changes
    parts = [
        count(changes.checkpoints, "item") + " of the checkpoints table",
        count(changes.beside, "item") + " of the writes table",
        *([count(changes.objects, "object")] if changes.objects else []),
    ]
    return ", ".join(parts)
