"""pytest fixtures: an engine for the session, tables and a saver for each test.

Name this module in your top-level `conftest.py`:

    pytest_plugins = ["langgraph_checkpoint_dynamodb.testing.fixtures"]
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from langgraph_checkpoint_dynamodb.testing.engine import embedded_engine
from langgraph_checkpoint_dynamodb.testing.tables import (
    TemporaryTables,
    temporary_saver,
    temporary_tables,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langgraph_checkpoint_dynamodb.saver import DynamoDBSaver

_ENDPOINT = "DYNAMODB_ENDPOINT_URL"


@pytest.fixture(scope="session")
def dynamodb_endpoint() -> Iterator[str]:
    """Endpoint of the engine: `DYNAMODB_ENDPOINT_URL` if set, else an engine in this process."""
    given = os.environ.get(_ENDPOINT)
    if given:
        yield given
        return
    with embedded_engine() as endpoint:
        yield endpoint


@pytest.fixture
def dynamodb_tables(dynamodb_endpoint: str) -> Iterator[TemporaryTables]:
    """Table names for this test only. `setup()` of a saver or store creates the tables."""
    with temporary_tables(dynamodb_endpoint) as tables:
        yield tables


@pytest.fixture
def dynamodb_saver_settings() -> dict[str, Any]:
    """Further arguments of the saver. Override this fixture to set them."""
    return {}


@pytest.fixture
def dynamodb_saver(
    dynamodb_endpoint: str, dynamodb_saver_settings: dict[str, Any]
) -> Iterator[DynamoDBSaver]:
    """A `DynamoDBSaver` on tables for this test only."""
    with temporary_saver(dynamodb_endpoint, **dynamodb_saver_settings) as saver:
        yield saver
