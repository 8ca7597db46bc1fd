"""Storing what was read elsewhere, so that it can be stopped anywhere and repeated."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from langgraph.checkpoint.base import get_checkpoint_metadata

from langgraph_checkpoint_dynamodb.errors import ThreadMismatchError
from langgraph_checkpoint_dynamodb.moving.comparison import difference
from langgraph_checkpoint_dynamodb.moving.source import (
    DetailedSource,
    places,
    read,
    read_with_paths,
)
from langgraph_checkpoint_dynamodb.moving.steps import Step, take

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from langgraph_checkpoint_dynamodb.moving.source import Found, Source
    from langgraph_checkpoint_dynamodb.moving.steps import Moving
    from langgraph_checkpoint_dynamodb.moving.writes import TaskWrites


@dataclass(frozen=True, slots=True)
class MoveReport:
    """What has been moved.

    Attributes:
        threads: Threads that had a checkpoint.
        namespaces: Their namespaces, together.
        checkpoints: Their checkpoints, with those that were there already.
        writes: Their pending writes.
    """

    threads: int = 0
    namespaces: int = 0
    checkpoints: int = 0
    writes: int = 0


class Tally:
    """Counts what is moved, and tells.

    Attributes:
        report: What has been moved so far.

    Args:
        on_progress: What is told after each checkpoint.
    """

    def __init__(self, on_progress: Callable[[MoveReport], object] | None) -> None:
        self.report = MoveReport()
        self._on_progress = on_progress
        self._thread: str | None = None
        self._namespace: str | None = None

    def count(self, found: Found) -> None:
        """Count a checkpoint. Those of a thread, and there of a namespace, come together."""
        place, report = found.place, self.report
        other_thread = place.thread_id != self._thread
        other_namespace = other_thread or place.checkpoint_ns != self._namespace
        self._thread, self._namespace = place.thread_id, place.checkpoint_ns
        self.report = MoveReport(
            report.threads + other_thread,
            report.namespaces + other_namespace,
            report.checkpoints + 1,
            report.writes + len(found.pending_writes),
        )
        if self._on_progress is not None:
            self._on_progress(self.report)


def import_thread(
    source: Source,
    target: Source,
    thread_id: str,
    namespaces: Sequence[str] | None = None,
    on_progress: Callable[[MoveReport], object] | None = None,
) -> Moving[MoveReport]:
    """Copy a thread from one saver to another, then compare both.

    Raises:
        ThreadMismatchError: The target does not have what the source has.
    """
    found = yield from places(source, thread_id, namespaces)
    tally = Tally(on_progress)
    for place in found:
        one = yield from read_with_paths(source, place)
        if one is None:
            continue  # Deleted meanwhile.
        yield from store(target, one)
        tally.count(one)
    for place in found:
        one = yield from read(source, place)
        if one is not None:
            yield from require_stored(target, one)
    return tally.report


def store(target: Source, one: Found) -> Moving[None]:
    """Store a checkpoint unless it is there already, all the same.

    Its writes come first: who finds it finds it with them.
    """
    if (yield from _difference(target, one)) is None:
        return
    for task in one.tasks:
        yield from take(_put_writes(target, one, task))
    yield from take(_put(target, one))


def require_stored(target: Source, one: Found) -> Moving[None]:
    """Check that a checkpoint is there, all the same.

    Raises:
        ThreadMismatchError: It is missing, or a field of it differs.
    """
    field = yield from _difference(target, one)
    if field is not None:
        raise ThreadMismatchError(*one.place[:3], field)


def _difference(target: Source, one: Found) -> Moving[str | None]:
    """The first field by which a checkpoint differs where it goes to, `None` if none does."""
    found = yield from read(target, one.place)
    # Savers of other packages may return channel values stored with another checkpoint.
    whole = isinstance(target, DetailedSource)
    return difference(target.serde, as_stored(one), found, whole=whole)


def as_stored(one: Found) -> Found:
    """A checkpoint as every saver stores it: LangGraph has zero bytes left out of metadata."""
    return replace(one, metadata=get_checkpoint_metadata(one.place.put_config, one.metadata))


def _put_writes(target: Source, one: Found, task: TaskWrites) -> Step[None]:
    config = one.place.config
    return Step(
        lambda: target.put_writes(config, task.writes, task.task_id, task.task_path),
        lambda: target.aput_writes(config, task.writes, task.task_id, task.task_path),
    )


def _put(target: Source, one: Found) -> Step[object]:
    # Those whose values are here: savers that keep values by version have the others already.
    versions = {
        name: version
        for name, version in one.checkpoint.get("channel_versions", {}).items()
        if name in one.checkpoint.get("channel_values", {})
    }
    config = one.place.put_config
    return Step(
        lambda: target.put(config, one.checkpoint, one.metadata, versions),
        lambda: target.aput(config, one.checkpoint, one.metadata, versions),
    )
