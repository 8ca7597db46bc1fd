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

    The same tables and the same behaviour as `DynamoDBSaver`, performed by aiobotocore on the event
    loop instead of by threads. Values of more than 128 KB are serialized, compressed and loaded by
    another thread.

    One saver serves any number of event loops: it has clients of its own on each, made by `aopen`
    (`open` for the plain methods), which `async with` awaits, or else at the first call there.
    `aclose` closes those of the loop it is awaited on; those of a loop that `asyncio.run` has made
    are closed with the loop at the latest.

    The plain methods (`get_tuple`, `put` ...) work in every thread that runs no event loop; they
    have a loop of their own in a thread. Where an event loop runs, they raise `EventLoopError`.

    Args:
        checkpoints_table_name: Name or ARN of the checkpoints table.
        writes_table_name: Name or ARN of the writes table.
        session: aiobotocore session to make clients from, on every loop. By default one is made
            for each client.
        region_name: As in `DynamoDBSaver`.
        endpoint_url: As in `DynamoDBSaver`.
        boto_config: As in `DynamoDBSaver`; an `aiobotocore.config.AioConfig` too.
        client_config: As in `DynamoDBSaver`.
        serde: As in `DynamoDBSaver`. Used by several threads.
        consistent_reads: As in `DynamoDBSaver`.
        max_concurrency: Most requests in flight at once on each event loop. By default as many as
            a client has connections, 32 where `boto_config` says nothing else.
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
        InvalidInputError: An argument cannot be used; the message names it.

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
