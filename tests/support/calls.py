"""One interface to a saver's sync and async methods, so that every test runs on both."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence

    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import (
        BaseCheckpointSaver,
        ChannelVersions,
        Checkpoint,
        CheckpointMetadata,
        CheckpointTuple,
        DeltaChannelHistory,
    )

T = TypeVar("T")


class Calls(Protocol):
    """The calls of a saver, as plain functions."""

    saver: BaseCheckpointSaver[str]

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None: ...
    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002 - LangGraph's name for it
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]: ...
    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig: ...
    def put_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None: ...
    def delete_thread(self, thread_id: str) -> None: ...
    def delete_for_runs(self, run_ids: Sequence[str]) -> None: ...
    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None: ...
    def prune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None: ...
    def get_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]: ...


def elsewhere(act: Callable[[], T]) -> T:
    """Call a function in another thread, because this thread may run an event loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(act).result()


class LoopThread:
    """An event loop in its own thread, to await coroutines from synchronous code."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class AsyncCalls:
    """The `a*` methods of a saver, awaited on an event loop."""

    def __init__(self, saver: BaseCheckpointSaver[str], loop: LoopThread) -> None:
        self.saver = saver
        self._loop = loop

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        return self._loop.run(self.saver.aget_tuple(config))

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002 - LangGraph's name for it
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        listed = self.saver.alist(config, filter=filter, before=before, limit=limit)
        try:
            while (found := self._loop.run(_next(listed))) is not None:
                yield found
        finally:
            self._loop.run(_close(listed))

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        return self._loop.run(self.saver.aput(config, checkpoint, metadata, new_versions))

    def put_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        self._loop.run(self.saver.aput_writes(config, writes, task_id, task_path))

    def delete_thread(self, thread_id: str) -> None:
        self._loop.run(self.saver.adelete_thread(thread_id))

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        self._loop.run(self.saver.adelete_for_runs(run_ids))

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        self._loop.run(self.saver.acopy_thread(source_thread_id, target_thread_id))

    def prune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        self._loop.run(self.saver.aprune(thread_ids, strategy=strategy))

    def get_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        return self._loop.run(
            self.saver.aget_delta_channel_history(config=config, channels=channels)
        )


class SyncCalls:
    """The plain methods of a saver."""

    def __init__(self, saver: BaseCheckpointSaver[str]) -> None:
        self.saver = saver
        self.get_tuple = saver.get_tuple
        self.list = saver.list
        self.put = saver.put
        self.put_writes = saver.put_writes
        self.delete_thread = saver.delete_thread
        self.delete_for_runs = saver.delete_for_runs
        self.copy_thread = saver.copy_thread
        self.prune = saver.prune
        self.get_delta_channel_history = saver.get_delta_channel_history


async def _next(listed: AsyncIterator[CheckpointTuple]) -> CheckpointTuple | None:
    async for found in listed:
        return found
    return None


async def _close(listed: Any) -> None:
    await listed.aclose()
