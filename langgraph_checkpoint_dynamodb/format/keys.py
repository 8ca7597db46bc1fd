"""All key text of savers, all attribute names, and what the tables look like.

The key text of the store is in `store/keys.py`.

Everything here is a public format: items written today are read by every later version, and items
of the JavaScript port (`@rwai/langgraphjs-checkpoint-dynamodb`) and of the first release on PyPI
(0.1.0) are read where they lie.

Checkpoints: partition key `thread_id`, sort key `checkpoint_id`
    The root namespace keeps the checkpoint id as it is, as the JavaScript port does. A nested
    namespace keeps `!<digest of the namespace>:::<id>`. `!` sorts below every id LangGraph makes:
    the root's checkpoints are the upper end of the partition, newest last, and a nested namespace
    is one contiguous range. In the JavaScript port both share plain ids: the newest item may then
    be a subgraph's, and equal ids overwrite each other.

    `!!<digest of the namespace>/<id>` is a base, which checkpoints of that namespace are stored as
    differences from. `!!` sorts below every namespace: no reader's range touches a base. What a
    base has outside its item lies in the writes table as if that key were a checkpoint id.
    `!!~deleted` says when the bases of a thread were last deleted with it. `!!~thread` is what is
    known of the thread as a whole, where threads are listed or fenced.

Writes: partition key `thread_id_checkpoint_id_checkpoint_ns`, sort key `task_id_idx`
    `thread:::id:::namespace`, as in the JavaScript port, wherever that text can be taken apart in
    one way only; else `thread::::::<digest of all three>`. No two triples share a partition, and
    both forms begin with the thread id, so an IAM condition on `dynamodb:LeadingKeys` with a
    thread-id prefix holds for both tables.

    The sort key is `task:::place`, the place being a write's position among those of the call, or
    below 0 for the special channels. Several writes of one call are one item, at place 0 whichever
    places it holds, so that two calls of one task exclude each other. Write 0 of a call that came
    too late for that key, and not for its place, has `task:::00`.

Parts of large values, in the same partitions of the writes table
    `chunk/<digest>/<stamp>/<number>` holds a piece of a value, `object/<digest>/<stamp>` the place
    of an S3 object. Neither holds `:::`, so neither equals a write's key. The digest is the
    content's. The stamp is of the one call that stored it: a part belongs to one item only, so
    whoever replaces that item may delete the part, whatever others store at the same time.

The mark of a delete, in the same partitions: sort key `~deleted`
    It stays for an hour after the writes of a checkpoint were deleted. A reader that had read the
    checkpoint before, and its writes after, looks at the checkpoint again. `~` sorts above the
    writes of LangGraph's tasks, so a reader of several pages meets the mark on the last.

S3 objects: `<key prefix><thread id, percent-encoded>/<digest of all three>/<digest>-<stamp>`
    The thread id is cut at 255 characters. Only unreserved characters are left, so the key is safe
    for any thread id, and no client takes a part of it for `.` or `..`.

Byte limits are DynamoDB's: 2,048 for a partition key, 1,024 for a sort key
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from hashlib import blake2b
from typing import NamedTuple, Protocol
from urllib.parse import quote, unquote
from uuid import UUID

from langgraph_checkpoint_dynamodb.errors import InvalidInputError, InvalidInputTypeError

ROOT_NAMESPACE = ""

PARTITION_KEY_LIMIT = 2048
SORT_KEY_LIMIT = 1024

_SEPARATOR = ":::"
_HASHED = "::::::"
_NESTED = "!"
_BESIDE_NAMESPACES = "!!"
_BASE_ID = re.compile(r"[0-9a-f]{16}")
_ROOT_FLOOR = '"'
"""The character after `!`: every sort key of the root namespace is at or above it."""
_DIGEST_BYTES = 16
_CONTENT_DIGEST_BYTES = 32
_THREAD_IN_OBJECT_KEY = 255
_CUT_BYTES = 4
"""A key that is cut off is shorter than the limit by less: by part of a character."""


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
    """What the parent's writes give to DeltaChannels."""
    DELETED = "deleted"
    """Of a tombstone, and of the mark of a delete."""

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
    """Of a thread: the root checkpoint it has come to."""
    WAITS = "waits"
    """Of a thread: by task, how many interrupts wait there, or that it failed."""
    REVISION = "revision"

    ROOT = "root"
    """Of the store's table: the root label, or what stands for it."""
    PATH = "path"
    """Of the store's table: the other labels and the key."""
    STORED = "stored"
    """Of an item of the store: when, in microseconds since the epoch."""
    VERSION = "version"
    """Of an item of the store: the call that stored it."""
    MINUTES = "minutes"
    """Of an item of the store: how long it lives after it was last used."""
    APART = "apart"
    """Of an item of the store: that parts of its value lie beside the rest, in the same bytes."""
    COPIED = "copied"
    """Of an item of the store: the declared fields of a value that lies outside the item."""
    COPIED_TYPE = "copied_type"
    ITEM_ROOT = "item_root"
    """Of a part: `root` of the item that it belongs to."""
    ITEM_PATH = "item_path"
    TOUCHED = "touched"
    """Of a namespace: when it was last entered in the registry."""
    SPREAD = "spread"
    """Of a namespace: over how many partitions a root label is spread."""
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
    """Of the record of all vectors: in which form they are stored."""

    CREATED = "created"
    EXPIRES = "expires"
    TTL = "ttl"

    @staticmethod
    def payload(name: str) -> str:
        """The attribute that says where the bytes of attribute `name` are and how they are packed.

        Absent where the attribute itself holds them as they are.
        """
        return f"{name}_payload"


