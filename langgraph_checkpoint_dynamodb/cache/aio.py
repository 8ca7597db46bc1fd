"""`AsyncDynamoDBCache`: the cache on aiobotocore and tasks. Needs the extra `[async]`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from langgraph.cache.base import ValueT

from langgraph_checkpoint_dynamodb.cache.base import CacheBase
from langgraph_checkpoint_dynamodb.cache.settings import KEY_PREFIX, CacheSettings
from langgraph_checkpoint_dynamodb.connected.aio import OnEventLoops, require_aio_session
from langgraph_checkpoint_dynamodb.payloads.policy import MAX_VALUE_BYTES
from langgraph_checkpoint_dynamodb.runners.aio import AsyncRunner
from langgraph_checkpoint_dynamodb.runners.bridge import Bridge
from langgraph_checkpoint_dynamodb.runners.process import PerProcess
from langgraph_checkpoint_dynamodb.settings.client import ClientSettings
from langgraph_checkpoint_dynamodb.settings.values import S3OffloadConfig, s3_endpoint_url
from langgraph_checkpoint_dynamodb.store.context import StoreMemory
from langgraph_checkpoint_dynamodb.store.settings import store_payloads
from langgraph_checkpoint_dynamodb.watching.watcher import Watcher

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aiobotocore.session import AioSession
    from botocore.config import Config
    from langgraph.checkpoint.serde.base import SerializerProtocol

    from langgraph_checkpoint_dynamodb.watching.observing import OnRequest

__all__ = ["AsyncDynamoDBCache"]

T = TypeVar("T")


class AsyncDynamoDBCache(OnEventLoops, CacheBase[ValueT]):
    """Caches the results of LangGraph nodes in an Amazon DynamoDB table, natively asynchronous.

    The same table and the same behaviour as `DynamoDBCache`, but on aiobotocore and the event loop
    instead of boto3 and threads. It serves any number of event loops, and opens and closes as
    `AsyncDynamoDBSaver` does. The synchronous methods (`get`, `set`, `clear`) work in every thread
    without a running event loop; otherwise they raise `EventLoopError`.

    Args:
        cache_table_name: As in `DynamoDBCache`.
        session: aiobotocore session that creates the clients, on every loop. By default each
            client has its own.
        region_name: As in `DynamoDBCache`.
        endpoint_url: As in `DynamoDBCache`.
        boto_config: As in `DynamoDBCache`; an `aiobotocore.config.AioConfig` too.
        client_config: As in `DynamoDBCache`.
        serde: As in `DynamoDBCache`. It must be thread-safe.
        consistent_reads: As in `DynamoDBCache`.
        max_concurrency: Maximum number of requests in flight on each event loop.
        compression: As in `DynamoDBCache`.
        s3_offload_config: As in `DynamoDBCache`.
        max_value_bytes: As in `DynamoDBCache`.
        clock: As in `DynamoDBCache`.
        on_request: As in `DynamoDBCache`.

    Raises:
        InvalidInputError: An argument is invalid; the message names it.

    Example:
        ```python
        from langgraph_checkpoint_dynamodb.cache.aio import AsyncDynamoDBCache

        async with AsyncDynamoDBCache(cache_table_name="store") as cache:
            await cache.asetup()
            graph = builder.compile(cache=cache)
        ```
    """

    def __init__(
        self,
        *,
        cache_table_name: str,
        session: AioSession | None = None,
        region_name: str | None = None,
        endpoint_url: str | None = None,
        boto_config: Config | None = None,
        client_config: Mapping[str, Any] | None = None,
        serde: SerializerProtocol | None = None,
        consistent_reads: bool = True,
        max_concurrency: int | None = None,
        compression: Literal["gzip", "zstd"] | None = None,
        s3_offload_config: S3OffloadConfig | None = None,
        max_value_bytes: int = MAX_VALUE_BYTES,
        clock: Callable[[], float] = time.time,
        on_request: OnRequest | None = None,
    ) -> None:
        super().__init__(serde=serde)
        require_aio_session(session)
        self._settings = CacheSettings(
            cache_table_name=cache_table_name,
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
                key_prefix=KEY_PREFIX,
            ),
            clock=clock,
            on_request=on_request,
        )
        self._watcher = Watcher(on_request)
        self._memories = PerProcess(lambda _: StoreMemory())
        self._runner = AsyncRunner(self._settings)
        self._bridge = Bridge()

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await self._runner.compute(work)
