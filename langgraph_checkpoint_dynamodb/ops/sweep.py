"""Removing what processes left behind that died in the middle of a call.

Stored before the item that refers to them, parts are left over if that item never came; writes may
wait for a checkpoint that was never stored; a delete may have stopped halfway, and has left its
marks. None of it is ever seen by a reader. What is young is left alone: a call may be under way.
How old something is its writer's clock has said, so no sweep may take what is younger than
`MARGIN`. What does not say whose it is or how old, as items of older writers, is left alone too.

The writes table is scanned first, then the checkpoints table for deletes to finish and for bases
that nothing needs any more.
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
    """What a sweep has done.

    Attributes:
        pages: Pages of the tables that were read.
        examined: Items on them.
        deletes_finished: Checkpoints whose delete had stopped halfway, or that a run has stored
            while their thread was being deleted.
        writes_deleted: Pending writes of checkpoints that are not there.
        chunks_deleted: Pieces of values that nothing refers to.
        objects_deleted: S3 objects that nothing refers to.
        marks_deleted: Marks of deletes that no reader needs any more.
        bases_deleted: Bases that no checkpoint is a difference from any more.
        threads_deleted: Items of threads that have no checkpoint any more.
        young: Items of those kinds that were left alone because of their age.
        unknown: Items that were left alone because they do not say whose they are or how old.
        resume_from: Where to go on, to be passed to the next sweep; `None` where all is done.
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
        """The sum of both."""
        counted = [field.name for field in fields(self) if field.name != "resume_from"]
        sums = {name: getattr(self, name) + getattr(other, name) for name in counted}
        return replace(self, **sums)


def sweep_orphans(
    context: Context, older_than: int, resume_from: str | None, max_pages: int | None
) -> Operation[SweepReport]:
    """Delete what nothing leads to any more.

    Args:
        context: Settings, serializer, clock and memory of the call.
        older_than: Only what is at least so old, in seconds.
        resume_from: Where an earlier sweep stopped.
        max_pages: Stop after so many pages; `None` to go on to the end.
    """
    scan: Scan | None = _resumed(resume_from)
    report = SweepReport()
    before = context.now - older_than
    while scan is not None and (max_pages is None or report.pages < max_pages):
        page = yield from send(scan)
        if scan.table is Table.WRITES:
            found = yield from _sweep_writes(context, scan, page, before)
        else:
            found = yield from _finish_deletes(context, page, before)
            found = found.plus((yield from _sweep_threads(context, scan, page, before)))
            found = found.plus((yield from _sweep_items_of_threads(scan, page, before)))
        report = report.plus(found).plus(SweepReport(pages=1, examined=len(page.items)))
        scan = _next(scan, page)
    return replace(report, resume_from=None if scan is None else _token(scan))


def _scan(table: Table) -> Scan:
    attributes = WRITE_REFERENCES if table is Table.WRITES else CHECKPOINT_KEYS
    return Scan(table, consistent=True, attributes=attributes)


def _next(scan: Scan, page: Page) -> Scan | None:
    if page.next is not None:
        return replace(scan, start=page.next)
    return _scan(Table.CHECKPOINTS) if scan.table is Table.WRITES else None


def _token(scan: Scan) -> str:
    return json.dumps({"table": scan.table.value, "start": scan.start})


