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
        """Make the clients for the plain methods now, and not at the first call. `with` does so.

        Opens again what was closed. Can be repeated.

        Raises:
            EventLoopError: An event loop runs in this thread.
        """
        require_plain_code("open", "aopen")
        self._bridge.run(self._runner.open)
        return self

    async def aopen(self) -> Self:
        """Make the clients for this event loop now, and not at the first call. `async with` does.

        Opens again what was closed. Can be repeated.
        """
        await self._runner.open()
        return self

    async def aclose(self) -> None:
        """Close it on this event loop, once its calls under way there are done.

        Can be repeated. On other loops, and in plain code, it can still be used.
        """
        await self._runner.close()
        self._forget()

    def close(self) -> None:
        """Close it everywhere, once calls under way are done, from plain code.

        Can be repeated. Clients of an event loop that stands still are closed when that loop ends.

        Raises:
            EventLoopError: An event loop runs in this thread.
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
    """Check that a session is one of aiobotocore, or none.

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
