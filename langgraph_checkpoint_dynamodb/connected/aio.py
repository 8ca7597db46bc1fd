"""Opening, closing and performing operations on aiobotocore. Needs the extra `[async]`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

try:
    from aiobotocore.session import AioSession
except ModuleNotFoundError as error:
    if error.name != "aiobotocore":
        raise
    raise ModuleNotFoundError(
        "AsyncDynamoDBSaver, AsyncDynamoDBStore and AsyncDynamoDBCache need aiobotocore: "
        "pip install boto3 'aiobotocore>=2.25'; those without Async work without it",
        name="aiobotocore",
    ) from None

from langgraph_checkpoint_dynamodb.connected import Connected
from langgraph_checkpoint_dynamodb.errors import EventLoopError, InvalidInputTypeError

if TYPE_CHECKING:
    from typing_extensions import Self

    from langgraph_checkpoint_dynamodb.requests.operations import Operation
    from langgraph_checkpoint_dynamodb.runners.aio import AsyncRunner
    from langgraph_checkpoint_dynamodb.runners.bridge import Bridge

T = TypeVar("T")


class OnEventLoops(Connected):
    """Runs on aiobotocore and tasks; its synchronous methods use an event loop in a thread."""

    _runner: AsyncRunner
    _bridge: Bridge

    def open(self) -> Self:
        """Create the clients for the sync methods now, not at the first call. `with` calls this.

        Can be repeated, also after a close.

        Raises:
            EventLoopError: An event loop is running in this thread.
        """
        require_plain_code("open", "aopen")
        self._bridge.run(self._runner.open)
        return self

    async def aopen(self) -> Self:
        """Create the clients of this event loop now, not at the first call.

        `async with` awaits this. Can be repeated, also after a close.
        """
        await self._runner.open()
        return self

    async def aclose(self) -> None:
        """Wait for calls in flight on this event loop, then close its clients.

        Can be repeated. Calls on other loops and in sync code are still possible.
        """
        await self._runner.close()
        self._forget()

    def close(self) -> None:
        """Wait for calls in flight, then close the clients of all event loops. For sync code.

        Can be repeated. Clients of an event loop that is not running are closed when the loop ends.

        Raises:
            EventLoopError: An event loop is running in this thread.
        """
        require_plain_code("close", "aclose")
        self._bridge.run(self._runner.close_everywhere)
        self._bridge.close()
        self._forget()

    def _run(self, operation: Operation[T], method: str) -> T:
        self._require_usable(method)
        watched = self._watcher.watched(operation, method)
        return self._bridge.run(lambda: self._runner.run(watched), self._runner.require_open)

    async def _await(self, operation: Operation[T], method: str) -> T:
        return await self._runner.run(self._watcher.watched(operation, method))

    def _require_usable(self, method: str) -> None:
        require_plain_code(method, f"a{method}")
        self._runner.require_open()


def require_aio_session(session: object) -> None:
    """Check that a session is an aiobotocore session or `None`.

    Raises:
        InvalidInputTypeError: It is not.
    """
    if session is not None and not isinstance(session, AioSession):
        raise InvalidInputTypeError(
            "session",
            f"must be an aiobotocore session, got {type(session).__module__}."
            f"{type(session).__name__}; make one with aiobotocore.session.get_session()",
        )


def require_plain_code(method: str, instead: str) -> None:
    """Check that no event loop runs in this thread.

    Raises:
        EventLoopError: One does.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise EventLoopError(method, instead)
