"""Counting the items of the table of a store and a cache by namespace."""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.cli.stats.counts import Counts
from langgraph_checkpoint_dynamodb.cli.stats.scan import scan_tables
from langgraph_checkpoint_dynamodb.errors import UnreadableItemError
from langgraph_checkpoint_dynamodb.format.tables import Attribute, Key, Table
from langgraph_checkpoint_dynamodb.items.attributes import read_key, text
from langgraph_checkpoint_dynamodb.store.cache_keys import is_cached
from langgraph_checkpoint_dynamodb.store.keys import (
    Namespace,
    is_registry,
    registered_namespace,
    root_label,
    split_path,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from langgraph_checkpoint_dynamodb.requests.items import StoredItem
    from langgraph_checkpoint_dynamodb.requests.operations import Operation


class StoreCensus:
    """Counts the items of a store's table. It is thread-safe.

    Args:
        on_page: Called with the number of items of each page.

    Attributes:
        by_namespace: Counts by namespace of a store; `None` for items that do not name it.
        cache: Counts of a cache, with its registry.
        total: Counts of all items.
    """

    def __init__(self, on_page: Callable[[int], object]) -> None:
        self.by_namespace: defaultdict[Namespace | None, Counts] = defaultdict(Counts)
        self.cache = Counts()
        self.total = Counts()
        self._on_page = on_page
        self._lock = threading.Lock()

    def count_table(self) -> Operation[None]:
        """Count the table completely."""
        yield from scan_tables([Table.STORE], self._add_page)

    def _add_page(self, _: Table, items: Sequence[StoredItem]) -> None:
        with self._lock:
            for item in items:
                self._add(item)
        self._on_page(len(items))

    def _add(self, item: StoredItem) -> None:
        key = read_key(item, Table.STORE)
        counts = (
            self.cache if is_cached(key.partition) else self.by_namespace[_namespace_of(item, key)]
        )
        counts.add(Table.STORE, item)
        self.total.add(Table.STORE, item)


def _namespace_of(item: StoredItem, key: Key) -> Namespace | None:
    """Return the namespace of an item, of a part of an item, or of an entry of the registry."""
    if is_registry(key.partition):
        return registered_namespace(key.sort)
    try:
        if Attribute.ITEM_ROOT in item:
            key = Key(
                text(item, Attribute.ITEM_ROOT, "a part"), text(item, Attribute.ITEM_PATH, "a part")
            )
    except UnreadableItemError:
        return None
    path = split_path(key.sort)
    return None if path is None else (root_label(key.partition), *path[0])
