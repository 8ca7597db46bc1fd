"""The methods of a saver that list and manage threads, sync and async."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing, closing
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, get_args

from langgraph_checkpoint_dynamodb.errors import InvalidInputError
from langgraph_checkpoint_dynamodb.format.key_text import require_thread_id
from langgraph_checkpoint_dynamodb.format.thread_index import thread_owner_text
from langgraph_checkpoint_dynamodb.items.threads import Status
from langgraph_checkpoint_dynamodb.ops.reindex import reindex_threads
from langgraph_checkpoint_dynamodb.ops.threads import (
    ThreadsWanted,
    delete_threads,
    get_thread,
    list_threads,
    update_thread,
)
from langgraph_checkpoint_dynamodb.savers.methods import SaverMethods
from langgraph_checkpoint_dynamodb.settings.arguments import require_optional, require_seconds

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from langgraph_checkpoint_dynamodb.items.threads import ThreadInfo
    from langgraph_checkpoint_dynamodb.ops.threads import ThreadPage
    from langgraph_checkpoint_dynamodb.requests.operations import Operation, Stream

    OnProgress: TypeAlias = Callable[[ThreadInfo], object]


class ThreadMethods(SaverMethods):
    """The methods of a saver with a `ThreadIndex`."""

    def list_threads(
        self,
        *,
        owner: str | None = None,
        status: Status | None = None,
        limit: int = 20,
        cursor: str | None = None,
    ) -> ThreadPage:
        """List the threads of an owner, the most recently active first.

        A page of 20 threads takes one request and at most 5 read units, however long the threads
        are. The index is eventually consistent. With a status, the owner's other threads are read
        too and filtered out.

        Args:
            owner: The owner; `None` for the threads of all owners, with a Scan of the index and in
                no order.
            status: Only threads that are `"idle"`, `"waiting"` or `"failed"`.
            limit: Maximum number of threads to return, at least 1.
            cursor: `cursor` of the previous page.

        Returns:
            The threads, and where to continue.

        Raises:
            InvalidInputError: The saver has no `thread_index`, or an argument is invalid.
            UnreadableItemError: A thread item cannot be read.
        """
        return self._run(self._list_threads(owner, status, limit, cursor), "list_threads")

    async def alist_threads(
        self,
        *,
        owner: str | None = None,
        status: Status | None = None,
        limit: int = 20,
        cursor: str | None = None,
    ) -> ThreadPage:
        """Asynchronous version of `list_threads`."""
        return await self._await(self._list_threads(owner, status, limit, cursor), "list_threads")

    def get_thread(self, thread_id: str) -> ThreadInfo | None:
        """Get the owner, title, status and metadata of a thread with one small read.

        Args:
            thread_id: The thread.

        Returns:
            The thread; `None` if it is not listed.

        Raises:
            UnreadableItemError: The thread item exists but cannot be read.
        """
        return self._run(self._get_thread(thread_id), "get_thread")

    async def aget_thread(self, thread_id: str) -> ThreadInfo | None:
        """Asynchronous version of `get_thread`."""
        return await self._await(self._get_thread(thread_id), "get_thread")

    def update_thread(
        self,
        thread_id: str,
        *,
        title: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> ThreadInfo:
        """Set the title of a thread, or add metadata. Its position in lists does not change.

        Args:
            thread_id: The thread.
            title: The new title; `None` keeps the current one, an empty string removes it.
            metadata: Merged into the current metadata; a value of `None` removes its key. Title and
                metadata together take at most 1,024 bytes, serialized by the saver's serde.

        Returns:
            The thread after the update.

        Raises:
            ThreadNotFoundError: The thread is not listed.
            InvalidInputError: Title and metadata are too large, or of another type.
        """
        return self._run(self._update_thread(thread_id, title, metadata), "update_thread")

    async def aupdate_thread(
        self,
        thread_id: str,
        *,
        title: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> ThreadInfo:
        """Asynchronous version of `update_thread`."""
        return await self._await(self._update_thread(thread_id, title, metadata), "update_thread")

    def delete_threads(
        self,
        *,
        owner: str | None = None,
        idle_for: timedelta | float | None = None,
        dry_run: bool = False,
        on_progress: OnProgress | None = None,
    ) -> int:
        """Delete threads by owner, by time of inactivity, or by both.

        If it is interrupted, call it again: the thread item is deleted last, so partly deleted
        threads are still found. Each thread is read again before it is deleted, and kept if a run
        has started or the owner has changed in the meantime. The index is eventually consistent,
        so a thread whose first run has just started may be kept.

        Args:
            owner: Only the threads of this owner.
            idle_for: Only threads whose last run began, was interrupted or failed at least this
                long ago: a `timedelta` or seconds.
            dry_run: Delete nothing, and report the threads that would be deleted.
            on_progress: Called with each thread that was deleted, or would be.

        Returns:
            The number of these threads.

        Raises:
            InvalidInputError: The saver has no `thread_index`, or neither `owner` nor `idle_for` is
                given.
        """
        stream = self._delete_threads(owner, idle_for, dry_run=dry_run)
        return self._report_each(stream, "delete_threads", on_progress)

    async def adelete_threads(
        self,
        *,
        owner: str | None = None,
        idle_for: timedelta | float | None = None,
        dry_run: bool = False,
        on_progress: OnProgress | None = None,
    ) -> int:
        """Asynchronous version of `delete_threads`."""
        stream = self._delete_threads(owner, idle_for, dry_run=dry_run)
        return await self._areport_each(stream, "delete_threads", on_progress)

    def reindex_threads(self, *, on_progress: OnProgress | None = None) -> int:
        """Add the threads of tables that were used without a thread index to the index.

        Scans the checkpoints table, and reads the newest checkpoint of each thread that the index
        does not list with that checkpoint. Can be interrupted and repeated, also during runs.

        Args:
            on_progress: Called with each thread that is added or updated.

        Returns:
            The number of these threads.

        Raises:
            InvalidInputError: The saver has no `thread_index`.
            UnreadableItemError: A checkpoint exists but cannot be read.
        """
        return self._report_each(self._reindex_threads(), "reindex_threads", on_progress)

    async def areindex_threads(self, *, on_progress: OnProgress | None = None) -> int:
        """Asynchronous version of `reindex_threads`."""
        return await self._areport_each(self._reindex_threads(), "reindex_threads", on_progress)

    def _report_each(
        self, stream: Stream[ThreadInfo], method: str, on_progress: OnProgress | None
    ) -> int:
        """Pass each thread of a stream to `on_progress`, and return their number."""
        count = 0
        with closing(self._pages(stream, method)) as pages:
            for page in pages:
                count += _report(page, on_progress)
        return count

    async def _areport_each(
        self, stream: Stream[ThreadInfo], method: str, on_progress: OnProgress | None
    ) -> int:
        """Asynchronous version of `_report_each`."""
        count = 0
        async with aclosing(self._apages(stream, method)) as pages:
            async for page in pages:
                count += _report(page, on_progress)
        return count

    def _list_threads(
        self, owner: str | None, status: Status | None, limit: int, cursor: str | None
    ) -> Operation[ThreadPage]:
        require_optional("cursor", cursor, str)
        if status is not None and status not in get_args(Status):
            known = ", ".join(map(repr, get_args(Status)))
            raise InvalidInputError("status", f"must be None or one of {known}, got {status!r}")
        if require_optional("limit", limit, int) is None or limit < 1:
            raise InvalidInputError("limit", f"must be at least 1, got {limit}")
        wanted = ThreadsWanted(_owner(owner), status)
        return list_threads(self._context(), self._thread_index(), wanted, limit, cursor)

    def _get_thread(self, thread_id: str) -> Operation[ThreadInfo | None]:
        return get_thread(self._context(), require_thread_id(thread_id))

    def _update_thread(
        self, thread_id: str, title: str | None, metadata: Mapping[str, Any] | None
    ) -> Operation[ThreadInfo]:
        require_optional("title", title, str)
        said: object = {} if metadata is None else metadata
        if not isinstance(said, Mapping) or not all(isinstance(name, str) for name in said):
            raise InvalidInputError("metadata", "must be a mapping with string keys")
        return update_thread(self._context(), require_thread_id(thread_id), title, said)

    def _delete_threads(
        self, owner: str | None, idle_for: timedelta | float | None, *, dry_run: bool
    ) -> Stream[ThreadInfo]:
        if owner is None and idle_for is None:
            raise InvalidInputError("owner", "is missing, and so is idle_for: name one of them")
        since = None
        context = self._context()
        if idle_for is not None:
            before = context.stamp.millis / 1000 - require_seconds("idle_for", idle_for)
            since = datetime.fromtimestamp(max(0, before), timezone.utc)
        wanted = ThreadsWanted(_owner(owner), idle_since=since)
        return delete_threads(context, self._thread_index(), wanted, dry_run=dry_run)

    def _reindex_threads(self) -> Stream[ThreadInfo]:
        self._thread_index()
        return reindex_threads(self._context(), self._owner_of)

    def _thread_index(self) -> str:
        index = self._settings.thread_index
        if index is None:
            raise InvalidInputError(
                "thread_index",
                'is missing; pass thread_index=ThreadIndex("user_id") to the saver',
            )
        return index.index_name


def _owner(owner: object) -> str | None:
    if owner is None:
        return None
    text = thread_owner_text(owner)
    if text is None:
        raise InvalidInputError(
            "owner", "must be a text of 1 to 2,048 bytes, an integer or a UUID, which stand for it"
        )
    return text


def _report(page: list[ThreadInfo], on_progress: OnProgress | None) -> int:
    if on_progress is not None:
        for info in page:
            on_progress(info)
    return len(page)
