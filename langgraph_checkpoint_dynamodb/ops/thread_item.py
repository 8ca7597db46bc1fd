"""Keeping the item of a thread while its runs store checkpoints and writes.

It is written in one transaction with what it speaks of, so it never speaks of what is not stored:
once a run, with the first checkpoint of it that this process stores, and where a task waits or
fails. With `on_conflict="raise"` it is written with every root checkpoint, on the condition that
the thread has not been moved on.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.errors import (
    ConditionFailedError,
    ThreadConflictError,
    TransactionCanceledError,
)
from langgraph_checkpoint_dynamodb.format.keys import (
    ROOT_NAMESPACE,
    CheckpointRef,
    namespace_range,
    thread_key,
)
from langgraph_checkpoint_dynamodb.format.sizes import ITEM_LIMIT
from langgraph_checkpoint_dynamodb.format.tables import Attribute, Table
from langgraph_checkpoint_dynamodb.items.checkpoints import CHECKPOINT_KEYS, read_checkpoint_head
from langgraph_checkpoint_dynamodb.items.thread_updates import turn_update, waits_update
from langgraph_checkpoint_dynamodb.items.threads import head_of
from langgraph_checkpoint_dynamodb.ops.memory_entries import KnownThread
from langgraph_checkpoint_dynamodb.ops.rereading import get_checkpoint
from langgraph_checkpoint_dynamodb.requests.calls import (
    TRANSACTION_BYTES,
    Outcome,
    put_all_or_none,
    put_one,
    put_together,
    update_one,
)
from langgraph_checkpoint_dynamodb.requests.items import Expected, GetItem, Put, Query
from langgraph_checkpoint_dynamodb.requests.operations import both, send

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from langgraph_checkpoint_dynamodb.items.checkpoints import CheckpointRecord
    from langgraph_checkpoint_dynamodb.ops.context import Context
    from langgraph_checkpoint_dynamodb.requests.items import Update
    from langgraph_checkpoint_dynamodb.requests.operations import Operation

_TRANSACTION_ATTEMPTS = 2
"""Attempts at a transaction of a task's writes and the thread's item. The tasks of a superstep all
come to that one item: who does not get it stores the writes first, and updates the item alone."""

_STEPS_BACK = 25
"""Checkpoints that a run may have stored while another one, begun from the same, stored none."""


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What a checkpoint says of the run that stores it.

    Attributes:
        owner: The owner of the run's thread, where it says so.
        source: What made the checkpoint: `input`, `loop`, `update` or `fork`.
        step: Its number in the thread.
    """

    owner: str | None
    source: object
    step: object


@dataclass(frozen=True, slots=True)
class TaskStatus:
    """What the writes of a task at a root checkpoint say of the thread.

    Attributes:
        task_id: The task.
        waits: The number of its interrupts, `FAILED`, or `None`: it has finished.
    """

    task_id: str
    waits: int | None


def keeps_thread_item(context: Context, ref: CheckpointRef) -> bool:
    """Whether the item of a checkpoint's thread is kept with it."""
    return (context.lists_threads or context.fences) and ref.checkpoint_ns == ROOT_NAMESPACE


def _starts_run(seen: KnownThread | None, record: CheckpointRecord, run: RunInfo) -> bool:
    """Whether a checkpoint is to be told to the thread's item: the first of a run that is stored.

    A run is recognized by a source of its own, by a checkpoint that this process has not stored the
    parent of, by steps left out (`durability="exit"`), or by its going on from where tasks waited.
    """
    if seen is None or not seen.listed or seen.waits or run.source != "loop":
        return True
    following = isinstance(run.step, int) and seen.step == run.step - 1
    return not following or seen.head != record.parent_id


def put_checkpoint_and_thread_item(
    context: Context, record: CheckpointRecord, put: Put, run: RunInfo
) -> Operation[Outcome]:
    """Store a root checkpoint, and what it says of its thread, in one transaction.

    Raises:
        ThreadConflictError: Another run has moved the thread on.
    """
    seen = context.memory.thread(record.ref.thread_id)
    listed = context.lists_threads and _starts_run(seen, record, run)
    known = context.memory.discard_waits_before(record.ref) if listed else {}
    waits = {task_id: count for (_, task_id), count in known.items()}
    # The fence is about checkpoints that are stored.
    head = None if context.fences else max((id_ for id_, _ in known), default=None)
    update = turn_update(
        record.ref, run.owner, context.stamp, listed=listed, waits=waits, head=head
    )
    if context.fences:
        outcome = yield from _put_fenced(context, record, put, update)
    elif listed:
        outcome = yield from _put_listed(put, update)
    else:
        outcome = yield from put_one(put)
    # Where it is listed and this was not told, what was told before still stands.
    now_seen = KnownThread(
        record.ref.checkpoint_id, run.step, listed=context.lists_threads, waits=frozenset(waits)
    )
    context.memory.remember_thread(record.ref.thread_id, now_seen, context.now)
    if listed:
        yield from _repeat_waits(context, record.ref, known)
    return outcome


