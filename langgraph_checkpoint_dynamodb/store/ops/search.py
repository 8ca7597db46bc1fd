"""Searching items by namespace and filter."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from langgraph.store.base import SearchItem

from langgraph_checkpoint_dynamodb.format.tables import Table
from langgraph_checkpoint_dynamodb.ops.parts import in_batches
from langgraph_checkpoint_dynamodb.payloads.kinds import stored_bytes
from langgraph_checkpoint_dynamodb.requests.items import Query
from langgraph_checkpoint_dynamodb.requests.operations import compute
from langgraph_checkpoint_dynamodb.store.filters import matches
from langgraph_checkpoint_dynamodb.store.items import read_item
from langgraph_checkpoint_dynamodb.store.keys import partitions_below, range_below
from langgraph_checkpoint_dynamodb.store.ops.get import decode_all, is_visible, refresh_ttls
from langgraph_checkpoint_dynamodb.store.ops.merged import Merged
from langgraph_checkpoint_dynamodb.store.ops.namespaces import next_root
from langgraph_checkpoint_dynamodb.store.ops.parts import is_outside

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from langgraph_checkpoint_dynamodb.requests.items import StoredItem
    from langgraph_checkpoint_dynamodb.requests.operations import Operation
    from langgraph_checkpoint_dynamodb.store.context import Context
    from langgraph_checkpoint_dynamodb.store.items import ItemRecord
    from langgraph_checkpoint_dynamodb.store.keys import Namespace
    from langgraph_checkpoint_dynamodb.store.ops.get import Decoded

_MIN_PAGE = 32
"""Minimum limit of the first page if there is a filter."""
_GROWTH = 4
"""Factor by which the limit grows from page to page: a filter that drops most items must not cost a
round trip for every few of them."""


@dataclass(frozen=True, slots=True)
class Criteria:
    """The arguments of a search.

    Attributes:
        prefix: Prefix of the namespaces; empty for all.
        condition: The filter.
        limit: Maximum number of items to return.
        offset: Number of matching items to skip.
        refresh_ttl: Whether the search refreshes the TTL of the items it returns.
        query: Text of a vector search; `None` for any other search.
    """

    prefix: Namespace
    condition: Mapping[str, Any]
    limit: int
    offset: int
    refresh_ttl: bool
    query: str | None = None


@dataclass(slots=True)
class Collected:
    """The items that a search has found so far.

    Attributes:
        missing: Number of items that may still be returned.
        to_skip: Number of items to skip before them.
        found: The items to return.
    """

    missing: int
    to_skip: int
    found: list[Decoded] = field(default_factory=list)

    def needed(self) -> int:
        """Number of items that are still to be found."""
        return self.missing + self.to_skip if self.missing else 0

    def skip(self, records: Sequence[ItemRecord]) -> list[ItemRecord]:
        """Count the next items, and return those that are not skipped."""
        skipped = min(self.to_skip, len(records))
        self.to_skip -= skipped
        return list(records[skipped : skipped + self.missing])

    def add(self, found: Sequence[Decoded]) -> None:
        """Add the next items, after those to skip, up to the limit."""
        skipped = min(self.to_skip, len(found))
        self.to_skip -= skipped
        given = found[skipped : skipped + self.missing]
        self.missing -= len(given)
        self.found += given


def search(context: Context, criteria: Criteria) -> Operation[list[SearchItem]]:
    """Items below a prefix that match a filter, sorted by namespace and key.

    Pages are read until there are enough items; items that do not match are dropped at once.
    """
    collected = Collected(criteria.limit, criteria.offset)
    yield from collect(context, criteria, collected)
    if criteria.refresh_ttl:
        yield from refresh_ttls(context, [one.record for one in collected.found])
    return [search_item(one) for one in collected.found]


def search_item(found: Decoded, score: float | None = None) -> SearchItem:
    """LangGraph's type of an item and its score."""
    record, value = found
    return SearchItem(
        namespace=record.ref.namespace,
        key=record.ref.key,
        value=value,
        created_at=record.moment,
        updated_at=record.moment,
        score=score,
    )


def collect(
    context: Context,
    criteria: Criteria,
    collected: Collected,
    is_candidate: Callable[[ItemRecord], bool] | None = None,
) -> Operation[None]:
    """Collect items below a prefix that match a filter, in order, until there are enough.

    Args:
        context: Settings and time of the call.
        criteria: The prefix and the filter.
        collected: Takes the items, and knows how many are missing.
        is_candidate: Selects the items to consider; `None` for all of them.
    """
    if criteria.prefix:
        yield from _collect_below(context, criteria, criteria.prefix, collected, is_candidate)
        return
    root: str | None = None
    while collected.missing:
        root = yield from next_root(context, root)
        if root is None:
            break
        yield from _collect_below(context, criteria, (root,), collected, is_candidate)


def _collect_below(
    context: Context,
    criteria: Criteria,
    prefix: Namespace,
    collected: Collected,
    is_candidate: Callable[[ItemRecord], bool] | None,
) -> Operation[None]:
    range_ = range_below(prefix)
    pages = Merged(
        Query(Table.STORE, partition, context.consistent, range_)
        for partition in partitions_below(prefix, context.spread)
    )
    asked: int | None = None
    while needed := collected.needed():
        asked = _GROWTH * asked if asked else needed
        if criteria.condition:
            asked = max(_MIN_PAGE, asked)
        items = yield from pages.next(asked)
        if items is None:
            return
        records = [
            one for one in _records(context, items) if is_candidate is None or is_candidate(one)
        ]
        if not criteria.condition:
            collected.add((yield from decode_all(context, collected.skip(records))))
            continue
        yield from collect_matching(context, criteria, records, collected)


def collect_matching(
    context: Context, criteria: Criteria, records: Sequence[ItemRecord], collected: Collected
) -> Operation[None]:
    """Collect those of the items that match the filter, in order, until there are enough."""
    rest = yield from _prefilter(context, records, criteria.condition)
    for batch in in_batches(rest, _weight):
        decoded = yield from decode_all(context, batch)
        collected.add([one for one in decoded if matches(one.value, criteria.condition)])
        if not collected.missing:
            return


def _weight(record: ItemRecord) -> int:
    """Bytes of an item's value in memory."""
    found = record.value.payload
    return stored_bytes(found) if found.packed is None else found.packed.size


def _records(context: Context, items: Sequence[StoredItem]) -> list[ItemRecord]:
    records = (read_item(item, context.spread) for item in items)
    return [one for one in records if one is not None and is_visible(context, one)]


def _prefilter(
    context: Context, records: Sequence[ItemRecord], condition: Mapping[str, Any]
) -> Operation[list[ItemRecord]]:
    """The items that may match a filter, judging by their copied fields."""
    if not any(map(is_outside, records)):
        return list(records)
    size = sum(stored_bytes(one.copied.payload) for one in records if one.copied is not None)
    return (yield from compute(partial(_may_pass, context, records, condition), size))


def _may_pass(
    context: Context, records: Sequence[ItemRecord], condition: Mapping[str, Any]
) -> list[ItemRecord]:
    passing = []
    for record in records:
        fields = record.fields(context.serde)
        if fields is None or not condition.keys() <= fields.keys() or matches(fields, condition):
            passing.append(record)
    return passing
