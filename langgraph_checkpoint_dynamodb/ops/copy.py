"""Copying a thread: parents before children, what lies beside a checkpoint before the checkpoint.

Stopped anywhere, the copy holds only checkpoints that have all their ancestors and writes. Nested
namespaces come before the root, so a root checkpoint that waits for a subgraph finds it.
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
from langgraph_checkpoint_dynamodb.ops.delete import read_partition
from langgraph_checkpoint_dynamodb.ops.parts import in_batches, require_base
from langgraph_checkpoint_dynamodb.ops.rereading import (
    invalidating_memory,
    require_unchanged,
    with_item_reread,
)
from langgraph_checkpoint_dynamodb.payloads.differences import base_stamp
from langgraph_checkpoint_dynamodb.requests.calls import (
    put_atomically,
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
"""Checkpoints copied in one go: one transaction, where they are small."""


def copy_thread(context: Context, source_id: str, target_id: str) -> Operation[None]:
    """Copy every checkpoint of a thread, in all namespaces, with its writes.

    Checkpoints that the target has already are replaced, each with its writes at once; what else
    the target has stays.
    """
    if source_id != target_id:
        yield from invalidating_memory(
            context, target_id, _copy_thread(context, source_id, target_id)
        )


def _copy_thread(context: Context, source_id: str, target_id: str) -> Operation[None]:
    taken = yield from query_all(
        Query(Table.CHECKPOINTS, target_id, consistent=True, attributes=CHECKPOINT_KEYS)
    )
    there = frozenset(read_key(item, Table.CHECKPOINTS).sort for item in taken)
    bases = _Bases(context, target_id)
    ready = _ParentsFirst()
    known: StoredItem | None = None
    query = Query(Table.CHECKPOINTS, source_id, consistent=True, limit=_PAGE)
    while True:
        page = yield from send(query)
        known = next(filter(is_thread_item, page.items), known)
        for item in page.items:
            head = read_checkpoint_head(item, context.now)
            if head.usable:
                ready.add(head, item)
        if page.next is None:
            break
        yield from _copy(context, ready.take(), bases, there)
        query = replace(query, start=page.next)
    yield from _copy(context, ready.take_all(), bases, there)
    if known is not None:
        yield from _copy_thread_item(context, known, target_id)


def _copy_thread_item(context: Context, known: StoredItem, target_id: str) -> Operation[None]:
    """Copy what is known of the thread, unless the target has come to a newer checkpoint."""
    copied = copied_update(known, target_id, context.stamp)
    source_head = head_of(known) or ""
    while True:
        item = yield from send(GetItem(Table.CHECKPOINTS, thread_key(target_id), consistent=True))
        head = head_of(item)
        if head is not None and head > source_head:
            return
        with suppress(ConditionFailedError):  # A run has moved it on meanwhile.
            yield from update_one(replace(copied, expected=head_is(head)))
            return


@dataclass(frozen=True, slots=True)
class _Copy:
    """What makes the copy of one checkpoint.

    Attributes:
        target: Which checkpoint it makes.
        checkpoint: Its own item.
        writes: Its pending writes.
        parts: The parts of its values and theirs.
    """

    target: CheckpointRef
    checkpoint: Put
    writes: list[Put]
    parts: list[PartCopy]


def _copy(
    context: Context,
    group: list[tuple[CheckpointHead, StoredItem]],
    bases: _Bases,
    there: Collection[str],
) -> Operation[None]:
    for batch in in_batches(group, lambda pair: outside_bytes(pair[1], pair[0].place)):
        yield from bases.copy([head for head, _ in batch])
        read = yield from together([_read_copy(context, head, item, bases) for head, item in batch])
        copies = [copy for copy in read if copy is not None]
        new = [copy for copy in copies if copy.checkpoint.key.sort not in there]
        old = [copy for copy in copies if copy.checkpoint.key.sort in there]
        yield from _copy_parts([part for copy in copies for part in copy.parts])
        # Nobody sees the writes of a checkpoint that is not there yet: they need no transaction.
        yield from write_all([write for copy in new for write in copy.writes])
        with_parts = any(copy.parts for copy in new)
        yield from put_atomically([copy.checkpoint for copy in new], once=with_parts)
        yield from together([_replace(context, copy) for copy in old])


def _replace(context: Context, copy: _Copy) -> Operation[None]:
    """Replace a checkpoint that the target has, together with its writes and those it gains.

    At once, as far as one transaction reaches. The mark tells who has read the old one already, and
    then the new writes, to look again. A task's writes are those of the source then, and none of
    another run of it that the target has.
    """
    marks = [mark_put(copy.target, context.now)] if copy.writes else []
    tasks = {
        task_id for put in copy.writes if (task_id := regular_task_of(put.key.sort)) is not None
    }
    copied = {put.key for put in copy.writes}
    there: list[StoredItem] = []
    if tasks:
        there = yield from read_partition(copy.target.writes_partition)
    keys = [read_key(item, Table.WRITES) for item in there]
    gone = [
        expired_put(copy.target, key.sort, context.now)
        for key in keys
        if key not in copied and regular_task_of(key.sort) in tasks
    ]
    puts = [*marks, *gone, *copy.writes, copy.checkpoint]
    yield from put_atomically(puts, once=bool(copy.parts))


def _copy_parts(parts: Sequence[PartCopy]) -> Operation[None]:
    """Copy parts: of S3 objects, the item that leads there before the object."""
    yield from write_all([part.put for part in parts])
    yield from together([_copy_object(part.put, part.s3) for part in parts if part.s3 is not None])


def _copy_object(leading: Put, copy: ObjectCopy) -> Operation[None]:
    if not (yield from send(CopyObject(copy.bucket, copy.source, copy.target))):
        raise MissingPartError(
            place=f"item {leading.key.sort!r} of partition {leading.key.partition!r}",
            attribute=Attribute.OBJECT_KEY,
            problem=f"names S3 object {copy.source!r}, which is not in bucket {copy.bucket!r}",
            part=leading.key.sort,
        )


def _read_copy(
    context: Context, head: CheckpointHead, item: StoredItem, bases: _Bases
) -> Operation[_Copy | None]:
    """What makes the copy of a checkpoint; `None` if it has been deleted meanwhile."""
    target = CheckpointRef(bases.target_id, head.checkpoint_ns, head.checkpoint_id or "")
    copier = Copier(head.ref, target, context.payloads, context.stamp, head.expired)

    def read(context: Context, found: StoredItem | None) -> Operation[_Copy | None]:
        there = None if found is None else read_checkpoint_head(found, context.now)
        if found is None or there is None or not there.usable:
            return None
        try:
            yield from bases.require(there)
        except DeletedBaseError:
            return None
        attachments = yield from query_all(
            Query(Table.WRITES, head.writes_partition, consistent=True)
        )
        if any(map(is_mark, attachments)):
            record = read_checkpoint(there, found)
            if record is not None:
                yield from require_unchanged(context, record)
        own, writes = copier.checkpoint(found), copier.writes(attachments)
        parts = _parts_of(copier, [own, *writes], attachments)
        return _Copy(target, own.put, [write.put for write in writes], parts)

    return (yield from with_item_reread(context.with_consistent_reads(), head.key, item, read))


def _parts_of(
    copier: Copier, copied: Sequence[ItemCopy], attachments: Sequence[StoredItem]
) -> list[PartCopy]:
    """The parts of copied items.

    Raises:
        MissingPartError: Not all of them are there.
    """
    there = {read_key(found, Table.WRITES) for found in attachments}
    needed = [value for one in copied for value in one.needed]
    for value in needed:
        if not there.issuperset(part_keys(copier.source, value)):
            raise missing_part_error(value, str(copier.source), Attribute.CHECKPOINT)
    return [part for one in copied for part in one.parts] + copier.parts(attachments, needed)


class _Bases:
    """The bases of a thread, copied as they are needed, each before what refers to its copy."""

    def __init__(self, context: Context, target_id: str) -> None:
        self.target_id = target_id
        self._context = context
        self._copied: dict[BaseRef, bool] = {}

    def copy(self, heads: Sequence[CheckpointHead]) -> Operation[None]:
        """Copy what these checkpoints are differences from, each base once."""
        refs = dict.fromkeys(ref for head in heads if (ref := head.based_on) is not None)
        yield from together([self._copy(ref) for ref in refs if ref not in self._copied])

    def require(self, head: CheckpointHead) -> Operation[None]:
        """Check that what a checkpoint is the difference from has been copied.

        Raises:
            DeletedBaseError: It was deleted with its thread.
            MissingPartError: It is not there.
        """
        ref, origin = head.based_on, head.origin
        if ref is None or origin is None:
            return
        if ref not in self._copied:
            yield from self._copy(ref)
        if not self._copied[ref]:
            yield from require_base(self._context, head.ref, origin, Attribute.CHECKPOINT)

    def _copy(self, ref: BaseRef) -> Operation[None]:
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
        yield from put_atomically([own.put], once=bool(parts))
        self._copied[ref] = True


class _ParentsFirst:
    """Checkpoints in the order of their keys, changed only where a parent sorts above its child.

    Ids grow with time within one process only; after a clock step a parent may come later.
    """

    def __init__(self) -> None:
        self._ready: list[tuple[CheckpointHead, StoredItem]] = []
        self._taken: set[tuple[str, str | None]] = set()
        self._waiting: defaultdict[
            tuple[str, str | None], list[tuple[CheckpointHead, StoredItem]]
        ] = defaultdict(list)
        self._held: set[tuple[str, str | None]] = set()

    def add(self, head: CheckpointHead, item: StoredItem) -> None:
        """Take a checkpoint, in ascending order of keys."""
        parent = (head.checkpoint_ns, head.parent_id)
        above = head.parent_id is not None and head.parent_id > (head.checkpoint_id or "")
        if parent in self._held or (above and parent not in self._taken):
            self._held.add(_identity(head))
            self._waiting[parent].append((head, item))
            return
        self._release(head, item)

    def take(self) -> list[tuple[CheckpointHead, StoredItem]]:
        """The checkpoints whose ancestors have all been taken before or come before them."""
        ready, self._ready = self._ready, []
        return ready

    def take_all(self) -> list[tuple[CheckpointHead, StoredItem]]:
        """The rest: no parent that is still missing will come."""
        for parent in [parent for parent in self._waiting if parent not in self._held]:
            for head, item in self._waiting.pop(parent):
                self._release(head, item)
        # What is left waits for itself: parents in a circle have no order.
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
            self._held.discard(identity)
            todo += self._waiting.pop(identity, [])


def _identity(head: CheckpointHead) -> tuple[str, str | None]:
    return (head.checkpoint_ns, head.checkpoint_id)
