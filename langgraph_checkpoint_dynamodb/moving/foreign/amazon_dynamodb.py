"""The table of `langgraph-checkpoint-amazon-dynamodb`, as its releases up to 0.1.3 write it.

::

    <thread>   <ns>#checkpoint#<id>             checkpoint_id, parent_checkpoint_id, type,
                                                checkpoint, metadata
    <thread>   <ns>#write#<id>#<task>#<idx>     task_id, idx, channel, type, value

The index has ten digits. Special channels have no fixed index: a later write of a task may replace
an earlier one with the same index. Task paths are not stored.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.format.ranges import beginning_with
from langgraph_checkpoint_dynamodb.format.tables import Key, Table
from langgraph_checkpoint_dynamodb.moving.foreign.rows import KEY_NAMES, Write, build_checkpoint
from langgraph_checkpoint_dynamodb.moving.foreign.source import ForeignTable
from langgraph_checkpoint_dynamodb.moving.source import CheckpointEntry
from langgraph_checkpoint_dynamodb.requests.items import Query

if TYPE_CHECKING:
    from collections.abc import Callable

    from langgraph.checkpoint.serde.base import SerializerProtocol
    from typing_extensions import Unpack

    from langgraph_checkpoint_dynamodb.moving.foreign.rows import Row
    from langgraph_checkpoint_dynamodb.moving.foreign.source import ObservedConnectionOptions
    from langgraph_checkpoint_dynamodb.moving.source import TupleWithPaths
    from langgraph_checkpoint_dynamodb.requests.operations import Operation

_CHECKPOINT = "#checkpoint#"
_WRITE = "#write#"


class AmazonDynamodbTable(ForeignTable):
    """A table of `langgraph-checkpoint-amazon-dynamodb`, read directly.

    That package has the same import name as this one, so both cannot be installed together. Its
    saver lists no threads, and only the root if no namespace is named. It stores no task paths, and
    stores interrupts and errors at the indexes of ordinary writes: what it has overwritten is lost.

    Expired rows are left out, as that saver does.

    Args:
        table_name: Name or ARN of the table.
        ttl_attribute: The attribute in which that saver stores when a row expires. `None` if its
            rows do not expire.
        serde: The serializer of the values; LangGraph's default if `None`.
        clock: Returns the time, in seconds since the epoch.
        **connection: As in `DynamoDBSaver`: `client`; or `session`, `region_name`, `endpoint_url`
            and `boto_config`; and `on_request`.

    Raises:
        InvalidInputError: An argument is invalid; the message names it.

    Needs `dynamodb:GetItem` and `dynamodb:Query`, and `dynamodb:Scan` to find threads.
    """

    def __init__(
        self,
        table_name: str,
        *,
        ttl_attribute: str | None = "expireAt",
        serde: SerializerProtocol | None = None,
        clock: Callable[[], float] = time.time,
        **connection: Unpack[ObservedConnectionOptions],
    ) -> None:
        super().__init__(table_name, serde=serde, clock=clock, **connection)
        self._ttl_attribute = ttl_attribute

    def _thread_id_of(self, key: Key) -> str | None:
        return key.partition if _CHECKPOINT in key.sort else None

    def _thread_query(self, thread_id: str) -> Query:
        ttl = () if self._ttl_attribute is None else (self._ttl_attribute,)
        names = (*KEY_NAMES, "checkpoint_id", "parent_checkpoint_id", *ttl)
        return Query(Table.FOREIGN, thread_id, consistent=True, attributes=names)

    def _entry_of(self, row: Row) -> CheckpointEntry | None:
        is_write = _WRITE in row.key.sort and "checkpoint_id" not in row.item
        if is_write or not self._is_live(row):
            return None
        checkpoint_id = row.text("checkpoint_id")
        tail = _CHECKPOINT + checkpoint_id
        if not row.key.sort.endswith(tail):
            raise row.damaged("SK", "does not match the row's checkpoint_id")
        parent_id = row.optional_text("parent_checkpoint_id")
        return CheckpointEntry(
            row.key.partition, row.key.sort[: -len(tail)], checkpoint_id, parent_id
        )

    def _read_with_paths(self, entry: CheckpointEntry) -> Operation[TupleWithPaths | None]:
        thread_id, checkpoint_ns, checkpoint_id, _ = entry
        key = Key(thread_id, checkpoint_ns + _CHECKPOINT + checkpoint_id)
        row = yield from self._row_at(key)
        found = None if row is None else self._entry_of(row)
        if row is None or found is None:
            return None
        type_name = row.text("type")
        checkpoint = row.load(self.serde, type_name, row.binary("checkpoint"), "checkpoint")
        metadata = row.load(self.serde, type_name, row.binary("metadata"), "metadata")
        head = f"{checkpoint_ns}{_WRITE}{checkpoint_id}#"
        rows = yield from self._rows_of(
            Query(Table.FOREIGN, thread_id, consistent=True, sort=beginning_with(head))
        )
        writes = [self._read_write(head, each) for each in rows if self._is_live(each)]
        return build_checkpoint(found, row, checkpoint, metadata, writes)

    def _read_write(self, head: str, row: Row) -> Write:
        task_id, idx = row.text("task_id"), row.integer("idx")
        if row.key.sort != f"{head}{task_id}#{idx:010}":
            raise row.damaged("SK", "does not match the row's task_id and idx")
        value = row.load(self.serde, row.text("type"), row.binary("value"), "value")
        return Write(task_id, "", idx, row.text("channel"), value)

    def _is_live(self, row: Row) -> bool:
        attribute = self._ttl_attribute
        return attribute is None or not row.has_expired(attribute, self._clock())
