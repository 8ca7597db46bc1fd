"""Requests that write the thread item, for runs, users, copies and deletes."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.errors import InvalidInputError
from langgraph_checkpoint_dynamodb.format.keys import thread_key
from langgraph_checkpoint_dynamodb.format.tables import Attribute, Table
from langgraph_checkpoint_dynamodb.format.thread_index import owner_in_key, thread_index_key
from langgraph_checkpoint_dynamodb.items.attributes import typed
from langgraph_checkpoint_dynamodb.items.threads import Description, ThreadInfo, moment_text
from langgraph_checkpoint_dynamodb.requests.items import DeleteUnchanged, Expected, Update

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from langgraph.checkpoint.serde.base import SerializerProtocol

    from langgraph_checkpoint_dynamodb.format.expiry import Stamp
    from langgraph_checkpoint_dynamodb.format.keys import CheckpointRef
    from langgraph_checkpoint_dynamodb.requests.items import StoredItem

MAX_DESCRIPTION_BYTES = 1024
"""Maximum size of title and metadata, serialized. 20 threads then take at most 5 read units."""


def turn_update(
    ref: CheckpointRef,
    owner: str | None,
    stamp: Stamp,
    *,
    listed: bool,
    waits: Mapping[str, int] = MappingProxyType({}),
    head: str | None = None,
) -> Update:
    """The request that records that a run has stored a root checkpoint.

    Args:
        ref: The checkpoint.
        owner: The run's owner; `None` keeps the owner that the thread has.
        stamp: When and by which call.
        listed: Whether the thread is listed, with the time of the stamp.
        waits: By task, the number of interrupts that are known already, or `FAILED`.
        head: The later checkpoint that those tasks belong to; `None` for this one.
    """
    values: dict[str, Any] = {Attribute.HEAD: head or ref.checkpoint_id, Attribute.TTL: stamp.ttl}
    first: dict[str, Any] = {}
    if listed:
        now = moment_text(stamp.millis)
        values |= {Attribute.UPDATED: now, Attribute.WAITS: dict(waits)}
        named = values if owner is not None else first
        named[Attribute.OWNER] = thread_index_key(owner, ref.thread_id)
        first[Attribute.BEGUN] = now
    removed = () if stamp.ttl is not None else (Attribute.TTL,)
    return replace(_update(ref.thread_id, values, first), removed=removed)


def waits_update(
    ref: CheckpointRef, task_id: str, count: int | None, stamp: Stamp, *, moves: bool
) -> Update:
    """The request that records what a task of a root checkpoint waits for.

    Args:
        ref: The checkpoint.
        task_id: The task.
        count: The number of its interrupts, `FAILED`, or `None` if it no longer waits.
        stamp: When and by which call.
        moves: Whether the checkpoint becomes the thread's head.
    """
    values: dict[str, Any] = {Attribute.UPDATED: moment_text(stamp.millis)}
    values |= {Attribute.TTL: stamp.ttl, Attribute.HEAD: ref.checkpoint_id if moves else None}
    entry = None if count is None else {"N": str(count)}
    return Update(
        Table.CHECKPOINTS,
        thread_key(ref.thread_id),
        typed(values),
        entries=((Attribute.WAITS, task_id, entry),),
    )


def description_update(
    thread_id: str, serde: SerializerProtocol, description: Description, revision: int
) -> Update:
    """The request that stores a thread's description, if its revision is still `revision`.

    Raises:
        InvalidInputError: The description is too large.
    """
    fields = {"title": description.title, "metadata": dict(description.metadata)}
    tag, data = serde.dumps_typed(fields)
    if len(data) > MAX_DESCRIPTION_BYTES:
        raise InvalidInputError(
            "metadata",
            f"title and metadata of thread {thread_id!r} take {len(data):,} bytes, at most "
            f"{MAX_DESCRIPTION_BYTES:,}; keep what is larger in the state",
        )
    values = {
        Attribute.TYPE: tag,
        Attribute.METADATA: bytes(data),
        Attribute.REVISION: revision + 1,
    }
    expected = (
        Expected(Attribute.REVISION, ({"N": str(revision)},), missing=False)
        if revision
        else Expected(Attribute.REVISION)
    )
    return _update(thread_id, values, expected=expected)


def copied_update(item: StoredItem, target_id: str, stamp: Stamp) -> Update:
    """The request that copies a thread item to the copy of its thread.

    An existing description of the target is kept.
    """
    replaced = (Attribute.HEAD, Attribute.WAITS, Attribute.TTL)
    values: dict[str, Any] = {name: item[name] for name in replaced if name in item}
    described = (Attribute.TYPE, Attribute.METADATA, Attribute.REVISION)
    first: dict[str, Any] = {name: item[name] for name in described if name in item}
    if Attribute.OWNER in item:
        owner = owner_in_key(item[Attribute.OWNER].get("S", ""))
        now = moment_text(stamp.millis)
        values |= typed(
            {Attribute.OWNER: thread_index_key(owner, target_id), Attribute.UPDATED: now}
        )
        first |= typed({Attribute.BEGUN: now})
    return Update(Table.CHECKPOINTS, thread_key(target_id), values, first)


def found_update(
    info: ThreadInfo, waits: Mapping[str, int], head: str | None, ttl: int | None
) -> Update:
    """The request that lists a thread found by scanning the table, if it has not run since.

    Args:
        info: The thread as it was found.
        waits: By task, the number of its interrupts, or `FAILED`.
        head: The head in its thread item before; `None` for no head.
        ttl: When the thread's newest checkpoint may be deleted.
    """
    values = {
        Attribute.HEAD: info.checkpoint_id,
        Attribute.WAITS: dict(waits),
        Attribute.UPDATED: moment_text(_millis(info.updated)),
        Attribute.OWNER: thread_index_key(info.owner, info.thread_id),
        Attribute.TTL: ttl,
    }
    first = {Attribute.BEGUN: moment_text(_millis(info.created))}
    return _update(info.thread_id, values, first, expected=head_is(head))


def set_back_update(
    thread_id: str, before: str, head: str, waits: Mapping[str, int], ttl: int | None
) -> Update:
    """The request that moves a thread's head to an older checkpoint after later ones were deleted.

    Args:
        thread_id: The thread.
        before: The head that is expected in its thread item.
        head: The older checkpoint.
        waits: By task, the number of its interrupts there, or `FAILED`.
        ttl: When that checkpoint may be deleted.
    """
    values = {Attribute.HEAD: head, Attribute.WAITS: dict(waits), Attribute.TTL: ttl}
    update = _update(thread_id, values, expected=head_is(before))
    return replace(update, removed=() if ttl is not None else (Attribute.TTL,))


def head_is(head: str | None) -> Expected:
    """The condition that a thread item still has this head; `None` for no head."""
    if head is None:
        return Expected(Attribute.HEAD)
    return Expected(Attribute.HEAD, ({"S": head},), missing=False)


def _update(
    thread_id: str,
    values: Mapping[str, Any],
    first: Mapping[str, Any] = MappingProxyType({}),
    *,
    expected: Expected | None = None,
) -> Update:
    return Update(
        Table.CHECKPOINTS, thread_key(thread_id), typed(values), typed(first), expected=expected
    )


def delete_if_unchanged(item: StoredItem) -> DeleteUnchanged | None:
    """The request that deletes a thread item unless a run has begun since it was read.

    `None` if the item lacks its thread id or its head.
    """
    head, thread_id = item.get(Attribute.HEAD), item.get(Attribute.THREAD_ID, {}).get("S")
    if head is None or thread_id is None:
        return None
    return DeleteUnchanged(Table.CHECKPOINTS, thread_key(thread_id), Attribute.HEAD, head)


def _millis(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
