"""Storing checkpoints and pending writes. Everything is serialized before an operation begins.

What does not fit into an item is stored first, then the item that refers to it: the one request
that makes the checkpoint or the writes exist.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.format.keys import CheckpointRef
from langgraph_checkpoint_dynamodb.format.write_keys import task_range
from langgraph_checkpoint_dynamodb.items.bases import plan_checkpoint
from langgraph_checkpoint_dynamodb.items.carried_writes import carried_attribute, select_carried
from langgraph_checkpoint_dynamodb.items.payload_attributes import outside_if_readable
from langgraph_checkpoint_dynamodb.items.write_plans import plan_writes, put_single
from langgraph_checkpoint_dynamodb.items.writes import data_size, places_held
from langgraph_checkpoint_dynamodb.ops.attachments import attachments_query, is_inline
from langgraph_checkpoint_dynamodb.ops.memory_entries import Link
from langgraph_checkpoint_dynamodb.ops.parts import discard, store_parts
from langgraph_checkpoint_dynamodb.ops.thread_item import (
    changes_thread_item,
    put_checkpoint_and_thread_item,
    put_writes_and_thread_item,
)
from langgraph_checkpoint_dynamodb.payloads.differences import base_stamp
from langgraph_checkpoint_dynamodb.requests.calls import (
    if_possible,
    put_atomically,
    put_one,
    put_together,
    query_all,
)
from langgraph_checkpoint_dynamodb.requests.items import GetItem
from langgraph_checkpoint_dynamodb.requests.operations import compute, send, together

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from langgraph_checkpoint_dynamodb.format.life import Stamp
    from langgraph_checkpoint_dynamodb.items.checkpoints import CheckpointRecord
    from langgraph_checkpoint_dynamodb.items.values import ItemPlan
    from langgraph_checkpoint_dynamodb.items.write_plans import TaskPlan
    from langgraph_checkpoint_dynamodb.items.writes import WriteRecord
    from langgraph_checkpoint_dynamodb.ops.context import Context
    from langgraph_checkpoint_dynamodb.ops.thread_item import RunInfo, TaskStatus
    from langgraph_checkpoint_dynamodb.payloads.differences import Progress
    from langgraph_checkpoint_dynamodb.requests.calls import Outcome
    from langgraph_checkpoint_dynamodb.requests.items import Put, StoredItem
    from langgraph_checkpoint_dynamodb.requests.operations import Operation


def put_checkpoint(
    context: Context, record: CheckpointRecord, run: RunInfo | None = None
) -> Operation[None]:
    """Store a checkpoint, replacing one of the same id.

    Args:
        context: Settings, serializer, clock and memory of the call.
        record: The checkpoint.
        run: What it says of its run, where threads are kept; `None` elsewhere.
    """
    carried = _carried(context, record)
    record = replace(record, carried=carried_attribute(carried))
    effort = context.payloads.effort(record.size)
    before = _progress(context, record)
    keeps = context.memory.can_keep_base
    plan = yield from compute(
        lambda: plan_checkpoint(record, context.payloads, context.stamp, before, keeps), effort
    )
    if plan.base is not None and plan.progress is not None:
        yield from _put_planned(plan.progress.base.ref, plan.base, base_stamp(context.stamp))
    planned = plan.planned
    if run is None:
        outcome = yield from _put_planned(record.ref, planned, context.stamp)
    else:
        yield from store_parts(record.ref, planned.parts, context.stamp)
        outcome = yield from put_checkpoint_and_thread_item(context, record, planned.put, run)
    if not (planned.parts or outcome.replaced or outcome.unsure):
        context.memory.remember_created(record.ref, context.now)
    _remember(context, record, carried, inline=not planned.parts)
    context.memory.remember_progress(record.ref, plan.progress, context.now)
    yield from _discard_replaced(context, record.ref, outcome.replaced)


def _put_planned(ref: CheckpointRef, planned: ItemPlan, stamp: Stamp) -> Operation[Outcome]:
    """Store parts, then the item that refers to them."""
    yield from store_parts(ref, planned.parts, stamp)
    if planned.parts:
        return (yield from put_atomically([planned.put], once=True))
    return (yield from put_one(planned.put))


def _progress(context: Context, record: CheckpointRecord) -> Progress | None:
    """How far the differences had come at the parent, where this process knows."""
    parent = _parent(record)
    if not context.payloads.incremental or parent is None:
        return None
    return context.memory.progress(parent)


def _carried(context: Context, record: CheckpointRecord) -> dict[str, tuple[WriteRecord, ...]]:
    """What the checkpoint carries of its parent's writes: nothing where not all are known."""
    channels = () if record.outline is None else record.outline.delta_channels
    parent = _parent(record)
    if parent is None:
        return {}
    writes = context.memory.writes(parent)
    context.memory.forget_writes(parent)
    return {} if writes is None else select_carried(channels, writes)


def _parent(record: CheckpointRecord) -> CheckpointRef | None:
    ref = record.ref
    if record.parent_id is None:
        return None
    return CheckpointRef.if_possible(ref.thread_id, ref.checkpoint_ns, record.parent_id)


