"""Threads as users know them: listed by owner, described, erased, and found anew in the table."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.errors import (
    ConditionFailedError,
    InvalidInputError,
    ThreadNotFoundError,
)
from langgraph_checkpoint_dynamodb.format.key_text import SORT_KEY_LIMIT, fits_index_key
from langgraph_checkpoint_dynamodb.format.keys import THREAD_SORT_KEY, thread_key
from langgraph_checkpoint_dynamodb.format.tables import SPECS, THREAD_INDEX_KEYS, Table
from langgraph_checkpoint_dynamodb.items.thread_updates import description_update
from langgraph_checkpoint_dynamodb.items.threads import (
    Description,
    ThreadInfo,
    is_thread_item,
    read_thread_info,
    revision_of,
)
from langgraph_checkpoint_dynamodb.ops.delete import delete_thread
from langgraph_checkpoint_dynamodb.requests.calls import backoff, update_one
from langgraph_checkpoint_dynamodb.requests.items import (
    GetItem,
    QueryThreadIndex,
    ScanThreadIndex,
)
from langgraph_checkpoint_dynamodb.requests.operations import Emit, send, together

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from langgraph_checkpoint_dynamodb.items.threads import Status
    from langgraph_checkpoint_dynamodb.ops.context import Context
    from langgraph_checkpoint_dynamodb.requests.items import StartKey, StoredItem
    from langgraph_checkpoint_dynamodb.requests.operations import Operation, Stream

_SEARCH_PAGE = 200
"""Threads that are looked at at once where not every one is wanted."""
_LARGEST_PAGE = 1000
"""Threads that are asked for at once: a page of the service's holds no more than 1 MB."""
_ATTEMPTS = 10
"""Times that a description is merged anew because somebody else has changed it."""
_CONCURRENCY = 16
"""Threads that are deleted concurrently."""


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
    context: Context, index: str, wanted: ThreadsWanted, limit: int, cursor: str | None
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
            info = read_thread_info(item, context.serde, context.now)
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


def get_thread(context: Context, thread_id: str) -> Operation[ThreadInfo | None]:
    """What is known of a thread, read consistently."""
    item = yield from send(GetItem(Table.CHECKPOINTS, thread_key(thread_id), consistent=True))
    return None if item is None else read_thread_info(item, context.serde, context.now)


def update_thread(
    context: Context, thread_id: str, title: str | None, metadata: Mapping[str, Any]
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
        if item is None or (known := read_thread_info(item, context.serde, context.now)) is None:
            raise ThreadNotFoundError(thread_id)
        merged = Description(known.title, known.metadata).merged(title, metadata)
        update = description_update(thread_id, context.serde, merged, revision_of(item))
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
    context: Context, index: str, wanted: ThreadsWanted, *, dry_run: bool
) -> Stream[ThreadInfo]:
    """Delete threads; hands over each one that is gone.

    A thread's item goes last, so whoever repeats this finds the threads that are half deleted.
    """
    emitted = 0
    cursor: str | None = None
    while True:
        page = yield from list_threads(context, index, wanted, _CONCURRENCY, cursor)
        gone = [*page.threads]
        if not dry_run:
            deleted = yield from together([_delete_one(context, info, wanted) for info in gone])
            gone = [info for info, was in zip(gone, deleted, strict=True) if was]
        yield Emit(gone)
        emitted += len(gone)
        cursor = page.cursor
        if cursor is None:
            return emitted


def _delete_one(context: Context, listed: ThreadInfo, wanted: ThreadsWanted) -> Operation[bool]:
    """Delete a thread, unless a run that has begun since it was listed makes it unwanted.

    The index may be behind, and others of the page may have taken their time.
    """
    known = yield from get_thread(context, listed.thread_id)
    if known is not None and not (wanted.has(known) and known.owner == listed.owner):
        return False
    yield from delete_thread(context, listed.thread_id)
    return True


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
