"""Operations of a cache, as data: generators of requests.

A cache may miss at any time, and must never give a wrong value. So an entry that cannot be read
counts as absent, with a warning: the node runs, and its answer takes the place of what is damaged.
What the service refuses is an error all the same.

Parts of a value are stored before its entry and deleted after it: wherever a process stops, an
entry is as it was or as it will be.
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
from langgraph_checkpoint_dynamodb.store.cached import (
    REGISTRY,
    EntryRef,
    entry_of,
    partitions_of,
    registry_key,
)
from langgraph_checkpoint_dynamodb.store.context import EMPTY_SECONDS
from langgraph_checkpoint_dynamodb.store.items import parts_ttl
from langgraph_checkpoint_dynamodb.store.ops.get import read_all
from langgraph_checkpoint_dynamodb.store.ops.parts import discard_of, load_value, store_parts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from langgraph_checkpoint_dynamodb.requests.items import StoredItem
    from langgraph_checkpoint_dynamodb.requests.operations import Operation
    from langgraph_checkpoint_dynamodb.store.context import Context

_log = logging.getLogger("langgraph_checkpoint_dynamodb")

_CLEARED = (Attribute.ROOT, Attribute.PATH, Attribute.payload(Attribute.VALUE))


class _Loaded(NamedTuple):
    """An entry, and the bytes of its value as they were before they were stored."""

    entry: Entry
    data: bytes


@dataclass(frozen=True, slots=True)
class Changes:
    """What a call stores.

    Attributes:
        puts: What is stored.
        gone: What is absent from now on, since it would expire at once. No entry is in both.
    """

    puts: Sequence[EntryPut]
    gone: Sequence[EntryRef]


def get_all(context: Context, refs: Collection[EntryRef]) -> Operation[dict[EntryRef, Any]]:
    """The values of those entries that are there. Each is read once."""
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
    """Store entries, side by side.

    What is small is stored in batches. A batch does not tell what it has replaced: where that had
    parts, they are left to the sweep.
    """
    yield from _enter(context, changes.puts)
    small = [put for put in changes.puts if not put.planned.parts]
    alone = [put for put in changes.puts if put.planned.parts]
    if len(small) == 1:
        alone, small = [*alone, *small], []
    steps = [_put(context, put) for put in alone] + [_delete(context, ref) for ref in changes.gone]
    if small:
        steps.append(write_all([put.planned.put for put in small]))
    yield from together(steps)


def clear(context: Context, namespaces: Collection[str]) -> Operation[None]:
    """Delete every entry of the namespaces of these digests that was there before the call."""
    yield from together(
        [
            _clear_partition(context, partition)
            for namespace in namespaces
            for partition in partitions_of(namespace)
        ]
    )


def clear_all(context: Context) -> Operation[None]:
    """Delete every entry that was there before the call.

    Namespaces go from the registry too, if no process can be about to store something in them
    without entering them anew.
    """
    registered = yield from query_all(Query(Table.STORE, REGISTRY, consistent=True))
    yield from clear(context, [read_key(item, Table.STORE).sort for item in registered])
    yield from together([_take_out(context, item) for item in registered])


def _readable(context: Context, item: StoredItem) -> Entry | None:
    """An entry that counts; `None` also for one that is damaged."""
    try:
        entry = read_entry(item)
    except UnreadableItemError as error:
        _tell_absent(error)
        return None
    return entry if entry.counts(context.moment) else None


def _load(context: Context, entry: Entry) -> Operation[_Loaded | None]:
    """An entry and its value; `None` where it is gone meanwhile, or damaged."""
    try:
        return _Loaded(entry, (yield from load_value(context, entry.ref, entry.value.payload)))
    except MissingPartError as error:
        # Somebody may have replaced the entry and deleted its parts since it was read.
        item = yield from send(GetItem(Table.STORE, entry.ref.primary, consistent=True))
        again = None if item is None else _readable(context, item)
        if again is None:
            return None
        if again.version == entry.version and context.consistent:
            _tell_absent(error)
            return None
    except UnreadableItemError as error:
        _tell_absent(error)
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
        _tell_absent(
            UnreadableItemError(place=str(entry.ref), attribute=Attribute.VALUE, problem=problem)
        )
    else:
        yield entry.ref, value


def _tell_absent(error: UnreadableItemError) -> None:
    _log.warning("a cache entry counts as absent, and may be set anew: %s", error)


def _enter(context: Context, puts: Sequence[EntryPut]) -> Operation[None]:
    """Enter namespaces in the registry, those that this process has not entered lately."""
    namespaces = [(put.ref.namespace,) for put in puts]
    unknown = context.registered.unknown(namespaces, context.now)
    yield from together([_enter_one(context, namespace) for (namespace,) in unknown])


def _enter_one(context: Context, namespace: str) -> Operation[None]:
    touched = typed({Attribute.TOUCHED: context.now})
    yield from send(UpdateItem(Update(Table.STORE, registry_key(namespace), touched)))
    context.registered.entered((namespace,), context.now)


def _put(context: Context, put: EntryPut) -> Operation[None]:
    """Store an entry, and delete the parts of the one it replaces.

    The SDK repeats a request whose answer was lost. It may replace the entry that it has stored
    itself then, whose parts stay; or one of somebody who has deleted these parts meanwhile, and
    then the entry counts as absent.
    """
    ttl = None if put.ttl is None else parts_ttl(put.ttl)
    yield from store_parts(put.ref, put.planned.parts, context.now, ttl)
    outcome = yield from put_one(put.planned.put)
    for replaced in outcome.replaced:
        if replaced.get(Attribute.VERSION) != {"S": context.stamp.token}:
            yield from discard_of(context, put.ref, replaced)


def _delete(context: Context, ref: EntryRef) -> Operation[None]:
    gone = yield from send(DeleteItem(Table.STORE, ref.primary))
    yield from discard_of(context, ref, gone)


def _clear_partition(context: Context, partition: str) -> Operation[None]:
    query: Query | None = Query(Table.STORE, partition, consistent=True, attributes=_CLEARED)
    while query is not None:
        page = yield from send(query)
        keys = [read_key(item, Table.STORE) for item in page.items]
        yield from write_all([Delete(Table.STORE, key) for key in keys])
        refs = [entry_of(*key) for key in keys]
        yield from together(
            [
                discard_of(context, ref, item)
                for ref, item in zip(refs, page.items, strict=True)
                if ref is not None and Attribute.payload(Attribute.VALUE) in item
            ]
        )
        query = None if page.next is None else replace(query, start=page.next)


def _take_out(context: Context, item: StoredItem) -> Operation[None]:
    touched = number_or_none(item, Attribute.TOUCHED)
    if touched is None or touched > context.now - EMPTY_SECONDS:
        return
    key = read_key(item, Table.STORE)
    same = {"N": str(touched)}
    yield from send(DeleteUnchanged(Table.STORE, key, Attribute.TOUCHED, same))
