"""Counting the items of the saver's tables by thread."""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.cli.stats.counts import Counts
from langgraph_checkpoint_dynamodb.cli.stats.scan import scan_tables
from langgraph_checkpoint_dynamodb.format.tables import SAVER_TABLES, Table
from langgraph_checkpoint_dynamodb.items.attributes import read_key
from langgraph_checkpoint_dynamodb.items.checkpoints import read_head_to_delete
from langgraph_checkpoint_dynamodb.items.threads import is_thread_item
from langgraph_checkpoint_dynamodb.items.writes_owner import read_owner
from langgraph_checkpoint_dynamodb.requests.calls import query_all
from langgraph_checkpoint_dynamodb.requests.items import Query
from langgraph_checkpoint_dynamodb.requests.operations import send, together

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from langgraph_checkpoint_dynamodb.requests.items import StoredItem
    from langgraph_checkpoint_dynamodb.requests.operations import Operation


class SaverCensus:
    """Counts the items of the saver's tables. It is thread-safe.

    Args:
        on_page: Called with the number of items of each page.

    Attributes:
        by_thread: Counts by thread id; `None` for items that do not name their thread.
        total: Counts of all items.
    """

    def __init__(self, on_page: Callable[[int], object]) -> None:
        self.by_thread: defaultdict[str | None, Counts] = defaultdict(Counts)
        self.total = Counts()
        self._on_page = on_page
        self._lock = threading.Lock()

    def count_tables(self) -> Operation[None]:
        """Count both tables completely."""
        yield from scan_tables(SAVER_TABLES, self._add_page)

    def count_thread(self, thread_id: str) -> Operation[None]:
        """Count the items of a thread."""
        query = Query(Table.CHECKPOINTS, thread_id, consistent=False)
        while True:
            page = yield from send(query)
            self._add_page(Table.CHECKPOINTS, page.items)
            heads = [read_head_to_delete(item) for item in page.items if not is_thread_item(item)]
            yield from together([self._count_writes(head.writes_partition) for head in heads])
            if page.next is None:
                return
            query = replace(query, start=page.next)

    def _count_writes(self, partition: str) -> Operation[None]:
        query = Query(Table.WRITES, partition, consistent=False)
        self._add_page(Table.WRITES, (yield from query_all(query)))

    def _add_page(self, table: Table, items: Sequence[StoredItem]) -> None:
        with self._lock:
            for item in items:
                self.by_thread[_thread_of(table, item)].add(table, item)
                self.total.add(table, item)
        self._on_page(len(items))


def _thread_of(table: Table, item: StoredItem) -> str | None:
    if table is Table.CHECKPOINTS:
        return read_key(item, table).partition
    owner = read_owner(item)
    return None if owner is None else owner.thread_id
