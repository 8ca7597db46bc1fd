"""Reading one checkpoint."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from langgraph_checkpoint_dynamodb.codec import decode_tuple, holds_snapshot, sort_writes
from langgraph_checkpoint_dynamodb.effects import GetItem, Query, both, compute, send
from langgraph_checkpoint_dynamodb.items.beside import data_size
from langgraph_checkpoint_dynamodb.items.checkpoints import (
    CheckpointRecord,
    read_checkpoint,
    read_checkpoint_head,
)
from langgraph_checkpoint_dynamodb.keys import CheckpointRef, Table, namespace_range
from langgraph_checkpoint_dynamodb.ops.parts import (
    beside_query,
    load,
    read_beside,
    read_rest_beside,
    settled,
)
from langgraph_checkpoint_dynamodb.ops.prolong import prolong

if TYPE_CHECKING:
    from collections.abc import Callable

    from langgraph.checkpoint.base import CheckpointTuple

    from langgraph_checkpoint_dynamodb.addressing import Address
    from langgraph_checkpoint_dynamodb.effects import Operation, StoredItem
    from langgraph_checkpoint_dynamodb.ops.parts import Beside
    from langgraph_checkpoint_dynamodb.ops.store import Store

T = TypeVar("T")

_SKIP_PAGE = 25
"""Items per page once the newest item has turned out to be no checkpoint of the namespace."""


def get_tuple(store: Store, address: Address) -> Operation[CheckpointTuple | None]:
    """The checkpoint addressed, or the newest of its namespace, with its pending writes."""
    return (yield from settled(store, lambda again: _get_tuple(again, address)))


def get_checkpoint(store: Store, ref: CheckpointRef) -> Operation[CheckpointRecord | None]:
    """The checkpoint of an id, `None` if there is none. Its values may be elsewhere."""
    item = yield from send(GetItem(Table.CHECKPOINTS, ref.key, store.consistent))
    return None if item is None else _read(store, item)


def complete(store: Store, record: CheckpointRecord) -> Operation[CheckpointTuple]:
    """The tuple of a checkpoint whose item has been read."""
    beside = yield from read_beside(store, record)
    return (yield from _complete(store, record, beside))


def with_second_look(
    store: Store,
    record: CheckpointRecord,
    action: Callable[[Store, CheckpointRecord], Operation[T]],
) -> Operation[T | None]:
    """Do something with a checkpoint; if a part of it is missing, again with what is there then.

    Another process may have replaced the checkpoint since its item was read. `None` if it has been
    deleted.
    """
    known: list[CheckpointRecord] = [record]

    def look(store: Store) -> Operation[T | None]:
        found = known.pop() if known else (yield from get_checkpoint(store, record.ref))
        return None if found is None else (yield from action(store, found))

    return (yield from settled(store, look))


def _get_tuple(store: Store, address: Address) -> Operation[CheckpointTuple | None]:
    ref = address.checkpoint
    if ref is None:
        record = yield from _newest_checkpoint(store, address)
        if record is None:
            return None
        beside = yield from read_beside(store, record)
    else:
        record, page = yield from both(get_checkpoint(store, ref), send(beside_query(store, ref)))
        if record is None:
            return None
        beside = yield from read_rest_beside(store, record, page)
    found = yield from _complete(store, record, beside)
    if store.ttl_seconds is not None and holds_snapshot(found.checkpoint):
        # No history is read of it, which would prolong it: it is where histories begin.
        yield from prolong(store, [(record, beside)])
    return found


def _complete(store: Store, record: CheckpointRecord, beside: Beside) -> Operation[CheckpointTuple]:
    ordered = sort_writes(beside.writes)
    loaded, writes = yield from load(store, record, beside, ordered)
    size = loaded.size + data_size(writes)
    return (yield from compute(lambda: decode_tuple(store.serde, loaded, writes), size))


def _newest_checkpoint(store: Store, address: Address) -> Operation[CheckpointRecord | None]:
    """The checkpoint with the highest id of a namespace, `None` if there is none.

    Reads one item unless the newest one is no checkpoint to a reader.
    """
    query = Query(
        Table.CHECKPOINTS,
        address.thread_id,
        store.consistent,
        sort=namespace_range(address.namespace),
        forward=False,
        limit=1,
    )
    while True:
        page = yield from send(query)
        for item in page.items:
            record = _read(store, item)
            if record is not None and record.ref.checkpoint_ns == address.namespace:
                return record
        if page.next is None:
            return None
        query = replace(query, start=page.next, limit=_SKIP_PAGE)


def _read(store: Store, item: StoredItem) -> CheckpointRecord | None:
    head = read_checkpoint_head(item, store.now)
    return read_checkpoint(head, item) if head.visible else None
