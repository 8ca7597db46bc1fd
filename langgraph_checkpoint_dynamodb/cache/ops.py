"""Operations of a cache, as data: generators of requests.

A cache may miss at any time, but must never return a wrong value. So an unreadable entry is treated
as absent, with a warning: the node runs, and its result replaces the damaged entry. Errors of the
service are raised.

Parts of a value are stored before its entry and deleted after it: if the process stops at any
point, the entry is either the old one or the new one.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from langgraph_checkpoint_dynamodb.cache.entries import Entry, EntryPut, read_entry
from langgraph_checkpoint_dynamodb.errors import MissingPartError, UnreadableItemError
from langgraph_checkpoint_dynamodb.format.tables import Attribute, Table
from langgraph_checkpoint_dynamodb.items.attributes import number_or_none, read_key, typed
from langgraph_checkpoint_dynamodb.payloads.kinds import Inline
from langgraph_checkpoint_dynamodb.requests.calls import put_one, query_all, write_all
from langgraph_checkpoint_dynamodb.requests.items import (
    Delete,
    DeleteItem,
    DeleteUnchanged,
    GetItem,
    Query,
    Update,
    UpdateItem,
)
from langgraph_checkpoint_dynamodb.requests.operations import compute, send, together
from langgraph_checkpoint_dynamodb.store.cache_keys import (
    REGISTRY,
    EntryRef,
    entry_of,
    partitions_of,
    registry_key,
)
from langgraph_checkpoint_dynamodb.store.context import EMPTY_SECONDS
from langgraph_checkpoint_dynamodb.store.items import parts_ttl
from langgraph_checkpoint_dynamodb.store.ops.get import read_all
from langgraph_checkpoint_dynamodb.store.ops.parts import delete_parts_of, load_value, store_parts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from langgraph_checkpoint_dynamodb.requests.items import StoredItem
    from langgraph_checkpoint_dynamodb.requests.operations import Operation
    from langgraph_checkpoint_dynamodb.store.context import Context

_log = logging.getLogger("langgraph_checkpoint_dynamodb")

_ATTRIBUTES = (Attribute.ROOT, Attribute.PATH, Attribute.payload(Attribute.VALUE))


class _Loaded(NamedTuple):
    """An entry, and the serialized bytes of its value."""

    entry: Entry
    data: bytes


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes of one `set` call. No entry is in both lists.

    Attributes:
        puts: The entries to store.
        deletes: The entries to delete, because their time to live is 0 or less.
    """

    puts: Sequence[EntryPut]
    deletes: Sequence[EntryRef]


def get_all(context: Context, refs: Collection[EntryRef]) -> Operation[dict[EntryRef, Any]]:
    """The values of the entries that exist. Each is read once."""
    items = yield from read_all(context, [ref.primary for ref in refs])
    entries = [entry for item in items if (entry := _readable(context, item)) is not None]
    outside = [one for one in entries if not isinstance(one.value.payload, Inline)]
    fetched = iter((yield from together([_load(context, one) for one in outside])))
    found = []
    for entry in entries:
        inline = isinstance(entry.value.payload, Inline)
        loaded = (yield from _load(context, entry)) if inline else next(fetched)
        if loaded is not None:
            found.append(loaded)
    return (yield from compute(partial(_decoded, context, found), sum(len(d) for _, d in found)))


def set_all(context: Context, changes: Changes) -> Operation[None]:
    """Store entries concurrently.

    Small entries are stored in batches. A batch does not return the items it replaces, so their
    parts are left to the sweep.
    """
    yield from _register(context, changes.puts)
    small = [put for put in changes.puts if not put.planned.parts]
    alone = [put for put in changes.puts if put.planned.parts]
    if len(small) == 1:
        alone, small = [*alone, *small], []
    steps = [_put(context, put) for put in alone] + [
        _delete(context, ref) for ref in changes.deletes
    ]
    if small:
        steps.append(write_all([put.planned.put for put in small]))
    yield from together(steps)


def clear(context: Context, namespaces: Collection[str]) -> Operation[None]:
    """Delete the entries of the namespaces with these digests, as of the start of the call."""
    yield from together(
        [
            _clear_partition(context, partition)
            for namespace in namespaces
            for partition in partitions_of(namespace)
        ]
    )


def clear_all(context: Context) -> Operation[None]:
    """Delete all entries, as of the start of the call.

    Namespaces are removed from the registry too, once every process would register them again
    before storing an entry in them.
    """
    registered = yield from query_all(Query(Table.STORE, REGISTRY, consistent=True))
    yield from clear(context, [read_key(item, Table.STORE).sort for item in registered])
    yield from together([_unregister_if_old(context, item) for item in registered])


