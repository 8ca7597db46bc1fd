"""Which values of an item stay in it, and which are moved out, compressed, or both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.errors import PayloadTooLargeError
from langgraph_checkpoint_dynamodb.format.bounds import MAX_STORED_BYTES, max_chunks
from langgraph_checkpoint_dynamodb.format.parts import PartAddress, content_digest, object_key
from langgraph_checkpoint_dynamodb.format.sizes import (
    ITEM_LIMIT,
    item_size,
    require_item_fits,
    write_units,
)
from langgraph_checkpoint_dynamodb.payloads.compression import Codec, compress
from langgraph_checkpoint_dynamodb.payloads.kinds import Chunks, Inline, Packed, Payload, S3Object

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from langgraph_checkpoint_dynamodb.format.parts import PartOwner
    from langgraph_checkpoint_dynamodb.payloads.policy import PayloadPolicy, S3Policy
    from langgraph_checkpoint_dynamodb.requests.items import Item

_CHUNK_ITEM_BYTES = 8192
"""Room in a chunk item for all but its bytes and its namespace. Two keys, the longest thread id and
checkpoint id again, and the attribute names take under 6,500."""
_MIN_BYTES_TO_COMPRESS = 64
"""Compressing fewer bytes saves less than the description takes."""
_DESCRIPTION_BYTES = 200
"""About what a description takes. Moving a smaller value out would make the item larger."""


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes that are stored outside the item they belong to.

    Attributes:
        payload: The value they belong to.
        number: Position of this part in the value, from 0.
        data: The bytes.
    """

    payload: Chunks | S3Object
    number: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Placement:
    """An item, the parts that are stored outside it, and the payloads of its values."""

    item: Item
    parts: tuple[Part, ...]
    payloads: tuple[Payload, ...]


@dataclass(frozen=True, slots=True)
class Destination:
    """The item that values are placed in.

    Attributes:
        name: What is being stored, for messages.
        owner: The owner of the item's parts.
        token: Unique to the call and the item.
        build: Makes the item from its payloads, by attribute.
        room: Bytes that a value takes in the item, given its attribute and its payload.
        limit: Largest item in bytes.
    """

    name: str
    owner: PartOwner
    token: str
    build: Callable[[Mapping[str, Payload]], Item]
    room: Callable[[str, Payload], int]
    limit: int = ITEM_LIMIT

    def address(self, attribute: str, data: bytes) -> PartAddress:
        """Where the parts of an attribute's value go."""
        return PartAddress(content_digest(data), f"{self.token}-{attribute}")


def place_values(
    policy: PayloadPolicy,
    values: Mapping[str, bytes],
    destination: Destination,
    packed: Mapping[str, Inline] | None = None,
) -> Placement:
    """Decide for each value of an item where it is stored and how.

    Args:
        policy: How values are stored.
        values: Attribute name to the value's bytes.
        destination: The item they are placed in.
        packed: Those of the values that have been packed already.

    Raises:
        PayloadTooLargeError: A value is over the ceiling.
        ItemTooLargeError: The item is over DynamoDB's limit even without its values.
    """
    for name, data in values.items():
        require_value_size(policy, destination.name, name, len(data))
    given = {name: Inline(data) for name, data in values.items()} | dict(packed or {})
    payloads: dict[str, Payload] = {**given}
    item = destination.build(payloads)
    size = item_size(item)
    largest = max((len(payload.data) for payload in given.values()), default=0)
    if size <= min(policy.inline_limit, destination.limit) and policy.keeps_values(size, largest):
        return Placement(item, (), tuple(payloads.values()))
    placed = _ItemInProgress(size, payloads, destination)
    if policy.compression is not None:
        _compress(policy.compression, placed)
    inline = {name: payload for name, payload in payloads.items() if isinstance(payload, Inline)}
    if policy.s3 is not None:
        _move_to_s3(policy.s3, placed, inline)
    _move_to_chunks(policy, placed, inline)
    item = destination.build(payloads)
    require_item_fits(item, destination.name, destination.limit)
    step = chunk_bytes(policy, destination.owner)
    parts = [
        part
        for name, payload in payloads.items()
        if not isinstance(payload, Inline)
        for part in split_into_parts(payload, inline[name].data, step)
    ]
    return Placement(item, tuple(parts), tuple(payloads.values()))


def require_value_size(policy: PayloadPolicy, place: str, attribute: str, size: int) -> None:
    """Refuse a value that is over the ceiling.

    Raises:
        PayloadTooLargeError: It is.
    """
    ceiling = min(policy.max_value_bytes, MAX_STORED_BYTES)
    if size > ceiling:
        raise PayloadTooLargeError(place=place, attribute=attribute, size=size, limit=ceiling)


