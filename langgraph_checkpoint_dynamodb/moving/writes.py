"""Pending writes as a saver returns them, as calls of `put_writes` that store them the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langgraph.checkpoint.base import WRITES_IDX_MAP

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from langgraph.checkpoint.base import PendingWrite


@dataclass(frozen=True, slots=True)
class TaskWrites:
    """The writes of a task.

    Attributes:
        task_id: The task.
        task_path: Its path, by which a saver orders tasks.
        writes: Pairs of channel and value, special channels first.
    """

    task_id: str
    task_path: str
    writes: tuple[tuple[str, Any], ...]


def by_task(pending: Iterable[PendingWrite], paths: Mapping[str, str]) -> list[TaskWrites]:
    """Pending writes by task, which come in the order of their first writes.

    Special channels have fixed places, before all others and with one value each. Savers return
    them there. One that does not had them stored where they were put, so the last one counts.

    Args:
        pending: Writes in the order in which a saver has returned them.
        paths: Path of each task. Where a task is missing, paths are made up that keep the order,
            if it takes any.
    """
    tasks: dict[str, list[tuple[str, Any]]] = {}
    for task_id, channel, value in pending:
        tasks.setdefault(task_id, []).append((channel, value))
    known = _known_paths(list(tasks), paths)
    return [TaskWrites(task_id, known[task_id], _placed(tasks[task_id])) for task_id in tasks]


def in_order(tasks: Iterable[TaskWrites]) -> list[PendingWrite]:
    """The pending writes as a saver returns them."""
    return [(task.task_id, channel, value) for task in tasks for channel, value in task.writes]


def _placed(writes: Sequence[tuple[str, Any]]) -> tuple[tuple[str, Any], ...]:
    special = {channel: value for channel, value in writes if channel in WRITES_IDX_MAP}
    first = sorted(special.items(), key=lambda write: WRITES_IDX_MAP[write[0]])
    return (*first, *(write for write in writes if write[0] not in WRITES_IDX_MAP))


def _known_paths(task_ids: Sequence[str], paths: Mapping[str, str]) -> Mapping[str, str]:
    known = {task_id: paths.get(task_id, "") for task_id in task_ids}
    if sorted(task_ids, key=lambda task_id: (known[task_id], task_id)) == list(task_ids):
        return known
    # Below every path of LangGraph's, which begin with "~__": what is written later comes later.
    return {task_id: f"~{position:010}" for position, task_id in enumerate(task_ids)}
