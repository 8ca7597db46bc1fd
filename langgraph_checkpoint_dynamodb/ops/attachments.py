"""The attachments of a checkpoint or a base: its pending writes, chunks and S3 objects.

Pending writes and chunks are the items of one partition of the writes table.
"""

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
from langgraph_checkpoint_dynamodb.ops.rereading import require_unchanged
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
    from langgraph_checkpoint_dynamodb.ops.context import Context
    from langgraph_checkpoint_dynamodb.payloads.kinds import Payload
    from langgraph_checkpoint_dynamodb.requests.items import Page, StoredItem
    from langgraph_checkpoint_dynamodb.requests.operations import Operation

_PAGE_BYTES = 1_000_000
"""Minimum size of a full Query page: 1 MB, read as the smaller of 10^6 and 2^20 bytes."""


@dataclass(frozen=True, slots=True)
class Attachments:
    """The attachments of a checkpoint that have been read.

    Attributes:
        writes: Its pending writes, in the order of their sort keys.
        chunks: The chunks of its values and of its writes' values, by sort key.
        objects: The S3 objects of its own values; `None` for a missing object.
        has_deletion_mark: Whether writes were deleted or replaced recently.
    """

    writes: tuple[WriteRecord, ...]
    chunks: Mapping[str, ChunkRecord]
    objects: Mapping[S3Object, bytes | None]
    has_deletion_mark: bool = False


def attachments_query(context: Context, ref: CheckpointRef) -> Query:
    """The Query for all items of a checkpoint's partition of the writes table."""
    return Query(Table.WRITES, ref.writes_partition, context.consistent)


def read_attachments(context: Context, record: CheckpointRecord) -> Operation[Attachments]:
    """Read the attachments of a checkpoint whose item has been read.

    More than a page (1 MB) is read as several key ranges in parallel, which the item's description
    of its chunks allows to plan.

    Raises:
        MissingPartError: The checkpoint and its writes were deleted or replaced after its item was
            read.
    """
    return (
        yield from _complete_attachments(
            context, record, (), attachments_query(context, record.ref)
        )
    )


def read_remaining_attachments(
    context: Context, record: CheckpointRecord, first: Page
) -> Operation[Attachments]:
    """Read the attachments of a checkpoint after their first page."""
    rest = None
    if first.next is not None:
        rest = replace(attachments_query(context, record.ref), start=first.next)
    return (yield from _complete_attachments(context, record, first.items, rest))


def missing_part_error(payload: Payload, place: str, attribute: str) -> MissingPartError:
    """The error for a value of which a chunk or the S3 object is missing."""
    where = "in chunk items of the writes table"
    if isinstance(payload, S3Object):
        where = f"in S3 object {payload.key!r} of bucket {payload.bucket!r}"
    return MissingPartError(
        place=place,
        attribute=attribute,
        problem=f"is stored {where}, and part of it is missing",
        part="" if isinstance(payload, Inline) else str(payload.address),
    )


def is_inline(value: Serialized) -> bool:
    """Whether a value's bytes are in its item."""
    return isinstance(value.payload, Inline)


def require_size_within_limit(
    context: Context, payload: Payload, place: str, attribute: str
) -> None:
    """Reject a value whose description exceeds the size limit, before it is fetched."""
    ceiling = context.payloads.readable_bytes
    if not isinstance(payload, Inline) and payload.size > ceiling:
        raise UnreadableItemError(
            place=place,
            attribute=attribute,
            problem=f"says it takes {payload.size} bytes, over the ceiling of {ceiling}; "
            "if that is right, raise max_value_bytes",
        )


def _complete_attachments(
    context: Context, record: CheckpointRecord, read: Sequence[StoredItem], query: Query | None
) -> Operation[Attachments]:
    """The attachments in items already read, in a query's items, and in S3."""
    payloads = (record.checkpoint.payload, record.metadata.payload)
    for payload, name in zip(payloads, (Attribute.CHECKPOINT, Attribute.METADATA), strict=True):
        require_size_within_limit(context, payload, str(record.ref), name)
    objects_needed = [payload for payload in payloads if isinstance(payload, S3Object)]
    queries = together([] if query is None else [query_all(one) for one in _ranges(query, record)])
    if objects_needed:
        pages, objects = yield from both(queries, get_objects(context, record.ref, objects_needed))
    else:
        pages, objects = (yield from queries), {}
    attachments = parse_attachments(context, record.ref, chain(read, *pages), objects)
    if attachments.has_deletion_mark:
        yield from require_unchanged(context, record)
    return attachments


def parse_attachments(
    context: Context,
    ref: CheckpointRef,
    items: Iterable[StoredItem],
    objects: Mapping[S3Object, bytes | None],
) -> Attachments:
    """Sort items of a checkpoint's partition into writes, chunks and marks."""
    writes: list[WriteRecord] = []
    chunks: dict[str, ChunkRecord] = {}
    has_deletion_mark = False
    for item in items:
        match read_partition_item(item, ref, context.now):
            case ChunkRecord() as chunk:
                chunks[chunk.key.sort] = chunk
            case DeletionMark():
                has_deletion_mark = True
            case found:
                writes += found
    return Attachments(tuple(writes), chunks, objects, has_deletion_mark)


def get_objects(
    context: Context, ref: CheckpointRef, payloads: Sequence[S3Object]
) -> Operation[dict[S3Object, bytes | None]]:
    """The bytes of S3 objects of a checkpoint; `None` for a missing object.

    Raises:
        UnreadableItemError: An object does not belong to the checkpoint.
    """
    for payload in payloads:
        require_owned(context.payloads, ref, payload, "checkpoint")
    fetched = yield from together([read_object(one.bucket, one.key) for one in payloads])
    return dict(zip(payloads, fetched, strict=True))


def _ranges(query: Query, record: CheckpointRecord) -> list[Query]:
    """Split the query into adjacent key ranges, so that each holds about one page of chunks."""
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
