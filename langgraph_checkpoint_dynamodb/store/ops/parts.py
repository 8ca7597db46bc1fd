"""Values outside their items: stored before the item, loaded after it, deleted after it."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from langgraph_checkpoint_dynamodb.errors import (
    MissingPartError,
    UnreadableItemError,
)
from langgraph_checkpoint_dynamodb.format.parts import chunk_sort_key
from langgraph_checkpoint_dynamodb.format.ranges import SortRange
from langgraph_checkpoint_dynamodb.format.tables import Attribute, Table
from langgraph_checkpoint_dynamodb.items.attributes import binary
from langgraph_checkpoint_dynamodb.items.payload_attributes import (
    outside_if_readable,
    require_owned,
)
from langgraph_checkpoint_dynamodb.payloads.kinds import (
    Chunks,
    DamagedPayloadError,
    Inline,
    S3Object,
)
from langgraph_checkpoint_dynamodb.payloads.restoring import restore
from langgraph_checkpoint_dynamodb.requests.calls import (
    delete_objects,
    if_possible,
    put_one,
    query_all,
    read_object,
    write_all,
)
from langgraph_checkpoint_dynamodb.requests.items import Delete, GetItem, Query
from langgraph_checkpoint_dynamodb.requests.objects import PutObject
from langgraph_checkpoint_dynamodb.requests.operations import compute, send, together
from langgraph_checkpoint_dynamodb.store.items import part_keys, part_put, read_item
from langgraph_checkpoint_dynamodb.store.keys import ItemRef
from langgraph_checkpoint_dynamodb.store.vectors import vector_keys_if_readable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from langgraph_checkpoint_dynamodb.format.tables import Key
    from langgraph_checkpoint_dynamodb.payloads.kinds import Payload
    from langgraph_checkpoint_dynamodb.payloads.placement import Part
    from langgraph_checkpoint_dynamodb.requests.items import StoredItem
    from langgraph_checkpoint_dynamodb.requests.operations import Operation
    from langgraph_checkpoint_dynamodb.store.context import Context
    from langgraph_checkpoint_dynamodb.store.items import ItemRecord
    from langgraph_checkpoint_dynamodb.store.keys import Holder

_log = logging.getLogger("langgraph_checkpoint_dynamodb")

_PAGE_BYTES = 1_000_000
"""Bytes of a full page of a Query: 1 MB, in case that means a million bytes."""


class Loaded(NamedTuple):
    """An item, and the serialized bytes of its value."""

    record: ItemRecord
    data: bytes


def is_outside(record: ItemRecord) -> bool:
    """Whether an item's value is stored outside the item."""
    return not isinstance(record.value.payload, Inline)


def load_all(context: Context, records: Sequence[ItemRecord]) -> Operation[list[Loaded]]:
    """Items with the bytes of their values, in order, without those that were deleted meanwhile.

    Values outside their items are read concurrently.
    """
    outside = [record for record in records if is_outside(record)]
    fetched = iter((yield from together([_load(context, record) for record in outside])))
    found = []
    for record in records:
        loaded = next(fetched) if is_outside(record) else (yield from _load_once(context, record))
        if loaded is not None:
            found.append(loaded)
    return found


def _load(context: Context, record: ItemRecord) -> Operation[Loaded | None]:
    """An item and its value; `None` if the item was deleted meanwhile.

    Raises:
        MissingPartError: A part of the value is missing, and the item still refers to it.
        UnreadableItemError: A part is damaged.
    """
    try:
        return (yield from _load_once(context, record))
    except MissingPartError:
        # Another process may have replaced the item and deleted its parts since it was read.
        item = yield from send(GetItem(Table.STORE, record.ref.primary, consistent=True))
        again = None if item is None else read_item(item, context.spread)
        if again is None:
            return None
        if again.version == record.version and context.consistent:
            raise
    return (yield from _load(context.consistently(), again))


def store_parts(
    ref: Holder, parts: Iterable[Part], created: int, ttl: int | None
) -> Operation[None]:
    """Store the parts of a value concurrently."""
    yield from together([_store_part(ref, part, created, ttl) for part in parts])


def delete_parts_of(context: Context, ref: Holder, item: StoredItem | None) -> Operation[None]:
    """Delete the parts and vectors of an item that was deleted or replaced.

    The call has already succeeded, so a failure is only logged; the sweep deletes what remains.
    """
    if item is None:
        return
    outside = outside_if_readable(item, str(ref))
    vectors = vector_keys_if_readable(ref, item) if isinstance(ref, ItemRef) else []
    if outside or vectors:
        yield from if_possible(ref, _delete_parts(context, ref, outside, vectors))


