"""Copying a thread: parents before children, attachments before their checkpoint.

Wherever it stops, the copy contains only checkpoints with all their ancestors and writes. Nested
namespaces are copied before the root, so a root checkpoint that waits for a subgraph finds it.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.errors import (
    ConditionFailedError,
    DeletedBaseError,
    MissingPartError,
)
from langgraph_checkpoint_dynamodb.format.keys import BaseRef, CheckpointRef, base_id_of, thread_key
from langgraph_checkpoint_dynamodb.format.tables import Attribute, Table
from langgraph_checkpoint_dynamodb.format.write_keys import regular_task_of
from langgraph_checkpoint_dynamodb.items.attributes import read_key
from langgraph_checkpoint_dynamodb.items.bases import read_base
from langgraph_checkpoint_dynamodb.items.checkpoints import (
    CHECKPOINT_KEYS,
    CheckpointHead,
    read_checkpoint,
    read_checkpoint_head,
)
from langgraph_checkpoint_dynamodb.items.copier import Copier, ItemCopy, ObjectCopy, PartCopy
from langgraph_checkpoint_dynamodb.items.payload_attributes import outside_bytes
from langgraph_checkpoint_dynamodb.items.thread_updates import copied_update, head_is
from langgraph_checkpoint_dynamodb.items.threads import head_of, is_thread_item
from langgraph_checkpoint_dynamodb.items.writes_partition import (
    expired_put,
    is_mark,
    mark_put,
    part_keys,
)
from langgraph_checkpoint_dynamodb.ops.attachments import missing_part_error
from langgraph_checkpoint_dynamodb.ops.bases import require_base
from langgraph_checkpoint_dynamodb.ops.delete import read_partition
from langgraph_checkpoint_dynamodb.ops.parts import in_batches
from langgraph_checkpoint_dynamodb.ops.rereading import (
    invalidating_memory,
    require_unchanged,
    with_item_reread,
)
from langgraph_checkpoint_dynamodb.payloads.differences import base_stamp
from langgraph_checkpoint_dynamodb.requests.calls import (
    put_skipping_existing,
    query_all,
    update_one,
    write_all,
)
from langgraph_checkpoint_dynamodb.requests.items import GetItem, Query
from langgraph_checkpoint_dynamodb.requests.objects import CopyObject
from langgraph_checkpoint_dynamodb.requests.operations import send, together

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from langgraph_checkpoint_dynamodb.ops.context import Context
    from langgraph_checkpoint_dynamodb.requests.items import Put, StoredItem
    from langgraph_checkpoint_dynamodb.requests.operations import Operation

_PAGE = 100
"""Checkpoints copied together: in one transaction, if they are small."""


def copy_thread(context: Context, source_id: str, target_id: str) -> Operation[None]:
    """Copy every checkpoint of a thread, in all namespaces, with its writes.

    Existing checkpoints of the target with the same ids are replaced, each together with its
    writes. Other checkpoints of the target are kept.
    """
    if source_id != target_id:
        yield from invalidating_memory(
            context, target_id, _copy_thread(context, source_id, target_id)
        )


def _copy_thread(context: Context, source_id: str, target_id: str) -> Operation[None]:
    taken = yield from query_all(
        Query(Table.CHECKPOINTS, target_id, consistent=True, attributes=CHECKPOINT_KEYS)
    )
    existing = frozenset(read_key(item, Table.CHECKPOINTS).sort for item in taken)
    bases = _Bases(context, target_id)
    ready = _ParentsFirst()
    thread_item: StoredItem | None = None
    query = Query(Table.CHECKPOINTS, source_id, consistent=True, limit=_PAGE)
    while True:
        page = yield from send(query)
        thread_item = next(filter(is_thread_item, page.items), thread_item)
        for item in page.items:
            head = read_checkpoint_head(item, context.now)
            if head.usable:
                ready.add(head, item)
        if page.next is None:
            break
        yield from _copy_checkpoints(context, ready.take(), bases, existing)
        query = replace(query, start=page.next)
    yield from _copy_checkpoints(context, ready.take_all(), bases, existing)
    if thread_item is not None:
        yield from _copy_thread_item(context, thread_item, target_id)


def _copy_thread_item(context: Context, thread_item: StoredItem, target_id: str) -> Operation[None]:
    """Copy the thread item, unless that of the target names a newer checkpoint."""
    copied = copied_update(thread_item, target_id, context.stamp)
    source_head = head_of(thread_item) or ""
    while True:
        item = yield from send(GetItem(Table.CHECKPOINTS, thread_key(target_id), consistent=True))
        head = head_of(item)
        if head is not None and head > source_head:
            return
        with suppress(ConditionFailedError):  # A run has changed it meanwhile.
            yield from update_one(replace(copied, expected=head_is(head)))
            return


@dataclass(frozen=True, slots=True)
class _CopyPlan:
    """What to write to copy one checkpoint.

    Attributes:
        target: The copy.
        checkpoint: The Put of its item.
        writes: The Puts of its pending writes.
        parts: The parts of its values and of its writes' values.
    """

    target: CheckpointRef
    checkpoint: Put
    writes: list[Put]
    parts: list[PartCopy]


def _copy_checkpoints(
    context: Context,
    group: list[tuple[CheckpointHead, StoredItem]],
    bases: _Bases,
    existing: Collection[str],
) -> Operation[None]:
    for batch in in_batches(group, lambda pair: outside_bytes(pair[1], pair[0].place)):
        yield from bases.copy([head for head, _ in batch])
        read = yield from together([_read_copy(context, head, item, bases) for head, item in batch])
        copies = [copy for copy in read if copy is not None]
        new = [copy for copy in copies if copy.checkpoint.key.sort not in existing]
        old = [copy for copy in copies if copy.checkpoint.key.sort in existing]
        yield from _copy_parts([part for copy in copies for part in copy.parts])
        # The writes of a new checkpoint are not visible before it: they need no transaction.
        yield from write_all([write for copy in new for write in copy.writes])
        with_parts = any(copy.parts for copy in new)
        yield from put_skipping_existing([copy.checkpoint for copy in new], once=with_parts)
        yield from together([_replace_checkpoint(context, copy) for copy in old])


def _replace_checkpoint(context: Context, copy: _CopyPlan) -> Operation[None]:
    """Replace an existing checkpoint of the target together with its writes.

    In one transaction, unless it is too large. The mark makes a reader that has read the old
    checkpoint and the new writes read the checkpoint again. Writes of a copied task that only the
    target has are deleted, so that a task has the writes of one run.
    """
    marks = [mark_put(copy.target, context.now)] if copy.writes else []
    tasks = {
        task_id for put in copy.writes if (task_id := regular_task_of(put.key.sort)) is not None
    }
    copied = {put.key for put in copy.writes}
    existing: list[StoredItem] = []
    if tasks:
        existing = yield from read_partition(copy.target.writes_partition)
    keys = [read_key(item, Table.WRITES) for item in existing]
    gone = [
        expired_put(copy.target, key.sort, context.now)
        for key in keys
        if key not in copied and regular_task_of(key.sort) in tasks
    ]
    puts = [*marks, *gone, *copy.writes, copy.checkpoint]
    yield from put_skipping_existing(puts, once=bool(copy.parts))


def _copy_parts(parts: Sequence[PartCopy]) -> Operation[None]:
    """Copy parts; the item that refers to an S3 object before the object."""
    yield from write_all([part.put for part in parts])
    yield from together([_copy_object(part.put, part.s3) for part in parts if part.s3 is not None])


def _copy_object(reference: Put, copy: ObjectCopy) -> Operation[None]:
    if not (yield from send(CopyObject(copy.bucket, copy.source, copy.target))):
        raise MissingPartError(
            place=f"item {reference.key.sort!r} of partition {reference.key.partition!r}",
            attribute=Attribute.OBJECT_KEY,
            problem=f"names S3 object {copy.source!r}, which is not in bucket {copy.bucket!r}",
            part=reference.key.sort,
        )


def _read_copy(
    context: Context, head: CheckpointHead, item: StoredItem, bases: _Bases
) -> Operation[_CopyPlan | None]:
    """Plan the copy of a checkpoint; `None` if it was deleted meanwhile."""
    target = CheckpointRef(bases.target_id, head.checkpoint_ns, head.checkpoint_id or "")
    copier = Copier(head.ref, target, context.payloads, context.stamp, head.expired)

    def read(context: Context, found: StoredItem | None) -> Operation[_CopyPlan | None]:
        existing = None if found is None else read_checkpoint_head(found, context.now)
        if found is None or existing is None or not existing.usable:
            return None
        try:
            yield from bases.require(existing)
        except DeletedBaseError:
            return None
        attachments = yield from query_all(
            Query(Table.WRITES, head.writes_partition, consistent=True)
        )
        if any(map(is_mark, attachments)):
            record = read_checkpoint(existing, found)
            if record is not None:
                yield from require_unchanged(context, record)
        own, writes = copier.checkpoint(found), copier.writes(attachments)
        parts = _parts_of(copier, [own, *writes], attachments)
        return _CopyPlan(target, own.put, [write.put for write in writes], parts)

    return (yield from with_item_reread(context.with_consistent_reads(), head.key, item, read))


def _parts_of(
    copier: Copier, copied: Sequence[ItemCopy], attachments: Sequence[StoredItem]
) -> list[PartCopy]:
    """The parts of copied items.

    Raises:
        MissingPartError: A part is missing.
    """
    existing = {read_key(found, Table.WRITES) for found in attachments}
    needed = [value for one in copied for value in one.needed]
    for value in needed:
        if not existing.issuperset(part_keys(copier.source, value)):
            raise missing_part_error(value, str(copier.source), Attribute.CHECKPOINT)
    return [part for one in copied for part in one.parts] + copier.parts(attachments, needed)


class _Bases:
    """The bases of a thread, copied on demand, each before the checkpoints that refer to it."""

    def __init__(self, context: Context, target_id: str) -> None:
        self.target_id = target_id
        self._context = context
        self._copied: dict[BaseRef, bool] = {}

    def copy(self, heads: Sequence[CheckpointHead]) -> Operation[None]:
        """Copy the bases of these checkpoints, each base once."""
        refs = dict.fromkeys(ref for head in heads if (ref := head.based_on) is not None)
        yield from together([self._copy_base(ref) for ref in refs if ref not in self._copied])

    def require(self, head: CheckpointHead) -> Operation[None]:
        """Copy the base of a checkpoint if it has not been copied yet.

        Raises:
            DeletedBaseError: The base was deleted with its thread.
            MissingPartError: The base is missing.
        """
        ref, origin = head.based_on, head.origin
        if ref is None or origin is None:
            return
        if ref not in self._copied:
            yield from self._copy_base(ref)
        if not self._copied[ref]:
            yield from require_base(self._context, head.ref, origin, Attribute.CHECKPOINT)

    def _copy_base(self, ref: BaseRef) -> Operation[None]:
        context = self._context
        self._copied[ref] = False
        item = yield from send(GetItem(Table.CHECKPOINTS, ref.key, consistent=True))
        if item is None or read_base(item, ref, context.now) is None:
            return
        attachments = yield from query_all(
            Query(Table.WRITES, ref.writes_partition, consistent=True)
        )
        copied_id = base_id_of(context.stamp.token, ref.checkpoint_id)
        target = BaseRef(self.target_id, ref.checkpoint_ns, copied_id)
        copier = Copier(ref, target, context.payloads, base_stamp(context.stamp), expired=False)
        own = copier.base(item)
        try:
            parts = _parts_of(copier, [own], attachments)
        except MissingPartError:
            return
        yield from _copy_parts(parts)
        yield from put_skipping_existing([own.put], once=bool(parts))
        self._copied[ref] = True


class _ParentsFirst:
    """Orders checkpoints by their keys, but every parent before its children.

    Ids are ordered by time only within a process. If clocks differ, the id of a parent may be
    higher than that of its child.
    """

    def __init__(self) -> None:
        self._ready: list[tuple[CheckpointHead, StoredItem]] = []
        self._taken: set[tuple[str, str | None]] = set()
        self._waiting: defaultdict[
            tuple[str, str | None], list[tuple[CheckpointHead, StoredItem]]
        ] = defaultdict(list)
        self._waiting_ids: set[tuple[str, str | None]] = set()

    def add(self, head: CheckpointHead, item: StoredItem) -> None:
        """Add a checkpoint. Called in ascending order of keys."""
        parent = (head.checkpoint_ns, head.parent_id)
        above = head.parent_id is not None and head.parent_id > (head.checkpoint_id or "")
        if parent in self._waiting_ids or (above and parent not in self._taken):
            self._waiting_ids.add(_identity(head))
            self._waiting[parent].append((head, item))
            return
        self._release(head, item)

    def take(self) -> list[tuple[CheckpointHead, StoredItem]]:
        """The checkpoints whose ancestors were all returned before, or are returned before them."""
        ready, self._ready = self._ready, []
        return ready

    def take_all(self) -> list[tuple[CheckpointHead, StoredItem]]:
        """The remaining checkpoints. No more checkpoints will be added."""
        for parent in [parent for parent in self._waiting if parent not in self._waiting_ids]:
            for head, item in self._waiting.pop(parent):
                self._release(head, item)
        # What is left are cycles of parents, which have no order.
        for group in list(self._waiting.values()):
            self._ready += group
        return self.take()

    def _release(self, head: CheckpointHead, item: StoredItem) -> None:
        todo = [(head, item)]
        while todo:
            head, item = todo.pop()
            identity = _identity(head)
            self._ready.append((head, item))
            self._taken.add(identity)
            self._waiting_ids.discard(identity)
            todo += self._waiting.pop(identity, [])


def _identity(head: CheckpointHead) -> tuple[str, str | None]:
    return (head.checkpoint_ns, head.checkpoint_id)
