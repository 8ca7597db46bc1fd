"""Searching items by namespace and by what is in them."""

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
from langgraph_checkpoint_dynamodb.store.ops.get import counts, decode_all, live_on
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

_FEWEST = 32
"""Items that are asked for at first where a filter may drop some."""
_FASTER = 4
"""By how many times more are asked for each time: a filter that drops most is not paid for with a
round trip for every few items."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a search is for.

    Attributes:
        prefix: What the namespaces begin with; empty for all.
        condition: The filter.
        limit: Most items to give.
        offset: How many of them to pass over first.
        used: Whether the lives of those that are given begin anew.
        query: What they are to be similar to; `None` where they need not be similar to anything.
    """

    prefix: Namespace
    condition: Mapping[str, Any]
    limit: int
    offset: int
    used: bool
    query: str | None = None


@dataclass(slots=True)
class Collected:
    """What a search has found so far.

    Attributes:
        missing: How many items may still be given.
        to_skip: How many are to be passed over first.
        found: The items that are given.
    """

    missing: int
    to_skip: int
    found: list[Decoded] = field(default_factory=list)

    def needed(self) -> int:
        """How many items are still to be found."""
        return self.missing + self.to_skip if self.missing else 0

    def skip(self, records: Sequence[ItemRecord]) -> list[ItemRecord]:
        """Those of the next ones that are to be given."""
        skipped = min(self.to_skip, len(records))
        self.to_skip -= skipped
        return list(records[skipped : skipped + self.missing])

    def add(self, found: Sequence[Decoded]) -> None:
        """The next ones are these."""
        skipped = min(self.to_skip, len(found))
        self.to_skip -= skipped
        given = found[skipped : skipped + self.missing]
        self.missing -= len(given)
        self.found += given


def search(context: Context, wanted: Wanted) -> Operation[list[SearchItem]]:
    """Items below a prefix that pass a filter, in the order of namespaces and keys.

    Pages are read until there are enough of them; what does not pass is let go of at once.
    """
    collected = Collected(wanted.limit, wanted.offset)
    yield from collect(context, wanted, collected)
    if wanted.used:
        yield from live_on(context, [one.record for one in collected.found])
    return [search_item(one) for one in collected.found]


def search_item(found: Decoded, score: float | None = None) -> SearchItem:
    """An item as a search gives it, with how similar it is."""
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
    wanted: Wanted,
    collected: Collected,
    among: Callable[[ItemRecord], bool] | None = None,
) -> Operation[None]:
    """Collect items below a prefix that pass a filter, in order, until there are enough.

    Args:
        context: How to read.
        wanted: The prefix and the filter.
        collected: What takes them, and tells how many are enough.
        among: Which items count at all; `None` for all of them.
    """
    if wanted.prefix:
        yield from _collect_below(context, wanted, wanted.prefix, collected, among)
        return
    root: str | None = None
    while collected.missing:
        root = yield from next_root(context, root)
        if root is None:
            break
        yield from _collect_below(context, wanted, (root,), collected, among)


def _collect_below(
    context: Context,
    wanted: Wanted,
    prefix: Namespace,
    collected: Collected,
    among: Callable[[ItemRecord], bool] | None,
) -> Operation[None]:
    range_ = range_below(prefix)
    pages = Merged(
        Query(Table.STORE, partition, context.consistent, range_)
        for partition in partitions_below(prefix, context.spread)
    )
    asked: int | None = None
    while needed := collected.needed():
        asked = _FASTER * asked if asked else needed
        if wanted.condition:
            asked = max(_FEWEST, asked)
        items = yield from pages.next(asked)
        if items is None:
            return
        records = [one for one in _records(context, items) if among is None or among(one)]
        if not wanted.condition:
            collected.add((yield from decode_all(context, collected.skip(records))))
            continue
        rest = yield from not_excluded(context, records, wanted.condition)
        for batch in in_batches(rest, weight):
            decoded = yield from decode_all(context, batch)
            collected.add([one for one in decoded if matches(one.value, wanted.condition)])
            if not collected.missing:
                return


def weight(record: ItemRecord) -> int:
    """Bytes that an item's value takes in memory."""
    found = record.value.payload
    return stored_bytes(found) if found.packed is None else found.packed.size


def _records(context: Context, items: Sequence[StoredItem]) -> list[ItemRecord]:
    records = (read_item(item, context.spread) for item in items)
    return [one for one in records if one is not None and counts(context, one)]


def not_excluded(
    context: Context, records: Sequence[ItemRecord], condition: Mapping[str, Any]
) -> Operation[list[ItemRecord]]:
    """Those whose copied fields do not say already that they do not pass."""
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
