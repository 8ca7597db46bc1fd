"""Reading a checkpoint, and reading it again if it was changed meanwhile.

A checkpoint and its attachments are read with several requests. If another process replaces or
deletes the checkpoint between them, the results do not match and are read again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from langgraph_checkpoint_dynamodb.errors import DeletedBaseError, MissingPartError
from langgraph_checkpoint_dynamodb.format.tables import Attribute, Table
from langgraph_checkpoint_dynamodb.items.checkpoints import read_checkpoint, read_checkpoint_head
from langgraph_checkpoint_dynamodb.requests.items import GetItem
from langgraph_checkpoint_dynamodb.requests.operations import send

if TYPE_CHECKING:
    from collections.abc import Callable

    from langgraph_checkpoint_dynamodb.format.keys import CheckpointRef
    from langgraph_checkpoint_dynamodb.format.tables import Key
    from langgraph_checkpoint_dynamodb.items.checkpoints import CheckpointRecord
    from langgraph_checkpoint_dynamodb.ops.context import Context
    from langgraph_checkpoint_dynamodb.requests.items import StoredItem
    from langgraph_checkpoint_dynamodb.requests.operations import Operation

T = TypeVar("T")

_MAX_READS = 10
"""Reads of something that is replaced again and again, before the error is raised."""


def get_checkpoint(context: Context, ref: CheckpointRef) -> Operation[CheckpointRecord | None]:
    """Read the item of a checkpoint; `None` if the checkpoint does not exist or has expired."""
    item = yield from send(GetItem(Table.CHECKPOINTS, ref.key, context.consistent))
    return None if item is None else read_visible_checkpoint(context, item)


def get_usable_checkpoint(
    context: Context, ref: CheckpointRef
) -> Operation[CheckpointRecord | None]:
    """Read the item of a checkpoint, also of an expired one that others are rebuilt from."""
    item = yield from send(GetItem(Table.CHECKPOINTS, ref.key, context.consistent))
    return None if item is None else read_checkpoint(read_checkpoint_head(item, context.now), item)


def read_visible_checkpoint(context: Context, item: StoredItem) -> CheckpointRecord | None:
    """The checkpoint in an item; `None` if it is not visible to readers."""
    head = read_checkpoint_head(item, context.now)
    return read_checkpoint(head, item) if head.visible else None


def require_unchanged(context: Context, record: CheckpointRecord) -> Operation[None]:
    """Check that a checkpoint was not replaced or deleted while its attachments were read.

    Raises:
        MissingPartError: It was.
    """
    current = yield from get_usable_checkpoint(context.with_consistent_reads(), record.ref)
    if current != record:
        raise MissingPartError(
            place=str(record.ref),
            attribute=Attribute.CHECKPOINT,
            problem="was replaced or deleted while it was being read",
            part="",
        )


def invalidating_memory(context: Context, thread_id: str, operation: Operation[T]) -> Operation[T]:
    """Run an operation that deletes or replaces checkpoints of a thread.

    The saver's memory forgets the thread before and after it.
    """
    context.memory.forget_thread(thread_id)
    try:
        return (yield from operation)
    finally:
        context.memory.forget_thread(thread_id)


def reread_until_consistent(
    context: Context, read: Callable[[Context], Operation[T]]
) -> Operation[T]:
    """Repeat a read of several items until no part of it is missing.

    A missing part may have been replaced together with the item that refers to it, or a replica may
    be stale. A part that two reads in a row miss, the second of them consistent, does not exist.

    Raises:
        MissingPartError: A part does not exist, or was replaced during each of 10 reads.
    """
    missing = ""
    for _ in range(_MAX_READS - 1):
        try:
            return (yield from read(context))
        except MissingPartError as error:
            if context.consistent and error.part and error.part == missing:
                raise
            missing = error.part
        context = context.with_consistent_reads()
    return (yield from read(context))


def with_item_reread(
    context: Context,
    key: Key,
    item: StoredItem,
    action: Callable[[Context, StoredItem | None], Operation[T]],
) -> Operation[T]:
    """Run an action on a checkpoint's item; if it has changed, run it again on the new item.

    The action is given `None` if the item was deleted.
    """
    known: list[StoredItem] = [item]

    def read(context: Context) -> Operation[T]:
        found: StoredItem | None
        if known:
            found = known.pop()
        else:
            found = yield from send(GetItem(Table.CHECKPOINTS, key, consistent=True))
        return (yield from action(context, found))

    return (yield from reread_until_consistent(context, read))


def with_reread(
    context: Context,
    record: CheckpointRecord,
    action: Callable[[Context, CheckpointRecord], Operation[T]],
    reread: Callable[[Context, CheckpointRef], Operation[CheckpointRecord | None]] = get_checkpoint,
) -> Operation[T | None]:
    """Run an action on a checkpoint; if it has changed, run it again on the new one.

    Args:
        context: Settings, serializer, clock and memory of the call.
        record: The checkpoint as it was read.
        action: The action.
        reread: Reads the checkpoint again.

    Returns:
        The action's result; `None` if the checkpoint was deleted.
    """
    known: list[CheckpointRecord] = [record]

    def read(context: Context) -> Operation[T | None]:
        found = known.pop() if known else (yield from reread(context, record.ref))
        try:
            return None if found is None else (yield from action(context, found))
        except DeletedBaseError:
            return None

    return (yield from reread_until_consistent(context, read))
