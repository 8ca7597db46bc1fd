"""Invalid items of threads: each call ends, and names the thread."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from langgraph_checkpoint_dynamodb import (
    DynamoDBSaverError,
    InvalidInputError,
    UnreadableItemError,
)
from tests.support.calls import SyncCalls
from tests.support.tables import sweep
from tests.support.values import checkpoint, config, metadata
from tests.threads.conftest import INDEXED
from tests.threads.test_index import begin, owned, titles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.clocks import Clock
    from tests.support.savers import Saver
    from tests.support.tables import Tables

VALUES: dict[str, Any] = {
    "text": {"S": "x"},
    "no text": {"S": ""},
    "number": {"N": "1"},
    "below zero": {"N": "-1"},
    "fraction": {"N": "0.5"},
    "large": {"N": "1E+125"},
    "bytes": {"B": b"x"},
    "nothing": {"NULL": True},
    "list": {"L": [{"N": "1"}]},
    "map": {"M": {"task": {"S": "1"}}},
    "map of large numbers": {"M": {"task": {"N": "9" * 38}}},
}
ATTRIBUTES = ("head", "waits", "begun", "type", "metadata", "revision", "ttl")
CALLS: dict[str, Callable[[Saver], object]] = {
    "list_threads": lambda saver: saver.list_threads(owner="ann"),
    "list_threads of all": lambda saver: saver.list_threads(),
    "get_thread": lambda saver: saver.get_thread("t"),
    "update_thread": lambda saver: saver.update_thread("t", title="x"),
    "delete_threads": lambda saver: saver.delete_threads(owner="ann", dry_run=True),
    "reindex_threads": lambda saver: saver.reindex_threads(),
    "get_tuple": lambda saver: saver.get_tuple(config("t", "", "0001")),
    "put_writes": lambda saver: saver.put_writes(
        config("t", "", "0001"), [("__interrupt__", ["?"])], "task"
    ),
    "put": lambda saver: saver.put(
        owned("t", "ann", "0001"), checkpoint("0002", value=1), metadata(source="input"), {}
    ),
    "copy_thread": lambda saver: saver.copy_thread("t", "copy"),
    "prune": lambda saver: saver.prune(["t"]),
    "sweep": sweep,
}


@pytest.fixture(params=[{}, {"on_conflict": "raise"}], ids=["listed", "fenced"])
def reader(request: pytest.FixtureRequest, tables: Tables, clock: Clock) -> Iterator[Saver]:
    tables.set_up(**INDEXED)
    with tables.saver(**INDEXED, **request.param, clock=clock, **tables.quick()) as saver:
        yield saver


@pytest.mark.sample(4)
@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_any_value_in_any_attribute_of_a_thread_ends_every_call_by_name(
    reader: Saver, tables: Tables, attribute: str
) -> None:
    begin(reader, "t")
    reader.update_thread("t", title="First")
    item: Any = next(one for one in tables.checkpoint_items() if "head" in one)
    for value in VALUES.values():
        for call in CALLS.values():
            with suppress(tables.client.exceptions.ClientError):
                tables.client.put_item(
                    TableName=tables.checkpoints, Item={**item, attribute: value}
                )
            try:
                call(reader)
            except DynamoDBSaverError as error:
                assert "'t'" in str(error) or "'copy'" in str(error)  # noqa: PT017 - or it passes
    with suppress(tables.client.exceptions.ClientError):
        tables.client.put_item(
            TableName=tables.checkpoints, Item={**item, attribute: VALUES["map"]}
        )
    reader.delete_thread("t")
    reader.delete_thread("copy")
    assert tables.checkpoint_items() == []


def test_a_row_of_something_else_in_the_index_is_passed_over(
    listing: Saver, tables: Tables
) -> None:
    for thread in ("t", "u"):
        begin(listing, thread)
    for number in range(3):
        row = {"thread_id": "t", "checkpoint_id": f"000{number}", "owner": "ann", "updated": "2099"}
        tables.client.put_item(
            TableName=tables.checkpoints, Item={name: {"S": value} for name, value in row.items()}
        )
    assert sorted(titles(listing, owner="ann")) == sorted(titles(listing)) == ["t", "u"]
    page = listing.list_threads(owner="ann", limit=1)
    assert page.cursor is not None
    others = titles(listing, owner="ann", limit=1, cursor=page.cursor)
    assert sorted([page.threads[0].thread_id, *others]) == ["t", "u"]


def test_a_damaged_thread_is_named_by_who_lists_it(listing: Saver, tables: Tables) -> None:
    begin(listing, "t")
    item: Any = next(one for one in tables.checkpoint_items() if "head" in one)
    tables.client.put_item(TableName=tables.checkpoints, Item={**item, "waits": {"S": "x"}})
    with pytest.raises(UnreadableItemError, match="thread 't': attribute 'waits'"):
        listing.list_threads(owner="ann")


@pytest.mark.parametrize(
    "cursor",
    [
        "[" * 100_000,
        '["ann","\\ud800","t"]',
        '["ann","2026-01-31T12:00:00.000Z","\\ud800"]',
        '["ann","2026-01-31T12:00:00.000Z","' + "t" * 2049 + '"]',
        '["ann","' + "2" * 1025 + '","t"]',
        '["ann","2026-01-31T12:00:00.000Z",""]',
        "5" * 10_000,
        "[NaN,NaN,NaN]",
    ],
    ids=["deep", "no time", "no id", "long id", "long time", "empty id", "number", "no numbers"],
)
def test_a_hostile_cursor_is_refused(listing: Saver, cursor: str) -> None:
    with pytest.raises(InvalidInputError, match="cursor"):
        listing.list_threads(owner="ann", cursor=cursor)


def test_no_cursor_leads_into_the_threads_of_another(listing: Saver, clock: Clock) -> None:
    for number in range(4):
        clock.now += 1
        begin(listing, f"a{number}", "ann")
        begin(listing, f"b{number}", "bob")
    cursor = listing.list_threads(owner="bob", limit=2).cursor
    with pytest.raises(InvalidInputError, match="is not of a list for owner 'ann'"):
        listing.list_threads(owner="ann", cursor=cursor)
    assert cursor is not None
    forged = cursor.replace("bob", "ann", 1)
    assert set(titles(listing, owner="ann", cursor=forged)) <= {f"a{number}" for number in range(4)}


def test_calls_know_no_limit_that_the_service_would_refuse(listing: Saver) -> None:
    begin(listing, "t")
    for limit in (2**31, 10**30):
        assert titles(listing, owner="ann", limit=limit) == titles(listing, limit=limit) == ["t"]


def test_threads_that_have_expired_are_passed_over_in_few_requests(
    tables: Tables, clock: Clock
) -> None:
    asked: list[str] = []
    settings = {**INDEXED, "ttl_seconds": 100}
    tables.set_up(**settings)
    with tables.saver(**settings, clock=clock, **tables.quick()) as saver:
        for number in range(40):
            begin(saver, f"old{number}")
        clock.now += 100 + 3600
        for number in range(4):
            begin(saver, f"young{number}")
        tables.on("before-call.dynamodb.Query", lambda model, **_: asked.append(model.name))
        tables.on("before-call.dynamodb.Scan", lambda model, **_: asked.append(model.name))
        assert len(titles(saver, owner="ann", limit=5)) == 4
        assert len(titles(saver, limit=5)) == 4
    assert len(asked) <= 4


@pytest.mark.parametrize("owner", [None, "ann"])
def test_a_length_of_time_before_all_times_finds_nothing(listing: Saver, owner: str | None) -> None:
    begin(listing, "t")
    for idle_for in (1e11, 1e15, 1e300):
        assert listing.delete_threads(owner=owner, idle_for=idle_for) == 0
    assert SyncCalls(listing).get_tuple(config("t")) is not None
