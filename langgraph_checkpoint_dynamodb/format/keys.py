"""All key text of savers. That of the store is in `store/keys.py`.

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
from hashlib import blake2b

from langgraph_checkpoint_dynamodb.errors import InvalidInputError
from langgraph_checkpoint_dynamodb.format.ranges import SortRange, beginning_with
from langgraph_checkpoint_dynamodb.format.tables import Attribute, Key, Table
from langgraph_checkpoint_dynamodb.format.texts import (
    _DIGEST_BYTES,
    PARTITION_KEY_LIMIT,
    SEPARATOR,
    SORT_KEY_LIMIT,
    digest_of,
    fits_index_key,
    require_fits,
    require_text,
    require_thread_id,
    text_of,
    utf8_len,
)

ROOT_NAMESPACE = ""

_HASHED = "::::::"
_NESTED = "!"
_BESIDE_NAMESPACES = "!!"
_BASE_ID = re.compile(r"[0-9a-f]{16}")
_ROOT_FLOOR = '"'
"""The character after `!`: every sort key of the root namespace is at or above it."""
_CUT_BYTES = 4
"""A key that is cut off is shorter than the limit by less: by part of a character."""


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
        text = text_of(Attribute.OWNER, owner)
    except InvalidInputError:
        return None
    return str(text) if fits_index_key(text) and not str(text).startswith(_NO_OWNER) else None


def base_id_of(token: str, copied_from: str = "") -> str:
    """Id of the base that the call of that token stores, or of its copy of another base."""
    return digest_of((token, copied_from))[:16]


def namespace_range(checkpoint_ns: str, highest_id: str | None = None) -> SortRange:
    """Sort keys of a namespace's checkpoints, in the order of their ids.

    Args:
        checkpoint_ns: The namespace.
        highest_id: The range ends with this id, itself included. An id no stored key can reach
            leaves the upper end open, so that callers still compare ids themselves.
    """
    prefix = _nested_prefix(checkpoint_ns)
    low = prefix or _ROOT_FLOOR
    if highest_id is not None and utf8_len(prefix + highest_id) <= SORT_KEY_LIMIT:
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
    plain = SEPARATOR.join(parts)
    if all(map(_splits_cleanly, parts)) and utf8_len(plain) <= PARTITION_KEY_LIMIT:
        return plain
    # An id is never empty, so a plain key cannot hold six colons in a row: the forms never meet.
    suffix = _HASHED + digest_of(parts)
    head = thread_id.encode()[: PARTITION_KEY_LIMIT - len(suffix)]
    return head.decode(errors="ignore") + suffix


def split_writes_partition(partition: str) -> tuple[str, str, str] | None:
    """Thread id, checkpoint id and namespace in a writes partition; `None` if it is hashed."""
    if _HASHED in partition:
        return None
    parts = partition.split(SEPARATOR)
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
        return partition.partition(SEPARATOR)[0]
    return head if utf8_len(partition) < PARTITION_KEY_LIMIT - _CUT_BYTES else None


MARK_SORT_KEY = "~deleted"
"""Sort key of the mark of a delete. Without `:::` and `/`, it is no write's and no part's."""


def write_sort_key(task_id: str, idx: int) -> str:
    """Sort key of a write: the task and the write's index in it."""
    return f"{task_id}{SEPARATOR}{idx}"


def task_sort_key(task_id: str) -> str:
    """Sort key of the item that holds the writes of a call of a task together."""
    return write_sort_key(task_id, 0)


def lone_write_sort_key(task_id: str, idx: int) -> str:
    """Sort key of a write that is stored alone where `task_sort_key` is taken for others.

    Raises:
        InvalidInputError: It would pass 1,024 bytes.
    """
    sort_key = f"{task_id}{SEPARATOR}{idx or '00'}"
    require_fits("task_id", sort_key, SORT_KEY_LIMIT)
    return sort_key


def task_range(task_id: str) -> SortRange:
    """Sort keys of a task's writes. Those of tasks whose ids go on with `:::` may be among them."""
    return beginning_with(task_id + SEPARATOR)


def split_write_sort_key(sort_key: str) -> tuple[str, str] | None:
    """Task id and index text of a write's sort key, or `None` if it is no write's."""
    task_id, separator, idx = sort_key.rpartition(SEPARATOR)
    return (task_id, idx) if separator else None


def regular_task_of(sort_key: str) -> str | None:
    """The task of a regular write's sort key; `None` for a special channel's, or of none."""
    found = split_write_sort_key(sort_key)
    return found[0] if found is not None and found[1].isdecimal() else None


def require_task_id(value: object, idx: int) -> str:
    """The task id, if its write's sort key fits.

    Raises:
        InvalidInputError: It is no string, or the sort key would pass 1,024 bytes.
    """
    task_id = require_text("task_id", value)
    require_fits("task_id", write_sort_key(task_id, idx), SORT_KEY_LIMIT)
    return task_id


def _nested_prefix(checkpoint_ns: str) -> str:
    if checkpoint_ns == ROOT_NAMESPACE:
        return ""
    return f"{_NESTED}{_namespace_digest(checkpoint_ns)}{SEPARATOR}"


def _namespace_digest(checkpoint_ns: str) -> str:
    return blake2b(checkpoint_ns.encode(), digest_size=_DIGEST_BYTES).hexdigest()


def _splits_cleanly(part: str) -> bool:
    return not (SEPARATOR in part or part.startswith(":") or part.endswith(":"))
