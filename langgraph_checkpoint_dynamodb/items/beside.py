"""Items of the writes table: what lies beside a checkpoint, in one partition.

Its pending writes, the chunks of its values and theirs, and the items that lead to S3 objects.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from langgraph.checkpoint.base import WRITES_IDX_MAP

from langgraph_checkpoint_dynamodb.effects import Put
from langgraph_checkpoint_dynamodb.errors import UnreadableItemError
from langgraph_checkpoint_dynamodb.items.attributes import (
    binary,
    make_item,
    number_if_told,
    optional_number,
    optional_text,
    payload,
    read_key,
    stored_as,
    text,
)
from langgraph_checkpoint_dynamodb.items.life import Stamp, is_live
from langgraph_checkpoint_dynamodb.items.values import Planned, Serialized
from langgraph_checkpoint_dynamodb.keys import (
    MARK_SORT_KEY,
    Attribute,
    CheckpointRef,
    Key,
    Table,
    chunk_sort_key,
    object_sort_key,
    part_address_of,
    split_write_sort_key,
    split_writes_partition,
    write_sort_key,
)
from langgraph_checkpoint_dynamodb.payload import (
    Destination,
    Inline,
    Part,
    S3Object,
    place_values,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from langgraph_checkpoint_dynamodb.effects import Item, StoredItem
    from langgraph_checkpoint_dynamodb.payload import Payload, PayloadPolicy

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


SPECIAL_CHANNELS = tuple(WRITES_IDX_MAP)
"""Channels with a place of their own in a task, below those of its outputs.

