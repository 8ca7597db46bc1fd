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
from langgraph_checkpoint_dynamodb.ops.attachments import (
    attachments_query,
    is_inline,
    read_attachments,
    read_remaining_attachments,
)
from langgraph_checkpoint_dynamodb.ops.bases import (
    base_of_value,
    load_bases,
    read_bases_deleted_at,
    was_deleted_with_base,
)
from langgraph_checkpoint_dynamodb.ops.chain import link_of
from langgraph_checkpoint_dynamodb.ops.memory_entries import KnownThread
from langgraph_checkpoint_dynamodb.ops.rereading import (
    get_checkpoint,
    read_visible_checkpoint,
    reread_until_consistent,
)
from langgraph_checkpoint_dynamodb.ops.thread_item import (
    get_checkpoint_noting_fork,
    keeps_thread_item,
    remember_newest_read,
)
from langgraph_checkpoint_dynamodb.ops.ttl_extension import extend_ttl
from langgraph_checkpoint_dynamodb.ops.values import load
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
    from langgraph_checkpoint_dynamodb.ops.attachments import Attachments
    from langgraph_checkpoint_dynamodb.ops.context import Context
    from langgraph_checkpoint_dynamodb.requests.operations import Operation

_SKIP_PAGE = 25
"""Items per page after the newest item turned out not to be a checkpoint of the namespace."""


def get_tuple(context: Context, address: Address) -> Operation[CheckpointTuple | None]:
    """Read the addressed checkpoint, or the newest of its namespace, with its pending writes."""
    return (yield from reread_until_consistent(context, lambda again: _get_tuple(again, address)))


def load_tuple(context: Context, record: CheckpointRecord) -> Operation[CheckpointTuple]:
    """Load the checkpoint tuple of a checkpoint whose item has been read."""
    found, _ = yield from load_tuple_with_writes(context, record)
    return found


def load_tuple_with_writes(
    context: Context, record: CheckpointRecord
) -> Operation[tuple[CheckpointTuple, Sequence[WriteRecord]]]:
    """The tuple of `load_tuple`, and its pending writes as stored, in the same order."""
    epoch = context.memory.writes_epoch
    attachments = yield from read_attachments(context, record)
    found = yield from _load_tuple(context, record, attachments, epoch)
    return found, current_writes(attachments.writes)


def _get_tuple(context: Context, address: Address) -> Operation[CheckpointTuple | None]:
    while True:
        epoch = context.memory.writes_epoch
        found_checkpoint = yield from _read_with_attachments(context, address)
        if found_checkpoint is None:
            return None
        record, attachments = found_checkpoint
        try:
            found = yield from _load_tuple(context, record, attachments, epoch)
        except DeletedBaseError:
            if address.checkpoint is not None:
                return None
            continue  # The next read skips all checkpoints that are differences from this base.
        break
    if address.checkpoint is None:
        inline = is_inline(record.checkpoint) and is_inline(record.metadata)
        context.memory.remember_newest(record.ref, context.now, inline=inline)
        if keeps_thread_item(context, record.ref):
            step: object = found.metadata.get("step")
            waits = frozenset(waits_of(found.pending_writes or ()))
            seen = KnownThread(record.ref.checkpoint_id, step, waits=waits)
            remember_newest_read(context, seen, record.ref.thread_id)
    _remember_base(context, record)
    if context.ttl_seconds is not None and holds_snapshot(found.checkpoint):
        # Its TTL is extended here because histories start at a snapshot: reading one does not.
        yield from extend_ttl(context, [(record, attachments)])
    return found


def _read_with_attachments(
    context: Context, address: Address
) -> Operation[tuple[CheckpointRecord, Attachments] | None]:
    """Read a checkpoint's item and attachments, and load its base into the context.

    For the newest checkpoint, the attachments of the last known newest are read together with the
    item. If another checkpoint is the newest now, its attachments are read afterwards.
    """
    ref = address.checkpoint
    reading = _newest_checkpoint(context, address) if ref is None else _read_addressed(context, ref)
    ref = _expected_newest(context, address) if ref is None else ref
    if ref is None:
        record, page = (yield from reading), None
    else:
        querying = both(reading, send(attachments_query(context, ref)))
        if context.memory.progress(ref) is None:
            record, page = yield from querying
        else:
            (record, page), _ = yield from both(
                querying, read_bases_deleted_at(context, ref.thread_id)
            )
    if record is None:
        return None
    loading_base = load_bases(context, [(record.ref, record.checkpoint)])
    if page is not None and record.ref == ref:
        attachments = yield from read_remaining_attachments(context, record, page)
        yield from loading_base
    elif origin_of(record.checkpoint.payload) is None:
        attachments = yield from read_attachments(context, record)
    else:
        attachments, _ = yield from both(read_attachments(context, record), loading_base)
    return record, attachments


def _read_addressed(context: Context, ref: CheckpointRef) -> Operation[CheckpointRecord | None]:
    reading = get_checkpoint(context, ref)
    return (
        get_checkpoint_noting_fork(context, ref, reading)
        if context.fences and keeps_thread_item(context, ref)
        else reading
    )


def _remember_base(context: Context, record: CheckpointRecord) -> None:
    origin = origin_of(record.checkpoint.payload)
    base = base_of_value(context, record.ref, record.checkpoint)
    progress = None if origin is None or base is None else Progress(base, origin.spent)
    context.memory.remember_progress(record.ref, progress, context.now)


def _expected_newest(context: Context, address: Address) -> CheckpointRef | None:
    known = context.memory.newest(address.thread_id, address.namespace)
    return None if known is None else address.ref(known)


def _load_tuple(
    context: Context, record: CheckpointRecord, attachments: Attachments, epoch: int
) -> Operation[CheckpointTuple]:
    ordered = current_writes(attachments.writes)
    loaded, writes = yield from load(context, record, attachments, ordered)
    size = loaded.size + data_size(writes)
    found = yield from compute(lambda: decode_tuple(context.serde, loaded, writes), size)
    _remember(context, record, found, writes, epoch)
    return found


def _remember(
    context: Context,
    record: CheckpointRecord,
    found: CheckpointTuple,
    writes: Sequence[WriteRecord],
    epoch: int,
) -> None:
    if not context.consistent:
        return  # The read may be stale, so it must not be remembered.
    memory, outline = context.memory, outline_of(found.checkpoint, found.metadata)
    if outline.has_deltas or memory.knows_writes(record.ref):
        memory.remember_writes(record.ref, writes, epoch, context.now)
    if not outline.has_deltas:
        return
    try:
        link = link_of(record, outline)
    except UnreadableItemError:
        return  # An operation that needs the link reads it again and raises the error.
    memory.remember_link(record.ref, link, context.now)


def _newest_checkpoint(context: Context, address: Address) -> Operation[CheckpointRecord | None]:
    """The checkpoint with the highest id of a namespace; `None` if there is none.

    Reads one item, unless the newest checkpoint is not visible to readers.
    """
    query = Query(
        Table.CHECKPOINTS,
        address.thread_id,
        context.consistent,
        sort=namespace_range(address.namespace),
        forward=False,
        limit=1,
    )
    while True:
        page = yield from send(query)
        for item in page.items:
            record = read_visible_checkpoint(context, item)
            if (
                record is not None
                and record.ref.checkpoint_ns == address.namespace
                and not was_deleted_with_base(context, record.ref, record.checkpoint)
            ):
                return record
        if page.next is None:
            return None
        query = replace(query, start=page.next, limit=_SKIP_PAGE)
