"""What savers, stores and caches share: opening, closing and performing operations."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, TypeVar

from langgraph_checkpoint_dynamodb.runners.workers import run_in_thread

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from langgraph_checkpoint_dynamodb.requests.operations import Operation
    from langgraph_checkpoint_dynamodb.runners.sync import SyncRunner
    from langgraph_checkpoint_dynamodb.watching.watcher import Watcher

T = TypeVar("T")


class Connected(ABC):
    """Creates and closes clients, and performs operations with them."""

    _watcher: Watcher

    @abstractmethod
    def open(self) -> Self:
        """Make the clients now, and not at the first call. Can be repeated."""

    @abstractmethod
    async def aopen(self) -> Self:
        """Asynchronous version of `open`."""

    @abstractmethod
    def close(self) -> None:
        """Wait for calls in flight, then close the clients. Can be repeated."""

    @abstractmethod
    async def aclose(self) -> None:
        """Asynchronous version of `close`."""

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return await self.aopen()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    @abstractmethod
    def _run(self, operation: Operation[T], method: str) -> T:
        """Perform an operation in synchronous code; `method` is the method the user called."""

    @abstractmethod
    async def _await(self, operation: Operation[T], method: str) -> T:
        """Perform an operation without blocking the event loop."""

    def _require_usable(self, method: str) -> None:  # noqa: B027 - usable by default
        """Check that a synchronous call is possible, before any work is done for it."""

    def _forget(self) -> None:  # noqa: B027 - stores and caches remember nothing
        """Clear the memory of threads, once closed."""


class OnThreads(Connected):
    """Runs on boto3 and threads."""

    _runner: SyncRunner

    def open(self) -> Self:
        """Make the clients now, and not at the first call. `with` does so.

        That reads the SDK's models, for a few hundred milliseconds on a slow machine, in which
        Python runs little else: event loops stand still. It does no I/O. Can be repeated.

        Raises:
            SaverClosedError: It was closed.
        """
        self._runner.open()
        return self

    async def aopen(self) -> Self:
        """Asynchronous version of `open`. Best awaited before the loop has anything else to do."""
        await self._runner.start_open().result()
        return self

    def close(self) -> None:
        """End its threads and the client it made, once calls under way are done.

        A client that was passed in stays open. Can be repeated.
        """
        self._runner.close()
        self._forget()

    async def aclose(self) -> None:
        """Asynchronous version of `close`."""
        # Closing waits for calls in flight, so neither the loop nor a worker thread may do it.
        await asyncio.wrap_future(run_in_thread(self.close, "close-dynamodb"))

    def _run(self, operation: Operation[T], method: str) -> T:
        return self._runner.run(self._watcher.watched(operation, method))

    async def _await(self, operation: Operation[T], method: str) -> T:
        return await self._runner.start(self._watcher.watched(operation, method)).result()