class Table(Enum):
    """The tables, by role. The settings of a saver or a store give them their names."""

    CHECKPOINTS = "checkpoints"
    WRITES = "writes"
    STORE = "store"
    FOREIGN = "foreign"
    """That of another package, which threads are moved from. Nothing is written to it."""


SAVER_TABLES = (Table.CHECKPOINTS, Table.WRITES)
"""The tables of a saver. A store has one of its own."""


class Key(NamedTuple):
    """Primary key of an item: the values of its partition key and its sort key."""

    partition: str
    sort: str


@dataclass(frozen=True, slots=True)
class TableSpec:
    """What a table must look like. Both keys are strings.

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
    # All those of other packages look like this.
    Table.FOREIGN: TableSpec("PK", "SK"),
}

RUN_ID_INDEX_KEY = Attribute.RUN_ID
"""Partition key of the optional sparse, keys-only index on the checkpoints table."""


@dataclass(frozen=True, slots=True)
class IndexSpec:
    """An index on the checkpoints table, what it must look like. Its keys are strings.

    Attributes:
        name: Its name.
        keys: Its partition key, and its sort key where it has one.
        whole: Whether it holds whole items; else their keys alone.
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
"""What the vector index on the store's table is searched by, all text: its partition key, then what
it filters by. It holds keys alone."""


def run_index(name: str) -> IndexSpec:
    """The index on the runs of checkpoints."""
    return IndexSpec(name, (RUN_ID_INDEX_KEY,))


def thread_index(name: str) -> IndexSpec:
    """The index on the owners of threads."""
    return IndexSpec(name, THREAD_INDEX_KEYS, whole=True)


THREAD_INDEX_KEYS = (Attribute.OWNER, Attribute.UPDATED)
"""Partition key and sort key of the optional sparse index on the checkpoints table, both text. It
holds the items of threads, whole."""


class Owner(Protocol):
    """Whose values lie outside their items: a checkpoint, a base, or an item of a store."""

    @property
    def names(self) -> tuple[str, ...]:
        """What it is, in texts that together are of nothing else; the first is shown in keys."""

    @property
    def shown_bytes(self) -> int:
        """Bytes that each of its chunks shows of it, beside the keys and names of fixed length."""


