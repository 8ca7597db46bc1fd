"""Attributes that hold values or describe where they are: payloads to attributes and back.

The payloads of a checkpoint, of its metadata and of a single write have an attribute each. A group
of writes has one attribute with the payloads of all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.errors import UnreadableItemError
from langgraph_checkpoint_dynamodb.format.sizes import value_size
from langgraph_checkpoint_dynamodb.format.tables import Attribute
from langgraph_checkpoint_dynamodb.items.attributes import binary, serialize, typed
from langgraph_checkpoint_dynamodb.payloads.descriptions import (
    describe,
    describe_group,
    is_group,
    read_description,
)
from langgraph_checkpoint_dynamodb.payloads.kinds import DamagedPayloadError, Inline

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    from langgraph_checkpoint_dynamodb.format.parts import PartOwner
    from langgraph_checkpoint_dynamodb.payloads.kinds import Chunks, Payload, S3Object
    from langgraph_checkpoint_dynamodb.payloads.policy import PayloadPolicy
    from langgraph_checkpoint_dynamodb.requests.items import Item, StoredItem


def description_attributes(item: StoredItem) -> Item:
    """The descriptions of an item's values outside it; none if one of them is damaged."""
    try:
        return typed(payload_attributes(outside(item, "an item")))
    except UnreadableItemError:
        return {}


def payload_attributes(payloads: Mapping[str, Payload]) -> dict[str, Any]:
    """The attributes that hold values or describe where they are.

    Args:
        payloads: The payloads, by the name of their attribute.
    """
    attributes: dict[str, Any] = {}
    for name, payload in payloads.items():
        attributes[name] = payload.data if isinstance(payload, Inline) else None
        attributes[Attribute.payload(name)] = describe(payload)
    return attributes


def payload_room(name: str, payload: Payload) -> int:
    """Bytes that a value takes in its item, with its attribute's name and its description."""
    size = len(name) + len(payload.data) if isinstance(payload, Inline) else 0
    description = describe(payload)
    if description is None:
        return size
    return size + description_size(Attribute.payload(name), description)


def description_size(name: str, description: Mapping[str, Any]) -> int:
    """Bytes that a description takes, with the name of its attribute."""
    return len(name) + value_size(serialize(description))


def outside(item: StoredItem, place: str) -> dict[str, Chunks | S3Object]:
    """The payloads of an item that are stored outside it, by attribute.

    For a group of writes, by attribute and place. Only descriptions are read, so the item may come
    without its values.

    Raises:
        UnreadableItemError: A description is damaged.
    """
    found = _read_single(item, place)
    group = read_group(item, place)
    found |= {f"{Attribute.WRITES}[{idx}]": payload for idx, payload in group.items()}
    return {name: payload for name, payload in found.items() if not isinstance(payload, Inline)}


def moved_payload_attributes(
    item: StoredItem, move: Callable[[Payload], Payload], place: str
) -> dict[str, Any]:
    """The attributes that describe where an item's values are after a move.

    Args:
        item: The item.
        move: The payload of a value after the move, from the one before.
        place: Which item, for messages.

    Raises:
        UnreadableItemError: A description is damaged.
    """
    attributes: dict[str, Any] = {}
    for name, payload in _read_single(item, place).items():
        moved = move(payload)
        # An inline value keeps its bytes, which are not read here.
        attributes |= (
            {Attribute.payload(name): describe(moved)}
            if isinstance(moved, Inline)
            else payload_attributes({name: moved})
        )
    group = read_group(item, place)
    if group:
        attributes[Attribute.payload(Attribute.VALUE)] = describe_group(
            {idx: move(payload) for idx, payload in group.items()}
        )
    return attributes


def read_group(item: StoredItem, place: str) -> dict[str, Payload]:
    """The payloads in the description of a group of writes, by the text of their place.

    Raises:
        UnreadableItemError: A description is damaged.
    """
    found = item.get(Attribute.payload(Attribute.VALUE))
    if found is None or not is_group(found):
        return {}
    return {
        idx: _read(description, b"", Attribute.VALUE, place)
        for idx, description in found["M"].items()
        if idx != "kind"
    }


def _read_single(item: StoredItem, place: str) -> dict[str, Payload]:
    """The payloads that an item describes one by one, by attribute."""
    return {
        name: read_described(item, name, place)
        for name in (Attribute.CHECKPOINT, Attribute.METADATA, Attribute.VALUE)
        if (found := item.get(Attribute.payload(name))) is not None and not is_group(found)
    }


def require_owned(policy: PayloadPolicy, owner: PartOwner, found: S3Object, kind: str) -> None:
    """Check that an S3 object was stored for the item that leads to it.

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
    """The payloads of an item outside it; none if a description is damaged."""
    try:
        return tuple(outside(item, place).values())
    except UnreadableItemError:
        return ()


def outside_bytes(item: StoredItem, place: str) -> int:
    """How many bytes of an item's values are stored outside it."""
    return sum(stored.size for stored in outside(item, place).values())


def read_payload(item: StoredItem, name: str, place: str) -> Payload:
    """The payload of a value.

    Args:
        item: The item.
        name: The value's attribute.
        place: Which item, for messages.

    Raises:
        UnreadableItemError: The attribute or its description is missing or damaged.
    """
    described = item.get(Attribute.payload(name))
    if described is None:
        return Inline(binary(item, name, place))
    data = binary(item, name, place) if name in item else None
    return _read(described, data, name, place)


def read_described(item: StoredItem, name: str, place: str) -> Payload:
    """The payload that an item describes, without the bytes: the item may come without its values.

    Raises:
        UnreadableItemError: The description is damaged.
    """
    return _read(item[Attribute.payload(name)], b"", name, place)


def _read(description: AttributeValueTypeDef, data: bytes | None, name: str, place: str) -> Payload:
    problem = "is not a map (M)"
    if "M" in description:
        try:
            return read_description(description["M"], data)
        except DamagedPayloadError as error:
            problem = str(error)
    raise UnreadableItemError(place=place, attribute=Attribute.payload(name), problem=problem)
