"""Storing what was read elsewhere, so that it can be stopped anywhere and repeated."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from langgraph.checkpoint.base import get_checkpoint_metadata

from langgraph_checkpoint_dynamodb.moving.comparison import difference, require_same
from langgraph_checkpoint_dynamodb.moving.source import namespaces_of, places, read
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

    def with_checkpoint(self, found: Found) -> MoveReport:
        """The report with a checkpoint more."""
        return replace(
            self,
            checkpoints=self.checkpoints + 1,
            writes=self.writes + len(found.pending_writes),
        )


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
    report = MoveReport(threads=1 if found else 0, namespaces=namespaces_of(found))
    for place in found:
        one = yield from read(source, place)
        if one is None:
            continue  # Deleted meanwhile.
        yield from store(target, one)
        report = report.with_checkpoint(one)
        if on_progress is not None:
            on_progress(report)
    for place in found:
        one = yield from read(source, place)
        if one is not None:
            require_same(target.serde, as_stored(one), (yield from read(target, place)))
    return report


def store(target: Source, one: Found) -> Moving[None]:
    """Store a checkpoint unless it is there already, all the same.

    Its writes come first: who finds it finds it with them.
    """
    there = yield from read(target, one.place)
    if difference(target.serde, as_stored(one), there) is None:
        return
    for task in one.tasks:
        yield from take(_put_writes(target, one, task))
    yield from take(_put(target, one))


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
