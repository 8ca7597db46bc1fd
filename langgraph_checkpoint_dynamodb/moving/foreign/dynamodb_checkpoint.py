"""The table of `langgraph-dynamodb-checkpoint`, as its releases up to 0.5.0 write it.

::

    <thread>   <id>                checkpoint_key checkpoint$<thread>$<ns>$<id>
    <thread>   <id>$<task>$<idx>   checkpoint_key writes$<thread>$<ns>$<id>$<task>$<idx>

All namespaces share the ids: of two checkpoints of one id, the later one is there. Releases before
0.4.1 left the place out of the sort key: of a task's writes, the last one is there. Values are
text, Base64 of what was serialized. Metadata is a list of type and value; before 0.2.6.4, JSON.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.format.ranges import beginning_with
from langgraph_checkpoint_dynamodb.format.tables import Key, Table
from langgraph_checkpoint_dynamodb.moving.foreign.rows import KEY_NAMES, Write, made_of
from langgraph_checkpoint_dynamodb.moving.foreign.source import ForeignTable
from langgraph_checkpoint_dynamodb.moving.source import Place
from langgraph_checkpoint_dynamodb.requests.items import Query

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb.moving.foreign.rows import Row
    from langgraph_checkpoint_dynamodb.moving.source import Detailed
    from langgraph_checkpoint_dynamodb.requests.operations import Operation

_KEY = "checkpoint_key"


class DynamodbCheckpointTable(ForeignTable):
    """A table of `langgraph-dynamodb-checkpoint` (its `DynamoDBSaver`), read as it lies.

    That saver lists no threads, tells no task paths, and lists the root alone where no namespace is
    named. It returns the writes of parallel tasks in turns, by their places as text, and leaves out
    those of `None`.

    Rows whose `ttl` has passed count until they are deleted, as they do for that saver.

    Args:
        table_name: Name or ARN of the table.
        serde: What the values were serialized with; LangGraph's default if `None`.
        clock: Tells the time, in seconds since the epoch.
        **reach: As in `DynamoDBSaver`: `client`; or `session`, `region_name`, `endpoint_url` and
            `boto_config`; and `on_request`.

    Raises:
        InvalidInputError: An argument cannot be used; the message names it.

    Needs `dynamodb:GetItem` and `dynamodb:Query`, and `dynamodb:Scan` to find threads.
    """

    def _thread_of(self, key: Key) -> str:
        return key.partition

    def _thread_query(self, thread_id: str) -> Query:
        names = (*KEY_NAMES, _KEY, "parent_checkpoint_id")
        return Query(Table.FOREIGN, thread_id, consistent=True, attributes=names)

    def _place_of(self, row: Row) -> Place | None:
        thread_id, checkpoint_id = row.key
        name = row.text(_KEY)
        if name.startswith(f"writes${thread_id}$"):
            return None
        head, tail = f"checkpoint${thread_id}$", f"${checkpoint_id}"
        checkpoint_ns = name[len(head) : -len(tail)]
        if name != head + checkpoint_ns + tail:
            raise row.damaged(_KEY, "is that of another row")
        parent_id = row.optional_text("parent_checkpoint_id")
        return Place(thread_id, checkpoint_ns, checkpoint_id, parent_id)

    def _detailed(self, place: Place) -> Operation[Detailed | None]:
        row = yield from self._row_at(Key(place.thread_id, place.checkpoint_id))
        found = None if row is None else self._place_of(row)
        if row is None or found is None or found[:3] != place[:3]:
            return None
        checkpoint = self._load(row, row.text("type"), row.text("checkpoint"), "checkpoint")
        metadata = self._load(row, *_typed_value(row, "metadata"), "metadata")
        beside = beginning_with(f"{place.checkpoint_id}$")
        rows = yield from self._rows_of(
            Query(Table.FOREIGN, place.thread_id, consistent=True, sort=beside)
        )
        writes = (self._write(found, one) for one in rows)
        return made_of(found, row, checkpoint, metadata, (one for one in writes if one is not None))

    def _write(self, place: Place, row: Row) -> Write | None:
        """The write of a row, `None` for one of another namespace's checkpoint of that id."""
        thread_id, checkpoint_ns, checkpoint_id, _ = place
        name = row.text(_KEY)
        task_id = row.key.sort.removeprefix(f"{checkpoint_id}$")
        known = f"writes${thread_id}${checkpoint_ns}${row.key.sort}"
        if name == known:
            task_id, _, idx = task_id.rpartition("$")
        elif name.startswith(f"{known}$"):  # Of a release before 0.4.1.
            idx = name[len(known) + 1 :]
        elif name.startswith(f"writes${thread_id}$") and f"${row.key.sort}" in name:
            return None
        else:
            raise row.damaged(_KEY, "is that of another row")
        try:
            at = int(idx)
        except ValueError:
            raise row.damaged(_KEY, "does not end with the place of a write") from None
        value = self._load(row, row.text("type"), row.text("value"), "value")
        path = row.optional_text("task_path") or ""
        return Write(task_id, path, at, row.text("channel"), value)

    def _load(self, row: Row, type_name: str, value: str, attribute: str) -> Any:
        try:
            data = base64.b64decode(value, validate=True)
        except binascii.Error:
            raise row.damaged(attribute, "is no Base64") from None
        return row.load(self.serde, type_name, data, attribute)


def _typed_value(row: Row, attribute: str) -> tuple[str, str]:
    match row.item.get(attribute):
        case {"L": [{"S": str(type_name)}, {"S": str(value)}]}:
            return type_name, value
        case {"S": str(value)}:  # Of a release before 0.2.6.4.
            return "json", value
        case None:
            raise row.damaged(attribute, "is missing")
    raise row.damaged(attribute, "is no list (L) of a type and a value, both text (S)")
