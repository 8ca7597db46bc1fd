"""What lies beside a checkpoint: its pending writes, and the parts of values outside their items.

Parts are stored before the item that refers to them, and deleted after it. An item is the only
thing that makes its parts count, so nothing here is ever seen half done.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

from langgraph_checkpoint_dynamodb.calls import (
    backoff,
    delete_objects,
    put_one,
    query_all,
    write_all,
)
from langgraph_checkpoint_dynamodb.effects import (
    Delete,
    GetObject,
    PutObject,
    Query,
    both,
    compute,
    send,
    together,
)
from langgraph_checkpoint_dynamodb.errors import (
    DynamoDBSaverError,
    MissingPartError,
    TransportError,
    UnreadableItemError,
)
from langgraph_checkpoint_dynamodb.items.beside import (
    ChunkRecord,
    DeletionMark,
    part_keys,
    part_put,
    read_beside_checkpoint,
)
from langgraph_checkpoint_dynamodb.keys import (
    Attribute,
    SortRange,
    Table,
    chunk_sort_key,
)
from langgraph_checkpoint_dynamodb.ops.lookup import require_same
from langgraph_checkpoint_dynamodb.ops.removal import remains
from langgraph_checkpoint_dynamodb.payload import (
    Chunks,
    DamagedPayloadError,
    Inline,
    S3Object,
    restore,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from langgraph_checkpoint_dynamodb.effects import Operation, Page, StoredItem
    from langgraph_checkpoint_dynamodb.items.checkpoints import CheckpointRecord
    from langgraph_checkpoint_dynamodb.items.life import Stamp
    from langgraph_checkpoint_dynamodb.items.values import Serialized
    from langgraph_checkpoint_dynamodb.items.writes import WriteRecord
    from langgraph_checkpoint_dynamodb.keys import CheckpointRef
    from langgraph_checkpoint_dynamodb.ops.store import Store
    from langgraph_checkpoint_dynamodb.payload import Part, Payload

T = TypeVar("T")

_log = logging.getLogger("langgraph_checkpoint_dynamodb")

_DOWNLOADS = 3
"""Attempts to read an S3 object, each with all the attempts of the SDK to begin."""
_BATCH_BYTES = 32_000_000
"""Bytes of values outside their items that are read together, where many are read."""
_PAGE_BYTES = 1_000_000
"""What a page of a Query holds at least, if there is as much: 1 MB, as the smaller of the two."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What was read beside a checkpoint.

    Attributes:
        writes: Its pending writes, in the order of their keys.
        chunks: The pieces of values, by sort key.
        objects: The S3 objects of the checkpoint's own values; `None` for one that is not there.
        marked: Whether writes were deleted or replaced here not long ago.
    """

    writes: tuple[WriteRecord, ...]
    chunks: Mapping[str, ChunkRecord]
    objects: Mapping[S3Object, bytes | None]
    marked: bool = False


def beside_query(store: Store, ref: CheckpointRef) -> Query:
    """The Query of everything beside a checkpoint."""
    return Query(Table.WRITES, ref.writes_partition, store.consistent)


def read_beside(store: Store, record: CheckpointRecord) -> Operation[Beside]:
    """What lies beside a checkpoint whose item has been read.

    A page holds 1 MB. More than that is read as several ranges side by side: the item tells where
    the pieces of its values are.

    Raises:
        MissingPartError: The checkpoint was deleted or replaced since its item was read, and its
            writes with it.
    """
    return (yield from _read(store, record, (), beside_query(store, record.ref)))


def read_rest_beside(store: Store, record: CheckpointRecord, first: Page) -> Operation[Beside]:
    """What lies beside a checkpoint, the first page of which was read together with its item."""
    rest = None
    if first.next is not None:
        rest = replace(beside_query(store, record.ref), start=first.next)
    return (yield from _read(store, record, first.items, rest))


def load(
    store: Store, record: CheckpointRecord, beside: Beside, writes: Sequence[WriteRecord]
) -> Operation[tuple[CheckpointRecord, list[WriteRecord]]]:
    """A checkpoint and pending writes with their values loaded from wherever they are.

    Args:
        store: How to read.
        record: The checkpoint.
        beside: What lies beside it.
        writes: Those of its pending writes that are wanted, in the order wanted.

    Raises:
        MissingPartError: A part is not there.
        UnreadableItemError: A part is damaged.
    """
    place = str(record.ref)
    own = [
        _Value(record.checkpoint, place, Attribute.CHECKPOINT),
        _Value(record.metadata, place, Attribute.METADATA),
    ]
    values = [*own, *_values(record.ref, writes)]
    loaded = yield from _load(store, record.ref, values, beside)
    whole = replace(record, checkpoint=loaded[0], metadata=loaded[1])
    return whole, _with_values(writes, loaded[2:])


def load_writes(
    store: Store, ref: CheckpointRef, beside: Beside, writes: Sequence[WriteRecord]
) -> Operation[list[WriteRecord]]:
    """Pending writes of a checkpoint as `load` gives them, without the checkpoint."""
    loaded = yield from _load(store, ref, _values(ref, writes), beside)
    return _with_values(writes, loaded)


def load_alone(
    store: Store, ref: CheckpointRef, value: Serialized, attribute: str
) -> Operation[Serialized]:
    """One value of a checkpoint, loaded without anything else that lies beside it.

    Raises:
        MissingPartError: A part is not there.
        UnreadableItemError: A part is damaged.
    """
    payload = value.payload
    _require_readable(store, payload, str(ref), attribute)
    found: Sequence[StoredItem] = ()
    if isinstance(payload, Chunks):
        keys = [chunk_sort_key(payload.address, number) for number in (0, payload.count - 1)]
        found = yield from query_all(replace(beside_query(store, ref), sort=SortRange(*keys)))
    beside = _sorted_out(store, ref, found, {})
    (loaded,) = yield from _load(store, ref, [_Value(value, str(ref), attribute)], beside)
    return loaded


def load_each(
    store: Store, values: Sequence[tuple[CheckpointRef, Serialized]], attribute: str
) -> Operation[list[Serialized]]:
    """One value of each of several checkpoints; those outside their items side by side."""
    outside = [(ref, value) for ref, value in values if not is_inline(value)]
    loaded = yield from together([load_alone(store, *value, attribute) for value in outside])
    fetched = iter(loaded)
    found = []
    for ref, value in values:
        inline = is_inline(value)
        found.append(
            (yield from load_alone(store, ref, value, attribute)) if inline else next(fetched)
        )
    return found


def store_parts(ref: CheckpointRef, parts: Iterable[Part], stamp: Stamp) -> Operation[None]:
    """Store the parts of values, side by side."""
    yield from together([_store_part(ref, part, stamp) for part in parts])


def discard(store: Store, ref: CheckpointRef, payloads: Iterable[Payload]) -> Operation[None]:
    """Delete the parts of values that no item refers to any more."""
    outside = [payload for payload in payloads if not isinstance(payload, Inline)]
    found = remains(store.payloads, ref, (), outside)
    yield from delete_objects(found.objects)
    keys = [key for payload in outside for key in part_keys(ref, payload)]
    yield from write_all([Delete(Table.WRITES, key) for key in keys])


def if_possible(ref: CheckpointRef, cleaning: Operation[None]) -> Operation[None]:
    """Clean up after a call that has done its work already, so that a failure is only logged.

    The sweep finds what stays behind.
    """
    try:
        yield from cleaning
    except DynamoDBSaverError as error:
        _log.warning("parts of an older value stay behind on %s: %s", ref, error)


def in_batches(values: Iterable[T], weigh: Callable[[T], int]) -> Iterator[list[T]]:
    """Values in groups of no more bytes than may be in memory at once, or of one."""
    batch: list[T] = []
    weight = 0
    for value in values:
        added = weigh(value)
        if batch and weight + added > _BATCH_BYTES:
            yield batch
            batch, weight = [], 0
        batch.append(value)
        weight += added
    if batch:
        yield batch


def missing_part(payload: Payload, place: str, attribute: str) -> MissingPartError:
    """The error that says that a part of a value is not there."""
    where = "in chunk items of the writes table"
    if isinstance(payload, S3Object):
        where = f"in S3 object {payload.key!r} of bucket {payload.bucket!r}"
    return MissingPartError(
        place=place,
        attribute=attribute,
        problem=f"is stored {where}, and part of it is not there",
        part="" if isinstance(payload, Inline) else str(payload.address),
    )


def is_inline(value: Serialized) -> bool:
    """Whether a value's bytes are in its item."""
    return isinstance(value.payload, Inline)


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
    store: Store, ref: CheckpointRef, values: Sequence[_Value], beside: Beside
) -> Operation[list[Serialized]]:
    wanted = [value.serialized.payload for value in values]
    for value in values:
        _require_readable(store, value.serialized.payload, value.place, value.attribute)
    missing = [
        payload
        for payload in wanted
        if isinstance(payload, S3Object) and payload not in beside.objects
    ]
    objects = {**beside.objects, **(yield from _get_objects(store, ref, missing))}
    loaded = []
    for value in values:
        payload = value.serialized.payload
        match payload:
            case Inline(data):
                stored: bytes | None = data
            case S3Object():
                stored = objects[payload]
            case Chunks():
                stored = _joined(payload, beside)
        if stored is None:
            raise missing_part(payload, value.place, value.attribute)
        work = partial(_restore, value, stored, store.payloads.max_value_bytes)
        data = yield from compute(work, _work_size(payload, stored))
        loaded.append(replace(value.serialized, payload=Inline(data)))
    return loaded


