"""Checkpoints made without a graph, and a recorder that stores a graph's checkpoints again."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from langgraph.checkpoint.base.id import uuid6
from langgraph.checkpoint.memory import InMemorySaver

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata

    from benchmarks.calls import SaverCalls

WRITES = [("messages", "a short answer"), ("branch:to:next", None), ("notes", "y" * 100)]
"""The writes of one task."""


def config(thread_id: str, checkpoint_ns: str = "") -> RunnableConfig:
    """The newest checkpoint of a thread."""
    return {"configurable": {"thread_id": thread_id, "checkpoint_ns": checkpoint_ns}}


def checkpoint(**channel_values: Any) -> Checkpoint:
    """A checkpoint with these channel values and a new id."""
    return {
        "v": 4,
        "id": str(uuid6()),
        "ts": "2026-01-01T00:00:00+00:00",
        "channel_values": channel_values,
        "channel_versions": dict.fromkeys(channel_values, "1"),
        "versions_seen": {},
        "updated_channels": sorted(channel_values),
    }


def metadata(step: int = 0) -> CheckpointMetadata:
    """Metadata of a step."""
    return {"source": "loop", "step": step, "parents": {}}


def put_chain(calls: SaverCalls, at: RunnableConfig, length: int, **values: Any) -> RunnableConfig:
    """Store a chain of checkpoints with their writes; returns the config of the last one."""
    for step in range(length):
        at = calls.put(at, checkpoint(step=step, **values), metadata(step))
        calls.put_writes(at, WRITES, f"task-{step}")
    return at


class Recorder(InMemorySaver):
    """Runs graphs in memory and records what they stored.

    A thread of hundreds of turns is run once, and then stored by the contender with the same calls
    as LangGraph's, without the reads in between.

    Args:
        like: The saver that will continue the thread: it makes the versions.
    """

    def __init__(self, like: Any) -> None:
        super().__init__()
        self._like = like
        self._calls: list[tuple[str, tuple[Any, ...]]] = []

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Store a checkpoint in memory, and record it."""
        where = {"configurable": dict(config["configurable"])}
        self._record("put", where, checkpoint, metadata)
        return super().put(config, checkpoint, metadata, new_versions)

    def put_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Store writes in memory, and record them."""
        where = {"configurable": dict(config["configurable"])}
        self._record("put_writes", where, list(writes), task_id)
        super().put_writes(config, writes, task_id, task_path)

    def get_next_version(self, current: Any, channel: None) -> Any:
        """The version after `current`, as the other saver makes it."""
        return self._like.get_next_version(current, channel)

    def replay(self, calls: SaverCalls) -> None:
        """Store the same with a contender."""
        for name, arguments in self._calls:
            getattr(calls, name)(*arguments)

    def _record(self, name: str, where: Any, *arguments: Any) -> None:
        configurable = {
            key: where["configurable"][key]
            for key in ("thread_id", "checkpoint_ns", "checkpoint_id")
            if key in where["configurable"]
        }
        self._calls.append((name, copy.deepcopy(({"configurable": configurable}, *arguments))))
