"""Rows of foreign tables, and the checkpoints that are made of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from langgraph.checkpoint.base import WRITES_IDX_MAP, CheckpointTuple, writes_sort_key

from langgraph_checkpoint_dynamodb.errors import UnreadableItemError
from langgraph_checkpoint_dynamodb.format.addressing import to_config
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
from langgraph_checkpoint_dynamodb.moving.source import Detailed
from langgraph_checkpoint_dynamodb.payloads.kinds import Inline

if TYPE_CHECKING:
    from collections.abc import Iterable

    from langgraph.checkpoint.base import Checkpoint, CheckpointMetadata
    from langgraph.checkpoint.serde.base import SerializerProtocol

    from langgraph_checkpoint_dynamodb.format.tables import Key
    from langgraph_checkpoint_dynamodb.moving.source import Place
    from langgraph_checkpoint_dynamodb.requests.items import StoredItem

KEY_NAMES = (SPECS[Table.FOREIGN].partition_key, SPECS[Table.FOREIGN].sort_key)


@dataclass(frozen=True, slots=True)
class Row:
    """An item of a foreign table. What is missing or damaged in it is told with its key.

    Attributes:
        item: The item.
        key: Its key.
        place: Which one it is, for messages.
    """

    item: StoredItem
    key: Key
    place: str

    @classmethod
    def of(cls, table_name: str, item: StoredItem) -> Row:
        """A row of a table."""
        key = read_key(item, Table.FOREIGN)
        return cls(item, key, f"row {key.partition!r}, {key.sort!r} of table {table_name!r}")

    def text(self, name: str) -> str:
        """The text of an attribute."""
        return text(self.item, name, self.place)

    def optional_text(self, name: str) -> str | None:
        """The text of an attribute, `None` where there is none or an empty one."""
        return optional_text(self.item, name, self.place) or None

    def binary(self, name: str) -> bytes:
        """The bytes of an attribute, or its text's."""
        return binary(self.item, name, self.place)

    def integer(self, name: str) -> int:
        """The whole number of an attribute."""
        found = self.item.get(name, {}).get("N")
        try:
            return int(found or "")
        except ValueError:
            raise self.damaged(name, "is no whole number (N)") from None

    def has_expired(self, ttl_attribute: str, now: float) -> bool:
        """Whether DynamoDB may have deleted it by now."""
        ttl = optional_number(self.item, ttl_attribute, self.place)
        return ttl is not None and ttl <= now

    def load(self, serde: SerializerProtocol, type_name: str, data: bytes, attribute: str) -> Any:
        """A value that was serialized, with the name of its type."""
        return load_value(serde, Serialized(type_name, Inline(data)), self.place, attribute)

    def damaged(self, attribute: str, problem: str) -> UnreadableItemError:
        """The error that says what is wrong with an attribute."""
        return UnreadableItemError(place=self.place, attribute=attribute, problem=problem)


@dataclass(frozen=True, slots=True)
class Write:
    """A pending write.

    Attributes:
        task_id: The task.
        task_path: Its path, empty where the table does not tell.
        idx: Its place among those of the task, as it is stored.
        channel: The channel.
        value: The value.
    """

    task_id: str
    task_path: str
    idx: int
    channel: str
    value: Any


def made_of(
    place: Place, row: Row, checkpoint: Any, metadata: Any, writes: Iterable[Write]
) -> Detailed:
    """A checkpoint as LangGraph's own savers return it, whatever the order of its rows.

    Pending writes come by task path, task and place as a number; special channels have their fixed
    places, where the last one of a task counts.

    Args:
        place: Where it is.
        row: Its row.
        checkpoint: What was loaded as the checkpoint.
        metadata: What was loaded as its metadata.
        writes: Its pending writes.
    """
    placed: dict[tuple[str, int], Write] = {}
    for write in sorted(writes, key=lambda write: write.idx):
        idx = WRITES_IDX_MAP.get(write.channel, write.idx)
        placed[write.task_id, idx] = replace(write, idx=idx)
    ordered = sorted(
        placed.values(), key=lambda one: writes_sort_key(one.task_path, one.task_id, one.idx)
    )
    parent = None
    if place.parent_id is not None:
        parent = to_config(place.thread_id, place.checkpoint_ns, place.parent_id)
    found = CheckpointTuple(
        config=place.config,
        checkpoint=cast("Checkpoint", require_mapping(checkpoint, row.place, "checkpoint")),
        metadata=cast("CheckpointMetadata", require_mapping(metadata, row.place, "metadata")),
        parent_config=parent,
        pending_writes=[(one.task_id, one.channel, one.value) for one in ordered],
    )
    return Detailed(found, {one.task_id: one.task_path for one in reversed(ordered)})
