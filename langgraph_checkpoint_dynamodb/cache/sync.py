"""`DynamoDBCache`: the cache on boto3 and threads."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from langgraph.cache.base import ValueT

from langgraph_checkpoint_dynamodb.cache.base import CacheBase
from langgraph_checkpoint_dynamodb.cache.settings import KEY_PREFIX, CacheSettings
from langgraph_checkpoint_dynamodb.connected import OnThreads
from langgraph_checkpoint_dynamodb.payloads.policy import MAX_VALUE_BYTES
from langgraph_checkpoint_dynamodb.runners.process import PerProcess
from langgraph_checkpoint_dynamodb.runners.sync import SyncRunner
from langgraph_checkpoint_dynamodb.settings.client import ClientSettings
from langgraph_checkpoint_dynamodb.settings.values import S3OffloadConfig, s3_endpoint_url
from langgraph_checkpoint_dynamodb.store.context import StoreMemory
from langgraph_checkpoint_dynamodb.store.settings import store_payloads
from langgraph_checkpoint_dynamodb.watching.watcher import Watcher

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import boto3
    from botocore.config import Config
    from langgraph.checkpoint.serde.base import SerializerProtocol
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

    from langgraph_checkpoint_dynamodb.watching.observing import OnRequest

T = TypeVar("T")


class DynamoDBCache(OnThreads, CacheBase[ValueT]):
    """Caches the results of LangGraph nodes in an Amazon DynamoDB table, for all processes.

    Behaves as LangGraph's `InMemoryCache`, call by call: namespaces match exactly, an entry is
    valid until its time to live ends, to the microsecond, and values are what the serde returns.
    An unreadable entry is treated as absent, with a warning in the log. Namespaces and keys with
    lone surrogates are rejected.

    It serves any number of threads and event loops, and opens and closes as `DynamoDBStore` does.

    Args:
        cache_table_name: Name or ARN of the table: that of a store, or a separate one. All caches
            on the table share their entries.
        client: As in `DynamoDBStore`.
        session: As in `DynamoDBStore`.
        region_name: As in `DynamoDBStore`.
        endpoint_url: As in `DynamoDBStore`.
        boto_config: As in `DynamoDBStore`.
        client_config: As in `DynamoDBStore`.
        serde: Serializer of values; LangGraph's default for caches if `None`.
        consistent_reads: As in `DynamoDBStore`. With `False`, entries that were just cleared or
            replaced may still be returned.
        max_concurrency: As in `DynamoDBStore`.
        compression: As in `DynamoDBStore`.
        s3_offload_config: As in `DynamoDBStore`; the default of `key_prefix` is
            `"langgraph-cache/"`.
        s3_client: As in `DynamoDBStore`.
        max_value_bytes: As in `DynamoDBStore`.
        clock: As in `DynamoDBStore`.
        on_request: As in `DynamoDBStore`. The operations are `get`, `set` and `clear`.

    Raises:
        InvalidInputError: An argument is invalid; the message names it.

    Example:
        ```python
        from langgraph_checkpoint_dynamodb.cache import DynamoDBCache

        cache = DynamoDBCache(cache_table_name="store")
        cache.setup()
        graph = builder.compile(cache=cache)
        ```
    """

    def __init__(
        self,
        *,
        cache_table_name: str,
        client: DynamoDBClient | None = None,
        session: boto3.Session | None = None,
        region_name: str | None = None,
        endpoint_url: str | None = None,
        boto_config: Config | None = None,
        client_config: Mapping[str, Any] | None = None,
        serde: SerializerProtocol | None = None,
        consistent_reads: bool = True,
        max_concurrency: int | None = None,
        compression: Literal["gzip", "zstd"] | None = None,
        s3_offload_config: S3OffloadConfig | None = None,
        s3_client: S3Client | None = None,
        max_value_bytes: int = MAX_VALUE_BYTES,
        clock: Callable[[], float] = time.time,
        on_request: OnRequest | None = None,
    ) -> None:
        super().__init__(serde=serde)
        self._settings = CacheSettings(
            cache_table_name=cache_table_name,
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
        self._runner = SyncRunner(self._settings)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await self._runner.submit(lambda *_: work()).result()
