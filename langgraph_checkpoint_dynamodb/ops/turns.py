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
from langgraph_checkpoint_dynamodb.ops.lookup import get_checkpoint
from langgraph_checkpoint_dynamodb.ops.memory import ThreadSeen
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
    from langgraph_checkpoint_dynamodb.ops.store import Store
    from langgraph_checkpoint_dynamodb.requests.items import Update
    from langgraph_checkpoint_dynamodb.requests.operations import Operation

_ATTEMPTS_BESIDE = 2
"""Attempts at a transaction of a task's writes and the thread's item. The tasks of a superstep all
come to that one item: who does not get it stores the writes first, and updates the item alone."""

_STEPS_BACK = 25
"""Checkpoints that a run may have stored while another one, begun from the same, stored none."""


@dataclass(frozen=True, slots=True)
class Turn:
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
class News:
    """What the writes of a task at a root checkpoint say of the thread.

    Attributes:
        task_id: The task.
        waits: The number of its interrupts, `FAILED`, or `None`: it has finished.
    """

    task_id: str
    waits: int | None


def keeps_threads(store: Store, ref: CheckpointRef) -> bool:
    """Whether the item of a checkpoint's thread is kept with it."""
    return (store.lists_threads or store.fences) and ref.checkpoint_ns == ROOT_NAMESPACE


def _is_told(seen: ThreadSeen | None, record: CheckpointRecord, turn: Turn) -> bool:
    """Whether a checkpoint is to be told to the thread's item: the first of a run that is stored.

    A run is recognized by a source of its own, by a checkpoint that this process has not stored the
    parent of, by steps left out (`durability="exit"`), or by its going on from where tasks waited.
    """
    if seen is None or not seen.listed or seen.waits or turn.source != "loop":
        return True
    following = isinstance(turn.step, int) and seen.step == turn.step - 1
    return not following or seen.head != record.parent_id


def put_with_thread(
    store: Store, record: CheckpointRecord, put: Put, turn: Turn
) -> Operation[Outcome]:
    """Store a root checkpoint, and what it says of its thread, in one transaction.

    Raises:
        ThreadConflictError: Another run has moved the thread on.
    """
    seen = store.memory.thread(record.ref.thread_id)
    listed = store.lists_threads and _is_told(seen, record, turn)
    known = store.memory.waits_from(record.ref) if listed else {}
    waits = {task_id: count for (_, task_id), count in known.items()}
    # The fence is about checkpoints that are stored.
    head = None if store.fences else max((id_ for id_, _ in known), default=None)
    update = turn_update(record.ref, turn.owner, store.stamp, listed=listed, waits=waits, head=head)
    if store.fences:
        outcome = yield from _put_fenced(store, record, put, update)
    elif listed:
        outcome = yield from _put_listed(put, update)
    else:
        outcome = yield from put_one(put)
    # Where it is listed and this was not told, what was told before still stands.
    now_seen = ThreadSeen(
        record.ref.checkpoint_id, turn.step, listed=store.lists_threads, waits=frozenset(waits)
    )
    store.memory.saw_thread(record.ref.thread_id, now_seen, store.now)
    if listed:
        yield from _tell_again(store, record.ref, known)
    return outcome


def _tell_again(
    store: Store, ref: CheckpointRef, told: Mapping[tuple[str, str], int]
) -> Operation[None]:
    """Tell what tasks have come to wait for while the thread's item was being stored.

    They may have told it before, and then it was replaced, or there was no item to tell it.
    """
    for (checkpoint_id, task_id), count in store.memory.waits_from(ref).items():
        if told.get((checkpoint_id, task_id)) == count:
            continue
        at = CheckpointRef(ref.thread_id, ROOT_NAMESPACE, checkpoint_id)
        update = waits_update(at, task_id, count, store.stamp, moves=not store.fences)
        with suppress(ConditionFailedError):  # It was deleted meanwhile.
            yield from update_one(update)
            _saw(store, at, News(task_id, count))


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
    store: Store, record: CheckpointRecord, put: Put, update: Update
) -> Operation[Outcome]:
    expected = _expected(store, record)
    once = replace(put, unless_exists=True)
    unsure = False
    while True:
        conditional = replace(update, expected=expected)
        lost = yield from put_all_or_none([put if unsure else once, conditional])
        if not lost:
            store.memory.forked(record.ref.thread_id, record.parent_id)
            return Outcome(unsure=unsure)
        if conditional in lost:
            expected = yield from _what_is_to_be_expected(store, record, expected)
        unsure = unsure or any(isinstance(one, Put) for one in lost)