def _remember(
    context: Context,
    record: CheckpointRecord,
    carried: Mapping[str, tuple[WriteRecord, ...]],
    *,
    inline: bool,
) -> None:
    memory, ref = context.memory, record.ref
    memory.remember_stored(ref, context.now, inline=inline)
    outline = record.outline
    if outline is not None and outline.has_deltas:
        link = Link(record.parent_id, outline.versions, outline.held, carried)
        memory.remember_link(ref, link, context.now)


def put_writes(
    context: Context,
    ref: CheckpointRef,
    writes: Sequence[WriteRecord],
    status: TaskStatus | None = None,
) -> Operation[None]:
    """Store a task's writes, all or none.

    LangGraph takes a task for finished as soon as one of its outputs is stored. Were the writes of
    a task stored one by one, a process that dies between them would leave a task that counts as
    finished and has lost the rest of its output.

    Args:
        context: Settings, serializer, clock and memory of the call.
        ref: The checkpoint they belong to.
        writes: The writes.
        status: What they say of the thread, where that is to be told.
    """
    stored = None
    context.memory.begin_writes(ref)
    try:
        if (yield from _put_writes(context, ref, writes, status)):
            stored = writes
    finally:
        context.memory.end_writes(ref, stored, context.now)


def _put_writes(
    context: Context, ref: CheckpointRef, writes: Sequence[WriteRecord], status: TaskStatus | None
) -> Operation[bool]:
    """Store them; tells whether all of them count."""
    effort = context.payloads.effort(data_size(writes))
    plan = yield from compute(
        lambda: plan_writes(writes, ref, context.payloads, context.stamp), effort
    )
    parts = [part for planned in plan.planned for part in planned.parts]
    yield from store_parts(ref, parts, context.stamp)
    puts = [planned.put for planned in plan.planned]
    if status is None or not changes_thread_item(context, ref, status):
        outcome = yield from put_together(puts, once=bool(parts))
    else:
        outcome = yield from put_writes_and_thread_item(
            context, ref, puts, status, once=bool(parts)
        )
    yield from _discard_replaced(context, ref, outcome.replaced)
    if outcome.lost:
        yield from _put_place_by_place(context, ref, plan, outcome)
    return not outcome.lost


def _put_place_by_place(
    context: Context, ref: CheckpointRef, plan: TaskPlan, outcome: Outcome
) -> Operation[None]:
    """Store the writes whose places nobody holds, once another call of the task has come first.

    Each of them alone, so that of two calls that do so at a time one holds each place.
    """
    there = yield from _task_items(context, ref, plan, outcome.there)
    held = _held(there, plan, context.now)
    placed = plan.placed
    late = [write for write in placed if write.idx in held]
    rest = {
        (alone := put_single(write, ref, context.stamp)).key: (alone, write)
        for write in placed
        if write.idx not in held
    }
    special = [planned for planned in plan.special if planned.put in outcome.lost]
    once = any(not is_inline(write.value) for _, write in rest.values())
    once = once or any(planned.parts for planned in special)
    puts = [*(planned.put for planned in special), *(put for put, _ in rest.values())]
    outcome = yield from put_atomically(puts, once=once)
    yield from _discard_replaced(context, ref, outcome.replaced)
    yield from _discard_late(context, ref, late, there)
    lost = [rest[put.key] for put in outcome.lost if not is_inline(rest[put.key][1].value)]
    yield from together([if_possible(ref, _discard_lost(context, ref, *each)) for each in lost])


def _task_items(
    context: Context, ref: CheckpointRef, plan: TaskPlan, there: StoredItem | None
) -> Operation[list[StoredItem]]:
    """The items of a task; the one in the way of another call alone if it holds all its places."""
    if there is not None and _held([there], plan, context.now).issuperset(
        write.idx for write in plan.regular_writes
    ):
        return [there]
    query = attachments_query(context.with_consistent_reads(), ref)
    return (yield from query_all(replace(query, sort=task_range(plan.regular_writes[0].task_id))))


def _held(there: Iterable[StoredItem], plan: TaskPlan, now: int) -> frozenset[int]:
    task_id = plan.regular_writes[0].task_id
    return frozenset().union(*(places_held(item, task_id, now) for item in there))


def _discard_replaced(
    context: Context, ref: CheckpointRef, replaced: Iterable[StoredItem]
) -> Operation[None]:
    """Delete the parts of replaced items.

    An item that refers to parts is stored at most once, so one that was replaced never comes back.
    What such an item has replaced the service does not tell: those parts are left to the sweep.
    """
    old = [payload for item in replaced for payload in outside_if_readable(item, str(ref))]
    if old:
        yield from if_possible(ref, discard(context, ref, old))


def _discard_late(
    context: Context, ref: CheckpointRef, late: Iterable[WriteRecord], there: Iterable[StoredItem]
) -> Operation[None]:
    """Delete the parts of writes that were not stored, unless they are those that are there."""
    kept = {value for item in there for value in outside_if_readable(item, str(ref))}
    values = [write.value.payload for write in late if not is_inline(write.value)]
    needless = [value for value in values if value not in kept]
    if needless:
        yield from if_possible(ref, discard(context, ref, needless))


def _discard_lost(
    context: Context, ref: CheckpointRef, put: Put, write: WriteRecord
) -> Operation[None]:
    """The same of a write that lost its place in the very end."""
    there = yield from send(GetItem(put.table, put.key, consistent=True))
    yield from _discard_late(context, ref, [write], [] if there is None else [there])
