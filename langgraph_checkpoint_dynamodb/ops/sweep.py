"""Deleting orphans: what processes left behind that died in the middle of a call.

Parts are stored before the item that refers to them, and are orphans if that item was never stored.
Writes can be stored for a checkpoint that never was. A delete can have stopped halfway, and leaves
marks. No reader ever sees orphans. Young items are kept, because their call may still be running.
Ages come from the writers' clocks, so items younger than `GRACE_SECONDS` are never deleted. Items
without an owner or a creation time, as from older writers, are kept too.

The writes table is scanned first, then the checkpoints table, for deletes to finish and bases that
nothing refers to.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from itertools import groupby
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.errors import InvalidInputError, UnreadableItemError
from langgraph_checkpoint_dynamodb.format.keys import is_auxiliary_key
from langgraph_checkpoint_dynamodb.format.tables import SPECS, Attribute, Table
from langgraph_checkpoint_dynamodb.items.attributes import read_key
from langgraph_checkpoint_dynamodb.items.bases import bases_deleted_key
from langgraph_checkpoint_dynamodb.items.checkpoints import CHECKPOINT_KEYS, read_head_to_delete
from langgraph_checkpoint_dynamodb.items.payload_attributes import outside
from langgraph_checkpoint_dynamodb.items.threads import is_thread_item, moment_text, updated_of
from langgraph_checkpoint_dynamodb.items.writes_owner import read_created, read_owner
from langgraph_checkpoint_dynamodb.items.writes_partition import WRITE_REFERENCES, is_mark
from langgraph_checkpoint_dynamodb.ops.delete import delete_thread_item, read_partition, remove
from langgraph_checkpoint_dynamodb.ops.deletion_plan import (
    delete_planned,
    is_write,
    part_of,
    plan_deletion,
)
from langgraph_checkpoint_dynamodb.ops.rereading import invalidating_memory
from langgraph_checkpoint_dynamodb.ops.thread_contents import thread_contents_of
from langgraph_checkpoint_dynamodb.payloads.differences import BASE_RETENTION, MARK_RETENTION
from langgraph_checkpoint_dynamodb.requests.calls import query_all
from langgraph_checkpoint_dynamodb.requests.items import DeleteIfOld, GetItem, Query, Scan
from langgraph_checkpoint_dynamodb.requests.operations import send, together

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from langgraph_checkpoint_dynamodb.format.keys import CheckpointRef
    from langgraph_checkpoint_dynamodb.format.parts import PartAddress
    from langgraph_checkpoint_dynamodb.format.tables import Key
    from langgraph_checkpoint_dynamodb.items.checkpoints import CheckpointHead
    from langgraph_checkpoint_dynamodb.ops.context import Context
    from langgraph_checkpoint_dynamodb.ops.deletion_plan import DeletionPlan
    from langgraph_checkpoint_dynamodb.requests.items import Page, StoredItem
    from langgraph_checkpoint_dynamodb.requests.operations import Operation


@dataclass(frozen=True, slots=True)
class SweepReport:
    """The result of a sweep.

    Attributes:
        pages: Number of table pages that were read.
        examined: Number of items on them.
        deletes_finished: Checkpoints whose delete had stopped halfway, or that a run stored while
            their thread was being deleted.
        writes_deleted: Pending writes whose checkpoint does not exist.
        chunks_deleted: Chunks of values that nothing refers to.
        objects_deleted: S3 objects that nothing refers to.
        marks_deleted: Marks of deletes that no reader needs any more.
        bases_deleted: Bases that no checkpoint is a difference from.
        threads_deleted: Thread items without checkpoints.
        young: Orphans that were kept because of their age.
        unknown: Items that were kept because their owner or creation time is unknown.
        resume_from: Pass it to the next sweep to continue; `None` if the sweep is complete.
    """

    pages: int = 0
    examined: int = 0
    deletes_finished: int = 0
    writes_deleted: int = 0
    chunks_deleted: int = 0
    objects_deleted: int = 0
    marks_deleted: int = 0
    bases_deleted: int = 0
    threads_deleted: int = 0
    young: int = 0
    unknown: int = 0
    resume_from: str | None = None

    def plus(self, other: SweepReport) -> SweepReport:
        """The sum of two reports, with this report's `resume_from`."""
        counted = [field.name for field in fields(self) if field.name != "resume_from"]
        sums = {name: getattr(self, name) + getattr(other, name) for name in counted}
        return replace(self, **sums)


