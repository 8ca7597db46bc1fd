"""Records to items and back.

One record for each kind of item. Reading is strict: an attribute that is missing or of the wrong
type raises `UnreadableItemError`, which names it and the place, because an item taken for absent
would roll a conversation back in silence. Items of older writers are understood: a NULL or missing
parent, a missing namespace, text where this package stores binary.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from boto3.dynamodb.types import TypeSerializer

from langgraph_checkpoint_dynamodb.effects import Put
from langgraph_checkpoint_dynamodb.errors import UnreadableItemError
from langgraph_checkpoint_dynamodb.keys import (
    ROOT_NAMESPACE,
    SPECS,
    Attribute,
    CheckpointRef,
    Key,
    Table,
    checkpoint_id_of,
    split_write_sort_key,
    write_sort_key,
    writes_partition,
)
from langgraph_checkpoint_dynamodb.payload import require_fits

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb.effects import StoredItem

_serialize = TypeSerializer().serialize

CHECKPOINT_KEYS = (
    Attribute.THREAD_ID,
    Attribute.CHECKPOINT_ID,
    Attribute.CHECKPOINT_NS,
    Attribute.PARENT_CHECKPOINT_ID,
    Attribute.RUN_ID,
    Attribute.DELETED,
)
"""Attributes that `read_checkpoint_head` needs."""

CHECKPOINT_METADATA = (
    *CHECKPOINT_KEYS,
    Attribute.TYPE,
    Attribute.METADATA,
    Attribute.METADATA_TYPE,
)
"""Attributes that `read_metadata` needs on top."""

WRITE_KEYS = (Attribute.WRITES_PARTITION, Attribute.TASK_ID_IDX)
"""Attributes that `read_key` needs of a write."""


@dataclass(frozen=True, slots=True)
class Serialized:
    """A value as the serde gives it: its type tag and its bytes."""

    type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class CheckpointRecord:
    """A checkpoint as it is stored.

    Attributes:
        ref: Which checkpoint.
        parent_id: Id of the checkpoint it was made from, in the same namespace.
        checkpoint: The serialized checkpoint, channel values included.
        metadata: The serialized metadata.
        run_id: Copy of the metadata's run id, where it has one that can key the run index.
    """

    ref: CheckpointRef
    parent_id: str | None
    checkpoint: Serialized
    metadata: Serialized
    run_id: str | None = None

    def put(self) -> Put:
        """The request that stores it, replacing a checkpoint of the same id.

        Raises:
            ItemTooLargeError: It does not fit into an item.
        """
        metadata_type = self.metadata.type if self.metadata.type != self.checkpoint.type else None
        put = _put(
            Table.CHECKPOINTS,
            self.ref.key,
            {
                Attribute.CHECKPOINT_NS: self.ref.checkpoint_ns,
                Attribute.PARENT_CHECKPOINT_ID: self.parent_id or None,
                Attribute.TYPE: self.checkpoint.type,
                Attribute.CHECKPOINT: self.checkpoint.data,
                Attribute.METADATA: self.metadata.data,
                Attribute.METADATA_TYPE: metadata_type,
                Attribute.RUN_ID: self.run_id,
            },
        )
        require_fits(put.item, str(self.ref))
        return put


@dataclass(frozen=True, slots=True)
class CheckpointHead:
    """What the keys of a checkpoint's item say, without its payload.

    Attributes:
        key: Primary key of the item.
        checkpoint_ns: Its namespace.
        checkpoint_id: Its id; `None` where an older writer kept it under a key that is not its
            namespace's.
        parent_id: Id of its parent.
        run_id: Run it was made by, where the item says so outside its metadata.
        deleted: Whether it is the tombstone of a delete that is under way or was cut short.
    """

    key: Key
    checkpoint_ns: str
    checkpoint_id: str | None
    parent_id: str | None
    run_id: str | None = None
    deleted: bool = False

    @property
    def visible(self) -> bool:
        """Whether it is a checkpoint to a reader."""
        return self.checkpoint_id is not None and not self.deleted

    @property
    def place(self) -> str:
        """Which checkpoint it is, for messages."""
        return (
            f"checkpoint {self.checkpoint_id or self.key.sort!r} of thread {self.key.partition!r}, "
            f"namespace {self.checkpoint_ns!r}"
        )

    @property
    def writes_partition(self) -> str:
        """Partition key of its writes, also for items that are no checkpoint to a reader."""
        checkpoint_id = self.checkpoint_id or self.key.sort
        return writes_partition(self.key.partition, checkpoint_id, self.checkpoint_ns)

    def tombstone(self) -> Put:
        """The request that makes every reader take the checkpoint for absent.

        It still leads to the writes and is found by its run, so a delete that was cut short can be
        repeated to its end.
        """
        return _put(
            Table.CHECKPOINTS,
            self.key,
            {
                Attribute.CHECKPOINT_NS: self.checkpoint_ns,
                Attribute.RUN_ID: self.run_id,
                Attribute.DELETED: True,
            },
        )


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
    """

    task_id: str
    idx: int
    channel: str
    value: Serialized
    task_path: str = ""

    def put(self, ref: CheckpointRef) -> Put:
        """The request that stores it: regular writes keep the first value, special ones the last.

        Raises:
            ItemTooLargeError: It does not fit into an item.
        """
        put = _put(
            Table.WRITES,
            Key(ref.writes_partition, write_sort_key(self.task_id, self.idx)),
            {
                Attribute.CHANNEL: self.channel,
                Attribute.TYPE: self.value.type,
                Attribute.VALUE: self.value.data,
                Attribute.TASK_PATH: self.task_path or None,
            },
            unless_exists=self.idx >= 0,
        )
        require_fits(
            put.item,
            f"write {self.idx} of task {self.task_id!r} to channel {self.channel!r} on {ref}",
        )
        return put


