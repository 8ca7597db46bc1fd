"""Savers of this package with the interfaces that LangGraph's tests expect."""

from __future__ import annotations

import asyncio
import importlib
import itertools
import os
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import cache, partial, wraps
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeVar

import boto3
import botocore.endpoint
import botocore.handlers
from aiobotocore.session import AioSession
from botocore.config import Config
from botocore.loaders import create_loader

from langgraph_checkpoint_dynamodb import DynamoDBSaver
from langgraph_checkpoint_dynamodb.aio import AsyncDynamoDBSaver

from .tally import tally

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from langgraph_checkpoint_dynamodb.requests.operations import Operation, Stream
    from langgraph_checkpoint_dynamodb.savers.methods import SaverMethods

T = TypeVar("T")

_numbers = itertools.count()


class _StandIn:
    """Attributes that LangGraph's savers have and those of this package lack."""

    def __init_subclass__(cls) -> None:
        """Make a subclass's `aput` do what its `put` does, as LangGraph's savers do."""
        for name in ("get_tuple", "put", "put_writes", "get_delta_channel_history"):
            if name in vars(cls) and f"a{name}" not in vars(cls):
                setattr(cls, f"a{name}", _in_a_thread(vars(cls)[name]))

    @classmethod
    def from_conn_string(cls, conn_string: str) -> Any:  # noqa: ARG003 - there is no database
        """A saver, like the context managers of `SqliteSaver` and `AsyncSqliteSaver` return."""
        return cls()


def _in_a_thread(method: Callable[..., Any]) -> Callable[..., Any]:
    # With the same signature: LangGraph inspects that of `put_writes`.
    @wraps(method)
    async def amethod(*args: Any, **settings: Any) -> Any:
        return await asyncio.to_thread(method, *args, **settings)

    return amethod


class SyncStandIn(_StandIn, DynamoDBSaver):
    """`DynamoDBSaver` with the arguments of `InMemorySaver`, on its own tables."""

    def __init__(self, *, serde: Any = None, factory: Any = None) -> None:  # noqa: ARG002 - of the other
        super().__init__(**_tables(), client=_client(), serde=serde)
        self.stack = _undone_at_the_end(self)


class AsyncStandIn(_StandIn, AsyncDynamoDBSaver):
    """`AsyncDynamoDBSaver` with the arguments of `InMemorySaver`, on its own tables."""

    def __init__(self, *, serde: Any = None, factory: Any = None) -> None:  # noqa: ARG002 - of the other
        super().__init__(**_tables(), session=_aio_session(), endpoint_url=_endpoint(), serde=serde)
        self.stack = _undone_at_the_end(self)


class AsyncInThreadsStandIn(AsyncStandIn):
    """Calls its sync methods in another thread, as the message of `EventLoopError` recommends."""

    def _run(self, operation: Operation[T], method: str) -> T:
        return _in_another_thread(partial(super()._run, operation, method))

    def _pages(self, stream: Stream[T], method: str) -> Generator[list[T], None, None]:
        pages = super()._pages(stream, method)
        yield from _in_another_thread(partial(list[Any], pages))


def _in_another_thread(call: Callable[[], T]) -> T:
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(call).result()


STAND_INS: dict[str, type[Any]] = {
    "sync": SyncStandIn,
    "async": AsyncStandIn,
    "async-in-threads": AsyncInThreadsStandIn,
}


def put_in_place(saver: type[Any]) -> None:
    """Make the names of LangGraph's savers refer to this class in all later imports."""
    memory, sqlite, sqlite_aio = _modules()
    # A separate class: tests distinguish a saver in memory from one in SQLite by its class.
    memory.InMemorySaver = memory.MemorySaver = type("InMemorySaver", (saver,), {})
    sqlite.SqliteSaver = sqlite_aio.AsyncSqliteSaver = saver
    # Tests replace `uuid4` with a counter, for stable ids. The SDK must not use the counter, or its
    # tokens would repeat.
    for module in (botocore.endpoint, botocore.handlers):
        vars(module)["uuid"] = SimpleNamespace(uuid4=uuid.uuid4)


def count_langgraphs_own() -> None:
    """Count the instances of LangGraph's own savers."""
    memory, sqlite, sqlite_aio = _modules()
    for saver in (memory.InMemorySaver, sqlite.SqliteSaver, sqlite_aio.AsyncSqliteSaver):
        _count(saver)


def _count(saver: Any) -> None:
    original = saver.__init__

    def counted(self: Any, *args: Any, **settings: Any) -> None:
        original(self, *args, **settings)
        tally.made()

    saver.__init__ = counted


def _modules() -> list[Any]:
    names = ("memory", "sqlite", "sqlite.aio")
    return [importlib.import_module(f"langgraph.checkpoint.{name}") for name in names]


def _tables() -> dict[str, Any]:
    """New tables: all of LangGraph's tests use the same thread ids."""
    name = f"suite-{os.getpid()}-{next(_numbers)}"
    names: dict[str, Any] = {
        "checkpoints_table_name": f"{name}-checkpoints",
        "writes_table_name": f"{name}-writes",
    }
    with DynamoDBSaver(**names, client=_tables_client()) as saver:
        saver.setup()
    return names


def _undone_at_the_end(saver: SaverMethods) -> ExitStack:
    """The `stack` of `InMemorySaver`; it closes at the end of the test, which drops the tables."""
    stack = ExitStack()
    settings = saver._settings
    for name in (settings.checkpoints_table_name, settings.writes_table_name):
        stack.callback(_tables_client().delete_table, TableName=name)
    stack.callback(saver.close)
    tally.made(stack.close)
    return stack


def _endpoint() -> str:
    return os.environ["SUITE_ENDPOINT"]


@cache
def _tables_client() -> Any:
    return boto3.client("dynamodb", endpoint_url=_endpoint())


@cache
def _client() -> Any:
    """The client of every `DynamoDBSaver`: to create one takes longer than most tests."""
    client = boto3.client(
        "dynamodb", endpoint_url=_endpoint(), config=Config(max_pool_connections=32)
    )
    client.meta.events.register("before-call.dynamodb", tally.asked)
    return client


@cache
def _aio_session() -> Any:
    session = AioSession()
    # Reading the service models takes most of the time to create a client.
    session.register_component("data_loader", create_loader())
    session.register("before-call.dynamodb", tally.asked)
    return session
