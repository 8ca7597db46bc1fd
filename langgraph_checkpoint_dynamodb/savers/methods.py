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
        """Create the two tables (on-demand), or verify existing ones. Can be repeated.

        Needs `dynamodb:DescribeTable`, `dynamodb:CreateTable` and, to add an index to an existing
        table, `dynamodb:UpdateTable`. No other method calls it.

        Raises:
            TableMismatchError: A table or an index has a different key schema.
            TableError: A table was not active after two minutes.
        """
        self._run(self._set_up(), "setup")

    async def asetup(self) -> None:
        """Asynchronous version of `setup`."""
        await self._await(self._set_up(), "setup")

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Get a checkpoint with its metadata and pending writes.

        Takes one round trip with a `checkpoint_id`, two without, however long the thread is.

        Args:
            config: Names the thread, and optionally the namespace and the checkpoint. Without a
                checkpoint id, the checkpoint with the highest id is read.

        Returns:
            The checkpoint, or `None` if there is none. Pending writes are in the order in which a
            superstep applies them.

        Raises:
            InvalidInputError: The thread id is missing or cannot be stored, or the checkpoint id
                is not a string.
            UnreadableItemError: The checkpoint exists but cannot be read.
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
        """List checkpoints lazily, newest first in each namespace.

        Args:
            config: Names the thread, and optionally one namespace and one checkpoint to list.
                `None` lists all threads, with a Scan of the table.
            filter: Values that the metadata must have. Applied by the saver after reading, so it
                does not reduce the read units.
            before: Only checkpoints whose id is below this config's. May be a bare mapping like
                `{"checkpoint_id": "..."}`, as LangGraph's agent server passes it.
            limit: Maximum number of checkpoints to return, counted after filtering.

        Yields:
            The checkpoints. The order of namespaces and threads is undefined.

        Raises:
            InvalidInputError: The thread id is missing or an argument is invalid.
            UnreadableItemError: A checkpoint exists but cannot be read.
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
        """Store a checkpoint, replacing one with the same id.

        Takes one request. Values that do not fit in the item are stored first, concurrently.

        Args:
            config: Names the thread, the namespace and, as `checkpoint_id`, the parent.
            checkpoint: The checkpoint, stored with its channel values.
            metadata: Its metadata. Scalars from the config's metadata and configurable are added,
                as LangGraph's `get_checkpoint_metadata` does.
            new_versions: Not used: channel values are stored with their checkpoint.

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
        """Asynchronous version of `put`. Serializes the checkpoint before any request.

        LangGraph passes live channel values, and later changes by a node must not be stored.
        `AsyncDynamoDBSaver` serializes large values on another thread and waits for it.
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

        A regular write keeps the first value stored for its task and position; a special channel
        (`WRITES_IDX_MAP`) keeps the last. Takes one request for any number of small writes up to
        4 MB. Large values are stored first, concurrently. If an earlier call has stored writes of
        the same task, two more requests store the writes that are still missing.

        Args:
            config: Names the checkpoint, which need not exist yet.
            writes: Pairs of channel and value.
            task_id: The task that produced the writes.
            task_path: Path of the task. Determines the order of a checkpoint's writes.

        Raises:
            InvalidInputError: An id is missing or cannot be stored.
            PayloadTooLargeError: A value is over `max_value_bytes`. No write was stored.
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

        If it is interrupted, readers see an older checkpoint or none, and the delete can be
        repeated. Writes are found through their checkpoint, so writes of a checkpoint that was
        never stored remain. For each checkpoint that had writes, a mark remains for an hour, so
        that a concurrent reader never sees the checkpoint without its writes. DynamoDB deletes the
        mark by its `ttl`, or `sweep_orphans` does.

        Args:
            thread_id: The thread. As in every config, an integer or a UUID is converted to text.

        Raises:
            InvalidInputError: The thread id is empty or not an id.
            UnprocessedItemsError: The tables were throttled at every attempt.
        """
        self._run(self._delete_thread(thread_id), "delete_thread")

    async def adelete_thread(self, thread_id: str) -> None:
        """Asynchronous version of `delete_thread`."""
        await self._await(self._delete_thread(thread_id), "delete_thread")

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Delete every checkpoint stored by these runs, in all threads, with its writes.

        Finds the checkpoints through the run index, or with a parallel Scan if the saver has no
        run index. The index is eventually consistent and does not contain the checkpoints of older
        writers.

        Args:
            run_ids: Values of `run_id` in the metadata.

        Raises:
            InvalidInputError: `run_ids` is a single string, or contains a value that is not a
                string.
            DeltaHistoryError: A checkpoint of another run is rebuilt from a checkpoint of these
                runs. Nothing was deleted.
        """
        self._run(self._delete_for_runs(run_ids), "delete_for_runs")

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Asynchronous version of `delete_for_runs`."""
        await self._await(self._delete_for_runs(run_ids), "delete_for_runs")

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy all checkpoints of a thread, in all namespaces, with their writes.

        Checkpoint ids, metadata and values are unchanged. Other checkpoints of the target remain.
        If the copy is interrupted, every checkpoint of the target has all its ancestors and
        writes.

        Args:
            source_thread_id: The thread to copy. If it has no checkpoint, nothing is copied.
            target_thread_id: The thread to copy to.

        Raises:
            InvalidInputError: A thread id is empty or not an id.
            ItemTooLargeError: An item is over DynamoDB's size limit because the target's thread id
                is longer.
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
                ancestor that they need to rebuild a DeltaChannel, with their writes. Checkpoints
                of a subgraph call are deleted with the root checkpoint that the call ran under, so
                those of a call that waits for an answer to an interrupt are kept. A subgraph with
                its own memory (`checkpointer=True`) keeps its newest checkpoint. `"delete"` deletes
                the threads; `"delete_all"`, the name in LangGraph's agent server, does the same.
            keep_last: With `"keep_latest"`, how many checkpoints of each namespace to keep, at
                least 1.

        Raises:
            InvalidInputError: The strategy is unknown, or `thread_ids` is a single string.
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
        """Get what DeltaChannels are rebuilt from: a stored value and the ancestors' writes since.

        Reads the ancestors as one range and their writes concurrently.

        Args:
            config: Names the checkpoint; without a checkpoint id, the newest one of the thread and
                namespace. The checkpoint's own writes are not included.
            channels: The channels.

        Returns:
            For each channel its writes, oldest first, and as `seed` the value of the nearest
            ancestor that has one.

        Raises:
            InvalidInputError: The config is invalid, or `channels` is a single string.
            UnreadableItemError: An ancestor exists but cannot be read.
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
        """Delete items that processes left behind when they crashed during a call.

        Readers never see these items: parts of values whose checkpoint or write was never stored
        or was replaced, writes whose checkpoint was never stored, remains of interrupted deletes,
        and marks of deletes, which readers need for an hour. Scans both tables, and reads the
        checkpoint of every partition of the writes table.

        Args:
            older_than: Minimum age of the items to delete: a `timedelta` or seconds, at least an
                hour (3,600). Must exceed the longest call, the longest run that stores its
                checkpoint after its writes (`durability="exit"`), and in addition the clock
                difference between this process and the writers. By default a day.
            resume_from: `resume_from` of the report of a sweep that was stopped by `max_pages`.
            max_pages: Stop after this many pages of 1 MB; `None` for no limit.

        Returns:
            What was deleted, what was kept, and where to continue.

        Raises:
            InvalidInputError: An argument is invalid, or `older_than` is less than an hour.
            ObjectsNotDeletedError: S3 did not delete an object. The item that refers to the object
                is kept too.
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
