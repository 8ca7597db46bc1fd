"""The description of a value: what its item says of where its bytes are, and how they are packed.

What is written here is a public format: descriptions written today are read by every later version,
and one that a version does not know is refused.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.format.bounds import (
    LATEST,
    MOST_BYTES,
    MOST_CHUNKS,
    MOST_UNPACKED,
    most_chunks,
    whole,
)
from langgraph_checkpoint_dynamodb.format.keys import is_base_id
from langgraph_checkpoint_dynamodb.format.parts import PartAddress
from langgraph_checkpoint_dynamodb.payloads.policy import (
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

    from langgraph_checkpoint_dynamodb.payloads.policy import Payload


_DIFFERENCE = "difference"
"""Kind of the description of a difference. Releases that do not know it refuse the item."""
_READ_BEFORE_THE_KIND: dict[str, str | int] = {"digest": "", "stamp": "", "size": 0}
"""What these releases read first, and a difference in the item itself has no use for: without them
they would speak of damage, and not of an upgrade."""
_TOGETHER = "writes"
"""Kind of the descriptions of several values of one item. Releases that do not know it refuse the
item, so none of them takes parts for leftovers that these descriptions lead to."""


def describe(payload: Payload) -> dict[str, str | int] | None:
    """The description that the item carries; `None` for bytes in the item as they are."""
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
            description = {**_READ_BEFORE_THE_KIND, **description}
            description |= {
                "base_id": origin.base_id,
                "base_digest": origin.digest,
                "base_created": origin.created,
                "base_spent": origin.spent,
            }
    return description


def describe_together(payloads: Mapping[str, Payload]) -> dict[str, Any] | None:
    """The descriptions of several values of one item, by name; `None` where none needs one."""
    described = {name: describe(payload) for name, payload in payloads.items()}
    found = {name: one for name, one in described.items() if one is not None}
    return {"kind": _TOGETHER, **found} if found else None


def are_together(description: Mapping[str, Any]) -> bool:
    """Whether a typed description is one of `describe_together`."""
    match description:
        case {"M": {"kind": {"S": kind}}}:
            return bool(kind == _TOGETHER)
    return False


def read_description(
    description: Mapping[str, AttributeValueTypeDef], data: bytes | None
) -> Payload:
    """The payload that a description tells of.

    It is taken within the bounds of what is ever stored, so whoever goes by it ends.

    Args:
        description: What the item says, field by field, with the types DynamoDB gives them.
        data: The bytes in the item, where it has any.

    Raises:
        DamagedPayloadError: It is not one that `describe` makes.
    """
    field = _Fields(description)
    packed = None
    if "codec" in description or "raw_size" in description:
        packed = Packed(field.text("codec"), field.number("raw_size", MOST_UNPACKED))
    kind = field.text("kind")
    if kind == _DIFFERENCE and packed is not None:
        packed = replace(packed, origin=_read_origin(field))
        kind = field.text("place")
    if kind == "inline":
        if data is None:
            raise DamagedPayloadError("says the bytes are in the item, and there are none")
        return Inline(data, packed)
    address = PartAddress(field.text("digest"), field.text("stamp"))
    size = field.number("size", MOST_BYTES)
    if kind == "chunks":
        count = field.number("count", MOST_CHUNKS)
        if not 1 <= count <= most_chunks(size):
            raise DamagedPayloadError(f"says that {size} bytes are in {count} chunks")
        return Chunks(address, size, count, packed)
    if kind == "s3":
        return S3Object(address, size, field.text("bucket"), field.text("key"), packed)
    raise DamagedPayloadError("names a kind of storage that this version does not know; upgrade")


def _read_origin(field: _Fields) -> Origin:
    base_id = field.text("base_id")
    if not is_base_id(base_id):
        raise DamagedPayloadError("names no base that there can be")
    return Origin(
        base_id,
        field.text("base_digest"),
        field.number("base_created", LATEST),
        field.number("base_spent", MOST_BYTES),
    )


class _Fields:
    def __init__(self, description: Mapping[str, AttributeValueTypeDef]) -> None:
        self._description = description

    def text(self, name: str) -> str:
        match self._description.get(name):
            case {"S": str(value)}:
                return value
        raise DamagedPayloadError(f"lacks the text {name!r}")

    def number(self, name: str, most: int) -> int:
        match self._description.get(name):
            case {"N": str(value)} if (number := whole(value, most)) is not None:
                return number
        raise DamagedPayloadError(f"lacks the number {name!r}, whole and from 0 to {most}")
