"""The kinds of payload: where the bytes of a value are, and how they are packed.

A payload is in its item (`Inline`), in chunk items (`Chunks`) or in one S3 object (`S3Object`).
Each of them may be compressed, and may be the difference from a base (`Packed`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from langgraph_checkpoint_dynamodb.format.keys import BaseRef

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb.format.parts import PartAddress


class DamagedPayloadError(Exception):
    """A payload or its description is not as it was stored. The message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The base that a difference was made from.

    Attributes:
        base_id: Id of the base, in the checkpoint's thread and namespace.
        digest: Digest of the base's bytes (`content_digest`).
        created: When the base was stored, in seconds since the epoch.
        spent: Kilobytes that all differences from this base have taken so far, this one included.
            The first kilobyte of each does not count.
    """

    base_id: str
    digest: str
    created: int
    spent: int

    def base(self, thread_id: str, checkpoint_ns: str) -> BaseRef:
        """The reference to the base, given the checkpoint's thread and namespace."""
        return BaseRef(thread_id, checkpoint_ns, self.base_id)


@dataclass(frozen=True, slots=True)
class Packed:
    """How bytes are compressed.

    Attributes:
        codec: What they were compressed with.
        size: How many bytes they unpack to.
        origin: The base they are the difference from; `None` if they were compressed on their own.
    """

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
    """Bytes in chunk items of the owner's partition for parts."""

    address: PartAddress
    size: int
    count: int
    packed: Packed | None = None


@dataclass(frozen=True, slots=True)
class S3Object:
    """Bytes in one S3 object. A pointer item in the owner's partition for parts leads to it too."""

    address: PartAddress
    size: int
    bucket: str
    key: str
    packed: Packed | None = None


Payload: TypeAlias = Inline | Chunks | S3Object


def stored_bytes(payload: Payload) -> int:
    """How many bytes are stored for a value, in its item or outside it."""
    return len(payload.data) if isinstance(payload, Inline) else payload.size


def origin_of(payload: Payload) -> Origin | None:
    """The base that a value is a difference from, `None` if it is stored whole."""
    return None if payload.packed is None else payload.packed.origin
