"""Storing checkpoints and pending writes. Values are serialized before an operation starts.

What does not fit into an item is stored first, then the item that refers to it. That last request
is the commit point: it makes the checkpoint or the writes visible.
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
from langgraph_checkpoint_dynamodb.ops.parts import delete_parts, store_parts
from langgraph_checkpoint_dynamodb.ops.thread_item import (
    changes_thread_item,
    put_checkpoint_and_thread_item,
    put_writes_and_thread_item,
)
from langgraph_checkpoint_dynamodb.payloads.differences import base_stamp
from langgraph_checkpoint_dynamodb.requests.calls import (
    if_possible,
    put_one,
    put_skipping_existing,
    put_unless_any_exists,
    query_all,
)
from langgraph_checkpoint_dynamodb.requests.items import GetItem
from langgraph_checkpoint_dynamodb.requests.operations import compute, send, together

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from langgraph_checkpoint_dynamodb.format.expiry import Stamp
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
        run: What it says about its run; `None` if no thread item is kept.
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
        return (yield from put_skipping_existing([planned.put], once=True))
    return (yield from put_one(planned.put))


def _progress(context: Context, record: CheckpointRecord) -> Progress | None:
    """The progress of the differences at the parent; `None` if unknown to this process."""
    parent = _parent(record)
    if not context.payloads.incremental or parent is None:
        return None
    return context.memory.progress(parent)


def _carried(context: Context, record: CheckpointRecord) -> dict[str, tuple[WriteRecord, ...]]:
    """The parent's writes that the checkpoint carries, by channel; none if some are unknown."""
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

    LangGraph treats a task as finished as soon as one of its outputs is stored. If the writes were
    stored one by one and the process died in between, the task would count as finished and lack the
    rest of its output.

    Args:
        context: Settings, serializer, clock and memory of the call.
        ref: The checkpoint that they belong to.
        writes: The writes.
        status: The status of the task; `None` if no thread item is kept.
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
    """Store writes; returns whether all of them were stored, none lost to another call."""
    effort = context.payloads.effort(data_size(writes))
    plan = yield from compute(
        lambda: plan_writes(writes, ref, context.payloads, context.stamp), effort
    )
    parts = [part for planned in plan.planned for part in planned.parts]
    yield from store_parts(ref, parts, context.stamp)
    puts = [planned.put for planned in plan.planned]
    if status is None or not changes_thread_item(context, ref, status):
        outcome = yield from put_unless_any_exists(puts, once=bool(parts))
    else:
        outcome = yield from put_writes_and_thread_item(
            context, ref, puts, status, once=bool(parts)
        )
    yield from _discard_replaced(context, ref, outcome.replaced)
    if outcome.lost:
        yield from _put_one_by_one(context, ref, plan, outcome)
    return not outcome.lost


def _put_one_by_one(
    context: Context, ref: CheckpointRef, plan: TaskPlan, outcome: Outcome
) -> Operation[None]:
    """Store those writes of a task whose indices no earlier call of the task has written.

    Each write becomes an item of its own, so that of two concurrent calls one wins each index.
    """
    there = yield from _task_items(context, ref, plan, outcome.there)
    held = _indices_held(there, plan, context.now)
    placed = plan.placed
    unstored = [write for write in placed if write.idx in held]
    rest = {
        (alone := put_single(write, ref, context.stamp)).key: (alone, write)
        for write in placed
        if write.idx not in held
    }
    special = [planned for planned in plan.special if planned.put in outcome.lost]
    once = any(not is_inline(write.value) for _, write in rest.values())
    once = once or any(planned.parts for planned in special)
    puts = [*(planned.put for planned in special), *(put for put, _ in rest.values())]
    outcome = yield from put_skipping_existing(puts, once=once)
    yield from _discard_replaced(context, ref, outcome.replaced)
    yield from _discard_unstored(context, ref, unstored, there)
    lost = [rest[put.key] for put in outcome.lost if not is_inline(rest[put.key][1].value)]
    yield from together([if_possible(ref, _discard_lost(context, ref, *each)) for each in lost])


def _task_items(
    context: Context, ref: CheckpointRef, plan: TaskPlan, there: StoredItem | None
) -> Operation[list[StoredItem]]:
    """The items of a task; only the conflicting item if it contains all indices of the call."""
    if there is not None and _indices_held([there], plan, context.now).issuperset(
        write.idx for write in plan.regular_writes
    ):
        return [there]
    query = attachments_query(context.with_consistent_reads(), ref)
    return (yield from query_all(replace(query, sort=task_range(plan.regular_writes[0].task_id))))


def _indices_held(there: Iterable[StoredItem], plan: TaskPlan, now: int) -> frozenset[int]:
    task_id = plan.regular_writes[0].task_id
    return frozenset().union(*(places_held(item, task_id, now) for item in there))


def _discard_replaced(
    context: Context, ref: CheckpointRef, replaced: Iterable[StoredItem]
) -> Operation[None]:
    """Delete the parts of replaced items.

    A Put of an item that refers to parts is never retried by the SDK, so a replaced item does not
    come back. What that Put itself has replaced is not returned; the sweep deletes those parts.
    """
    old = [payload for item in replaced for payload in outside_if_readable(item, str(ref))]
    if old:
        yield from if_possible(ref, delete_parts(context, ref, old))


def _discard_unstored(
    context: Context,
    ref: CheckpointRef,
    unstored: Iterable[WriteRecord],
    there: Iterable[StoredItem],
) -> Operation[None]:
    """Delete the parts of writes that were not stored, unless stored items refer to them."""
    kept = {value for item in there for value in outside_if_readable(item, str(ref))}
    values = [write.value.payload for write in unstored if not is_inline(write.value)]
    needless = [value for value in values if value not in kept]
    if needless:
        yield from if_possible(ref, delete_parts(context, ref, needless))


def _discard_lost(
    context: Context, ref: CheckpointRef, put: Put, write: WriteRecord
) -> Operation[None]:
    """Delete the parts of a write that lost its index to a concurrent call."""
    there = yield from send(GetItem(put.table, put.key, consistent=True))
    yield from _discard_unstored(context, ref, [write], [] if there is None else [there])
