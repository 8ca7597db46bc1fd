"""Groups pending writes by task, for calls of `put_writes` that keep their order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langgraph.checkpoint.base import WRITES_IDX_MAP

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from langgraph.checkpoint.base import PendingWrite


@dataclass(frozen=True, slots=True)
class TaskWrites:
    """The pending writes of a task.

    Attributes:
        task_id: The task.
        task_path: Its path, by which a saver orders tasks.
        writes: Pairs of channel and value, special channels first.
    """

    task_id: str
    task_path: str
    writes: tuple[tuple[str, Any], ...]


def group_by_task(
    pending: Iterable[PendingWrite], known_paths: Mapping[str, str]
) -> list[TaskWrites]:
    """Group pending writes by task, tasks in the order of their first writes.

    Special channels have fixed indexes, before all others, and hold one value per task. Most savers
    return them first. A saver that does not has stored them in the order of the calls, so the last
    value of a special channel counts.

    Args:
        pending: Writes in the order in which a saver has returned them.
        known_paths: Paths of tasks by task id. If they do not sort the tasks in this order, all
            tasks get generated paths that do.
    """
    tasks: dict[str, list[tuple[str, Any]]] = {}
    for task_id, channel, value in pending:
        tasks.setdefault(task_id, []).append((channel, value))
    paths = _paths_in_order(list(tasks), known_paths)
    return [
        TaskWrites(task_id, paths[task_id], _special_channels_first(writes))
        for task_id, writes in tasks.items()
    ]


def as_pending_writes(tasks: Iterable[TaskWrites]) -> list[PendingWrite]:
    """The pending writes as a saver returns them."""
    return [(task.task_id, channel, value) for task in tasks for channel, value in task.writes]


def _special_channels_first(writes: Sequence[tuple[str, Any]]) -> tuple[tuple[str, Any], ...]:
    special = {channel: value for channel, value in writes if channel in WRITES_IDX_MAP}
    first = sorted(special.items(), key=lambda write: WRITES_IDX_MAP[write[0]])
    return (*first, *(write for write in writes if write[0] not in WRITES_IDX_MAP))


def _paths_in_order(task_ids: Sequence[str], known_paths: Mapping[str, str]) -> Mapping[str, str]:
    """Paths that sort the tasks in the given order: the known ones if they do."""
    known = {task_id: known_paths.get(task_id, "") for task_id in task_ids}
    if sorted(task_ids, key=lambda task_id: (known[task_id], task_id)) == list(task_ids):
        return known
    # They sort before every path of LangGraph's, which begin with "~__": later writes come later.
    return {task_id: f"~{position:010}" for position, task_id in enumerate(task_ids)}
