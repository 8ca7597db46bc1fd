"""Items of a checkpoint's partition in the writes table.

These are its pending writes (`writes`), the chunks of its values and of theirs, pointers to S3
objects, and the mark of a delete.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.format.expiry import Stamp, is_live
from langgraph_checkpoint_dynamodb.format.parts import (
    chunk_sort_key,
    object_sort_key,
    part_address_of,
)
from langgraph_checkpoint_dynamodb.format.tables import Attribute, Key, Table
from langgraph_checkpoint_dynamodb.format.write_keys import MARK_SORT_KEY
from langgraph_checkpoint_dynamodb.items.attributes import (
    binary,
    make_item,
    optional_number,
    read_key,
    text,
)
from langgraph_checkpoint_dynamodb.items.writes import read_writes
from langgraph_checkpoint_dynamodb.items.writes_owner import owner_attributes
from langgraph_checkpoint_dynamodb.payloads.kinds import Inline, S3Object
from langgraph_checkpoint_dynamodb.requests.items import Put

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb.format.keys import CheckpointRef
    from langgraph_checkpoint_dynamodb.items.writes import WriteRecord
    from langgraph_checkpoint_dynamodb.payloads.kinds import Payload
    from langgraph_checkpoint_dynamodb.payloads.placement import Part
    from langgraph_checkpoint_dynamodb.requests.items import StoredItem

WRITE_REFERENCES = (
    Attribute.WRITES_PARTITION,
    Attribute.TASK_ID_IDX,
    Attribute.BUCKET,
    Attribute.OBJECT_KEY,
    Attribute.CREATED,
    Attribute.THREAD_ID,
    Attribute.CHECKPOINT_ID,
    Attribute.CHECKPOINT_NS,
    Attribute.payload(Attribute.VALUE),
)
"""Attributes with the owner of an item of the writes table, its age, and what it refers to."""


@dataclass(frozen=True, slots=True)
class ChunkRecord:
    """A chunk of a value."""

    key: Key
    data: bytes
    ttl: int | None


@dataclass(frozen=True, slots=True)
class StoredObject:
    """A pointer item, which says where a value's S3 object is.

    Attributes:
        key: Primary key of the item.
        bucket: The object's bucket.
        object_key: The object's key.
    """

    key: Key
    bucket: str
    object_key: str


@dataclass(frozen=True, slots=True)
class DeletionMark:
    """The writes of the checkpoint were deleted or replaced less than `GRACE_SECONDS` ago."""


def mark_put(ref: CheckpointRef, now: int) -> Put:
    """The request that marks a partition before its writes are deleted or replaced.

    A reader takes at most `GRACE_SECONDS` from the checkpoint to its writes, so the mark lives that
    long.
    """
    key = Key(ref.writes_partition, MARK_SORT_KEY)
    attributes = owner_attributes(ref, Stamp("", now, expires_at=now))
    marked = make_item(Table.WRITES, key, {**attributes, Attribute.DELETED: True})
    return Put(Table.WRITES, key, marked)


def expired_put(ref: CheckpointRef, sort_key: str, now: int) -> Put:
    """The request that replaces an item with an empty, expired one."""
    key = Key(ref.writes_partition, sort_key)
    attributes = {**owner_attributes(ref, Stamp("", now)), Attribute.TTL: now}
    return Put(Table.WRITES, key, make_item(Table.WRITES, key, attributes))


def is_mark(item: StoredItem) -> bool:
    """Whether an item of the writes table is the mark of a delete."""
    return read_key(item, Table.WRITES).sort == MARK_SORT_KEY


def part_put(ref: CheckpointRef, part: Part, stamp: Stamp) -> Put:
    """The request that stores a chunk, or the pointer to an S3 object."""
    payload = part.payload
    attributes: dict[str, Any]
    if isinstance(payload, S3Object):
        sort = object_sort_key(payload.address)
        attributes = {Attribute.BUCKET: payload.bucket, Attribute.OBJECT_KEY: payload.key}
    else:
        sort = chunk_sort_key(payload.address, part.number)
        attributes = {Attribute.CHUNK: part.data}
    key = Key(ref.writes_partition, sort)
    return Put(
        Table.WRITES, key, make_item(Table.WRITES, key, attributes | owner_attributes(ref, stamp))
    )


def part_keys(ref: CheckpointRef, payload: Payload) -> list[Key]:
    """Primary keys of the items that hold a value's parts."""
    match payload:
        case Inline():
            return []
        case S3Object(address):
            return [Key(ref.writes_partition, object_sort_key(address))]
    return [
        Key(ref.writes_partition, chunk_sort_key(payload.address, number))
        for number in range(payload.count)
    ]


def read_partition_item(
    item: StoredItem, ref: CheckpointRef, now: int
) -> tuple[WriteRecord, ...] | ChunkRecord | DeletionMark:
    """Read an item of a checkpoint's writes partition.

    Args:
        item: The item.
        ref: The checkpoint.
        now: The time, in seconds since the epoch.

    Returns:
        The writes, the chunk or the mark in it. An empty tuple if it has expired or is of another
        kind.

    Raises:
        UnreadableItemError: An attribute is missing or of the wrong type.
    """
    key = read_key(item, Table.WRITES)
    place = f"item {key.sort!r} of {ref}"
    ttl = optional_number(item, Attribute.TTL, place)
    if not is_live(ttl, now):
        return ()
    if key.sort == MARK_SORT_KEY:
        return DeletionMark()
    if part_address_of(key.sort) is not None and Attribute.CHUNK in item:
        return ChunkRecord(key, binary(item, Attribute.CHUNK, place), ttl)
    return read_writes(item, ref, ttl)


def read_stored_object(item: StoredItem) -> StoredObject | None:
    """The S3 object that an item of the writes table points to, `None` if it points to none.

    Raises:
        UnreadableItemError: An attribute is missing or of the wrong type.
    """
    key = read_key(item, Table.WRITES)
    if Attribute.OBJECT_KEY not in item and Attribute.BUCKET not in item:
        return None
    place = f"item {key.sort!r} of partition {key.partition!r} in the writes table"
    return StoredObject(
        key, text(item, Attribute.BUCKET, place), text(item, Attribute.OBJECT_KEY, place)
    )
