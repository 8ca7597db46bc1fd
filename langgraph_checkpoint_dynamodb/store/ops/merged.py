"""Several ranges of keys, read side by side and page by page as one, in the order of their keys."""

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
"""Items that a range is asked for at once. A page of 1 MB may hold 11,000 small ones, which take
75 MB as Python's objects (`tests/store/test_costs.py`)."""


@dataclass(slots=True)
class _Range:
    """One of the ranges.

    Attributes:
        query: What reads its next page; `None` after the last.
        read: The items that were read and not yet given away, in order.
    """

    query: Query | None
    read: list[StoredItem] = field(default_factory=list)


class Merged:
    """Reads the ranges of some queries of the store's table, in the order of their sort keys.

    Args:
        queries: The queries; their sort keys never meet.
    """

    def __init__(self, queries: Iterable[Query]) -> None:
        self._ranges = [_Range(query) for query in queries]

    def next(self, limit: int) -> Operation[list[StoredItem] | None]:
        """The next items, as far as they are known to be next; `None` after the last.

        Args:
            limit: Most items to ask each range for; never more than `MOST_ITEMS`.
        """
        empty = [one for one in self._ranges if not one.read and one.query is not None]
        yield from together([_fill(one, limit) for one in empty])
        if not any(one.read for one in self._ranges):
            return None if all(one.query is None for one in self._ranges) else []
        return self._given()

    def _given(self) -> list[StoredItem]:
        """What lies before the end of every range that goes on."""
        if len(self._ranges) == 1:
            (alone,) = self._ranges
            given, alone.read = alone.read, []
            return given
        going_on = [one for one in self._ranges if one.query is not None]
        if any(not one.read for one in going_on):
            return []
        ends = [_path(one.read[-1]) for one in going_on]
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
