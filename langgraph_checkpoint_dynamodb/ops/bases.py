"""The bases that differences are made from: loading them, and requiring that they are unaltered."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.errors import (
    DeletedBaseError,
    MissingPartError,
    UnreadableItemError,
)
from langgraph_checkpoint_dynamodb.format.parts import content_digest
from langgraph_checkpoint_dynamodb.format.tables import Attribute, Table
from langgraph_checkpoint_dynamodb.items.bases import (
    bases_deleted_key,
    read_base,
    read_bases_deleted,
    was_deleted,
)
from langgraph_checkpoint_dynamodb.items.values import Serialized
from langgraph_checkpoint_dynamodb.ops.parts import (
    StoredValue,
    read_attachments_of,
    restored,
    stored_bytes,
)
from langgraph_checkpoint_dynamodb.payloads.differences import Base
from langgraph_checkpoint_dynamodb.payloads.kinds import origin_of
from langgraph_checkpoint_dynamodb.requests.items import GetItem
from langgraph_checkpoint_dynamodb.requests.operations import compute, send, together

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from langgraph_checkpoint_dynamodb.format.keys import BaseRef, CheckpointRef
    from langgraph_checkpoint_dynamodb.items.bases import BaseRecord
    from langgraph_checkpoint_dynamodb.ops.context import Context
    from langgraph_checkpoint_dynamodb.payloads.kinds import Origin
    from langgraph_checkpoint_dynamodb.requests.operations import Operation


def forget_bases_except(
    context: Context, but_of: Iterable[tuple[CheckpointRef, Serialized]]
) -> None:
    """Free the memory of all loaded bases but those of these values."""
    context.bases.retain(dict(_bases_of(but_of)))


def load_bases(
    context: Context, values: Iterable[tuple[CheckpointRef, Serialized]]
) -> Operation[None]:
    """Load the bases of values into the context, each base once.

    A missing base raises no error here, but when a value that needs it is loaded.
    """
    wanted = dict(_bases_of(values))
    unknown = [(ref, origin) for ref, origin in wanted.items() if ref not in context.bases.loaded]
    yield from together([_load_base(context, ref, origin) for ref, origin in unknown])


def was_deleted_with_base(context: Context, ref: CheckpointRef, value: Serialized) -> bool:
    """Whether the base of a value is known to have been deleted with its thread."""
    return any(base in context.bases.deleted for base, _ in _bases_of([(ref, value)]))


def base_of_value(context: Context, ref: CheckpointRef, value: Serialized) -> Base | None:
    """The loaded base of a value; `None` if the value is stored whole or the base is missing."""
    return next((context.bases.loaded.get(base) for base, _ in _bases_of([(ref, value)])), None)


def read_bases_deleted_at(context: Context, thread_id: str) -> Operation[None]:
    """Read into the context when bases of a thread were last deleted with it."""
    key = bases_deleted_key(thread_id)
    item = yield from send(GetItem(Table.CHECKPOINTS, key, consistent=True))
    context.bases.deleted_at[thread_id] = read_bases_deleted(item)


def require_base(
    context: Context, ref: CheckpointRef, origin: Origin, attribute: str
) -> Operation[Base]:
    """The base that a value is the difference from.

    Raises:
        DeletedBaseError: It was deleted with its thread.
        MissingPartError: It is missing.
        UnreadableItemError: It is damaged, or not the one that the value was made from.
    """
    base_ref = origin.base(ref.thread_id, ref.checkpoint_ns)
    if base_ref not in context.bases.loaded:
        yield from _load_base(context, base_ref, origin)
    base = context.bases.loaded[base_ref]
    if base is None and base_ref in context.bases.deleted:
        raise DeletedBaseError(place=str(ref), attribute=attribute, base=str(base_ref))
    if base is None:
        raise MissingPartError(
            place=str(ref),
            attribute=attribute,
            problem=f"is the difference from {base_ref}, which is missing",
            part=str(base_ref),
        )
    if base.digest != origin.digest:
        raise UnreadableItemError(
            place=str(ref),
            attribute=attribute,
            problem=f"is the difference from {base_ref}, which has been altered",
        )
    return base


def _bases_of(
    values: Iterable[tuple[CheckpointRef, Serialized]],
) -> Iterator[tuple[BaseRef, Origin]]:
    for ref, value in values:
        origin = origin_of(value.payload)
        if origin is not None:
            yield origin.base(ref.thread_id, ref.checkpoint_ns), origin


def _load_base(context: Context, ref: BaseRef, origin: Origin) -> Operation[None]:
    """Load a base into the context, from memory unless the thread's bases were deleted since."""
    found = context.memory.base(ref)
    if found is not None and ref.thread_id not in context.bases.deleted_at:
        yield from read_bases_deleted_at(context, ref.thread_id)
    if found is None or was_deleted(found.created, context.bases.deleted_at[ref.thread_id]):
        found = yield from _read_base(context, ref)
    if found is None:
        # Read after the base: a delete marks the thread before it deletes the bases.
        yield from read_bases_deleted_at(context, ref.thread_id)
        if was_deleted(origin.created, context.bases.deleted_at[ref.thread_id]):
            context.bases.deleted.add(ref)
    context.bases.loaded[ref] = found


def _read_base(context: Context, ref: BaseRef) -> Operation[Base | None]:
    record = yield from _base_record(context, ref)
    if record is None and not context.consistent:
        record = yield from _base_record(context.with_consistent_reads(), ref)
    if record is None:
        return None
    if origin_of(record.payload) is not None:
        raise UnreadableItemError(
            place=str(ref), attribute=Attribute.CHECKPOINT, problem="is a difference itself"
        )
    value = StoredValue(Serialized("", record.payload), str(ref), Attribute.CHECKPOINT)
    try:
        attachments = yield from read_attachments_of(context, ref, value)
        loaded = yield from restored(context, value, stored_bytes(value, attachments), None)
    except MissingPartError:
        return None
    digest = yield from compute(partial(content_digest, loaded.data), len(loaded.data))
    return Base(ref, loaded.data, digest, record.created, record.ttl, record.payload)


def _base_record(context: Context, ref: BaseRef) -> Operation[BaseRecord | None]:
    item = yield from send(GetItem(Table.CHECKPOINTS, ref.key, context.consistent))
    return None if item is None else read_base(item, ref, context.now)