def _repeat_waits(
    context: Context, ref: CheckpointRef, told: Mapping[tuple[str, str], int]
) -> Operation[None]:
    """Tell what tasks have come to wait for while the thread's item was being stored.

    They may have told it before, and then it was replaced, or there was no item to tell it.
    """
    for (checkpoint_id, task_id), count in context.memory.discard_waits_before(ref).items():
        if told.get((checkpoint_id, task_id)) == count:
            continue
        at = CheckpointRef(ref.thread_id, ROOT_NAMESPACE, checkpoint_id)
        update = waits_update(at, task_id, count, context.stamp, moves=not context.fences)
        with suppress(ConditionFailedError):  # It was deleted meanwhile.
            yield from update_one(update)
            _remember_status(context, at, TaskStatus(task_id, count))


def _put_listed(put: Put, update: Update) -> Operation[Outcome]:
    try:
        # Who sees that nothing was there knows all that lies beside it.
        lost = yield from put_all_or_none([replace(put, unless_exists=True), update])
        if lost:
            yield from put_all_or_none([put, update])
            return Outcome(unsure=True)
    except TransactionCanceledError:
        # Others are at the thread's item all the time. The checkpoint comes first.
        outcome = yield from put_one(put)
        yield from update_one(update)
        return outcome
    return Outcome()


def _put_fenced(
    context: Context, record: CheckpointRecord, put: Put, update: Update
) -> Operation[Outcome]:
    expected = _expected(context, record)
    once = replace(put, unless_exists=True)
    unsure = False
    while True:
        conditional = replace(update, expected=expected)
        lost = yield from put_all_or_none([put if unsure else once, conditional])
        if not lost:
            context.memory.end_fork(record.ref.thread_id, record.parent_id)
            return Outcome(unsure=unsure)
        if conditional in lost:
            expected = yield from _next_expected(context, record, expected)
        unsure = unsure or any(isinstance(one, Put) for one in lost)


def _expected(context: Context, record: CheckpointRecord) -> Expected:
    """Which checkpoint the thread must have come to: the parent, but for an intended fork of it."""
    ref = record.ref
    fork = context.memory.allowed_fork(ref.thread_id, record.parent_id)
    heads = (record.parent_id, fork, ref.checkpoint_id)
    return _one_of(*(head for head in heads if head is not None))


def _one_of(*heads: str) -> Expected:
    return Expected(Attribute.HEAD, tuple({"S": head} for head in heads))


def _next_expected(
    context: Context, record: CheckpointRecord, expected: Expected
) -> Operation[Expected]:
    """What the thread's item says, where that stands in nobody's way.

    It may name a checkpoint that was deleted since, or one that is not the newest of the thread
    any more: runs without `on_conflict="raise"` have gone on from it or beside it, or a copy has
    brought a newer one. A run goes on from the newest then, else nothing could ever be stored.

    Raises:
        ThreadConflictError: It names one that another run has stored.
    """
    ref = record.ref
    item = yield from send(GetItem(Table.CHECKPOINTS, thread_key(ref.thread_id), consistent=True))
    found = head_of(item)
    if found is None or {"S": found} in expected.values:
        return expected  # It has changed again, or is gone.
    head = CheckpointRef.if_possible(ref.thread_id, ROOT_NAMESPACE, found)
    there = head and (yield from get_checkpoint(context.with_consistent_reads(), head))
    if head and there and not (yield from _supersedes(context, record, head)):
        raise ThreadConflictError(thread_id=ref.thread_id, expected=record.parent_id, found=found)
    return _one_of(found, ref.checkpoint_id)


