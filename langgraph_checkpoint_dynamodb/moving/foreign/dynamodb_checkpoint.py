"""The table of `langgraph-dynamodb-checkpoint`, as its releases up to 0.5.0 write it.

::

    <thread>   <id>                checkpoint_key checkpoint$<thread>$<ns>$<id>
    <thread>   <id>$<task>$<idx>   checkpoint_key writes$<thread>$<ns>$<id>$<task>$<idx>

The sort key does not contain the namespace: of two checkpoints with the same id, the table holds
the later one. Before 0.4.1 it did not contain the index of a write: of a task's writes, the table
holds the last one. Values are text: Base64 of the serialized bytes. Metadata is a list of type and
value; before 0.2.6.4 it was JSON.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.format.ranges import beginning_with
from langgraph_checkpoint_dynamodb.format.tables import Key, Table
from langgraph_checkpoint_dynamodb.moving.foreign.rows import KEY_NAMES, Write, build_checkpoint
from langgraph_checkpoint_dynamodb.moving.foreign.source import ForeignTable
from langgraph_checkpoint_dynamodb.moving.source import CheckpointEntry
from langgraph_checkpoint_dynamodb.requests.items import Query

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb.moving.foreign.rows import Row
    from langgraph_checkpoint_dynamodb.moving.source import TupleWithPaths
    from langgraph_checkpoint_dynamodb.requests.operations import Operation

_KEY = "checkpoint_key"


class DynamodbCheckpointTable(ForeignTable):
    """A table of `langgraph-dynamodb-checkpoint` (its `DynamoDBSaver`), read directly.

    That saver lists no threads, returns no task paths, and lists only the root if no namespace is
    named. It sorts writes by their indexes as text across parallel tasks, and leaves out writes of
    `None`.

    Rows whose `ttl` has passed are read until they are deleted, as that saver does.

    Args:
        table_name: Name or ARN of the table.
        serde: The serializer of the values; LangGraph's default if `None`.
        clock: Returns the time, in seconds since the epoch.
        **connection: As in `DynamoDBSaver`: `client`; or `session`, `region_name`, `endpoint_url`
            and `boto_config`; and `on_request`.

    Raises:
        InvalidInputError: An argument is invalid; the message names it.

    Needs `dynamodb:GetItem` and `dynamodb:Query`, and `dynamodb:Scan` to find threads.
    """

    def _thread_id_of(self, key: Key) -> str:
        return key.partition

    def _thread_query(self, thread_id: str) -> Query:
        names = (*KEY_NAMES, _KEY, "parent_checkpoint_id")
        return Query(Table.FOREIGN, thread_id, consistent=True, attributes=names)

    def _entry_of(self, row: Row) -> CheckpointEntry | None:
        thread_id, checkpoint_id = row.key
        key_text = row.text(_KEY)
        if key_text.startswith(f"writes${thread_id}$"):
            return None
        head, tail = f"checkpoint${thread_id}$", f"${checkpoint_id}"
        checkpoint_ns = key_text[len(head) : -len(tail)]
        if key_text != head + checkpoint_ns + tail:
            raise row.damaged(_KEY, "belongs to another row")
        parent_id = row.optional_text("parent_checkpoint_id")
        return CheckpointEntry(thread_id, checkpoint_ns, checkpoint_id, parent_id)

    def _read_with_paths(self, entry: CheckpointEntry) -> Operation[TupleWithPaths | None]:
        row = yield from self._row_at(Key(entry.thread_id, entry.checkpoint_id))
        found = None if row is None else self._entry_of(row)
        if row is None or found is None or found[:3] != entry[:3]:
            return None
        checkpoint = self._load_value(row, row.text("type"), row.text("checkpoint"), "checkpoint")
        metadata = self._load_value(row, *_typed_value(row, "metadata"), "metadata")
        of_checkpoint = beginning_with(f"{entry.checkpoint_id}$")
        rows = yield from self._rows_of(
            Query(Table.FOREIGN, entry.thread_id, consistent=True, sort=of_checkpoint)
        )
        read = (self._read_write(found, each) for each in rows)
        writes = (write for write in read if write is not None)
        return build_checkpoint(found, row, checkpoint, metadata, writes)

    def _read_write(self, entry: CheckpointEntry, row: Row) -> Write | None:
        """The write of a row, `None` if its checkpoint has the same id in another namespace."""
        thread_id, checkpoint_ns, checkpoint_id, _ = entry
        key_text = row.text(_KEY)
        task_id = row.key.sort.removeprefix(f"{checkpoint_id}$")
        expected = f"writes${thread_id}${checkpoint_ns}${row.key.sort}"
        if key_text == expected:
            task_id, _, idx = task_id.rpartition("$")
        elif key_text.startswith(f"{expected}$"):  # Of a release before 0.4.1.
            idx = key_text[len(expected) + 1 :]
        elif key_text.startswith(f"writes${thread_id}$") and f"${row.key.sort}" in key_text:
            return None
        else:
            raise row.damaged(_KEY, "belongs to another row")
        try:
            index = int(idx)
        except ValueError:
            raise row.damaged(_KEY, "does not end with the index of a write") from None
        value = self._load_value(row, row.text("type"), row.text("value"), "value")
        path = row.optional_text("task_path") or ""
        return Write(task_id, path, index, row.text("channel"), value)

    def _load_value(self, row: Row, type_name: str, value: str, attribute: str) -> Any:
        try:
            data = base64.b64decode(value, validate=True)
        except binascii.Error:
            raise row.damaged(attribute, "is not Base64") from None
        return row.load(self.serde, type_name, data, attribute)


def _typed_value(row: Row, attribute: str) -> tuple[str, str]:
    match row.item.get(attribute):
        case {"L": [{"S": str(type_name)}, {"S": str(value)}]}:
            return type_name, value
        case {"S": str(value)}:  # Of a release before 0.2.6.4.
            return "json", value
        case None:
            raise row.damaged(attribute, "is missing")
    raise row.damaged(attribute, "is not a list (L) of a type and a value, both text (S)")
