"""Temporary tables for a test."""

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
    """Unique names of tables, and the engine they are for.

    Attributes:
        endpoint_url: The engine's endpoint.
        checkpoints_table_name: The saver's table of checkpoints.
        writes_table_name: The saver's table of pending writes.
        store_table_name: The table of the store, and of the cache.
    """

    endpoint_url: str
    checkpoints_table_name: str
    writes_table_name: str
    store_table_name: str

    @property
    def client_config(self) -> dict[str, Any]:
        """Endpoint, region and credentials, as sync and async savers and stores accept them."""
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
        """Arguments of `DynamoDBCache` and `AsyncDynamoDBCache`, which use the store's table."""
        return {"cache_table_name": self.store_table_name, "client_config": self.client_config}

    def client(self) -> DynamoDBClient:
        """A boto3 client of the engine, to inspect the items."""
        return boto3.client(
            "dynamodb",
            endpoint_url=self.endpoint_url,
            region_name=_REGION,
            aws_access_key_id=_CREDENTIAL,
            aws_secret_access_key=_CREDENTIAL,
        )


@contextmanager
def temporary_tables(endpoint_url: str) -> Iterator[TemporaryTables]:
    """Unique table names. Tables with these names are deleted when the context ends.

    Args:
        endpoint_url: Endpoint of an engine for tests, as `embedded_engine` yields it.

    Yields:
        The names. `setup()` of a saver or store creates the tables.
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
    """A saver on temporary tables, which are deleted when the context ends.

    Args:
        endpoint_url: Endpoint of an engine for tests, as `embedded_engine` yields it.
        **settings: Further arguments of `DynamoDBSaver`.

    Yields:
        The saver. Its tables exist.
    """
    with (
        temporary_tables(endpoint_url) as tables,
        DynamoDBSaver(**{**tables.saver_settings, **settings}) as saver,
    ):
        saver.setup()
        yield saver
