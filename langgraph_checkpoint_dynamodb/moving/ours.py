"""What our own tables tell beyond LangGraph's methods: their threads, and the paths of tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.format.keys import is_auxiliary_key
from langgraph_checkpoint_dynamodb.format.tables import SPECS, Table
from langgraph_checkpoint_dynamodb.items.attributes import read_key
from langgraph_checkpoint_dynamodb.items.checkpoints import CHECKPOINT_KEYS
from langgraph_checkpoint_dynamodb.moving.source import Detailed, Place, ThreadIds
from langgraph_checkpoint_dynamodb.ops.read import complete_with_writes
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


def thread_page(store: Context, start: StartKey | None) -> Operation[ThreadIds]:
    """The threads on a page of a Scan, which returns a thread's items together."""
    spec = SPECS[Table.CHECKPOINTS]
    page = yield from send(
        Scan(
            Table.CHECKPOINTS,
            store.consistent,
            start=start,
            attributes=(spec.partition_key, spec.sort_key),
        )
    )
    keys = (read_key(item, Table.CHECKPOINTS) for item in page.items)
    threads = [key.partition for key in keys if not is_auxiliary_key(key.sort)]
    return ThreadIds(tuple(dict.fromkeys(threads)), page.next, len(page.items))


def thread_places(store: Context, thread_id: str) -> Operation[list[Place]]:
    """The checkpoints of a thread that readers see."""
    items = yield from query_all(
        Query(Table.CHECKPOINTS, thread_id, store.consistent, attributes=CHECKPOINT_KEYS)
    )
    return [
        Place(thread_id, checkpoint_ns, checkpoint_id, head.parent_id)
        for checkpoint_ns, heads in thread_contents_of(thread_id, items, store.now).visible.items()
        for checkpoint_id, head in heads.items()
    ]


def detailed(store: Context, ref: CheckpointRef) -> Operation[Detailed | None]:
    """A checkpoint, and the path of each task that has written to it: that of its first write."""
    record = yield from get_checkpoint(store, ref)
    if record is None:
        return None
    return (yield from with_reread(store, record, _with_paths))


def _with_paths(store: Context, record: CheckpointRecord) -> Operation[Detailed]:
    found, writes = yield from complete_with_writes(store, record)
    return Detailed(found, {write.task_id: write.task_path for write in reversed(writes)})