@dataclass(frozen=True, slots=True)
class CheckpointRef:
    """Which checkpoint: thread, namespace and id, checked against DynamoDB's limits.

    Raises:
        InvalidInputError: A part is empty, too long, or cannot be stored.
    """

    thread_id: str
    checkpoint_ns: str
    checkpoint_id: str

    @classmethod
    def if_possible(
        cls, thread_id: str, checkpoint_ns: str, checkpoint_id: str
    ) -> CheckpointRef | None:
        """The reference, or `None` where no checkpoint of that id can be stored.

        For ids that were never checked: a parent's id is only remembered, not looked up.
        """
        try:
            return cls(thread_id, checkpoint_ns, checkpoint_id)
        except InvalidInputError:
            return None

    def __post_init__(self) -> None:
        require_thread_id(self.thread_id)
        require_text("checkpoint_ns", self.checkpoint_ns)
        require_text("checkpoint_id", self.checkpoint_id)
        if self.checkpoint_id[:1] <= _NESTED:
            raise InvalidInputError(
                "checkpoint_id",
                "must not be empty and must begin with a character above '!' "
                f"(thread {self.thread_id!r}): keys at or below '!' belong to nested namespaces",
            )
        require_fits("checkpoint_id", self.sort_key, SORT_KEY_LIMIT)

    @property
    def sort_key(self) -> str:
        """Sort key of the checkpoint's item in its thread's partition."""
        return _nested_prefix(self.checkpoint_ns) + self.checkpoint_id

    @property
    def key(self) -> Key:
        """Primary key of the checkpoint's item."""
        return Key(self.thread_id, self.sort_key)

    @property
    def name(self) -> str:
        """What stands for it in the keys of all that belongs to it."""
        return self.checkpoint_id

    @property
    def names(self) -> tuple[str, ...]:
        """What its S3 objects are known by."""
        return (self.thread_id, self.name, self.checkpoint_ns)

    @property
    def shown_bytes(self) -> int:
        """Bytes of the namespace, which a chunk under a hashed key shows."""
        return len(self.checkpoint_ns.encode())

    @property
    def writes_partition(self) -> str:
        """Partition key of the checkpoint's pending writes."""
        return writes_partition(self.thread_id, self.name, self.checkpoint_ns)

    def __str__(self) -> str:
        return (
            f"checkpoint {self.checkpoint_id!r} of thread {self.thread_id!r}, "
            f"namespace {self.checkpoint_ns!r}"
        )


@dataclass(frozen=True, slots=True)
class BaseRef(CheckpointRef):
    """Which base: thread, namespace and, as `checkpoint_id`, its id.

    What lies outside a base's item is stored, read and deleted as that of a checkpoint.
    """

    @property
    def sort_key(self) -> str:
        """Sort key of the base's item in its thread's partition."""
        return f"{_BESIDE_NAMESPACES}{_namespace_digest(self.checkpoint_ns)}/{self.checkpoint_id}"

    @property
    def name(self) -> str:
        """What stands for it in the keys of all that belongs to it. No checkpoint id is such."""
        return self.sort_key

    def __str__(self) -> str:
        return (
            f"base {self.checkpoint_id!r} of thread {self.thread_id!r}, "
            f"namespace {self.checkpoint_ns!r}"
        )


def is_base_id(text: str) -> bool:
    """Whether a text can be the id of a base: 16 hex characters."""
    return _BASE_ID.fullmatch(text) is not None


def base_of(thread_id: str, checkpoint_ns: str, sort_key: str) -> BaseRef | None:
    """The base of a sort key in a thread's partition; `None` for the key of something else."""
    base_id = sort_key.rpartition("/")[2]
    if not is_base_id(base_id):
        return None
    ref = BaseRef(thread_id, checkpoint_ns, base_id)
    return ref if ref.sort_key == sort_key else None


