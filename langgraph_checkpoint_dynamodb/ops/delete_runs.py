"""Deleting the checkpoints of runs, found by the run index or a Scan."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.errors import DeltaHistoryError
from langgraph_checkpoint_dynamodb.format.key_text import fits_index_key
from langgraph_checkpoint_dynamodb.format.tables import Attribute, Key, Table
from langgraph_checkpoint_dynamodb.items.attributes import read_key
from langgraph_checkpoint_dynamodb.items.checkpoints import (
    CHECKPOINT_METADATA,
    CheckpointHead,
    read_checkpoint_head,
    read_metadata,
)
from langgraph_checkpoint_dynamodb.items.codec import decode_metadata
from langgraph_checkpoint_dynamodb.ops.delete import delete_checkpoints
from langgraph_checkpoint_dynamodb.ops.delta_ancestors import needed_ancestors
from langgraph_checkpoint_dynamodb.ops.rereading import (
    invalidating_memory,
    reread_until_consistent,
    with_item_reread,
)
from langgraph_checkpoint_dynamodb.ops.thread_contents import read_thread_contents
from langgraph_checkpoint_dynamodb.ops.values import load_alone
from langgraph_checkpoint_dynamodb.requests.items import (
    QueryRunIndex,
    Scan,
)
from langgraph_checkpoint_dynamodb.requests.operations import Operation, send, together

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from langgraph_checkpoint_dynamodb.items.values import Serialized
    from langgraph_checkpoint_dynamodb.ops.context import Context
    from langgraph_checkpoint_dynamodb.ops.thread_contents import ThreadContents
    from langgraph_checkpoint_dynamodb.requests.items import StoredItem


_SCAN_SEGMENTS = 8
"""Segments of a parallel Scan."""


def delete_for_runs(context: Context, run_ids: Sequence[str]) -> Operation[None]:
    """Delete every checkpoint of these runs, in all threads, with its writes.

    Raises:
        DeltaHistoryError: The DeltaChannels of another run's checkpoint are rebuilt from these.
            Nothing was deleted.
    """
    if not run_ids:
        return
    indexed = [run_id for run_id in run_ids if context.run_id_index and fits_index_key(run_id)]
    found = yield from _find_by_index(context.run_id_index or "", indexed)
    if len(indexed) < len(run_ids):
        found |= yield from _find_by_scan(context, frozenset(run_ids).difference(indexed))
    by_thread = {
        thread_id: {key: found[key] for key in keys}
        for thread_id, keys in groupby(sorted(found), key=lambda key: key.partition)
    }
    doomed = yield from together(
        [_heads_to_delete(context, thread, runs, run_ids) for thread, runs in by_thread.items()]
    )
    refused = [
        thread_id for thread_id, found in zip(by_thread, doomed, strict=True) if found is None
    ]
    if refused:
        raise DeltaHistoryError(refused)
    yield from together(
        [
            invalidating_memory(context, found[0].thread_id, delete_checkpoints(context, *found))
            for found in doomed
            if found is not None
        ]
    )


def _heads_to_delete(
    context: Context, thread_id: str, runs: Mapping[Key, str], run_ids: Sequence[str]
) -> Operation[tuple[ThreadContents, list[CheckpointHead]] | None]:
    return (
        yield from reread_until_consistent(
            context, lambda context: _heads_of_runs(context, thread_id, runs, run_ids)
        )
    )


def _heads_of_runs(
    context: Context, thread_id: str, runs: Mapping[Key, str], run_ids: Sequence[str]
) -> Operation[tuple[ThreadContents, list[CheckpointHead]] | None]:
    """A thread and its checkpoints of these runs, newest first; `None` if others need them.

    The index is eventually consistent, so a checkpoint that now belongs to another run is skipped.
    A checkpoint of an older writer, which does not store its run, is given it here: the run index
    then finds its tombstone.
    """
    thread = yield from read_thread_contents(context, thread_id)
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
    needed = yield from needed_ancestors(context, thread, survivors)
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


def _find_by_scan(context: Context, run_ids: frozenset[str]) -> Operation[dict[Key, str]]:
    found = yield from together(
        [_scan_segment(context, run_ids, segment) for segment in range(_SCAN_SEGMENTS)]
    )
    return {key: run_id for runs in found for key, run_id in runs.items()}


def _scan_segment(
    context: Context, run_ids: frozenset[str], segment: int
) -> Operation[dict[Key, str]]:
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
            run_id = yield from _run_id(context, item)
            if run_id is not None and run_id in run_ids:
                runs[read_key(item, Table.CHECKPOINTS)] = run_id
        if page.next is None:
            return runs
        scan = replace(scan, start=page.next)


def _run_id(context: Context, item: StoredItem) -> Operation[str | None]:
    """The run id of a checkpoint's item: its attribute, or from the metadata for older writers."""
    head = read_checkpoint_head(item, context.now)
    if head.run_id is not None or head.deleted or head.gone or head.beside_namespaces:
        return head.run_id

    def load(context: Context, found: StoredItem | None) -> Operation[Serialized | None]:
        if found is None or Attribute.DELETED in found:
            return None
        return (
            yield from load_alone(context, head.ref, read_metadata(found, head), Attribute.METADATA)
        )

    metadata = yield from with_item_reread(context, head.key, item, load)
    if metadata is None:
        return None
    run_id = decode_metadata(context.serde, metadata, head.place).get("run_id")
    return run_id if isinstance(run_id, str) else None