class _ItemInProgress:
    """An item whose values are being placed, and its size so far.

    Args:
        size: Its size in bytes with the payloads as they are.
        payloads: Its payloads, by attribute. `replace` changes this mapping.
        destination: The item's destination.
    """

    def __init__(self, size: int, payloads: dict[str, Payload], destination: Destination) -> None:
        self.size = size
        self.payloads = payloads
        self.destination = destination

    def replace(self, name: str, payload: Payload) -> None:
        """Give a value another payload."""
        self.size -= self.gain(name, payload)
        self.payloads[name] = payload

    def gain(self, name: str, payload: Payload) -> int:
        """By how many bytes the item would be smaller with this payload."""
        room = self.destination.room
        return room(name, self.payloads[name]) - room(name, payload)


def _compress(codec: Codec, placed: _ItemInProgress) -> None:
    """Compress as few values as save the item all the write units that compressing can save."""
    if write_units(placed.size) == 1:
        return
    packed: dict[str, Inline] = {}
    for name, payload in placed.payloads.items():
        if not isinstance(payload, Inline) or payload.packed is not None:
            continue
        data = payload.data
        if len(data) > _MIN_BYTES_TO_COMPRESS:
            packed[name] = Inline(compress(codec, data), Packed(codec, len(data)))
    gains = {name: placed.gain(name, payload) for name, payload in packed.items()}
    shrinking = sorted((name for name in gains if gains[name] > 0), key=lambda name: -gains[name])
    least = write_units(placed.size - sum(gains[name] for name in shrinking))
    for name in shrinking:
        if write_units(placed.size) == least:
            break
        placed.replace(name, packed[name])


def _move_to_s3(s3: S3Policy, placed: _ItemInProgress, inline: Mapping[str, Inline]) -> None:
    """Move the values over the threshold to S3."""
    destination = placed.destination
    for name, payload in inline.items():
        size = len(payload.data)
        if size <= s3.threshold_bytes:
            continue
        address = destination.address(name, payload.data)
        key = object_key(s3.key_prefix, destination.owner, address)
        placed.replace(name, S3Object(address, size, s3.bucket, key, payload.packed))


def _move_to_chunks(
    policy: PayloadPolicy, placed: _ItemInProgress, inline: Mapping[str, Inline]
) -> None:
    """Move values to chunks, the largest first, until the item is within its limit."""
    destination = placed.destination
    limit = min(policy.inline_limit, destination.limit)
    step = chunk_bytes(policy, destination.owner)
    for name in sorted(inline, key=lambda name: len(inline[name].data), reverse=True):
        data = inline[name].data
        if placed.size <= limit or len(data) <= _DESCRIPTION_BYTES:
            break
        if not isinstance(placed.payloads[name], Inline):
            continue
        chunks = in_chunks(inline[name], destination.address(name, data), step)
        _require_chunk_count(chunks, step, destination.name, name)
        placed.replace(name, chunks)


def _require_chunk_count(chunks: Chunks, step: int, place: str, attribute: str) -> None:
    """Refuse more chunks than readers accept. A namespace of 400 KB would need that many."""
    if chunks.count > (most := max_chunks(chunks.size)):
        raise PayloadTooLargeError(
            place=place, attribute=attribute, size=chunks.size, limit=most * step
        )


def chunk_bytes(policy: PayloadPolicy, owner: PartOwner) -> int:
    """Bytes in a chunk of a value.

    Under a hashed key a chunk item holds the owner's namespace, which may be of any length. Each
    chunk must also fit a thread with the longest id, so that it can be copied there.
    """
    return max(1, min(policy.chunk_bytes, copyable_item_limit(owner)))


def copyable_item_limit(owner: PartOwner) -> int:
    """Largest item of the writes table that can be copied to any other thread, in bytes."""
    return ITEM_LIMIT - _CHUNK_ITEM_BYTES - owner.chunk_overhead_bytes


def in_chunks(inline: Inline, address: PartAddress, step: int) -> Chunks:
    """The payload of bytes that are moved from their item to chunks of `step` bytes."""
    size = len(inline.data)
    return Chunks(address, size, -(-size // step), inline.packed)


def split_into_parts(payload: Chunks | S3Object, data: bytes, step: int) -> Iterator[Part]:
    """The parts of a value outside its item: one S3 object, or chunks of `step` bytes."""
    if isinstance(payload, S3Object):
        yield Part(payload, 0, data)
        return
    for number, start in enumerate(range(0, len(data), step)):
        yield Part(payload, number, data[start : start + step])
