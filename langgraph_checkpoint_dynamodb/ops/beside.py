"""What lies beside a checkpoint or a base: pending writes, chunks of values, and S3 objects."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.errors import (
    MissingPartError,
    UnreadableItemError,
)
from langgraph_checkpoint_dynamodb.format.parts import chunk_sort_key
from langgraph_checkpoint_dynamodb.format.ranges import SortRange
from langgraph_checkpoint_dynamodb.format.tables import Attribute, Table
from langgraph_checkpoint_dynamodb.items.payload_attributes import require_owned
from langgraph_checkpoint_dynamodb.items.writes_partition import (
    ChunkRecord,
    DeletionMark,
    read_partition_item,
)
from langgraph_checkpoint_dynamodb.ops.lookup import require_same
from langgraph_checkpoint_dynamodb.payloads.kinds import Chunks, Inline, S3Object
from langgraph_checkpoint_dynamodb.requests.calls import query_all, read_object
from langgraph_checkpoint_dynamodb.requests.items import Query
from langgraph_checkpoint_dynamodb.requests.operations import both, together

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from langgraph_checkpoint_dynamodb.format.keys import CheckpointRef
    from langgraph_checkpoint_dynamodb.items.checkpoints import CheckpointRecord
    from langgraph_checkpoint_dynamodb.items.values import Serialized
    from langgraph_checkpoint_dynamodb.items.writes import WriteRecord
    from langgraph_checkpoint_dynamodb.ops.store import Store
    from langgraph_checkpoint_dynamodb.payloads.kinds import Payload
    from langgraph_checkpoint_dynamodb.requests.items import Page, StoredItem
    from langgraph_checkpoint_dynamodb.requests.operations import Operation

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


def require_readable(store: Store, payload: Payload, place: str, attribute: str) -> None:
    """Refuse a value that says it is larger than any that is stored, before anything is fetched."""
    ceiling = store.payloads.readable_bytes
    if not isinstance(payload, Inline) and payload.size > ceiling:
        raise UnreadableItemError(
            place=place,
            attribute=attribute,
            problem=f"says it takes {payload.size} bytes, over the ceiling of {ceiling}; "
            "if that is right, raise max_value_bytes",
        )


def _read(
    store: Store, record: CheckpointRecord, read: Sequence[StoredItem], query: Query | None
) -> Operation[Beside]:
    """What has been read and what a query finds, together with the checkpoint's objects."""
    payloads = (record.checkpoint.payload, record.metadata.payload)
    for payload, name in zip(payloads, (Attribute.CHECKPOINT, Attribute.METADATA), strict=True):
        require_readable(store, payload, str(record.ref), name)
    wanted = [payload for payload in payloads if isinstance(payload, S3Object)]
    ranges = [] if query is None else _ranges(query, record)
    queries = together([query_all(range_) for range_ in ranges])
    if wanted:
        pages, objects = yield from both(queries, get_objects(store, record.ref, wanted))
    else:
        pages, objects = (yield from queries), {}
    beside = sorted_out(store, record.ref, chain(read, *pages), objects)
    if beside.marked:
        yield from require_same(store, record)
    return beside


def sorted_out(
    store: Store,
    ref: CheckpointRef,
    items: Iterable[StoredItem],
    objects: Mapping[S3Object, bytes | None],
) -> Beside:
    """What items of a checkpoint's partition are."""
    writes: list[WriteRecord] = []
    chunks: dict[str, ChunkRecord] = {}
    marked = False
    for item in items:
        match read_partition_item(item, ref, store.now):
            case ChunkRecord() as chunk:
                chunks[chunk.key.sort] = chunk
            case DeletionMark():
                marked = True
            case found:
                writes += found
    return Beside(tuple(writes), chunks, objects, marked)


def get_objects(
    store: Store, ref: CheckpointRef, payloads: Sequence[S3Object]
) -> Operation[dict[S3Object, bytes | None]]:
    """The bytes of S3 objects of a checkpoint; `None` for one that is not there.

    Raises:
        UnreadableItemError: One of them is not the checkpoint's.
    """
    for payload in payloads:
        require_owned(store.payloads, ref, payload, "checkpoint")
    fetched = yield from together([read_object(one.bucket, one.key) for one in payloads])
    return dict(zip(payloads, fetched, strict=True))


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
