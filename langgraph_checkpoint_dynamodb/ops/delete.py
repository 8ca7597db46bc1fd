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
from itertools import groupby
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.errors import ConditionFailedError, DeltaHistoryError
from langgraph_checkpoint_dynamodb.format.addressing import Address
from langgraph_checkpoint_dynamodb.format.key_text import fits_index_key
from langgraph_checkpoint_dynamodb.format.keys import ROOT_NAMESPACE
from langgraph_checkpoint_dynamodb.format.tables import Attribute, Key, Table
from langgraph_checkpoint_dynamodb.items.attributes import read_key
from langgraph_checkpoint_dynamodb.items.bases import bases_deleted_key, bases_deleted_put
from langgraph_checkpoint_dynamodb.items.checkpoints import (
    CHECKPOINT_KEYS,
    CHECKPOINT_METADATA,
    CheckpointHead,
    read_checkpoint_head,
    read_head_to_delete,
    read_metadata,
)
from langgraph_checkpoint_dynamodb.items.codec import decode_metadata, waits_of
from langgraph_checkpoint_dynamodb.items.thread_updates import delete_if_unchanged, set_back_update
from langgraph_checkpoint_dynamodb.items.threads import head_of, is_thread_item, updated_of
from langgraph_checkpoint_dynamodb.items.writes_partition import WRITE_REFERENCES, mark_put
from langgraph_checkpoint_dynamodb.ops.lineage import needed_ancestors, read_thread
from langgraph_checkpoint_dynamodb.ops.lookup import forgetting, settled, with_item
from langgraph_checkpoint_dynamodb.ops.parts import load_alone
from langgraph_checkpoint_dynamodb.ops.read import get_tuple
from langgraph_checkpoint_dynamodb.ops.removal import is_write, remains, remove_all, that_go
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
    QueryRunIndex,
    Scan,
)
from langgraph_checkpoint_dynamodb.requests.operations import Operation, both, send, together

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from langgraph_checkpoint_dynamodb.items.values import Serialized
    from langgraph_checkpoint_dynamodb.ops.lineage import Thread
    from langgraph_checkpoint_dynamodb.ops.removal import Remains
    from langgraph_checkpoint_dynamodb.ops.store import Store
    from langgraph_checkpoint_dynamodb.requests.items import StoredItem

_PAGE = 250
"""Checkpoints deleted in one go: ten batches, and few enough that their keys take little memory."""
_SCAN_SEGMENTS = 8
"""Parts of a Scan that are read side by side."""


def delete_thread(store: Store, thread_id: str) -> Operation[None]:
    """Delete every checkpoint of a thread, in all namespaces, with its writes."""
    yield from forgetting(store, thread_id, _delete_thread(store, thread_id))


def _delete_thread(store: Store, thread_id: str) -> Operation[None]:
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
        yield from remove(store, [head for head in heads if not head.beside_namespaces])
        beside += [head for head in heads if head.beside_namespaces]
        if page.next is None:
            break
        query = replace(query, start=page.next)
    yield from _delete_bases(store, thread_id, beside)
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
    store: Store, thread_id: str, beside: Sequence[CheckpointHead]
) -> Operation[None]:
    """Delete the bases of a thread, once its checkpoints are gone, and a mark that is old."""
    mark = bases_deleted_key(thread_id)
    others = [head for head in beside if head.key != mark]
    bases = [head for head in others if head.base is not None]
    if not all(is_settled(head.created, store.now) for head in bases):
        # A run that is under way may still store differences from them.
        yield from put_one(bases_deleted_put(thread_id, store.now))
    yield from remove(store, others)
    if len(others) < len(beside):
        yield from send(DeleteIfOld(Table.CHECKPOINTS, mark, store.now - MARK_RETENTION))


def prune(store: Store, thread_ids: Sequence[str], kept: int) -> Operation[None]:
    """Delete threads, or all of them but what their newest checkpoints need.

    Args:
        store: How to read and write.
        thread_ids: The threads.
        kept: How many checkpoints of each namespace to keep; 0 to delete the threads.
    """
    yield from together(
        [
            _keep_latest(store, thread_id, kept) if kept else delete_thread(store, thread_id)
            for thread_id in thread_ids
        ]
    )


def _keep_latest(store: Store, thread_id: str, kept: int) -> Operation[None]:
    """Delete all of a thread but what `_but_latest` spares."""
    thread, doomed = yield from settled(store, lambda store: _but_latest(store, thread_id, kept))
    yield from forgetting(store, thread_id, _remove_with_bases(store, thread, doomed))


