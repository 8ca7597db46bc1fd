"""`DynamoDBStore`: the store on boto3 and threads."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langgraph_checkpoint_dynamodb.connected import OnThreads
from langgraph_checkpoint_dynamodb.payloads.policy import MAX_VALUE_BYTES
from langgraph_checkpoint_dynamodb.runners.process import PerProcess
from langgraph_checkpoint_dynamodb.runners.sync import SyncRunner
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

    import boto3
    from botocore.config import Config
    from langgraph.checkpoint.serde.base import SerializerProtocol
    from langgraph.store.base import IndexConfig, TTLConfig
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

    from langgraph_checkpoint_dynamodb.watching.observing import OnRequest

T = TypeVar("T")


class DynamoDBStore(OnThreads, StoreBase):
    """Stores LangGraph's long-term memory in an Amazon DynamoDB table.

    Behaves as LangGraph's `InMemoryStore`, call by call, with these differences: results are sorted
    by namespace and key; `list_namespaces` returns only namespaces that have items; a filter that
    compares order (`$gt`, `$gte`, `$lt`, `$lte`) skips items whose field is missing or not a
    number; values are what the serde returns, a new object each time, with tuples as lists;
    negative limits and offsets are rejected, as are namespaces and keys of more than a kilobyte
    together.

    One store serves any number of threads and event loops. Creating one does no I/O: the client is
    created by `open`, which `with` calls, or else by the first call. The `a*` methods run on the
    store's own worker threads and never block the event loop.

    Args:
        store_table_name: Name or ARN of the table. Only a cache may share it.
        client: A ready boto3 DynamoDB client. The store never closes it.
        session: boto3 session that creates the client.
        region_name: AWS region of the client.
        endpoint_url: Endpoint of the client, for a local engine or a VPC endpoint.
        boto_config: Botocore settings of the client; see `DynamoDBSaver`.
        client_config: Arguments of `boto3.client`; see `DynamoDBSaver`.
        serde: Serializer of values; LangGraph's default if `None`.
        consistent_reads: Whether reads are strongly consistent. `False` halves their cost, but
            reads may miss the latest writes.
        max_concurrency: Maximum number of requests in flight, and number of worker threads. By
            default the number of connections of the client, 32 for a client created here.
        ttl: LangGraph's `TTLConfig`: `default_ttl` in minutes, `refresh_on_read`, `omit_expired`.
            Reads omit expired items unless `omit_expired` is `False`; DynamoDB deletes them within
            days. `sweep_interval_minutes` has no effect.
        compression: `"gzip"` or `"zstd"` to compress values if that saves a write unit; `None`
            for no compression. Zstandard needs Python 3.14 or the extra `[zstd]`.
        s3_offload_config: Bucket and threshold for large values (see `S3OffloadConfig`; the default
            of `key_prefix` is `"langgraph-store/"`). `None` stores all values in the table.
        s3_client: A ready boto3 client for S3. The store never closes it.
        max_value_bytes: Largest serialized value, before compression.
        filter_paths: Names of fields that searches often filter by. If a value is stored outside
            its item, the item holds a copy of these fields, serialized: a search need not read the
            values that do not match.
        spread: Number of partitions of the items of a root label, up to 100. The second label
            selects the partition, or the key if there is none. One partition takes 1,000 write and
            3,000 read units a second. It cannot be changed for a table.
        index: LangGraph's `IndexConfig`, to search by meaning: `dims` (numbers of a vector),
            `embed` (LangChain's `Embeddings`, a function of a list of texts, plain or asynchronous,
            or `"provider:model"`), and `fields` (paths of the texts that are embedded, by default
            the whole value). `dims` cannot be changed for a table.
        vector_index: Name of DynamoDB's vector index on the table, which `setup()` creates and
            searches use. Without it, or if its results do not suffice, searches compare every
            vector below their prefix. Needs boto3 1.43.64. It cannot be enabled for a table that
            already has vectors.
        exact_search_warning: Number of vectors above which an exact search logs a warning.
        clock: Returns the time in seconds since the epoch.
        on_request: Is called with a `RequestInfo` after each request; see `DynamoDBSaver`. The
            operation of all calls of LangGraph's store is `batch`.

    Raises:
        InvalidInputError: An argument is invalid; the message names it.

    Example:
        ```python
        from langgraph_checkpoint_dynamodb.store import DynamoDBStore

        store = DynamoDBStore(store_table_name="store")
        store.setup()
        graph = builder.compile(store=store)
        ```
    """

    def __init__(
        self,
        *,
        store_table_name: str,
        client: DynamoDBClient | None = None,
        session: boto3.Session | None = None,
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
        s3_client: S3Client | None = None,
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
        self.serde = JsonPlusSerializer() if serde is None else serde
        self._settings = StoreSettings(
            store_table_name=store_table_name,
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
        self._runner = SyncRunner(self._settings)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await self._runner.submit(lambda *_: work()).result()
