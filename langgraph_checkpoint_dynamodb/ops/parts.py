"""Loading, storing and deleting the parts of values, and loading the bases of differences.

Parts are stored before the item that refers to them, and deleted after it. Parts count only through
that item, so no reader ever sees a value of which some parts are missing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from langgraph_checkpoint_dynamodb.errors import (
    DeletedBaseError,
    MissingPartError,
    UnreadableItemError,
)
from langgraph_checkpoint_dynamodb.format.parts import chunk_sort_key, content_digest
from langgraph_checkpoint_dynamodb.format.ranges import SortRange
from langgraph_checkpoint_dynamodb.format.tables import Attribute, Table
from langgraph_checkpoint_dynamodb.items.bases import (
    bases_deleted_key,
    read_base,
    read_bases_deleted,
    was_deleted,
)
from langgraph_checkpoint_dynamodb.items.values import Serialized
from langgraph_checkpoint_dynamodb.items.writes_partition import part_keys, part_put
from langgraph_checkpoint_dynamodb.ops.attachments import (
    attachments_query,
    get_objects,
    is_inline,
    missing_part_error,
    parse_attachments,
    require_size_within_limit,
)
from langgraph_checkpoint_dynamodb.ops.deletion_plan import plan_deletion
from langgraph_checkpoint_dynamodb.payloads.differences import Base
from langgraph_checkpoint_dynamodb.payloads.kinds import (
    Chunks,
    DamagedPayloadError,
    Inline,
    S3Object,
    origin_of,
)
from langgraph_checkpoint_dynamodb.payloads.restoring import restore
from langgraph_checkpoint_dynamodb.requests.calls import (
    delete_objects,
    put_one,
    query_all,
    write_all,
)
from langgraph_checkpoint_dynamodb.requests.items import Delete, GetItem
from langgraph_checkpoint_dynamodb.requests.objects import PutObject
from langgraph_checkpoint_dynamodb.requests.operations import compute, send, together

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from langgraph_checkpoint_dynamodb.format.keys import BaseRef, CheckpointRef
    from langgraph_checkpoint_dynamodb.format.life import Stamp
    from langgraph_checkpoint_dynamodb.items.bases import BaseRecord
    from langgraph_checkpoint_dynamodb.items.checkpoints import CheckpointRecord
    from langgraph_checkpoint_dynamodb.items.writes import WriteRecord
    from langgraph_checkpoint_dynamodb.ops.attachments import Attachments
    from langgraph_checkpoint_dynamodb.ops.context import Context
    from langgraph_checkpoint_dynamodb.payloads.kinds import Origin, Payload
    from langgraph_checkpoint_dynamodb.payloads.placement import Part
    from langgraph_checkpoint_dynamodb.requests.items import StoredItem
    from langgraph_checkpoint_dynamodb.requests.operations import Operation

T = TypeVar("T")


_BATCH_BYTES = 32_000_000
"""Maximum number of bytes outside items that are read together, when many values are read."""


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
        _Value(record.checkpoint, place, Attribute.CHECKPOINT),
        _Value(record.metadata, place, Attribute.METADATA),
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
    payload = value.payload
    require_size_within_limit(context, payload, str(ref), attribute)
    found: Sequence[StoredItem] = ()
    if isinstance(payload, Chunks):
        keys = [chunk_sort_key(payload.address, number) for number in (0, payload.count - 1)]
        found = yield from query_all(
            replace(attachments_query(context, ref), sort=SortRange(*keys))
        )
    attachments = parse_attachments(context, ref, found, {})
    (loaded,) = yield from _load(context, ref, [_Value(value, str(ref), attribute)], attachments)
    return loaded


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


def _bases_of(
    values: Iterable[tuple[CheckpointRef, Serialized]],
) -> Iterator[tuple[BaseRef, Origin]]:
    for ref, value in values:
        origin = origin_of(value.payload)
        if origin is not None:
            yield origin.base(ref.thread_id, ref.checkpoint_ns), origin


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
    try:
        loaded = yield from load_alone(
            context, ref, Serialized("", record.payload), Attribute.CHECKPOINT
        )
    except MissingPartError:
        return None
    digest = yield from compute(partial(content_digest, loaded.data), len(loaded.data))
    return Base(ref, loaded.data, digest, record.created, record.ttl, record.payload)


def _base_record(context: Context, ref: BaseRef) -> Operation[BaseRecord | None]:
    item = yield from send(GetItem(Table.CHECKPOINTS, ref.key, context.consistent))
    return None if item is None else read_base(item, ref, context.now)


def store_parts(ref: CheckpointRef, parts: Iterable[Part], stamp: Stamp) -> Operation[None]:
    """Store the parts of values concurrently."""
    yield from together([_store_part(ref, part, stamp) for part in parts])


def delete_parts(
    context: Context, ref: CheckpointRef, payloads: Iterable[Payload]
) -> Operation[None]:
    """Delete the parts of values that no item refers to."""
    outside = [payload for payload in payloads if not isinstance(payload, Inline)]
    found = plan_deletion(context.payloads, ref, (), outside)
    yield from delete_objects(found.objects)
    keys = [key for payload in outside for key in part_keys(ref, payload)]
    yield from write_all([Delete(Table.WRITES, key) for key in keys])


def in_batches(values: Iterable[T], size_of: Callable[[T], int]) -> Iterator[list[T]]:
    """Split values into batches of at most `_BATCH_BYTES`, or of one larger value."""
    batch: list[T] = []
    size = 0
    for value in values:
        added = size_of(value)
        if batch and size + added > _BATCH_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(value)
        size += added
    if batch:
        yield batch


@dataclass(frozen=True, slots=True)
class _Value:
    serialized: Serialized
    place: str
    attribute: str


def _values(ref: CheckpointRef, writes: Sequence[WriteRecord]) -> list[_Value]:
    return [_Value(write.value, write.place(ref), Attribute.VALUE) for write in writes]


def _with_values(writes: Sequence[WriteRecord], values: Sequence[Serialized]) -> list[WriteRecord]:
    return [replace(write, value=value) for write, value in zip(writes, values, strict=True)]


def _load(
    context: Context, ref: CheckpointRef, values: Sequence[_Value], attachments: Attachments
) -> Operation[list[Serialized]]:
    wanted = [value.serialized.payload for value in values]
    for value in values:
        require_size_within_limit(context, value.serialized.payload, value.place, value.attribute)
    missing = [
        payload
        for payload in wanted
        if isinstance(payload, S3Object) and payload not in attachments.objects
    ]
    objects = {**attachments.objects, **(yield from get_objects(context, ref, missing))}
    loaded = []
    for value in values:
        payload = value.serialized.payload
        match payload:
            case Inline(data):
                stored: bytes | None = data
            case S3Object():
                stored = objects[payload]
            case Chunks():
                stored = _joined(payload, attachments)
        if stored is None:
            raise missing_part_error(payload, value.place, value.attribute)
        base = None
        if (origin := origin_of(payload)) is not None:
            found = yield from require_base(context, ref, origin, value.attribute)
            base = found.data
        work = partial(_restore, value, stored, context.payloads.max_value_bytes, base)
        data = yield from compute(work, _work_size(payload, stored, base))
        loaded.append(replace(value.serialized, payload=Inline(data)))
    return loaded


def _restore(value: _Value, stored: bytes, ceiling: int, base: bytes | None) -> bytes:
    try:
        return restore(value.serialized.payload, stored, ceiling, base)
    except DamagedPayloadError as error:
        raise UnreadableItemError(
            place=value.place, attribute=value.attribute, problem=str(error)
        ) from error


def _work_size(payload: Payload, stored: bytes, base: bytes | None) -> int:
    """The number of bytes processed to restore a value; 0 for an uncompressed inline value."""
    if payload.packed is not None:
        return max(payload.packed.size, len(stored)) + len(base or b"")
    return 0 if isinstance(payload, Inline) else len(stored)


def _joined(payload: Chunks, attachments: Attachments) -> bytes | None:
    chunks = []
    for number in range(payload.count):
        chunk = attachments.chunks.get(chunk_sort_key(payload.address, number))
        if chunk is None:
            return None
        chunks.append(chunk.data)
    return b"".join(chunks)


def _store_part(ref: CheckpointRef, part: Part, stamp: Stamp) -> Operation[None]:
    # The item that refers to an object is stored first, so that no object becomes unreachable.
    yield from put_one(part_put(ref, part, stamp))
    if isinstance(part.payload, S3Object):
        yield from send(PutObject(part.payload.bucket, part.payload.key, part.data))
