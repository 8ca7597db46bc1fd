"""Threads as users know them: listed by owner, described, erased, and found anew in the table."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from uuid import UUID

from langgraph_checkpoint_dynamodb.errors import (
    ConditionFailedError,
    InvalidInputError,
    ThreadNotFoundError,
)
from langgraph_checkpoint_dynamodb.format.addressing import Address
from langgraph_checkpoint_dynamodb.format.key_text import SORT_KEY_LIMIT, fits_index_key
from langgraph_checkpoint_dynamodb.format.keys import ROOT_NAMESPACE, THREAD_SORT_KEY, thread_key
from langgraph_checkpoint_dynamodb.format.tables import SPECS, THREAD_INDEX_KEYS, Table
from langgraph_checkpoint_dynamodb.items.attributes import read_key
from langgraph_checkpoint_dynamodb.items.checkpoints import CHECKPOINT_KEYS, read_checkpoint_head
from langgraph_checkpoint_dynamodb.items.codec import waits_of
from langgraph_checkpoint_dynamodb.items.thread_updates import description_update, found_update
from langgraph_checkpoint_dynamodb.items.threads import (
    Description,
    ThreadInfo,
    head_of,
    is_thread_item,
    read_thread_info,
    revision_of,
    status_of,
    updated_of,
)
from langgraph_checkpoint_dynamodb.ops.delete import delete_thread
from langgraph_checkpoint_dynamodb.ops.read import get_tuple
from langgraph_checkpoint_dynamodb.requests.calls import backoff, update_one
from langgraph_checkpoint_dynamodb.requests.items import (
    GetItem,
    QueryThreadIndex,
    Scan,
    ScanThreadIndex,
)
from langgraph_checkpoint_dynamodb.requests.operations import Emit, send, together

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from langgraph.checkpoint.base import CheckpointTuple

    from langgraph_checkpoint_dynamodb.items.threads import Status
    from langgraph_checkpoint_dynamodb.ops.store import Store
    from langgraph_checkpoint_dynamodb.requests.items import StartKey, StoredItem
    from langgraph_checkpoint_dynamodb.requests.operations import Operation, Stream

_TIME_ORDERED = 6
"""The version of UUIDs that begin with their time."""
_EPOCH_OF_UUIDS = datetime(1582, 10, 15, tzinfo=timezone.utc)
_SEARCH_PAGE = 200
"""Threads that are looked at at once where not every one is wanted."""
_LARGEST_PAGE = 1000
"""Threads that are asked for at once: a page of the service's holds no more than 1 MB."""
_ATTEMPTS = 10
"""Times that a description is merged anew because somebody else has changed it."""
_SIDE_BY_SIDE = 16
"""Threads that are deleted or found side by side."""


