"""Threads of a table or an owner, and an operation for each of them, several at a time."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.cli.item_counts import item_count
from langgraph_checkpoint_dynamodb.cli.threads.scan import scan_threads
from langgraph_checkpoint_dynamodb.format.tables import Table
from langgraph_checkpoint_dynamodb.requests.operations import together

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from langgraph_checkpoint_dynamodb.cli.connection import Connection
    from langgraph_checkpoint_dynamodb.cli.terminal.progress import ProgressBar
    from langgraph_checkpoint_dynamodb.requests.operations import Operation

_CONCURRENCY = 16
_PAGE_SIZE = 200


def run_for_each(
    connection: Connection,
    thread_ids: Iterable[str],
    make_operation: Callable[[str], Operation[None]],
    on_done: Callable[[], object],
) -> int:
    """Run an operation for each thread and return the number of threads.

    Args:
        connection: Runs the operations.
        thread_ids: The threads.
        make_operation: Makes the operation for a thread.
        on_done: Called after each thread.
    """

    def run(thread_id: str) -> Operation[None]:
        yield from make_operation(thread_id)
        on_done()

    done = 0
    remaining = iter(thread_ids)
    while batch := [*islice(remaining, _CONCURRENCY)]:
        connection.run(together([run(thread_id) for thread_id in batch]))
        done += len(batch)
    return done


def threads_of_table(connection: Connection, bar: ProgressBar) -> Iterator[str]:
    """Yield every thread of the table; the bar counts the items that the Scan has read."""
    bar.set_total(item_count(connection, Table.CHECKPOINTS))
    for found in scan_threads(connection, on_page=bar.advance):
        yield found.thread_id


def threads_of_owner(connection: Connection, owner: str) -> Iterator[str]:
    """Yield every thread of an owner."""
    cursor: str | None = None
    while True:
        page = connection.saver.list_threads(owner=owner, limit=_PAGE_SIZE, cursor=cursor)
        yield from (info.thread_id for info in page.threads)
        cursor = page.cursor
        if cursor is None:
            return
