"""Calls savers and stores by their sync or async methods, so that workloads are written once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Coroutine, Iterable, Sequence
    from contextlib import AbstractContextManager

    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import Checkpoint, CheckpointMetadata, CheckpointTuple
    from langgraph.store.base import Item, Op, SearchItem

Namespace = tuple[str, ...]


class SaverCalls:
    """The calls of a saver that workloads make. Each returns when it is done.

    Attributes:
        saver: The saver.
        is_async: Whether to call its async methods. The loop runs only during a call.
    """

    def __init__(self, saver: Any, loop: asyncio.AbstractEventLoop, *, is_async: bool) -> None:
        self.saver = saver
        self.is_async = is_async
        self._loop = loop

    def warm(self) -> None:
        """Create clients and connections."""
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
        """Read the state history of a graph, newest first."""
        states: Sequence[Any] = self._all(graph, "get_state_history", config, limit)
        return states

    def forget(self) -> None:
        """Clear what the saver remembers of its threads, as in a new process."""
        memories = getattr(self.saver, "_memories", None)
        if memories is not None:
            memories.get().clear()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine on the loop."""
        return self._loop.run_until_complete(work)

    def _all(self, callee: Any, method: str, config: RunnableConfig, limit: int | None) -> Any:
        if not self.is_async:
            return list(getattr(callee, method)(config, limit=limit))

        async def collect() -> Any:
            return [one async for one in getattr(callee, f"a{method}")(config, limit=limit)]

        return self.run(collect())

    def _call(self, callee: Any, method: str, *arguments: Any, **named: Any) -> Any:
        if self.is_async:
            return self.run(getattr(callee, f"a{method}")(*arguments, **named))
        return getattr(callee, method)(*arguments, **named)


class StoreCalls(SaverCalls):
    """The calls of a store that workloads make. Each returns when it is done.

    Attributes:
        fresh: Opens another of these stores, on the table with the given name.
    """

    def __init__(
        self,
        store: Any,
        loop: asyncio.AbstractEventLoop,
        *,
        is_async: bool,
        fresh: Callable[[str], AbstractContextManager[Any]],
    ) -> None:
        super().__init__(store, loop, is_async=is_async)
        self.fresh = fresh

    def warm(self) -> None:
        """Create clients and connections."""
        self.get(("nobody",), "nothing")

    def get(self, namespace: Namespace, key: str) -> Item | None:
        """Read an item."""
        found: Item | None = self._call(self.saver, "get", namespace, key)
        return found

    def put_item(self, namespace: Namespace, key: str, value: dict[str, Any]) -> None:
        """Store an item."""
        self._call(self.saver, "put", namespace, key, value)

    def batch(self, ops: Iterable[Op]) -> list[Any]:
        """Run several operations together."""
        results: list[Any] = self._call(self.saver, "batch", ops)
        return results

    def search(self, prefix: Namespace, **more: Any) -> list[SearchItem]:
        """Search below a namespace."""
        found: list[SearchItem] = self._call(self.saver, "search", prefix, **more)
        return found

    def list_namespaces(self, **more: Any) -> list[Namespace]:
        """List namespaces."""
        found: list[Namespace] = self._call(self.saver, "list_namespaces", **more)
        return found
