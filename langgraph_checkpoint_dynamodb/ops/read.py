"""Reading one checkpoint."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.calls import query_all
from langgraph_checkpoint_dynamodb.codec import decode_tuple, sort_writes
from langgraph_checkpoint_dynamodb.effects import GetItem, Query, both, send
from langgraph_checkpoint_dynamodb.items import CheckpointRecord, read_checkpoint, read_write
from langgraph_checkpoint_dynamodb.keys import CheckpointRef, Table, namespace_range

if TYPE_CHECKING:
    from langgraph.checkpoint.base import CheckpointTuple

    from langgraph_checkpoint_dynamodb.addressing import Address
    from langgraph_checkpoint_dynamodb.effects import Operation
    from langgraph_checkpoint_dynamodb.items import WriteRecord
    from langgraph_checkpoint_dynamodb.ops.store import Store

_SKIP_PAGE = 25
"""Items per page once the newest item has turned out to be no checkpoint of the namespace."""


def get_tuple(store: Store, address: Address) -> Operation[CheckpointTuple | None]:
    """The checkpoint addressed, or the newest of its namespace, with its pending writes."""
    ref = address.checkpoint
    if ref is not None:
        record, writes = yield from both(get_checkpoint(store, ref), pending_writes(store, ref))
        return None if record is None else decode_tuple(store.serde, record, writes)
    record = yield from newest_checkpoint(store, address)
    if record is None:
        return None
    writes = yield from pending_writes(store, record.ref)
    return decode_tuple(store.serde, record, writes)


def get_checkpoint(store: Store, ref: CheckpointRef) -> Operation[CheckpointRecord | None]:
    """The checkpoint of an id, `None` if there is none."""
    item = yield from send(GetItem(Table.CHECKPOINTS, ref.key, store.consistent))
    return None if item is None else read_checkpoint(item)


def newest_checkpoint(store: Store, address: Address) -> Operation[CheckpointRecord | None]:
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
            record = read_checkpoint(item)
            if record is not None and record.ref.checkpoint_ns == address.namespace:
                return record
        if page.next is None:
            return None
        query = replace(query, start=page.next, limit=_SKIP_PAGE)


def pending_writes(store: Store, ref: CheckpointRef) -> Operation[list[WriteRecord]]:
    """The pending writes of a checkpoint, in the order a superstep applies them."""
    items = yield from query_all(Query(Table.WRITES, ref.writes_partition, store.consistent))
    return sort_writes(write for item in items if (write := read_write(item)) is not None)
