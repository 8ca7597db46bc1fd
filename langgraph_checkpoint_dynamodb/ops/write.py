"""Storing checkpoints and pending writes. Everything is serialized before an operation begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.calls import put_atomically, put_one

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langgraph_checkpoint_dynamodb.effects import Operation
    from langgraph_checkpoint_dynamodb.items import CheckpointRecord, WriteRecord
    from langgraph_checkpoint_dynamodb.keys import CheckpointRef


def put_checkpoint(record: CheckpointRecord) -> Operation[None]:
    """Store a checkpoint, replacing one of the same id."""
    return put_one(record.put())


def put_writes(ref: CheckpointRef, writes: Sequence[WriteRecord]) -> Operation[None]:
    """Store a task's writes, all or none.

    LangGraph takes a task for finished as soon as one of its outputs is stored. Were the writes of
    a task stored one by one, a process that dies between them would leave a task that counts as
    finished and has lost the rest of its output.
    """
    return put_atomically([write.put(ref) for write in writes])
