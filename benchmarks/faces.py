"""Savers by their plain or by their asynchronous methods, behind the same calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Coroutine, Sequence

    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import Checkpoint, CheckpointMetadata, CheckpointTuple


class Face:
    """The calls that workloads make. Each returns when it is done.

    Attributes:
        saver: The saver.
        awaits: Whether it is used by its asynchronous methods, on a loop that runs while a call
            does.
    """

    def __init__(self, saver: Any, loop: asyncio.AbstractEventLoop, *, awaits: bool) -> None:
        self.saver = saver
        self.awaits = awaits
        self._loop = loop

    def warm(self) -> None:
        """Have clients and connections made."""
        self.get_tuple({"configurable": {"thread_id": "nobody", "checkpoint_ns": ""}})

    def put(
        self, config: RunnableConfig, checkpoint: Checkpoint, metadata: CheckpointMetadata
    ) -> RunnableConfig:
        """Store a checkpoint, all of its values new."""
        versions = checkpoint["channel_versions"]
        stored: RunnableConfig = self._call(
            self.saver, "put", config, checkpoint, metadata, versions
        )
        return stored

    def put_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str
    ) -> None:
        """Store a task's writes."""
        self._call(self.saver, "put_writes", config, writes, task_id)

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Read a checkpoint."""
        found: CheckpointTuple | None = self._call(self.saver, "get_tuple", config)
        return found

    def list(self, config: RunnableConfig, limit: int | None = None) -> list[CheckpointTuple]:
        """Read a history."""
        found: list[CheckpointTuple] = self._all(self.saver, "list", config, limit)
        return found

    def delete_thread(self, thread_id: str) -> None:
        """Delete a thread."""
        self._call(self.saver, "delete_thread", thread_id)

    def invoke(self, graph: Any, value: Any, config: RunnableConfig) -> Any:
        """Run a graph."""
        return self._call(graph, "invoke", value, config)

    def state(self, graph: Any, config: RunnableConfig) -> Any:
        """Read a graph's state."""
        return self._call(graph, "get_state", config)

    def history(
        self, graph: Any, config: RunnableConfig, limit: int | None = None
    ) -> Sequence[Any]:
        """Read the states a graph has had, the newest first."""
        states: Sequence[Any] = self._all(graph, "get_state_history", config, limit)
        return states

    def forget(self) -> None:
        """Let the saver know no more of its threads than one in a new process."""
        memories = getattr(self.saver, "_memories", None)
        if memories is not None:
            memories.get().clear()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run anything on the loop to its end."""
        return self._loop.run_until_complete(work)

    def _all(self, callee: Any, method: str, config: RunnableConfig, limit: int | None) -> Any:
        if not self.awaits:
            return list(getattr(callee, method)(config, limit=limit))

        async def collect() -> Any:
            return [one async for one in getattr(callee, f"a{method}")(config, limit=limit)]

        return self.run(collect())

    def _call(self, callee: Any, method: str, *arguments: Any, **named: Any) -> Any:
        if self.awaits:
            return self.run(getattr(callee, f"a{method}")(*arguments, **named))
        return getattr(callee, method)(*arguments, **named)
