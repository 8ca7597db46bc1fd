"""Who takes part. Each is made as its README says, on fresh tables, with its own defaults."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import boto3
from langgraph.checkpoint.memory import InMemorySaver

from benchmarks.faces import Face
from benchmarks.postgres import postgres_saver
from benchmarks.postgres import programs as postgres_programs
from benchmarks.raw import TABLE, RawSaver

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from benchmarks.metering import Meter

REGION = "us-east-1"
OURS: dict[str, Any] = {
    "checkpoints_table_name": "checkpoints",
    "writes_table_name": "writes",
    "region_name": REGION,
}


@dataclass(frozen=True)
class Place:
    """Where a contender runs.

    Attributes:
        url: Endpoint of its own engine.
        meter: What its clients are attached to.
        loop: The event loop of its asynchronous methods.
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
        title: What it is called in tables.
        open: Makes its saver and tables, and closes the saver in the end.
        awaits: Whether it is used by its asynchronous methods.
        installed: Whether there is what it runs on, of which no package is made for Python.
    """

    name: str
    title: str
    open: Callable[..., AbstractContextManager[Any]]
    awaits: bool = False
    installed: Callable[[], bool] = lambda: True

    @contextmanager
    def face(self, place: Place) -> Iterator[Face]:
        """Its saver, ready for use, behind the calls that workloads make."""
        with self.open(place) as saver:
            yield Face(saver, place.loop, awaits=self.awaits)


@contextmanager
def _ours(place: Place, **settings: Any) -> Iterator[Any]:
    from langgraph_checkpoint_dynamodb import DynamoDBSaver

    reached: dict[str, Any] = {"session": place.session(), "endpoint_url": place.url}
    with DynamoDBSaver(**OURS, **reached, **settings) as saver:
        saver.setup()
        yield saver


@contextmanager
def _ours_async(place: Place) -> Iterator[Any]:
    from aiobotocore.session import get_session

    from langgraph_checkpoint_dynamodb.aio import AsyncDynamoDBSaver

    session = get_session()
    place.meter.attach(session, awaits=True)

    async def opened() -> Any:
        saver = AsyncDynamoDBSaver(**OURS, session=session, endpoint_url=place.url)
        await saver.aopen()
        await saver.asetup()
        return saver

    saver = place.loop.run_until_complete(opened())
    try:
        yield saver
    finally:
        place.loop.run_until_complete(saver.aclose())


@contextmanager
def _aws(place: Place) -> Iterator[Any]:
    make_table(place.url, "aws")
    yield _class_of("langgraph_checkpoint_aws")(
        table_name="aws", session=place.session(), region_name=REGION, endpoint_url=place.url
    )


@contextmanager
def _community(place: Place) -> Iterator[Any]:
    # It takes neither session nor endpoint: it uses boto3's default session.
    os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = place.url
    boto3.setup_default_session(region_name=REGION)
    session = boto3.DEFAULT_SESSION
    assert session is not None  # noqa: S101 - made in the line before
    place.meter.attach(session.events)
    yield _class_of("langgraph_dynamodb_checkpoint")("community")


@contextmanager
def _raw(place: Place) -> Iterator[Any]:
    make_table(place.url, TABLE)
    client = place.session().client("dynamodb", endpoint_url=place.url)
    yield RawSaver(client)
    client.close()


@contextmanager
def _memory(place: Place) -> Iterator[Any]:  # noqa: ARG001 - it needs none
    yield InMemorySaver()


def _class_of(package: str) -> Any:
    """Another package's saver. Imported late: no process needs both, and neither has types."""
    return import_module(package).DynamoDBSaver


SAVERS = (
    Contender("sync", "this package, sync", _ours),
    Contender("async", "this package, async", _ours_async, awaits=True),
    Contender(
        "incremental",
        "this package, incremental",
        lambda place: _ours(place, compression="incremental"),
    ),
    Contender("aws", "langgraph-checkpoint-aws", _aws),
    Contender("aws-async", "langgraph-checkpoint-aws, async", _aws, awaits=True),
    Contender("community", "langgraph-dynamodb-checkpoint", _community),
    Contender("community-async", "langgraph-dynamodb-checkpoint, async", _community, awaits=True),
    Contender("raw", "raw boto3", _raw),
    Contender(
        "postgres",
        "langgraph-checkpoint-postgres",
        lambda place: postgres_saver(place.meter),
        installed=lambda: postgres_programs() is not None,
    ),
    Contender("memory", "InMemorySaver", _memory),
)
"""In the order of the tables."""