def sweep_orphans(
    context: Context, older_than: int, resume_from: str | None, max_pages: int | None
) -> Operation[SweepReport]:
    """Delete orphans in both tables and in S3.

    Args:
        context: Settings, serializer, clock and memory of the call.
        older_than: Minimum age in seconds of what is deleted.
        resume_from: `SweepReport.resume_from` of an earlier sweep; `None` to start anew.
        max_pages: Maximum number of pages to read; `None` for all.
    """
    scan: Scan | None = _scan_from_token(resume_from)
    report = SweepReport()
    before = context.now - older_than
    while scan is not None and (max_pages is None or report.pages < max_pages):
        page = yield from send(scan)
        if scan.table is Table.WRITES:
            found = yield from _sweep_writes(context, scan, page, before)
        else:
            found = yield from _finish_deletes(context, page, before)
            found = found.plus((yield from _sweep_threads(context, scan, page, before)))
            found = found.plus((yield from _sweep_thread_items(scan, page, before)))
        report = report.plus(found).plus(SweepReport(pages=1, examined=len(page.items)))
        scan = _next(scan, page)
    return replace(report, resume_from=None if scan is None else _token_of(scan))


def _scan(table: Table) -> Scan:
    attributes = WRITE_REFERENCES if table is Table.WRITES else CHECKPOINT_KEYS
    return Scan(table, consistent=True, attributes=attributes)


def _next(scan: Scan, page: Page) -> Scan | None:
    if page.next is not None:
        return replace(scan, start=page.next)
    return _scan(Table.CHECKPOINTS) if scan.table is Table.WRITES else None


def _token_of(scan: Scan) -> str:
    return json.dumps({"table": scan.table.value, "start": scan.start})


def _scan_from_token(token: str | None) -> Scan:
    if token is None:
        return _scan(Table.WRITES)
    try:
        state = json.loads(token)
        table, start = Table(state["table"]), state["start"]
        if start is not None:
            spec = SPECS[table]
            start = {name: {"S": start[name]["S"]} for name in (spec.partition_key, spec.sort_key)}
            if not all(isinstance(key["S"], str) and key["S"] for key in start.values()):
                raise ValueError
    except (ValueError, KeyError, TypeError):
        raise InvalidInputError(
            "resume_from", "is not from the report of an earlier sweep; pass it unchanged"
        ) from None
    return replace(_scan(table), start=start)


def _sweep_writes(context: Context, scan: Scan, page: Page, before: int) -> Operation[SweepReport]:
    """Sweep the partitions on a page."""
    reports = yield from together(
        [
            _sweep_partition(context, items, before, whole=whole)
            for _, items, whole in _partitions(scan, page)
        ]
    )
    return _total(reports)


def _partitions(scan: Scan, page: Page) -> Iterator[tuple[str, list[StoredItem], bool]]:
    """The partitions on a page, with their items, and whether these are all their items.

    The partition in which the previous page ended is skipped: it was read and swept as a whole.
    """
    spec = SPECS[scan.table]
    swept = None if scan.start is None else scan.start[spec.partition_key].get("S")
    groups = [
        (partition, list(items))
        for partition, items in groupby(
            page.items, key=lambda item: read_key(item, scan.table).partition
        )
    ]
    for position, (partition, items) in enumerate(groups, start=1):
        if partition != swept:
            yield partition, items, position < len(groups) or page.next is None


