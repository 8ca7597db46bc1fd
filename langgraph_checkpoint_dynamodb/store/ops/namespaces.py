"""Listing namespaces: those of the registry that have items."""

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
_MOST_UNREGISTERED = 25
"""Maximum number of empty namespaces that one listing removes from the registry."""
_MOST_AT_ONCE = 64
"""Maximum number of namespaces with the same truncated name that are checked concurrently."""
_ATTRIBUTES = (Attribute.ROOT, Attribute.PATH, Attribute.TTL)


@dataclass(frozen=True, slots=True)
class Listing:
    """The arguments of a listing.

    Attributes:
        conditions: Conditions that namespaces must match, all of them.
        max_depth: Number of labels to return; `None` for all.
        limit: Maximum number of names to return.
        offset: Number of names to skip.
    """

    conditions: tuple[MatchCondition, ...]
    max_depth: int | None
    limit: int
    offset: int

    @property
    def prefix(self) -> Namespace:
        """The longest prefix without wildcards that all matching namespaces have."""
        prefixes = [one.path for one in self.conditions if one.match_type == "prefix"]
        return max((_plain(path) for path in prefixes), key=len, default=())

    def matches(self, namespace: Namespace) -> bool:
        """Whether a namespace matches."""
        return all(_matches(one, namespace) for one in self.conditions)


@dataclass(slots=True)
class _Listed:
    """The namespaces that a listing has found so far.

    Attributes:
        needed: Number of names needed.
        names: Names of namespaces with items, in order.
        empty: Registrations of namespaces without items.
    """

    needed: int
    names: list[Namespace] = field(default_factory=list)
    empty: list[Registration] = field(default_factory=list)

    @property
    def missing(self) -> int:
        """Number of names that are still to be found."""
        return self.needed - len(self.names)


def list_namespaces(context: Context, listing: Listing) -> Operation[list[Namespace]]:
    """The matching namespaces that have items, sorted by their labels.

    Raises:
        TableMismatchError: A store with another spread uses the table.
    """
    listed = _Listed(listing.offset + listing.limit if listing.limit else 0)
    pages = _registry(context, listing.prefix)
    asked = listed.needed
    while listed.missing > 0:
        items = yield from pages.next(asked)
        asked *= 2
        if items is None:
            break
        entries = [one for one in _entries(context, items) if listing.matches(one.namespace)]
        yield from _list_page(context, listing, entries, listed)
    yield from unregister_empty(context, listed.empty)
    return listed.names[listing.offset :][: listing.limit]


def next_root(context: Context, after: str | None) -> Operation[str | None]:
    """The next root label in the registry; `None` after the last."""
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
    context: Context, listing: Listing, entries: Sequence[Registration], listed: _Listed
) -> Operation[None]:
    """Add the namespaces of a page that have items. Those with the same name are adjacent."""
    groups = [
        (name, list(group))
        for name, group in groupby(entries, lambda one: one.namespace[: listing.max_depth])
        if name not in listed.names[-1:]
    ]
    while groups and listed.missing > 0:
        some, groups = groups[: listed.missing], groups[listed.missing :]
        decided = yield from together([_has_items(context, group) for _, group in some])
        for (name, _), (there, empty) in zip(some, decided, strict=True):
            listed.empty += empty[: _MOST_UNREGISTERED - len(listed.empty)]
            if there:
                listed.names.append(name)


def _has_items(
    context: Context, group: Sequence[Registration]
) -> Operation[tuple[bool, list[Registration]]]:
    """Whether one of the namespaces has items, and those that were found empty."""
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
        if any(_is_visible(context, item) for item in items):
            return True
        asked *= 4
    return False


def _own_items(namespace: Namespace, spread: int, *, consistent: bool) -> Merged:
    range_ = range_directly_in(namespace)
    return Merged(
        Query(Table.STORE, partition, consistent, range_, attributes=_ATTRIBUTES)
        for partition in partitions_below(namespace, spread)
    )


def _is_visible(context: Context, item: StoredItem) -> bool:
    if not context.omits_expired:
        return True
    ttl = number_or_none(item, Attribute.TTL)
    return ttl is None or ttl > context.moment


def unregister_empty(
    context: Context, entries: Sequence[Registration], most: int = _MOST_UNREGISTERED
) -> Operation[int]:
    """Remove empty namespaces from the registry, and return their number.

    Only old registrations are removed: every process would register such a namespace again before
    storing an item in it.
    """
    stale = [one for one in entries if one.touched <= context.now - EMPTY_SECONDS]
    unregistered = yield from together([_unregister_if_empty(one) for one in stale[:most]])
    return sum(unregistered)


def _unregister_if_empty(entry: Registration) -> Operation[bool]:
    # Expired items count here: a reader that does not omit them may refresh their TTL.
    pages = _own_items(entry.namespace, entry.spread, consistent=True)
    try:
        while (items := (yield from pages.next(1))) is not None:
            if items:
                return False
        # Does nothing if a process that is storing an item in it has renewed the registration.
        touched = {"N": str(entry.touched)}
        return (
            yield from send(DeleteUnchanged(Table.STORE, entry.key, Attribute.TOUCHED, touched))
        )
    except DynamoDBSaverError as error:
        # A reader without write access may list, too. The namespace is checked again next time.
        _log.info(
            "empty namespace %r was not removed from the registry: %s", entry.namespace, error
        )
        return False


def _plain(path: Sequence[str]) -> Namespace:
    """The labels before the first wildcard."""
    labels = list(path)
    return tuple(labels[: labels.index(_ANY)] if _ANY in labels else labels)


def _matches(condition: MatchCondition, namespace: Namespace) -> bool:
    path = condition.path
    if len(namespace) < len(path):
        return False
    first = 0 if condition.match_type == "prefix" else len(namespace) - len(path)
    found = namespace[first : first + len(path)]
    return all(wanted in (_ANY, label) for label, wanted in zip(found, path, strict=True))
