"""Attributes of items: typed values in, checked values out. The home of the SDK's serializer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeSerializer

from langgraph_checkpoint_dynamodb.errors import UnreadableItemError
from langgraph_checkpoint_dynamodb.format.bounds import LATEST, seconds
from langgraph_checkpoint_dynamodb.format.sizes import value_size
from langgraph_checkpoint_dynamodb.format.tables import SPECS, Attribute, Key, Table
from langgraph_checkpoint_dynamodb.payloads.descriptions import (
    describe,
    describe_group,
    is_group,
    read_description,
)
from langgraph_checkpoint_dynamodb.payloads.kinds import DamagedPayloadError, Inline

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    from langgraph_checkpoint_dynamodb.format.parts import Owner
    from langgraph_checkpoint_dynamodb.payloads.kinds import Chunks, Payload, S3Object
    from langgraph_checkpoint_dynamodb.payloads.policy import PayloadPolicy
    from langgraph_checkpoint_dynamodb.requests.items import Item, StoredItem

_serialize = TypeSerializer().serialize


def make_item(table: Table, key: Key, attributes: Mapping[str, Any]) -> Item:
    """An item of a table. Attributes that are `None` are left out."""
    spec = SPECS[table]
    return typed({spec.partition_key: key.partition, spec.sort_key: key.sort, **attributes})


def typed(attributes: Mapping[str, Any]) -> Item:
    """Attributes as an item holds them. Those that are `None` are left out."""
    return {name: _serialize(value) for name, value in attributes.items() if value is not None}


def as_numbers(vector: Sequence[float]) -> list[Any]:
    """32-bit numbers as DynamoDB takes them, in the fewest digits that tell them apart."""
    return [{"N": f"{number:.9g}"} for number in vector]


def described(item: StoredItem) -> Item:
    """Where the values of an item are that are stored outside it, to be said again elsewhere."""
    try:
        return typed(stored_as(outside(item, "an item")))
    except UnreadableItemError:
        return {}


def stored_as(payloads: Mapping[str, Payload]) -> dict[str, Any]:
    """The attributes that hold values, or say where they are."""
    attributes: dict[str, Any] = {}
    for name, stored in payloads.items():
        attributes[name] = stored.data if isinstance(stored, Inline) else None
        attributes[Attribute.payload(name)] = describe(stored)
    return attributes


def room_of(name: str, stored: Payload) -> int:
    """Bytes that a value takes in an item, with its attribute's name and its description."""
    size = len(name) + len(stored.data) if isinstance(stored, Inline) else 0
    description = describe(stored)
    if description is None:
        return size
    return size + described_size(Attribute.payload(name), description)


def described_size(name: str, description: Mapping[str, Any]) -> int:
    """Bytes that a description takes, with the name of its attribute."""
    return len(name) + value_size(_serialize(description))


def read_key(item: StoredItem, table: Table) -> Key:
    """The primary key of an item."""
    spec = SPECS[table]
    place = f"an item of the {table.value} table"
    return Key(text(item, spec.partition_key, place), text(item, spec.sort_key, place))


def outside(item: StoredItem, place: str) -> dict[str, Chunks | S3Object]:
    """Where those values of an item are that are stored outside it, by attribute.

    Of writes that are stored together, by attribute and place. Reads the descriptions alone, so the
    item may come without its values.

    Raises:
        UnreadableItemError: A description is damaged.
    """
    found = _described_alone(item, place)
    together = described_together(item, place)
    found |= {f"{Attribute.WRITES}[{idx}]": stored for idx, stored in together.items()}
    return {name: stored for name, stored in found.items() if not isinstance(stored, Inline)}


def restated(item: StoredItem, moved: Callable[[Payload], Payload], place: str) -> dict[str, Any]:
    """The attributes that say where an item's values are, with each of them moved.

    Raises:
        UnreadableItemError: A description is damaged.
    """
    own = {name: moved(at) for name, at in _described_alone(item, place).items()}
    attributes = stored_as({name: at for name, at in own.items() if not isinstance(at, Inline)})
    attributes |= {
        Attribute.payload(name): describe(at) for name, at in own.items() if isinstance(at, Inline)
    }
    together = described_together(item, place)
    if together:
        attributes[Attribute.payload(Attribute.VALUE)] = describe_group(
            {idx: moved(stored) for idx, stored in together.items()}
        )
    return attributes


def described_together(item: StoredItem, place: str) -> dict[str, Payload]:
    """The descriptions of writes that are stored together, by the text of their place.

    Raises:
        UnreadableItemError: One of them is damaged.
    """
    found = item.get(Attribute.payload(Attribute.VALUE))
    if found is None or not is_group(found):
        return {}
    return {
        idx: _described(description, b"", Attribute.VALUE, place)
        for idx, description in found["M"].items()
        if idx != "kind"
    }


