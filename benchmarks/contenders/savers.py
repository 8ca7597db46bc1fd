"""Savers. Each is made as its README says, on fresh tables, with its own defaults."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
from langgraph.checkpoint.memory import InMemorySaver

from benchmarks.contenders.base import REGION, Contender, EngineContext, import_class, make_table
from benchmarks.contenders.postgres import postgres_saver
from benchmarks.contenders.postgres import programs as postgres_programs
from benchmarks.contenders.raw import TABLE, RawSaver

if TYPE_CHECKING:
    from collections.abc import Iterator


OUR_TABLES: dict[str, Any] = {
    "checkpoints_table_name": "checkpoints",
    "writes_table_name": "writes",
    "region_name": REGION,
}


@contextmanager
def _ours(context: EngineContext, **settings: Any) -> Iterator[Any]:
    from langgraph_checkpoint_dynamodb import DynamoDBSaver

    reached: dict[str, Any] = {"session": context.session(), "endpoint_url": context.url}
    with DynamoDBSaver(**OUR_TABLES, **reached, **settings) as saver:
        saver.setup()
        yield saver


@contextmanager
def _ours_async(context: EngineContext) -> Iterator[Any]:
    from aiobotocore.session import get_session

    from langgraph_checkpoint_dynamodb.aio import AsyncDynamoDBSaver

    session = get_session()
    context.meter.attach(session, is_async=True)

    async def opened() -> Any:
        saver = AsyncDynamoDBSaver(**OUR_TABLES, session=session, endpoint_url=context.url)
        await saver.aopen()
        await saver.asetup()
        return saver

    saver = context.loop.run_until_complete(opened())
    try:
        yield saver
    finally:
        context.loop.run_until_complete(saver.aclose())


@contextmanager
def _aws(context: EngineContext) -> Iterator[Any]:
    make_table(context.url, "aws")
    yield import_class("langgraph_checkpoint_aws", "DynamoDBSaver")(
        table_name="aws", session=context.session(), region_name=REGION, endpoint_url=context.url
    )


@contextmanager
def _community(context: EngineContext) -> Iterator[Any]:
    # It accepts neither session nor endpoint: it uses boto3's default session.
    os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = context.url
    boto3.setup_default_session(region_name=REGION)
    session = boto3.DEFAULT_SESSION
    assert session is not None  # noqa: S101 - made in the line before
    context.meter.attach(session.events)
    yield import_class("langgraph_dynamodb_checkpoint", "DynamoDBSaver")("community")


@contextmanager
def _raw(context: EngineContext) -> Iterator[Any]:
    make_table(context.url, TABLE)
    client = context.session().client("dynamodb", endpoint_url=context.url)
    yield RawSaver(client)
    client.close()


@contextmanager
def _memory(context: EngineContext) -> Iterator[Any]:  # noqa: ARG001 - it needs none
    yield InMemorySaver()


SAVERS = (
    Contender("sync", "this package, sync", _ours),
    Contender("async", "this package, async", _ours_async, is_async=True),
    Contender(
        "incremental",
        "this package, incremental",
        lambda context: _ours(context, compression="incremental"),
    ),
    Contender("aws", "langgraph-checkpoint-aws", _aws),
    Contender("aws-async", "langgraph-checkpoint-aws, async", _aws, is_async=True),
    Contender("community", "langgraph-dynamodb-checkpoint", _community),
    Contender("community-async", "langgraph-dynamodb-checkpoint, async", _community, is_async=True),
    Contender("raw", "raw boto3", _raw),
    Contender(
        "postgres",
        "langgraph-checkpoint-postgres",
        lambda context: postgres_saver(context.meter),
        installed=lambda: postgres_programs() is not None,
    ),
    Contender("memory", "InMemorySaver", _memory),
)
"""In the order of the tables."""
