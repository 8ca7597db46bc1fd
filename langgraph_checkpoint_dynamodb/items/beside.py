"""Items of the writes table: what lies beside a checkpoint, in one partition.

Its pending writes (`writes`), the chunks of its values and theirs, and the items that lead to S3
objects.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.format.keys import MARK_SORT_KEY, CheckpointRef
from langgraph_checkpoint_dynamodb.format.life import Stamp, is_live
from langgraph_checkpoint_dynamodb.format.parts import (
    chunk_sort_key,
    object_sort_key,
    part_address_of,
)
from langgraph_checkpoint_dynamodb.format.tables import Attribute, Key, Table
from langgraph_checkpoint_dynamodb.items.attributes import (
    binary,
    make_item,
    optional_number,
    read_key,
    text,
)
from langgraph_checkpoint_dynamodb.items.owner import of_checkpoint
from langgraph_checkpoint_dynamodb.items.writes import read_writes
from langgraph_checkpoint_dynamodb.payloads.kinds import Inline, S3Object
from langgraph_checkpoint_dynamodb.requests.items import Put

if TYPE_CHECKING:
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
"""Attributes that tell whose an item of the writes table is, how old, and what it refers to."""


@dataclass(frozen=True, slots=True)
class ChunkRecord:
    """A piece of a value."""

    key: Key
    data: bytes
    ttl: int | None


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An item that says where a value's S3 object is.

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
    """Says that what lay beside a checkpoint was deleted or replaced not long ago."""


def mark_put(ref: CheckpointRef, now: int) -> Put:
    """The request that marks a partition whose writes are about to be deleted or replaced.

    No reader takes longer than `MARGIN` from the checkpoint to its writes, so the mark lasts as
    long.
    """
    key = Key(ref.writes_partition, MARK_SORT_KEY)
    attributes = of_checkpoint(ref, Stamp("", now, expires_at=now))
    marked = make_item(Table.WRITES, key, {**attributes, Attribute.DELETED: True})
    return Put(Table.WRITES, key, marked)


def gone_put(ref: CheckpointRef, sort_key: str, now: int) -> Put:
    """The request that leaves nothing of an item that counts: it has expired."""
    key = Key(ref.writes_partition, sort_key)
    attributes = {**of_checkpoint(ref, Stamp("", now)), Attribute.TTL: now}
    return Put(Table.WRITES, key, make_item(Table.WRITES, key, attributes))


def is_mark(item: StoredItem) -> bool:
    """Whether an item of the writes table is the mark of a delete."""
    return read_key(item, Table.WRITES).sort == MARK_SORT_KEY


def part_put(ref: CheckpointRef, part: Part, stamp: Stamp) -> Put:
    """The request that stores a chunk, or the item that leads to an S3 object."""
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
        Table.WRITES, key, make_item(Table.WRITES, key, attributes | of_checkpoint(ref, stamp))
    )


def part_keys(ref: CheckpointRef, payload: Payload) -> list[Key]:
    """Primary keys of the items that a value has outside its own."""
    match payload:
        case Inline():
            return []
        case S3Object(address):
            return [Key(ref.writes_partition, object_sort_key(address))]
    return [
        Key(ref.writes_partition, chunk_sort_key(payload.address, number))
        for number in range(payload.count)
    ]


def read_beside_checkpoint(
    item: StoredItem, ref: CheckpointRef, now: int
) -> tuple[WriteRecord, ...] | ChunkRecord | DeletionMark:
    """The writes, the chunk or the mark in an item of a checkpoint's writes partition.

    Args:
        item: The item.
        ref: The checkpoint.
        now: The time, in seconds since the epoch.

    Returns:
        No writes for one that has expired, or that is none of them.

    Raises:
        UnreadableItemError: An attribute is missing or of the wrong type.
    """
    key = read_key(item, Table.WRITES)
    place = f"item {key.sort!r} beside {ref}"
    ttl = optional_number(item, Attribute.TTL, place)
    if not is_live(ttl, now):
        return ()
    if key.sort == MARK_SORT_KEY:
        return DeletionMark()
    if part_address_of(key.sort) is not None and Attribute.CHUNK in item:
        return ChunkRecord(key, binary(item, Attribute.CHUNK, place), ttl)
    return read_writes(item, ref, ttl)


def read_stored_object(item: StoredItem) -> StoredObject | None:
    """The S3 object that an item of the writes table leads to, `None` where it leads to none.

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