def _expected(store: Store, record: CheckpointRecord) -> Expected:
    """Which checkpoint the thread must have come to: the parent, but for an intended fork of it."""
    ref = record.ref
    fork = store.memory.fork(ref.thread_id, record.parent_id)
    heads = (record.parent_id, fork, ref.checkpoint_id)
    return _one_of(*(head for head in heads if head is not None))


def _one_of(*heads: str) -> Expected:
    return Expected(Attribute.HEAD, tuple({"S": head} for head in heads))


def _what_is_to_be_expected(
    store: Store, record: CheckpointRecord, expected: Expected
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
    there = head and (yield from get_checkpoint(store.consistently(), head))
    if head and there and not (yield from _is_past(store, record, head)):
        raise ThreadConflictError(thread_id=ref.thread_id, expected=record.parent_id, found=found)
    return _one_of(found, ref.checkpoint_id)


def _is_past(store: Store, record: CheckpointRecord, head: CheckpointRef) -> Operation[bool]:
    """Whether a checkpoint goes on from one that is newer than `head`, and is there.

    Ids say which is newer, as for every reader. But where `head` has come from that parent by way
    of lower ids, the clock that made them is behind, and theirs is a run that has come first.
    """
    parent_id = record.parent_id
    if parent_id is None or parent_id <= head.checkpoint_id:
        return False
    parent = CheckpointRef.if_possible(record.ref.thread_id, ROOT_NAMESPACE, parent_id)
    if parent is None or (yield from get_checkpoint(store.consistently(), parent)) is None:
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
        found = read_checkpoint_head(item, store.now)
        if found.checkpoint_id == wanted and found.checkpoint_ns == ROOT_NAMESPACE:
            wanted = found.parent_id
    return wanted != parent_id


def is_news(store: Store, ref: CheckpointRef, news: News) -> bool:
    """Whether the thread's item is to be told: not of tasks that finish without having waited."""
    seen = store.memory.thread(ref.thread_id)
    if news.waits is not None:
        return True
    return seen is not None and seen.head == ref.checkpoint_id and news.task_id in seen.waits


def put_writes_with_thread(
    store: Store, ref: CheckpointRef, puts: Sequence[Put], news: News, *, once: bool
) -> Operation[Outcome]:
    """Store the writes of a task at a root checkpoint, and what they say of the thread.

    Args:
        store: How to write.
        ref: The checkpoint.
        puts: What stores the writes.
        news: What they say.
        once: See `put_atomically`.
    """
    store.memory.waiting(ref, news.task_id, news.waits)
    try:
        outcome = yield from _put_writes_and_news(store, ref, puts, news, once=once)
    except BaseException:
        store.memory.waiting(ref, news.task_id, None)
        raise
    return outcome


def _put_writes_and_news(
    store: Store, ref: CheckpointRef, puts: Sequence[Put], news: News, *, once: bool
) -> Operation[Outcome]:
    update = waits_update(ref, news.task_id, news.waits, store.stamp, moves=not store.fences)
    lost: Sequence[Put | Update] | None = None
    if len(puts) < TRANSACTION_BYTES // ITEM_LIMIT:
        with suppress(TransactionCanceledError):
            lost = yield from put_all_or_none([*puts, update], _ATTEMPTS_BESIDE)
        if lost is not None and not lost:
            _saw(store, ref, news)
            return Outcome(unsure=True)
    outcome = yield from put_together(puts, once=once)
    if not outcome.lost and (lost is None or update not in lost):
        with suppress(ConditionFailedError):
            yield from update_one(update)
            _saw(store, ref, news)
    return outcome


def _saw(store: Store, ref: CheckpointRef, news: News) -> None:
    seen = store.memory.thread(ref.thread_id)
    if seen is None or seen.head != ref.checkpoint_id:
        return
    others = seen.waits - {news.task_id}
    waits = others if news.waits is None else others | {news.task_id}
    store.memory.saw_thread(ref.thread_id, replace(seen, waits=waits), store.now)


def saw_newest(store: Store, seen: ThreadSeen, thread_id: str) -> None:
    """The newest root checkpoint of a thread was read, and what its tasks wait for."""
    known = store.memory.thread(thread_id)
    listed = known is not None and known.listed and known.head == seen.head
    store.memory.saw_thread(thread_id, replace(seen, listed=listed), store.now)


def with_fork(
    store: Store, ref: CheckpointRef, looking: Operation[CheckpointRecord | None]
) -> Operation[CheckpointRecord | None]:
    """Read a root checkpoint by its id, and see whether the thread has moved past it.

    What goes on from it then is a fork that is intended.
    """
    asking = send(GetItem(Table.CHECKPOINTS, thread_key(ref.thread_id), consistent=True))
    record, item = yield from both(looking, asking)
    head = head_of(item)
    if record is not None and head is not None:
        store.memory.may_fork(ref.thread_id, ref.checkpoint_id, head, store.now)
    return record
