"""Tables that a test has for itself."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3

from langgraph_checkpoint_dynamodb.saver import DynamoDBSaver

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

_REGION = "us-east-1"
_CREDENTIAL = "testing"


@dataclass(frozen=True)
class TemporaryTables:
    """Names of tables that nobody else uses, and the engine they are for.

    Attributes:
        endpoint_url: The engine's endpoint.
        checkpoints_table_name: Of the saver.
        writes_table_name: Of the saver.
        store_table_name: Of the store, where there is one, and of the cache.
    """

    endpoint_url: str
    checkpoints_table_name: str
    writes_table_name: str
    store_table_name: str

    @property
    def client_config(self) -> dict[str, Any]:
        """Endpoint, region and credentials, as savers and stores of both kinds take them."""
        return {
            "endpoint": self.endpoint_url,
            "region": _REGION,
            "accessKeyId": _CREDENTIAL,
            "secretAccessKey": _CREDENTIAL,
        }

    @property
    def saver_settings(self) -> dict[str, Any]:
        """Arguments of `DynamoDBSaver` and `AsyncDynamoDBSaver`."""
        return {
            "checkpoints_table_name": self.checkpoints_table_name,
            "writes_table_name": self.writes_table_name,
            "client_config": self.client_config,
        }

    @property
    def store_settings(self) -> dict[str, Any]:
        """Arguments of `DynamoDBStore` and `AsyncDynamoDBStore`."""
        return {"store_table_name": self.store_table_name, "client_config": self.client_config}

    @property
    def cache_settings(self) -> dict[str, Any]:
        """Arguments of `DynamoDBCache` and `AsyncDynamoDBCache`, in the table of the store."""
        return {"cache_table_name": self.store_table_name, "client_config": self.client_config}

    def client(self) -> DynamoDBClient:
        """A plain boto3 client of the engine, to look at the items themselves."""
        return boto3.client(
            "dynamodb",
            endpoint_url=self.endpoint_url,
            region_name=_REGION,
            aws_access_key_id=_CREDENTIAL,
            aws_secret_access_key=_CREDENTIAL,
        )


@contextmanager
def temporary_tables(endpoint_url: str) -> Iterator[TemporaryTables]:
    """Names of tables for as long as the context lasts; what was made by them is deleted then.

    Args:
        endpoint_url: Endpoint of an engine for tests, as `embedded_engine` yields it.

    Yields:
        The names. `setup()` of a saver or store makes the tables.
    """
    name = f"testing-{uuid4().hex[:12]}"
    tables = TemporaryTables(endpoint_url, f"{name}-checkpoints", f"{name}-writes", f"{name}-store")
    try:
        yield tables
    finally:
        client = tables.client()
        try:
            for table in (
                tables.checkpoints_table_name,
                tables.writes_table_name,
                tables.store_table_name,
            ):
                with suppress(client.exceptions.ResourceNotFoundException):
                    client.delete_table(TableName=table)
        finally:
            client.close()


@contextmanager
def temporary_saver(endpoint_url: str, **settings: Any) -> Iterator[DynamoDBSaver]:
    """A saver on tables of its own, for as long as the context lasts.

    Args:
        endpoint_url: Endpoint of an engine for tests, as `embedded_engine` yields it.
        **settings: Further arguments of `DynamoDBSaver`.

    Yields:
        The saver. Its tables are there.
    """
    with (
        temporary_tables(endpoint_url) as tables,
        DynamoDBSaver(**{**tables.saver_settings, **settings}) as saver,
    ):
        saver.setup()
        yield saver
