"""Reading one checkpoint."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.errors import DeletedBaseError, UnreadableItemError
from langgraph_checkpoint_dynamodb.format.keys import namespace_range
from langgraph_checkpoint_dynamodb.format.tables import Table
from langgraph_checkpoint_dynamodb.items.codec import (
    current_writes,
    decode_tuple,
    holds_snapshot,
    outline_of,
    waits_of,
)
from langgraph_checkpoint_dynamodb.items.writes import data_size
from langgraph_checkpoint_dynamodb.ops.beside import (
    beside_query,
    is_inline,
    read_beside,
    read_rest_beside,
)
from langgraph_checkpoint_dynamodb.ops.chain import link_of
from langgraph_checkpoint_dynamodb.ops.lookup import get_checkpoint, settled, visible_checkpoint
from langgraph_checkpoint_dynamodb.ops.memory import ThreadSeen
from langgraph_checkpoint_dynamodb.ops.parts import (
    base_of_value,
    bases_deleted,
    find_bases,
    load,
    was_deleted_with_base,
)
from langgraph_checkpoint_dynamodb.ops.prolong import prolong
from langgraph_checkpoint_dynamodb.ops.turns import keeps_threads, saw_newest, with_fork
from langgraph_checkpoint_dynamodb.payloads.differences import Progress
from langgraph_checkpoint_dynamodb.payloads.kinds import origin_of
from langgraph_checkpoint_dynamodb.requests.items import Query
from langgraph_checkpoint_dynamodb.requests.operations import both, compute, send

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langgraph.checkpoint.base import CheckpointTuple

    from langgraph_checkpoint_dynamodb.format.addressing import Address
    from langgraph_checkpoint_dynamodb.format.keys import CheckpointRef
    from langgraph_checkpoint_dynamodb.items.checkpoints import CheckpointRecord
    from langgraph_checkpoint_dynamodb.items.writes import WriteRecord
    from langgraph_checkpoint_dynamodb.ops.beside import Beside
    from langgraph_checkpoint_dynamodb.ops.store import Store
    from langgraph_checkpoint_dynamodb.requests.operations import Operation

_SKIP_PAGE = 25
"""Items per page once the newest item has turned out to be no checkpoint of the namespace."""


def get_tuple(store: Store, address: Address) -> Operation[CheckpointTuple | None]:
    """The checkpoint addressed, or the newest of its namespace, with its pending writes."""
    return (yield from settled(store, lambda again: _get_tuple(again, address)))


def complete(store: Store, record: CheckpointRecord) -> Operation[CheckpointTuple]:
    """The tuple of a checkpoint whose item has been read."""
    found, _ = yield from complete_with_writes(store, record)
    return found


def complete_with_writes(
    store: Store, record: CheckpointRecord
) -> Operation[tuple[CheckpointTuple, Sequence[WriteRecord]]]:
    """The same, and its pending writes as they are stored, in the same order."""
    doubts = store.memory.doubts
    beside = yield from read_beside(store, record)
    found = yield from _complete(store, record, beside, doubts)
    return found, current_writes(beside.writes)


def _get_tuple(store: Store, address: Address) -> Operation[CheckpointTuple | None]:
    while True:
        doubts = store.memory.doubts
        looked = yield from _look(store, address)
        if looked is None:
            return None
        record, beside = looked
        try:
            found = yield from _complete(store, record, beside, doubts)
        except DeletedBaseError:
            if address.checkpoint is not None:
                return None
            continue  # The next look passes by all that are differences from the same base.
        break
    if address.checkpoint is None:
        inline = is_inline(record.checkpoint) and is_inline(record.metadata)
        store.memory.saw_newest(record.ref, store.now, inline=inline)
        if keeps_threads(store, record.ref):
            step: object = found.metadata.get("step")
            waits = frozenset(waits_of(found.pending_writes or ()))
            seen = ThreadSeen(record.ref.checkpoint_id, step, waits=waits)
            saw_newest(store, seen, record.ref.thread_id)
    _remember_base(store, record)
    if store.ttl_seconds is not None and holds_snapshot(found.checkpoint):
        # No history is read of it, which would prolong it: it is where histories begin.
        yield from prolong(store, [(record, beside)])
    return found


def _look(store: Store, address: Address) -> Operation[tuple[CheckpointRecord, Beside] | None]:
    """The checkpoint addressed and what lies beside it, and its base is looked for as well."""
    ref = address.checkpoint
    looking = _newest_checkpoint(store, address) if ref is None else _given(store, ref)
    # Usually it is the one that was the newest before: its writes are asked for together.
    ref = _guess(store, address) if ref is None else ref
    if ref is None:
        record, page = (yield from looking), None
    else:
        asking = both(looking, send(beside_query(store, ref)))
        if store.memory.progress(ref) is None:
            record, page = yield from asking
        else:
            (record, page), _ = yield from both(asking, bases_deleted(store, ref.thread_id))
    if record is None:
        return None
    finding = find_bases(store, [(record.ref, record.checkpoint)])
    if page is not None and record.ref == ref:
        beside = yield from read_rest_beside(store, record, page)
        yield from finding
    elif origin_of(record.checkpoint.payload) is None:
        beside = yield from read_beside(store, record)
    else:
        beside, _ = yield from both(read_beside(store, record), finding)
    return record, beside


def _given(store: Store, ref: CheckpointRef) -> Operation[CheckpointRecord | None]:
    looking = get_checkpoint(store, ref)
    return with_fork(store, ref, looking) if store.fences and keeps_threads(store, ref) else looking


def _remember_base(store: Store, record: CheckpointRecord) -> None:
    origin = origin_of(record.checkpoint.payload)
    base = base_of_value(store, record.ref, record.checkpoint)
    progress = None if origin is None or base is None else Progress(base, origin.spent)
    store.memory.reached(record.ref, progress, store.now)


def _guess(store: Store, address: Address) -> CheckpointRef | None:
    known = store.memory.newest(address.thread_id, address.namespace)
    return None if known is None else address.ref(known)


def _complete(
    store: Store, record: CheckpointRecord, beside: Beside, doubts: int
) -> Operation[CheckpointTuple]:
    ordered = current_writes(beside.writes)
    loaded, writes = yield from load(store, record, beside, ordered)
    size = loaded.size + data_size(writes)
    found = yield from compute(lambda: decode_tuple(store.serde, loaded, writes), size)
    _remember(store, record, found, writes, doubts)
    return found


def _remember(
    store: Store,
    record: CheckpointRecord,
    found: CheckpointTuple,
    writes: Sequence[WriteRecord],
    doubts: int,
) -> None:
    if not store.consistent:
        return  # What is old may be remembered no longer than it is told.
    memory, outline = store.memory, outline_of(found.checkpoint, found.metadata)
    if outline.has_deltas or memory.knows_writes(record.ref):
        memory.loaded(record.ref, writes, doubts, store.now)
    if not outline.has_deltas:
        return
    try:
        link = link_of(record, outline)
    except UnreadableItemError:
        return  # Who needs it reads it again, and says so.
    memory.learn(record.ref, link, store.now)


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
            if (
                record is not None
                and record.ref.checkpoint_ns == address.namespace
                and not was_deleted_with_base(store, record.ref, record.checkpoint)
            ):
                return record
        if page.next is None:
            return None
        query = replace(query, start=page.next, limit=_SKIP_PAGE)
