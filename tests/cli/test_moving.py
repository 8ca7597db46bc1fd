"""`export` and `import` move threads unchanged, and resume where they were stopped."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.graphs import Note, at, forked, waiting
from tests.support.tables import new_tables
from tests.support.values import put_chain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from langgraph_checkpoint_dynamodb import DynamoDBSaver
    from tests.cli.conftest import Cli
    from tests.support.engines import Engine
    from tests.support.tables import Tables


@pytest.fixture
def elsewhere(engine: Engine, tables: Tables) -> Iterator[DynamoDBSaver]:
    """A saver on other tables."""
    other = new_tables(engine, tables.client)
    other.set_up()
    with other.boto_saver(client=other.client) as saver:
        yield saver
    other.drop()


def named(saver: DynamoDBSaver) -> list[str]:
    """The options for a saver's tables."""
    settings = saver._settings
    return [
        "--checkpoints-table",
        settings.checkpoints_table_name,
        "--writes-table",
        settings.writes_table_name,
    ]


def test_threads_come_out_as_they_went_in_values_of_any_class_among_them(
    cli: Cli, plain: DynamoDBSaver, elsewhere: DynamoDBSaver, tmp_path: Path
) -> None:
    forked(plain, "a")
    waiting(plain, "b")
    file = tmp_path / "threads.jsonl"

    said = cli("export", str(file))
    cli("import", str(file), *named(elsewhere))

    assert said.out.startswith("7 checkpoints of 2 threads")
    for name in "ab":
        assert [*elsewhere.list(at(name))] == [*plain.list(at(name))]
    found = elsewhere.get_tuple(at("a"))
    assert found is not None
    assert found.checkpoint["channel_values"]["note"] == Note("kept")


def test_an_export_and_an_import_go_through_a_pipe(
    cli: Cli, plain: DynamoDBSaver, elsewhere: DynamoDBSaver, monkeypatch: pytest.MonkeyPatch
) -> None:
    forked(plain, "a")
    forked(plain, "b")

    said = cli("export", "-", "a")
    stream = io.TextIOWrapper(io.BytesIO(said.out.encode()))
    monkeypatch.setattr(sys, "stdin", stream)
    cli("import", "-", *named(elsewhere))

    assert "exported" in said.err
    assert [*elsewhere.list(at("a"))] == [*plain.list(at("a"))]
    assert [*elsewhere.list(at("b"))] == []


@pytest.mark.parametrize("kept", [0, 4, 7])
@pytest.mark.parametrize("cut", ["", '{"thread_id": "a", "che'])
def test_an_export_goes_on_behind_what_the_file_has(
    cli: Cli, plain: DynamoDBSaver, tmp_path: Path, kept: int, cut: str
) -> None:
    for name in "ab":
        put_chain(plain, name, 3)  # type: ignore[arg-type]  # a saver has these calls
        put_chain(plain, name, 1, "child:1")  # type: ignore[arg-type]  # as above
    whole, file = tmp_path / "whole.jsonl", tmp_path / "file.jsonl"
    cli("export", str(whole))
    lines = whole.read_text().splitlines(keepends=True)
    assert len(lines) == 10
    file.write_text("".join(lines[:kept]) + cut)

    cli("export", str(file))

    assert file.read_text() == whole.read_text()
    assert "is complete" in cli("export", str(file)).out
    assert file.read_text() == whole.read_text()


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("text", ["mine\n", "[]\n", '{"format": "other"}\n'])
def test_a_file_that_is_no_export_is_left_alone(cli: Cli, tmp_path: Path, text: str) -> None:
    file = tmp_path / "mine"
    file.write_text(text)

    assert cli("export", str(file), code=1).err.startswith("Error: line 1 ")
    assert file.read_text() == text


def test_an_import_is_repeated_from_wherever_it_was_stopped(
    cli: Cli, plain: DynamoDBSaver, elsewhere: DynamoDBSaver, tmp_path: Path
) -> None:
    forked(plain, "a")
    file, part = tmp_path / "threads.jsonl", tmp_path / "part.jsonl"
    cli("export", str(file))
    part.write_text("".join(file.read_text().splitlines(keepends=True)[:3]))

    said = cli("import", str(part), *named(elsewhere), code=1)
    cli("import", str(file), *named(elsewhere))

    assert "cut off" in said.err
    assert [*elsewhere.list(at("a"))] == [*plain.list(at("a"))]


def test_imported_threads_are_listed_by_owner_and_expire(
    cli: Cli, plain: DynamoDBSaver, elsewhere: DynamoDBSaver, tmp_path: Path
) -> None:
    waiting(plain, "a")
    file = str(tmp_path / "threads.jsonl")
    options = [*named(elsewhere), "--owner-key", "user_id", "--ttl-seconds", "1000"]
    cli("export", file)

    cli("setup", *options)
    cli("import", file, *options)

    shown: Any = cli("threads", "--owner", "ann", "--json", *named(elsewhere)).document
    assert [(one["thread_id"], one["status"]) for one in shown["threads"]] == [("a", "waiting")]
    client = elsewhere._settings.client.client
    assert client is not None
    items = client.scan(TableName=elsewhere._settings.checkpoints_table_name)["Items"]
    assert all("ttl" in item for item in items)


def test_encrypted_threads_need_the_key_to_be_moved(
    cli: Cli, plain: DynamoDBSaver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from langgraph.checkpoint.serde.encrypted import EncryptedSerializer

    monkeypatch.setenv("LANGGRAPH_AES_KEY", "0123456789abcdef")
    plain.serde = EncryptedSerializer.from_pycryptodome_aes()
    put_chain(plain, "1", 1)  # type: ignore[arg-type]  # a saver has these calls
    serde = "langgraph.checkpoint.serde.encrypted:EncryptedSerializer.from_pycryptodome_aes"

    refused = cli("export", str(tmp_path / "a"), code=1)
    cli("export", str(tmp_path / "b"), "--serde", serde)

    assert "pass the serializer of the graph's saver: --serde" in refused.err
    record = json.loads((tmp_path / "b").read_text().splitlines()[1])
    assert record["checkpoint"][0] == "msgpack+aes"
