"""What our own tables tell beyond LangGraph's methods: their threads, and the paths of tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.codec import current_writes
from langgraph_checkpoint_dynamodb.effects import Scan, send
from langgraph_checkpoint_dynamodb.items.attributes import read_key
from langgraph_checkpoint_dynamodb.keys import SPECS, Table, is_beside_namespaces
from langgraph_checkpoint_dynamodb.moving.source import ThreadIds
from langgraph_checkpoint_dynamodb.ops.beside import read_beside
from langgraph_checkpoint_dynamodb.ops.lookup import get_checkpoint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from langgraph_checkpoint_dynamodb.effects import Operation, StartKey
    from langgraph_checkpoint_dynamodb.keys import CheckpointRef
    from langgraph_checkpoint_dynamodb.ops.store import Store


def thread_page(store: Store, start: StartKey | None) -> Operation[ThreadIds]:
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
    threads = [key.partition for key in keys if not is_beside_namespaces(key.sort)]
    return ThreadIds(tuple(dict.fromkeys(threads)), page.next, len(page.items))


def task_paths(store: Store, ref: CheckpointRef) -> Operation[Mapping[str, str]]:
    """The path of each task that has written to a checkpoint: that of its first write."""
    record = yield from get_checkpoint(store, ref)
    if record is None:
        return {}
    beside = yield from read_beside(store, record)
    ordered = current_writes(beside.writes)
    return {write.task_id: write.task_path for write in reversed(ordered)}
