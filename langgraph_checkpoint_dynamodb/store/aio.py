"""`AsyncDynamoDBStore`: the store on aiobotocore and tasks. Needs the extra `[async]`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langgraph_checkpoint_dynamodb.connected.aio import OnEventLoops, require_aio_session
from langgraph_checkpoint_dynamodb.payloads.policy import MAX_VALUE_BYTES
from langgraph_checkpoint_dynamodb.runners.aio import AsyncRunner
from langgraph_checkpoint_dynamodb.runners.bridge import Bridge
from langgraph_checkpoint_dynamodb.runners.process import PerProcess
from langgraph_checkpoint_dynamodb.settings.client import ClientSettings
from langgraph_checkpoint_dynamodb.settings.values import S3OffloadConfig, s3_endpoint_url
from langgraph_checkpoint_dynamodb.store.base import StoreBase
from langgraph_checkpoint_dynamodb.store.context import StoreMemory
from langgraph_checkpoint_dynamodb.store.embedding import require_index
from langgraph_checkpoint_dynamodb.store.settings import (
    EXACT_SEARCH_WARNING,
    StoreSettings,
    require_filter_paths,
    store_payloads,
)
from langgraph_checkpoint_dynamodb.watching.watcher import Watcher

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from aiobotocore.session import AioSession
    from botocore.config import Config
    from langgraph.checkpoint.serde.base import SerializerProtocol
    from langgraph.store.base import IndexConfig, TTLConfig

    from langgraph_checkpoint_dynamodb.watching.observing import OnRequest

__all__ = ["AsyncDynamoDBStore"]

T = TypeVar("T")


class AsyncDynamoDBStore(OnEventLoops, StoreBase):
    """Stores LangGraph's long-term memory in an Amazon DynamoDB table, natively asynchronous.

    The same table and the same behaviour as `DynamoDBStore`, but on aiobotocore and the event loop
    instead of boto3 and threads. It serves any number of event loops, and opens and closes as
    `AsyncDynamoDBSaver` does. The synchronous methods (`get`, `put` ...) work in every thread
    without a running event loop; otherwise they raise `EventLoopError`.

    Args:
        store_table_name: Name or ARN of the table. Only a cache may share it.
        session: aiobotocore session that creates the clients, on every loop. By default each
            client has its own.
        region_name: As in `DynamoDBStore`.
        endpoint_url: As in `DynamoDBStore`.
        boto_config: As in `DynamoDBStore`; an `aiobotocore.config.AioConfig` too.
        client_config: As in `DynamoDBStore`.
        serde: As in `DynamoDBStore`. It must be thread-safe.
        consistent_reads: As in `DynamoDBStore`.
        max_concurrency: Maximum number of requests in flight on each event loop.
        ttl: As in `DynamoDBStore`.
        compression: As in `DynamoDBStore`.
        s3_offload_config: As in `DynamoDBStore`.
        max_value_bytes: As in `DynamoDBStore`.
        filter_paths: As in `DynamoDBStore`.
        spread: As in `DynamoDBStore`.
        index: As in `DynamoDBStore`.
        vector_index: As in `DynamoDBStore`.
        exact_search_warning: As in `DynamoDBStore`.
        clock: As in `DynamoDBStore`.
        on_request: As in `DynamoDBStore`.

    Raises:
        InvalidInputError: An argument is invalid; the message names it.

    Example:
        ```python
        from langgraph_checkpoint_dynamodb.store.aio import AsyncDynamoDBStore

        async with AsyncDynamoDBStore(store_table_name="store") as store:
            await store.asetup()
            graph = builder.compile(store=store)
        ```
    """

    def __init__(
        self,
        *,
        store_table_name: str,
        session: AioSession | None = None,
        region_name: str | None = None,
        endpoint_url: str | None = None,
        boto_config: Config | None = None,
        client_config: Mapping[str, Any] | None = None,
        serde: SerializerProtocol | None = None,
        consistent_reads: bool = True,
        max_concurrency: int | None = None,
        ttl: TTLConfig | None = None,
        compression: Literal["gzip", "zstd"] | None = None,
        s3_offload_config: S3OffloadConfig | None = None,
        max_value_bytes: int = MAX_VALUE_BYTES,
        filter_paths: Sequence[str] = (),
        spread: int = 1,
        index: IndexConfig | None = None,
        vector_index: str | None = None,
        exact_search_warning: int = EXACT_SEARCH_WARNING,
        clock: Callable[[], float] = time.time,
        on_request: OnRequest | None = None,
    ) -> None:
        super().__init__()
        require_aio_session(session)
        self.serde = JsonPlusSerializer() if serde is None else serde
        self._settings = StoreSettings(
            store_table_name=store_table_name,
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
            payloads=store_payloads(
                compression=compression,
                s3_offload_config=s3_offload_config,
                max_value_bytes=max_value_bytes,
            ),
            ttl=ttl,
            filter_paths=require_filter_paths(filter_paths),
            spread=spread,
            indexing=require_index(index),
            vector_index=vector_index,
            exact_search_warning=exact_search_warning,
            clock=clock,
            on_request=on_request,
        )
        self._watcher = Watcher(on_request)
        self.ttl_config = self._settings.ttl
        self._memories = PerProcess(lambda _: StoreMemory())
        self._runner = AsyncRunner(self._settings)
        self._bridge = Bridge()

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await self._runner.compute(work)
