"""What savers, stores and caches share: they are opened and closed, and perform operations."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, TypeVar

from langgraph_checkpoint_dynamodb.runners.workers import do_in_a_thread

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from langgraph_checkpoint_dynamodb.requests.operations import Operation
    from langgraph_checkpoint_dynamodb.runners.sync import SyncRunner
    from langgraph_checkpoint_dynamodb.watching.watcher import Watcher

T = TypeVar("T")


class Connected(ABC):
    """Has clients, which are made and closed, and performs operations with them."""

    _watcher: Watcher

    @abstractmethod
    def open(self) -> Self:
        """Make the clients now, and not at the first call. Can be repeated."""

    @abstractmethod
    async def aopen(self) -> Self:
        """Asynchronous version of `open`."""

    @abstractmethod
    def close(self) -> None:
        """Let calls under way finish, then close what is open. Can be repeated."""

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
        """Perform an operation in plain code; `method` is what the user has called."""

    @abstractmethod
    async def _await(self, operation: Operation[T], method: str) -> T:
        """Perform an operation without blocking the event loop."""

    def _require_usable(self, method: str) -> None:  # noqa: B027 - it is, unless it says otherwise
        """Check that a plain call can be performed, before anything is done for it."""

    def _forget(self) -> None:  # noqa: B027 - stores and caches remember nothing that a close makes wrong
        """Forget what was remembered, once it is closed."""


class OnThreads(Connected):
    """Is on boto3 and threads."""

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
        # Closing waits for calls under way, so neither the loop nor its own threads can do it.
        await asyncio.wrap_future(do_in_a_thread(self.close, "close-dynamodb"))

    def _run(self, operation: Operation[T], method: str) -> T:
        return self._runner.run(self._watcher.watched(operation, method))

    async def _await(self, operation: Operation[T], method: str) -> T:
        return await self._runner.start(self._watcher.watched(operation, method)).result()
