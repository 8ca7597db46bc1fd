"""`DynamoDBSaver`: what LangGraph calls. Each method checks its arguments and runs an operation."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from langgraph_checkpoint_dynamodb.base import SaverBase
from langgraph_checkpoint_dynamodb.runners.sync import SyncRunner
from langgraph_checkpoint_dynamodb.settings import (
    MAX_VALUE_BYTES,
    ClientSettings,
    S3OffloadConfig,
    Settings,
    payload_policy,
    s3_endpoint_url,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
    from datetime import timedelta
    from types import TracebackType

    import boto3
    from botocore.config import Config
    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import (
        ChannelVersions,
        Checkpoint,
        CheckpointMetadata,
        CheckpointTuple,
        DeltaChannelHistory,
    )
    from langgraph.checkpoint.serde.base import SerializerProtocol
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from typing_extensions import Self

    from langgraph_checkpoint_dynamodb.effects import Operation, Stream
    from langgraph_checkpoint_dynamodb.ops.sweep import SweepReport

T = TypeVar("T")

SWEEP_AGE_SECONDS = 24 * 60 * 60
"""What `sweep_orphans` leaves alone where nothing else is said: anything younger than a day."""


class DynamoDBSaver(SaverBase):
    """Keeps LangGraph checkpoints in two Amazon DynamoDB tables.

    Behaves as LangGraph's `InMemorySaver` does, call by call, with three differences: the config of
    a tuple always has exactly the keys `thread_id`, `checkpoint_ns` and `checkpoint_id`; channel
    values are stored with their checkpoint, so they come back as they were put whatever the channel
    versions say; and ids that DynamoDB cannot key are refused.

    One saver serves any number of threads and event loops. Making one does no I/O: the client is
    made at the first call. The `a*` methods run on the saver's own worker threads and never block
    the event loop.

    Args:
        checkpoints_table_name: Name or ARN of the checkpoints table.
        writes_table_name: Name or ARN of the writes table.
        client: A ready boto3 DynamoDB client. The saver never closes it.
        session: boto3 session to make a client from.
        region_name: AWS region of the client to make.
        endpoint_url: Endpoint of the client to make, for a local engine or a VPC endpoint.
        boto_config: Botocore settings of the client to make. Each field given wins over the saver's
            default (standard retries with 10 attempts, 5 s to connect, 15 s to read, keep-alive).
        client_config: Arguments of `boto3.client`, by boto3's names or those of the JavaScript port
            (`region`, `accessKeyId`, `secretAccessKey`, `sessionToken`, `endpoint`).
        serde: Serializer of checkpoints, metadata and writes; LangGraph's default if `None`.
        consistent_reads: Whether the reads a run resumes from are strongly consistent. `False`
            halves their cost; a run may then resume from a state that is a moment old.
        max_concurrency: Most requests in flight at once, and the number of worker threads. By
            default as many as the client has connections, 32 for a client made here.
        run_id_index: Name of the index on `run_id`, which `setup()` makes and `delete_for_runs`
            then uses in place of a Scan.
        ttl_seconds: How long a checkpoint lives after it is stored, from 1; `None` for ever. What
            has expired counts as absent, and DynamoDB deletes it within days. Reading the history
            of a DeltaChannel prolongs the lives of what it is rebuilt from.
        compression: `"gzip"` or `"zstd"` to compress values where that saves a write unit; `None`
            for not at all. `"zstd"` needs Python 3.14 or the extra `[zstd]`. What is stored is read
            whatever this says.
        s3_offload_config: Where values above a threshold go in S3: a mapping with `bucket_name`,
            and optionally `key_prefix`, `endpoint_url` and `threshold_bytes` (see
            `S3OffloadConfig`). `None` keeps values of any size in the two tables.
        s3_client: A ready boto3 client for S3. The saver never closes it. Without it one is made
            from the same session, region, credentials and `boto_config`, at its first use.
        max_value_bytes: Largest serialized value, before compression. A larger one is refused
            before anything is written, and none is unpacked to more.
        clock: Tells the time, in seconds since the epoch, for `ttl_seconds` and `sweep_orphans`.

    Raises:
        InvalidInputError: An argument cannot be used; the message names it.

    Example:
        ```python
        from langgraph_checkpoint_dynamodb import DynamoDBSaver

        saver = DynamoDBSaver(checkpoints_table_name="checkpoints", writes_table_name="writes")
        saver.setup()
        graph = builder.compile(checkpointer=saver)
        ```
    """

    def __init__(
        self,
        *,
        checkpoints_table_name: str,
        writes_table_name: str,
        client: DynamoDBClient | None = None,
        session: boto3.Session | None = None,
        region_name: str | None = None,
        endpoint_url: str | None = None,
        boto_config: Config | None = None,
        client_config: Mapping[str, Any] | None = None,
        serde: SerializerProtocol | None = None,
        consistent_reads: bool = True,
        max_concurrency: int | None = None,
        run_id_index: str | None = None,
        ttl_seconds: int | None = None,
        compression: Literal["gzip", "zstd"] | None = None,
        s3_offload_config: S3OffloadConfig | None = None,
        s3_client: S3Client | None = None,
        max_value_bytes: int = MAX_VALUE_BYTES,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(serde=serde)
        self._settings = Settings(
            checkpoints_table_name=checkpoints_table_name,
            writes_table_name=writes_table_name,
            client=ClientSettings(
                client=client,
                session=session,
                region_name=region_name,
                endpoint_url=endpoint_url,
                boto_config=boto_config,
                client_config=client_config,
                s3_client=s3_client,
                s3_endpoint_url=s3_endpoint_url(s3_offload_config),
            ),
            consistent_reads=consistent_reads,
            max_concurrency=max_concurrency,
            run_id_index=run_id_index,
            ttl_seconds=ttl_seconds,
            payloads=payload_policy(
                compression=compression,
                s3_offload_config=s3_offload_config,
                max_value_bytes=max_value_bytes,
            ),
            clock=clock,
        )
        # LangGraph clones savers with copy.copy: the clones share this one object.
        self._runner = SyncRunner(self._settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Closing waits for calls under way, so neither the loop nor the saver's threads can do it.
        with ThreadPoolExecutor(1) as closer:
            await asyncio.wrap_future(closer.submit(self.close))

    def close(self) -> None:
        """End the saver's threads and the client it made, once calls under way are done.

        A client that was passed in stays open. Can be repeated.
        """
        self._runner.close()

    def setup(self) -> None:
        """Create the two tables, on-demand, or verify those that are there. Can be repeated.

        Needs `dynamodb:DescribeTable`, `dynamodb:CreateTable` and, to add the run index to a table
        that exists, `dynamodb:UpdateTable`. Nothing else calls it.

        Raises:
            TableMismatchError: A table has other keys, or the index is not on `run_id`.
            TableError: A table was not active after two minutes.
        """
        self._runner.run(self._set_up())

    async def asetup(self) -> None:
        """Asynchronous version of `setup`."""
        await self._perform(self._set_up())

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
            InvalidInputError: The thread id or checkpoint id is missing or cannot be stored.
            UnreadableItemError: The checkpoint is there but cannot be read.
        """
        return self._runner.run(self._get_tuple(config))

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Asynchronous version of `get_tuple`."""
        return await self._perform(self._get_tuple(config))

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
            before: Only checkpoints whose id is below this config's.
            limit: Most checkpoints to return, counted after filtering.

        Yields:
            The checkpoints. Namespaces and threads come in no particular order.

        Raises:
            InvalidInputError: The thread id is missing or an argument cannot be used.
            UnreadableItemError: A checkpoint is there but cannot be read.
        """
        return self._flatten(self._list(config, filter, before, limit))

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002 - LangGraph's name for it
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """Asynchronous version of `list`: one hop to a worker thread for each page."""
        pages = self._runner.pages(self._list(config, filter, before, limit))
        try:
            while (page := await asyncio.wrap_future(pages.start_next())) is not None:
                for found in page:
                    yield found
        finally:
            pages.close()

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,  # noqa: ARG002 - LangGraph's signature
    ) -> RunnableConfig:
        """Store a checkpoint, in one request. One of the same id is replaced.

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
            ItemTooLargeError: The checkpoint does not fit into an item (409,600 bytes).
        """
        operation, stored = self._put(config, checkpoint, metadata)
        self._runner.run(operation)
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
        """
        operation, stored = self._put(config, checkpoint, metadata)
        await self._perform(operation)
        return stored

    def put_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Store the writes of a task, in one request: all of them or none.

        Regular writes keep the first value stored for a task and position, the special channels
        (`WRITES_IDX_MAP`) the last. More than 100 writes or 4 MB take several requests, each of
        them all or nothing.

        Args:
            config: Names the checkpoint, which need not exist yet.
            writes: Pairs of channel and value.
            task_id: The task that made them.
            task_path: Path of the task; orders the writes of a checkpoint.

        Raises:
            InvalidInputError: An id is missing or cannot be stored.
            ItemTooLargeError: A write does not fit into an item. None was stored.
        """
        self._runner.run(self._put_writes(config, writes, task_id, task_path))

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Asynchronous version of `put_writes`. Serializes before it first waits."""
        await self._perform(self._put_writes(config, writes, task_id, task_path))

    def delete_thread(self, thread_id: str) -> None:
        """Delete every checkpoint of a thread, in all namespaces, with its writes.

        Stopped halfway, it shows an older checkpoint or none, and can be repeated to its end.
        Writes are found through their checkpoints: those of one that was never stored stay.

        Args:
            thread_id: The thread.

        Raises:
            InvalidInputError: The thread id is empty or no string.
            UnprocessedItemsError: The tables stayed throttled.
        """
        self._runner.run(self._delete_thread(thread_id))

    async def adelete_thread(self, thread_id: str) -> None:
        """Asynchronous version of `delete_thread`."""
        await self._perform(self._delete_thread(thread_id))

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
        self._runner.run(self._delete_for_runs(run_ids))

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Asynchronous version of `delete_for_runs`."""
        await self._perform(self._delete_for_runs(run_ids))

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy all checkpoints of a thread, in all namespaces, with their writes.

        Checkpoint ids, metadata and values stay as they are. What the target has beside them stays.
        Stopped halfway, the target holds only checkpoints with all their ancestors and writes.

        Args:
            source_thread_id: The thread to copy. If it has no checkpoint, nothing happens.
            target_thread_id: The thread to copy to.

        Raises:
            InvalidInputError: A thread id is empty or no string.
            ItemTooLargeError: A longer thread id leaves no room for an item that was nearly full.
        """
        self._runner.run(self._copy_thread(source_thread_id, target_thread_id))

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Asynchronous version of `copy_thread`."""
        await self._perform(self._copy_thread(source_thread_id, target_thread_id))

    def prune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Delete the history of threads.

        Args:
            thread_ids: The threads.
            strategy: `"keep_latest"` keeps the newest checkpoint of every namespace and every
                ancestor that one of them needs to rebuild a DeltaChannel, with their writes.
                `"delete"` deletes the threads.

        Raises:
            InvalidInputError: The strategy is unknown, or `thread_ids` is one bare string.
        """
        self._runner.run(self._prune(thread_ids, strategy))

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Asynchronous version of `prune`."""
        await self._perform(self._prune(thread_ids, strategy))

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
        return self._runner.run(self._history(config, channels))

    async def aget_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """Asynchronous version of `get_delta_channel_history`."""
        return await self._perform(self._history(config, channels))

    def sweep_orphans(
        self,
        *,
        older_than: timedelta | float = SWEEP_AGE_SECONDS,
        resume_from: str | None = None,
        max_pages: int | None = None,
    ) -> SweepReport:
        """Delete what processes left behind that died in the middle of a call.

        Readers never see any of it: parts of values whose checkpoint or write was never stored,
        writes whose checkpoint was never stored, deletes that stopped halfway. Scans both tables,
        and reads the checkpoint of every partition of the writes table.

        Args:
            older_than: Leave alone what is younger: a `timedelta` or seconds. It must be longer
                than any call takes, and than a run takes that stores its checkpoint after its
                writes (`durability="exit"`). By default a day.
            resume_from: `resume_from` of the report of a sweep that was stopped by `max_pages`.
            max_pages: Stop after so many pages of 1 MB; `None` to go on to the end.

        Returns:
            What was deleted, what was left alone, and where to go on.

        Raises:
            InvalidInputError: An argument cannot be used.
            ObjectsNotDeletedError: S3 kept an object; the item that leads to it is kept too.
        """
        return self._runner.run(self._sweep_orphans(older_than, resume_from, max_pages))

    async def asweep_orphans(
        self,
        *,
        older_than: timedelta | float = SWEEP_AGE_SECONDS,
        resume_from: str | None = None,
        max_pages: int | None = None,
    ) -> SweepReport:
        """Asynchronous version of `sweep_orphans`."""
        return await self._perform(self._sweep_orphans(older_than, resume_from, max_pages))

    async def _perform(self, operation: Operation[T]) -> T:
        return await asyncio.wrap_future(self._runner.start(operation))

    def _flatten(self, stream: Stream[CheckpointTuple]) -> Iterator[CheckpointTuple]:
        pages = self._runner.pages(stream)
        try:
            for page in pages:
                yield from page
        finally:
            pages.close()
