"""Listing checkpoints: Query pages, then the writes of each page's matches concurrently."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.format.addressing import Address
from langgraph_checkpoint_dynamodb.format.keys import namespace_range
from langgraph_checkpoint_dynamodb.format.ranges import EVERY_KEY
from langgraph_checkpoint_dynamodb.format.tables import Attribute, Table
from langgraph_checkpoint_dynamodb.items.attributes import read_key
from langgraph_checkpoint_dynamodb.items.checkpoints import read_checkpoint, read_checkpoint_head
from langgraph_checkpoint_dynamodb.items.codec import decode_metadata
from langgraph_checkpoint_dynamodb.ops.attachments import is_inline
from langgraph_checkpoint_dynamodb.ops.bases import forget_bases_except, load_bases
from langgraph_checkpoint_dynamodb.ops.parts import in_batches
from langgraph_checkpoint_dynamodb.ops.read import load_tuple
from langgraph_checkpoint_dynamodb.ops.rereading import get_checkpoint, with_reread
from langgraph_checkpoint_dynamodb.ops.values import load_alone
from langgraph_checkpoint_dynamodb.payloads.kinds import stored_bytes
from langgraph_checkpoint_dynamodb.requests.items import Query, Scan
from langgraph_checkpoint_dynamodb.requests.operations import Emit, send, together

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from langgraph.checkpoint.base import CheckpointMetadata, CheckpointTuple

    from langgraph_checkpoint_dynamodb.format.keys import CheckpointRef
    from langgraph_checkpoint_dynamodb.items.checkpoints import CheckpointRecord
    from langgraph_checkpoint_dynamodb.ops.context import Context
    from langgraph_checkpoint_dynamodb.requests.items import StoredItem
    from langgraph_checkpoint_dynamodb.requests.operations import Operation, Stream

_FIRST_PAGE = 16
_LARGEST_PAGE = 128
"""If the number of items to read is unknown, page sizes double from the first to the largest: a
caller that stops early does not pay for 1 MB, a caller that reads on needs few round trips.
DynamoDB also ends pages at 1 MB."""
_EMPTY_PAGE = 4096
"""Largest page size while the pages contain no wanted checkpoint."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which checkpoints to return.

    Attributes:
        checkpoint_id: Only this id.
        before: Only ids below this one, compared as text.
        metadata: Only if the metadata has these values (equality; a missing key is `None`).
        limit: Maximum number of checkpoints, counted after filtering; `None` for all.
    """

    checkpoint_id: str | None = None
    before: str | None = None
    metadata: Mapping[str, Any] | None = None
    limit: int | None = None

    def has_id(self, checkpoint_id: str) -> bool:
        """Whether the id of a checkpoint matches."""
        if self.checkpoint_id is not None and checkpoint_id != self.checkpoint_id:
            return False
        return self.before is None or checkpoint_id < self.before

    def has_metadata(self, metadata: CheckpointMetadata) -> bool:
        """Whether the metadata of a checkpoint match."""
        return all(metadata.get(key) == value for key, value in (self.metadata or {}).items())

    def after(self, emitted: int) -> Wanted:
        """What is still wanted after this many checkpoints have been returned."""
        return self if self.limit is None else replace(self, limit=self.limit - emitted)

    @property
    def satisfied(self) -> bool:
        """Whether the limit has been reached."""
        return self.limit is not None and self.limit <= 0


def list_thread(context: Context, address: Address, wanted: Wanted) -> Stream[CheckpointTuple]:
    """The wanted checkpoints of a thread, newest first in each namespace.

    Without a filter, a limit of n reads n items (one more with `before`, which may be one of them).
    """
    if address.checkpoint_ns is not None and wanted.checkpoint_id is not None:
        return (yield from _list_one(context, address.ref(wanted.checkpoint_id), wanted))
    exact = address.checkpoint_ns is not None and not wanted.metadata
    query = Query(
        Table.CHECKPOINTS,
        address.thread_id,
        context.consistent,
        sort=(
            EVERY_KEY
            if address.checkpoint_ns is None
            else namespace_range(address.checkpoint_ns, wanted.before)
        ),
        forward=False,
    )
    if query.sort.empty:
        return 0
    emitted = 0
    page_size = _FIRST_PAGE
    extra = 0 if wanted.before is None else 1
    while not (left := wanted.after(emitted)).satisfied:
        limit = page_size
        if exact and left.limit is not None:
            limit = min(left.limit + extra, _LARGEST_PAGE)
        page = yield from send(replace(query, limit=limit))
        records = _records(context, page.items, address.checkpoint_ns, left)
        found = yield from _emit_matches(context, records, left)
        emitted += found
        if page.next is None:
            break
        query = replace(query, start=page.next)
        page_size = min(2 * page_size, _LARGEST_PAGE if found else _EMPTY_PAGE)
        extra = 0
    return emitted


def list_all(context: Context, wanted: Wanted) -> Stream[CheckpointTuple]:
    """The wanted checkpoints of all threads, newest first in each namespace of a thread.

    A Scan returns a thread's items together, oldest first. A thread within one page is reversed in
    memory. A thread that extends beyond a page is read again with a Query, so that memory does not
    grow with the longest thread.
    """
    scan = Scan(Table.CHECKPOINTS, context.consistent)
    emitted = 0
    listed_thread: str | None = None
    while not wanted.after(emitted).satisfied:
        page = yield from send(scan)
        threads = _by_thread(page.items)
        for position, (thread_id, items) in enumerate(threads, start=1):
            left = wanted.after(emitted)
            if thread_id == listed_thread or left.satisfied:
                continue
            if page.next is not None and position == len(threads):
                listed_thread = thread_id
                emitted += yield from list_thread(context, Address(thread_id, None, None), left)
            else:
                emitted += yield from _emit_matches(
                    context, _records(context, items, None, left), left
                )
        if page.next is None:
            break
        scan = replace(scan, start=page.next)
    return emitted


def _list_one(context: Context, ref: CheckpointRef, wanted: Wanted) -> Stream[CheckpointTuple]:
    if wanted.satisfied or not wanted.has_id(ref.checkpoint_id):
        return 0
    record = yield from get_checkpoint(context, ref)
    if record is None:
        return 0
    return (yield from _emit_matches(context, [record], wanted))


def _records(
    context: Context, items: Sequence[StoredItem], checkpoint_ns: str | None, wanted: Wanted
) -> list[CheckpointRecord]:
    """The checkpoints of a page whose namespace and id match."""
    heads = ((read_checkpoint_head(item, context.now), item) for item in items)
    return [
        record
        for head, item in heads
        if head.visible
        and (record := read_checkpoint(head, item)) is not None
        and checkpoint_ns in (None, record.ref.checkpoint_ns)
        and wanted.has_id(record.ref.checkpoint_id)
    ]


def _emit_matches(
    context: Context, records: Sequence[CheckpointRecord], wanted: Wanted
) -> Stream[CheckpointTuple]:
    """Emit the wanted checkpoints, without those that are deleted meanwhile."""
    matches = yield from _matching(context, records, wanted)
    emitted = 0
    for batch in in_batches(matches, _outside_bytes):
        values = [(match.ref, match.checkpoint) for match in batch]
        forget_bases_except(context, but_of=values)
        yield from load_bases(context, values)
        completed = yield from together(
            [with_reread(context, match, load_tuple) for match in batch]
        )
        tuples = [found for found in completed if found is not None]
        yield Emit(tuples)
        emitted += len(tuples)
    return emitted


def _outside_bytes(record: CheckpointRecord) -> int:
    """Bytes that a checkpoint takes in memory in addition to its item."""
    values = (record.checkpoint, record.metadata)
    outside = sum(stored_bytes(value.payload) for value in values if not is_inline(value))
    packed = (value.payload.packed for value in values)
    return outside + sum(one.size for one in packed if one is not None)


def _matching(
    context: Context, records: Sequence[CheckpointRecord], wanted: Wanted
) -> Operation[list[CheckpointRecord]]:
    """The records whose metadata match, up to the limit."""
    if not wanted.metadata:
        return list(records if wanted.limit is None else records[: max(0, wanted.limit)])
    loaded = yield from _with_metadata(context, records)
    matches: list[CheckpointRecord] = []
    for record in loaded:
        if wanted.after(len(matches)).satisfied:
            break
        if wanted.has_metadata(decode_metadata(context.serde, record.metadata, str(record.ref))):
            matches.append(record)
    return matches


def _with_metadata(
    context: Context, records: Sequence[CheckpointRecord]
) -> Operation[list[CheckpointRecord]]:
    """The records with loaded metadata, without checkpoints that were deleted meanwhile."""
    outside = [record for record in records if not is_inline(record.metadata)]
    found = yield from together(
        [with_reread(context, record, _load_metadata) for record in outside]
    )
    fetched = dict(zip((record.ref for record in outside), found, strict=True))
    loaded = []
    for record in records:
        known = fetched.get(record.ref, record)
        if known is not None:
            loaded.append((yield from _load_metadata(context, known)))
    return loaded


def _load_metadata(context: Context, record: CheckpointRecord) -> Operation[CheckpointRecord]:
    value = yield from load_alone(context, record.ref, record.metadata, Attribute.METADATA)
    return replace(record, metadata=value)


def _by_thread(items: Sequence[StoredItem]) -> list[tuple[str, list[StoredItem]]]:
    """The items of a page by thread, each thread's newest first."""
    keyed = [(read_key(item, Table.CHECKPOINTS), item) for item in items]
    return [
        (thread_id, [item for _, item in sorted(group, key=lambda pair: pair[0], reverse=True)])
        for thread_id, group in groupby(keyed, key=lambda pair: pair[0].partition)
    ]
