"""Deleting checkpoints with their attachments. A delete can stop anywhere and be repeated.

The writes of a checkpoint are found only through its item. Deleting the item first would orphan the
writes. Deleting the writes first would show a checkpoint whose finished tasks look unfinished. So a
checkpoint is first replaced by a tombstone, which readers treat as absent and which still refers to
the writes. Then its writes and chunks are deleted, then its S3 objects, then the items that refer
to the objects, then the tombstone. Newer checkpoints are deleted first, so that after an
interrupted delete readers see an older checkpoint with all its ancestors, or none.

A reader may have read the checkpoint before the tombstone, and read its writes after they were
deleted. So a mark is put into the partition of the writes before they are deleted, and stays for an
hour: a reader that finds it reads the checkpoint again. The mark costs one write unit per
checkpoint that has writes. It costs readers one more read, and only if the checkpoint is stored
again within the hour.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.errors import ConditionFailedError
from langgraph_checkpoint_dynamodb.format.addressing import Address
from langgraph_checkpoint_dynamodb.format.keys import ROOT_NAMESPACE
from langgraph_checkpoint_dynamodb.format.tables import Key, Table
from langgraph_checkpoint_dynamodb.items.attributes import read_key
from langgraph_checkpoint_dynamodb.items.bases import bases_deleted_key, bases_deleted_put
from langgraph_checkpoint_dynamodb.items.checkpoints import (
    CHECKPOINT_KEYS,
    CheckpointHead,
    read_head_to_delete,
)
from langgraph_checkpoint_dynamodb.items.codec import waits_of
from langgraph_checkpoint_dynamodb.items.thread_updates import delete_if_unchanged, set_back_update
from langgraph_checkpoint_dynamodb.items.threads import head_of, is_thread_item, updated_of
from langgraph_checkpoint_dynamodb.items.writes_partition import WRITE_REFERENCES, mark_put
from langgraph_checkpoint_dynamodb.ops.deletion_plan import (
    delete_planned,
    is_write,
    items_to_delete,
    plan_deletion,
)
from langgraph_checkpoint_dynamodb.ops.read import get_tuple
from langgraph_checkpoint_dynamodb.ops.rereading import invalidating_memory
from langgraph_checkpoint_dynamodb.payloads.differences import MARK_RETENTION, is_settled
from langgraph_checkpoint_dynamodb.requests.calls import (
    put_one,
    query_all,
    update_one,
    write_all,
    write_in_order,
)
from langgraph_checkpoint_dynamodb.requests.items import (
    Delete,
    DeleteIfOld,
    Query,
)
from langgraph_checkpoint_dynamodb.requests.operations import Operation, both, send, together

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langgraph_checkpoint_dynamodb.ops.context import Context
    from langgraph_checkpoint_dynamodb.ops.deletion_plan import DeletionPlan
    from langgraph_checkpoint_dynamodb.ops.thread_contents import ThreadContents
    from langgraph_checkpoint_dynamodb.requests.items import StoredItem

_PAGE = 250
"""Checkpoints deleted together: ten batches of 25, whose keys take little memory."""


def delete_thread(context: Context, thread_id: str) -> Operation[None]:
    """Delete every checkpoint of a thread, in all namespaces, with its writes."""
    yield from invalidating_memory(context, thread_id, _delete_thread(context, thread_id))


def _delete_thread(context: Context, thread_id: str) -> Operation[None]:
    query = Query(
        Table.CHECKPOINTS,
        thread_id,
        consistent=True,
        forward=False,
        limit=_PAGE,
        attributes=CHECKPOINT_KEYS,
    )
    others: list[CheckpointHead] = []
    known: StoredItem | None = None
    while True:
        page = yield from send(query)
        known = next(filter(is_thread_item, page.items), known)
        heads = [read_head_to_delete(item) for item in page.items if not is_thread_item(item)]
        yield from remove(context, [head for head in heads if not head.beside_namespaces])
        others += [head for head in heads if head.beside_namespaces]
        if page.next is None:
            break
        query = replace(query, start=page.next)
    yield from _delete_bases(context, thread_id, others)
    if known is not None:
        yield from delete_thread_item(known)


def delete_thread_item(item: StoredItem) -> Operation[bool]:
    """Delete a thread's item, unless a run has changed it meanwhile.

    It is deleted last: a thread stays listed until all of it is deleted.

    Returns:
        Whether the item was deleted.
    """
    request = delete_if_unchanged(item)
    if request is not None:
        return (yield from send(request))
    yield from write_all([Delete(Table.CHECKPOINTS, read_key(item, Table.CHECKPOINTS))])
    return True


def _delete_bases(
    context: Context, thread_id: str, others: Sequence[CheckpointHead]
) -> Operation[None]:
    """Delete the items of a thread outside its namespaces: its bases, and an old mark of them.

    Called after its checkpoints were deleted.
    """
    mark = bases_deleted_key(thread_id)
    bases = [head for head in others if head.key != mark]
    if not all(is_settled(head.created, context.now) for head in bases if head.base is not None):
        # A concurrent run may still store differences from them.
        yield from put_one(bases_deleted_put(thread_id, context.now))
    yield from remove(context, bases)
    if len(bases) < len(others):
        yield from send(DeleteIfOld(Table.CHECKPOINTS, mark, context.now - MARK_RETENTION))


def delete_checkpoints(
    context: Context, thread: ThreadContents, doomed: Sequence[CheckpointHead]
) -> Operation[None]:
    """Delete checkpoints of a thread, then the bases that no other checkpoint needs.

    If no checkpoint is left, the thread item is deleted too. Otherwise it is updated to name the
    newest checkpoint that is left.
    """
    yield from remove(context, doomed)
    yield from remove(context, thread.unneeded_bases(doomed, context.now))
    if thread.item is None:
        return
    deleted = {head.key for head in doomed}
    if all(head.key in deleted for head in thread.heads):
        yield from delete_thread_item(thread.item)
        return
    roots = thread.visible.get(ROOT_NAMESPACE, {})
    left = {id_: head for id_, head in roots.items() if head.key not in deleted}
    named = head_of(thread.item)
    if left and named in roots and named not in left and updated_of(thread.item) is not None:
        yield from _reset_thread_item(context, thread.thread_id, left[max(left)], named)


def _reset_thread_item(
    context: Context, thread_id: str, newest: CheckpointHead, named: str
) -> Operation[None]:
    """Let a thread's item name a checkpoint in place of a deleted one."""
    found = yield from get_tuple(context, Address(thread_id, ROOT_NAMESPACE, newest.checkpoint_id))
    if found is None:
        return
    waits = waits_of(found.pending_writes or ())
    update = set_back_update(thread_id, named, found.checkpoint["id"], waits, newest.ttl)
    with suppress(ConditionFailedError):  # A run has changed it meanwhile.
        yield from update_one(update)


