"""The table of `langgraph-checkpoint-amazon-dynamodb`, as its releases up to 0.1.3 write it.

::

    <thread>   <ns>#checkpoint#<id>             checkpoint_id, parent_checkpoint_id, type,
                                                checkpoint, metadata
    <thread>   <ns>#write#<id>#<task>#<place>   task_id, idx, channel, type, value

The place has ten digits. Special channels have none of their own: what a task writes later takes
the place of what it has written before. Task paths are not stored.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.format.ranges import beginning_with
from langgraph_checkpoint_dynamodb.format.tables import Key, Table
from langgraph_checkpoint_dynamodb.moving.foreign.rows import KEY_NAMES, Write, made_of
from langgraph_checkpoint_dynamodb.moving.foreign.source import ForeignTable
from langgraph_checkpoint_dynamodb.moving.source import Place
from langgraph_checkpoint_dynamodb.requests.items import Query

if TYPE_CHECKING:
    from collections.abc import Callable

    from langgraph.checkpoint.serde.base import SerializerProtocol
    from typing_extensions import Unpack

    from langgraph_checkpoint_dynamodb.moving.foreign.rows import Row
    from langgraph_checkpoint_dynamodb.moving.foreign.source import WatchedReach
    from langgraph_checkpoint_dynamodb.moving.source import Detailed
    from langgraph_checkpoint_dynamodb.requests.operations import Operation

_CHECKPOINT = "#checkpoint#"
_WRITE = "#write#"


class AmazonDynamodbTable(ForeignTable):
    """A table of `langgraph-checkpoint-amazon-dynamodb`, read as it lies.

    That package has the name of this one, so both cannot be installed together. Its saver lists no
    threads, and the root alone where no namespace is named. It stores no task paths, and interrupts
    and errors in the places of ordinary writes: what it has overwritten is lost.

    Rows that have expired do not count, as they do not for that saver.

    Args:
        table_name: Name or ARN of the table.
        ttl_attribute: That saver's: when a row expires. `None` if none does.
        serde: What the values were serialized with; LangGraph's default if `None`.
        clock: Tells the time, in seconds since the epoch.
        **reach: As in `DynamoDBSaver`: `client`; or `session`, `region_name`, `endpoint_url` and
            `boto_config`; and `on_request`.

    Raises:
        InvalidInputError: An argument cannot be used; the message names it.

    Needs `dynamodb:GetItem` and `dynamodb:Query`, and `dynamodb:Scan` to find threads.
    """

    def __init__(
        self,
        table_name: str,
        *,
        ttl_attribute: str | None = "expireAt",
        serde: SerializerProtocol | None = None,
        clock: Callable[[], float] = time.time,
        **reach: Unpack[WatchedReach],
    ) -> None:
        super().__init__(table_name, serde=serde, clock=clock, **reach)
        self._ttl_attribute = ttl_attribute

    def _thread_of(self, key: Key) -> str | None:
        return key.partition if _CHECKPOINT in key.sort else None

    def _thread_query(self, thread_id: str) -> Query:
        ttl = () if self._ttl_attribute is None else (self._ttl_attribute,)
        names = (*KEY_NAMES, "checkpoint_id", "parent_checkpoint_id", *ttl)
        return Query(Table.FOREIGN, thread_id, consistent=True, attributes=names)

    def _place_of(self, row: Row) -> Place | None:
        is_write = _WRITE in row.key.sort and "checkpoint_id" not in row.item
        if is_write or not self._counts(row):
            return None
        checkpoint_id = row.text("checkpoint_id")
        tail = _CHECKPOINT + checkpoint_id
        if not row.key.sort.endswith(tail):
            raise row.damaged("SK", "is not that of the checkpoint_id that the row tells")
        parent_id = row.optional_text("parent_checkpoint_id")
        return Place(row.key.partition, row.key.sort[: -len(tail)], checkpoint_id, parent_id)

    def _detailed(self, place: Place) -> Operation[Detailed | None]:
        thread_id, checkpoint_ns, checkpoint_id, _ = place
        key = Key(thread_id, checkpoint_ns + _CHECKPOINT + checkpoint_id)
        row = yield from self._row_at(key)
        found = None if row is None else self._place_of(row)
        if row is None or found is None:
            return None
        type_name = row.text("type")
        checkpoint = row.load(self.serde, type_name, row.binary("checkpoint"), "checkpoint")
        metadata = row.load(self.serde, type_name, row.binary("metadata"), "metadata")
        head = f"{checkpoint_ns}{_WRITE}{checkpoint_id}#"
        rows = yield from self._rows_of(
            Query(Table.FOREIGN, thread_id, consistent=True, sort=beginning_with(head))
        )
        writes = [self._write(head, one) for one in rows if self._counts(one)]
        return made_of(found, row, checkpoint, metadata, writes)

    def _write(self, head: str, row: Row) -> Write:
        task_id, idx = row.text("task_id"), row.integer("idx")
        if row.key.sort != f"{head}{task_id}#{idx:010}":
            raise row.damaged("SK", "is not that of the task_id and idx that the row tells")
        value = row.load(self.serde, row.text("type"), row.binary("value"), "value")
        return Write(task_id, "", idx, row.text("channel"), value)

    def _counts(self, row: Row) -> bool:
        attribute = self._ttl_attribute
        return attribute is None or not row.has_expired(attribute, self._clock())