def _readable(context: Context, item: StoredItem) -> Entry | None:
    """The entry in an item; `None` if it has expired or is damaged."""
    try:
        entry = read_entry(item)
    except UnreadableItemError as error:
        _warn_absent(error)
        return None
    return entry if entry.is_live(context.moment) else None


def _load(context: Context, entry: Entry) -> Operation[_Loaded | None]:
    """An entry and its value; `None` if it was deleted meanwhile, or is damaged."""
    try:
        return _Loaded(entry, (yield from load_value(context, entry.ref, entry.value.payload)))
    except MissingPartError as error:
        # Another process may have replaced the entry and deleted its parts since it was read.
        item = yield from send(GetItem(Table.STORE, entry.ref.primary, consistent=True))
        again = None if item is None else _readable(context, item)
        if again is None:
            return None
        if again.version == entry.version and context.consistent:
            _warn_absent(error)
            return None
    except UnreadableItemError as error:
        _warn_absent(error)
        return None
    return (yield from _load(context.consistently(), again))


def _decoded(context: Context, loaded: Sequence[_Loaded]) -> dict[EntryRef, Any]:
    return {ref: value for one in loaded for ref, value in _decoded_one(context, one)}


def _decoded_one(context: Context, loaded: _Loaded) -> Iterator[tuple[EntryRef, Any]]:
    entry, data = loaded
    try:
        value = context.serde.loads_typed((entry.value.type, data))
    except Exception as error:
        problem = (
            f"of type {entry.value.type!r} cannot be loaded by {type(context.serde).__name__} "
            f"({type(error).__name__})"
        )
        _warn_absent(
            UnreadableItemError(place=str(entry.ref), attribute=Attribute.VALUE, problem=problem)
        )
    else:
        yield entry.ref, value


def _warn_absent(error: UnreadableItemError) -> None:
    _log.warning("a cache entry counts as absent until it is set again: %s", error)


def _register(context: Context, puts: Sequence[EntryPut]) -> Operation[None]:
    """Add namespaces to the registry, unless this process has done so recently."""
    namespaces = [(put.ref.namespace,) for put in puts]
    unknown = context.memory.unregistered(namespaces, context.now)
    yield from together([_register_one(context, namespace) for (namespace,) in unknown])


def _register_one(context: Context, namespace: str) -> Operation[None]:
    touched = typed({Attribute.TOUCHED: context.now})
    yield from send(UpdateItem(Update(Table.STORE, registry_key(namespace), touched)))
    context.memory.remember_namespace((namespace,), context.now)


def _put(context: Context, put: EntryPut) -> Operation[None]:
    """Store an entry, and delete the parts of the entry it replaces.

    The SDK retries a request whose reply was lost. The retry may replace the entry of the first
    attempt, whose parts must stay. Or it may replace the entry of another process that has deleted
    these parts meanwhile; then the new entry is unreadable and counts as absent.
    """
    ttl = None if put.ttl is None else parts_ttl(put.ttl)
    yield from store_parts(put.ref, put.planned.parts, context.now, ttl)
    outcome = yield from put_one(put.planned.put)
    for replaced in outcome.replaced:
        if replaced.get(Attribute.VERSION) != {"S": context.stamp.token}:
            yield from delete_parts_of(context, put.ref, replaced)


def _delete(context: Context, ref: EntryRef) -> Operation[None]:
    deleted = yield from send(DeleteItem(Table.STORE, ref.primary))
    yield from delete_parts_of(context, ref, deleted)


def _clear_partition(context: Context, partition: str) -> Operation[None]:
    query: Query | None = Query(Table.STORE, partition, consistent=True, attributes=_ATTRIBUTES)
    while query is not None:
        page = yield from send(query)
        keys = [read_key(item, Table.STORE) for item in page.items]
        yield from write_all([Delete(Table.STORE, key) for key in keys])
        refs = [entry_of(*key) for key in keys]
        yield from together(
            [
                delete_parts_of(context, ref, item)
                for ref, item in zip(refs, page.items, strict=True)
                if ref is not None and Attribute.payload(Attribute.VALUE) in item
            ]
        )
        query = None if page.next is None else replace(query, start=page.next)


def _unregister_if_old(context: Context, item: StoredItem) -> Operation[None]:
    touched = number_or_none(item, Attribute.TOUCHED)
    if touched is None or touched > context.now - EMPTY_SECONDS:
        return
    key = read_key(item, Table.STORE)
    same = {"N": str(touched)}
    yield from send(DeleteUnchanged(Table.STORE, key, Attribute.TOUCHED, same))
