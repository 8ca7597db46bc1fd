"""Fixtures: items and objects of other packages, on the engine."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from tests.moving.foreign.sources import (
    WRITERS,
    ForeignWriter,
    Stored,
    live,
    make_table,
    put_items,
)
from tests.support.buckets import new_bucket
from tests.support.sessions import shared_client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from langgraph_checkpoint_dynamodb.moving.foreign.source import ForeignTable
    from tests.moving.foreign.sources import Item
    from tests.support.buckets import Bucket
    from tests.support.engines import Engine


@dataclass(frozen=True)
class Foreign:
    """The items of another package, and its table on the engine.

    Attributes:
        writer: The package.
        stored: What it has stored.
        client: A client of the engine.
        table_name: The table.
        bucket: The bucket.
    """

    writer: ForeignWriter
    stored: Stored
    client: Any
    table_name: str
    bucket: Bucket

    def source(self, **reach: Any) -> ForeignTable:
        """A source that reads the table."""
        if not {"client", "session"} & reach.keys():
            reach["client"] = self.client
        return self.writer.source(self.table_name, self.bucket, **reach)

    @contextmanager
    def with_items(self, items: Sequence[Item]) -> Iterator[Foreign]:
        """The same with a table of only these items."""
        name = f"{self.table_name}-changed"
        make_table(self.client, name)
        put_items(self.client, name, items)
        try:
            yield Foreign(self.writer, self.stored, self.client, name, self.bucket)
        finally:
            self.client.delete_table(TableName=name)

    def items_of(self, *thread_ids: str) -> list[Item]:
        """The items of some threads."""
        begin = [
            f"{prefix}{thread_id}{separator}"
            for thread_id in thread_ids
            for prefix, separator in (("CHECKPOINT_", ""), ("CHUNK_", "#"), ("WRITES_", "#"))
        ]
        return [
            {**item}
            for item in self.stored.items
            if item["PK"]["S"] in (*thread_ids, *begin)
            or any(item["PK"]["S"].startswith(one) for one in begin if one.endswith("#"))
        ]


@pytest.fixture(scope="session")
def on_engine(engine: Engine, object_store: str) -> Iterator[Callable[[ForeignWriter], Foreign]]:
    """Stores a package's items on the engine: the recorded ones, or those that it writes now."""
    made: list[Foreign] = []

    @cache
    def of(writer: ForeignWriter) -> Foreign:
        client = shared_client(engine.url)
        stored = (
            writer.write(engine, client, new_bucket(object_store))
            if live()
            else writer.read_recorded()
        )
        bucket = new_bucket(object_store)
        bucket.restore(stored.objects)
        table_name = f"foreign-{os.getpid()}-{writer.name}-read"
        make_table(client, table_name)
        put_items(client, table_name, stored.items)
        made.append(Foreign(writer, stored, client, table_name, bucket))
        return made[-1]

    yield of
    for one in made:
        one.client.delete_table(TableName=one.table_name)
        one.bucket.drop()


@pytest.fixture(params=WRITERS, ids=lambda writer: writer.name)
def foreign(
    request: pytest.FixtureRequest, on_engine: Callable[[ForeignWriter], Foreign]
) -> Foreign:
    """The items of each package."""
    return on_engine(request.param)


@pytest.fixture
def stored_by(on_engine: Callable[[ForeignWriter], Foreign]) -> Callable[[str], Foreign]:
    """Returns the items of the package of a name."""
    by_name = {writer.name: writer for writer in WRITERS}
    return lambda name: on_engine(by_name[name])