def remove(context: Context, heads: Sequence[CheckpointHead]) -> Operation[None]:
    """Delete checkpoints with their attachments. Pass them newest first in each namespace."""
    now = context.now
    for start in range(0, len(heads), _PAGE):
        group = heads[start : start + _PAGE]
        _, partitions = yield from both(
            write_in_order([head.tombstone(now) for head in group if not head.deleted]),
            together([read_partition(head.writes_partition) for head in group]),
        )
        with_items = [*zip(group, partitions, strict=True)]
        yield from write_all(
            [
                mark_put(head.owner, now)
                for head, items in with_items
                if head.owner is not None and any(map(is_write, items))
            ]
        )
        yield from delete_planned(
            [_plan_deletion(context, *found) for found in with_items], _delete_items
        )
        yield from write_all([Delete(Table.CHECKPOINTS, head.key) for head in group])


def _plan_deletion(
    context: Context, head: CheckpointHead, items: Sequence[StoredItem]
) -> DeletionPlan:
    outside = head.outside
    doomed = items_to_delete(items, outside, context.now)
    return plan_deletion(context.payloads, head.owner, doomed, outside)


def read_partition(partition: str) -> Operation[list[StoredItem]]:
    """The items of a partition of the writes table: consistent, only with `WRITE_REFERENCES`."""
    query = Query(Table.WRITES, partition, consistent=True, attributes=WRITE_REFERENCES)
    return (yield from query_all(query))


def _delete_items(keys: Sequence[Key]) -> Operation[None]:
    yield from write_all([Delete(Table.WRITES, key) for key in keys])
