"""Where the bytes of a value go, and how they come back.

A value (a checkpoint, its metadata, or what a task wrote) stays in its item while the item fits
into DynamoDB's 400 KB. Past that it goes to chunk items beside the checkpoint's pending writes; or,
over a threshold and where a bucket is configured, to one S3 object. It may be compressed first. The
item says which, in one description for each value; absent, the bytes are in the item as they are.

What is written follows the settings of now; what is read follows the description alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from langgraph_checkpoint_dynamodb.bounds import (
    MOST_BYTES,
    MOST_CHUNKS,
    MOST_UNPACKED,
    most_chunks,
    whole,
)
from langgraph_checkpoint_dynamodb.compression import (
    Codec,
    DecompressionError,
    MissingCodecError,
    compress,
    decompress,
)
from langgraph_checkpoint_dynamodb.errors import PayloadTooLargeError
from langgraph_checkpoint_dynamodb.keys import (
    PartAddress,
    content_digest,
    is_object_key,
    object_key,
)
from langgraph_checkpoint_dynamodb.sizes import ITEM_LIMIT, item_size, require_fits, write_units

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    from langgraph_checkpoint_dynamodb.effects import Item
    from langgraph_checkpoint_dynamodb.keys import CheckpointRef

MAX_VALUE_BYTES = 64 * 1024 * 1024
"""Ceiling of one serialized value where nothing else is said."""
_CHUNK_ITEM_BYTES = 8192
"""Room for all of a chunk's item but its bytes and its namespace: two keys, the longest thread id
and checkpoint id once more, and the names of the attributes take under 6,500."""
_DESCRIPTION_BYTES = 200
"""About what a description takes. Moving a smaller value out would make the item larger."""


@dataclass(frozen=True, slots=True)
class Packed:
    """How bytes are compressed, and how many they were."""

    codec: str
    size: int


@dataclass(frozen=True, slots=True)
class Inline:
    """Bytes in the item itself."""

    data: bytes
    packed: Packed | None = None


@dataclass(frozen=True, slots=True)
class Chunks:
    """Bytes in chunk items of the checkpoint's writes partition."""

    address: PartAddress
    size: int
    count: int
    packed: Packed | None = None


@dataclass(frozen=True, slots=True)
class S3Object:
    """Bytes in one S3 object, to which an item in the writes partition leads too."""

    address: PartAddress
    size: int
    bucket: str
    key: str
    packed: Packed | None = None


Payload: TypeAlias = Inline | Chunks | S3Object


@dataclass(frozen=True, slots=True)
class S3Policy:
    """Which values go to S3, and where to.

    Attributes:
        bucket: Name of the bucket.
        key_prefix: What every key begins with; empty, or ending with a slash.
        threshold_bytes: Values of more bytes, compressed, go to S3.
        former_buckets: Where values went before, and may be read and deleted.
    """

    bucket: str
    key_prefix: str
    threshold_bytes: int
    former_buckets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PayloadPolicy:
    """How values are stored.

    Attributes:
        compression: What to compress with, where it saves capacity; `None` for not at all.
        s3: Where large values go; `None` for chunk items.
        max_value_bytes: Larger values are refused, counted before compression.
        inline_limit: Largest item in bytes that keeps its values.
        chunk_bytes: Bytes in a chunk. 400,000 leave room for the longest key, and two chunks make
            a page of a Query.
    """

    compression: Codec | None = None
    s3: S3Policy | None = None
    max_value_bytes: int = MAX_VALUE_BYTES
    inline_limit: int = ITEM_LIMIT
    chunk_bytes: int = 400_000

    @property
    def readable_bytes(self) -> int:
        """Ceiling of a value outside its item that is read, or unpacked.

        A ceiling that was lowered still reads what was stored where nothing had been said.
        """
        return max(self.max_value_bytes, MAX_VALUE_BYTES)

    def effort(self, size: int) -> int:
        """How many bytes are worked on to place so many: none of those left as they are."""
        limit = self.inline_limit
        if self.s3 is not None:
            limit = min(limit, self.s3.threshold_bytes)
        return 0 if self.compression is None and size <= limit else size

    def owns(self, ref: CheckpointRef, address: PartAddress, bucket: str, key: str) -> bool:
        """Whether an S3 object is one that a saver like this has stored for a value.

        An item says what its writer likes. Whoever may write rows of one thread must not have the
        objects of another read or deleted with the rights of those who ask.
        """
        if self.s3 is None or bucket not in (self.s3.bucket, *self.s3.former_buckets):
            return False
        return is_object_key(key, ref, address)


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes that are stored outside the item they belong to.

    Attributes:
        payload: The value they belong to.
        number: Which piece of it, from 0.
        data: The bytes.
    """

    payload: Chunks | S3Object
    number: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Placement:
    """An item, what is stored outside it, and where its values are."""

    item: Item
    parts: tuple[Part, ...]
    payloads: tuple[Payload, ...]


@dataclass(frozen=True, slots=True)
class Destination:
    """What values are being placed in.

    Attributes:
        name: What is being stored, for messages.
        ref: The checkpoint it belongs to.
        token: Of the call and the item alone.
        build: Makes the item for given payloads, by attribute.
    """

    name: str
    ref: CheckpointRef
    token: str
    build: Callable[[Mapping[str, Payload]], Item]

    def address(self, attribute: str, data: bytes) -> PartAddress:
        """Where the parts of an attribute's value go."""
        return PartAddress(content_digest(data), f"{self.token}-{attribute}")


