"""Listing namespaces: from the registry, those that have items."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.errors import DynamoDBSaverError
from langgraph_checkpoint_dynamodb.format.tables import Attribute, Table
from langgraph_checkpoint_dynamodb.items.attributes import number_or_none
from langgraph_checkpoint_dynamodb.requests.items import DeleteUnchanged, Query
from langgraph_checkpoint_dynamodb.requests.operations import send, together
from langgraph_checkpoint_dynamodb.store.context import EMPTY_SECONDS
from langgraph_checkpoint_dynamodb.store.keys import (
    Namespace,
    partitions_below,
    range_directly_in,
    registry_partitions,
    registry_range,
)
from langgraph_checkpoint_dynamodb.store.ops.merged import Merged
from langgraph_checkpoint_dynamodb.store.ops.put import other_spread
from langgraph_checkpoint_dynamodb.store.registry import Registration, read_registration

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from langgraph.store.base import MatchCondition

    from langgraph_checkpoint_dynamodb.requests.items import StoredItem
    from langgraph_checkpoint_dynamodb.requests.operations import Operation
    from langgraph_checkpoint_dynamodb.store.context import Context

_log = logging.getLogger("langgraph_checkpoint_dynamodb")

_ANY = "*"
_MOST_TAKEN_OUT = 25
"""Empty namespaces that one listing takes out of the registry, at most."""
_MOST_AT_ONCE = 64
"""Namespaces of the same name that are looked into side by side, after the first few."""
_LIFE = (Attribute.ROOT, Attribute.PATH, Attribute.TTL)


@dataclass(frozen=True, slots=True)
class Listing:
    """Which namespaces are wanted.

    Attributes:
        conditions: What they must match, all of it.
        max_depth: How many of their labels are given; `None` for all.
        limit: Most of them to give.
        offset: How many of them to pass over first.
    """

    conditions: tuple[MatchCondition, ...]
    max_depth: int | None
    limit: int
    offset: int

    @property
    def prefix(self) -> Namespace:
        """The longest text that all of them begin with, by what is asked."""
        prefixes = [one.path for one in self.conditions if one.match_type == "prefix"]
        return max((_plain(path) for path in prefixes), key=len, default=())

    def matches(self, namespace: Namespace) -> bool:
        """Whether a namespace matches."""
        return all(_matches(one, namespace) for one in self.conditions)


@dataclass(slots=True)
class _Listed:
    """What a listing has found.

    Attributes:
        needed: How many names are needed.
        names: Those that have items, in order.
        empty: Entries of the registry that have none.
    """

    needed: int
    names: list[Namespace] = field(default_factory=list)
    empty: list[Registration] = field(default_factory=list)

    @property
    def missing(self) -> int:
        """How many are still to be found."""
        return self.needed - len(self.names)


def list_namespaces(context: Context, wanted: Listing) -> Operation[list[Namespace]]:
    """The namespaces that have items and match, in the order of their labels.

    Raises:
        TableMismatchError: The table is of a store with another spread.
    """
    listed = _Listed(wanted.offset + wanted.limit if wanted.limit else 0)
    pages = _registry(context, wanted.prefix)
    asked = listed.needed
    while listed.missing > 0:
        items = yield from pages.next(asked)
        asked *= 2
        if items is None:
            break
        entries = [one for one in _entries(context, items) if wanted.matches(one.namespace)]
        yield from _list_page(context, wanted, entries, listed)
    yield from take_out(context, listed.empty)
    return listed.names[wanted.offset :][: wanted.limit]


def next_root(context: Context, after: str | None) -> Operation[str | None]:
    """The first root label in the registry after another one; `None` after the last."""
    pages = _registry(context, (), None if after is None else (after,))
    while (items := (yield from pages.next(1))) is not None:
        for entry in _entries(context, items):
            return entry.namespace[0]
    return None


def _registry(context: Context, prefix: Namespace, after: Namespace | None = None) -> Merged:
    range_ = registry_range(prefix, after)
    return Merged(
        Query(Table.STORE, partition, context.consistent, range_)
        for partition in registry_partitions(prefix)
    )


def _entries(context: Context, items: Iterable[StoredItem]) -> Iterator[Registration]:
    for item in items:
        entry = read_registration(item)
        if entry.spread != context.spread:
            raise other_spread(context, entry.namespace)
        yield entry


def _list_page(
    context: Context, wanted: Listing, entries: Sequence[Registration], listed: _Listed
) -> Operation[None]:
    """Add those of a page that have items. Namespaces of the same name follow one another."""
    groups = [
        (name, list(group))
        for name, group in groupby(entries, lambda one: one.namespace[: wanted.max_depth])
        if name not in listed.names[-1:]
    ]
    while groups and listed.missing > 0:
        some, groups = groups[: listed.missing], groups[listed.missing :]
        decided = yield from together([_has_items(context, group) for _, group in some])
        for (name, _), (there, empty) in zip(some, decided, strict=True):
            listed.empty += empty[: _MOST_TAKEN_OUT - len(listed.empty)]
            if there:
                listed.names.append(name)


def _has_items(
    context: Context, group: Sequence[Registration]
) -> Operation[tuple[bool, list[Registration]]]:
    """Whether one of some namespaces has items, and which of them were seen to have none."""
    empty: list[Registration] = []
    size = 1
    while len(empty) < len(group):
        some = group[len(empty) :][:size]
        there = yield from together([_has_item(context, one.namespace) for one in some])
        if any(there):
            return True, empty + [one for one, has in zip(some, there, strict=True) if not has]
        empty += some
        size = min(size * 4, _MOST_AT_ONCE)
    return False, empty


def _has_item(context: Context, namespace: Namespace) -> Operation[bool]:
    pages = _own_items(namespace, context.spread, consistent=context.consistent)
    asked = 1
    while (items := (yield from pages.next(asked))) is not None:
        if any(_counts(context, item) for item in items):
            return True
        asked *= 4
    return False


def _own_items(namespace: Namespace, spread: int, *, consistent: bool) -> Merged:
    range_ = range_directly_in(namespace)
    return Merged(
        Query(Table.STORE, partition, consistent, range_, attributes=_LIFE)
        for partition in partitions_below(namespace, spread)
    )


def _counts(context: Context, item: StoredItem) -> bool:
    if not context.omits_expired:
        return True
    ttl = number_or_none(item, Attribute.TTL)
    return ttl is None or ttl > context.moment


def take_out(
    context: Context, entries: Sequence[Registration], most: int = _MOST_TAKEN_OUT
) -> Operation[int]:
    """Take namespaces out of the registry that are empty; tells how many.

    Only those that no process can be about to store something in without entering them anew.
    """
    stale = [one for one in entries if one.touched <= context.now - EMPTY_SECONDS]
    taken_out = yield from together([_take_out(one) for one in stale[:most]])
    return sum(taken_out)


def _take_out(entry: Registration) -> Operation[bool]:
    # Expired items count here: they may yet live on for a reader that does not leave them out.
    pages = _own_items(entry.namespace, entry.spread, consistent=True)
    try:
        while (items := (yield from pages.next(1))) is not None:
            if items:
                return False
        # Whoever stores something in it now has entered it anew, which this does not undo.
        touched = {"N": str(entry.touched)}
        return (
            yield from send(DeleteUnchanged(Table.STORE, entry.key, Attribute.TOUCHED, touched))
        )
    except DynamoDBSaverError as error:
        # One that may only read lists as well: it looks again the next time.
        _log.info("the empty namespace %r stays in the registry: %s", entry.namespace, error)
        return False


def _plain(path: Sequence[str]) -> Namespace:
    """The labels before the first that may be any."""
    labels = list(path)
    return tuple(labels[: labels.index(_ANY)] if _ANY in labels else labels)


def _matches(condition: MatchCondition, namespace: Namespace) -> bool:
    path = condition.path
    if len(namespace) < len(path):
        return False
    first = 0 if condition.match_type == "prefix" else len(namespace) - len(path)
    found = namespace[first : first + len(path)]
    return all(wanted in (_ANY, label) for label, wanted in zip(found, path, strict=True))
