"""Loading the values of checkpoints and pending writes, wherever they are stored."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.format.tables import Attribute
from langgraph_checkpoint_dynamodb.ops.attachments import is_inline, require_size_within_limit
from langgraph_checkpoint_dynamodb.ops.bases import require_base
from langgraph_checkpoint_dynamodb.ops.parts import (
    StoredValue,
    read_attachments_of,
    restored,
    stored_bytes,
    with_objects,
)
from langgraph_checkpoint_dynamodb.payloads.kinds import origin_of
from langgraph_checkpoint_dynamodb.requests.operations import together

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langgraph_checkpoint_dynamodb.format.keys import CheckpointRef
    from langgraph_checkpoint_dynamodb.items.checkpoints import CheckpointRecord
    from langgraph_checkpoint_dynamodb.items.values import Serialized
    from langgraph_checkpoint_dynamodb.items.writes import WriteRecord
    from langgraph_checkpoint_dynamodb.ops.attachments import Attachments
    from langgraph_checkpoint_dynamodb.ops.context import Context
    from langgraph_checkpoint_dynamodb.requests.operations import Operation


def load(
    context: Context,
    record: CheckpointRecord,
    attachments: Attachments,
    writes: Sequence[WriteRecord],
) -> Operation[tuple[CheckpointRecord, list[WriteRecord]]]:
    """Load the values of a checkpoint and of pending writes, wherever they are stored.

    Args:
        context: Settings, serializer, clock and memory of the call.
        record: The checkpoint.
        attachments: Its pending writes, chunks and S3 objects as they were read.
        writes: The pending writes to load, in the order of the result.

    Raises:
        MissingPartError: A part is missing.
        UnreadableItemError: A part is damaged.
    """
    place = str(record.ref)
    own = [
        StoredValue(record.checkpoint, place, Attribute.CHECKPOINT),
        StoredValue(record.metadata, place, Attribute.METADATA),
    ]
    values = [*own, *_values(record.ref, writes)]
    loaded = yield from _load(context, record.ref, values, attachments)
    whole = replace(record, checkpoint=loaded[0], metadata=loaded[1])
    return whole, _with_values(writes, loaded[2:])


def load_writes(
    context: Context, ref: CheckpointRef, attachments: Attachments, writes: Sequence[WriteRecord]
) -> Operation[list[WriteRecord]]:
    """Load pending writes of a checkpoint without the checkpoint's own values."""
    loaded = yield from _load(context, ref, _values(ref, writes), attachments)
    return _with_values(writes, loaded)


def load_alone(
    context: Context, ref: CheckpointRef, value: Serialized, attribute: str
) -> Operation[Serialized]:
    """Load one value of a checkpoint without its other attachments.

    Raises:
        MissingPartError: A part is missing.
        UnreadableItemError: A part is damaged.
    """
    alone = StoredValue(value, str(ref), attribute)
    attachments = yield from read_attachments_of(context, ref, alone)
    return (yield from _load_one(context, ref, alone, attachments))


def load_each(
    context: Context, values: Sequence[tuple[CheckpointRef, Serialized]], attribute: str
) -> Operation[list[Serialized]]:
    """Load one value of each of several checkpoints, those outside their items concurrently."""
    outside = [(ref, value) for ref, value in values if not is_inline(value)]
    loaded = yield from together([load_alone(context, *value, attribute) for value in outside])
    fetched = iter(loaded)
    found = []
    for ref, value in values:
        inline = is_inline(value)
        found.append(
            (yield from load_alone(context, ref, value, attribute)) if inline else next(fetched)
        )
    return found


def _values(ref: CheckpointRef, writes: Sequence[WriteRecord]) -> list[StoredValue]:
    return [StoredValue(write.value, write.place(ref), Attribute.VALUE) for write in writes]


def _with_values(writes: Sequence[WriteRecord], values: Sequence[Serialized]) -> list[WriteRecord]:
    return [replace(write, value=value) for write, value in zip(writes, values, strict=True)]


def _load(
    context: Context, ref: CheckpointRef, values: Sequence[StoredValue], attachments: Attachments
) -> Operation[list[Serialized]]:
    for value in values:
        require_size_within_limit(context, value.serialized.payload, value.place, value.attribute)
    attachments = yield from with_objects(context, ref, values, attachments)
    loaded = []
    for value in values:
        found = yield from _load_one(context, ref, value, attachments)
        loaded.append(found)
    return loaded


def _load_one(
    context: Context, ref: CheckpointRef, value: StoredValue, attachments: Attachments
) -> Operation[Serialized]:
    stored = stored_bytes(value, attachments)
    origin = origin_of(value.serialized.payload)
    base = None
    if origin is not None:
        base = (yield from require_base(context, ref, origin, value.attribute)).data
    return (yield from restored(context, value, stored, base))
