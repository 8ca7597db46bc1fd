"""The table of `langgraph-checkpoint-aws`, as its releases up to 1.2.6 write it.

::

    CHECKPOINT_<thread>         <ns>#<id>      id, ns, parent_checkpoint_id, ref_loc, ref_key
    WRITES_<thread>#<ns>#<id>   <task>#<idx>   task_id, idx, channel, task_path, ref_loc, ref_key
    CHUNK_<...>                 CHUNK          payload

A value is serialized, may be compressed with gzip, and is in a row of its own or an S3 object. The
value of a checkpoint contains its metadata too.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.errors import InvalidInputTypeError, MissingPartError
from langgraph_checkpoint_dynamodb.format.tables import Key, Table
from langgraph_checkpoint_dynamodb.items.codec import require_mapping
from langgraph_checkpoint_dynamodb.moving.foreign.rows import KEY_NAMES, Write, build_checkpoint
from langgraph_checkpoint_dynamodb.moving.foreign.source import ForeignTable
from langgraph_checkpoint_dynamodb.moving.source import CheckpointEntry
from langgraph_checkpoint_dynamodb.payloads.compression import DecompressionError, decompress
from langgraph_checkpoint_dynamodb.requests.items import Query
from langgraph_checkpoint_dynamodb.requests.objects import GetObject
from langgraph_checkpoint_dynamodb.requests.operations import send, together
from langgraph_checkpoint_dynamodb.settings.values import require_bucket, s3_endpoint_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from langgraph.checkpoint.serde.base import SerializerProtocol
    from mypy_boto3_s3 import S3Client
    from typing_extensions import Unpack

    from langgraph_checkpoint_dynamodb.moving.foreign.rows import Row
    from langgraph_checkpoint_dynamodb.moving.foreign.source import ObservedConnectionOptions
    from langgraph_checkpoint_dynamodb.moving.source import TupleWithPaths
    from langgraph_checkpoint_dynamodb.requests.operations import Operation

_CHECKPOINT_PREFIX = "CHECKPOINT_"
_TTL_ATTRIBUTE = "ttl"
_GZIP_SIZE_BYTES = 4
"""The last bytes of a gzip frame are the size of the uncompressed data (RFC 1952)."""


class CheckpointAwsTable(ForeignTable):
    """A table of `langgraph-checkpoint-aws` (its `DynamoDBSaver`), read directly.

    That saver lists no threads and returns no task paths. From the eleventh write of a task on, it
    sorts writes by their indexes as text (0, 1, 10, 2), and tasks by id, not by path.

    Rows whose `ttl` has passed are read while their values exist, as that saver does.

    Args:
        table_name: Name or ARN of the table.
        s3_offload_config: The argument of that saver: a mapping with `bucket_name`, and optionally
            `key_prefix` and `endpoint_url`. Needed if a value is in S3.
        s3_client: A ready boto3 client for S3.
        skip_incomplete: Whether to leave out checkpoints and writes whose value is missing, as that
            saver does. It stores the row before the value, so a failed put leaves such a row.
        serde: The serializer of the values; LangGraph's default if `None`.
        clock: Returns the time, in seconds since the epoch.
        **connection: As in `DynamoDBSaver`: `client`; or `session`, `region_name`, `endpoint_url`
            and `boto_config`; and `on_request`.

    Raises:
        InvalidInputError: An argument is invalid; the message names it.

    Needs `dynamodb:GetItem` and `dynamodb:Query`, `dynamodb:Scan` to find threads, and
    `s3:GetObject`.
    """

    def __init__(
        self,
        table_name: str,
        *,
        s3_offload_config: Mapping[str, Any] | None = None,
        s3_client: S3Client | None = None,
        skip_incomplete: bool = False,
        serde: SerializerProtocol | None = None,
        clock: Callable[[], float] = time.time,
        **connection: Unpack[ObservedConnectionOptions],
    ) -> None:
        self._bucket, self._prefix = _bucket_and_prefix(s3_offload_config)
        self._skip_incomplete = skip_incomplete
        super().__init__(
            table_name,
            serde=serde,
            clock=clock,
            s3_client=s3_client,
            s3_endpoint_url=s3_endpoint_url(s3_offload_config),
            **connection,
        )

    def _thread_id_of(self, key: Key) -> str | None:
        return (
            key.partition[len(_CHECKPOINT_PREFIX) :]
            if key.partition.startswith(_CHECKPOINT_PREFIX)
            else None
        )

    def _thread_query(self, thread_id: str) -> Query:
        names = (*KEY_NAMES, "id", "ns", "parent_checkpoint_id")
        return Query(
            Table.FOREIGN, _CHECKPOINT_PREFIX + thread_id, consistent=True, attributes=names
        )

    def _entry_of(self, row: Row) -> CheckpointEntry:
        entry = CheckpointEntry(
            row.key.partition[len(_CHECKPOINT_PREFIX) :],
            row.text("ns"),
            row.text("id"),
            row.optional_text("parent_checkpoint_id"),
        )
        if row.key.sort != f"{entry.checkpoint_ns}#{entry.checkpoint_id}":
            raise row.damaged("SK", "does not match the row's ns and id")
        return entry

    def _read_with_paths(self, entry: CheckpointEntry) -> Operation[TupleWithPaths | None]:
        thread_id, checkpoint_ns, checkpoint_id, _ = entry
        sort_key = f"{checkpoint_ns}#{checkpoint_id}"
        row = yield from self._row_at(Key(_CHECKPOINT_PREFIX + thread_id, sort_key))
        if row is None:
            return None
        entry = self._entry_of(row)
        values = yield from self._read_values(row)
        if not values:
            return None
        whole = require_mapping(values[0], row.place, "payload")
        partition = f"WRITES_{thread_id}#{sort_key}"
        rows = yield from self._rows_of(Query(Table.FOREIGN, partition, consistent=True))
        written = yield from together([self._read_writes(each) for each in rows])
        writes = [write for found in written for write in found]
        return build_checkpoint(entry, row, whole.get("checkpoint"), whole.get("metadata"), writes)

    def _read_writes(self, row: Row) -> Operation[list[Write]]:
        """The write of a row; an empty list if its value is missing."""
        values = yield from self._read_values(row)
        path = row.optional_text("task_path") or ""
        return [
            Write(row.text("task_id"), path, row.integer("idx"), row.text("channel"), value)
            for value in values
        ]

    def _read_values(self, row: Row) -> Operation[list[Any]]:
        """The value of a row; an empty list if it is missing and that is not an error."""
        data = yield from self._read_data(row)
        if data is None:
            # DynamoDB deletes expired rows in no particular order.
            if self._skip_incomplete or row.has_expired(_TTL_ATTRIBUTE, self._clock()):
                return []
            raise MissingPartError(
                place=row.place,
                attribute="ref_key",
                problem="refers to a value that does not exist: storing it failed, or it was "
                "deleted. Pass skip_incomplete=True to leave such rows out, as "
                "langgraph-checkpoint-aws does",
                part=row.text("ref_key"),
            )
        compression = row.optional_text("compression")
        if compression is not None:
            size = int.from_bytes(data[-_GZIP_SIZE_BYTES:], "little")
            try:
                data = decompress(compression, data, size)
            except DecompressionError as error:
                raise row.damaged("payload", str(error)) from error
        return [row.load(self.serde, row.text("type"), data, "payload")]

    def _read_data(self, row: Row) -> Operation[bytes | None]:
        where, name = row.text("ref_loc"), row.text("ref_key")
        if where == "DYNAMODB":
            chunk = yield from self._row_at(Key(name, "CHUNK"))
            return None if chunk is None else chunk.binary("payload")
        if where != "S3":
            raise row.damaged("ref_loc", f"is {where!r}, neither 'DYNAMODB' nor 'S3'")
        if self._bucket is None:
            raise row.damaged("ref_loc", "says that the value is in S3: pass s3_offload_config")
        return (yield from send(GetObject(self._bucket, self._prefix + name)))


def _bucket_and_prefix(config: object) -> tuple[str | None, str]:
    """The bucket, `None` if there is none, and the prefix of the keys in it."""
    if config is None:
        return None, ""
    if not isinstance(config, Mapping):
        raise InvalidInputTypeError(
            "s3_offload_config", f"must be a mapping, got {type(config).__name__}"
        )
    bucket = require_bucket("s3_offload_config.bucket_name", config.get("bucket_name"))
    prefix = config.get("key_prefix") or ""
    if not isinstance(prefix, str):
        raise InvalidInputTypeError(
            "s3_offload_config.key_prefix", f"must be a string, got {type(prefix).__name__}"
        )
    prefix = prefix.strip("/")
    return bucket, f"{prefix}/" if prefix else ""
