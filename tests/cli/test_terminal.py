"""The command line in interactive use: typed into a real terminal of 80 columns."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from langgraph_checkpoint_dynamodb.cli.app import COMMANDS
from tests.cli.conftest import INDEXED, environment
from tests.cli.gate import Gate
from tests.cli.graphs import answered, forked
from tests.cli.terminal import COLUMNS, Terminal, running_terminal
from tests.support.tables import new_tables
from tests.support.values import checkpoint, config, metadata, put_chain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from langgraph_checkpoint_dynamodb import DynamoDBSaver
    from tests.support.engines import Engine
    from tests.support.tables import Tables

THREADS = 500


@pytest.fixture(scope="module")
def full(engine: Engine) -> Iterator[Tables]:
    """Tables of 500 threads."""
    tables = new_tables(engine)
    tables.set_up(**INDEXED)
    with tables.boto_saver(client=tables.client, **INDEXED) as saver:

        def fill(number: int) -> None:
            at: Any = config(f"thread-{number:03}")
            at["configurable"]["user_id"] = f"user-{number % 50}"
            saver.put(at, checkpoint(text="x"), metadata(source="input", step=-1), {})

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(fill, range(THREADS - 2)))
        forked(saver, "forked")
        answered(saver, "answered")
    yield tables
    tables.drop()
    tables.client.close()


@pytest.fixture
def gate(engine: Engine) -> Iterator[Gate]:
    with Gate(engine.url).running() as running:
        yield running


@pytest.fixture
def terminal(tables: Tables, gate: Gate, tmp_path: Path) -> Iterator[Terminal]:
    """A terminal whose commands use the tables of a test, through a gate."""
    through = {**environment(tables), "AWS_ENDPOINT_URL_DYNAMODB": gate.url}
    with running_terminal(tmp_path, through) as running:
        yield running


@pytest.mark.sample(0)
def test_every_command_is_run_on_500_threads(full: Tables, tmp_path: Path) -> None:
    # On moto, which scans tables, moving all of them takes ten minutes.
    named, moved = ("", 491) if full.engine.faithful else (" forked answered", 2)
    lines = {
        "threads": ("threads --limit 3", "There are more: --cursor"),
        "history": ("history forked", "|/"),
        "show": ("show forked", "ai: you said no"),
        "diff": ("diff forked", "+ note"),
        "stats": ("stats --limit 3", "threads      500"),
        "doctor": ("doctor", "Nothing is wrong."),
        "delete": ("delete --owner user-1 --yes", "10 threads deleted: 20 items"),
        "prune": ("prune --all --yes", "490 threads pruned: 6 items"),
        "sweep": ("sweep", "items examined "),
        "copy": ("copy forked copied", "1 checkpoint of thread 'forked' copied to 'copied'."),
        "export": (f"export file{named}", f"{moved} checkpoints of {moved} threads"),
        "import": ("import file", f"{moved} checkpoints of {moved} threads"),
        "setup": ("setup --owner-key user_id --reindex", "listed."),
    }
    assert {*lines, "explore"} == {command.name for command in COMMANDS}
    with running_terminal(tmp_path, environment(full)) as terminal:
        terminal.type("clear; langgraph-dynamodb explore --owner user-2; echo code=$?")
        terminal.wait_for(lambda text: "thread-002" in text)
        # Not `q`: a late reply of the terminal to a query looks like text typed into the filter.
        terminal.press("C-q")
        terminal.wait_for(lambda text: "code=0" in text)
        for line, expected in lines.values():
            code, shown = terminal.run(f"langgraph-dynamodb {line}")
            assert code == 0, shown
            assert any(expected in each for each in shown), shown
            assert wrapped(terminal) <= {"There are more: --cursor"}
            # The progress bar is gone.
            assert not any("━" in each for each in shown)
        _, shown = terminal.run("langgraph-dynamodb threads --all --json | grep -c thread_id")
        assert shown == ["491"]


def wrapped(terminal: Terminal) -> set[str]:
    """The beginnings of lines that were too long for the terminal."""
    whole = terminal.screen("-J").split("\n")
    return {line[:24] for line in whole if len(line.rstrip()) > COLUMNS}


def fill(saver: DynamoDBSaver, threads: int) -> None:
    for number in range(threads):
        put_chain(saver, f"t{number}", 4)  # type: ignore[arg-type]  # a saver has these calls


def test_a_question_is_answered_before_anything_is_deleted(
    terminal: Terminal, plain: DynamoDBSaver
) -> None:
    fill(plain, 2)

    terminal.type("langgraph-dynamodb delete t0")
    terminal.wait_for(lambda text: "for good? [y/N]:" in text)
    terminal.type("n")
    terminal.wait_for(lambda text: text.rstrip().endswith("$"))
    assert plain.get_tuple(config("t0")) is not None
    terminal.type("clear; langgraph-dynamodb delete t0")
    terminal.wait_for(lambda text: "for good? [y/N]:" in text)
    terminal.type("y")
    terminal.wait_for(lambda text: "1 thread deleted" in text)

    assert plain.get_tuple(config("t0")) is None
    assert plain.get_tuple(config("t1")) is not None


def test_a_table_in_a_terminal_has_colours_and_in_a_file_none(
    terminal: Terminal, plain: DynamoDBSaver
) -> None:
    fill(plain, 1)

    terminal.run("langgraph-dynamodb stats")
    assert "\x1b[2m" in terminal.screen("-e")
    code, shown = terminal.run("langgraph-dynamodb stats > f; grep -c $(printf '\\033') f")

    assert (code, shown) == (1, ["0"])


STOPPED = {
    "delete": ("delete t0 t1 t2 t3 t4 t5 --yes", "BatchWriteItem", 8, "6 threads deleted"),
    "prune": ("prune --all --yes", "BatchWriteItem", 8, "6 threads pruned"),
    "copy": ("copy big target", "TransactWriteItems", 1, "150 checkpoints of thread 'big' copied"),
    "export": ("export file", "GetItem", 9, "exported now."),
    "import": ("import full", "PutItem", 9, "24 checkpoints of 6 threads"),
    "stats": ("stats", "Scan", 5, "threads      6"),
}


def test_a_question_is_answered_with_ctrl_c(terminal: Terminal, plain: DynamoDBSaver) -> None:
    fill(plain, 1)

    terminal.type("langgraph-dynamodb prune --all; echo code=$?")
    terminal.wait_for(lambda text: "for good? [y/N]:" in text)
    terminal.press("C-c")
    stopped = terminal.wait_for(lambda text: "code=130" in text)

    assert "Stopped. Nothing was changed." in stopped


@pytest.mark.sample(1)
@pytest.mark.parametrize("command", [*STOPPED])
def test_ctrl_c_leaves_a_state_that_the_same_command_finishes(
    terminal: Terminal, gate: Gate, tables: Tables, plain: DynamoDBSaver, command: str
) -> None:
    line, operation, passed, done = STOPPED[command]
    if command == "copy":
        put_chain(plain, "big", 150)  # type: ignore[arg-type]  # a saver has these calls
    else:
        fill(plain, 6)
    if command == "import":
        terminal.run("langgraph-dynamodb export full")
        for number in range(6):
            plain.delete_thread(f"t{number}")
    gate.shut_after(passed, operation)

    terminal.type(f"clear; langgraph-dynamodb {line}; echo code=$?")
    assert gate.shut.wait(60)
    bar = terminal.wait_for(lambda text: re.search(r"ing ━", text) is not None)
    terminal.press("C-c")
    stopped = terminal.wait_for(lambda text: "code=130" in text)
    gate.open()
    code_again, shown = terminal.run(f"langgraph-dynamodb {line}")

    assert max(map(len, bar.split("\n"))) <= COLUMNS
    assert "Traceback" not in stopped
    goes_on = "Nothing was changed." if command == "stats" else "The same command goes on"
    assert f"Stopped. {goes_on}" in stopped
    assert code_again == 0
    assert any(done in each for each in shown), shown
    finished(command, tables, plain)


def finished(command: str, tables: Tables, saver: DynamoDBSaver) -> None:
    """Check that a stopped and repeated command leaves the same as one that was never stopped."""
    counts = {"delete": 0, "prune": 6, "import": 24, "export": 24, "stats": 24, "copy": 300}
    assert len(tables.heads()) == counts[command]
    if command == "copy":
        both = [[one.checkpoint for one in saver.list(config(name))] for name in ("big", "target")]
        assert both[0] == both[1]
