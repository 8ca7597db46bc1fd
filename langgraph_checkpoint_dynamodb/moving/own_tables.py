"""Reads this package's own tables for a `TableSource`: threads, checkpoints and task paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.format.keys import is_auxiliary_key
from langgraph_checkpoint_dynamodb.format.tables import SPECS, Table
from langgraph_checkpoint_dynamodb.items.attributes import read_key
from langgraph_checkpoint_dynamodb.items.checkpoints import CHECKPOINT_KEYS
from langgraph_checkpoint_dynamodb.moving.source import (
    CheckpointEntry,
    ThreadIdPage,
    TupleWithPaths,
)
from langgraph_checkpoint_dynamodb.ops.read import load_tuple_with_writes
from langgraph_checkpoint_dynamodb.ops.rereading import get_checkpoint, with_reread
from langgraph_checkpoint_dynamodb.ops.thread_contents import thread_contents_of
from langgraph_checkpoint_dynamodb.requests.calls import query_all
from langgraph_checkpoint_dynamodb.requests.items import Query, Scan
from langgraph_checkpoint_dynamodb.requests.operations import send

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb.format.keys import CheckpointRef
    from langgraph_checkpoint_dynamodb.items.checkpoints import CheckpointRecord
    from langgraph_checkpoint_dynamodb.ops.context import Context
    from langgraph_checkpoint_dynamodb.requests.items import StartKey
    from langgraph_checkpoint_dynamodb.requests.operations import Operation


def thread_page(context: Context, start: StartKey | None) -> Operation[ThreadIdPage]:
    """The threads on a page of a Scan, which returns a thread's items together."""
    spec = SPECS[Table.CHECKPOINTS]
    page = yield from send(
        Scan(
            Table.CHECKPOINTS,
            context.consistent,
            start=start,
            attributes=(spec.partition_key, spec.sort_key),
        )
    )
    keys = (read_key(item, Table.CHECKPOINTS) for item in page.items)
    threads = [key.partition for key in keys if not is_auxiliary_key(key.sort)]
    return ThreadIdPage(tuple(dict.fromkeys(threads)), page.next, len(page.items))


def thread_entries(context: Context, thread_id: str) -> Operation[list[CheckpointEntry]]:
    """The checkpoints of a thread that readers see."""
    items = yield from query_all(
        Query(Table.CHECKPOINTS, thread_id, context.consistent, attributes=CHECKPOINT_KEYS)
    )
    contents = thread_contents_of(thread_id, items, context.now)
    return [
        CheckpointEntry(thread_id, checkpoint_ns, checkpoint_id, head.parent_id)
        for checkpoint_ns, heads in contents.visible.items()
        for checkpoint_id, head in heads.items()
    ]


def read_with_paths(context: Context, ref: CheckpointRef) -> Operation[TupleWithPaths | None]:
    """A checkpoint, and the path of each task that has written to it: that of its first write."""
    record = yield from get_checkpoint(context, ref)
    if record is None:
        return None
    return (yield from with_reread(context, record, _complete_with_paths))


def _complete_with_paths(context: Context, record: CheckpointRecord) -> Operation[TupleWithPaths]:
    found, writes = yield from load_tuple_with_writes(context, record)
    return TupleWithPaths(found, {write.task_id: write.task_path for write in reversed(writes)})