def _delete_parts(
    context: Context,
    ref: Holder,
    outside: Sequence[Chunks | S3Object],
    vectors: Sequence[Key],
) -> Operation[None]:
    # An object before the item that refers to it, so that the sweep can find every object.
    objects = [one for one in outside if isinstance(one, S3Object)]
    ours = [one for one in objects if context.payloads.owns(ref, one.address, one.bucket, one.key)]
    for foreign in objects:
        if foreign not in ours:
            _log.warning(
                "object %r of bucket %r is kept: %s leads to it, and it is not one of that item in "
                "a bucket of s3_offload_config; if the bucket is yours, name it there "
                "(former_bucket_names) and sweep",
                foreign.key,
                foreign.bucket,
                ref,
            )
    yield from delete_objects((one.bucket, one.key) for one in ours)
    deleted: list[Payload] = [one for one in outside if isinstance(one, Chunks) or one in ours]
    keys = [key for one in deleted for key in part_keys(ref, one)]
    yield from write_all([Delete(Table.STORE, key) for key in (*keys, *vectors)])


def _store_part(ref: Holder, part: Part, created: int, ttl: int | None) -> Operation[None]:
    # The item that refers to an object comes first, so that the sweep can find every object.
    yield from put_one(part_put(ref, part, created, ttl))
    if isinstance(part.payload, S3Object):
        yield from send(PutObject(part.payload.bucket, part.payload.key, part.data))


def load_value(context: Context, ref: Holder, found: Payload) -> Operation[bytes]:
    """The serialized bytes of an item's value.

    Args:
        context: Settings of the call.
        ref: The item.
        found: Where its value is stored.

    Raises:
        MissingPartError: A part of the value is missing.
        UnreadableItemError: A part is damaged.
    """
    if isinstance(found, Inline) and found.packed is None:
        return found.data
    stored = yield from _read_stored(context, ref, found)
    ceiling = context.payloads.readable_bytes
    size = len(stored) if found.packed is None else max(len(stored), found.packed.size)
    return (yield from compute(partial(_restored, ref, found, stored, ceiling), size))


def _load_once(context: Context, record: ItemRecord) -> Operation[Loaded]:
    data = yield from load_value(context, record.ref, record.value.payload)
    return Loaded(record, data)


def _restored(ref: Holder, found: Payload, stored: bytes, ceiling: int) -> bytes:
    try:
        return restore(found, stored, ceiling)
    except DamagedPayloadError as error:
        raise UnreadableItemError(
            place=str(ref), attribute=Attribute.VALUE, problem=str(error)
        ) from error


def _read_stored(context: Context, ref: Holder, found: Payload) -> Operation[bytes]:
    """The bytes of a value as they are stored, maybe compressed."""
    if isinstance(found, Inline):
        return found.data
    ceiling = context.payloads.readable_bytes
    if found.size > ceiling:
        raise UnreadableItemError(
            place=str(ref),
            attribute=Attribute.VALUE,
            problem=f"says it takes {found.size} bytes, over the ceiling of {ceiling}; "
            "if that is right, raise max_value_bytes",
        )
    stored: bytes | None
    if isinstance(found, Chunks):
        stored = yield from _read_chunks(context, ref, found)
    else:
        stored = yield from _read_object(context, ref, found)
    if stored is None:
        where = "in chunk items" if isinstance(found, Chunks) else f"in S3 object {found.key!r}"
        raise MissingPartError(
            place=str(ref),
            attribute=Attribute.VALUE,
            problem=f"is stored {where}, and part of it is not there",
            part=str(found.address),
        )
    return stored


def _read_chunks(context: Context, ref: Holder, found: Chunks) -> Operation[bytes | None]:
    step = max(1, _PAGE_BYTES * found.count // max(1, found.size))
    ranges = [
        Query(
            Table.STORE,
            ref.parts,
            context.consistent,
            SortRange(
                chunk_sort_key(found.address, first),
                chunk_sort_key(found.address, min(first + step, found.count) - 1),
            ),
        )
        for first in range(0, found.count, step)
    ]
    pages = yield from together([query_all(one) for one in ranges])
    items = [item for page in pages for item in page]
    if len(items) != found.count:
        return None
    return b"".join(binary(item, Attribute.CHUNK, f"a chunk of {ref}") for item in items)


def _read_object(context: Context, ref: Holder, found: S3Object) -> Operation[bytes | None]:
    require_owned(context.payloads, ref, found, "item")
    return (yield from read_object(found.bucket, found.key))