def _require_readable(store: Store, payload: Payload, place: str, attribute: str) -> None:
    """Refuse a value that says it is larger than any that is stored, before anything is fetched."""
    ceiling = store.payloads.readable_bytes
    if not isinstance(payload, Inline) and payload.size > ceiling:
        raise UnreadableItemError(
            place=place,
            attribute=attribute,
            problem=f"says it takes {payload.size} bytes, over the ceiling of {ceiling}; "
            "if that is right, raise max_value_bytes",
        )


def _restore(value: _Value, stored: bytes, ceiling: int) -> bytes:
    try:
        return restore(value.serialized.payload, stored, ceiling)
    except DamagedPayloadError as error:
        raise UnreadableItemError(
            place=value.place, attribute=value.attribute, problem=str(error)
        ) from error


def _work_size(payload: Payload, stored: bytes) -> int:
    """How many bytes are worked on to restore a value: none of one that is in its item as it is."""
    if payload.packed is not None:
        return max(payload.packed.size, len(stored))
    return 0 if isinstance(payload, Inline) else len(stored)


def _joined(payload: Chunks, beside: Beside) -> bytes | None:
    chunks = []
    for number in range(payload.count):
        chunk = beside.chunks.get(chunk_sort_key(payload.address, number))
        if chunk is None:
            return None
        chunks.append(chunk.data)
    return b"".join(chunks)


