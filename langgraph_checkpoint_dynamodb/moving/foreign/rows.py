"""Rows of other packages' tables, and the checkpoints that are built from them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from langgraph.checkpoint.base import WRITES_IDX_MAP, CheckpointTuple, writes_sort_key

from langgraph_checkpoint_dynamodb.errors import UnreadableItemError
from langgraph_checkpoint_dynamodb.format.tables import SPECS, Table
from langgraph_checkpoint_dynamodb.items.attributes import (
    binary,
    optional_number,
    optional_text,
    read_key,
    text,
)
from langgraph_checkpoint_dynamodb.items.codec import load_value, require_mapping
from langgraph_checkpoint_dynamodb.items.values import Serialized
from langgraph_checkpoint_dynamodb.moving.source import TupleWithPaths
from langgraph_checkpoint_dynamodb.payloads.kinds import Inline

if TYPE_CHECKING:
    from collections.abc import Iterable

    from langgraph.checkpoint.base import Checkpoint, CheckpointMetadata
    from langgraph.checkpoint.serde.base import SerializerProtocol

    from langgraph_checkpoint_dynamodb.format.tables import Key
    from langgraph_checkpoint_dynamodb.moving.source import CheckpointEntry
    from langgraph_checkpoint_dynamodb.requests.items import StoredItem

KEY_NAMES = (SPECS[Table.FOREIGN].partition_key, SPECS[Table.FOREIGN].sort_key)


@dataclass(frozen=True, slots=True)
class Row:
    """An item of another package's table. Errors about it name its key.

    Attributes:
        item: The item.
        key: Its key.
        place: Its key and table, for error messages.
    """

    item: StoredItem
    key: Key
    place: str

    @classmethod
    def from_item(cls, table_name: str, item: StoredItem) -> Row:
        """A row of a table."""
        key = read_key(item, Table.FOREIGN)
        return cls(item, key, f"row {key.partition!r}, {key.sort!r} of table {table_name!r}")

    def text(self, name: str) -> str:
        """The text of an attribute."""
        return text(self.item, name, self.place)

    def optional_text(self, name: str) -> str | None:
        """The text of an attribute, `None` if it is missing or empty."""
        return optional_text(self.item, name, self.place) or None

    def binary(self, name: str) -> bytes:
        """The bytes of an attribute, which may be stored as text."""
        return binary(self.item, name, self.place)

    def integer(self, name: str) -> int:
        """The whole number of an attribute."""
        found = self.item.get(name, {}).get("N")
        try:
            return int(found or "")
        except ValueError:
            raise self.damaged(name, "is not a whole number (N)") from None

    def has_expired(self, ttl_attribute: str, now: float) -> bool:
        """Whether its time to live has passed, so DynamoDB may delete it."""
        ttl = optional_number(self.item, ttl_attribute, self.place)
        return ttl is not None and ttl <= now

    def load(self, serde: SerializerProtocol, type_name: str, data: bytes, attribute: str) -> Any:
        """Deserialize a value.

        Args:
            serde: The serializer.
            type_name: Name of the type that the serializer gave.
            data: The serialized value.
            attribute: The attribute it comes from, for error messages.
        """
        return load_value(serde, Serialized(type_name, Inline(data)), self.place, attribute)

    def damaged(self, attribute: str, problem: str) -> UnreadableItemError:
        """The error for a damaged attribute."""
        return UnreadableItemError(place=self.place, attribute=attribute, problem=problem)


@dataclass(frozen=True, slots=True)
class Write:
    """A pending write.

    Attributes:
        task_id: The task.
        task_path: Its path, empty if the table does not store it.
        idx: Its index among the writes of the task, as it is stored.
        channel: The channel.
        value: The value.
    """

    task_id: str
    task_path: str
    idx: int
    channel: str
    value: Any


def build_checkpoint(
    entry: CheckpointEntry, row: Row, checkpoint: Any, metadata: Any, writes: Iterable[Write]
) -> TupleWithPaths:
    """Build a checkpoint as LangGraph's own savers return it.

    Pending writes are sorted by task path, task id and index. Special channels have fixed indexes;
    the last value that a task wrote to one counts.

    Args:
        entry: Its ids.
        row: Its row, for error messages.
        checkpoint: The deserialized checkpoint.
        metadata: Its deserialized metadata.
        writes: Its pending writes, in any order.
    """
    by_index: dict[tuple[str, int], Write] = {}
    for write in sorted(writes, key=lambda write: write.idx):
        idx = WRITES_IDX_MAP.get(write.channel, write.idx)
        by_index[write.task_id, idx] = replace(write, idx=idx)
    ordered = sorted(
        by_index.values(),
        key=lambda write: writes_sort_key(write.task_path, write.task_id, write.idx),
    )
    found = CheckpointTuple(
        config=entry.config,
        checkpoint=cast("Checkpoint", require_mapping(checkpoint, row.place, "checkpoint")),
        metadata=cast("CheckpointMetadata", require_mapping(metadata, row.place, "metadata")),
        parent_config=entry.parent_config,
        pending_writes=[(write.task_id, write.channel, write.value) for write in ordered],
    )
    return TupleWithPaths(found, {write.task_id: write.task_path for write in reversed(ordered)})