Older writers gave them the place they had in the call, as any other write. What holds a place so
must not keep the task's output of that place out: an error, say, once the task was repeated.
"""


@dataclass(frozen=True, slots=True)
class WriteRecord:
    """A pending write as it is stored.

    Attributes:
        task_id: The task that made it.
        idx: Its place among the task's writes; negative for the special channels, which have one
            place each (`WRITES_IDX_MAP`).
        channel: The channel written to.
        value: The serialized value.
        task_path: Path of the task, empty where none was given.
        ttl: When it may be deleted; `None` for never. Set by the stamp when it is stored.
    """

    task_id: str
    idx: int
    channel: str
    value: Serialized
    task_path: str = ""
    ttl: int | None = None

    def key(self, ref: CheckpointRef) -> Key:
        """Primary key of its item."""
        return Key(ref.writes_partition, write_sort_key(self.task_id, self.idx))

    def place(self, ref: CheckpointRef) -> str:
        """Which write it is, for messages."""
        return f"write {self.idx} of task {self.task_id!r} to channel {self.channel!r} on {ref}"

    def plan(
        self, ref: CheckpointRef, policy: PayloadPolicy, stamp: Stamp, position: int = 0
    ) -> Planned:
        """What stores it: regular writes keep the first value, special ones the last.

        Args:
            ref: The checkpoint it belongs to.
            policy: How values are stored.
            stamp: When and by which call.
            position: Its position in the call, which tells its parts from those of others.

        Raises:
            PayloadTooLargeError: The value is over the policy's ceiling.
            ItemTooLargeError: It is over DynamoDB's limit even without its value.
        """
        key = self.key(ref)
        attributes = {
            Attribute.CHANNEL: self.channel,
            Attribute.TYPE: self.value.type,
            Attribute.TASK_PATH: self.task_path or None,
            **beside(ref, stamp),
        }

        def build(payloads: Mapping[str, Payload]) -> Item:
            return make_item(Table.WRITES, key, {**attributes, **stored_as(payloads)})

        destination = Destination(self.place(ref), ref, f"{stamp.token}-{position}", build)
        placed = place_values(policy, {Attribute.VALUE: self.value.data}, destination)
        put = Put(Table.WRITES, key, placed.item)
        if self.idx >= 0:
            put = replace(
                put, unless_exists=True, now=stamp.created, over_channels=SPECIAL_CHANNELS
            )
        return Planned(put, placed.parts, placed.payloads)


def data_size(writes: Iterable[WriteRecord]) -> int:
    """Bytes of the values of writes, which must have been loaded."""
    return sum(len(write.value.data) for write in writes)


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
    attributes = beside(ref, Stamp("", now, expires_at=now))
    marked = make_item(Table.WRITES, key, {**attributes, Attribute.DELETED: True})
    return Put(Table.WRITES, key, marked)


def is_mark(item: StoredItem) -> bool:
    """Whether an item of the writes table is the mark of a delete."""
    return read_key(item, Table.WRITES).sort == MARK_SORT_KEY


def beside(ref: CheckpointRef, stamp: Stamp) -> dict[str, str | int | None]:
    """Attributes that every item beside a checkpoint has.

    A hashed partition key does not tell whose it is, so the item does: the sweep asks.
    """
    attributes: dict[str, str | int | None] = {
        Attribute.CREATED: stamp.created,
        Attribute.TTL: stamp.ttl,
    }
    if split_writes_partition(ref.writes_partition) is None:
        attributes |= {
            Attribute.THREAD_ID: ref.thread_id,
            Attribute.CHECKPOINT_ID: ref.checkpoint_id,
            Attribute.CHECKPOINT_NS: ref.checkpoint_ns,
        }
    return attributes


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
    return Put(Table.WRITES, key, make_item(Table.WRITES, key, attributes | beside(ref, stamp)))


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
) -> WriteRecord | ChunkRecord | DeletionMark | None:
    """The write, the chunk or the mark in an item of a checkpoint's writes partition.

    Args:
        item: The item.
        ref: The checkpoint.
        now: The time, in seconds since the epoch.

    Returns:
        `None` for one that has expired, or that is none of them.

    Raises:
        UnreadableItemError: An attribute is missing or of the wrong type.
    """
    key = read_key(item, Table.WRITES)
    place = f"item {key.sort!r} beside {ref}"
    ttl = optional_number(item, Attribute.TTL, place)
    if not is_live(ttl, now):
        return None
    if key.sort == MARK_SORT_KEY:
        return DeletionMark()
    parts = split_write_sort_key(key.sort)
    if parts is not None:
        return _read_write(item, *parts, f"write {key.sort!r} on {ref}", ttl)
    if part_address_of(key.sort) is not None and Attribute.CHUNK in item:
        return ChunkRecord(key, binary(item, Attribute.CHUNK, place), ttl)
    return None


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


def read_owner(item: StoredItem) -> CheckpointRef | None:
    """The checkpoint that an item of the writes table belongs to.

    `None` where neither its partition key nor its attributes tell, as of older writers, or where
    they name a checkpoint that keeps its writes elsewhere.
    """
    partition = read_key(item, Table.WRITES).partition
    owner = split_writes_partition(partition)
    if owner is None:
        names = (Attribute.THREAD_ID, Attribute.CHECKPOINT_ID, Attribute.CHECKPOINT_NS)
        match [item.get(name, {}).get("S") for name in names]:
            case [str(thread_id), str(checkpoint_id), str(checkpoint_ns)]:
                owner = (thread_id, checkpoint_id, checkpoint_ns)
            case _:
                return None
    thread_id, checkpoint_id, checkpoint_ns = owner
    ref = CheckpointRef.if_possible(thread_id, checkpoint_ns, checkpoint_id)
    # A row says what its writer likes: it may speak for its own partition alone.
    return ref if ref is not None and ref.writes_partition == partition else None


def read_created(item: StoredItem) -> int | None:
    """When an item was stored, in seconds since the epoch; `None` where it does not say.

    What is no time says nothing: such an item is left alone as those of older writers are.
    """
    return number_if_told(item, Attribute.CREATED)


def _read_write(
    item: StoredItem, task_id: str, idx: str, place: str, ttl: int | None
) -> WriteRecord:
    try:
        number = int(idx)
    except ValueError:
        raise UnreadableItemError(
            place=place, attribute=Attribute.TASK_ID_IDX, problem="does not end in a number"
        ) from None
    return WriteRecord(
        task_id=task_id,
        idx=number,
        channel=text(item, Attribute.CHANNEL, place),
        value=Serialized(text(item, Attribute.TYPE, place), payload(item, Attribute.VALUE, place)),
        task_path=optional_text(item, Attribute.TASK_PATH, place) or "",
        ttl=ttl,
    )
