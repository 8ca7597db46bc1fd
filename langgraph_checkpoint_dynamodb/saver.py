"""`DynamoDBSaver`: the saver on boto3 and threads."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from langgraph_checkpoint_dynamodb.connected import OnThreads
from langgraph_checkpoint_dynamodb.ops.memory import MEMORY_BYTES
from langgraph_checkpoint_dynamodb.payloads.policy import MAX_VALUE_BYTES
from langgraph_checkpoint_dynamodb.runners.sync import SyncRunner
from langgraph_checkpoint_dynamodb.savers.thread_methods import ThreadMethods
from langgraph_checkpoint_dynamodb.settings.client import ClientSettings
from langgraph_checkpoint_dynamodb.settings.saver import Settings, ThreadIndex, read_thread_index
from langgraph_checkpoint_dynamodb.settings.values import (
    S3OffloadConfig,
    payload_policy,
    s3_endpoint_url,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Mapping

    import boto3
    from botocore.config import Config
    from langgraph.checkpoint.serde.base import SerializerProtocol
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

    from langgraph_checkpoint_dynamodb.requests.operations import Stream
    from langgraph_checkpoint_dynamodb.watching.observing import OnRequest

T = TypeVar("T")


class DynamoDBSaver(OnThreads, ThreadMethods):
    """Keeps LangGraph checkpoints in two Amazon DynamoDB tables.

    Behaves as LangGraph's `InMemorySaver` does, call by call, with three differences: the config of
    a tuple always has exactly the keys `thread_id`, `checkpoint_ns` and `checkpoint_id`; channel
    values are stored with their checkpoint, so they come back as they were put whatever the channel
    versions say; and ids that DynamoDB cannot key are refused.

    One saver serves any number of threads and event loops. Making one does no I/O: the client is
    made by `open`, which `with` calls, or else at the first call. The `a*` methods run on the
    saver's own worker threads and never block the event loop while they wait.

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
            (`region`, `endpoint`, `accessKeyId`, `secretAccessKey`, `sessionToken`, the last three
            also within `credentials`).
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
        compression: `"gzip"` or `"zstd"` to compress values where that saves a write unit;
            `"incremental"` to store checkpoints of more than 2 KB as differences from earlier
            states of their thread, so that a turn costs the same however long the thread is;
            `None` for not at all. All but gzip need Python 3.14 or the extra `[zstd]`. What is
            stored is read whatever this says.
        s3_offload_config: Where values above a threshold go in S3: a mapping with `bucket_name`,
            and optionally `key_prefix`, `endpoint_url` and `threshold_bytes` (see
            `S3OffloadConfig`). `None` keeps values of any size in the two tables.
        s3_client: A ready boto3 client for S3. The saver never closes it. Without it one is made
            from the same session, region, credentials and `boto_config`, at its first use.
        max_value_bytes: Largest serialized value, before compression. A larger one is refused
            before anything is written, and none is unpacked to more.
        memory_bytes: How much the saver remembers of the threads it serves, to ask for less: which
            checkpoint was the newest, how checkpoints hang together, what was written, and what
            checkpoints are differences from. 0 turns that off, and differences with it. Clones
            share it; a child made by `os.fork` begins with nothing.
        thread_index: A `ThreadIndex` to have threads listed (`list_threads`) by their owner, with
            title and status, or a mapping with `owner` and optionally `index_name`; `None` for not.
            The first checkpoint that a run stores, interrupts and errors are then stored in a
            transaction, at twice the units, with an item of the thread.
        on_conflict: What becomes of a run whose thread another run has moved on meanwhile: `"fork"`
            lets both go on, as every saver does; `"raise"` ends it with `ThreadConflictError`.
            Replays from old checkpoints pass. Each root checkpoint is then stored in a
            transaction, at twice the units. All savers of a table should have the same.
        clock: Tells the time, in seconds since the epoch, for `ttl_seconds` and `sweep_orphans`.
        on_request: Is called with a `RequestInfo` once each request has ended, by the thread or on
            the event loop that has sent it, before the call goes on; so it must not block. An error
            of it is logged once and left out of the call. A `CallObserver`, such as
            `langgraph_checkpoint_dynamodb.otel.OpenTelemetry()`, is told of calls too. The requests
            then ask what they consume.
        observe_threads: Whether `on_request` may know the thread ids that requests are about.

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
        compression: Literal["gzip", "zstd", "incremental"] | None = None,
        s3_offload_config: S3OffloadConfig | None = None,
        s3_client: S3Client | None = None,
        max_value_bytes: int = MAX_VALUE_BYTES,
        memory_bytes: int = MEMORY_BYTES,
        thread_index: ThreadIndex | Mapping[str, str] | None = None,
        on_conflict: Literal["fork", "raise"] = "fork",
        clock: Callable[[], float] = time.time,
        on_request: OnRequest | None = None,
        observe_threads: bool = False,
    ) -> None:
        super().__init__(serde=serde)
        settings = Settings(
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
            memory_bytes=memory_bytes,
            thread_index=read_thread_index(thread_index),
            on_conflict=on_conflict,
            clock=clock,
            on_request=on_request,
            observe_threads=observe_threads,
        )
        self._configure(settings)
        # LangGraph clones savers with copy.copy: the clones share this one object.
        self._runner = SyncRunner(settings)

    def _pages(self, stream: Stream[T], method: str) -> Generator[list[T], None, None]:
        pages = self._runner.pages(self._watcher.watched(stream, method))
        try:
            yield from pages
        finally:
            pages.close()

    def _apages(self, stream: Stream[T], method: str) -> AsyncGenerator[list[T], None]:
        return self._runner.pages(self._watcher.watched(stream, method)).awaited()

    async def _prepared(self, prepare: Callable[[], T], value: object) -> T:  # noqa: ARG002 - at once, whatever its size
        return prepare()
