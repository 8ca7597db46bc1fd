"""Pruning threads: all but the newest checkpoints and what those are rebuilt from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.format.keys import ROOT_NAMESPACE
from langgraph_checkpoint_dynamodb.ops.delete import delete_checkpoints, delete_thread
from langgraph_checkpoint_dynamodb.ops.delta_ancestors import needed_ancestors
from langgraph_checkpoint_dynamodb.ops.rereading import (
    invalidating_memory,
    reread_until_consistent,
)
from langgraph_checkpoint_dynamodb.ops.thread_contents import read_thread_contents
from langgraph_checkpoint_dynamodb.requests.operations import Operation, together

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langgraph_checkpoint_dynamodb.items.checkpoints import CheckpointHead
    from langgraph_checkpoint_dynamodb.ops.context import Context
    from langgraph_checkpoint_dynamodb.ops.thread_contents import ThreadContents


def prune(context: Context, thread_ids: Sequence[str], kept: int) -> Operation[None]:
    """Delete threads, or all but their newest checkpoints and what those need.

    Args:
        context: Settings, serializer, clock and memory of the call.
        thread_ids: The threads.
        kept: How many checkpoints of each namespace to keep; 0 to delete the threads.
    """
    yield from together(
        [
            _keep_latest(context, thread_id, kept) if kept else delete_thread(context, thread_id)
            for thread_id in thread_ids
        ]
    )


def _keep_latest(context: Context, thread_id: str, kept: int) -> Operation[None]:
    """Delete the checkpoints of a thread that `_prunable` returns."""
    thread, doomed = yield from reread_until_consistent(
        context, lambda context: _prunable(context, thread_id, kept)
    )
    yield from invalidating_memory(context, thread_id, delete_checkpoints(context, thread, doomed))


def _prunable(
    context: Context, thread_id: str, count: int
) -> Operation[tuple[ThreadContents, list[CheckpointHead]]]:
    """A thread, and all but the newest checkpoints of each namespace and what those need.

    They need the ancestors that their DeltaChannels are rebuilt from. All checkpoints of a subgraph
    call are deleted with the root checkpoint that it ran under. Checkpoints under keys that only
    older writers use are kept: no reader finds them.

    Root checkpoints are deleted first. If the prune is interrupted, the next one finds the rest of
    a call whose root checkpoint is gone.
    """
    thread = yield from read_thread_contents(context, thread_id)
    kept = yield from _kept_ids(context, thread, count)
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


def _kept_ids(
    context: Context, thread: ThreadContents, count: int
) -> Operation[dict[str, set[str]]]:
    """The ids to keep by namespace. Those of the root decide which subgraph calls are kept."""
    newest = {
        checkpoint_ns: set(sorted(ids, reverse=True)[:count])
        for checkpoint_ns, ids in thread.visible.items()
    }
    root = {ROOT_NAMESPACE: newest.pop(ROOT_NAMESPACE, set())}
    kept = yield from needed_ancestors(context, thread, root)
    for checkpoint_ns in thread.unresumable_calls(kept[ROOT_NAMESPACE]):
        del newest[checkpoint_ns]
    nested = yield from needed_ancestors(context, thread, newest)
    return kept | nested
