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
from langgraph_checkpoint_dynamodb.ops.beside import beside_query, is_inline
from langgraph_checkpoint_dynamodb.ops.memory import Link
from langgraph_checkpoint_dynamodb.ops.parts import discard, store_parts
from langgraph_checkpoint_dynamodb.ops.turns import (
    is_news,
    put_with_thread,
    put_writes_with_thread,
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
    from langgraph_checkpoint_dynamodb.ops.store import Store
    from langgraph_checkpoint_dynamodb.ops.turns import News, Turn
    from langgraph_checkpoint_dynamodb.payloads.differences import Progress
    from langgraph_checkpoint_dynamodb.requests.calls import Outcome
    from langgraph_checkpoint_dynamodb.requests.items import Put, StoredItem
    from langgraph_checkpoint_dynamodb.requests.operations import Operation


def put_checkpoint(
    store: Store, record: CheckpointRecord, turn: Turn | None = None
) -> Operation[None]:
    """Store a checkpoint, replacing one of the same id.

    Args:
        store: How to write.
        record: The checkpoint.
        turn: What it says of its run, where threads are kept; `None` elsewhere.
    """
    carried = _carried(store, record)
    record = replace(record, carried=carried_attribute(carried))
    effort = store.payloads.effort(record.size)
    before = _progress(store, record)
    keeps = store.memory.keeps_base
    plan = yield from compute(
        lambda: plan_checkpoint(record, store.payloads, store.stamp, before, keeps), effort
    )
    if plan.base is not None and plan.progress is not None:
        yield from _put_planned(plan.progress.base.ref, plan.base, base_stamp(store.stamp))
    planned = plan.planned
    if turn is None:
        outcome = yield from _put_planned(record.ref, planned, store.stamp)
    else:
        yield from store_parts(record.ref, planned.parts, store.stamp)
        outcome = yield from put_with_thread(store, record, planned.put, turn)
    if not (planned.parts or outcome.replaced or outcome.unsure):
        store.memory.created(record.ref, store.now)
    _remember(store, record, carried, inline=not planned.parts)
    store.memory.reached(record.ref, plan.progress, store.now)
    yield from _discard_replaced(store, record.ref, outcome.replaced)


def _put_planned(ref: CheckpointRef, planned: ItemPlan, stamp: Stamp) -> Operation[Outcome]:
    """Store parts, then the item that refers to them."""
    yield from store_parts(ref, planned.parts, stamp)
    if planned.parts:
        return (yield from put_atomically([planned.put], once=True))
    return (yield from put_one(planned.put))


def _progress(store: Store, record: CheckpointRecord) -> Progress | None:
    """How far the differences had come at the parent, where this process knows."""
    parent = _parent(record)
    if not store.payloads.incremental or parent is None:
        return None
    return store.memory.progress(parent)


def _carried(store: Store, record: CheckpointRecord) -> dict[str, tuple[WriteRecord, ...]]:
    """What the checkpoint carries of its parent's writes: nothing where not all are known."""
    channels = () if record.outline is None else record.outline.delta_channels
    parent = _parent(record)
    if parent is None:
        return {}
    writes = store.memory.writes(parent)
    store.memory.release(parent)
    return {} if writes is None else select_carried(channels, writes)


def _parent(record: CheckpointRecord) -> CheckpointRef | None:
    ref = record.ref
    if record.parent_id is None:
        return None
    return CheckpointRef.if_possible(ref.thread_id, ref.checkpoint_ns, record.parent_id)


def _remember(
    store: Store,
    record: CheckpointRecord,
    carried: Mapping[str, tuple[WriteRecord, ...]],
    *,
    inline: bool,
) -> None:
    memory, ref = store.memory, record.ref
    memory.stored(ref, store.now, inline=inline)
    outline = record.outline
    if outline is not None and outline.has_deltas:
        link = Link(record.parent_id, outline.versions, outline.held, carried)
        memory.learn(ref, link, store.now)


def put_writes(
    store: Store, ref: CheckpointRef, writes: Sequence[WriteRecord], news: News | None = None
) -> Operation[None]:
    """Store a task's writes, all or none.

    LangGraph takes a task for finished as soon as one of its outputs is stored. Were the writes of
    a task stored one by one, a process that dies between them would leave a task that counts as
    finished and has lost the rest of its output.

    Args:
        store: How to write.
        ref: The checkpoint they belong to.
        writes: The writes.
        news: What they say of the thread, where that is to be told.
    """
    stored = None
    store.memory.begin(ref)
    try:
        if (yield from _put_writes(store, ref, writes, news)):
            stored = writes
    finally:
        store.memory.end(ref, stored, store.now)


def _put_writes(
    store: Store, ref: CheckpointRef, writes: Sequence[WriteRecord], news: News | None
) -> Operation[bool]:
    """Store them; tells whether all of them count."""
    effort = store.payloads.effort(data_size(writes))
    plan = yield from compute(lambda: plan_writes(writes, ref, store.payloads, store.stamp), effort)
    parts = [part for planned in plan.planned for part in planned.parts]
    yield from store_parts(ref, parts, store.stamp)
    puts = [planned.put for planned in plan.planned]
    if news is None or not is_news(store, ref, news):
        outcome = yield from put_together(puts, once=bool(parts))
    else:
        outcome = yield from put_writes_with_thread(store, ref, puts, news, once=bool(parts))
    yield from _discard_replaced(store, ref, outcome.replaced)
    if outcome.lost:
        yield from _put_place_by_place(store, ref, plan, outcome)
    return not outcome.lost


def _put_place_by_place(
    store: Store, ref: CheckpointRef, plan: TaskPlan, outcome: Outcome
) -> Operation[None]:
    """Store the writes whose places nobody holds, once another call of the task has come first.

    Each of them alone, so that of two calls that do so at a time one holds each place.
    """
    there = yield from _task_items(store, ref, plan, outcome.there)
    held = _held(there, plan, store.now)
    placed = plan.placed
    late = [write for write in placed if write.idx in held]
    rest = {
        (alone := put_single(write, ref, store.stamp)).key: (alone, write)
        for write in placed
        if write.idx not in held
    }
    special = [planned for planned in plan.special if planned.put in outcome.lost]
    once = any(not is_inline(write.value) for _, write in rest.values())
    once = once or any(planned.parts for planned in special)
    puts = [*(planned.put for planned in special), *(put for put, _ in rest.values())]
    outcome = yield from put_atomically(puts, once=once)
    yield from _discard_replaced(store, ref, outcome.replaced)
    yield from _discard_late(store, ref, late, there)
    lost = [rest[put.key] for put in outcome.lost if not is_inline(rest[put.key][1].value)]
    yield from together([if_possible(ref, _discard_lost(store, ref, *each)) for each in lost])


def _task_items(
    store: Store, ref: CheckpointRef, plan: TaskPlan, there: StoredItem | None
) -> Operation[list[StoredItem]]:
    """The items of a task; the one in the way of another call alone if it holds all its places."""
    if there is not None and _held([there], plan, store.now).issuperset(
        write.idx for write in plan.regular_writes
    ):
        return [there]
    query = beside_query(store.consistently(), ref)
    return (yield from query_all(replace(query, sort=task_range(plan.regular_writes[0].task_id))))


def _held(there: Iterable[StoredItem], plan: TaskPlan, now: int) -> frozenset[int]:
    task_id = plan.regular_writes[0].task_id
    return frozenset().union(*(places_held(item, task_id, now) for item in there))


def _discard_replaced(
    store: Store, ref: CheckpointRef, replaced: Iterable[StoredItem]
) -> Operation[None]:
    """Delete the parts of replaced items.

    An item that refers to parts is stored at most once, so one that was replaced never comes back.
    What such an item has replaced the service does not tell: those parts are left to the sweep.
    """
    old = [payload for item in replaced for payload in outside_if_readable(item, str(ref))]
    if old:
        yield from if_possible(ref, discard(store, ref, old))


def _discard_late(
    store: Store, ref: CheckpointRef, late: Iterable[WriteRecord], there: Iterable[StoredItem]
) -> Operation[None]:
    """Delete the parts of writes that were not stored, unless they are those that are there."""
    kept = {value for item in there for value in outside_if_readable(item, str(ref))}
    values = [write.value.payload for write in late if not is_inline(write.value)]
    needless = [value for value in values if value not in kept]
    if needless:
        yield from if_possible(ref, discard(store, ref, needless))


def _discard_lost(
    store: Store, ref: CheckpointRef, put: Put, write: WriteRecord
) -> Operation[None]:
    """The same of a write that lost its place in the very end."""
    there = yield from send(GetItem(put.table, put.key, consistent=True))
    yield from _discard_late(store, ref, [write], [] if there is None else [there])
