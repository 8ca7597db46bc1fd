"""The table of another package as a read-only saver. Subclasses know the layouts."""

from __future__ import annotations

import time
from abc import abstractmethod
from contextlib import aclosing, closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

from langgraph.checkpoint.base import BaseCheckpointSaver

from langgraph_checkpoint_dynamodb.format.addressing import read_address
from langgraph_checkpoint_dynamodb.format.tables import Table
from langgraph_checkpoint_dynamodb.items.attributes import read_key
from langgraph_checkpoint_dynamodb.moving.foreign.rows import KEY_NAMES, Row
from langgraph_checkpoint_dynamodb.moving.source import CheckpointEntry, TableSource, ThreadIdPage
from langgraph_checkpoint_dynamodb.requests.calls import query_all
from langgraph_checkpoint_dynamodb.requests.items import GetItem, Scan
from langgraph_checkpoint_dynamodb.requests.operations import Emit, send
from langgraph_checkpoint_dynamodb.runners.sync import SyncRunner
from langgraph_checkpoint_dynamodb.settings.arguments import read_wanted
from langgraph_checkpoint_dynamodb.settings.checks import TABLE_NAME, require_name
from langgraph_checkpoint_dynamodb.settings.client import ClientSettings
from langgraph_checkpoint_dynamodb.watching.watcher import Watcher

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence

    import boto3
    from botocore.config import Config
    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import CheckpointTuple
    from langgraph.checkpoint.serde.base import SerializerProtocol
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from typing_extensions import Self, Unpack

    from langgraph_checkpoint_dynamodb.format.tables import Key
    from langgraph_checkpoint_dynamodb.moving.source import TupleWithPaths
    from langgraph_checkpoint_dynamodb.ops.listing import Wanted
    from langgraph_checkpoint_dynamodb.requests.items import Query
    from langgraph_checkpoint_dynamodb.requests.operations import Operation, Stream
    from langgraph_checkpoint_dynamodb.runners.sync import Pages
    from langgraph_checkpoint_dynamodb.watching.observing import OnRequest

T = TypeVar("T")


class ConnectionOptions(TypedDict, total=False):
    """How to connect to DynamoDB: arguments of `DynamoDBSaver`."""

    client: DynamoDBClient | None
    session: boto3.Session | None
    region_name: str | None
    endpoint_url: str | None
    boto_config: Config | None


class ObservedConnectionOptions(ConnectionOptions, total=False):
    """How to connect to DynamoDB, and the observer of the requests."""

    on_request: OnRequest | None


class ConnectionOptionsWithS3(ConnectionOptions, total=False):
    """How to connect to DynamoDB and S3."""

    s3_client: S3Client | None
    s3_endpoint_url: str | None


@dataclass(frozen=True)
class _Connection:
    """What the runner needs. A client for S3 is made only when an object is read."""

    table_name: str
    client: ClientSettings
    max_concurrency: int | None = None
    uses_s3: bool = False
    on_request: OnRequest | None = None

    @property
    def table_names(self) -> Mapping[Table, str]:
        """The name of the table."""
        return {Table.FOREIGN: self.table_name}


