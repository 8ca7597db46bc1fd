"""The numbers that `stats` counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.format.keys import is_auxiliary_key
from langgraph_checkpoint_dynamodb.format.sizes import item_size, write_units
from langgraph_checkpoint_dynamodb.format.tables import Attribute, Table
from langgraph_checkpoint_dynamodb.items.attributes import read_key
from langgraph_checkpoint_dynamodb.items.payload_attributes import outside_if_readable
from langgraph_checkpoint_dynamodb.payloads.kinds import S3Object

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb.requests.items import StoredItem

_READ_UNIT_BYTES = 4096


@dataclass(slots=True)
class Counts:
    """Numbers for a thread, for a namespace of a store, or for all of a table.

    Attributes:
        values: Checkpoints, or values of a store or a cache.
        items: Items.
        size: Bytes of the items, as DynamoDB counts them.
        write_units: Write units that it takes to write each item once.
        objects: Values in S3.
        object_bytes: Bytes of the values in S3.
    """

    values: int = 0
    items: int = 0
    size: int = 0
    write_units: int = 0
    objects: int = 0
    object_bytes: int = 0

    @property
    def read_units(self) -> int:
        """Read units that it takes to read all items once, strongly consistent, by Query."""
        return -(-self.size // _READ_UNIT_BYTES)

    def add(self, table: Table, item: StoredItem) -> None:
        """Count an item."""
        size = item_size(item)
        self.items += 1
        self.size += size
        self.write_units += write_units(size)
        if table is Table.CHECKPOINTS:
            sort = read_key(item, table).sort
            self.values += not is_auxiliary_key(sort) and Attribute.DELETED not in item
        if table is Table.STORE:
            self.values += Attribute.VERSION in item
        for value in outside_if_readable(item, "an item"):
            if isinstance(value, S3Object):
                self.objects += 1
                self.object_bytes += value.size
