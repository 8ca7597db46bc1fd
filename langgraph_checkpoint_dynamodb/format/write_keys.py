"""Keys of the writes table: partitions of checkpoints, and sort keys of writes. See `keys`."""

from __future__ import annotations

from langgraph_checkpoint_dynamodb.format.key_text import (
    PARTITION_KEY_LIMIT,
    SEPARATOR,
    SORT_KEY_LIMIT,
    digest_of,
    require_key_fits,
    require_text,
    utf8_len,
)
from langgraph_checkpoint_dynamodb.format.ranges import SortRange, beginning_with
from langgraph_checkpoint_dynamodb.format.tables import Table

_HASHED = "::::::"

_MAX_CUT_BYTES = 4
"""A key cut at the limit is shorter than it by fewer bytes: by part of a UTF-8 character."""


def writes_partition(thread_id: str, checkpoint_id: str, checkpoint_ns: str) -> str:
    """Partition key of the writes of one checkpoint. Injective over all three arguments."""
    parts = (thread_id, checkpoint_id, checkpoint_ns)
    plain = SEPARATOR.join(parts)
    if all(map(_splits_cleanly, parts)) and utf8_len(plain) <= PARTITION_KEY_LIMIT:
        return plain
    # An id is never empty, so no plain key has six colons in a row and equals a hashed one.
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
    """The thread of a partition; `None` if the table has none or the key was cut."""
    if table is Table.CHECKPOINTS:
        return partition
    if table is not Table.WRITES:
        return None
    # Split at the last separator: the thread id may end with colons, the digest has none.
    head, hashed, _ = partition.rpartition(_HASHED)
    if not hashed:
        return partition.partition(SEPARATOR)[0]
    return head if utf8_len(partition) < PARTITION_KEY_LIMIT - _MAX_CUT_BYTES else None


MARK_SORT_KEY = "~deleted"
"""Sort key of the mark of a delete. Without `:::` and `/`, it equals no key of a write or part."""


def write_sort_key(task_id: str, idx: int) -> str:
    """Sort key of a write: the task and the write's index in it."""
    return f"{task_id}{SEPARATOR}{idx}"


def task_sort_key(task_id: str) -> str:
    """Sort key of the item that holds the writes of a task's first call."""
    return write_sort_key(task_id, 0)


def single_write_sort_key(task_id: str, idx: int) -> str:
    """Sort key of a single write, stored when another call has taken `task_sort_key`.

    Raises:
        InvalidInputError: It would pass 1,024 bytes.
    """
    sort_key = f"{task_id}{SEPARATOR}{idx or '00'}"
    require_key_fits("task_id", sort_key, SORT_KEY_LIMIT)
    return sort_key


def task_range(task_id: str) -> SortRange:
    """Sort keys of a task's writes. Tasks whose ids continue with `:::` may be in the range."""
    return beginning_with(task_id + SEPARATOR)


def split_write_sort_key(sort_key: str) -> tuple[str, str] | None:
    """Task id and index text of a write's sort key, or `None` if it is not a write's."""
    task_id, separator, idx = sort_key.rpartition(SEPARATOR)
    return (task_id, idx) if separator else None


def regular_task_of(sort_key: str) -> str | None:
    """The task of a regular write's sort key; `None` for any other key."""
    found = split_write_sort_key(sort_key)
    return found[0] if found is not None and found[1].isdecimal() else None


def require_task_id(value: object, idx: int) -> str:
    """Check a task id, and that its write's sort key fits.

    Raises:
        InvalidInputError: It is not a string, or the sort key would pass 1,024 bytes.
    """
    task_id = require_text("task_id", value)
    require_key_fits("task_id", write_sort_key(task_id, idx), SORT_KEY_LIMIT)
    return task_id


def _splits_cleanly(part: str) -> bool:
    return not (SEPARATOR in part or part.startswith(":") or part.endswith(":"))