def read_checkpoint_head(item: StoredItem) -> CheckpointHead:
    """Keys, namespace and parent of a checkpoint's item.

    Raises:
        UnreadableItemError: One of them is damaged.
    """
    key = read_key(item, Table.CHECKPOINTS)
    place = f"item {key.sort!r} of thread {key.partition!r} in the checkpoints table"
    checkpoint_ns = _optional_text(item, Attribute.CHECKPOINT_NS, place) or ROOT_NAMESPACE
    return CheckpointHead(
        key=key,
        checkpoint_ns=checkpoint_ns,
        checkpoint_id=checkpoint_id_of(key.sort, checkpoint_ns),
        parent_id=_optional_text(item, Attribute.PARENT_CHECKPOINT_ID, place) or None,
        run_id=_optional_text(item, Attribute.RUN_ID, place),
        deleted=Attribute.DELETED in item,
    )


def read_checkpoint(
    item: StoredItem, head: CheckpointHead | None = None
) -> CheckpointRecord | None:
    """The checkpoint in an item, or `None` if it is one that no reader may see.

    Args:
        item: The item.
        head: What its keys say, where they have been read already.

    Raises:
        UnreadableItemError: An attribute is missing or of the wrong type.
    """
    head = head or read_checkpoint_head(item)
    if head.checkpoint_id is None or head.deleted:
        return None
    return CheckpointRecord(
        ref=CheckpointRef(head.key.partition, head.checkpoint_ns, head.checkpoint_id),
        parent_id=head.parent_id,
        checkpoint=Serialized(
            _text(item, Attribute.TYPE, head.place), _binary(item, Attribute.CHECKPOINT, head.place)
        ),
        metadata=read_metadata(item, head),
    )


def read_metadata(item: StoredItem, head: CheckpointHead) -> Serialized:
    """The serialized metadata of a checkpoint's item, whose keys have been read.

    Raises:
        UnreadableItemError: An attribute is missing or of the wrong type.
    """
    place = head.place
    type_name = Attribute.METADATA_TYPE if Attribute.METADATA_TYPE in item else Attribute.TYPE
    return Serialized(_text(item, type_name, place), _binary(item, Attribute.METADATA, place))


def read_write(item: StoredItem) -> WriteRecord | None:
    """The write in an item, or `None` if the item is not a write.

    Raises:
        UnreadableItemError: An attribute is missing or of the wrong type.
    """
    key = read_key(item, Table.WRITES)
    parts = split_write_sort_key(key.sort)
    if parts is None:
        return None
    task_id, idx = parts
    place = f"write {key.sort!r} in partition {key.partition!r} of the writes table"
    try:
        number = int(idx)
    except ValueError:
        raise UnreadableItemError(
            place=place, attribute=Attribute.TASK_ID_IDX, problem="does not end in a number"
        ) from None
    return WriteRecord(
        task_id=task_id,
        idx=number,
        channel=_text(item, Attribute.CHANNEL, place),
        value=Serialized(_text(item, Attribute.TYPE, place), _binary(item, Attribute.VALUE, place)),
        task_path=_optional_text(item, Attribute.TASK_PATH, place) or "",
    )


def read_key(item: StoredItem, table: Table) -> Key:
    """The primary key of an item."""
    spec = SPECS[table]
    place = f"an item of the {table.value} table"
    return Key(_text(item, spec.partition_key, place), _text(item, spec.sort_key, place))


def with_partition(item: StoredItem, table: Table, partition: str) -> Put:
    """The request that stores a copy of an item in another partition, otherwise as it is.

    Raises:
        ItemTooLargeError: The longer key leaves no room for the item.
    """
    key = Key(partition, read_key(item, table).sort)
    copy = {**item, SPECS[table].partition_key: _serialize(partition)}
    require_fits(copy, f"the copy of item {key.sort!r} to partition {partition!r}")
    return Put(table, key, copy)


def _put(
    table: Table,
    key: Key,
    attributes: dict[str, str | bytes | bool | None],
    *,
    unless_exists: bool = False,
) -> Put:
    """The request that stores an item. Attributes that are `None` are left out."""
    spec = SPECS[table]
    named = {spec.partition_key: key.partition, spec.sort_key: key.sort, **attributes}
    item = {name: _serialize(value) for name, value in named.items() if value is not None}
    return Put(table, key, item, unless_exists)


def _optional_text(item: StoredItem, attribute: str, place: str) -> str | None:
    """The text of an attribute, `None` where it is missing or NULL, as older writers have it."""
    if item.get(attribute) in (None, {"NULL": True}):
        return None
    return _text(item, attribute, place)


def _text(item: StoredItem, attribute: str, place: str) -> str:
    match item.get(attribute):
        case {"S": str(text)}:
            return text
        case None:
            problem = "is missing"
        case _:
            problem = "is not text (S)"
    raise UnreadableItemError(place=place, attribute=attribute, problem=problem)


def _binary(item: StoredItem, attribute: str, place: str) -> bytes:
    match item.get(attribute):
        case {"B": bytes(data)}:
            return data
        case {"S": str(text)}:
            # A custom serde of the JavaScript port may return text.
            return text.encode()
        case None:
            problem = "is missing"
        case _:
            problem = "is not binary (B)"
    raise UnreadableItemError(place=place, attribute=attribute, problem=problem)
