"""Stores checkpoints that were read elsewhere; can be interrupted anywhere and repeated."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from langgraph.checkpoint.base import get_checkpoint_metadata

from langgraph_checkpoint_dynamodb.errors import ThreadMismatchError
from langgraph_checkpoint_dynamodb.moving.comparison import first_difference
from langgraph_checkpoint_dynamodb.moving.source import (
    TableSource,
    list_entries,
    read_checkpoint,
    read_checkpoint_with_paths,
)
from langgraph_checkpoint_dynamodb.moving.steps import Step, take

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from langgraph_checkpoint_dynamodb.moving.source import Saver, StoredCheckpoint
    from langgraph_checkpoint_dynamodb.moving.steps import Steps
    from langgraph_checkpoint_dynamodb.moving.writes import TaskWrites


@dataclass(frozen=True, slots=True)
class MoveReport:
    """What has been moved.

    Attributes:
        threads: Threads that had a checkpoint.
        namespaces: Namespaces of these threads.
        checkpoints: Their checkpoints, including those that the target had already.
        writes: Their pending writes.
    """

    threads: int = 0
    namespaces: int = 0
    checkpoints: int = 0
    writes: int = 0


class MoveCounter:
    """Counts what is moved, and reports it.

    Attributes:
        report: What has been moved so far.

    Args:
        on_progress: Called after each checkpoint.
    """

    def __init__(self, on_progress: Callable[[MoveReport], object] | None) -> None:
        self.report = MoveReport()
        self._on_progress = on_progress
        self._thread: str | None = None
        self._namespace: str | None = None

    def count(self, found: StoredCheckpoint) -> None:
        """Count a checkpoint. Those of a thread, and in it of a namespace, come together."""
        entry, report = found.entry, self.report
        other_thread = entry.thread_id != self._thread
        other_namespace = other_thread or entry.checkpoint_ns != self._namespace
        self._thread, self._namespace = entry.thread_id, entry.checkpoint_ns
        self.report = MoveReport(
            report.threads + other_thread,
            report.namespaces + other_namespace,
            report.checkpoints + 1,
            report.writes + len(found.pending_writes),
        )
        if self._on_progress is not None:
            self._on_progress(self.report)


def import_thread(
    source: Saver,
    target: Saver,
    thread_id: str,
    namespaces: Sequence[str] | None = None,
    on_progress: Callable[[MoveReport], object] | None = None,
) -> Steps[MoveReport]:
    """Copy a thread from one saver to another, then compare both.

    Raises:
        ThreadMismatchError: The target does not have what the source has.
    """
    entries = yield from list_entries(source, thread_id, namespaces)
    counter = MoveCounter(on_progress)
    for entry in entries:
        found = yield from read_checkpoint_with_paths(source, entry)
        if found is None:
            continue  # Deleted meanwhile.
        yield from store(target, found)
        counter.count(found)
    for entry in entries:
        found = yield from read_checkpoint(source, entry)
        if found is not None:
            yield from require_stored(target, found)
    return counter.report


def store(target: Saver, expected: StoredCheckpoint) -> Steps[None]:
    """Store a checkpoint unless the target has the same one already.

    Its writes are stored first, so that no reader finds the checkpoint without them.
    """
    if (yield from _first_difference(target, expected)) is None:
        return
    for task in expected.tasks:
        yield from take(_put_writes(target, expected, task))
    yield from take(_put(target, expected))


def require_stored(target: Saver, expected: StoredCheckpoint) -> Steps[None]:
    """Check that the target has the same checkpoint.

    Raises:
        ThreadMismatchError: It is missing, or a field of it differs.
    """
    field = yield from _first_difference(target, expected)
    if field is not None:
        raise ThreadMismatchError(*expected.entry[:3], field)


def _first_difference(target: Saver, expected: StoredCheckpoint) -> Steps[str | None]:
    found = yield from read_checkpoint(target, expected.entry)
    # Other savers may return the value of a channel that was stored with another checkpoint.
    return first_difference(
        target.serde, _as_stored(expected), found, no_more_values=isinstance(target, TableSource)
    )


def _as_stored(expected: StoredCheckpoint) -> StoredCheckpoint:
    """A checkpoint as every saver stores it: LangGraph removes zero bytes from its metadata."""
    metadata = get_checkpoint_metadata(expected.entry.put_config, expected.metadata)
    return replace(expected, metadata=metadata)


def _put_writes(target: Saver, expected: StoredCheckpoint, task: TaskWrites) -> Step[None]:
    config = expected.entry.config
    return Step(
        lambda: target.put_writes(config, task.writes, task.task_id, task.task_path),
        lambda: target.aput_writes(config, task.writes, task.task_id, task.task_path),
    )


def _put(target: Saver, expected: StoredCheckpoint) -> Step[object]:
    checkpoint, metadata = expected.checkpoint, expected.metadata
    # Of the channels with values here: savers that store values by version have the others already.
    new_versions = {
        name: version
        for name, version in checkpoint.get("channel_versions", {}).items()
        if name in checkpoint.get("channel_values", {})
    }
    config = expected.entry.put_config
    return Step(
        lambda: target.put(config, checkpoint, metadata, new_versions),
        lambda: target.aput(config, checkpoint, metadata, new_versions),
    )
