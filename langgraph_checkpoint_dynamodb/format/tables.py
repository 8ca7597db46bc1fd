"""Schemas of the tables: roles, keys, indexes, and all attribute names."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple


class Attribute:
    """Names of the attributes of both tables."""

    THREAD_ID = "thread_id"
    CHECKPOINT_ID = "checkpoint_id"
    CHECKPOINT_NS = "checkpoint_ns"
    PARENT_CHECKPOINT_ID = "parent_checkpoint_id"
    TYPE = "type"
    CHECKPOINT = "checkpoint"
    METADATA = "metadata"
    METADATA_TYPE = "metadata_type"
    RUN_ID = "run_id"
    CARRIED = "carried"
    """Copies of the parent's writes to DeltaChannels."""
    DELETED = "deleted"
    """Set on a tombstone, and on the mark of a delete."""

    WRITES_PARTITION = "thread_id_checkpoint_id_checkpoint_ns"
    TASK_ID_IDX = "task_id_idx"
    CHANNEL = "channel"
    VALUE = "value"
    WRITES = "writes"
    TASK_PATH = "task_path"

    CHUNK = "chunk"
    BUCKET = "bucket"
    OBJECT_KEY = "object_key"

    OWNER = "owner"
    """Of a thread: partition key of the thread index."""
    UPDATED = "updated"
    """Of a thread: sort key of the thread index."""
    BEGUN = "begun"
    HEAD = "head"
    """Of a thread: its newest root checkpoint."""
    WAITS = "waits"
    """Of a thread: by task, the number of waiting interrupts, or 0 if it failed."""
    REVISION = "revision"

    ROOT = "root"
    """Of the store's table: the root label, or a text in its place."""
    PATH = "path"
    """Of the store's table: the other labels and the key."""
    STORED = "stored"
    """Of an item of the store: when, in microseconds since the epoch."""
    VERSION = "version"
    """Of an item of the store: token of the call that stored it."""
    MINUTES = "minutes"
    """Of an item of the store: minutes until it expires after its last use."""
    APART = "apart"
    """Of an item of the store: parts of its value are serialized apart, in the same bytes."""
    COPIED = "copied"
    """Of an item of the store: the declared fields of a value that is stored outside the item."""
    COPIED_TYPE = "copied_type"
    ITEM_ROOT = "item_root"
    """Of a part: `root` of the item that it belongs to."""
    ITEM_PATH = "item_path"
    TOUCHED = "touched"
    """Of a namespace: when it was last entered in the registry."""
    SPREAD = "spread"
    """Of a namespace: the number of partitions that a root label is spread over."""
    VECTORS = "vectors"
    """Of an item of the store: how many vectors it has."""
    PACKED = "packed"
    """Of a vector: its numbers, as binary."""
    VECTOR = "vector"
    """Of a vector: its numbers, as a list, for the vector index."""
    VECTOR_ROOT = "vector_root"
    """Of a vector: the root label, partition key of the vector index."""
    VECTOR_LABELS = ("vector_label_2", "vector_label_3", "vector_label_4")
    """Of a vector: the labels after the root label, which the vector index filters by."""
    DIMS = "dims"
    """Of the record of all vectors: how many numbers each has."""
    FORM = "form"
    """Of the record of all vectors: the form they are stored in."""

    CREATED = "created"
    EXPIRES = "expires"
    TTL = "ttl"

    @staticmethod
    def payload(name: str) -> str:
        """The attribute with the description of attribute `name`: where its bytes are, how packed.

        Absent if the attribute itself holds the bytes, not packed.
        """
        return f"{name}_payload"


class Table(Enum):
    """The tables, by role. Their names are in the settings of a saver or a store."""

    CHECKPOINTS = "checkpoints"
    WRITES = "writes"
    STORE = "store"
    FOREIGN = "foreign"
    """A table of another package, which threads are imported from. It is only read."""


SAVER_TABLES = (Table.CHECKPOINTS, Table.WRITES)
"""The tables of a saver. A store has one of its own."""


class Key(NamedTuple):
    """Primary key of an item: the values of its partition key and its sort key."""

    partition: str
    sort: str


@dataclass(frozen=True, slots=True)
class TableSpec:
    """The schema of a table. Both keys are strings.

    Attributes:
        partition_key: Name of the partition (hash) key attribute.
        sort_key: Name of the sort (range) key attribute.
    """

    partition_key: str
    sort_key: str


SPECS = {
    Table.CHECKPOINTS: TableSpec(Attribute.THREAD_ID, Attribute.CHECKPOINT_ID),
    Table.WRITES: TableSpec(Attribute.WRITES_PARTITION, Attribute.TASK_ID_IDX),
    Table.STORE: TableSpec(Attribute.ROOT, Attribute.PATH),
    # All supported packages have these keys.
    Table.FOREIGN: TableSpec("PK", "SK"),
}

RUN_ID_INDEX_KEY = Attribute.RUN_ID
"""Partition key of the optional sparse, keys-only index on the checkpoints table."""


@dataclass(frozen=True, slots=True)
class IndexSpec:
    """The schema of an index on the checkpoints table. Its keys are strings.

    Attributes:
        name: Its name.
        keys: Its partition key, and its sort key if it has one.
        whole: Whether it projects all attributes; else only keys.
    """

    name: str
    keys: tuple[str, ...]
    whole: bool = False


@dataclass(frozen=True, slots=True)
class VectorIndexSpec:
    """The vector index on the store's table.

    Attributes:
        name: Its name.
        dims: How many numbers a vector has.
    """

    name: str
    dims: int


VECTOR_FILTERS = (Attribute.VECTOR_ROOT, *Attribute.VECTOR_LABELS)
"""Attributes that the vector index on the store's table is searched by, all text: its partition
key, then its filters. It projects only keys."""


def run_index(name: str) -> IndexSpec:
    """The index on the runs of checkpoints."""
    return IndexSpec(name, (RUN_ID_INDEX_KEY,))


def thread_index(name: str) -> IndexSpec:
    """The index on the owners of threads."""
    return IndexSpec(name, THREAD_INDEX_KEYS, whole=True)


THREAD_INDEX_KEYS = (Attribute.OWNER, Attribute.UPDATED)
"""Partition key and sort key of the optional sparse index on the checkpoints table, both text. It
projects all attributes of thread items."""
