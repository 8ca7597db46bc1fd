"""Copying a thread: parents before children, the writes of a checkpoint before the checkpoint.

Stopped anywhere, the copy holds only checkpoints that have all their ancestors and writes. Nested
namespaces come before the root, so a root checkpoint that waits for a subgraph finds it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.calls import put_atomically, query_all, write_all
from langgraph_checkpoint_dynamodb.effects import Put, Query, send, together
from langgraph_checkpoint_dynamodb.items import (
    CHECKPOINT_KEYS,
    CheckpointHead,
    read_checkpoint_head,
    read_key,
    with_partition,
)
from langgraph_checkpoint_dynamodb.keys import CheckpointRef, Table

if TYPE_CHECKING:
    from collections.abc import Collection

    from langgraph_checkpoint_dynamodb.effects import Operation, StoredItem

_PAGE = 100
"""Checkpoints copied in one go: one transaction, where they are small."""


def copy_thread(source_id: str, target_id: str) -> Operation[None]:
    """Copy every checkpoint of a thread, in all namespaces, with its writes.

    Checkpoints that the target has already are replaced, each with its writes at once; what else
    the target has stays.
    """
    if source_id == target_id:
        return
    taken = yield from query_all(
        Query(Table.CHECKPOINTS, target_id, consistent=True, attributes=CHECKPOINT_KEYS)
    )
    there = frozenset(read_key(item, Table.CHECKPOINTS).sort for item in taken)
    ready = _ParentsFirst()
    query = Query(Table.CHECKPOINTS, source_id, consistent=True, limit=_PAGE)
    while True:
        page = yield from send(query)
        for item in page.items:
            head = read_checkpoint_head(item)
            if head.visible:
                ready.add(head, item)
        if page.next is None:
            break
        yield from _copy(ready.take(), target_id, there)
        query = replace(query, start=page.next)
    yield from _copy(ready.take_all(), target_id, there)


def _copy(
    group: list[tuple[CheckpointHead, StoredItem]], target_id: str, there: Collection[str]
) -> Operation[None]:
    writes = yield from together([_copied_writes(head, target_id) for head, _ in group])
    puts = [with_partition(item, Table.CHECKPOINTS, target_id) for _, item in group]
    copies = list(zip(puts, writes, strict=True))
    new = [(put, of_put) for put, of_put in copies if put.key.sort not in there]
    # Nobody sees the writes of a checkpoint that is not there yet, so they need no transaction.
    yield from write_all([write for _, of_put in new for write in of_put])
    yield from put_atomically([put for put, _ in new])
    yield from together(
        [put_atomically([*of_put, put]) for put, of_put in copies if put.key.sort in there]
    )


def _copied_writes(head: CheckpointHead, target_id: str) -> Operation[list[Put]]:
    target = CheckpointRef(target_id, head.checkpoint_ns, head.checkpoint_id or "")
    items = yield from query_all(Query(Table.WRITES, head.writes_partition, consistent=True))
    return [with_partition(item, Table.WRITES, target.writes_partition) for item in items]


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