def _supersedes(context: Context, record: CheckpointRecord, head: CheckpointRef) -> Operation[bool]:
    """Whether a checkpoint goes on from one that is newer than `head`, and is there.

    Ids say which is newer, as for every reader. But where `head` has come from that parent by way
    of lower ids, the clock that made them is behind, and theirs is a run that has come first.
    """
    parent_id = record.parent_id
    if parent_id is None or parent_id <= head.checkpoint_id:
        return False
    parent = CheckpointRef.if_possible(record.ref.thread_id, ROOT_NAMESPACE, parent_id)
    if (
        parent is None
        or (yield from get_checkpoint(context.with_consistent_reads(), parent)) is None
    ):
        return False
    query = Query(
        Table.CHECKPOINTS,
        head.thread_id,
        consistent=True,
        sort=namespace_range(ROOT_NAMESPACE, head.checkpoint_id),
        forward=False,
        limit=_STEPS_BACK,
        attributes=CHECKPOINT_KEYS,
    )
    page = yield from send(query)
    wanted: str | None = head.checkpoint_id
    for item in page.items:
        found = read_checkpoint_head(item, context.now)
        if found.checkpoint_id == wanted and found.checkpoint_ns == ROOT_NAMESPACE:
            wanted = found.parent_id
    return wanted != parent_id


def changes_thread_item(context: Context, ref: CheckpointRef, status: TaskStatus) -> bool:
    """Whether the thread's item is to be told: not of tasks that finish without having waited."""
    seen = context.memory.thread(ref.thread_id)
    if status.waits is not None:
        return True
    return seen is not None and seen.head == ref.checkpoint_id and status.task_id in seen.waits


def put_writes_and_thread_item(
    context: Context, ref: CheckpointRef, puts: Sequence[Put], status: TaskStatus, *, once: bool
) -> Operation[Outcome]:
    """Store the writes of a task at a root checkpoint, and what they say of the thread.

    Args:
        context: Settings, serializer, clock and memory of the call.
        ref: The checkpoint.
        puts: What stores the writes.
        status: What they say.
        once: See `put_atomically`.
    """
    context.memory.set_waits(ref, status.task_id, status.waits)
    try:
        outcome = yield from _put_writes_and_status(context, ref, puts, status, once=once)
    except BaseException:
        context.memory.set_waits(ref, status.task_id, None)
        raise
    return outcome


def _put_writes_and_status(
    context: Context, ref: CheckpointRef, puts: Sequence[Put], status: TaskStatus, *, once: bool
) -> Operation[Outcome]:
    update = waits_update(
        ref, status.task_id, status.waits, context.stamp, moves=not context.fences
    )
    lost: Sequence[Put | Update] | None = None
    if len(puts) < TRANSACTION_BYTES // ITEM_LIMIT:
        with suppress(TransactionCanceledError):
            lost = yield from put_all_or_none([*puts, update], _TRANSACTION_ATTEMPTS)
        if lost is not None and not lost:
            _remember_status(context, ref, status)
            return Outcome(unsure=True)
    outcome = yield from put_together(puts, once=once)
    if not outcome.lost and (lost is None or update not in lost):
        with suppress(ConditionFailedError):
            yield from update_one(update)
            _remember_status(context, ref, status)
    return outcome


def _remember_status(context: Context, ref: CheckpointRef, status: TaskStatus) -> None:
    seen = context.memory.thread(ref.thread_id)
    if seen is None or seen.head != ref.checkpoint_id:
        return
    others = seen.waits - {status.task_id}
    waits = others if status.waits is None else others | {status.task_id}
    context.memory.remember_thread(ref.thread_id, replace(seen, waits=waits), context.now)


def saw_newest(context: Context, seen: KnownThread, thread_id: str) -> None:
    """The newest root checkpoint of a thread was read, and what its tasks wait for."""
    known = context.memory.thread(thread_id)
    listed = known is not None and known.listed and known.head == seen.head
    context.memory.remember_thread(thread_id, replace(seen, listed=listed), context.now)


def get_checkpoint_noting_fork(
    context: Context, ref: CheckpointRef, looking: Operation[CheckpointRecord | None]
) -> Operation[CheckpointRecord | None]:
    """Read a root checkpoint by its id, and see whether the thread has moved past it.

    What goes on from it then is a fork that is intended.
    """
    asking = send(GetItem(Table.CHECKPOINTS, thread_key(ref.thread_id), consistent=True))
    record, item = yield from both(looking, asking)
    head = head_of(item)
    if record is not None and head is not None:
        context.memory.allow_fork(ref.thread_id, ref.checkpoint_id, head, context.now)
    return record
