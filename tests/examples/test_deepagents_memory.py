"""The deep agent example, in separate processes on one engine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from examples.engine import CHECKPOINTS_TABLE, WRITES_TABLE
from examples.events import Event
from langgraph_checkpoint_dynamodb import DynamoDBSaver
from langgraph_checkpoint_dynamodb.cache import DynamoDBCache
from langgraph_checkpoint_dynamodb.store import DynamoDBStore
from tests.support.sessions import shared_client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.engines import Engine

ROOT = Path(__file__).parent.parent.parent
STORE_TABLE = "demo-store"
ALLERGY = "Please remember: I eat no nuts."
DINNER = "Where shall I have dinner in Lisbon?"
ALL = "Mar Azul (fish), Casa Noz (walnut pesto), Horta (vegetables)."
SAFE = "Without nuts, as you told me: Mar Azul (fish), Horta (vegetables)."


@pytest.fixture
def tables(engine: Engine) -> Iterator[Engine]:
    """An engine with the example's tables."""
    client = shared_client(engine.url)
    with (
        DynamoDBSaver(
            checkpoints_table_name=CHECKPOINTS_TABLE, writes_table_name=WRITES_TABLE, client=client
        ) as saver,
        DynamoDBStore(store_table_name=STORE_TABLE, client=client) as store,
    ):
        saver.setup()
        store.setup()
    yield engine
    for name in (CHECKPOINTS_TABLE, WRITES_TABLE, STORE_TABLE):
        client.delete_table(TableName=name)


def python(engine: Engine | None, *arguments: str) -> str:
    """The output of a process that exits with code 0 and without warnings."""
    done = subprocess.run(  # noqa: S603 - our own example
        [sys.executable, "-W", "error", "-m", *arguments],
        cwd=ROOT,
        env={**os.environ, **({} if engine is None else {"DYNAMODB_ENDPOINT_URL": engine.url})},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def said(engine: Engine, *arguments: str) -> list[tuple[str, str]]:
    """The events of a worker process for a thread, a guest and questions."""
    lines = python(engine, "examples.deepagents_memory.worker", *arguments).splitlines()
    events = [Event.from_line(line) for line in lines]
    return [(event.kind, event.text) for event in events if event.kind in ("asks", "answer")]


def test_the_example_shows_what_it_claims() -> None:
    told = python(None, "examples.deepagents_memory")

    assert told.count("  checked ") == 5
    assert "WRONG" not in told


def test_a_process_knows_what_another_was_told_and_has_looked_up(tables: Engine) -> None:
    asked = ("asks", "the guide to Lisbon")
    assert said(tables, "monday", "ann", ALLERGY, DINNER) == [
        ("answer", "I will remember that."),
        asked,
        ("answer", SAFE),
    ]
    assert said(tables, "friday", "ann", DINNER) == [("answer", SAFE)]
    # Each guest has a separate memory; cached look-ups are shared.
    assert said(tables, "monday-2", "bob", DINNER) == [("answer", ALL)]
    with DynamoDBCache[str](
        cache_table_name=STORE_TABLE, client=shared_client(tables.url)
    ) as cache:
        cache.clear()
    assert said(tables, "friday", "ann", DINNER) == [asked, ("answer", SAFE)]


def test_memories_are_files_of_the_store_and_others_of_the_thread(tables: Engine) -> None:
    said(tables, "monday", "ann", ALLERGY)

    with DynamoDBStore(store_table_name=STORE_TABLE, client=shared_client(tables.url)) as store:
        (memory,) = store.search(())
    assert (memory.namespace, memory.key) == (("ann", "memories"), "/guest.md")
    assert memory.value["content"] == ALLERGY