def owner_of(thread_id: str, checkpoint_ns: str, name: str) -> CheckpointRef | None:
    """What is called so (`CheckpointRef.name`): a checkpoint, a base, or `None` for neither."""
    if name.startswith(_BESIDE_NAMESPACES):
        return base_of(thread_id, checkpoint_ns, name)
    return CheckpointRef.if_possible(thread_id, checkpoint_ns, name)


def is_beside_namespaces(sort_key: str) -> bool:
    """Whether an item of the checkpoints table is of no namespace: a base, or a mark."""
    return sort_key.startswith(_BESIDE_NAMESPACES)


BASES_DELETED_SORT_KEY = f"{_BESIDE_NAMESPACES}~deleted"
"""Sort key of the mark that says when bases of a thread were deleted with it."""


THREAD_SORT_KEY = f"{_BESIDE_NAMESPACES}~thread"
"""Sort key of the item that says what is known of a thread as a whole."""


def thread_key(thread_id: str) -> Key:
    """Primary key of the item of a thread."""
    return Key(thread_id, THREAD_SORT_KEY)


_NO_OWNER = "\0"
_SHARES = 64
"""Partitions that threads of no owner are spread over. One takes 1,000 write units a second."""


def owner_key(owner: str | None, thread_id: str) -> str:
    """Partition key of a thread in the thread index: its owner, where it has one."""
    if owner is not None:
        return owner
    return f"{_NO_OWNER}{int(digest_of((thread_id,)), 16) % _SHARES:02}"


def owner_of_key(key: str) -> str | None:
    """The owner in a partition key of the thread index."""
    return None if key.startswith(_NO_OWNER) else key


def owner_text(owner: object) -> str | None:
    """The owner that a value stands for, as text that can key an index; `None` for none.

    An integer or a UUID stands for its text, as of a thread id.
    """
    try:
        text = _text_of(Attribute.OWNER, owner)
    except InvalidInputError:
        return None
    return str(text) if fits_index_key(text) and not str(text).startswith(_NO_OWNER) else None


def base_id_of(token: str, copied_from: str = "") -> str:
    """Id of the base that the call of that token stores, or of its copy of another base."""
    return digest_of((token, copied_from))[:16]


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


@dataclass(frozen=True, slots=True)
class SortRange:
    """A range of sort keys, both ends included. `None` leaves an end open."""

    low: str | None = None
    high: str | None = None

    @property
    def empty(self) -> bool:
        """Whether no key can lie in it. DynamoDB refuses such a range, it does not find nothing."""
        return self.low is not None and self.high is not None and self.high < self.low


EVERY_KEY = SortRange()


def namespace_range(checkpoint_ns: str, highest_id: str | None = None) -> SortRange:
    """Sort keys of a namespace's checkpoints, in the order of their ids.

    Args:
        checkpoint_ns: The namespace.
        highest_id: The range ends with this id, itself included. An id no stored key can reach
            leaves the upper end open, so that callers still compare ids themselves.
    """
    prefix = _nested_prefix(checkpoint_ns)
    low = prefix or _ROOT_FLOOR
    if highest_id is not None and _utf8_len(prefix + highest_id) <= SORT_KEY_LIMIT:
        return SortRange(low, prefix + highest_id)
    return beginning_with(prefix) if prefix else SortRange(low)


def is_call(checkpoint_ns: str) -> bool:
    """Whether a namespace is of one call of a subgraph, and not of a subgraph with its own memory.

    LangGraph names the task in it: `node:<task>`, in a call within others `top:<task>|node:<task>`.
    """
    return ":" in checkpoint_ns


def checkpoint_id_of(sort_key: str, checkpoint_ns: str) -> str | None:
    """The checkpoint id in a sort key, or `None` if the key is not of that namespace.

    Older writers kept nested checkpoints under their plain id. Such an item is not of the root,
    whatever its key looks like, and not where its own namespace is looked for.
    """
    prefix = _nested_prefix(checkpoint_ns)
    if not sort_key.startswith(prefix):
        return None
    checkpoint_id = sort_key[len(prefix) :]
    return checkpoint_id if checkpoint_id[:1] > _NESTED else None


