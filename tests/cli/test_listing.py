"""`threads` lists the threads of a table, with a thread index and without."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.graphs import answered, waiting
from tests.support.values import put_chain

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb import DynamoDBSaver
    from tests.cli.conftest import Cli


def ids(document: dict[str, list[dict[str, str]]]) -> list[str]:
    return [each["thread_id"] for each in document["threads"]]


def test_threads_of_an_owner_are_listed_newest_first(cli: Cli, listing: DynamoDBSaver) -> None:
    waiting(listing, "first", "ann")
    answered(listing, "second", "ann")
    waiting(listing, "other", "bob")

    shown = cli("threads", "--owner", "ann", "--json").document

    assert ids(shown) == ["second", "first"]
    assert shown["threads"][1]["status"] == "waiting"
    assert shown["threads"][1]["interrupts"] == 1
    assert shown["cursor"] is None


def test_threads_of_a_status_are_listed(cli: Cli, listing: DynamoDBSaver) -> None:
    waiting(listing, "first")
    answered(listing, "second")

    said = cli("threads", "--status", "waiting").out

    assert "first" in said
    assert "waiting (1)" in said
    assert "second" not in said


def test_a_list_goes_on_at_its_cursor(cli: Cli, listing: DynamoDBSaver) -> None:
    for name in "abc":
        answered(listing, name)

    first = cli("threads", "--owner", "ann", "--limit", "2", "--json").document
    rest = cli("threads", "--owner", "ann", "--json", "--cursor", first["cursor"]).document

    assert ids(first) + ids(rest) == ["c", "b", "a"]
    assert rest["cursor"] is None


def test_a_table_without_an_index_is_read_for_the_ids_of_its_threads(
    cli: Cli, plain: DynamoDBSaver
) -> None:
    for name in "abc":
        put_chain(plain, name, 2)  # type: ignore[arg-type]  # a saver has these calls

    said = cli("threads")

    assert sorted(said.out.split()) == ["a", "b", "c"]
    assert "no index of threads" in said.err


def test_a_list_without_an_index_goes_on_at_its_cursor(cli: Cli, plain: DynamoDBSaver) -> None:
    for name in "abcde":
        put_chain(plain, name, 2)  # type: ignore[arg-type]  # a saver has these calls

    found: list[str] = []
    cursor: list[str] = []
    while True:
        page = cli("threads", "--limit", "2", "--json", *cursor).document
        found += ids(page)
        if page["cursor"] is None:
            break
        cursor = ["--cursor", page["cursor"]]

    assert sorted(found) == ["a", "b", "c", "d", "e"]
    assert ids(cli("threads", "--all", "--json").document) == found


@pytest.mark.usefixtures("plain")
def test_owners_cannot_be_asked_for_without_an_index(cli: Cli) -> None:
    said = cli("threads", "--owner", "ann", code=1)

    assert "setup --owner-key KEY" in said.err
    assert not said.out


@pytest.mark.usefixtures("listing")
def test_an_empty_table_is_told_from_an_error(cli: Cli) -> None:
    said = cli("threads")

    assert said.out == ""
    assert "No threads." in said.err
    assert cli("threads", "--json").document == {"threads": [], "cursor": None}


def test_what_is_printed_to_no_terminal_has_no_colours_and_is_never_cut(
    cli: Cli, listing: DynamoDBSaver
) -> None:
    name = "x" * 300
    answered(listing, name, owner="o" * 300)

    said = cli("threads").out

    assert name in said
    assert "o" * 300 in said
    assert "\x1b" not in said
