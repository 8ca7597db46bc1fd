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
        """Create the clients now, not at the first call. Can be repeated."""

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

    def _forget(self) -> None:  # noqa: B027 - stores and caches have no memory
        """Clear the memory of threads, once closed."""


class OnThreads(Connected):
    """Runs on boto3 and threads."""

    _runner: SyncRunner

    def open(self) -> Self:
        """Create the clients now, not at the first call. `with` calls this.

        Does no I/O, but reads the SDK's models. On a slow machine this takes a few hundred
        milliseconds, during which event loops are blocked. Can be repeated.

        Raises:
            SaverClosedError: The saver, store or cache was closed.
        """
        self._runner.open()
        return self

    async def aopen(self) -> Self:
        """Asynchronous version of `open`. Best awaited before the loop does other work."""
        await self._runner.start_open().result()
        return self

    def close(self) -> None:
        """Wait for calls in flight, then end the threads and close the clients created here.

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