def _remove_with_bases(
    store: Store, thread: Thread, doomed: Sequence[CheckpointHead]
) -> Operation[None]:
    """Delete checkpoints of a thread, then the bases that nothing needs any more.

    And what is known of the thread, if that is all there was; else the thread is said to have come
    to what is the newest then.
    """
    yield from remove(store, doomed)
    yield from remove(store, thread.needless_bases(doomed, store.now))
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
        yield from _set_back(store, thread.thread_id, staying[max(staying)], said)


def _set_back(store: Store, thread_id: str, newest: CheckpointHead, said: str) -> Operation[None]:
    """Let a thread's item speak of a checkpoint, in place of one that was deleted."""
    found = yield from get_tuple(store, Address(thread_id, ROOT_NAMESPACE, newest.checkpoint_id))
    if found is None:
        return
    waits = waits_of(found.pending_writes or ())
    update = set_back_update(thread_id, said, found.checkpoint["id"], waits, newest.ttl)
    with suppress(ConditionFailedError):  # A run has begun meanwhile.
        yield from update_one(update)


def _but_latest(
    store: Store, thread_id: str, count: int
) -> Operation[tuple[Thread, list[CheckpointHead]]]:
    """All of a thread but the newest checkpoints of each namespace and what those need.

    What they need are the ancestors that its DeltaChannels are rebuilt from. The call of a subgraph
    goes whole with the root checkpoint it ran under. Checkpoints that an older writer kept where no
    reader looks for them are left alone.

    The root's go first: stopped anywhere, what is left of a call whose root checkpoint has gone is
    found by the next prune.
    """
    thread = yield from read_thread(store, thread_id)
    kept = yield from _kept(store, thread, count)
    doomed = [
        head
        for head in thread.heads
        if head.deleted
        or (
            head.checkpoint_id is not None
            and head.checkpoint_id not in kept.get(head.checkpoint_ns, ())
        )
    ]
    return thread, doomed


def _kept(store: Store, thread: Thread, count: int) -> Operation[dict[str, set[str]]]:
    """What a prune keeps: namespace to ids. The root's first, since it decides about the calls."""
    newest = {
        checkpoint_ns: set(sorted(ids, reverse=True)[:count])
        for checkpoint_ns, ids in thread.visible.items()
    }
    root = {ROOT_NAMESPACE: newest.pop(ROOT_NAMESPACE, set())}
    kept = yield from needed_ancestors(store, thread, root)
    for checkpoint_ns in thread.outlived(kept[ROOT_NAMESPACE]):
        del newest[checkpoint_ns]
    nested = yield from needed_ancestors(store, thread, newest)
    return kept | nested


def delete_for_runs(store: Store, run_ids: Sequence[str]) -> Operation[None]:
    """Delete every checkpoint of these runs, in all threads, with its writes.

    Raises:
        DeltaHistoryError: A checkpoint of another run needs one of these for its DeltaChannels.
            Nothing was deleted.
    """
    if not run_ids:
        return
    indexed = [run_id for run_id in run_ids if store.run_id_index and fits_index_key(run_id)]
    found = yield from _find_by_index(store.run_id_index or "", indexed)
    if len(indexed) < len(run_ids):
        found |= yield from _find_by_scan(store, frozenset(run_ids).difference(indexed))
    by_thread = {
        thread_id: {key: found[key] for key in keys}
        for thread_id, keys in groupby(sorted(found), key=lambda key: key.partition)
    }
    doomed = yield from together(
        [_settled_heads(store, thread, runs, run_ids) for thread, runs in by_thread.items()]
    )
    refused = [
        thread_id for thread_id, found in zip(by_thread, doomed, strict=True) if found is None
    ]
    if refused:
        raise DeltaHistoryError(refused)
    yield from together(
        [
            forgetting(store, found[0].thread_id, _remove_with_bases(store, *found))
            for found in doomed
            if found is not None
        ]
    )


def remove(store: Store, heads: Sequence[CheckpointHead]) -> Operation[None]:
    """Delete checkpoints with what lies beside them. Pass them newest first in each namespace."""
    now = store.now
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
        yield from remove_all([_remains(store, *found) for found in beside], _delete_each)
        yield from write_all([Delete(Table.CHECKPOINTS, head.key) for head in group])


def _remains(store: Store, head: CheckpointHead, items: Sequence[StoredItem]) -> Remains:
    outside = head.outside
    doomed = that_go(items, outside, store.now)
    return remains(store.payloads, head.owner, doomed, outside)


