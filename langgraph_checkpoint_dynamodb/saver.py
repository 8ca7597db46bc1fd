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

    Each method behaves as that of LangGraph's `InMemorySaver`, with three differences: the config
    of a tuple always has exactly the keys `thread_id`, `checkpoint_ns` and `checkpoint_id`; channel
    values are stored with their checkpoint, so they are returned as stored whatever the channel
    versions are; and ids that cannot be DynamoDB keys are rejected.

    One saver serves any number of threads and event loops. Creating a saver does no I/O: the client
    is created by `open`, which `with` calls, or else at the first call. The `a*` methods run on the
    saver's own worker threads and do not block the event loop while they wait.

    Args:
        checkpoints_table_name: Name or ARN of the checkpoints table.
        writes_table_name: Name or ARN of the writes table.
        client: An existing boto3 DynamoDB client. The saver never closes it.
        session: boto3 session to create the client from.
        region_name: AWS region of the client that the saver creates.
        endpoint_url: Endpoint of the client that the saver creates, for a local engine or a VPC
            endpoint.
        boto_config: Botocore settings of the client that the saver creates. Each given field
            overrides the saver's default (standard retries with 10 attempts, 5 s to connect, 15 s
            to read, keep-alive).
        client_config: Arguments of `boto3.client`, by boto3's names or those of the JavaScript port
            (`region`, `endpoint`, `accessKeyId`, `secretAccessKey`, `sessionToken`, the last three
            also within `credentials`).
        serde: Serializer of checkpoints, metadata and writes; LangGraph's default if `None`.
        consistent_reads: Whether the reads that a run resumes from are strongly consistent. `False`
            halves their cost; a run may then resume from a slightly older state.
        max_concurrency: Maximum number of requests in flight, and of worker threads. Defaults to
            the connections of the client, 32 for a client that the saver creates.
        run_id_index: Name of the index on `run_id`, which `setup()` creates and `delete_for_runs`
            then uses instead of a Scan.
        ttl_seconds: How long a checkpoint lives after it is stored, at least 1; `None` for no
            expiry. Readers treat expired checkpoints as absent, and DynamoDB deletes them within
            days. Reading the history of a DeltaChannel extends the life of the items that it is
            rebuilt from.
        compression: `"gzip"` or `"zstd"` to compress values where that saves a write unit;
            `"incremental"` to store checkpoints of more than 2 KB as differences from earlier
            states of their thread, so that a turn costs the same however long the thread is;
            `None` for no compression. All but gzip need Python 3.14 or the extra `[zstd]`. Stored
            values can be read with any setting.
        s3_offload_config: Where in S3 values above a threshold are stored: a mapping with
            `bucket_name`, and optionally `key_prefix`, `endpoint_url` and `threshold_bytes` (see
            `S3OffloadConfig`). `None` keeps values of any size in the two tables.
        s3_client: An existing boto3 client for S3. The saver never closes it. By default the saver
            creates a client from the same session, region, credentials and `boto_config`, at its
            first use.
        max_value_bytes: Largest serialized value, before compression. Larger values are rejected
            before anything is written, and no value is decompressed to more.
        memory_bytes: Size of the memory of the threads that the saver serves, which saves requests:
            the newest checkpoint, how checkpoints are linked, pending writes, and the bases of
            differences. 0 turns off the memory and incremental compression. Clones share the
            memory; a child process created by `os.fork` starts with an empty one.
        thread_index: A `ThreadIndex`, or a mapping with `owner` and optionally `index_name`, to
            list threads (`list_threads`) by owner, with title and status; `None` for no index. The
            first checkpoint of a run, interrupts and errors are then stored in a transaction with
            the thread item, at twice the write units.
        on_conflict: What to do if another run has continued the thread of a run in the meantime:
            `"fork"` lets both continue, as other savers do; `"raise"` ends the run with
            `ThreadConflictError`. Replays from old checkpoints are allowed. Each root checkpoint is
            then stored in a transaction, at twice the write units. All savers of a table should
            use the same setting.
        clock: Returns the time in seconds since the epoch, for `ttl_seconds` and `sweep_orphans`.
        on_request: Called with a `RequestInfo` after each request, on the thread or event loop that
            sent it, before the call continues; so it must not block. Its first error is logged, and
            its errors do not affect the call. A `CallObserver`, such as
            `langgraph_checkpoint_dynamodb.otel.OpenTelemetry()`, is also notified of calls. With
            `on_request`, requests ask DynamoDB for the consumed capacity.
        observe_threads: Whether `on_request` receives the thread ids of requests.

    Raises:
        InvalidInputError: An argument is invalid; the message names it.

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
