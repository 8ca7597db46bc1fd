"""Listing threads by owner, describing them and deleting them."""

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
"""Page size of a listing that filters threads."""
_LARGEST_PAGE = 1000
"""Maximum page size of a listing. DynamoDB also ends pages at 1 MB."""
_MERGE_ATTEMPTS = 10
"""Attempts at merging a description that other calls change concurrently."""
_CONCURRENCY = 16
"""Threads that are deleted concurrently."""


@dataclass(frozen=True, slots=True)
class ThreadPage:
    """A page of threads.

    Attributes:
        threads: The threads.
        cursor: Pass it to the next call to get the next page; `None` after the last thread.
    """

    threads: tuple[ThreadInfo, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class ThreadsWanted:
    """Which threads to return.

    Attributes:
        owner: Only threads of this owner; `None` for all.
        status: Only threads with this status; `None` for all.
        idle_since: Only threads without activity after this time; `None` for all.
    """

    owner: str | None = None
    status: Status | None = None
    idle_since: datetime | None = None

    def has(self, info: ThreadInfo) -> bool:
        """Whether the status and last activity of a thread match."""
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
    """A page of an owner's threads, most recently active first; of all threads in no order."""
    start = None if cursor is None else _start_of(cursor, wanted.owner)
    found: list[ThreadInfo] = []
    # With a filter, or if listed threads have expired, many items may be needed to fill the page.
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
                next_start = page.next if last else _key_in_index(item)
                return ThreadPage(tuple(found), _cursor(next_start))
        if page.next is None:
            return ThreadPage(tuple(found), None)
        start = page.next
        size = min(max(limit - len(found), _SEARCH_PAGE), _LARGEST_PAGE)


def get_thread(context: Context, thread_id: str) -> Operation[ThreadInfo | None]:
    """The item of a thread, read consistently; `None` for none."""
    item = yield from send(GetItem(Table.CHECKPOINTS, thread_key(thread_id), consistent=True))
    return None if item is None else read_thread_info(item, context.serde, context.now)


def update_thread(
    context: Context, thread_id: str, title: str | None, metadata: Mapping[str, Any]
) -> Operation[ThreadInfo]:
    """Merge a title and metadata into the description of a thread.

    Raises:
        ThreadNotFoundError: The thread is not listed.
        InvalidInputError: The description is too large.
        ConditionFailedError: Other calls have changed the description at every attempt.
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
            if attempt == _MERGE_ATTEMPTS:
                raise
        else:
            return replace(known, title=merged.title, metadata=merged.metadata)
        yield from send(backoff(attempt))
        attempt += 1


def delete_threads(
    context: Context, index: str, wanted: ThreadsWanted, *, dry_run: bool
) -> Stream[ThreadInfo]:
    """Delete threads; emits each thread that was deleted.

    The item of a thread is deleted last, so a repeated call finds partly deleted threads.
    """
    emitted = 0
    cursor: str | None = None
    while True:
        page = yield from list_threads(context, index, wanted, _CONCURRENCY, cursor)
        deleted = [*page.threads]
        if not dry_run:
            was_deleted = yield from together(
                [_delete_if_wanted(context, info, wanted) for info in deleted]
            )
            deleted = [info for info, was in zip(deleted, was_deleted, strict=True) if was]
        yield Emit(deleted)
        emitted += len(deleted)
        cursor = page.cursor
        if cursor is None:
            return emitted


def _delete_if_wanted(
    context: Context, listed: ThreadInfo, wanted: ThreadsWanted
) -> Operation[bool]:
    """Delete a thread, unless it does not match any more.

    The index is eventually consistent, and a run may have started since the thread was listed.

    Returns:
        Whether it was deleted.
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
            "cursor", "was not returned by list_threads; pass the returned cursor unchanged"
        ) from None
    if owner is not None and said[0] != owner:
        raise InvalidInputError(
            "cursor", f"is not of a list for owner {owner!r}; start without a cursor"
        )
    values[spec.sort_key] = THREAD_SORT_KEY
    return {name: {"S": value} for name, value in values.items()}