@dataclass(frozen=True, slots=True)
class ThreadPage:
    """Threads that were listed.

    Attributes:
        threads: The threads.
        cursor: Where to go on, to be passed to the next call; `None` after the last thread.
    """

    threads: tuple[ThreadInfo, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class ThreadsWanted:
    """Which threads to return.

    Attributes:
        owner: Only those of this owner; `None` for all.
        status: Only those of this status; `None` for all.
        idle_since: Only those that were not active after this moment; `None` for all.
    """

    owner: str | None = None
    status: Status | None = None
    idle_since: datetime | None = None

    def has(self, info: ThreadInfo) -> bool:
        """Whether a thread is wanted."""
        if self.status is not None and info.status != self.status:
            return False
        return self.idle_since is None or info.updated <= self.idle_since

    @property
    def all_of_owner(self) -> bool:
        """Whether every thread of the owner is wanted."""
        return self.status is None and self.idle_since is None


def list_threads(
    store: Store, index: str, wanted: ThreadsWanted, limit: int, cursor: str | None
) -> Operation[ThreadPage]:
    """Threads of an owner, the most recently active first; those of everybody in no order."""
    start = None if cursor is None else _start_of(cursor, wanted.owner)
    found: list[ThreadInfo] = []
    # Where not all that was read is wanted, or is there any more, what is missing may lie far off.
    size = min(limit, _LARGEST_PAGE) if wanted.all_of_owner else _SEARCH_PAGE
    while True:
        if wanted.owner is None:
            page = yield from send(ScanThreadIndex(index, size, start))
        else:
            page = yield from send(QueryThreadIndex(index, wanted.owner, size, start))
        for position, item in enumerate(page.items, start=1):
            if not is_thread_item(item):
                continue
            info = read_thread_info(item, store.serde, store.now)
            if info is None or not wanted.has(info):
                continue
            found.append(info)
            if len(found) == limit:
                last = position == len(page.items)
                following = page.next if last else _key_in_index(item)
                return ThreadPage(tuple(found), _cursor(following))
        if page.next is None:
            return ThreadPage(tuple(found), None)
        start = page.next
        size = min(max(limit - len(found), _SEARCH_PAGE), _LARGEST_PAGE)


def get_thread(store: Store, thread_id: str) -> Operation[ThreadInfo | None]:
    """What is known of a thread, read consistently."""
    item = yield from send(GetItem(Table.CHECKPOINTS, thread_key(thread_id), consistent=True))
    return None if item is None else read_thread_info(item, store.serde, store.now)


def update_thread(
    store: Store, thread_id: str, title: str | None, metadata: Mapping[str, Any]
) -> Operation[ThreadInfo]:
    """Merge what a user says of a thread with what was said before.

    Raises:
        ThreadNotFoundError: The thread is not listed.
        InvalidInputError: It is too much.
        ConditionFailedError: Others have changed it at every attempt.
    """
    attempt = 1
    while True:
        item = yield from send(GetItem(Table.CHECKPOINTS, thread_key(thread_id), consistent=True))
        if item is None or (known := read_thread_info(item, store.serde, store.now)) is None:
            raise ThreadNotFoundError(thread_id)
        merged = Description(known.title, known.metadata).merged(title, metadata)
        update = description_update(thread_id, store.serde, merged, revision_of(item))
        try:
            yield from update_one(update)
        except ConditionFailedError:
            if attempt == _ATTEMPTS:
                raise
        else:
            return replace(known, title=merged.title, metadata=merged.metadata)
        yield from send(backoff(attempt))
        attempt += 1


def delete_threads(
    store: Store, index: str, wanted: ThreadsWanted, *, dry_run: bool
) -> Stream[ThreadInfo]:
    """Delete threads; hands over each one that is gone.

    A thread's item goes last, so whoever repeats this finds the threads that are half deleted.
    """
    emitted = 0
    cursor: str | None = None
    while True:
        page = yield from list_threads(store, index, wanted, _SIDE_BY_SIDE, cursor)
        gone = [*page.threads]
        if not dry_run:
            deleted = yield from together([_delete_one(store, info, wanted) for info in gone])
            gone = [info for info, was in zip(gone, deleted, strict=True) if was]
        yield Emit(gone)
        emitted += len(gone)
        cursor = page.cursor
        if cursor is None:
            return emitted


def _delete_one(store: Store, listed: ThreadInfo, wanted: ThreadsWanted) -> Operation[bool]:
    """Delete a thread, unless a run that has begun since it was listed makes it unwanted.

    The index may be behind, and others of the page may have taken their time.
    """
    known = yield from get_thread(store, listed.thread_id)
    if known is not None and not (wanted.has(known) and known.owner == listed.owner):
        return False
    yield from delete_thread(store, listed.thread_id)
    return True


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
    store: Store, owner_of: Callable[[Mapping[str, Any]], str | None]
) -> Stream[ThreadInfo]:
    """List every thread that has checkpoints; hands over each one that was not listed as it is.

    Args:
        store: How to read and write.
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
            open_ = _with(open_, item, store.now)
        if page.next is None and open_ is not None:
            ready.append(open_)
        emitted += yield from _list_found(store, ready, owner_of)
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
    store: Store, ready: Sequence[_Found], owner_of: Callable[[Mapping[str, Any]], str | None]
) -> Stream[ThreadInfo]:
    behind = [found for found in ready if found.behind]
    emitted = 0
    for start in range(0, len(behind), _SIDE_BY_SIDE):
        group = behind[start : start + _SIDE_BY_SIDE]
        listed = yield from together([_list_one(store, found, owner_of) for found in group])
        infos = [info for info in listed if info is not None]
        yield Emit(infos)
        emitted += len(infos)
    return emitted


def _list_one(
    store: Store, found: _Found, owner_of: Callable[[Mapping[str, Any]], str | None]
) -> Operation[ThreadInfo | None]:
    address = Address(found.thread_id, ROOT_NAMESPACE, found.newest)
    checkpoint = yield from get_tuple(store, address)
    if checkpoint is None:
        return None
    waits = waits_of(checkpoint.pending_writes or ())
    updated = _moment_of(checkpoint, store.now)
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


def _key_in_index(item: StoredItem) -> StartKey:
    spec = SPECS[Table.CHECKPOINTS]
    return {name: item[name] for name in (*THREAD_INDEX_KEYS, spec.partition_key, spec.sort_key)}


def _cursor(start: StartKey | None) -> str | None:
    if start is None:
        return None
    spec = SPECS[Table.CHECKPOINTS]
    names = (*THREAD_INDEX_KEYS, spec.partition_key)
    return json.dumps([start[name].get("S") for name in names])


def _start_of(cursor: str, owner: str | None) -> StartKey:
    spec = SPECS[Table.CHECKPOINTS]
    names = (*THREAD_INDEX_KEYS, spec.partition_key)
    try:
        said = json.loads(cursor)
        values = dict(zip(names, said, strict=True))
        if not all(map(fits_index_key, said)) or len(said[1].encode()) > SORT_KEY_LIMIT:
            raise ValueError
    except (ValueError, TypeError, RecursionError):
        raise InvalidInputError(
            "cursor", "is not what list_threads has returned; pass it unchanged"
        ) from None
    if owner is not None and said[0] != owner:
        raise InvalidInputError(
            "cursor", f"belongs to another list than that of owner {owner!r}; begin without one"
        )
    values[spec.sort_key] = THREAD_SORT_KEY
    return {name: {"S": value} for name, value in values.items()}
