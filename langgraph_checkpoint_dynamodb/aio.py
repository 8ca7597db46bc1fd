"""`AsyncDynamoDBSaver`: the saver on aiobotocore and tasks. Needs the extra `[async]`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from langgraph_checkpoint_dynamodb.connected.aio import OnEventLoops, require_aio_session
from langgraph_checkpoint_dynamodb.ops.memory import MEMORY_BYTES
from langgraph_checkpoint_dynamodb.payloads.policy import MAX_VALUE_BYTES
from langgraph_checkpoint_dynamodb.requests.weight import is_large
from langgraph_checkpoint_dynamodb.runners.aio import AsyncRunner
from langgraph_checkpoint_dynamodb.runners.bridge import Bridge
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

    from aiobotocore.session import AioSession
    from botocore.config import Config
    from langgraph.checkpoint.serde.base import SerializerProtocol

    from langgraph_checkpoint_dynamodb.requests.operations import Stream
    from langgraph_checkpoint_dynamodb.watching.observing import OnRequest

__all__ = ["AsyncDynamoDBSaver"]

T = TypeVar("T")


class AsyncDynamoDBSaver(OnEventLoops, ThreadMethods):
    """Keeps LangGraph checkpoints in two Amazon DynamoDB tables, natively asynchronous.

    Same tables and behaviour as `DynamoDBSaver`, but requests are sent by aiobotocore on the event
    loop instead of by threads. Values of more than 128 KB are serialized, compressed and loaded on
    another thread.

    One saver serves any number of event loops, with separate clients for each loop. The clients are
    created by `aopen` (`open` for the sync methods), which `async with` awaits, or else at the
    first call on the loop. `aclose` closes the clients of the loop on which it is awaited. The
    clients of a loop created by `asyncio.run` are closed with the loop at the latest.

    The sync methods (`get_tuple`, `put` ...) work in any thread without a running event loop; they
    use a loop in a thread of the saver. In a thread with a running loop they raise
    `EventLoopError`.

    Args:
        checkpoints_table_name: Name or ARN of the checkpoints table.
        writes_table_name: Name or ARN of the writes table.
        session: aiobotocore session to create the clients of all loops from. By default a new
            session is created for each client.
        region_name: As in `DynamoDBSaver`.
        endpoint_url: As in `DynamoDBSaver`.
        boto_config: As in `DynamoDBSaver`, or an `aiobotocore.config.AioConfig`.
        client_config: As in `DynamoDBSaver`.
        serde: As in `DynamoDBSaver`. Used by several threads.
        consistent_reads: As in `DynamoDBSaver`.
        max_concurrency: Maximum number of requests in flight on each event loop. Defaults to the
            connections of the client, 32 unless `boto_config` sets another number.
        run_id_index: As in `DynamoDBSaver`.
        thread_index: As in `DynamoDBSaver`.
        on_conflict: As in `DynamoDBSaver`.
        ttl_seconds: As in `DynamoDBSaver`.
        compression: As in `DynamoDBSaver`.
        s3_offload_config: As in `DynamoDBSaver`.
        max_value_bytes: As in `DynamoDBSaver`.
        memory_bytes: As in `DynamoDBSaver`.
        clock: As in `DynamoDBSaver`.
        on_request: As in `DynamoDBSaver`.
        observe_threads: As in `DynamoDBSaver`.

    Raises:
        InvalidInputError: An argument is invalid; the message names it.

    Example:
        ```python
        from langgraph_checkpoint_dynamodb.aio import AsyncDynamoDBSaver

        async with AsyncDynamoDBSaver(
            checkpoints_table_name="checkpoints", writes_table_name="writes"
        ) as saver:
            await saver.asetup()
            graph = builder.compile(checkpointer=saver)
        ```
    """

    def __init__(
        self,
        *,
        checkpoints_table_name: str,
        writes_table_name: str,
        session: AioSession | None = None,
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
        max_value_bytes: int = MAX_VALUE_BYTES,
        memory_bytes: int = MEMORY_BYTES,
        thread_index: ThreadIndex | Mapping[str, str] | None = None,
        on_conflict: Literal["fork", "raise"] = "fork",
        clock: Callable[[], float] = time.time,
        on_request: OnRequest | None = None,
        observe_threads: bool = False,
    ) -> None:
        super().__init__(serde=serde)
        require_aio_session(session)
        settings = Settings(
            checkpoints_table_name=checkpoints_table_name,
            writes_table_name=writes_table_name,
            client=ClientSettings(
                session=session,
                region_name=region_name,
                endpoint_url=endpoint_url,
                boto_config=boto_config,
                client_config=client_config,
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
        # LangGraph clones savers with copy.copy: the clones share these objects.
        self._runner = AsyncRunner(settings)
        self._bridge = Bridge()

    def _pages(self, stream: Stream[T], method: str) -> Generator[list[T], None, None]:
        pages = self._runner.pages(self._watcher.watched(stream, method))
        try:
            while True:
                self._require_usable(method)
                page = self._bridge.run(pages.next, self._runner.require_open)
                if page is None:
                    return
                yield page
        finally:
            pages.close()

    async def _apages(self, stream: Stream[T], method: str) -> AsyncGenerator[list[T], None]:
        pages = self._runner.pages(self._watcher.watched(stream, method))
        try:
            while (page := await pages.next()) is not None:
                yield page
        finally:
            pages.close()

    async def _prepared(self, prepare: Callable[[], T], value: object) -> T:
        return await self._runner.compute(prepare) if is_large(value) else prepare()