def _resumed(token: str | None) -> Scan:
    if token is None:
        return _scan(Table.WRITES)
    try:
        said = json.loads(token)
        table, start = Table(said["table"]), said["start"]
        if start is not None:
            spec = SPECS[table]
            start = {name: {"S": start[name]["S"]} for name in (spec.partition_key, spec.sort_key)}
            if not all(isinstance(key["S"], str) and key["S"] for key in start.values()):
                raise ValueError
    except (ValueError, KeyError, TypeError):
        raise InvalidInputError(
            "resume_from", "is not what a report of an earlier sweep says; pass it unchanged"
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
    return _sum(reports)


def _partitions(scan: Scan, page: Page) -> Iterator[tuple[str, list[StoredItem], bool]]:
    """The partitions on a page, their items on it, and whether these are all of them.

    Without the one that the page before ended in: whoever swept that has read it again, whole.
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
        return SweepReport()  # It is finished with the other deletes.
    try:
        needed = set() if item is None else _addresses([item], ref)
        return (
            yield from _sweep_partition_items(
                context, items, ref, before, needed, alone=item is None
            )
        )
    except UnreadableItemError:
        # Nobody can tell what it refers to, so all of it stays.
        return SweepReport(unknown=len(items))


def _sweep_partition_items(
    context: Context,
    items: Sequence[StoredItem],
    ref: CheckpointRef,
    before: int,
    needed: set[PartAddress],
    *,
    alone: bool,
) -> Operation[SweepReport]:
    """Delete the old ones of a partition that nothing needs.

    Args:
        context: Settings, serializer, clock and memory of the call.
        items: All that is in the partition.
        ref: The checkpoint it belongs to.
        before: When the youngest was stored that may be deleted.
        needed: Where the parts are that the checkpoint's item refers to.
        alone: Whether the checkpoint is not there.
    """
    marks = [item for item in items if is_mark(item)]
    writes = [item for item in items if is_write(item)]
    parts = [item for item in items if part_of(item) is not None]
    doomed = [item for item in writes if alone and _is_old(item, before)]
    kept = [item for item in writes if not (alone and _is_old(item, before))]
    needed = needed | _addresses(kept, ref)
    orphans = [*marks, *(item for item in parts if part_of(item) not in needed)]
    old = [item for item in orphans if _is_old(item, before)]
    found = plan_deletion(context.payloads, ref, [*doomed, *old])
    yield from _remove(found, before)
    marked = sum(map(is_mark, old))
    young = [item for item in orphans if not _is_old(item, before)]
    spared = [*young, *kept] if alone else young
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
    buried = [head for item in marked if (head := _head_if_possible(item)) is not None]
    old = [head for head in buried if head.created is not None and head.created <= before]
    finished = yield from together([_finish_delete(context, head, before) for head in old])
    unknown = sum(head.created is None for head in buried)
    return SweepReport(
        deletes_finished=sum(finished),
        young=len(buried) - sum(finished) - unknown,
        unknown=unknown + len(marked) - len(buried),
    )


def _sweep_threads(context: Context, scan: Scan, page: Page, before: int) -> Operation[SweepReport]:
    """Delete old bases that nothing needs, and old marks with what they speak of."""
    reports = yield from together(
        [
            _sweep_thread(context, thread_id, items, before, whole=whole)
            for thread_id, items, whole in _partitions(scan, page)
            # Bases and the mark come first: who has none on a thread's first page has none at all.
            if _has_old_base(items, before, context.now)
        ]
    )
    return _sum(reports)


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
        left_over = []  # Their run may still be going on.
    needless = [
        head
        for head in thread.unneeded_bases(left_over, context.now)
        if not head.deleted and head.created is not None and head.created <= before
    ]
    yield from invalidating_memory(
        context, thread_id, remove(context, [*left_over[::-1], *needless])
    )
    gone = False
    if thread.bases_deleted is not None:
        mark = bases_deleted_key(thread_id)
        gone = yield from send(DeleteIfOld(Table.CHECKPOINTS, mark, marked))
    return SweepReport(
        deletes_finished=len(left_over), bases_deleted=len(needless), marks_deleted=int(gone)
    )


def _sweep_items_of_threads(scan: Scan, page: Page, before: int) -> Operation[SweepReport]:
    """Delete what is known of threads that have no checkpoints, and were not active lately."""
    long_ago = moment_text(before * 1000)
    alone = [
        items[0]
        for _, items, whole in _partitions(scan, page)
        if whole and len(items) == 1 and is_thread_item(items[0])
    ]
    idle = [item for item in alone if (updated_of(item) or "") <= long_ago]
    gone = yield from together([delete_thread_item(item) for item in idle])
    return SweepReport(threads_deleted=sum(gone), young=len(alone) - len(idle))


def _head_if_possible(item: StoredItem) -> CheckpointHead | None:
    """What a tombstone says, `None` where nobody can tell what it leads to."""
    try:
        return read_head_to_delete(item)
    except UnreadableItemError:
        return None


def _finish_delete(context: Context, head: CheckpointHead, before: int) -> Operation[bool]:
    """Delete what an old tombstone leads to, then the tombstone.

    Unless somebody is storing the checkpoint again: then the young ones beside it stay, and it
    leads to them as long as they are alone.
    """
    items = yield from read_partition(head.writes_partition)
    old = [item for item in items if read_created(item) is None or _is_old(item, before)]
    yield from _remove(plan_deletion(context.payloads, head.owner, old, head.outside), before)
    if len(old) < len(items):
        return False
    return (yield from send(DeleteIfOld(Table.CHECKPOINTS, head.key, before)))


def _remove(found: DeletionPlan, before: int) -> Operation[None]:
    """Delete items of the writes table, but for those that others store anew meanwhile."""

    def delete_each(keys: Sequence[Key]) -> Operation[None]:
        yield from together([send(DeleteIfOld(Table.WRITES, key, before)) for key in keys])

    yield from delete_planned([found], delete_each)


def _addresses(items: Iterable[StoredItem], ref: CheckpointRef) -> set[PartAddress]:
    return {payload.address for item in items for payload in outside(item, str(ref)).values()}


def _is_old(item: StoredItem, before: int) -> bool:
    created = read_created(item)
    return created is not None and created <= before


def _sum(reports: Iterable[SweepReport]) -> SweepReport:
    total = SweepReport()
    for report in reports:
        total = total.plus(report)
    return total