class ForeignTable(BaseCheckpointSaver[str], TableSource):
    """Reads the table of another package. It cannot write: `put` and the like are not implemented.

    The `a*` methods run on worker threads of its own. The constructor does no I/O.

    Args:
        table_name: Name or ARN of the table.
        serde: The serializer of the values; LangGraph's default if `None`.
        clock: Returns the time, in seconds since the epoch.
        on_request: Called for each request, as in `DynamoDBSaver`. Requests of `export_threads` and
            of imports have the operation `export_threads`. Thread ids are left out.
        **connection: As in `DynamoDBSaver`: `client`, a ready boto3 client; or `session`,
            `region_name`, `endpoint_url` and `boto_config` to make one from.

    Raises:
        InvalidInputError: An argument is invalid; the message names it.
    """

    def __init__(
        self,
        table_name: str,
        *,
        serde: SerializerProtocol | None = None,
        clock: Callable[[], float] = time.time,
        on_request: OnRequest | None = None,
        **connection: Unpack[ConnectionOptionsWithS3],
    ) -> None:
        super().__init__(serde=serde)
        require_name("table_name", table_name, TABLE_NAME)
        self._table_name = table_name
        self._clock = clock
        # LangGraph clones savers with copy.copy: the clones share this one object.
        client = ClientSettings(**connection)
        self._runner = SyncRunner(_Connection(table_name, client, on_request=on_request))
        self._watcher = Watcher(on_request)

    # --- implemented for each layout ---

    @abstractmethod
    def _thread_id_of(self, key: Key) -> str | None:
        """The thread id in a key, `None` if the key does not contain one."""

    @abstractmethod
    def _thread_query(self, thread_id: str) -> Query:
        """The Query for the attributes of a thread that `_entry_of` needs."""

    @abstractmethod
    def _entry_of(self, row: Row) -> CheckpointEntry | None:
        """The checkpoint of a row, `None` if it is not one or has expired."""

    @abstractmethod
    def _read_with_paths(self, entry: CheckpointEntry) -> Operation[TupleWithPaths | None]:
        """A checkpoint, `None` if it does not exist. The parent in the entry is not used."""

    # --- implemented with them ---

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Get a checkpoint with its pending writes, or the newest of its namespace.

        Raises:
            InvalidInputError: The thread id is missing or invalid.
            UnreadableItemError: A row exists but cannot be read.
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
        """List checkpoints, newest first, of all namespaces if none is named.

        Args:
            config: Names the thread, and optionally the only namespace and the only checkpoint.
                `None` lists all threads, with a Scan of the table.
            filter: Values that the metadata must have.
            before: Only checkpoints whose id is below this config's.
            limit: Most checkpoints to return.

        Yields:
            The checkpoints, each read when it is requested.

        Raises:
            InvalidInputError: An argument is invalid; the message names it.
            UnreadableItemError: A row exists but cannot be read.
        """
        listing = self._pages(self._list(config, filter, before, limit), "list")
        with closing(listing) as pages:
            for page in pages:
                yield from page

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002 - LangGraph's name for it
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """Asynchronous version of `list`."""
        listing = self._pages(self._list(config, filter, before, limit), "list")
        async with aclosing(listing.awaited()) as pages:
            async for page in pages:
                for found in page:
                    yield found

    def thread_ids(self) -> Iterator[str]:
        """The threads of the table, found by a Scan of its keys as they are requested."""
        with closing(self._pages(self._each_thread(_emit_thread_id), "thread_ids")) as pages:
            for page in pages:
                yield from page

    async def athread_ids(self) -> AsyncIterator[str]:
        """Asynchronous version of `thread_ids`."""
        listing = self._pages(self._each_thread(_emit_thread_id), "thread_ids")
        async with aclosing(listing.awaited()) as pages:
            async for page in pages:
                for thread_id in page:
                    yield thread_id

    def close(self) -> None:
        """End the worker threads and close the clients it made. Can be repeated."""
        self._runner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self, operation: Operation[T], method: str) -> T:
        return self._runner.run(self._watcher.watched(operation, method))

    async def _await(self, operation: Operation[T], method: str) -> T:
        return await self._runner.start(self._watcher.watched(operation, method)).result()

    def _pages(self, stream: Stream[T], method: str) -> Pages[T]:
        return self._runner.pages(self._watcher.watched(stream, method))

    def _thread_page(self, start: Any) -> Operation[ThreadIdPage]:
        scan = Scan(Table.FOREIGN, consistent=True, start=start, attributes=KEY_NAMES)
        page = yield from send(scan)
        found = (self._thread_id_of(read_key(item, Table.FOREIGN)) for item in page.items)
        thread_ids = dict.fromkeys(each for each in found if each is not None)
        return ThreadIdPage(tuple(thread_ids), page.next)

    def _entries(self, thread_id: str) -> Operation[Sequence[CheckpointEntry]]:
        items = yield from query_all(self._thread_query(thread_id))
        entries = (self._entry_of(self._row(item)) for item in items)
        return [entry for entry in entries if entry is not None]

    def _row_at(self, key: Key) -> Operation[Row | None]:
        item = yield from send(GetItem(Table.FOREIGN, key, consistent=True))
        return None if item is None else self._row(item)

    def _rows_of(self, query: Query) -> Operation[Sequence[Row]]:
        items = yield from query_all(query)
        return [self._row(item) for item in items]

    def _row(self, item: Any) -> Row:
        return Row.from_item(self._table_name, item)

    def _newest_first(self, thread_id: str) -> Operation[Sequence[CheckpointEntry]]:
        entries = yield from self._entries(thread_id)
        return sorted(entries, key=lambda entry: entry.checkpoint_id, reverse=True)

    def _get_tuple(self, config: RunnableConfig) -> Operation[CheckpointTuple | None]:
        address = read_address(config)
        if address.checkpoint_id is not None:
            entries: Sequence[CheckpointEntry] = [
                CheckpointEntry(address.thread_id, address.namespace, address.checkpoint_id, None)
            ]
        else:
            entries = yield from self._newest_first(address.thread_id)
        for entry in entries:
            if entry.checkpoint_ns != address.namespace:
                continue
            read = yield from self._read_with_paths(entry)
            if read is not None:
                return read.found
        return None

    def _list(
        self,
        config: RunnableConfig | None,
        metadata: dict[str, Any] | None,
        before: RunnableConfig | None,
        limit: int | None,
    ) -> Stream[CheckpointTuple]:
        wanted = read_wanted(metadata, before, limit)
        if not config:
            return (
                yield from self._each_thread(
                    lambda thread_id, before: self._list_thread(
                        thread_id, None, wanted.after(before)
                    ),
                    wanted.limit,
                )
            )
        address = read_address(config)
        wanted = replace(wanted, checkpoint_id=address.checkpoint_id)
        return (yield from self._list_thread(address.thread_id, address.checkpoint_ns, wanted))

    def _each_thread(
        self, visit: Callable[[str, int], Stream[T]], limit: int | None = None
    ) -> Stream[T]:
        """Visit threads as they are found, until so much was emitted as the limit.

        Args:
            visit: Called with a thread id and how much was emitted before it; returns how much it
                has emitted.
            limit: The most to emit; `None` for everything.
        """
        emitted = 0
        start: Any = None
        last: str | None = None
        while limit is None or emitted < limit:
            page = yield from self._thread_page(start)
            for thread_id in page.thread_ids:
                if thread_id != last:
                    emitted += yield from visit(thread_id, emitted)
                last = thread_id
            if page.next is None:
                break
            start = page.next
        return emitted

    def _list_thread(
        self, thread_id: str, checkpoint_ns: str | None, wanted: Wanted
    ) -> Stream[CheckpointTuple]:
        emitted = 0
        if wanted.satisfied:
            return emitted
        for entry in (yield from self._newest_first(thread_id)):
            if checkpoint_ns not in (None, entry.checkpoint_ns):
                continue
            if not wanted.has_id(entry.checkpoint_id):
                continue
            read = yield from self._read_with_paths(entry)
            if read is None or not wanted.has_metadata(read.found.metadata):
                continue
            yield Emit([read.found])
            emitted += 1
            if wanted.after(emitted).satisfied:
                break
        return emitted


def _emit_thread_id(thread_id: str, _: int) -> Stream[str]:
    yield Emit([thread_id])
    return 1