def _sweep_partition(
    context: Context, items: Sequence[StoredItem], before: int, *, whole: bool
) -> Operation[SweepReport]:
    if not whole:
        items = yield from read_partition(read_key(items[0], Table.WRITES).partition)
    ref = read_owner(items[0]) if items else None
    if ref is None or all(read_created(item) is None for item in items):
        return SweepReport(unknown=len(items))
    item = yield from send(GetItem(Table.CHECKPOINTS, ref.key, consistent=True))
    if item is not None and Attribute.DELETED in item:
        return SweepReport()  # `_finish_deletes` handles tombstones.
    try:
        needed = set() if item is None else _referenced_parts([item], ref)
        return (
            yield from _sweep_partition_items(
                context, items, ref, before, needed, checkpoint_missing=item is None
            )
        )
    except UnreadableItemError:
        # The parts that it refers to are unknown, so all of them are kept.
        return SweepReport(unknown=len(items))


def _sweep_partition_items(
    context: Context,
    items: Sequence[StoredItem],
    ref: CheckpointRef,
    before: int,
    needed: set[PartAddress],
    *,
    checkpoint_missing: bool,
) -> Operation[SweepReport]:
    """Delete the old orphans of a partition.

    Args:
        context: Settings, serializer, clock and memory of the call.
        items: All items of the partition.
        ref: The checkpoint of the partition.
        before: Only items stored at or before this time are deleted.
        needed: The addresses of the parts that the checkpoint's item refers to.
        checkpoint_missing: Whether the checkpoint does not exist.
    """
    marks = [item for item in items if is_mark(item)]
    writes = [item for item in items if is_write(item)]
    parts = [item for item in items if part_of(item) is not None]
    doomed = [item for item in writes if checkpoint_missing and _is_old(item, before)]
    kept = [item for item in writes if not (checkpoint_missing and _is_old(item, before))]
    needed = needed | _referenced_parts(kept, ref)
    orphans = [*marks, *(item for item in parts if part_of(item) not in needed)]
    old = [item for item in orphans if _is_old(item, before)]
    found = plan_deletion(context.payloads, ref, [*doomed, *old])
    yield from _remove(found, before)
    marked = sum(map(is_mark, old))
    young = [item for item in orphans if not _is_old(item, before)]
    spared = [*young, *kept] if checkpoint_missing else young
    unknown = sum(read_created(item) is None for item in spared)
    return SweepReport(
        writes_deleted=len(doomed),
        chunks_deleted=len(found.own_chunks) + len(found.other_chunks),
        objects_deleted=len(found.object_references),
        marks_deleted=marked,
        young=len(spared) - unknown,
        unknown=unknown + found.kept_references,
    )


def _finish_deletes(context: Context, page: Page, before: int) -> Operation[SweepReport]:
    marked = [item for item in page.items if Attribute.DELETED in item]
    tombstones = [head for item in marked if (head := _readable_tombstone(item)) is not None]
    old = [head for head in tombstones if head.created is not None and head.created <= before]
    finished = yield from together([_finish_delete(context, head, before) for head in old])
    unknown = sum(head.created is None for head in tombstones)
    return SweepReport(
        deletes_finished=sum(finished),
        young=len(tombstones) - sum(finished) - unknown,
        unknown=unknown + len(marked) - len(tombstones),
    )


def _sweep_threads(context: Context, scan: Scan, page: Page, before: int) -> Operation[SweepReport]:
    """Delete old bases that nothing refers to, and old marks with the checkpoints they concern."""
    reports = yield from together(
        [
            _sweep_thread(context, thread_id, items, before, whole=whole)
            for thread_id, items, whole in _partitions(scan, page)
            # Bases and the mark sort first: a thread without any on its first page has none.
            if _has_old_base(items, before, context.now)
        ]
    )
    return _total(reports)