def _read(
    store: Store, record: CheckpointRecord, read: Sequence[StoredItem], query: Query | None
) -> Operation[Beside]:
    """What has been read and what a query finds, together with the checkpoint's objects."""
    payloads = (record.checkpoint.payload, record.metadata.payload)
    for payload, name in zip(payloads, (Attribute.CHECKPOINT, Attribute.METADATA), strict=True):
        _require_readable(store, payload, str(record.ref), name)
    wanted = [payload for payload in payloads if isinstance(payload, S3Object)]
    ranges = [] if query is None else _ranges(query, record)
    queries = together([query_all(range_) for range_ in ranges])
    if wanted:
        pages, objects = yield from both(queries, _get_objects(store, record.ref, wanted))
    else:
        pages, objects = (yield from queries), {}
    beside = _sorted_out(store, record.ref, chain(read, *pages), objects)
    if beside.marked:
        yield from require_same(store, record)
    return beside


def _sorted_out(
    store: Store,
    ref: CheckpointRef,
    items: Iterable[StoredItem],
    objects: Mapping[S3Object, bytes | None],
) -> Beside:
    writes: list[WriteRecord] = []
    chunks: dict[str, ChunkRecord] = {}
    marked = False
    for item in items:
        match read_beside_checkpoint(item, ref, store.now):
            case ChunkRecord() as chunk:
                chunks[chunk.key.sort] = chunk
            case DeletionMark():
                marked = True
            case found:
                writes += found
    return Beside(tuple(writes), chunks, objects, marked)


def _get_objects(
    store: Store, ref: CheckpointRef, payloads: Sequence[S3Object]
) -> Operation[dict[S3Object, bytes | None]]:
    for payload in payloads:
        if not store.payloads.owns(ref, payload.address, payload.bucket, payload.key):
            raise UnreadableItemError(
                place=str(ref),
                attribute=Attribute.OBJECT_KEY,
                problem=f"leads to object {payload.key!r} of bucket {payload.bucket!r}, which is "
                "not one of this checkpoint in a bucket of s3_offload_config; if the bucket was "
                "yours before, add it to former_bucket_names",
            )
    fetched = yield from together([_get_object(payload) for payload in payloads])
    return dict(zip(payloads, fetched, strict=True))


def _get_object(payload: S3Object) -> Operation[bytes | None]:
    """The object's bytes. The SDK does not repeat a download that breaks off; this does."""
    attempt = 1
    while True:
        try:
            return (yield from send(GetObject(payload.bucket, payload.key)))
        except TransportError:
            if attempt == _DOWNLOADS:
                raise
        yield from send(backoff(attempt))
        attempt += 1


def _store_part(ref: CheckpointRef, part: Part, stamp: Stamp) -> Operation[None]:
    # For an object, the item that leads to it comes first: no object is ever out of reach.
    yield from put_one(part_put(ref, part, stamp))
    if isinstance(part.payload, S3Object):
        yield from send(PutObject(part.payload.bucket, part.payload.key, part.data))


def _ranges(query: Query, record: CheckpointRecord) -> list[Query]:
    """The query in ranges that meet, cut where the record's chunks fill a page."""
    cuts: list[str] = []
    for payload in (record.checkpoint.payload, record.metadata.payload):
        if isinstance(payload, Chunks) and payload.size > _PAGE_BYTES:
            step = max(1, _PAGE_BYTES * payload.count // payload.size)
            numbers = range(step - 1, payload.count - 1, step)
            cuts += [chunk_sort_key(payload.address, number) for number in numbers]
    read = None if query.start is None else query.start[Attribute.TASK_ID_IDX].get("S")
    cuts = sorted(cut for cut in cuts if read is None or cut > read)
    if not cuts:
        return [query]
    first = replace(query, sort=SortRange(high=cuts[0]))
    between = [
        replace(query, start=None, after=low, sort=SortRange(high=high))
        for low, high in zip(cuts, [*cuts[1:], None], strict=True)
    ]
    return [first, *between]
