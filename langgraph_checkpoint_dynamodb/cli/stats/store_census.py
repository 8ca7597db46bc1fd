"""Counting what lies in the table of a store and a cache, by namespace."""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.cli.stats.saver_census import SEGMENTS, Counts
from langgraph_checkpoint_dynamodb.errors import UnreadableItemError
from langgraph_checkpoint_dynamodb.format.tables import Attribute, Key, Table
from langgraph_checkpoint_dynamodb.items.attributes import read_key, text
from langgraph_checkpoint_dynamodb.requests.items import Scan
from langgraph_checkpoint_dynamodb.requests.operations import send, together
from langgraph_checkpoint_dynamodb.store.cache_keys import is_cached
from langgraph_checkpoint_dynamodb.store.keys import (
    Namespace,
    is_registry,
    registered_namespace,
    root_label,
    split_path,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from langgraph_checkpoint_dynamodb.requests.items import Page, StoredItem
    from langgraph_checkpoint_dynamodb.requests.operations import Operation


class StoreCensus:
    """Counts by namespace, from any number of threads of this process.

    Args:
        on_page: Told how many items a page had.

    Attributes:
        by_namespace: Counts by namespace, of a store; `None` for items that do not say whose they
            are.
        cache: Counts of a cache, its registry among them.
        total: Counts of all.
    """

    def __init__(self, on_page: Callable[[int], object]) -> None:
        self.by_namespace: defaultdict[Namespace | None, Counts] = defaultdict(Counts)
        self.cache = Counts()
        self.total = Counts()
        self._on_page = on_page
        self._lock = threading.Lock()

    def table(self) -> Operation[None]:
        """Count the table whole."""
        yield from together([self._segment(number) for number in range(SEGMENTS)])

    def _segment(self, number: int) -> Operation[None]:
        start = None
        while True:
            page: Page = yield from send(
                Scan(Table.STORE, consistent=False, start=start, segment=number, segments=SEGMENTS)
            )
            with self._lock:
                for item in page.items:
                    self._add(item)
            self._on_page(len(page.items))
            start = page.next
            if start is None:
                return

    def _add(self, item: StoredItem) -> None:
        key = read_key(item, Table.STORE)
        counts = self.cache if is_cached(key.partition) else self.by_namespace[_space(item, key)]
        for each in (counts, self.total):
            each.add(Table.STORE, item)


def _space(item: StoredItem, key: Key) -> Namespace | None:
    """The namespace that an item is of: itself, as a part, or as its entry in the registry."""
    if is_registry(key.partition):
        return registered_namespace(key.sort)
    try:
        if Attribute.ITEM_ROOT in item:
            key = Key(
                text(item, Attribute.ITEM_ROOT, "a part"), text(item, Attribute.ITEM_PATH, "a part")
            )
    except UnreadableItemError:
        return None
    found = split_path(key.sort)
    return None if found is None else (root_label(key.partition), *found[0])
