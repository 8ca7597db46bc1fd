"""Updating the item of a thread when its runs store checkpoints and writes.

The thread item is written in one transaction with the checkpoint or the writes, so it never names
anything that is not stored. It is written once per run, with the first checkpoint of the run that
this process stores, and when a task waits or fails. With `on_conflict="raise"` it is written with
every root checkpoint, on the condition that no other run has stored one.
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
    put_one,
    put_unless_any_exists,
    transact,
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
"""Attempts at a transaction of a task's writes and the thread item. All tasks of a superstep update
that item: after a conflict the writes are stored first, then the item is updated alone."""

_MAX_STEPS_BACK = 25
"""Maximum number of checkpoints between a run's parent and the thread's head that are followed."""


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What the metadata of a checkpoint say about its run.

    Attributes:
        owner: The owner of the thread; `None` if not given.
        source: What made the checkpoint: `input`, `loop`, `update` or `fork`.
        step: The number of its step in the thread.
    """

    owner: str | None
    source: object
    step: object


@dataclass(frozen=True, slots=True)
class TaskStatus:
    """The status of a task at a root checkpoint, according to its writes.

    Attributes:
        task_id: The task.
        waits: The number of its interrupts, `FAILED`, or `None` if it has finished.
    """

    task_id: str
    waits: int | None


def keeps_thread_item(context: Context, ref: CheckpointRef) -> bool:
    """Whether the thread item is written with a checkpoint."""
    return (context.lists_threads or context.fences) and ref.checkpoint_ns == ROOT_NAMESPACE


def _starts_run(known_thread: KnownThread | None, record: CheckpointRecord, run: RunInfo) -> bool:
    """Whether a checkpoint is the first of a run, so that the thread item is updated.

    It is if its source is not `loop`, if this process has not stored its parent, if steps were left
    out (`durability="exit"`), or if tasks waited at its parent.
    """
    if (
        known_thread is None
        or not known_thread.listed
        or known_thread.waits
        or run.source != "loop"
    ):
        return True
    following = isinstance(run.step, int) and known_thread.step == run.step - 1
    return not following or known_thread.head != record.parent_id


def put_checkpoint_and_thread_item(
    context: Context, record: CheckpointRecord, put: Put, run: RunInfo
) -> Operation[Outcome]:
    """Store a root checkpoint and update the thread item in one transaction.

    Raises:
        ThreadConflictError: Another run has stored a checkpoint meanwhile.
    """
    known_thread = context.memory.thread(record.ref.thread_id)
    listed = context.lists_threads and _starts_run(known_thread, record, run)
    recorded = context.memory.discard_waits_before(record.ref) if listed else {}
    waits = {task_id: count for (_, task_id), count in recorded.items()}
    # With fencing, the item names only checkpoints that are stored.
    head = None if context.fences else max((id_ for id_, _ in recorded), default=None)
    update = turn_update(
        record.ref, run.owner, context.stamp, listed=listed, waits=waits, head=head
    )
    if context.fences:
        outcome = yield from _put_fenced(context, record, put, update)
    elif listed:
        outcome = yield from _put_with_item(put, update)
    else:
        outcome = yield from put_one(put)
    # If the item was not updated now, its last update is still valid.
    now_known = KnownThread(
        record.ref.checkpoint_id, run.step, listed=context.lists_threads, waits=frozenset(waits)
    )
    context.memory.remember_thread(record.ref.thread_id, now_known, context.now)
    if listed:
        yield from _repeat_waits(context, record.ref, recorded)
    return outcome


def _repeat_waits(
    context: Context, ref: CheckpointRef, recorded: Mapping[tuple[str, str], int]
) -> Operation[None]:
    """Repeat status updates of tasks that arrived while the thread item was being stored.

    Such an update may have been overwritten, or may have found no item to update.
    """
    for (checkpoint_id, task_id), count in context.memory.discard_waits_before(ref).items():
        if recorded.get((checkpoint_id, task_id)) == count:
            continue
        at = CheckpointRef(ref.thread_id, ROOT_NAMESPACE, checkpoint_id)
        update = waits_update(at, task_id, count, context.stamp, moves=not context.fences)
        with suppress(ConditionFailedError):  # It was deleted meanwhile.
            yield from update_one(update)
            _remember_status(context, at, TaskStatus(task_id, count))


