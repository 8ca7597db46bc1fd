"""Descriptions of values: the map in an item that says where a value is and how it is packed.

Descriptions are a public format: those written today are read by every later version, and a version
refuses one that it does not know.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.format.bounds import (
    MAX_CHUNKS,
    MAX_EPOCH_SECONDS,
    MAX_STORED_BYTES,
    MAX_UNPACKED_BYTES,
    max_chunks,
    parse_whole_number,
)
from langgraph_checkpoint_dynamodb.format.keys import is_base_id
from langgraph_checkpoint_dynamodb.format.parts import PartAddress
from langgraph_checkpoint_dynamodb.payloads.kinds import (
    Chunks,
    DamagedPayloadError,
    Inline,
    Origin,
    Packed,
    S3Object,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    from langgraph_checkpoint_dynamodb.payloads.kinds import Payload


_DIFFERENCE = "difference"
"""The `kind` of a difference. Releases that do not know it refuse the item."""
_FIELDS_OLD_RELEASES_REQUIRE: dict[str, str | int] = {"digest": "", "stamp": "", "size": 0}
"""Fields that those releases read before the kind. An inline difference does not need them, but
without them the old releases would report damage instead of asking for an upgrade."""
_GROUP = "writes"
"""The `kind` of the descriptions of several values in one item. Releases that do not know it refuse
the item, so they never sweep the parts that these descriptions lead to."""


def describe(payload: Payload) -> dict[str, str | int] | None:
    """The description for the item; `None` for unpacked bytes in the item itself."""
    description: dict[str, str | int]
    match payload:
        case Inline(packed=None):
            return None
        case Inline():
            description = {"kind": "inline"}
        case Chunks(address, size, count):
            description = {"kind": "chunks", **address._asdict(), "size": size, "count": count}
        case S3Object(address, size, bucket, key):
            place = {"bucket": bucket, "key": key}
            description = {"kind": "s3", **address._asdict(), "size": size, **place}
    if payload.packed is not None:
        description |= {"codec": payload.packed.codec, "raw_size": payload.packed.size}
        origin = payload.packed.origin
        if origin is not None:
            description |= {"kind": _DIFFERENCE, "place": description["kind"]}
            description = {**_FIELDS_OLD_RELEASES_REQUIRE, **description}
            description |= {
                "base_id": origin.base_id,
                "base_digest": origin.digest,
                "base_created": origin.created,
                "base_spent": origin.spent,
            }
    return description


def describe_group(payloads: Mapping[str, Payload]) -> dict[str, Any] | None:
    """The descriptions of several values of one item, by name; `None` if no value needs one."""
    described = {name: describe(payload) for name, payload in payloads.items()}
    needed = {name: found for name, found in described.items() if found is not None}
    return {"kind": _GROUP, **needed} if needed else None


def is_group(description: Mapping[str, Any]) -> bool:
    """Whether a typed description was made by `describe_group`."""
    match description:
        case {"M": {"kind": {"S": kind}}}:
            return bool(kind == _GROUP)
    return False


def read_description(
    description: Mapping[str, AttributeValueTypeDef], data: bytes | None
) -> Payload:
    """The payload that a description stands for.

    Sizes and counts are bounded, so a forged description cannot cause endless reads.

    Args:
        description: The fields of the description, as typed attribute values.
        data: The bytes in the item, if it has any.

    Raises:
        DamagedPayloadError: It is not one that `describe` makes.
    """
    field = _Fields(description)
    packed = None
    if "codec" in description or "raw_size" in description:
        packed = Packed(field.text("codec"), field.number("raw_size", MAX_UNPACKED_BYTES))
    kind = field.text("kind")
    if kind == _DIFFERENCE and packed is not None:
        packed = replace(packed, origin=_read_origin(field))
        kind = field.text("place")
    if kind == "inline":
        if data is None:
            raise DamagedPayloadError("says the bytes are in the item, and there are none")
        return Inline(data, packed)
    address = PartAddress(field.text("digest"), field.text("stamp"))
    size = field.number("size", MAX_STORED_BYTES)
    if kind == "chunks":
        count = field.number("count", MAX_CHUNKS)
        if not 1 <= count <= max_chunks(size):
            raise DamagedPayloadError(f"says that {size} bytes are in {count} chunks")
        return Chunks(address, size, count, packed)
    if kind == "s3":
        return S3Object(address, size, field.text("bucket"), field.text("key"), packed)
    raise DamagedPayloadError("names a kind of storage that this version does not know; upgrade")


def _read_origin(field: _Fields) -> Origin:
    base_id = field.text("base_id")
    if not is_base_id(base_id):
        raise DamagedPayloadError("names a base id that is not 16 hex characters")
    return Origin(
        base_id,
        field.text("base_digest"),
        field.number("base_created", MAX_EPOCH_SECONDS),
        field.number("base_spent", MAX_STORED_BYTES),
    )


class _Fields:
    """The fields of a description, checked as they are read."""

    def __init__(self, description: Mapping[str, AttributeValueTypeDef]) -> None:
        self._description = description

    def text(self, name: str) -> str:
        match self._description.get(name):
            case {"S": str(value)}:
                return value
        raise DamagedPayloadError(f"lacks the text {name!r}")

    def number(self, name: str, most: int) -> int:
        match self._description.get(name):
            case {"N": str(value)} if (number := parse_whole_number(value, most)) is not None:
                return number
        raise DamagedPayloadError(f"lacks the number {name!r}, whole and from 0 to {most}")
