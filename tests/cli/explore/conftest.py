"""Fixtures: tables with threads, and a read-only saver on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from examples.pictures.story import NOW, OWNER, Clock
from examples.pictures.table import fill
from langgraph_checkpoint_dynamodb import ThreadIndex
from tests.cli.explore.watched import reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langgraph_checkpoint_dynamodb import DynamoDBSaver
    from tests.cli.explore.watched import Watch
    from tests.support.tables import Tables

INDEX = ThreadIndex(owner=OWNER)


@pytest.fixture
def writer(tables: Tables) -> Iterator[DynamoDBSaver]:
    """A saver that fills the tables, without a thread index."""
    tables.set_up()
    with tables.boto_saver(client=tables.client, clock=Clock(NOW)) as saver:
        yield saver


@pytest.fixture
def looking(tables: Tables, writer: DynamoDBSaver) -> Iterator[tuple[DynamoDBSaver, Watch]]:
    """A read-only saver on the same tables, and its requests."""
    saver, watch = reader(tables, clock=writer._settings.clock)
    with saver:
        yield saver, watch
        watch.release.set()
        assert watch.refused == []


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shop(tables: Tables, clock: Clock) -> Iterator[tuple[DynamoDBSaver, Watch]]:
    """A read-only saver that lists the threads of the screenshots."""
    tables.set_up(thread_index=INDEX)
    with tables.boto_saver(client=tables.client, thread_index=INDEX, clock=clock) as saver:
        fill(saver, clock)
    made, watch = reader(tables, thread_index=INDEX, clock=clock)
    with made:
        yield made, watch
        watch.release.set()
        assert watch.refused == []
