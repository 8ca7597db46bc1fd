"""Where the bytes of a value go, and how they come back.

A value (a checkpoint, its metadata, or what a task wrote) stays in its item while the item fits
into DynamoDB's 400 KB. Past that it goes to chunk items beside the checkpoint's pending writes; or,
over a threshold and where a bucket is configured, to one S3 object. It may be compressed first. The
item says which, in one description for each value; absent, the bytes are in the item as they are.
A value may also be the difference from an earlier one (`differences`): then the description says
from which, and the rest is the same.

What is written follows the settings of now; what is read follows the description alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from langgraph_checkpoint_dynamodb.errors import PayloadTooLargeError
from langgraph_checkpoint_dynamodb.format.bounds import (
    MOST_BYTES,
    most_chunks,
)
from langgraph_checkpoint_dynamodb.format.keys import BaseRef
from langgraph_checkpoint_dynamodb.format.parts import (
    PartAddress,
    content_digest,
    is_object_key,
    object_key,
)
from langgraph_checkpoint_dynamodb.format.sizes import (
    ITEM_LIMIT,
    item_size,
    require_fits,
    write_units,
)
from langgraph_checkpoint_dynamodb.payloads.compression import (
    Codec,
    DecompressionError,
    MissingCodecError,
    compress,
    decompress,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from langgraph_checkpoint_dynamodb.format.parts import Owner
    from langgraph_checkpoint_dynamodb.requests.items import Item

MAX_VALUE_BYTES = 64 * 1024 * 1024
"""Ceiling of one serialized value where nothing else is said."""
_CHUNK_ITEM_BYTES = 8192
"""Room for all of a chunk's item but its bytes and its namespace: two keys, the longest thread id
and checkpoint id once more, and the names of the attributes take under 6,500."""
_LEAST_TO_COMPRESS = 64
"""Fewer bytes than this do not become fewer by what the description takes."""
_DESCRIPTION_BYTES = 200
"""About what a description takes. Moving a smaller value out would make the item larger."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What bytes are the difference from.

    Attributes:
        base_id: Which base of the checkpoint's thread and namespace.
        digest: Digest of the base's bytes (`content_digest`).
        created: When the base was stored, in seconds since the epoch.
        spent: Kilobytes begun above the first that the differences from it have taken, this one
            included.
    """

    base_id: str
    digest: str
    created: int
    spent: int

    def base(self, thread_id: str, checkpoint_ns: str) -> BaseRef:
        """Which base, given whose value it is: a base is of one thread and namespace."""
        return BaseRef(thread_id, checkpoint_ns, self.base_id)


@dataclass(frozen=True, slots=True)
class Packed:
    """How bytes are compressed, how many they were, and what they are the difference from."""

    codec: str
    size: int
    origin: Origin | None = None


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
        incremental: Whether checkpoints are stored as differences from bases.
        whole_bytes: Largest item of a checkpoint that is stored whole all the same.
    """

    compression: Codec | None = None
    s3: S3Policy | None = None
    max_value_bytes: int = MAX_VALUE_BYTES
    inline_limit: int = ITEM_LIMIT
    chunk_bytes: int = 400_000
    incremental: bool = False
    whole_bytes: int = 0

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

    def leaves_alone(self, size: int, largest: int) -> bool:
        """Whether an item that may keep its values does so, as they are.

        Args:
            size: Bytes of the item.
            largest: Bytes of its largest value.
        """
        if self.compression is not None and write_units(size) > 1:
            return False
        return self.s3 is None or largest <= self.s3.threshold_bytes

    def owns(self, owner: Owner, address: PartAddress, bucket: str, key: str) -> bool:
        """Whether an S3 object is one that a saver like this has stored for a value.

        An item says what its writer likes. Whoever may write rows of one thread must not have the
        objects of another read or deleted with the rights of those who ask.
        """
        if self.s3 is None or bucket not in (self.s3.bucket, *self.s3.former_buckets):
            return False
        return is_object_key(key, owner, address)


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
        owner: What it belongs to.
        token: Of the call and the item alone.
        build: Makes the item for given payloads, by attribute.
        room: Bytes that a value takes in the item, given its attribute and its payload.
        limit: Largest item in bytes.
    """

    name: str
    owner: Owner
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
    """Find the place of each value of an item.

    Args:
        policy: How values are stored.
        values: Attribute name to the value's bytes.
        destination: Where they go.
        packed: Those of them that have been packed already.

    Raises:
        PayloadTooLargeError: A value is over the ceiling.
        ItemTooLargeError: The item is over DynamoDB's limit even without its values.
    """
    for name, data in values.items():
        require_allowed(policy, destination.name, name, len(data))
    given = {name: Inline(data) for name, data in values.items()} | dict(packed or {})
    payloads: dict[str, Payload] = {**given}
    item = destination.build(payloads)
    limit = min(policy.inline_limit, destination.limit)
    size = item_size(item)
    largest = max((len(stored.data) for stored in given.values()), default=0)
    if size <= limit and policy.leaves_alone(size, largest):
        return Placement(item, (), tuple(payloads.values()))
    room = _Room(size, payloads, destination)
    if policy.compression is not None:
        _compress(policy.compression, room)
    inline = {name: stored for name, stored in payloads.items() if isinstance(stored, Inline)}
    if policy.s3 is not None:
        for name, stored in inline.items():
            if len(stored.data) > policy.s3.threshold_bytes:
                room.replace(name, _in_s3(policy.s3, name, stored, destination))
    step = chunk_bytes(policy, destination.owner)
    for name in sorted(inline, key=lambda name: len(inline[name].data), reverse=True):
        if room.size <= limit or len(inline[name].data) <= _DESCRIPTION_BYTES:
            break
        if not isinstance(payloads[name], Inline):
            continue
        chunks = in_chunks(inline[name], destination.address(name, inline[name].data), step)
        _require_few_chunks(chunks, step, destination.name, name)
        room.replace(name, chunks)
    item = destination.build(payloads)
    require_fits(item, destination.name, destination.limit)
    parts = [
        part
        for name, payload in payloads.items()
        if not isinstance(payload, Inline)
        for part in cut(payload, inline[name].data, step)
    ]
    return Placement(item, tuple(parts), tuple(payloads.values()))


def require_allowed(policy: PayloadPolicy, place: str, attribute: str, size: int) -> None:
    """Refuse a value that is over the ceiling.

    Raises:
        PayloadTooLargeError: It is.
    """
    ceiling = min(policy.max_value_bytes, MOST_BYTES)
    if size > ceiling:
        raise PayloadTooLargeError(place=place, attribute=attribute, size=size, limit=ceiling)


class _Room:
    """How large an item is while its values are being placed.

    Args:
        size: Its size with the payloads as they are.
        payloads: Its values, by attribute. Those that are replaced are replaced in there.
        destination: What tells how much room each takes.
    """

    def __init__(self, size: int, payloads: dict[str, Payload], destination: Destination) -> None:
        self.size = size
        self.payloads = payloads
        self._taken = destination.room

    def replace(self, name: str, payload: Payload) -> None:
        """Place a value elsewhere, or otherwise."""
        self.size -= self.gain(name, payload)
        self.payloads[name] = payload

    def gain(self, name: str, payload: Payload) -> int:
        """By how many bytes the item would be smaller with this payload."""
        return self._taken(name, self.payloads[name]) - self._taken(name, payload)


def _require_few_chunks(payload: Payload, step: int, place: str, attribute: str) -> None:
    """Refuse what nobody reads: chunks without number, as a namespace of 400 KB would need them."""
    if isinstance(payload, Chunks) and payload.count > (most := most_chunks(payload.size)):
        raise PayloadTooLargeError(
            place=place, attribute=attribute, size=payload.size, limit=most * step
        )


def chunk_bytes(policy: PayloadPolicy, owner: Owner) -> int:
    """Bytes in a chunk of a value.

    Under a hashed key a chunk names its checkpoint in clear, and a namespace may be of any length.
    The same chunk must fit a thread with the longest id, so that it can be copied there.
    """
    return max(1, min(policy.chunk_bytes, roomy_limit(owner)))


def roomy_limit(owner: Owner) -> int:
    """Bytes of an item beside a checkpoint that fits any thread it is copied to."""
    return ITEM_LIMIT - _CHUNK_ITEM_BYTES - owner.shown_bytes


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


def restore(payload: Payload, stored: bytes, ceiling: int, base: bytes | None = None) -> bytes:
    """The bytes of a value as they were before they were stored.

    Args:
        payload: Its description.
        stored: The bytes that were stored for it.
        ceiling: Most bytes to unpack to.
        base: What they are the difference from, if they are one.

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
        return decompress(packed.codec, stored, packed.size, base)
    except (DecompressionError, MissingCodecError) as error:
        raise DamagedPayloadError(str(error)) from error