def writes_partition(thread_id: str, checkpoint_id: str, checkpoint_ns: str) -> str:
    """Partition key of the writes of one checkpoint. Injective over all three arguments."""
    parts = (thread_id, checkpoint_id, checkpoint_ns)
    plain = _SEPARATOR.join(parts)
    if all(map(_splits_cleanly, parts)) and _utf8_len(plain) <= PARTITION_KEY_LIMIT:
        return plain
    # An id is never empty, so a plain key cannot hold six colons in a row: the forms never meet.
    suffix = _HASHED + digest_of(parts)
    head = thread_id.encode()[: PARTITION_KEY_LIMIT - len(suffix)]
    return head.decode(errors="ignore") + suffix


def split_writes_partition(partition: str) -> tuple[str, str, str] | None:
    """Thread id, checkpoint id and namespace in a writes partition; `None` if it is hashed."""
    if _HASHED in partition:
        return None
    parts = partition.split(_SEPARATOR)
    return (parts[0], parts[1], parts[2]) if len(parts) == 3 else None


def thread_of_partition(table: Table, partition: str) -> str | None:
    """The thread that a partition of a table is of; `None` if its key does not hold it whole."""
    if table is Table.CHECKPOINTS:
        return partition
    if table is not Table.WRITES:
        return None
    # The digest has no colons, and what comes before it may end with some.
    head, hashed, _ = partition.rpartition(_HASHED)
    if not hashed:
        return partition.partition(_SEPARATOR)[0]
    return head if _utf8_len(partition) < PARTITION_KEY_LIMIT - _CUT_BYTES else None


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
        case ["chunk", digest, stamp, number] if number.isdecimal() and _SEPARATOR not in sort_key:
            return PartAddress(digest, stamp)
        case ["object", digest, stamp] if _SEPARATOR not in sort_key:
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
    key: str, source: CheckpointRef, target: CheckpointRef, address: PartAddress, token: str
) -> str | None:
    """Key of the copy of an S3 object, below the same prefix; `None` for a key of something else.

    Args:
        key: The object's key.
        source: The checkpoint it belongs to.
        target: The checkpoint the copy belongs to.
        address: Where the value's parts are, beside the source.
        token: Of the call that copies.
    """
    if not is_object_key(key, source, address):
        return None
    prefix = key[: len(key) - len(object_key("", source, address))]
    return object_key(prefix, target, copied_address(address, token))


MARK_SORT_KEY = "~deleted"
"""Sort key of the mark of a delete. Without `:::` and `/`, it is no write's and no part's."""


def write_sort_key(task_id: str, idx: int) -> str:
    """Sort key of a write: the task and the write's index in it."""
    return f"{task_id}{_SEPARATOR}{idx}"


def task_sort_key(task_id: str) -> str:
    """Sort key of the item that holds the writes of a call of a task together."""
    return write_sort_key(task_id, 0)


def lone_write_sort_key(task_id: str, idx: int) -> str:
    """Sort key of a write that is stored alone where `task_sort_key` is taken for others.

    Raises:
        InvalidInputError: It would pass 1,024 bytes.
    """
    sort_key = f"{task_id}{_SEPARATOR}{idx or '00'}"
    require_fits("task_id", sort_key, SORT_KEY_LIMIT)
    return sort_key


def task_range(task_id: str) -> SortRange:
    """Sort keys of a task's writes. Those of tasks whose ids go on with `:::` may be among them."""
    return beginning_with(task_id + _SEPARATOR)


def split_write_sort_key(sort_key: str) -> tuple[str, str] | None:
    """Task id and index text of a write's sort key, or `None` if it is no write's."""
    task_id, separator, idx = sort_key.rpartition(_SEPARATOR)
    return (task_id, idx) if separator else None


def regular_task_of(sort_key: str) -> str | None:
    """The task of a regular write's sort key; `None` for a special channel's, or of none."""
    found = split_write_sort_key(sort_key)
    return found[0] if found is not None and found[1].isdecimal() else None