def read_partition(partition: str) -> Operation[list[StoredItem]]:
    """All that lies beside a checkpoint, read consistently, with `WRITE_REFERENCES` alone."""
    query = Query(Table.WRITES, partition, consistent=True, attributes=WRITE_REFERENCES)
    return (yield from query_all(query))


def _delete_each(keys: Sequence[Key]) -> Operation[None]:
    yield from write_all([Delete(Table.WRITES, key) for key in keys])


def _settled_heads(
    store: Store, thread_id: str, runs: Mapping[Key, str], run_ids: Sequence[str]
) -> Operation[tuple[Thread, list[CheckpointHead]] | None]:
    return (
        yield from settled(store, lambda store: _heads_of_runs(store, thread_id, runs, run_ids))
    )


def _heads_of_runs(
    store: Store, thread_id: str, runs: Mapping[Key, str], run_ids: Sequence[str]
) -> Operation[tuple[Thread, list[CheckpointHead]] | None]:
    """The thread, and its items of those runs, newest first, or `None` if others need them.

    The index may lag behind, so an item that has come to belong to another run is left out. An
    older writer's item learns its run here, so that its tombstone can be found by it.
    """
    thread = yield from read_thread(store, thread_id)
    heads = [
        head if head.run_id is not None else _of_run(head, runs[head.key])
        for head in thread.heads
        if head.key in runs and head.run_id in (None, *run_ids)
    ]
    doomed = {(head.checkpoint_ns, head.checkpoint_id) for head in heads}
    survivors = {
        checkpoint_ns: {id_ for id_ in checkpoints if (checkpoint_ns, id_) not in doomed}
        for checkpoint_ns, checkpoints in thread.visible.items()
    }
    needed = yield from needed_ancestors(store, thread, survivors)
    severed = any(
        (checkpoint_ns, id_) in doomed for checkpoint_ns, ids in needed.items() for id_ in ids
    )
    return None if severed else (thread, heads)


def _of_run(head: CheckpointHead, run_id: str) -> CheckpointHead:
    return replace(head, run_id=run_id) if fits_index_key(run_id) else head


def _find_by_index(index: str, run_ids: Sequence[str]) -> Operation[dict[Key, str]]:
    found = yield from together([_index_keys(index, run_id) for run_id in run_ids])
    return {key: run_id for run_id, keys in zip(run_ids, found, strict=True) for key in keys}


def _index_keys(index: str, run_id: str) -> Operation[list[Key]]:
    keys: list[Key] = []
    query = QueryRunIndex(index, run_id)
    while True:
        page = yield from send(query)
        keys += [read_key(item, Table.CHECKPOINTS) for item in page.items]
        if page.next is None:
            return keys
        query = replace(query, start=page.next)


def _find_by_scan(store: Store, run_ids: frozenset[str]) -> Operation[dict[Key, str]]:
    found = yield from together(
        [_scan_segment(store, run_ids, segment) for segment in range(_SCAN_SEGMENTS)]
    )
    return {key: run_id for runs in found for key, run_id in runs.items()}


def _scan_segment(store: Store, run_ids: frozenset[str], segment: int) -> Operation[dict[Key, str]]:
    runs: dict[Key, str] = {}
    scan = Scan(
        Table.CHECKPOINTS,
        consistent=True,
        segment=segment,
        segments=_SCAN_SEGMENTS,
        attributes=CHECKPOINT_METADATA,
    )
    while True:
        page = yield from send(scan)
        for item in page.items:
            run_id = yield from _run_id(store, item)
            if run_id is not None and run_id in run_ids:
                runs[read_key(item, Table.CHECKPOINTS)] = run_id
        if page.next is None:
            return runs
        scan = replace(scan, start=page.next)


def _run_id(store: Store, item: StoredItem) -> Operation[str | None]:
    """The run of a checkpoint's item: its attribute, or for older writers its metadata's."""
    head = read_checkpoint_head(item, store.now)
    if head.run_id is not None or head.deleted or head.gone or head.beside_namespaces:
        return head.run_id

    def load(store: Store, found: StoredItem | None) -> Operation[Serialized | None]:
        if found is None or Attribute.DELETED in found:
            return None
        return (
            yield from load_alone(store, head.ref, read_metadata(found, head), Attribute.METADATA)
        )

    metadata = yield from with_item(store, head.key, item, load)
    if metadata is None:
        return None
    run_id = decode_metadata(store.serde, metadata, head.place).get("run_id")
    return run_id if isinstance(run_id, str) else None
