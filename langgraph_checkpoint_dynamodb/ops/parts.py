"""Storing, reading and deleting the parts of values: chunks and S3 objects.

Parts are stored before the item that refers to them, and deleted after it. Parts count only through
that item, so no reader ever sees a value of which some parts are missing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from langgraph_checkpoint_dynamodb.errors import UnreadableItemError
from langgraph_checkpoint_dynamodb.format.parts import chunk_sort_key
from langgraph_checkpoint_dynamodb.format.ranges import SortRange
from langgraph_checkpoint_dynamodb.format.tables import Table
from langgraph_checkpoint_dynamodb.items.writes_partition import part_keys, part_put
from langgraph_checkpoint_dynamodb.ops.attachments import (
    attachments_query,
    get_objects,
    missing_part_error,
    parse_attachments,
    require_size_within_limit,
)
from langgraph_checkpoint_dynamodb.ops.deletion_plan import plan_deletion
from langgraph_checkpoint_dynamodb.payloads.kinds import (
    Chunks,
    DamagedPayloadError,
    Inline,
    S3Object,
)
from langgraph_checkpoint_dynamodb.payloads.restoring import restore
from langgraph_checkpoint_dynamodb.requests.calls import (
    delete_objects,
    put_one,
    query_all,
    write_all,
)
from langgraph_checkpoint_dynamodb.requests.items import Delete
from langgraph_checkpoint_dynamodb.requests.objects import PutObject
from langgraph_checkpoint_dynamodb.requests.operations import compute, send, together

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from langgraph_checkpoint_dynamodb.format.expiry import Stamp
    from langgraph_checkpoint_dynamodb.format.keys import CheckpointRef
    from langgraph_checkpoint_dynamodb.items.values import Serialized
    from langgraph_checkpoint_dynamodb.ops.attachments import Attachments
    from langgraph_checkpoint_dynamodb.ops.context import Context
    from langgraph_checkpoint_dynamodb.payloads.kinds import Payload
    from langgraph_checkpoint_dynamodb.payloads.placement import Part
    from langgraph_checkpoint_dynamodb.requests.items import StoredItem
    from langgraph_checkpoint_dynamodb.requests.operations import Operation

T = TypeVar("T")

_BATCH_BYTES = 32_000_000
"""Maximum number of bytes outside items that are read together, when many values are read."""


@dataclass(frozen=True, slots=True)
class StoredValue:
    """A value as an item describes it.

    Attributes:
        serialized: Its type, and where its bytes are.
        place: The item, for errors.
        attribute: The attribute of the item.
    """

    serialized: Serialized
    place: str
    attribute: str


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


def read_attachments_of(
    context: Context, ref: CheckpointRef, value: StoredValue
) -> Operation[Attachments]:
    """Read the parts of one value of a checkpoint or base without its other attachments."""
    payload = value.serialized.payload
    require_size_within_limit(context, payload, value.place, value.attribute)
    found: Sequence[StoredItem] = ()
    if isinstance(payload, Chunks):
        keys = [chunk_sort_key(payload.address, number) for number in (0, payload.count - 1)]
        found = yield from query_all(
            replace(attachments_query(context, ref), sort=SortRange(*keys))
        )
    chunks = parse_attachments(context, ref, found, {})
    return (yield from with_objects(context, ref, [value], chunks))


def with_objects(
    context: Context, ref: CheckpointRef, values: Sequence[StoredValue], attachments: Attachments
) -> Operation[Attachments]:
    """Attachments with the S3 objects of these values."""
    payloads = [value.serialized.payload for value in values]
    missing = [
        payload
        for payload in payloads
        if isinstance(payload, S3Object) and payload not in attachments.objects
    ]
    if not missing:
        return attachments
    objects = yield from get_objects(context, ref, missing)
    return replace(attachments, objects={**attachments.objects, **objects})


def stored_bytes(value: StoredValue, attachments: Attachments) -> bytes:
    """The bytes of a value as they are stored: perhaps compressed, or a difference.

    Raises:
        MissingPartError: A part is missing.
    """
    payload = value.serialized.payload
    match payload:
        case Inline(data):
            stored: bytes | None = data
        case S3Object():
            stored = attachments.objects[payload]
        case Chunks():
            stored = _joined(payload, attachments)
    if stored is None:
        raise missing_part_error(payload, value.place, value.attribute)
    return stored


def restored(
    context: Context, value: StoredValue, stored: bytes, base: bytes | None
) -> Operation[Serialized]:
    """A value with its original bytes.

    Args:
        context: Settings of the call.
        value: The value.
        stored: Its bytes as they are stored.
        base: The base that it is the difference from, if any.

    Raises:
        UnreadableItemError: The bytes are damaged.
    """
    payload = value.serialized.payload
    work = partial(_restore, value, stored, context.payloads.max_value_bytes, base)
    data = yield from compute(work, _work_size(payload, stored, base))
    return replace(value.serialized, payload=Inline(data))


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


def _restore(value: StoredValue, stored: bytes, ceiling: int, base: bytes | None) -> bytes:
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
