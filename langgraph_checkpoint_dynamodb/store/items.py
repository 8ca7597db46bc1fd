"""Items of the store's table: values, and the parts of large values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.errors import UnreadableItemError
from langgraph_checkpoint_dynamodb.format.bounds import parse_whole_number
from langgraph_checkpoint_dynamodb.format.expiry import GRACE_SECONDS
from langgraph_checkpoint_dynamodb.format.parts import chunk_sort_key, object_sort_key
from langgraph_checkpoint_dynamodb.format.tables import Attribute, Key, Table
from langgraph_checkpoint_dynamodb.items.attributes import (
    make_item,
    optional_number,
    read_key,
    text,
    typed,
)
from langgraph_checkpoint_dynamodb.items.payload_attributes import (
    payload_attributes,
    payload_room,
    read_payload,
)
from langgraph_checkpoint_dynamodb.items.values import ItemPlan, Serialized
from langgraph_checkpoint_dynamodb.payloads.kinds import Chunks, Inline, S3Object
from langgraph_checkpoint_dynamodb.payloads.placement import Destination, Part, place_values
from langgraph_checkpoint_dynamodb.requests.items import Expected, Put, Update
from langgraph_checkpoint_dynamodb.store.codec import dump, load
from langgraph_checkpoint_dynamodb.store.keys import (
    ItemRef,
    holds_items,
    root_label,
    split_path,
)
from langgraph_checkpoint_dynamodb.store.vectors import vector_keys, vectors_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from langgraph.checkpoint.serde.base import SerializerProtocol

    from langgraph_checkpoint_dynamodb.payloads.kinds import Payload
    from langgraph_checkpoint_dynamodb.requests.items import Item, StoredItem
    from langgraph_checkpoint_dynamodb.store.context import Context
    from langgraph_checkpoint_dynamodb.store.keys import Holder

_MILLION = 1_000_000
_LAST_DAY = 253_402_300_799 * _MILLION
"""The end of the year 9999, in microseconds since the epoch."""
_MOST_COPIED = 4096
"""Maximum bytes of copied fields; if they are larger, none is copied."""
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True, slots=True)
class ItemRecord:
    """A stored item.

    Attributes:
        ref: Its namespace and key.
        value: Its value, serialized.
        apart: Whether leaves of the value are stored apart (see `codec`).
        stored: When it was stored, in microseconds since the epoch.
        version: Token of the call that stored it.
        ttl: When it expires, in seconds since the epoch; `None` for never.
        minutes: Its time to live in minutes, from the last use; `None` if it never expires.
        copied: The copied fields, if its value is stored outside the item.
        vectors: The number of its vectors.
    """

    ref: ItemRef
    value: Serialized
    apart: bool
    stored: int
    version: str
    ttl: int | None
    minutes: float | None
    copied: Serialized | None
    vectors: int = 0

    @property
    def moment(self) -> datetime:
        """When it was stored, in UTC."""
        return _EPOCH + timedelta(microseconds=self.stored)

    def expired(self, moment: float) -> bool:
        """Whether it has expired at `moment`, in seconds since the epoch."""
        return self.ttl is not None and self.ttl <= moment

    def decoded(self, serde: SerializerProtocol, data: bytes) -> dict[str, Any]:
        """Its value, deserialized from `data`."""
        return load(serde, self.value.type, data, apart=self.apart, place=str(self.ref))

    def fields(self, serde: SerializerProtocol) -> dict[str, Any] | None:
        """Its copied fields by name, `None` for a field it lacks; `None` if none were copied."""
        if self.copied is None:
            return None
        found = load(serde, self.copied.type, self.copied.data, apart=False, place=str(self.ref))
        known = found.get("names"), found.get("fields")
        if not isinstance(known[0], list) or not isinstance(known[1], dict):
            raise UnreadableItemError(
                place=str(self.ref), attribute=Attribute.COPIED, problem="holds no fields"
            )
        return {**dict.fromkeys(known[0]), **known[1]}

    def refreshed_ttl(self, moment: float) -> int | None:
        """When it expires if it is used at `moment`; `None` if that is no later than before."""
        if self.ttl is None or self.minutes is None:
            return None
        ttl = expiry(moment, self.minutes)
        return ttl if ttl > self.ttl else None

    def ttl_update(self, ttl: int) -> Update:
        """The update of its expiry. Its condition fails if the item was replaced or deleted."""
        same = Expected(Attribute.VERSION, ({"S": self.version},), missing=False)
        return Update(Table.STORE, self.ref.primary, typed({Attribute.TTL: ttl}), expected=same)


def expiry(moment: float, minutes: float) -> int:
    """When an item expires that is used at `moment`: rounded up to a whole second."""
    return math.ceil(moment + minutes * 60)


def plan_item(
    context: Context,
    ref: ItemRef,
    value: Mapping[str, Any],
    minutes: float | None,
    vectors: int = 0,
) -> ItemPlan:
    """Serialize an item.

    Args:
        context: Settings and time of the call.
        ref: Its namespace and key.
        value: Its value.
        minutes: Its time to live in minutes, from the last use; `None` if it never expires.
        vectors: The number of its vectors.

    Raises:
        PayloadTooLargeError: The value is over `max_value_bytes`.
    """
    tag, data, apart = dump(context.serde, value, str(ref))
    attributes = {
        Attribute.TYPE: tag,
        Attribute.APART: apart or None,
        Attribute.STORED: int(context.moment * _MILLION),
        Attribute.VERSION: context.stamp.token,
        Attribute.VECTORS: vectors or None,
        Attribute.TTL: None if minutes is None else expiry(context.moment, minutes),
        Attribute.MINUTES: None if minutes is None else Decimal(repr(float(minutes))),
    }
    copied = partial(_copied, context, value)

    def build(payloads: Mapping[str, Payload]) -> Item:
        inline = isinstance(payloads[Attribute.VALUE], Inline)
        beside = {} if inline else copied()
        return make_item(
            Table.STORE, ref.primary, {**attributes, **payload_attributes(payloads), **beside}
        )

    destination = Destination(str(ref), ref, context.stamp.token, build, payload_room)
    placed = place_values(context.payloads, {Attribute.VALUE: data}, destination)
    return ItemPlan(Put(Table.STORE, ref.primary, placed.item), placed.parts, placed.payloads)


def _copied(context: Context, value: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes that copy the fields of `filter_paths` into the item."""
    if not context.filter_paths:
        return {}
    fields = {name: value[name] for name in context.filter_paths if name in value}
    copied = {"names": list(context.filter_paths), "fields": fields}
    tag, data, apart = dump(context.serde, copied, "the declared fields")
    if apart or len(data) > _MOST_COPIED:
        return {}
    return {Attribute.COPIED: data, Attribute.COPIED_TYPE: tag}


