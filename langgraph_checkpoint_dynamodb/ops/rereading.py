"""One checkpoint by its key, and looking again where others change it meanwhile.

A checkpoint and what lies beside it are read by several requests. Somebody may replace or delete it
in between; then what was read does not belong together, and is read anew.
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

_LOOKS = 10
"""Looks at something that is replaced again and again."""


def get_checkpoint(context: Context, ref: CheckpointRef) -> Operation[CheckpointRecord | None]:
    """The checkpoint of an id, `None` if there is none. Its values may be elsewhere."""
    item = yield from send(GetItem(Table.CHECKPOINTS, ref.key, context.consistent))
    return None if item is None else read_visible_checkpoint(context, item)


def get_usable_checkpoint(
    context: Context, ref: CheckpointRef
) -> Operation[CheckpointRecord | None]:
    """The same, also of one that has expired and that others may be rebuilt from."""
    item = yield from send(GetItem(Table.CHECKPOINTS, ref.key, context.consistent))
    return None if item is None else read_checkpoint(read_checkpoint_head(item, context.now), item)


def read_visible_checkpoint(context: Context, item: StoredItem) -> CheckpointRecord | None:
    """The checkpoint in an item, `None` if it is none to a reader."""
    head = read_checkpoint_head(item, context.now)
    return read_checkpoint(head, item) if head.visible else None


def require_unchanged(context: Context, record: CheckpointRecord) -> Operation[None]:
    """Check that a checkpoint is still the one whose item was read, before what lies beside it.

    Raises:
        MissingPartError: It has been replaced or deleted.
    """
    if (yield from get_usable_checkpoint(context.with_consistent_reads(), record.ref)) != record:
        raise MissingPartError(
            place=str(record.ref),
            attribute=Attribute.CHECKPOINT,
            problem="was replaced or deleted while it was being read",
            part="",
        )


def invalidating_memory(context: Context, thread_id: str, operation: Operation[T]) -> Operation[T]:
    """Delete or replace checkpoints of a thread, of which nothing is remembered after that."""
    context.memory.forget_thread(thread_id)
    try:
        return (yield from operation)
    finally:
        context.memory.forget_thread(thread_id)


def reread_until_consistent(
    context: Context, look: Callable[[Context], Operation[T]]
) -> Operation[T]:
    """Look at something that others may be replacing, until what is seen belongs together.

    A part that is missing may have been replaced together with the item that led to it, or a
    replica may lag behind. One that is missing at two looks in a row, the second of them
    consistent, is gone.
    """
    missing = ""
    for _ in range(_LOOKS - 1):
        try:
            return (yield from look(context))
        except MissingPartError as error:
            if context.consistent and error.part and error.part == missing:
                raise
            missing = error.part
        context = context.with_consistent_reads()
    return (yield from look(context))


def with_item_reread(
    context: Context,
    key: Key,
    item: StoredItem,
    action: Callable[[Context, StoredItem | None], Operation[T]],
) -> Operation[T]:
    """Do something with a checkpoint's item; if it has changed meanwhile, with what is there then.

    That is `None` if the item is gone.
    """
    known: list[StoredItem] = [item]

    def look(context: Context) -> Operation[T]:
        found: StoredItem | None
        if known:
            found = known.pop()
        else:
            found = yield from send(GetItem(Table.CHECKPOINTS, key, consistent=True))
        return (yield from action(context, found))

    return (yield from reread_until_consistent(context, look))


def with_reread(
    context: Context,
    record: CheckpointRecord,
    action: Callable[[Context, CheckpointRecord], Operation[T]],
    again: Callable[[Context, CheckpointRef], Operation[CheckpointRecord | None]] = get_checkpoint,
) -> Operation[T | None]:
    """Do something with a checkpoint; if it has changed meanwhile, again with what is there then.

    Args:
        context: Settings, serializer, clock and memory of the call.
        record: The checkpoint as it was read.
        action: What to do.
        again: Reads the checkpoint anew.

    Returns:
        What the action has returned; `None` if the checkpoint has been deleted.
    """
    known: list[CheckpointRecord] = [record]

    def look(context: Context) -> Operation[T | None]:
        found = known.pop() if known else (yield from again(context, record.ref))
        try:
            return None if found is None else (yield from action(context, found))
        except DeletedBaseError:
            return None

    return (yield from reread_until_consistent(context, look))
