"""Keys of savers: a description of all keys, and the code for those of the checkpoints table.

`write_keys` and `parts` create the keys of the writes table and of S3 objects, `thread_index` those
of the thread index, and `store/keys.py` those of the store.

Keys are a public format: items written today are read by every later version, and items of the
JavaScript port (`@rwai/langgraphjs-checkpoint-dynamodb`) and of the first release on PyPI (0.1.0)
are read in place.

Checkpoints: partition key `thread_id`, sort key `checkpoint_id`
    The root namespace keeps the checkpoint id as it is, as the JavaScript port does. A nested
    namespace keeps `!<digest of the namespace>:::<id>`. `!` sorts below every id of LangGraph:
    the root's checkpoints are the upper end of the partition, newest last, and a nested namespace
    is one contiguous range. In the JavaScript port both share plain ids: the newest item may then
    be a subgraph's, and equal ids overwrite each other.

    Auxiliary items have keys from `!!` on, below every namespace, so no range of checkpoints
    includes them. `!!<digest of the namespace>/<id>` is a base, which checkpoints of that namespace
    are stored as differences from. The parts of a base are in the writes table, under its sort key
    in place of a checkpoint id. `!!~deleted` is the mark of deleted bases: when bases of the thread
    were last deleted with it. `!!~thread` is the thread item, stored if threads are listed or
    fenced.

Writes: partition key `thread_id_checkpoint_id_checkpoint_ns`, sort key `task_id_idx`
    `thread:::id:::namespace`, as in the JavaScript port, if that text can be split in one way only;
    else `thread::::::<digest of all three>`. No two triples share a partition, and
    both forms begin with the thread id, so an IAM condition on `dynamodb:LeadingKeys` with a
    thread-id prefix holds for both tables.

    The sort key is `task:::place`, the place being a write's position among those of the call, or
    below 0 for the special channels. Several writes of one call are one item, at place 0 whichever
    places it holds, so that the put of a second call fails. `task:::00` is a single write at place
    0 of a second call, if the first call's item does not hold that place.

Parts of large values, in the same partitions of the writes table
    `chunk/<digest>/<stamp>/<number>` holds a chunk of a value, `object/<digest>/<stamp>` is a
    pointer to an S3 object. Neither contains `:::`, so neither equals a write's key. The digest is
    the content's. The stamp is unique to the call that stored the part. So a part belongs to one
    item only, and a call that replaces the item may delete it, whatever other calls store
    concurrently.

The mark of a delete, in the same partitions: sort key `~deleted`
    It stays for an hour after the writes of a checkpoint were deleted. A reader that read the
    checkpoint before the delete and finds the mark after it reads the checkpoint again. `~` sorts
    above the writes of LangGraph's tasks, so a reader of several pages finds the mark on the last
    one.

S3 objects: `<key prefix><thread id, percent-encoded>/<digest of all three>/<digest>-<stamp>`
    The thread id is cut at 255 characters. Percent-encoding, of dots too, makes any thread id safe:
    no client takes a segment of the key for `.` or `..`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b

from langgraph_checkpoint_dynamodb.errors import InvalidInputError
from langgraph_checkpoint_dynamodb.format.key_text import (
    DIGEST_BYTES,
    SEPARATOR,
    SORT_KEY_LIMIT,
    digest_of,
    require_key_fits,
    require_text,
    require_thread_id,
    utf8_len,
)
from langgraph_checkpoint_dynamodb.format.ranges import SortRange, beginning_with
from langgraph_checkpoint_dynamodb.format.tables import Key
from langgraph_checkpoint_dynamodb.format.write_keys import writes_partition

ROOT_NAMESPACE = ""

_NESTED = "!"

_AUXILIARY = "!!"

_BASE_ID = re.compile(r"[0-9a-f]{16}")

_ROOT_FLOOR = '"'
"""The character after `!`: every sort key of the root namespace is at or above it."""


@dataclass(frozen=True, slots=True)
class CheckpointRef:
    """Reference to a checkpoint: thread, namespace and id, checked against DynamoDB's limits.

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
        """The reference, or `None` if no checkpoint can have that id.

        For ids that were never checked, such as a parent's, which is stored but not looked up.
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
        require_key_fits("checkpoint_id", self.sort_key, SORT_KEY_LIMIT)

    @property
    def sort_key(self) -> str:
        """Sort key of the checkpoint's item in its thread's partition."""
        return _nested_prefix(self.checkpoint_ns) + self.checkpoint_id

    @property
    def key(self) -> Key:
        """Primary key of the checkpoint's item."""
        return Key(self.thread_id, self.sort_key)

    @property
    def key_name(self) -> str:
        """Its name in the keys of its writes and parts."""
        return self.checkpoint_id

    @property
    def key_names(self) -> tuple[str, ...]:
        """The texts that identify it in the keys of S3 objects."""
        return (self.thread_id, self.key_name, self.checkpoint_ns)

    @property
    def chunk_overhead_bytes(self) -> int:
        """Bytes of the namespace, which each chunk under a hashed key holds."""
        return len(self.checkpoint_ns.encode())

    @property
    def writes_partition(self) -> str:
        """Partition key of the checkpoint's pending writes."""
        return writes_partition(self.thread_id, self.key_name, self.checkpoint_ns)

    def __str__(self) -> str:
        return (
            f"checkpoint {self.checkpoint_id!r} of thread {self.thread_id!r}, "
            f"namespace {self.checkpoint_ns!r}"
        )


