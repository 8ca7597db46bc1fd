"""Rebuilding the thread index from the checkpoints table."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from uuid import UUID

from langgraph_checkpoint_dynamodb.errors import ConditionFailedError
from langgraph_checkpoint_dynamodb.format.addressing import Address
from langgraph_checkpoint_dynamodb.format.keys import ROOT_NAMESPACE
from langgraph_checkpoint_dynamodb.format.tables import Table
from langgraph_checkpoint_dynamodb.items.attributes import read_key
from langgraph_checkpoint_dynamodb.items.checkpoints import CHECKPOINT_KEYS, read_checkpoint_head
from langgraph_checkpoint_dynamodb.items.codec import waits_of
from langgraph_checkpoint_dynamodb.items.thread_updates import found_update
from langgraph_checkpoint_dynamodb.items.threads import (
    ThreadInfo,
    head_of,
    is_thread_item,
    status_of,
    updated_of,
)
from langgraph_checkpoint_dynamodb.ops.read import get_tuple
from langgraph_checkpoint_dynamodb.requests.calls import update_one
from langgraph_checkpoint_dynamodb.requests.items import Scan
from langgraph_checkpoint_dynamodb.requests.operations import Emit, send, together

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from langgraph.checkpoint.base import CheckpointTuple

    from langgraph_checkpoint_dynamodb.ops.context import Context
    from langgraph_checkpoint_dynamodb.requests.items import StoredItem
    from langgraph_checkpoint_dynamodb.requests.operations import Operation, Stream


_TIME_ORDERED_VERSION = 6
"""The version of UUIDs that start with their timestamp."""


_CONCURRENCY = 16
"""Threads that are read and listed concurrently."""
_UUID_EPOCH = datetime(1582, 10, 15, tzinfo=timezone.utc)


@dataclass(frozen=True, slots=True)
class _ScannedThread:
    """What a Scan has found of a thread.

    Attributes:
        thread_id: The thread.
        first: Id of its oldest root checkpoint.
        newest: Id of its newest root checkpoint.
        ttl: When the newest may be deleted; `None` for never.
        head: The checkpoint that the thread item names; `None` for no item.
        listed: Whether the thread item is in the index. With fencing alone it is not.
    """

    thread_id: str
    first: str | None = None
    newest: str | None = None
    ttl: int | None = None
    head: str | None = None
    listed: bool = False

    @property
    def outdated(self) -> bool:
        """Whether the index does not list the thread with its newest checkpoint."""
        return self.newest is not None and not (self.listed and self.newest == self.head)


def reindex_threads(
    context: Context, owner_of: Callable[[Mapping[str, Any]], str | None]
) -> Stream[ThreadInfo]:
    """Add every thread with checkpoints to the index; emits each thread that was outdated.

    Args:
        context: Settings, serializer, clock and memory of the call.
        owner_of: Returns the owner that the metadata of a checkpoint name.
    """
    scan = Scan(Table.CHECKPOINTS, consistent=True, attributes=CHECKPOINT_KEYS)
    emitted = 0
    current: _ScannedThread | None = None
    while True:
        page = yield from send(scan)
        complete: list[_ScannedThread] = []
        for item in page.items:
            key = read_key(item, Table.CHECKPOINTS)
            if current is None or current.thread_id != key.partition:
                complete += [] if current is None else [current]
                current = _ScannedThread(key.partition)
            current = _add_item(current, item, context.now)
        if page.next is None and current is not None:
            complete.append(current)
        emitted += yield from _list_outdated(context, complete, owner_of)
        if page.next is None:
            return emitted
        scan = replace(scan, start=page.next)


def _add_item(found: _ScannedThread, item: StoredItem, now: int) -> _ScannedThread:
    if is_thread_item(item):
        return replace(found, head=head_of(item), listed=updated_of(item) is not None)
    head = read_checkpoint_head(item, now)
    if not head.visible or head.checkpoint_ns != ROOT_NAMESPACE:
        return found
    first = found.first or head.checkpoint_id
    return replace(found, first=first, newest=head.checkpoint_id, ttl=head.ttl)


def _list_outdated(
    context: Context,
    complete: Sequence[_ScannedThread],
    owner_of: Callable[[Mapping[str, Any]], str | None],
) -> Stream[ThreadInfo]:
    outdated = [found for found in complete if found.outdated]
    emitted = 0
    for start in range(0, len(outdated), _CONCURRENCY):
        group = outdated[start : start + _CONCURRENCY]
        listed = yield from together([_list_thread(context, found, owner_of) for found in group])
        infos = [info for info in listed if info is not None]
        yield Emit(infos)
        emitted += len(infos)
    return emitted


def _list_thread(
    context: Context, found: _ScannedThread, owner_of: Callable[[Mapping[str, Any]], str | None]
) -> Operation[ThreadInfo | None]:
    address = Address(found.thread_id, ROOT_NAMESPACE, found.newest)
    checkpoint = yield from get_tuple(context, address)
    if checkpoint is None:
        return None
    waits = waits_of(checkpoint.pending_writes or ())
    updated = _time_of_checkpoint(checkpoint, context.now)
    info = ThreadInfo(
        thread_id=found.thread_id,
        owner=owner_of(checkpoint.metadata),
        title=None,
        status=status_of(waits),
        interrupts=sum(waits.values()),
        created=_time_of_uuid(found.first) or updated,
        updated=updated,
        checkpoint_id=found.newest,
        metadata={},
    )
    try:
        yield from update_one(found_update(info, waits, found.head, found.ttl))
    except ConditionFailedError:
        return None  # A run has listed it meanwhile.
    return info


def _time_of_checkpoint(checkpoint: CheckpointTuple, now: int) -> datetime:
    """The timestamp of a checkpoint; the current time if it has none."""
    with suppress(ValueError, TypeError):
        parsed = datetime.fromisoformat(checkpoint.checkpoint["ts"])
        return parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=timezone.utc)
    return datetime.fromtimestamp(now, timezone.utc)


def _time_of_uuid(checkpoint_id: str | None) -> datetime | None:
    """The time in a checkpoint id that is a UUID of version 6, as LangGraph's ids are."""
    try:
        parsed = UUID(checkpoint_id or "")
    except ValueError:
        return None
    if parsed.version != _TIME_ORDERED_VERSION:
        return None
    value = parsed.int
    ticks = (value >> 80) << 12 | (value >> 64) & 0xFFF
    return _UUID_EPOCH + timedelta(microseconds=ticks // 10)
