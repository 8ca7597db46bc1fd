"""`AsyncDynamoDBSaver`: the saver on aiobotocore and tasks. Needs the extra `[async]`."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Literal, TypeVar

try:
    from aiobotocore.session import AioSession
except ModuleNotFoundError as error:
    if error.name != "aiobotocore":
        raise
    raise ModuleNotFoundError(
        "AsyncDynamoDBSaver needs aiobotocore: "
        "pip install 'aiobotocore[boto3]>=2.25'; DynamoDBSaver works without it",
        name="aiobotocore",
    ) from None

from langgraph_checkpoint_dynamodb.errors import EventLoopError, InvalidInputTypeError
from langgraph_checkpoint_dynamodb.memory import MEMORY_BYTES, Memory
from langgraph_checkpoint_dynamodb.payload import MAX_VALUE_BYTES
from langgraph_checkpoint_dynamodb.runners.aio import AsyncRunner
from langgraph_checkpoint_dynamodb.runners.bridge import Bridge
from langgraph_checkpoint_dynamodb.runners.process import PerProcess
from langgraph_checkpoint_dynamodb.settings import (
    ClientSettings,
    S3OffloadConfig,
    Settings,
    ThreadIndex,
    payload_policy,
    read_thread_index,
    s3_endpoint_url,
)
from langgraph_checkpoint_dynamodb.thread_methods import ThreadMethods
from langgraph_checkpoint_dynamodb.watching import Watcher
from langgraph_checkpoint_dynamodb.weight import is_large

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Mapping

    from botocore.config import Config
    from langgraph.checkpoint.serde.base import SerializerProtocol
    from typing_extensions import Self

    from langgraph_checkpoint_dynamodb.effects import Operation, Stream
    from langgraph_checkpoint_dynamodb.observing import OnRequest

__all__ = ["AsyncDynamoDBSaver"]

T = TypeVar("T")


class AsyncDynamoDBSaver(ThreadMethods):
    """Keeps LangGraph checkpoints in two Amazon DynamoDB tables, natively asynchronous.

    The same tables and the same behaviour as `DynamoDBSaver`, performed by aiobotocore on the event
    loop instead of by threads. Values of more than 128 KB are serialized, compressed and loaded by
    another thread.

    One saver serves any number of event loops: it has clients of its own on each, made by `aopen`
    (`open` for the plain methods), which `async with` awaits, or else at the first call there.
    `aclose` closes those of the loop it is awaited on; those of a loop that `asyncio.run` has made
    are closed with the loop at the latest.

    The plain methods (`get_tuple`, `put` ...) work in every thread that runs no event loop; they
    have a loop of their own in a thread. Where an event loop runs, they raise `EventLoopError`.

    Args:
        checkpoints_table_name: Name or ARN of the checkpoints table.
        writes_table_name: Name or ARN of the writes table.
        session: aiobotocore session to make clients from, on every loop. By default one is made
            for each client.
        region_name: As in `DynamoDBSaver`.
        endpoint_url: As in `DynamoDBSaver`.
        boto_config: As in `DynamoDBSaver`; an `aiobotocore.config.AioConfig` too.
        client_config: As in `DynamoDBSaver`.
        serde: As in `DynamoDBSaver`. Used by several threads.
        consistent_reads: As in `DynamoDBSaver`.
        max_concurrency: Most requests in flight at once on each event loop. By default as many as
            a client has connections, 32 where `boto_config` says nothing else.
        run_id_index: As in `DynamoDBSaver`.
        thread_index: As in `DynamoDBSaver`.
        on_conflict: As in `DynamoDBSaver`.
        ttl_seconds: As in `DynamoDBSaver`.
        compression: As in `DynamoDBSaver`.
        s3_offload_config: As in `DynamoDBSaver`.
        max_value_bytes: As in `DynamoDBSaver`.
        memory_bytes: As in `DynamoDBSaver`.
        clock: As in `DynamoDBSaver`.
        on_request: As in `DynamoDBSaver`.
        observe_threads: As in `DynamoDBSaver`.

    Raises:
        InvalidInputError: An argument cannot be used; the message names it.

    Example:
        ```python
        from langgraph_checkpoint_dynamodb.aio import AsyncDynamoDBSaver

        async with AsyncDynamoDBSaver(
            checkpoints_table_name="checkpoints", writes_table_name="writes"
        ) as saver:
            await saver.asetup()
            graph = builder.compile(checkpointer=saver)
        ```
    """

    def __init__(
        self,
        *,
        checkpoints_table_name: str,
        writes_table_name: str,
        session: AioSession | None = None,
        region_name: str | None = None,
        endpoint_url: str | None = None,
        boto_config: Config | None = None,
        client_config: Mapping[str, Any] | None = None,
        serde: SerializerProtocol | None = None,
        consistent_reads: bool = True,
        max_concurrency: int | None = None,
        run_id_index: str | None = None,
        ttl_seconds: int | None = None,
        compression: Literal["gzip", "zstd", "incremental"] | None = None,
        s3_offload_config: S3OffloadConfig | None = None,
        max_value_bytes: int = MAX_VALUE_BYTES,
        memory_bytes: int = MEMORY_BYTES,
        thread_index: ThreadIndex | Mapping[str, str] | None = None,
        on_conflict: Literal["fork", "raise"] = "fork",
        clock: Callable[[], float] = time.time,
        on_request: OnRequest | None = None,
        observe_threads: bool = False,
    ) -> None:
        super().__init__(serde=serde)
        require_aio_session(session)
        self._settings = Settings(
            checkpoints_table_name=checkpoints_table_name,
            writes_table_name=writes_table_name,
            client=ClientSettings(
                session=session,
                region_name=region_name,
                endpoint_url=endpoint_url,
                boto_config=boto_config,
                client_config=client_config,
                s3_endpoint_url=s3_endpoint_url(s3_offload_config),
            ),
            consistent_reads=consistent_reads,
            max_concurrency=max_concurrency,
            run_id_index=run_id_index,
            ttl_seconds=ttl_seconds,
            payloads=payload_policy(
                compression=compression,
                s3_offload_config=s3_offload_config,
                max_value_bytes=max_value_bytes,
            ),
            memory_bytes=memory_bytes,
            thread_index=read_thread_index(thread_index),
            on_conflict=on_conflict,
            clock=clock,
            on_request=on_request,
            observe_threads=observe_threads,
        )
        self._watcher = Watcher(on_request, threads=observe_threads)
        self._memories = PerProcess(lambda _: Memory(memory_bytes))
        # LangGraph clones savers with copy.copy: the clones share these objects.
        self._runner = AsyncRunner(self._settings)
        self._bridge = Bridge()

    def open(self) -> Self:
        """Make the clients for the plain methods now, and not at the first call. `with` does so.

        Opens a saver again that was closed. Can be repeated.

        Raises:
            EventLoopError: An event loop runs in this thread.
        """
        require_plain_code("open", "aopen")
        self._bridge.run(self._runner.open)
        return self

    async def aopen(self) -> Self:
        """Make the clients for this event loop now, and not at the first call. `async with` does.

        Opens a saver again that was closed. Can be repeated.
        """
        await self._runner.open()
        return self

    async def aclose(self) -> None:
        """Close the saver on this event loop, once its calls under way there are done.

        Can be repeated. On other loops, and in plain code, the saver can still be used.
        """
        await self._runner.close()
        self._memories.get().clear()

    def close(self) -> None:
        """Close the saver everywhere, once calls under way are done, from plain code.

        Can be repeated. Clients of an event loop that stands still are closed when that loop ends.

        Raises:
            EventLoopError: An event loop runs in this thread.
        """
        require_plain_code("close", "aclose")
        self._bridge.run(self._runner.close_everywhere)
        self._bridge.close()
        self._memories.get().clear()

    def _run(self, operation: Operation[T], method: str) -> T:
        self._require_usable(method)
        operation = self._watcher.watched(operation, method)
        return self._bridge.run(lambda: self._runner.run(operation), self._runner.require_open)

    def _pages(self, stream: Stream[T], method: str) -> Generator[list[T], None, None]:
        pages = self._runner.pages(self._watcher.watched(stream, method))
        try:
            while True:
                self._require_usable(method)
                page = self._bridge.run(pages.next, self._runner.require_open)
                if page is None:
                    return
                yield page
        finally:
            pages.close()

    async def _await(self, operation: Operation[T], method: str) -> T:
        return await self._runner.run(self._watcher.watched(operation, method))

    async def _apages(self, stream: Stream[T], method: str) -> AsyncGenerator[list[T], None]:
        pages = self._runner.pages(self._watcher.watched(stream, method))
        try:
            while (page := await pages.next()) is not None:
                yield page
        finally:
            pages.close()

    async def _prepared(self, prepare: Callable[[], T], value: object) -> T:
        return await self._runner.compute(prepare) if is_large(value) else prepare()

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
