"""Keys of the parts of large values, in the writes table and in S3. `keys` says why they are so."""

from __future__ import annotations

from hashlib import blake2b
from typing import NamedTuple, Protocol
from urllib.parse import quote, unquote

from langgraph_checkpoint_dynamodb.format.texts import SEPARATOR, digest_of

_CONTENT_DIGEST_BYTES = 32

_THREAD_IN_OBJECT_KEY = 255


class Owner(Protocol):
    """Whose values lie outside their items: a checkpoint, a base, or an item of a store."""

    @property
    def names(self) -> tuple[str, ...]:
        """What it is, in texts that together are of nothing else; the first is shown in keys."""

    @property
    def shown_bytes(self) -> int:
        """Bytes that each of its chunks shows of it, beside the keys and names of fixed length."""


class PartAddress(NamedTuple):
    """Where the parts of a value are.

    Attributes:
        digest: Digest of the stored bytes (`content_digest`).
        stamp: Of the one call and value that stored them.
    """

    digest: str
    stamp: str

    def __str__(self) -> str:
        return f"{self.digest}/{self.stamp}"


def content_digest(data: bytes) -> str:
    """Digest of a value's bytes, in 64 hex characters."""
    return blake2b(data, digest_size=_CONTENT_DIGEST_BYTES).hexdigest()


def chunk_sort_key(address: PartAddress, number: int) -> str:
    """Sort key of a piece of a value. The keys of a value's pieces are in the order of pieces."""
    return f"chunk/{address}/{number:06}"


def object_sort_key(address: PartAddress) -> str:
    """Sort key of the item that says where a value's S3 object is."""
    return f"object/{address}"


def part_address_of(sort_key: str) -> PartAddress | None:
    """Which value a part belongs to, `None` for the key of something else."""
    match sort_key.split("/"):
        case ["chunk", digest, stamp, number] if number.isdecimal() and SEPARATOR not in sort_key:
            return PartAddress(digest, stamp)
        case ["object", digest, stamp] if SEPARATOR not in sort_key:
            return PartAddress(digest, stamp)
    return None


def chunk_number_of(sort_key: str) -> int:
    """Which piece of its value a chunk is, from its sort key."""
    return int(sort_key.rpartition("/")[2])


def object_key(prefix: str, owner: Owner, address: PartAddress) -> str:
    """Key of a value's S3 object."""
    names = owner.names
    shown = quote(names[0], safe="").replace(".", "%2E")[:_THREAD_IN_OBJECT_KEY]
    return f"{prefix}{shown}/{digest_of(names)}/{address.digest}-{address.stamp}"


def thread_of_object(key: str) -> str | None:
    """The thread that an S3 object is of; `None` if its key does not hold it whole."""
    *_, thread, _, _ = ("", "", *key.split("/"))
    return unquote(thread) if len(thread) < _THREAD_IN_OBJECT_KEY else None


def is_object_key(key: str, owner: Owner, address: PartAddress) -> bool:
    """Whether a key is one that `object_key` makes for a value, below any prefix."""
    ours = object_key("", owner, address)
    return key == ours or key.endswith(f"/{ours}")


def copied_address(address: PartAddress, token: str) -> PartAddress:
    """Where the copy of a value's parts goes that is made by the call of that token."""
    return PartAddress(address.digest, digest_of((address.stamp, token)))


def copied_object_key(
    key: str, source: Owner, target: Owner, address: PartAddress, token: str
) -> str | None:
    """Key of the copy of an S3 object, below the same prefix; `None` for a key of something else.

    Args:
        key: The object's key.
        source: What it belongs to.
        target: What the copy belongs to.
        address: Where the value's parts are, beside the source.
        token: Of the call that copies.
    """
    if not is_object_key(key, source, address):
        return None
    prefix = key[: len(key) - len(object_key("", source, address))]
    return object_key(prefix, target, copied_address(address, token))