@dataclass(frozen=True, slots=True)
class BaseRef(CheckpointRef):
    """Reference to a base: thread, namespace and, as `checkpoint_id`, its id.

    Parts of a base are stored, read and deleted like those of a checkpoint.
    """

    @property
    def sort_key(self) -> str:
        """Sort key of the base's item in its thread's partition."""
        return f"{_AUXILIARY}{_namespace_digest(self.checkpoint_ns)}/{self.checkpoint_id}"

    @property
    def key_name(self) -> str:
        """Its name in the keys of its parts. It equals no checkpoint id."""
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
    """The base with a sort key of the checkpoints table; `None` if it is not a base's key."""
    base_id = sort_key.rpartition("/")[2]
    if not is_base_id(base_id):
        return None
    ref = BaseRef(thread_id, checkpoint_ns, base_id)
    return ref if ref.sort_key == sort_key else None


def owner_of(thread_id: str, checkpoint_ns: str, name: str) -> CheckpointRef | None:
    """The checkpoint or base with a `CheckpointRef.key_name`; `None` if it can be neither."""
    if name.startswith(_AUXILIARY):
        return base_of(thread_id, checkpoint_ns, name)
    return CheckpointRef.if_possible(thread_id, checkpoint_ns, name)


def is_auxiliary_key(sort_key: str) -> bool:
    """Whether an item of the checkpoints table is a base, a mark or a thread item."""
    return sort_key.startswith(_AUXILIARY)


BASES_DELETED_SORT_KEY = f"{_AUXILIARY}~deleted"
"""Sort key of the mark of deleted bases."""

THREAD_SORT_KEY = f"{_AUXILIARY}~thread"
"""Sort key of the thread item."""


def thread_key(thread_id: str) -> Key:
    """Primary key of a thread item."""
    return Key(thread_id, THREAD_SORT_KEY)


def base_id_of(token: str, copied_from: str = "") -> str:
    """Id of the base that a call stores, given its token, or of the call's copy of a base."""
    return digest_of((token, copied_from))[:16]


def namespace_range(checkpoint_ns: str, highest_id: str | None = None) -> SortRange:
    """Sort keys of a namespace's checkpoints, in the order of their ids.

    Args:
        checkpoint_ns: The namespace.
        highest_id: Last id of the range. If no stored key can be that long, the upper end is open,
            so callers must still compare ids.
    """
    prefix = _nested_prefix(checkpoint_ns)
    low = prefix or _ROOT_FLOOR
    if highest_id is not None and utf8_len(prefix + highest_id) <= SORT_KEY_LIMIT:
        return SortRange(low, prefix + highest_id)
    return beginning_with(prefix) if prefix else SortRange(low)


def is_subgraph_call(checkpoint_ns: str) -> bool:
    """Whether a namespace is of one call of a subgraph, and not of a subgraph with its own memory.

    LangGraph then names the task in it: `node:<task>`, in nested calls `top:<task>|node:<task>`.
    """
    return ":" in checkpoint_ns


def checkpoint_id_of(sort_key: str, checkpoint_ns: str) -> str | None:
    """The checkpoint id in a sort key, or `None` if the key is not of that namespace.

    Older writers stored nested checkpoints under their plain id. Such a key belongs neither to the
    root namespace nor to the nested one.
    """
    prefix = _nested_prefix(checkpoint_ns)
    if not sort_key.startswith(prefix):
        return None
    checkpoint_id = sort_key[len(prefix) :]
    return checkpoint_id if checkpoint_id[:1] > _NESTED else None


def _nested_prefix(checkpoint_ns: str) -> str:
    if checkpoint_ns == ROOT_NAMESPACE:
        return ""
    return f"{_NESTED}{_namespace_digest(checkpoint_ns)}{SEPARATOR}"


def _namespace_digest(checkpoint_ns: str) -> str:
    return blake2b(checkpoint_ns.encode(), digest_size=DIGEST_BYTES).hexdigest()
