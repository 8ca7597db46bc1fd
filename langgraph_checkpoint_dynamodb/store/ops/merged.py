"""Several queries, read concurrently page by page, and merged by sort key."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.format.tables import Table
from langgraph_checkpoint_dynamodb.items.attributes import read_key
from langgraph_checkpoint_dynamodb.requests.operations import send, together

if TYPE_CHECKING:
    from collections.abc import Iterable

    from langgraph_checkpoint_dynamodb.requests.items import Query, StoredItem
    from langgraph_checkpoint_dynamodb.requests.operations import Operation

MOST_ITEMS = 4000
"""Maximum limit of a page. A page of 1 MB may hold 11,000 small items, which take 75 MB as Python
objects (`tests/store/test_costs.py`)."""


@dataclass(slots=True)
class _Range:
    """The state of one query.

    Attributes:
        query: Reads its next page; `None` after the last.
        read: Items that were read and not yet returned, in order.
    """

    query: Query | None
    read: list[StoredItem] = field(default_factory=list)


class Merged:
    """The items of several queries of the store's table, sorted by sort key.

    Args:
        queries: The queries; no two return the same sort key.
    """

    def __init__(self, queries: Iterable[Query]) -> None:
        self._ranges = [_Range(query) for query in queries]

    def next(self, limit: int) -> Operation[list[StoredItem] | None]:
        """Read a page of each query, and return the items that are next; `None` after the last.

        The list may be empty although there are more items.

        Args:
            limit: Limit of each query; at most `MOST_ITEMS` are read.
        """
        empty = [one for one in self._ranges if not one.read and one.query is not None]
        yield from together([_fill(one, limit) for one in empty])
        if not any(one.read for one in self._ranges):
            return None if all(one.query is None for one in self._ranges) else []
        return self._take_next()

    def _take_next(self) -> list[StoredItem]:
        """The items up to the smallest last key among the queries that have more pages."""
        if len(self._ranges) == 1:
            (alone,) = self._ranges
            taken, alone.read = alone.read, []
            return taken
        unfinished = [one for one in self._ranges if one.query is not None]
        if any(not one.read for one in unfinished):
            return []
        ends = [_path(one.read[-1]) for one in unfinished]
        end = min(ends, default=None)
        pieces = []
        for one in self._ranges:
            count = sum(1 for item in one.read if end is None or _path(item) <= end)
            pieces.append(one.read[:count])
            one.read = one.read[count:]
        return list(heapq.merge(*pieces, key=_path))


def _path(item: StoredItem) -> str:
    return read_key(item, Table.STORE).sort


def _fill(one: _Range, limit: int) -> Operation[None]:
    if one.query is None:
        return
    page = yield from send(replace(one.query, limit=min(limit, MOST_ITEMS)))
    one.read = list(page.items)
    one.query = None if page.next is None else replace(one.query, start=page.next)