def read_item(item: StoredItem, spread: int) -> ItemRecord | None:
    """Parse an item; `None` if it is a part, a vector or of the registry.

    Raises:
        UnreadableItemError: It is damaged.
    """
    key = read_key(item, Table.STORE)
    found = split_path(key.sort)
    if found is None or not holds_items(key.partition, spread):
        return None
    labels, name = found
    ref = ItemRef((root_label(key.partition), *labels), name, spread)
    place = str(ref)
    copied = None
    if Attribute.COPIED in item:
        tag = text(item, Attribute.COPIED_TYPE, place)
        copied = Serialized(tag, read_payload(item, Attribute.COPIED, place))
    return ItemRecord(
        ref=ref,
        value=Serialized(
            text(item, Attribute.TYPE, place), read_payload(item, Attribute.VALUE, place)
        ),
        apart=Attribute.APART in item,
        stored=_micros(item, place),
        version=text(item, Attribute.VERSION, place),
        ttl=optional_number(item, Attribute.TTL, place),
        minutes=_minutes(item, place),
        copied=copied,
        vectors=vectors_of(item, place),
    )


def part_put(ref: Holder, part: Part, created: int, ttl: int | None) -> Put:
    """The request that stores a chunk, or the item that refers to an S3 object.

    An item that refers to an object does not expire: the sweep finds the object by it.
    """
    found = part.payload
    attributes: dict[str, Any] = {
        Attribute.ITEM_ROOT: ref.root,
        Attribute.ITEM_PATH: ref.path,
        Attribute.CREATED: created,
    }
    if isinstance(found, S3Object):
        sort = object_sort_key(found.address)
        attributes |= {Attribute.BUCKET: found.bucket, Attribute.OBJECT_KEY: found.key}
    else:
        sort = chunk_sort_key(found.address, part.number)
        attributes |= {Attribute.CHUNK: part.data, Attribute.TTL: ttl}
    key = Key(ref.parts, sort)
    return Put(Table.STORE, key, make_item(Table.STORE, key, attributes))


def parts_ttl(ttl: int) -> int:
    """When the chunks and vectors of an item expire: well after it, even if reads refresh it."""
    return ttl + GRACE_SECONDS


def keys_beside(record: ItemRecord) -> list[Key]:
    """Primary keys of the chunks and vectors of an item, which expire with it."""
    found = record.value.payload
    chunks = part_keys(record.ref, found) if isinstance(found, Chunks) else []
    return chunks + vector_keys(record.ref, record.version, record.vectors)


def part_keys(ref: Holder, found: Payload) -> list[Key]:
    """Primary keys of the part items of a value."""
    match found:
        case Inline():
            return []
        case S3Object(address):
            return [Key(ref.parts, object_sort_key(address))]
    return [Key(ref.parts, chunk_sort_key(found.address, number)) for number in range(found.count)]


def _micros(item: StoredItem, place: str) -> int:
    match item.get(Attribute.STORED):
        case {"N": str(found)} if (micros := parse_whole_number(found, _LAST_DAY)) is not None:
            return micros
    raise UnreadableItemError(
        place=place, attribute=Attribute.STORED, problem="is no time in microseconds (N)"
    )


def _minutes(item: StoredItem, place: str) -> float | None:
    match item.get(Attribute.MINUTES):
        case None:
            return None
        case {"N": str(found)} if len(found) < 100 and float(found) > 0:
            return float(found)
    raise UnreadableItemError(
        place=place, attribute=Attribute.MINUTES, problem="is no number of minutes (N)"
    )