def _put_with_item(put: Put, update: Update) -> Operation[Outcome]:
    try:
        # If the checkpoint is new, all of its writes are known to this process.
        lost = yield from transact([replace(put, unless_exists=True), update])
        if lost:
            yield from transact([put, update])
            return Outcome(unsure=True)
    except TransactionCanceledError:
        # Persistent conflicts on the thread item: the checkpoint is more important.
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
        lost = yield from transact([put if unsure else once, conditional])
        if not lost:
            context.memory.end_fork(record.ref.thread_id, record.parent_id)
            return Outcome(unsure=unsure)
        if conditional in lost:
            expected = yield from _next_expected(context, record, expected)
        unsure = unsure or any(isinstance(one, Put) for one in lost)


def _expected(context: Context, record: CheckpointRecord) -> Expected:
    """The heads that the thread item may have: the parent's id, or a fork that is intended."""
    ref = record.ref
    fork = context.memory.allowed_fork(ref.thread_id, record.parent_id)
    heads = (record.parent_id, fork, ref.checkpoint_id)
    return _head_is_one_of(*(head for head in heads if head is not None))


def _head_is_one_of(*heads: str) -> Expected:
    return Expected(Attribute.HEAD, tuple({"S": head} for head in heads))


def _next_expected(
    context: Context, record: CheckpointRecord, expected: Expected
) -> Operation[Expected]:
    """What to expect at the next attempt, after the thread item named another head.

    The item may name a checkpoint that was deleted, or that is not the newest any more, because
    runs without `on_conflict="raise"` or a copy have stored newer ones. This is no conflict: the
    run continues from the newest checkpoint.

    Raises:
        ThreadConflictError: The item names a checkpoint that another run has stored.
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
    return _head_is_one_of(found, ref.checkpoint_id)


def _supersedes(context: Context, record: CheckpointRecord, head: CheckpointRef) -> Operation[bool]:
    """Whether the parent of a checkpoint exists and is newer than `head`.

    Ids decide which is newer, as for readers. The exception: if `head` is a descendant of that
    parent with a lower id, the clock of its process is behind, and its run came first.
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
        limit=_MAX_STEPS_BACK,
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
    """Whether the thread item must be updated: not for tasks that finish without having waited."""
    known_thread = context.memory.thread(ref.thread_id)
    if status.waits is not None:
        return True
    return (
        known_thread is not None
        and known_thread.head == ref.checkpoint_id
        and status.task_id in known_thread.waits
    )


def put_writes_and_thread_item(
    context: Context, ref: CheckpointRef, puts: Sequence[Put], status: TaskStatus, *, once: bool
) -> Operation[Outcome]:
    """Store the writes of a task at a root checkpoint and update the thread item.

    Args:
        context: Settings, serializer, clock and memory of the call.
        ref: The checkpoint.
        puts: The Puts of the writes.
        status: The status of the task.
        once: See `put_skipping_existing`.
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
            lost = yield from transact([*puts, update], _TRANSACTION_ATTEMPTS)
        if lost is not None and not lost:
            _remember_status(context, ref, status)
            return Outcome(unsure=True)
    outcome = yield from put_unless_any_exists(puts, once=once)
    if not outcome.lost and (lost is None or update not in lost):
        with suppress(ConditionFailedError):
            yield from update_one(update)
            _remember_status(context, ref, status)
    return outcome


def _remember_status(context: Context, ref: CheckpointRef, status: TaskStatus) -> None:
    known_thread = context.memory.thread(ref.thread_id)
    if known_thread is None or known_thread.head != ref.checkpoint_id:
        return
    others = known_thread.waits - {status.task_id}
    waits = others if status.waits is None else others | {status.task_id}
    context.memory.remember_thread(ref.thread_id, replace(known_thread, waits=waits), context.now)


def remember_newest_read(context: Context, known_thread: KnownThread, thread_id: str) -> None:
    """Remember the newest root checkpoint of a thread and the tasks that wait there."""
    known = context.memory.thread(thread_id)
    listed = known is not None and known.listed and known.head == known_thread.head
    context.memory.remember_thread(thread_id, replace(known_thread, listed=listed), context.now)


def get_checkpoint_noting_fork(
    context: Context, ref: CheckpointRef, reading: Operation[CheckpointRecord | None]
) -> Operation[CheckpointRecord | None]:
    """Read a root checkpoint by its id, and remember the thread's head at that time.

    If the head is another checkpoint, a run that continues from this one is an intended fork.
    """
    getting_item = send(GetItem(Table.CHECKPOINTS, thread_key(ref.thread_id), consistent=True))
    record, item = yield from both(reading, getting_item)
    head = head_of(item)
    if record is not None and head is not None:
        context.memory.allow_fork(ref.thread_id, ref.checkpoint_id, head, context.now)
    return record
