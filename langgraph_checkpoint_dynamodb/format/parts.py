"""Keys of the parts of large values, in the writes table and in S3. `keys` explains them."""

from __future__ import annotations

from hashlib import blake2b
from typing import NamedTuple, Protocol
from urllib.parse import quote, unquote

from langgraph_checkpoint_dynamodb.format.key_text import SEPARATOR, digest_of

_CONTENT_DIGEST_BYTES = 32

_THREAD_IN_OBJECT_KEY = 255


class PartOwner(Protocol):
    """What parts belong to: a checkpoint, a base, or an item of a store or a cache."""

    @property
    def key_names(self) -> tuple[str, ...]:
        """Texts that together identify it. The first is readable in the keys of S3 objects."""

    @property
    def chunk_overhead_bytes(self) -> int:
        """Bytes of unbounded length that each of its chunk items holds to name it."""


class PartAddress(NamedTuple):
    """Where the parts of a value are.

    Attributes:
        digest: Digest of the stored bytes (`content_digest`).
        stamp: Unique to the call and the value that stored them.
    """

    digest: str
    stamp: str

    def __str__(self) -> str:
        return f"{self.digest}/{self.stamp}"


def content_digest(data: bytes) -> str:
    """Digest of a value's bytes, in 64 hex characters."""
    return blake2b(data, digest_size=_CONTENT_DIGEST_BYTES).hexdigest()


def chunk_sort_key(address: PartAddress, number: int) -> str:
    """Sort key of a chunk of a value. Chunks of a value sort by their number."""
    return f"chunk/{address}/{number:06}"


def object_sort_key(address: PartAddress) -> str:
    """Sort key of the pointer to a value's S3 object."""
    return f"object/{address}"


def part_address_of(sort_key: str) -> PartAddress | None:
    """The address of the value that a part belongs to, `None` for any other sort key."""
    match sort_key.split("/"):
        case ["chunk", digest, stamp, number] if number.isdecimal() and SEPARATOR not in sort_key:
            return PartAddress(digest, stamp)
        case ["object", digest, stamp] if SEPARATOR not in sort_key:
            return PartAddress(digest, stamp)
    return None


def chunk_number_of(sort_key: str) -> int:
    """The number of a chunk, from its sort key."""
    return int(sort_key.rpartition("/")[2])


def object_key(prefix: str, owner: PartOwner, address: PartAddress) -> str:
    """Key of a value's S3 object."""
    names = owner.key_names
    thread = quote(names[0], safe="").replace(".", "%2E")[:_THREAD_IN_OBJECT_KEY]
    return f"{prefix}{thread}/{digest_of(names)}/{address.digest}-{address.stamp}"


def thread_of_object(key: str) -> str | None:
    """The thread of an S3 object; `None` if its key holds only the beginning of the id."""
    *_, thread, _, _ = ("", "", *key.split("/"))
    return unquote(thread) if len(thread) < _THREAD_IN_OBJECT_KEY else None


def is_object_key(key: str, owner: PartOwner, address: PartAddress) -> bool:
    """Whether `object_key` returns this key for a value, with any prefix."""
    ours = object_key("", owner, address)
    return key == ours or key.endswith(f"/{ours}")


def copied_address(address: PartAddress, token: str) -> PartAddress:
    """The address of a copy of a value's parts, given the token of the call that copies."""
    return PartAddress(address.digest, digest_of((address.stamp, token)))


def copied_object_key(
    key: str, source: PartOwner, target: PartOwner, address: PartAddress, token: str
) -> str | None:
    """Key of the copy of an S3 object, with the same prefix; `None` if it is not the source's.

    Args:
        key: The object's key.
        source: The owner of the object.
        target: The owner of the copy.
        address: The address of the value's parts in the source.
        token: Token of the call that copies.
    """
    if not is_object_key(key, source, address):
        return None
    prefix = key[: len(key) - len(object_key("", source, address))]
    return object_key(prefix, target, copied_address(address, token))