def stored_bytes(payload: Payload) -> int:
    """How many bytes are stored for a value, in its item or outside it."""
    return len(payload.data) if isinstance(payload, Inline) else payload.size


def origin_of(payload: Payload) -> Origin | None:
    """What a value is the difference from, `None` where it is stored whole."""
    return None if payload.packed is None else payload.packed.origin


class DamagedPayloadError(Exception):
    """A payload or its description is not as it was stored. The message says what is wrong."""


def _compress(codec: Codec, room: _Room) -> None:
    """Compress as few values as save the item all the write units that compressing can save."""
    if write_units(room.size) == 1:
        return
    packed: dict[str, Inline] = {}
    for name, payload in room.payloads.items():
        if not isinstance(payload, Inline) or payload.packed is not None:
            continue
        data = payload.data
        if len(data) > _LEAST_TO_COMPRESS:
            packed[name] = Inline(compress(codec, data), Packed(codec, len(data)))
    gains = {name: room.gain(name, payload) for name, payload in packed.items()}
    shrinking = sorted((name for name in gains if gains[name] > 0), key=lambda name: -gains[name])
    least = write_units(room.size - sum(gains[name] for name in shrinking))
    for name in shrinking:
        if write_units(room.size) == least:
            break
        room.replace(name, packed[name])


def _in_s3(s3: S3Policy, name: str, stored: Inline, destination: Destination) -> S3Object:
    address = destination.address(name, stored.data)
    key = object_key(s3.key_prefix, destination.owner, address)
    return S3Object(address, len(stored.data), s3.bucket, key, stored.packed)