def _has_old_base(items: Iterable[StoredItem], before: int, now: int) -> bool:
    return any(
        is_auxiliary_key(read_key(item, Table.CHECKPOINTS).sort)
        and Attribute.DELETED not in item
        and _is_old(item, min(before, now - BASE_RETENTION))
        for item in items
    )


def _sweep_thread(
    context: Context, thread_id: str, items: Sequence[StoredItem], before: int, *, whole: bool
) -> Operation[SweepReport]:
    if not whole:
        query = Query(Table.CHECKPOINTS, thread_id, consistent=True, attributes=CHECKPOINT_KEYS)
        items = yield from query_all(query)
    try:
        thread = thread_contents_of(thread_id, items, context.now)
        left_over = [head for head in thread.heads if thread.is_leftover(head)]
    except UnreadableItemError:
        return SweepReport(unknown=1)
    marked = min(before, context.now - MARK_RETENTION)
    if thread.bases_deleted is None or thread.bases_deleted > marked:
        left_over = []  # Their run may still be running.
    needless = [
        head
        for head in thread.unneeded_bases(left_over, context.now)
        if not head.deleted and head.created is not None and head.created <= before
    ]
    yield from invalidating_memory(
        context, thread_id, remove(context, [*left_over[::-1], *needless])
    )
    deleted = False
    if thread.bases_deleted is not None:
        mark = bases_deleted_key(thread_id)
        deleted = yield from send(DeleteIfOld(Table.CHECKPOINTS, mark, marked))
    return SweepReport(
        deletes_finished=len(left_over), bases_deleted=len(needless), marks_deleted=int(deleted)
    )


def _sweep_thread_items(scan: Scan, page: Page, before: int) -> Operation[SweepReport]:
    """Delete the items of threads that have no checkpoints and no recent activity."""
    long_ago = moment_text(before * 1000)
    checkpoint_missing = [
        items[0]
        for _, items, whole in _partitions(scan, page)
        if whole and len(items) == 1 and is_thread_item(items[0])
    ]
    idle = [item for item in checkpoint_missing if (updated_of(item) or "") <= long_ago]
    deleted = yield from together([delete_thread_item(item) for item in idle])
    return SweepReport(threads_deleted=sum(deleted), young=len(checkpoint_missing) - len(idle))


def _readable_tombstone(item: StoredItem) -> CheckpointHead | None:
    """The head in a tombstone; `None` if it cannot be read."""
    try:
        return read_head_to_delete(item)
    except UnreadableItemError:
        return None


def _finish_delete(context: Context, head: CheckpointHead, before: int) -> Operation[bool]:
    """Delete what an old tombstone refers to, then the tombstone.

    If the checkpoint is being stored again, its young items are kept, and the tombstone with them.

    Returns:
        Whether the tombstone was deleted.
    """
    items = yield from read_partition(head.writes_partition)
    old = [item for item in items if read_created(item) is None or _is_old(item, before)]
    yield from _remove(plan_deletion(context.payloads, head.owner, old, head.outside), before)
    if len(old) < len(items):
        return False
    return (yield from send(DeleteIfOld(Table.CHECKPOINTS, head.key, before)))


def _remove(found: DeletionPlan, before: int) -> Operation[None]:
    """Delete items of the writes table, except items that are stored again meanwhile."""

    def delete_each(keys: Sequence[Key]) -> Operation[None]:
        yield from together([send(DeleteIfOld(Table.WRITES, key, before)) for key in keys])

    yield from delete_planned([found], delete_each)


def _referenced_parts(items: Iterable[StoredItem], ref: CheckpointRef) -> set[PartAddress]:
    return {payload.address for item in items for payload in outside(item, str(ref)).values()}


def _is_old(item: StoredItem, before: int) -> bool:
    created = read_created(item)
    return created is not None and created <= before


def _total(reports: Iterable[SweepReport]) -> SweepReport:
    total = SweepReport()
    for report in reports:
        total = total.plus(report)
    return total
