"""Reading one checkpoint."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.codec import current_writes, decode_tuple, holds_snapshot
from langgraph_checkpoint_dynamodb.effects import Query, both, compute, send
from langgraph_checkpoint_dynamodb.items.writes import data_size
from langgraph_checkpoint_dynamodb.keys import Table, namespace_range
from langgraph_checkpoint_dynamodb.ops.lookup import get_checkpoint, settled, visible_checkpoint
from langgraph_checkpoint_dynamodb.ops.parts import (
    beside_query,
    load,
    read_beside,
    read_rest_beside,
)
from langgraph_checkpoint_dynamodb.ops.prolong import prolong

if TYPE_CHECKING:
    from langgraph.checkpoint.base import CheckpointTuple

    from langgraph_checkpoint_dynamodb.addressing import Address
    from langgraph_checkpoint_dynamodb.effects import Operation
    from langgraph_checkpoint_dynamodb.items.checkpoints import CheckpointRecord
    from langgraph_checkpoint_dynamodb.ops.parts import Beside
    from langgraph_checkpoint_dynamodb.ops.store import Store

_SKIP_PAGE = 25
"""Items per page once the newest item has turned out to be no checkpoint of the namespace."""


def get_tuple(store: Store, address: Address) -> Operation[CheckpointTuple | None]:
    """The checkpoint addressed, or the newest of its namespace, with its pending writes."""
    return (yield from settled(store, lambda again: _get_tuple(again, address)))


def complete(store: Store, record: CheckpointRecord) -> Operation[CheckpointTuple]:
    """The tuple of a checkpoint whose item has been read."""
    beside = yield from read_beside(store, record)
    return (yield from _complete(store, record, beside))


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
    ordered = current_writes(beside.writes)
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
            record = visible_checkpoint(store, item)
            if record is not None and record.ref.checkpoint_ns == address.namespace:
                return record
        if page.next is None:
            return None
        query = replace(query, start=page.next, limit=_SKIP_PAGE)
