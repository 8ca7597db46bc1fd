"""The table of `langgraph-checkpoint-aws`, as its releases up to 1.2.6 write it.

::

    CHECKPOINT_<thread>         <ns>#<id>      id, ns, parent_checkpoint_id, and where its value is
    WRITES_<thread>#<ns>#<id>   <task>#<idx>   task_id, idx, channel, task_path, and the same
    CHUNK_<...>                 CHUNK          payload

A value is serialized, maybe compressed with gzip, and in a row of its own or an S3 object. Of a
checkpoint it holds the metadata too.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.errors import InvalidInputTypeError, MissingPartError
from langgraph_checkpoint_dynamodb.format.tables import Key, Table
from langgraph_checkpoint_dynamodb.items.codec import require_mapping
from langgraph_checkpoint_dynamodb.moving.foreign.rows import KEY_NAMES, Write, made_of
from langgraph_checkpoint_dynamodb.moving.foreign.source import ForeignTable
from langgraph_checkpoint_dynamodb.moving.source import Place
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
    from langgraph_checkpoint_dynamodb.moving.foreign.source import WatchedReach
    from langgraph_checkpoint_dynamodb.moving.source import Detailed
    from langgraph_checkpoint_dynamodb.requests.operations import Operation

_THREAD = "CHECKPOINT_"
_TTL = "ttl"
_SIZE_BYTES = 4
"""The end of a gzip frame: how many bytes were packed (RFC 1952)."""


class CheckpointAwsTable(ForeignTable):
    """A table of `langgraph-checkpoint-aws` (its `DynamoDBSaver`), read as it lies.

    That saver lists no threads and tells no task paths. From the eleventh write of a task on, it
    returns writes in the order of their places as text (0, 1, 10, 2), and tasks by id, not by path.

    Rows whose `ttl` has passed count while they are whole, as they do for that saver.

    Args:
        table_name: Name or ARN of the table.
        s3_offload_config: That saver's: a mapping with `bucket_name`, and optionally `key_prefix`
            and `endpoint_url`. Needed where a value is in S3.
        s3_client: A ready boto3 client for S3.
        skip_incomplete: Whether a checkpoint or write is left out whose value is not there, as that
            saver does. It stores the row before the value: a put that failed has left such a row.
        serde: What the values were serialized with; LangGraph's default if `None`.
        clock: Tells the time, in seconds since the epoch.
        **reach: As in `DynamoDBSaver`: `client`; or `session`, `region_name`, `endpoint_url` and
            `boto_config`; and `on_request`.

    Raises:
        InvalidInputError: An argument cannot be used; the message names it.

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
        **reach: Unpack[WatchedReach],
    ) -> None:
        self._bucket, self._prefix = _where_objects_are(s3_offload_config)
        self._skip_incomplete = skip_incomplete
        super().__init__(
            table_name,
            serde=serde,
            clock=clock,
            s3_client=s3_client,
            s3_endpoint_url=s3_endpoint_url(s3_offload_config),
            **reach,
        )

    def _thread_of(self, key: Key) -> str | None:
        return key.partition[len(_THREAD) :] if key.partition.startswith(_THREAD) else None

    def _thread_query(self, thread_id: str) -> Query:
        names = (*KEY_NAMES, "id", "ns", "parent_checkpoint_id")
        return Query(Table.FOREIGN, _THREAD + thread_id, consistent=True, attributes=names)

    def _place_of(self, row: Row) -> Place:
        place = Place(
            row.key.partition[len(_THREAD) :],
            row.text("ns"),
            row.text("id"),
            row.optional_text("parent_checkpoint_id"),
        )
        if row.key.sort != f"{place.checkpoint_ns}#{place.checkpoint_id}":
            raise row.damaged("SK", "is not the namespace and id that the row tells")
        return place

    def _detailed(self, place: Place) -> Operation[Detailed | None]:
        thread_id, checkpoint_ns, checkpoint_id, _ = place
        name = f"{checkpoint_ns}#{checkpoint_id}"
        row = yield from self._row_at(Key(_THREAD + thread_id, name))
        if row is None:
            return None
        place = self._place_of(row)
        values = yield from self._values(row)
        if not values:
            return None
        whole = require_mapping(values[0], row.place, "payload")
        partition = f"WRITES_{thread_id}#{name}"
        rows = yield from self._rows_of(Query(Table.FOREIGN, partition, consistent=True))
        written = yield from together([self._writes(one) for one in rows])
        writes = [write for found in written for write in found]
        return made_of(place, row, whole.get("checkpoint"), whole.get("metadata"), writes)

    def _writes(self, row: Row) -> Operation[list[Write]]:
        """The write of a row, or none."""
        values = yield from self._values(row)
        path = row.optional_text("task_path") or ""
        return [
            Write(row.text("task_id"), path, row.integer("idx"), row.text("channel"), value)
            for value in values
        ]

    def _values(self, row: Row) -> Operation[list[Any]]:
        """The value of a row; none where it is not there and that is known to happen."""
        data = yield from self._data(row)
        if data is None:
            # DynamoDB deletes rows that have expired in no order.
            if self._skip_incomplete or row.has_expired(_TTL, self._clock()):
                return []
            raise MissingPartError(
                place=row.place,
                attribute="ref_key",
                problem="leads to a value that is not there: storing it has failed, or it was "
                "deleted. Pass skip_incomplete=True to leave such rows out, as "
                "langgraph-checkpoint-aws does",
                part=row.text("ref_key"),
            )
        compression = row.optional_text("compression")
        if compression is not None:
            size = int.from_bytes(data[-_SIZE_BYTES:], "little")
            try:
                data = decompress(compression, data, size)
            except DecompressionError as error:
                raise row.damaged("payload", str(error)) from error
        return [row.load(self.serde, row.text("type"), data, "payload")]

    def _data(self, row: Row) -> Operation[bytes | None]:
        where, name = row.text("ref_loc"), row.text("ref_key")
        if where == "DYNAMODB":
            chunk = yield from self._row_at(Key(name, "CHUNK"))
            return None if chunk is None else chunk.binary("payload")
        if where != "S3":
            raise row.damaged("ref_loc", f"is {where!r}, neither 'DYNAMODB' nor 'S3'")
        if self._bucket is None:
            raise row.damaged("ref_loc", "says that the value is in S3: pass s3_offload_config")
        return (yield from send(GetObject(self._bucket, self._prefix + name)))


def _where_objects_are(config: object) -> tuple[str | None, str]:
    """The bucket, `None` for none, and what the keys in it begin with."""
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
