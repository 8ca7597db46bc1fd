"""Threads to move, and the parts of them that are compared."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.moving import export_threads
from tests.support.calls import SyncCalls
from tests.support.values import checkpoint, metadata, put_chain

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver, CheckpointTuple


def store_thread(saver: BaseCheckpointSaver[str], thread_id: str = "t") -> None:
    """Store a chain with a fork and pending writes, and nested namespaces."""
    calls = SyncCalls(saver)
    chain = put_chain(calls, thread_id, 3)
    nested = put_chain(calls, thread_id, 2, "child:1")
    put_chain(calls, thread_id, 1, "child:1|grandchild:2")
    saver.put(chain[0], checkpoint(fork=True), metadata(source="fork", step=1, note="n"), {})
    saver.put_writes(chain[-1], [("a", 1), ("__resume__", "yes"), ("b", 2)], "task", "~path 2")
    saver.put_writes(chain[-1], [("a", 3)], "a later task", "~path 1")
    saver.put_writes(nested[0], [(f"c{index}", index) for index in range(12)], "many")


def checkpoints_by_id(
    saver: BaseCheckpointSaver[str], thread_id: str = "t"
) -> dict[tuple[str, str], CheckpointTuple]:
    """Every checkpoint of a thread by namespace and id, with complete configs."""
    found = saver.list({"configurable": {"thread_id": thread_id}})
    return {
        (each.config["configurable"]["checkpoint_ns"], each.checkpoint["id"]): each
        for each in found
    }


def exported(saver: BaseCheckpointSaver[Any], *thread_ids: str) -> list[str]:
    """The lines of an export; of all threads if no thread is named."""
    stream = io.StringIO()
    export_threads(saver, stream, thread_ids or None)
    return stream.getvalue().splitlines(keepends=True)
