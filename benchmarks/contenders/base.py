"""What a contender is, and what it runs against."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import boto3

from benchmarks.calls import SaverCalls

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from benchmarks.metering import Meter

REGION = "us-east-1"


@dataclass(frozen=True)
class EngineContext:
    """The engine that a contender runs against, and what measures it.

    Attributes:
        url: Endpoint of its own engine.
        meter: The meter to attach its clients to.
        loop: The event loop of its async methods.
    """

    url: str
    meter: Meter
    loop: asyncio.AbstractEventLoop

    def session(self) -> boto3.Session:
        """A metered boto3 session."""
        session = boto3.Session(region_name=REGION)
        self.meter.attach(session.events)
        return session


def make_table(url: str, name: str) -> None:
    """Make a table with the keys `PK` and `SK`."""
    client = boto3.client("dynamodb", region_name=REGION, endpoint_url=url)
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "PK", "AttributeType": "S"},
            {"AttributeName": "SK", "AttributeType": "S"},
        ],
        KeySchema=[
            {"AttributeName": "PK", "KeyType": "HASH"},
            {"AttributeName": "SK", "KeyType": "RANGE"},
        ],
    )
    client.close()


@dataclass(frozen=True)
class Contender:
    """One column of the comparison.

    Attributes:
        name: What it is called on the command line.
        title: What it is called in the report.
        open: Creates its tables and opens its saver; closes the saver at the end.
        is_async: Whether it is called by its async methods.
        installed: Whether the server it needs, which is not a Python package, is installed.
    """

    name: str
    title: str
    open: Callable[..., AbstractContextManager[Any]]
    is_async: bool = False
    installed: Callable[[], bool] = lambda: True

    @contextmanager
    def open_calls(self, context: EngineContext) -> Iterator[SaverCalls]:
        """The calls of its saver, which is ready for use."""
        with self.open(context) as saver:
            yield SaverCalls(saver, context.loop, is_async=self.is_async)


def import_class(package: str, name: str) -> Any:
    """A class of another package, imported late: a process needs one contender only.

    None of these packages has types.
    """
    return getattr(import_module(package), name)
