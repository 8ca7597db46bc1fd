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


_TIME_ORDERED = 6
"""The version of UUIDs that begin with their time."""


_CONCURRENCY = 16
"""Threads that are read and listed concurrently."""
_EPOCH_OF_UUIDS = datetime(1582, 10, 15, tzinfo=timezone.utc)


@dataclass(frozen=True, slots=True)
class _Found:
    """What a Scan has shown of a thread.

    Attributes:
        thread_id: The thread.
        first: Id of its oldest root checkpoint.
        newest: Id of its newest one.
        ttl: When that may be deleted; `None` for never.
        head: The checkpoint that its item names; `None` for no item.
        listed: Whether its item is in the index. That of a thread that was only fenced is not.
    """

    thread_id: str
    first: str | None = None
    newest: str | None = None
    ttl: int | None = None
    head: str | None = None
    listed: bool = False

    @property
    def behind(self) -> bool:
        """Whether it is not listed as it is."""
        return self.newest is not None and not (self.listed and self.newest == self.head)


def reindex_threads(
    context: Context, owner_of: Callable[[Mapping[str, Any]], str | None]
) -> Stream[ThreadInfo]:
    """List every thread that has checkpoints; hands over each one that was not listed as it is.

    Args:
        context: Settings, serializer, clock and memory of the call.
        owner_of: The owner that a checkpoint's metadata name.
    """
    scan = Scan(Table.CHECKPOINTS, consistent=True, attributes=CHECKPOINT_KEYS)
    emitted = 0
    open_: _Found | None = None
    while True:
        page = yield from send(scan)
        ready: list[_Found] = []
        for item in page.items:
            key = read_key(item, Table.CHECKPOINTS)
            if open_ is None or open_.thread_id != key.partition:
                ready += [] if open_ is None else [open_]
                open_ = _Found(key.partition)
            open_ = _with(open_, item, context.now)
        if page.next is None and open_ is not None:
            ready.append(open_)
        emitted += yield from _list_found(context, ready, owner_of)
        if page.next is None:
            return emitted
        scan = replace(scan, start=page.next)


def _with(found: _Found, item: StoredItem, now: int) -> _Found:
    if is_thread_item(item):
        return replace(found, head=head_of(item), listed=updated_of(item) is not None)
    head = read_checkpoint_head(item, now)
    if not head.visible or head.checkpoint_ns != ROOT_NAMESPACE:
        return found
    first = found.first or head.checkpoint_id
    return replace(found, first=first, newest=head.checkpoint_id, ttl=head.ttl)


def _list_found(
    context: Context, ready: Sequence[_Found], owner_of: Callable[[Mapping[str, Any]], str | None]
) -> Stream[ThreadInfo]:
    behind = [found for found in ready if found.behind]
    emitted = 0
    for start in range(0, len(behind), _CONCURRENCY):
        group = behind[start : start + _CONCURRENCY]
        listed = yield from together([_list_one(context, found, owner_of) for found in group])
        infos = [info for info in listed if info is not None]
        yield Emit(infos)
        emitted += len(infos)
    return emitted


def _list_one(
    context: Context, found: _Found, owner_of: Callable[[Mapping[str, Any]], str | None]
) -> Operation[ThreadInfo | None]:
    address = Address(found.thread_id, ROOT_NAMESPACE, found.newest)
    checkpoint = yield from get_tuple(context, address)
    if checkpoint is None:
        return None
    waits = waits_of(checkpoint.pending_writes or ())
    updated = _moment_of(checkpoint, context.now)
    info = ThreadInfo(
        thread_id=found.thread_id,
        owner=owner_of(checkpoint.metadata),
        title=None,
        status=status_of(waits),
        interrupts=sum(waits.values()),
        created=_time_of_id(found.first) or updated,
        updated=updated,
        checkpoint_id=found.newest,
        metadata={},
    )
    try:
        yield from update_one(found_update(info, waits, found.head, found.ttl))
    except ConditionFailedError:
        return None  # A run has begun meanwhile, and has listed it.
    return info


def _moment_of(checkpoint: CheckpointTuple, now: int) -> datetime:
    """When a checkpoint was made, as it says itself."""
    with suppress(ValueError, TypeError):
        made = datetime.fromisoformat(checkpoint.checkpoint["ts"])
        return made if made.tzinfo is not None else made.replace(tzinfo=timezone.utc)
    return datetime.fromtimestamp(now, timezone.utc)


def _time_of_id(checkpoint_id: str | None) -> datetime | None:
    """When an id was made, where it is one of LangGraph's: a UUID of version 6."""
    try:
        made = UUID(checkpoint_id or "")
    except ValueError:
        return None
    if made.version != _TIME_ORDERED:
        return None
    value = made.int
    ticks = (value >> 80) << 12 | (value >> 64) & 0xFFF
    return _EPOCH_OF_UUIDS + timedelta(microseconds=ticks // 10)
