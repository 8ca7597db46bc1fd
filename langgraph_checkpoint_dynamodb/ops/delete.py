"""Deleting checkpoints with what lies beside them, so that it can stop anywhere and be repeated.

The writes of a checkpoint are found through its item alone. Deleting the item first would leave
writes that nothing leads to; deleting the writes first would show a checkpoint whose finished tasks
look unfinished. So each checkpoint is first replaced by a tombstone, which readers take for absent
and which still leads to the writes; then its writes and chunks go, then its S3 objects, then the
items that lead to those, then the tombstone. Newest first: what a reader sees of a delete cut short
is an older checkpoint with all its ancestors, or none.

A reader that has read the checkpoint before the tombstone, and its writes after they were deleted,
would see a checkpoint whose finished tasks look unfinished all the same. So a mark comes into the
partition of the writes before they go, and stays for an hour: who finds it there looks at the
checkpoint again. It costs a write unit for each checkpoint that had writes, and readers nothing but
that look, should the checkpoint be stored again within the hour.
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
from langgraph_checkpoint_dynamodb.items.beside import WRITE_REFERENCES, mark_put
from langgraph_checkpoint_dynamodb.items.checkpoints import (
    CHECKPOINT_KEYS,
    CheckpointHead,
    read_head_to_delete,
)
from langgraph_checkpoint_dynamodb.items.codec import waits_of
from langgraph_checkpoint_dynamodb.items.threads import (
    delete_if_unchanged,
    head_of,
    is_thread_item,
    set_back_update,
    updated_of,
)
from langgraph_checkpoint_dynamodb.ops.deletion_plan import (
    delete_planned,
    is_write,
    items_to_delete,
    plan_deletion,
)
from langgraph_checkpoint_dynamodb.ops.read import get_tuple
from langgraph_checkpoint_dynamodb.ops.rereading import (
    invalidating_memory,
)
from langgraph_checkpoint_dynamodb.payloads.differences import MARK_REST, is_settled
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
"""Checkpoints deleted in one go: ten batches, and few enough that their keys take little memory."""


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
    beside: list[CheckpointHead] = []
    known: StoredItem | None = None
    while True:
        page = yield from send(query)
        known = next(filter(is_thread_item, page.items), known)
        heads = [read_head_to_delete(item) for item in page.items if not is_thread_item(item)]
        yield from remove(context, [head for head in heads if not head.beside_namespaces])
        beside += [head for head in heads if head.beside_namespaces]
        if page.next is None:
            break
        query = replace(query, start=page.next)
    yield from _delete_bases(context, thread_id, beside)
    if known is not None:
        yield from delete_thread_item(known)


def delete_thread_item(item: StoredItem) -> Operation[bool]:
    """Delete what is known of a thread, last of all; tells whether it was that.

    Who lists threads finds one whose delete has stopped, and one that has run again meanwhile.
    """
    request = delete_if_unchanged(item)
    if request is not None:
        return (yield from send(request))
    yield from write_all([Delete(Table.CHECKPOINTS, read_key(item, Table.CHECKPOINTS))])
    return True


def _delete_bases(
    context: Context, thread_id: str, beside: Sequence[CheckpointHead]
) -> Operation[None]:
    """Delete the bases of a thread, once its checkpoints are gone, and a mark that is old."""
    mark = bases_deleted_key(thread_id)
    others = [head for head in beside if head.key != mark]
    bases = [head for head in others if head.base is not None]
    if not all(is_settled(head.created, context.now) for head in bases):
        # A run that is under way may still store differences from them.
        yield from put_one(bases_deleted_put(thread_id, context.now))
    yield from remove(context, others)
    if len(others) < len(beside):
        yield from send(DeleteIfOld(Table.CHECKPOINTS, mark, context.now - MARK_REST))


def delete_checkpoints(
    context: Context, thread: ThreadContents, doomed: Sequence[CheckpointHead]
) -> Operation[None]:
    """Delete checkpoints of a thread, then the bases that nothing needs any more.

    And what is known of the thread, if that is all there was; else the thread is said to have come
    to what is the newest then.
    """
    yield from remove(context, doomed)
    yield from remove(context, thread.unneeded_bases(doomed, context.now))
    if thread.item is None:
        return
    going = {head.key for head in doomed}
    if all(head.key in going for head in thread.heads):
        yield from delete_thread_item(thread.item)
        return
    roots = thread.visible.get(ROOT_NAMESPACE, {})
    staying = {id_: head for id_, head in roots.items() if head.key not in going}
    said = head_of(thread.item)
    if staying and said in roots and said not in staying and updated_of(thread.item) is not None:
        yield from _set_back(context, thread.thread_id, staying[max(staying)], said)


def _set_back(
    context: Context, thread_id: str, newest: CheckpointHead, said: str
) -> Operation[None]:
    """Let a thread's item speak of a checkpoint, in place of one that was deleted."""
    found = yield from get_tuple(context, Address(thread_id, ROOT_NAMESPACE, newest.checkpoint_id))
    if found is None:
        return
    waits = waits_of(found.pending_writes or ())
    update = set_back_update(thread_id, said, found.checkpoint["id"], waits, newest.ttl)
    with suppress(ConditionFailedError):  # A run has begun meanwhile.
        yield from update_one(update)


def remove(context: Context, heads: Sequence[CheckpointHead]) -> Operation[None]:
    """Delete checkpoints with what lies beside them. Pass them newest first in each namespace."""
    now = context.now
    for start in range(0, len(heads), _PAGE):
        group = heads[start : start + _PAGE]
        _, partitions = yield from both(
            write_in_order([head.tombstone(now) for head in group if not head.deleted]),
            together([read_partition(head.writes_partition) for head in group]),
        )
        beside = [*zip(group, partitions, strict=True)]
        yield from write_all(
            [
                mark_put(head.owner, now)
                for head, items in beside
                if head.owner is not None and any(map(is_write, items))
            ]
        )
        yield from delete_planned(
            [_plan_deletion(context, *found) for found in beside], _delete_each
        )
        yield from write_all([Delete(Table.CHECKPOINTS, head.key) for head in group])


def _plan_deletion(
    context: Context, head: CheckpointHead, items: Sequence[StoredItem]
) -> DeletionPlan:
    outside = head.outside
    doomed = items_to_delete(items, outside, context.now)
    return plan_deletion(context.payloads, head.owner, doomed, outside)


def read_partition(partition: str) -> Operation[list[StoredItem]]:
    """All that lies beside a checkpoint, read consistently, with `WRITE_REFERENCES` alone."""
    query = Query(Table.WRITES, partition, consistent=True, attributes=WRITE_REFERENCES)
    return (yield from query_all(query))


def _delete_each(keys: Sequence[Key]) -> Operation[None]:
    yield from write_all([Delete(Table.WRITES, key) for key in keys])
