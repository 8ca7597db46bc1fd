"""The methods of a saver, sync and async: each checks its arguments and runs one operation."""

from __future__ import annotations

from abc import abstractmethod
from contextlib import aclosing, closing
from typing import TYPE_CHECKING, Any, TypeVar

from langgraph_checkpoint_dynamodb.savers.moving_methods import MovingMethods
from langgraph_checkpoint_dynamodb.settings.arguments import SWEEP_AGE_SECONDS

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        AsyncIterator,
        Callable,
        Generator,
        Iterator,
        Mapping,
        Sequence,
    )
    from datetime import timedelta

    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import (
        ChannelVersions,
        Checkpoint,
        CheckpointMetadata,
        CheckpointTuple,
        DeltaChannelHistory,
    )

    from langgraph_checkpoint_dynamodb.ops.sweep import SweepReport
    from langgraph_checkpoint_dynamodb.requests.operations import Stream

T = TypeVar("T")


class SaverMethods(MovingMethods):
    """LangGraph's methods and those of this package. Subclasses perform the operations."""

    @abstractmethod
    def _pages(self, stream: Stream[T], method: str) -> Generator[list[T], None, None]:
        """Perform a stream in synchronous code, page by page."""

    @abstractmethod
    def _apages(self, stream: Stream[T], method: str) -> AsyncGenerator[list[T], None]:
        """Perform a stream page by page without blocking the event loop."""

    @abstractmethod
    async def _prepared(self, prepare: Callable[[], T], value: object) -> T:
        """Serialize `value` by calling `prepare`, on another thread if it is large."""

    def setup(self) -> None:
        """Create the two tables, on-demand, or verify those that are there. Can be repeated.

        Needs `dynamodb:DescribeTable`, `dynamodb:CreateTable` and, to add an index to a table that
        exists, `dynamodb:UpdateTable`. Nothing else calls it.

        Raises:
            TableMismatchError: A table or an index has other keys.
            TableError: A table was not active after two minutes.
        """
        self._run(self._set_up(), "setup")

    async def asetup(self) -> None:
        """Asynchronous version of `setup`."""
        await self._await(self._set_up(), "setup")

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Get a checkpoint with its metadata and pending writes.

        One round trip with a `checkpoint_id`, two without, whatever the length of the thread.

        Args:
            config: Names the thread, and optionally namespace and checkpoint. Without a checkpoint
                id the one with the highest id is read.

        Returns:
            The checkpoint, or `None` if there is none. Pending writes are in the order a superstep
            applies them.

        Raises:
            InvalidInputError: The thread id is missing or cannot be stored, or the checkpoint id
                is no string.
            UnreadableItemError: The checkpoint is there but cannot be read.
        """
        return self._run(self._get_tuple(config), "get_tuple")

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Asynchronous version of `get_tuple`."""
        return await self._await(self._get_tuple(config), "get_tuple")

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002 - LangGraph's name for it
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """List checkpoints, newest first in each namespace, reading as they are asked for.

        Args:
            config: Names the thread, and optionally the only namespace and the only checkpoint.
                `None` lists all threads, with a Scan of the table.
            filter: Values that the metadata must have. Compared here, so it saves no reads.
            before: Only checkpoints whose id is below this config's. May be a bare mapping like
                `{"checkpoint_id": "..."}`, as LangGraph's agent server passes it.
            limit: Most checkpoints to return, counted after filtering.

        Yields:
            The checkpoints. Namespaces and threads come in no particular order.

        Raises:
            InvalidInputError: The thread id is missing or an argument cannot be used.
            UnreadableItemError: A checkpoint is there but cannot be read.
        """
        return _flatten(self._pages(self._list(config, filter, before, limit), "list"))

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002 - LangGraph's name for it
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """Asynchronous version of `list`."""
        async with aclosing(
            self._apages(self._list(config, filter, before, limit), "list")
        ) as pages:
            async for page in pages:
                for found in page:
                    yield found

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,  # noqa: ARG002 - LangGraph's signature
    ) -> RunnableConfig:
        """Store a checkpoint. One of the same id is replaced.

        One request; what does not fit an item is stored before it, side by side.

        Args:
            config: Names the thread, the namespace and, as `checkpoint_id`, the parent.
            checkpoint: The checkpoint, stored whole.
            metadata: Its metadata; scalars of the config's metadata and configurable are added, as
                LangGraph's `get_checkpoint_metadata` does.
            new_versions: Not needed: channel values are stored with their checkpoint.

        Returns:
            The config of the stored checkpoint.

        Raises:
            InvalidInputError: An id is missing or cannot be stored.
            PayloadTooLargeError: A value is over `max_value_bytes`. Nothing was stored.
        """
        operation, stored = self._put(config, checkpoint, metadata)
        self._run(operation, "put")
        return stored

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,  # noqa: ARG002 - LangGraph's signature
    ) -> RunnableConfig:
        """Asynchronous version of `put`. Serializes before it first waits.

        LangGraph passes live channel values; what a node changes afterwards must not be stored.
        `AsyncDynamoDBSaver` has large values serialized by another thread and waits for that.
        """
        operation, stored = await self._prepared(
            lambda: self._put(config, checkpoint, metadata), checkpoint
        )
        await self._await(operation, "put")
        return stored

    def put_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Store the writes of a task: all of them or none.

        Regular writes keep the first value stored for a task and position, the special channels
        (`WRITES_IDX_MAP`) the last. One request, whatever their number, up to 4 MB of small ones;
        large ones are stored before it, side by side. Where another call of the task was there
        before, two more store what it has left out.

        Args:
            config: Names the checkpoint, which need not exist yet.
            writes: Pairs of channel and value.
            task_id: The task that made them.
            task_path: Path of the task; orders the writes of a checkpoint.

        Raises:
            InvalidInputError: An id is missing or cannot be stored.
            PayloadTooLargeError: A value is over `max_value_bytes`. None was stored.
        """
        self._run(self._put_writes(config, writes, task_id, task_path), "put_writes")

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Asynchronous version of `put_writes`. Serializes as `aput` does."""
        operation = await self._prepared(
            lambda: self._put_writes(config, writes, task_id, task_path), writes
        )
        await self._await(operation, "put_writes")

    def delete_thread(self, thread_id: str) -> None:
        """Delete every checkpoint of a thread, in all namespaces, with its writes.

        Stopped halfway, it shows an older checkpoint or none, and can be repeated to its end.
        Writes are found through their checkpoints: those of one that was never stored stay. For
        each checkpoint that had writes a mark stays for an hour, so that who reads at the same
        time never sees it without them; DynamoDB deletes it by its `ttl`, or the sweep does.

        Args:
            thread_id: The thread. Here as in every config, an integer or a UUID stands for its
                text.

        Raises:
            InvalidInputError: The thread id is empty or no id.
            UnprocessedItemsError: The tables stayed throttled.
        """
        self._run(self._delete_thread(thread_id), "delete_thread")

    async def adelete_thread(self, thread_id: str) -> None:
        """Asynchronous version of `delete_thread`."""
        await self._await(self._delete_thread(thread_id), "delete_thread")

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Delete every checkpoint made by these runs, in all threads, with its writes.

        Finds them through the run index, or with a parallel Scan where the saver has none. The
        index lags behind by moments and does not know the checkpoints of older writers.

        Args:
            run_ids: The `run_id` of the metadata.

        Raises:
            InvalidInputError: `run_ids` is one bare string, or holds something else than strings.
            DeltaHistoryError: A checkpoint of another run is rebuilt from one of these. Nothing
                was deleted.
        """
        self._run(self._delete_for_runs(run_ids), "delete_for_runs")

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Asynchronous version of `delete_for_runs`."""
        await self._await(self._delete_for_runs(run_ids), "delete_for_runs")

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy all checkpoints of a thread, in all namespaces, with their writes.

        Checkpoint ids, metadata and values stay as they are. What the target has beside them stays.
        Stopped halfway, the target holds only checkpoints with all their ancestors and writes.

        Args:
            source_thread_id: The thread to copy. If it has no checkpoint, nothing happens.
            target_thread_id: The thread to copy to.

        Raises:
            InvalidInputError: A thread id is empty or no id.
            ItemTooLargeError: A longer thread id leaves no room for an item that was nearly full.
        """
        self._run(self._copy_thread(source_thread_id, target_thread_id), "copy_thread")

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Asynchronous version of `copy_thread`."""
        await self._await(self._copy_thread(source_thread_id, target_thread_id), "copy_thread")

    def prune(
        self,
        thread_ids: Sequence[str],
        *,
        strategy: str = "keep_latest",
        keep_last: int | None = None,
    ) -> None:
        """Delete the history of threads.

        Args:
            thread_ids: The threads.
            strategy: `"keep_latest"` keeps the newest checkpoint of every namespace and every
                ancestor that one of them needs to rebuild a DeltaChannel, with their writes. The
                call of a subgraph goes with the root checkpoint it ran under: it is kept where a
                root checkpoint is that may go on from it, as with a question that waits. A
                subgraph with a memory of its own (`checkpointer=True`) keeps its newest.
                `"delete"` deletes the threads; so does `"delete_all"`, as LangGraph's agent server
                calls it.
            keep_last: With `"keep_latest"`, how many checkpoints of each namespace to keep, from 1.

        Raises:
            InvalidInputError: The strategy is unknown, or `thread_ids` is one bare string.
        """
        self._run(self._prune(thread_ids, strategy, keep_last), "prune")

    async def aprune(
        self,
        thread_ids: Sequence[str],
        *,
        strategy: str = "keep_latest",
        keep_last: int | None = None,
    ) -> None:
        """Asynchronous version of `prune`."""
        await self._await(self._prune(thread_ids, strategy, keep_last), "prune")

    def get_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """Get what DeltaChannels are rebuilt from: writes of the ancestors and the value below.

        Reads the ancestors as one range and their writes side by side.

        Args:
            config: Names the checkpoint, or the newest one of a thread and namespace. Its own
                writes do not count.
            channels: The channels.

        Returns:
            For each channel its writes, oldest first, and as `seed` the value of the nearest
            ancestor that holds one.

        Raises:
            InvalidInputError: The config cannot be used, or `channels` is one bare string.
            UnreadableItemError: An ancestor is there but cannot be read.
        """
        return self._run(self._history(config, channels), "get_delta_channel_history")

    async def aget_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """Asynchronous version of `get_delta_channel_history`."""
        return await self._await(self._history(config, channels), "get_delta_channel_history")

    def sweep_orphans(
        self,
        *,
        older_than: timedelta | float = SWEEP_AGE_SECONDS,
        resume_from: str | None = None,
        max_pages: int | None = None,
    ) -> SweepReport:
        """Delete what processes left behind that died in the middle of a call.

        Readers never see any of it: parts of values whose checkpoint or write was never stored or
        was replaced, writes whose checkpoint was never stored, deletes that stopped halfway, and
        the marks of deletes, which readers need for an hour. Scans both tables,
        and reads the checkpoint of every partition of the writes table.

        Args:
            older_than: Leave alone what is younger: a `timedelta` or seconds, at least an hour
                (3,600). It must be longer than any call takes, and than a run takes that stores
                its checkpoint after its writes (`durability="exit"`), with the difference of the
                clocks of this process and of those that write on top. By default a day.
            resume_from: `resume_from` of the report of a sweep that was stopped by `max_pages`.
            max_pages: Stop after so many pages of 1 MB; `None` to go on to the end.

        Returns:
            What was deleted, what was left alone, and where to go on.

        Raises:
            InvalidInputError: An argument cannot be used, or `older_than` is less than an hour.
            ObjectsNotDeletedError: S3 kept an object; the item that leads to it is kept too.
        """
        return self._run(self._sweep_orphans(older_than, resume_from, max_pages), "sweep_orphans")

    async def asweep_orphans(
        self,
        *,
        older_than: timedelta | float = SWEEP_AGE_SECONDS,
        resume_from: str | None = None,
        max_pages: int | None = None,
    ) -> SweepReport:
        """Asynchronous version of `sweep_orphans`."""
        return await self._await(
            self._sweep_orphans(older_than, resume_from, max_pages), "sweep_orphans"
        )


def _flatten(pages: Generator[list[T], None, None]) -> Iterator[T]:
    with closing(pages):
        for page in pages:
            yield from page
