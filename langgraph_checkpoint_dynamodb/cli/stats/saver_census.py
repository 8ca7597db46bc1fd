"""Counting what lies in the tables, by thread."""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.format.keys import is_auxiliary_key
from langgraph_checkpoint_dynamodb.format.sizes import item_size, write_units
from langgraph_checkpoint_dynamodb.format.tables import SAVER_TABLES, Attribute, Table
from langgraph_checkpoint_dynamodb.items.attributes import read_key
from langgraph_checkpoint_dynamodb.items.checkpoints import read_head_to_delete
from langgraph_checkpoint_dynamodb.items.payload_attributes import outside_if_readable
from langgraph_checkpoint_dynamodb.items.threads import is_thread_item
from langgraph_checkpoint_dynamodb.items.writes_owner import read_owner
from langgraph_checkpoint_dynamodb.payloads.kinds import S3Object
from langgraph_checkpoint_dynamodb.requests.calls import query_all
from langgraph_checkpoint_dynamodb.requests.items import Query, Scan
from langgraph_checkpoint_dynamodb.requests.operations import send, together

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from langgraph_checkpoint_dynamodb.requests.items import StoredItem
    from langgraph_checkpoint_dynamodb.requests.operations import Operation

SEGMENTS = 8
"""Parts of a Scan that are read side by side."""
_READ_UNIT = 4096


@dataclass(slots=True)
class Counts:
    """What there is of a thread, of a namespace of a store, or of all.

    Attributes:
        values: Checkpoints, or values of a store or a cache.
        items: Items of the tables.
        size: Their bytes, as DynamoDB counts them.
        write_units: What it takes to write each of them once.
        objects: Values in S3.
        object_bytes: Their bytes.
    """

    values: int = 0
    items: int = 0
    size: int = 0
    write_units: int = 0
    objects: int = 0
    object_bytes: int = 0

    @property
    def read_units(self) -> int:
        """What it takes to read all of it once, strongly consistent and by the page."""
        return -(-self.size // _READ_UNIT)

    def add(self, table: Table, item: StoredItem) -> None:
        """Count an item."""
        size = item_size(item)
        self.items += 1
        self.size += size
        self.write_units += write_units(size)
        if table is Table.CHECKPOINTS:
            sort = read_key(item, table).sort
            self.values += not is_auxiliary_key(sort) and Attribute.DELETED not in item
        if table is Table.STORE:
            self.values += Attribute.VERSION in item
        for value in outside_if_readable(item, "an item"):
            if isinstance(value, S3Object):
                self.objects += 1
                self.object_bytes += value.size


class Census:
    """Counts by thread, from any number of threads of this process.

    Args:
        on_page: Told how many items a page had.

    Attributes:
        by_thread: Counts by thread; `None` for items that do not say whose they are.
        total: Counts of all.
    """

    def __init__(self, on_page: Callable[[int], object]) -> None:
        self.by_thread: defaultdict[str | None, Counts] = defaultdict(Counts)
        self.total = Counts()
        self._on_page = on_page
        self._lock = threading.Lock()

    def add(self, table: Table, items: Sequence[StoredItem]) -> None:
        """Count the items of a page."""
        with self._lock:
            for item in items:
                self.by_thread[_thread_of(table, item)].add(table, item)
                self.total.add(table, item)
        self._on_page(len(items))

    def tables(self) -> Operation[None]:
        """Count both tables whole."""
        yield from together(
            [self._segment(table, number) for table in SAVER_TABLES for number in range(SEGMENTS)]
        )

    def thread(self, thread_id: str) -> Operation[None]:
        """Count a thread alone."""
        query = Query(Table.CHECKPOINTS, thread_id, consistent=False)
        while True:
            page = yield from send(query)
            self.add(Table.CHECKPOINTS, page.items)
            heads = [read_head_to_delete(item) for item in page.items if not is_thread_item(item)]
            yield from together([self._beside(head.writes_partition) for head in heads])
            if page.next is None:
                return
            query = replace(query, start=page.next)

    def _segment(self, table: Table, number: int) -> Operation[None]:
        scan = Scan(table, consistent=False, segment=number, segments=SEGMENTS)
        while True:
            page = yield from send(scan)
            self.add(table, page.items)
            if page.next is None:
                return
            scan = replace(scan, start=page.next)

    def _beside(self, partition: str) -> Operation[None]:
        self.add(
            Table.WRITES,
            (yield from query_all(Query(Table.WRITES, partition, consistent=False))),
        )


def _thread_of(table: Table, item: StoredItem) -> str | None:
    if table is Table.CHECKPOINTS:
        return read_key(item, table).partition
    owner = read_owner(item)
    return None if owner is None else owner.thread_id