def _described_alone(item: StoredItem, place: str) -> dict[str, Payload]:
    """The descriptions that an item has of its values, but for those of writes together."""
    return {
        name: described_at(item, name, place)
        for name in (Attribute.CHECKPOINT, Attribute.METADATA, Attribute.VALUE)
        if (found := item.get(Attribute.payload(name))) is not None and not is_group(found)
    }


def require_owned(policy: PayloadPolicy, owner: Owner, found: S3Object, kind: str) -> None:
    """Check that an S3 object is one that was stored for the item which leads to it.

    Raises:
        UnreadableItemError: It is not.
    """
    if not policy.owns(owner, found.address, found.bucket, found.key):
        raise UnreadableItemError(
            place=str(owner),
            attribute=Attribute.OBJECT_KEY,
            problem=f"leads to object {found.key!r} of bucket {found.bucket!r}, which is not one "
            f"of this {kind} in a bucket of s3_offload_config; if the bucket was yours before, "
            "add it to former_bucket_names",
        )


def outside_if_readable(item: StoredItem, place: str) -> tuple[Chunks | S3Object, ...]:
    """Where those values of an item are that are stored outside it, as far as it can be told."""
    try:
        return tuple(outside(item, place).values())
    except UnreadableItemError:
        return ()


def outside_bytes(item: StoredItem, place: str) -> int:
    """How many bytes of an item's values are stored outside it."""
    return sum(stored.size for stored in outside(item, place).values())


def payload(item: StoredItem, name: str, place: str) -> Payload:
    """Where the bytes of a value are, `name` being its attribute.

    Raises:
        UnreadableItemError: The attribute or its description is missing or damaged.
    """
    described = item.get(Attribute.payload(name))
    if described is None:
        return Inline(binary(item, name, place))
    data = binary(item, name, place) if name in item else None
    return _described(described, data, name, place)


def described_at(item: StoredItem, name: str, place: str) -> Payload:
    """What the description of a value says, of an item that came without the value.

    Raises:
        UnreadableItemError: The description is damaged.
    """
    return _described(item[Attribute.payload(name)], b"", name, place)


def _described(
    description: AttributeValueTypeDef, data: bytes | None, name: str, place: str
) -> Payload:
    problem = "is not a map (M)"
    if "M" in description:
        try:
            return read_description(description["M"], data)
        except DamagedPayloadError as error:
            problem = str(error)
    raise UnreadableItemError(place=place, attribute=Attribute.payload(name), problem=problem)


def optional_text(item: StoredItem, attribute: str, place: str) -> str | None:
    """The text of an attribute, `None` where it is missing or NULL, as older writers have it."""
    if item.get(attribute) in (None, {"NULL": True}):
        return None
    return text(item, attribute, place)


def text(item: StoredItem, attribute: str, place: str) -> str:
    """The text of an attribute.

    Raises:
        UnreadableItemError: It is missing or of another type.
    """
    match item.get(attribute):
        case {"S": str(found)}:
            return found
        case None:
            problem = "is missing"
        case _:
            problem = "is not text (S)"
    raise UnreadableItemError(place=place, attribute=attribute, problem=problem)


def binary(item: StoredItem, attribute: str, place: str) -> bytes:
    """The bytes of an attribute, or its text's, as a custom serde of the JavaScript port has it.

    Raises:
        UnreadableItemError: It is missing or of another type.
    """
    match item.get(attribute):
        case {"B": bytes(data)}:
            return data
        case {"S": str(found)}:
            return found.encode()
        case None:
            problem = "is missing"
        case _:
            problem = "is not binary (B)"
    raise UnreadableItemError(place=place, attribute=attribute, problem=problem)


def optional_number(item: StoredItem, attribute: str, place: str) -> int | None:
    """The time in an attribute without its fraction, `None` where it is missing or NULL.

    Raises:
        UnreadableItemError: It is of another type, or no time in seconds since the epoch.
    """
    if item.get(attribute) in (None, {"NULL": True}):
        return None
    problem = "is not a number (N)"
    match item.get(attribute):
        case {"N": str(found)}:
            time = seconds(found)
            if time is not None:
                return time
            problem = f"is not a number of seconds (N) from 0 to {LATEST}"
    raise UnreadableItemError(place=place, attribute=attribute, problem=problem)


def number_if_told(item: StoredItem, attribute: str) -> int | None:
    """The time in an attribute, `None` also where what it holds is none."""
    try:
        return optional_number(item, attribute, "an item")
    except UnreadableItemError:
        return None
