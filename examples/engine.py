"""The example's DynamoDB: a local engine, never an AWS account."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import boto3

from langgraph_checkpoint_dynamodb import DynamoDBSaver
from langgraph_checkpoint_dynamodb.testing import embedded_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

ENDPOINT = "DYNAMODB_ENDPOINT_URL"
CHECKPOINTS_TABLE = "demo-checkpoints"
WRITES_TABLE = "demo-writes"
REGION = "us-east-1"

_FOREIGN = ("AWS_", "BOTO_", "LANGCHAIN_", "LANGSMITH_")
"""Prefixes of variables that could select an AWS account or send traces."""
_LOCAL = {
    "AWS_ACCESS_KEY_ID": "demo",
    "AWS_SECRET_ACCESS_KEY": "demo",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "no_proxy": "*",
}


def isolate() -> None:
    """Leave only fake credentials in the environment of this process and its children."""
    for name in list(os.environ):
        if name.startswith(_FOREIGN):
            del os.environ[name]
    os.environ.update(_LOCAL)


@contextmanager
def running_engine() -> Iterator[str]:
    """Run the engine within the context, and set its endpoint in the environment.

    An endpoint that is already set is used instead.

    Yields:
        A description of the engine.
    """
    if os.environ.get(ENDPOINT):
        yield "given by the environment"
        return
    with embedded_engine() as endpoint:
        os.environ[ENDPOINT] = endpoint
        yield "moto, embedded in this process"


def open_saver() -> DynamoDBSaver:
    """Open a saver on the example's tables."""
    return DynamoDBSaver(
        checkpoints_table_name=CHECKPOINTS_TABLE,
        writes_table_name=WRITES_TABLE,
        endpoint_url=os.environ[ENDPOINT],
        region_name=REGION,
    )


def open_client() -> DynamoDBClient:
    """Open a boto3 client, to read raw items."""
    return boto3.client("dynamodb", endpoint_url=os.environ[ENDPOINT], region_name=REGION)
