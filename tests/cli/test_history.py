"""`history` draws a thread as a tree, `show` prints the contents of a checkpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from langgraph_checkpoint_dynamodb.cli.terminal.graph import graph_lines
from tests.cli.graphs import at, forked, joined, waiting
from tests.support.values import checkpoint, config, metadata, put_chain

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb import DynamoDBSaver
    from tests.cli.conftest import Cli


def picture(parents: dict[str, str | None]) -> list[str]:
    return [f"{line.graph} {line.node or ''}".rstrip() for line in graph_lines([*parents], parents)]


def test_a_line_is_drawn_as_a_line() -> None:
    assert picture({"c": "b", "b": "a", "a": None}) == ["* c", "* b", "* a"]


def test_a_fork_is_drawn_as_git_draws_it() -> None:
    assert picture({"d": "b", "c": "b", "b": "a", "a": None}) == [
        "* d",
        "| * c",
        "|/",
        "* b",
        "* a",
    ]


def test_forks_across_each_other_are_told_apart() -> None:
    parents = {"f": "a", "e": "b", "d": "a", "c": "b", "b": None, "a": None}

    assert picture(parents) == [
        "* f",
        "| * e",
        "| | * d",
        "| | | * c",
        "| |_|/",
        "| * | b",
        "|__/",
        "* a",
    ]


def test_what_has_lost_its_parent_begins_a_tree() -> None:
    assert picture({"c": "b", "b": "gone", "a": None}) == ["* c", "* b", "* a"]


def test_a_parent_that_is_newer_than_its_child_ends_the_line() -> None:
    assert picture({"b": None, "a": "b"}) == ["* b", "* a"]


def test_the_history_of_a_thread_shows_its_fork(cli: Cli, plain: DynamoDBSaver) -> None:
    forked(plain, "1")

    lines = cli("history", "1").out.splitlines()

    assert [line.split()[0] for line in lines] == ["step", "*", "*", "|", "|/", "*", "*"]
    assert lines[2].split()[1:4] == ["1", "fork", "ask"]
    assert "__start__" in lines[-1]


def test_the_history_says_what_waits(cli: Cli, plain: DynamoDBSaver) -> None:
    graph = waiting(plain, "1")

    said = cli("history", "1").out
    [namespace] = cli("history", "1", "--json").document["namespaces"]
    newest = namespace["checkpoints"][0]

    assert "ask  waits (1)" in said
    assert (
        newest["checkpoint_id"] == graph.get_state(at("1")).config["configurable"]["checkpoint_id"]
    )
    assert newest["next"] == ["ask"]
    assert newest["interrupts"][0][0]["value"] == "really? (1)"


def test_a_node_that_waits_for_several_others_is_shown_once_they_have_run(
    cli: Cli, plain: DynamoDBSaver
) -> None:
    graph = joined(plain, "1")

    [namespace] = cli("history", "1", "--json").document["namespaces"]
    shown = cli("show", "1", "--json").document

    newest = namespace["checkpoints"][0]
    assert newest["next"] == shown["next"] == list(graph.get_state(at("1")).next) == ["both"]


def test_each_namespace_is_a_tree_of_its_own(cli: Cli, plain: DynamoDBSaver) -> None:
    put_chain(plain, "1", 2)  # type: ignore[arg-type]  # a saver has these calls
    put_chain(plain, "1", 3, "child:1")  # type: ignore[arg-type]  # as above

    document = cli("history", "1", "--json").document
    alone = cli("history", "1", "--ns", "child:1", "--limit", "1")

    counts = {each["checkpoint_ns"]: len(each["checkpoints"]) for each in document["namespaces"]}
    assert counts == {"": 2, "child:1": 3}
    assert alone.out.splitlines()[0] == "child:1"
    assert "and 2 older ones" in alone.out


@pytest.mark.usefixtures("plain")
def test_a_thread_that_is_not_there_is_an_error(cli: Cli) -> None:
    for command in ("history", "show"):
        said = cli(command, "nobody", code=1)
        assert said.err.startswith("Error: thread 'nobody' has no checkpoints")


def test_show_prints_channels_and_names_what_it_cannot_read(cli: Cli, plain: DynamoDBSaver) -> None:
    forked(plain, "1")

    said = cli("show", "1")

    assert "human: hello" in said.out
    assert "ai: you said no" in said.out
    assert "tests.cli.graphs.Note" in said.out
    assert said.err == ""


def test_show_in_json_has_every_value(cli: Cli, plain: DynamoDBSaver) -> None:
    forked(plain, "1")

    shown = cli("show", "1", "--json").document

    assert [each["content"] for each in shown["channels"]["messages"]] == ["hello", "you said no"]
    assert shown["channels"]["note"]["type"] == "tests.cli.graphs.Note"
    assert shown["metadata"]["source"] == "loop"


def test_a_checkpoint_is_named_by_the_end_of_its_id(cli: Cli, plain: DynamoDBSaver) -> None:
    first, second = put_chain(plain, "1", 2)  # type: ignore[arg-type]  # a saver has these calls
    first_id = first["configurable"]["checkpoint_id"]

    shown = cli("show", "1", f"..{first_id[-12:]}", "--json").document

    assert shown["checkpoint_id"] == first_id
    assert shown["channels"] == {"step": 0}
    assert cli("show", "1", "nothing", code=1).err.startswith("Error: thread '1' has no checkpoint")
    assert "fits 2 checkpoints" in cli("show", "1", "1", code=1).err
    assert cli("show", "1", "--json").document["parent_id"] == first_id
    assert second["configurable"]["checkpoint_id"] != first_id


def test_one_channel_is_printed_whole(cli: Cli, plain: DynamoDBSaver) -> None:
    text = "line\n" * 50
    put_chain(plain, "1", 1, text=text)  # type: ignore[arg-type]  # a saver has these calls

    assert cli("show", "1", "--channel", "text").out == f"{text}\n"
    assert "there are: step, text" in cli("show", "1", "--channel", "other", code=1).err


def test_encrypted_values_are_shown_as_type_and_size(
    cli: Cli, plain: DynamoDBSaver, monkeypatch: pytest.MonkeyPatch
) -> None:
    from langgraph.checkpoint.serde.encrypted import EncryptedSerializer

    monkeypatch.setenv("LANGGRAPH_AES_KEY", "0123456789abcdef")
    plain.serde = EncryptedSerializer.from_pycryptodome_aes()
    put_chain(plain, "1", 1, note="hidden")  # type: ignore[arg-type]  # a saver has these calls

    shown = cli("show", "1")
    drawn = cli("history", "1")
    with_key = cli(
        "show",
        "1",
        "--json",
        "--serde",
        "langgraph.checkpoint.serde.encrypted:EncryptedSerializer.from_pycryptodome_aes",
    )

    assert "msgpack+aes" in shown.out
    assert "hidden" not in shown.out
    assert "unreadable" in drawn.out
    assert with_key.document["channels"]["note"] == "hidden"


@pytest.mark.parametrize("text", ["\x1b[2J\x1b]0;owned\x07", "\x9b31m", "a\rb", "[red]x[/red]"])
def test_what_is_stored_does_not_steer_the_terminal(
    cli: Cli, plain: DynamoDBSaver, text: str
) -> None:
    odd: Any = {f"name{text}": text}
    plain.put(config(f"t{text}"), checkpoint(**odd), metadata(note=text), {})

    for command in ("history", "show"):
        for more in ([], ["--json"]):
            said = cli(command, f"t{text}", *more).out
            assert not set(said) & {"\x1b", "\x9b", "\x07", "\r"}
    assert cli("show", f"t{text}", "--json").document["channels"] == odd
    if text.startswith("["):
        assert "[red]x[/red]" in cli("show", f"t{text}").out