def require_text(field: str, value: object) -> str:
    """The value, if it is text that DynamoDB can store.

    Raises:
        InvalidInputTypeError: It is not a string.
        InvalidInputError: It holds a lone surrogate, which UTF-8 cannot express.
    """
    if not isinstance(value, str):
        raise InvalidInputTypeError(field, f"must be a string, got {type(value).__name__}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidInputError(field, "holds a lone surrogate; pass valid Unicode text") from None
    return value


def require_thread_id(value: object, field: str = Attribute.THREAD_ID) -> str:
    """The thread id, if it can be a partition key.

    An integer or a UUID stands for its text, as it does where LangGraph runs a graph. A bool, a
    float or bytes do not: their text is seldom what was meant.

    Raises:
        InvalidInputError: It is missing, empty, of another type or longer than 2,048 bytes.
    """
    if value is None:
        raise InvalidInputError(field, 'is missing; pass {"configurable": {"thread_id": "..."}}')
    thread_id = require_text(field, _text_of(field, value))
    if not thread_id:
        raise InvalidInputError(field, "must not be empty; DynamoDB cannot key it")
    require_fits(field, thread_id, PARTITION_KEY_LIMIT)
    return thread_id


def _text_of(field: str, value: object) -> object:
    """The text of an integer or a UUID; anything else as it is."""
    if not isinstance(value, (int, UUID)) or isinstance(value, bool):
        return value
    try:
        return str(value)
    except ValueError:  # Python writes no integer of more than some thousand digits.
        raise InvalidInputError(field, "has too many digits; use a shorter one") from None


def require_task_id(value: object, idx: int) -> str:
    """The task id, if its write's sort key fits.

    Raises:
        InvalidInputError: It is no string, or the sort key would pass 1,024 bytes.
    """
    task_id = require_text("task_id", value)
    require_fits("task_id", write_sort_key(task_id, idx), SORT_KEY_LIMIT)
    return task_id


def fits_index_key(run_id: object) -> bool:
    """Whether a run id can be the key of the run index: a non-empty text of 2,048 bytes."""
    try:
        size = len(require_text("run_id", run_id).encode())
    except InvalidInputError:
        return False
    return 0 < size <= PARTITION_KEY_LIMIT


def beginning_with(prefix: str) -> SortRange:
    """Sort keys that begin with a text, which is not empty and ends with ASCII."""
    # The next character in place of its last one, so nothing that begins with it lies above this.
    return SortRange(prefix, prefix[:-1] + chr(ord(prefix[-1]) + 1))


def _nested_prefix(checkpoint_ns: str) -> str:
    if checkpoint_ns == ROOT_NAMESPACE:
        return ""
    return f"{_NESTED}{_namespace_digest(checkpoint_ns)}{_SEPARATOR}"


def _namespace_digest(checkpoint_ns: str) -> str:
    return blake2b(checkpoint_ns.encode(), digest_size=_DIGEST_BYTES).hexdigest()


def digest_of(parts: tuple[str, ...]) -> str:
    """One digest of several texts, none of which can run into the next."""
    digest = blake2b(digest_size=_DIGEST_BYTES)
    for part in parts:
        encoded = part.encode()
        digest.update(len(encoded).to_bytes(8, "big"))
        digest.update(encoded)
    return digest.hexdigest()


def _splits_cleanly(part: str) -> bool:
    return not (_SEPARATOR in part or part.startswith(":") or part.endswith(":"))


def _utf8_len(text: str) -> int:
    return len(text.encode(errors="surrogatepass"))


def require_fits(field: str, key: str, limit: int) -> None:
    """Check that a key is within DynamoDB's limit.

    Raises:
        InvalidInputError: It is not.
    """
    size = _utf8_len(key)
    if size > limit:
        raise InvalidInputError(
            field, f"makes a key of {size} bytes, DynamoDB allows {limit}; use a shorter one"
        )
