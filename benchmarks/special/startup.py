"""How long a process takes from its first import to a saver, and to the service's first answer."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys

from benchmarks.contenders.base import make_table
from benchmarks.contenders.savers import OUR_TABLES
from benchmarks.environment import prepare_environment
from benchmarks.report import figure, table
from langgraph_checkpoint_dynamodb import DynamoDBSaver
from tests.support.engines import running_engine

_ROUNDS = 9
_TIMED = """
import asyncio
import time

start = time.perf_counter()


def passed():
    print(1000 * (time.perf_counter() - start), end=" ")


{code}
"""
_LANGGRAPH = "import langgraph.checkpoint.base\n"
_ASK = """client.query(
    TableName="checkpoints",
    KeyConditionExpression="thread_id = :t",
    ExpressionAttributeValues={":t": {"S": "nobody"}},
)"""
_BOTO3 = f"""
import boto3
client = boto3.Session().client("dynamodb")
passed()
{_ASK}
passed()
"""
_AIOBOTOCORE = f"""
from aiobotocore.session import get_session

async def main():
    async with get_session().create_client("dynamodb") as client:
        passed()
        await {_ASK.replace(chr(10), chr(10) + "        ")}
        passed()

asyncio.run(main())
"""
_NOBODY = '{"configurable": {"thread_id": "nobody"}}'
_NAMED = 'checkpoints_table_name="checkpoints", writes_table_name="writes"'
_SYNC = f"""
from langgraph_checkpoint_dynamodb import DynamoDBSaver
saver = DynamoDBSaver({_NAMED})
passed()
saver.get_tuple({_NOBODY})
passed()
"""
_ASYNC = f"""
from langgraph_checkpoint_dynamodb.aio import AsyncDynamoDBSaver

async def main():
    saver = AsyncDynamoDBSaver({_NAMED})
    passed()
    await saver.aget_tuple({_NOBODY})
    passed()
    await saver.aclose()

asyncio.run(main())
"""
_AWS = f"""
from langgraph_checkpoint_aws import DynamoDBSaver
saver = DynamoDBSaver(table_name="aws")
passed()
saver.get_tuple({_NOBODY})
passed()
"""
_COMMUNITY = f"""
from langgraph_dynamodb_checkpoint import DynamoDBSaver
saver = DynamoDBSaver("aws")
passed()
saver.get_tuple({_NOBODY})
passed()
"""
_WAYS = {
    "boto3 alone": _BOTO3,
    "boto3 and `langgraph.checkpoint.base`": _LANGGRAPH + _BOTO3,
    "this package, sync": _SYNC,
    "langgraph-checkpoint-aws": _AWS,
    "langgraph-dynamodb-checkpoint": _COMMUNITY,
    "aiobotocore alone": _AIOBOTOCORE,
    "aiobotocore and `langgraph.checkpoint.base`": _LANGGRAPH + _AIOBOTOCORE,
    "this package, async": _ASYNC,
}
_FLOORS = {
    "this package, sync": "boto3 and `langgraph.checkpoint.base`",
    "langgraph-checkpoint-aws": "boto3 and `langgraph.checkpoint.base`",
    "langgraph-dynamodb-checkpoint": "boto3 and `langgraph.checkpoint.base`",
    "this package, async": "aiobotocore and `langgraph.checkpoint.base`",
}


def start_section(*, quick: bool) -> str:
    """Measure all ways to start, in turns, and tell of them."""
    prepare_environment()
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in _WAYS}
    with running_engine() as engine:
        _make_tables(engine.url)
        environment = {**os.environ, "AWS_ENDPOINT_URL_DYNAMODB": engine.url}
        for _ in range(2 if quick else _ROUNDS):
            for name, code in _WAYS.items():
                times[name].append(_milliseconds(code, environment))
    medians = {
        name: [statistics.median(moment) for moment in zip(*of_way, strict=True)]
        for name, of_way in times.items()
    }
    rows = []
    for name, (made, answered) in medians.items():
        floor = medians.get(_FLOORS.get(name, ""))
        ratios = (
            ["", ""] if floor is None else [figure(made / floor[0]), figure(answered / floor[1])]
        )
        rows.append([name, figure(made), ratios[0], figure(answered), ratios[1]])
    columns = ["way", "made, ms", "ratio", "answered, ms", "ratio"]
    return f"""## From the first import to the first answer

Medians of {_ROUNDS} new interpreters, in turns, without added delay. *Made*: import, and make
a session with a client, or a saver. *Answered*: and ask for a thread that is not there. *Ratio*: to
the SDK together with `langgraph.checkpoint.base`, which every saver imports, and which imports
`langchain_core`. This package makes its client when it is first asked for something.

{table(columns, rows)}"""


def _milliseconds(code: str, environment: dict[str, str]) -> tuple[float, float]:
    done = subprocess.run(  # noqa: S603 - this very interpreter
        [sys.executable, "-c", _TIMED.format(code=code)],
        env=environment,
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    # Before them, a package may have logged something.
    made, answered = done.stdout.split()[-2:]
    return float(made), float(answered)


def _make_tables(url: str) -> None:
    with DynamoDBSaver(**OUR_TABLES, endpoint_url=url) as saver:
        saver.setup()
    make_table(url, "aws")