def place_values(
    policy: PayloadPolicy, values: Mapping[str, bytes], destination: Destination
) -> Placement:
    """Find the place of each value of an item.

    Args:
        policy: How values are stored.
        values: Attribute name to the value's bytes.
        destination: Where they go.

    Raises:
        PayloadTooLargeError: A value is over the ceiling.
        ItemTooLargeError: The item is over DynamoDB's limit even without its values.
    """
    ceiling = min(policy.max_value_bytes, MOST_BYTES)
    for name, data in values.items():
        if len(data) > ceiling:
            raise PayloadTooLargeError(
                place=destination.name, attribute=name, size=len(data), limit=ceiling
            )
    step = chunk_bytes(policy, destination.ref)
    inline = {name: Inline(data) for name, data in values.items()}
    if policy.compression is not None:
        inline = _compressed(policy.compression, inline, destination)
    payloads: dict[str, Payload] = {**inline}
    if policy.s3 is not None:
        for name, stored in inline.items():
            if len(stored.data) > policy.s3.threshold_bytes:
                payloads[name] = _in_s3(policy.s3, name, stored, destination)
    item = destination.build(payloads)
    while item_size(item) > policy.inline_limit and (largest := _largest_inline(payloads)):
        address = destination.address(largest, inline[largest].data)
        payloads[largest] = in_chunks(inline[largest], address, step)
        _require_few_chunks(payloads[largest], step, destination.name, largest)
        item = destination.build(payloads)
    require_fits(item, destination.name)
    parts = [
        part
        for name, payload in payloads.items()
        if not isinstance(payload, Inline)
        for part in cut(payload, inline[name].data, step)
    ]
    return Placement(item, tuple(parts), tuple(payloads.values()))


def _require_few_chunks(payload: Payload, step: int, place: str, attribute: str) -> None:
    """Refuse what nobody reads: chunks without number, as a namespace of 400 KB would need them."""
    if isinstance(payload, Chunks) and payload.count > (most := most_chunks(payload.size)):
        raise PayloadTooLargeError(
            place=place, attribute=attribute, size=payload.size, limit=most * step
        )


def chunk_bytes(policy: PayloadPolicy, ref: CheckpointRef) -> int:
    """Bytes in a chunk beside a checkpoint.

    Under a hashed key a chunk names its checkpoint in clear, and a namespace may be of any length.
    The same chunk must fit a thread with the longest id, so that it can be copied there.
    """
    room = ITEM_LIMIT - _CHUNK_ITEM_BYTES - len(ref.checkpoint_ns.encode())
    return max(1, min(policy.chunk_bytes, room))


def in_chunks(stored: Inline, address: PartAddress, step: int) -> Chunks:
    """The payload of bytes that leave their item for chunks of that size."""
    size = len(stored.data)
    return Chunks(address, size, -(-size // step), stored.packed)


def cut(payload: Chunks | S3Object, data: bytes, step: int) -> Iterator[Part]:
    """The parts of a value that is stored outside its item."""
    if isinstance(payload, S3Object):
        yield Part(payload, 0, data)
        return
    for number, start in enumerate(range(0, len(data), step)):
        yield Part(payload, number, data[start : start + step])


def restore(payload: Payload, stored: bytes, ceiling: int) -> bytes:
    """The bytes of a value as they were before they were stored.

    Args:
        payload: Its description.
        stored: The bytes that were stored for it.
        ceiling: Most bytes to unpack to.

    Raises:
        DamagedPayloadError: They are not those that were stored.
    """
    if not isinstance(payload, Inline) and (
        len(stored) != payload.size or content_digest(stored) != payload.address.digest
    ):
        raise DamagedPayloadError("was stored outside the item and has been altered there")
    packed = payload.packed
    if packed is None:
        return stored
    if packed.size > ceiling:
        raise DamagedPayloadError(
            f"says it unpacks to {packed.size} bytes, over the ceiling of {ceiling}; "
            "if that is right, raise max_value_bytes"
        )
    try:
        return decompress(packed.codec, stored, packed.size)
    except (DecompressionError, MissingCodecError) as error:
        raise DamagedPayloadError(str(error)) from error


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
    return description


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


class DamagedPayloadError(Exception):
    """A payload or its description is not as it was stored. The message says what is wrong."""


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


def _compressed(
    codec: Codec, values: Mapping[str, Inline], destination: Destination
) -> dict[str, Inline]:
    """The values, each compressed where that saves the item a write unit."""
    chosen = dict(values)
    units = write_units(item_size(destination.build(chosen)))
    for name, value in values.items():
        if units == 1:
            break
        packed = Inline(compress(codec, value.data), Packed(codec, len(value.data)))
        candidate = {**chosen, name: packed}
        smaller = write_units(item_size(destination.build(candidate)))
        if smaller < units:
            chosen, units = candidate, smaller
    return chosen


def _largest_inline(payloads: Mapping[str, Payload]) -> str | None:
    """The largest value in the item, of those larger than the description that would replace it."""
    sizes = {
        name: len(payload.data)
        for name, payload in payloads.items()
        if isinstance(payload, Inline) and len(payload.data) > _DESCRIPTION_BYTES
    }
    return max(sizes, key=sizes.__getitem__, default=None)


def _in_s3(s3: S3Policy, name: str, stored: Inline, destination: Destination) -> S3Object:
    address = destination.address(name, stored.data)
    key = object_key(s3.key_prefix, destination.ref, address)
    return S3Object(address, len(stored.data), s3.bucket, key, stored.packed)
