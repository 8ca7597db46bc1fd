"""Cache entries as items of the table."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.errors import UnreadableItemError
from langgraph_checkpoint_dynamodb.format.bounds import parse_seconds
from langgraph_checkpoint_dynamodb.format.tables import Attribute, Table
from langgraph_checkpoint_dynamodb.items.attributes import make_item, read_key, text
from langgraph_checkpoint_dynamodb.items.payload_attributes import (
    payload_attributes,
    payload_room,
    read_payload,
)
from langgraph_checkpoint_dynamodb.items.values import ItemPlan, Serialized
from langgraph_checkpoint_dynamodb.payloads.placement import Destination, place_values
from langgraph_checkpoint_dynamodb.requests.items import Put
from langgraph_checkpoint_dynamodb.store.cache_keys import EntryRef, entry_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from langgraph_checkpoint_dynamodb.payloads.kinds import Payload
    from langgraph_checkpoint_dynamodb.requests.items import Item, StoredItem
    from langgraph_checkpoint_dynamodb.store.context import Context

_MICROSECONDS = 6
"""Decimal places of `expires` that are stored."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A stored entry.

    Attributes:
        ref: Digests of its namespace and key.
        value: Its value, serialized.
        version: Token of the call that stored it.
        expires: When it expires, in seconds since the epoch; `None` for never.
    """

    ref: EntryRef
    value: Serialized
    version: str
    expires: float | None

    def is_live(self, moment: float) -> bool:
        """Whether a read at `moment` (seconds since the epoch) returns it."""
        return self.expires is None or moment < self.expires


@dataclass(frozen=True, slots=True)
class EntryPut:
    """An entry to be stored.

    Attributes:
        ref: Digests of its namespace and key.
        planned: Its item and the parts of its value.
        ttl: When DynamoDB may delete it, in seconds since the epoch; `None` for never.
    """

    ref: EntryRef
    planned: ItemPlan
    ttl: int | None


def plan_entry(context: Context, ref: EntryRef, value: object, life: float | None) -> EntryPut:
    """Serialize an entry.

    Args:
        context: Settings and time of the call.
        ref: Digests of its namespace and key.
        value: Its value.
        life: Its time to live in seconds; `None` if it never expires.

    Raises:
        PayloadTooLargeError: The value is over `max_value_bytes`.
    """
    tag, data = context.serde.dumps_typed(value)
    expires = None if life is None else round(context.moment + life, _MICROSECONDS)
    ttl = None if expires is None else math.ceil(expires)
    attributes = {
        Attribute.TYPE: tag,
        Attribute.VERSION: context.stamp.token,
        Attribute.EXPIRES: None if expires is None else Decimal(repr(expires)),
        Attribute.TTL: ttl,
    }

    def build(payloads: Mapping[str, Payload]) -> Item:
        return make_item(Table.STORE, ref.primary, {**attributes, **payload_attributes(payloads)})

    destination = Destination(str(ref), ref, context.stamp.token, build, payload_room)
    placed = place_values(context.payloads, {Attribute.VALUE: bytes(data)}, destination)
    put = Put(Table.STORE, ref.primary, placed.item)
    return EntryPut(ref, ItemPlan(put, placed.parts, placed.payloads), ttl)


def read_entry(item: StoredItem) -> Entry:
    """Parse the item of an entry.

    Raises:
        UnreadableItemError: It is damaged.
    """
    key = read_key(item, Table.STORE)
    ref = entry_of(key.partition, key.sort)
    if ref is None:
        raise UnreadableItemError(
            place=f"an item of partition {key.partition!r}",
            attribute=Attribute.PATH,
            problem="is of no cache entry",
        )
    place = str(ref)
    return Entry(
        ref=ref,
        value=Serialized(
            text(item, Attribute.TYPE, place), read_payload(item, Attribute.VALUE, place)
        ),
        version=text(item, Attribute.VERSION, place),
        expires=_expires(item, place),
    )


def _expires(item: StoredItem, place: str) -> float | None:
    match item.get(Attribute.EXPIRES):
        case None:
            return None
        case {"N": str(found)} if parse_seconds(found) is not None:
            return float(found)
    raise UnreadableItemError(
        place=place, attribute=Attribute.EXPIRES, problem="is no time in seconds (N)"
    )
