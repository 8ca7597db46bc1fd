"""Threads are exported to JSON lines and restored unchanged, here and in other savers."""

from __future__ import annotations

import io
import json
from secrets import token_hex
from typing import TYPE_CHECKING, Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.types import Command

from langgraph_checkpoint_dynamodb import (
    ExportFormatError,
    InvalidInputError,
    MoveReport,
    ThreadMismatchError,
)
from langgraph_checkpoint_dynamodb.moving import fill_saver
from tests.graphs.test_delta_channels import OftenStoredLog, two_steps
from tests.graphs.test_subgraphs import three_levels
from tests.moving.stages import stage
from tests.moving.threads import checkpoints_by_id, exported, store_thread
from tests.support.calls import SyncCalls
from tests.support.graphs import THREAD
from tests.support.grounds import check
from tests.support.sessions import metered_session, own_handlers
from tests.support.stop_experiment import Experiment
from tests.support.stopping import WHOLE
from tests.support.tables import new_tables
from tests.support.values import checkpoint, config, metadata, put_chain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.moving.moves import PlainMoves
    from tests.support.calls import LoopThread
    from tests.support.savers import Saver
    from tests.support.tables import Tables


@pytest.fixture
def elsewhere(tables: Tables) -> Iterator[Saver]:
    """A saver on other tables."""
    with own_handlers(tables.client):
        others = new_tables(tables.engine, tables.client)
        others.set_up()
        with others.saver(**others.quick()) as made:
            yield made
        others.drop()


def test_every_thread_comes_back_as_it_was(moves: PlainMoves, elsewhere: Saver) -> None:
    for thread_id in ("t", "u", "thread ü"):
        store_thread(moves.saver, thread_id)
    stream = io.StringIO()
    report = moves.export_threads(stream)
    assert report == MoveReport(threads=3, namespaces=9, checkpoints=21, writes=48)
    assert elsewhere.import_threads(io.StringIO(stream.getvalue())) == report
    for thread_id in ("t", "u", "thread ü"):
        assert checkpoints_by_id(elsewhere, thread_id) == checkpoints_by_id(moves.saver, thread_id)
    assert exported(elsewhere, "t") == exported(moves.saver, "t")


def test_lines_are_stored_by_either_family(moves: PlainMoves) -> None:
    source = InMemorySaver()
    store_thread(source)
    told: list[MoveReport] = []
    report = moves.import_threads(exported(source), on_progress=told.append)
    assert report == told[-1] == MoveReport(1, 3, 7, 16)
    assert checkpoints_by_id(moves.saver) == checkpoints_by_id(source)


def test_the_threads_named_are_exported_and_no_others(moves: PlainMoves) -> None:
    for thread_id in ("t", "u", "v"):
        put_chain(SyncCalls(moves.saver), thread_id, 1)
    stream = io.StringIO()
    assert moves.export_threads(stream, ["v", "t", "none"]).threads == 2
    threads = [json.loads(line).get("thread_id") for line in stream.getvalue().splitlines()]
    assert threads == [None, "v", "t", None]


def test_the_first_line_says_what_it_is_and_the_last_how_much(saver: Saver) -> None:
    stored = put_chain(SyncCalls(saver), "t", 1)[0]
    saver.put_writes(stored, [("x", 1)], "task", "~a path")
    first, one, last = map(json.loads, exported(saver))
    assert first == {"format": "langgraph-checkpoints", "version": 1}
    assert last == {"checkpoints": 1}
    assert one["parent_checkpoint_id"] is None
    assert one["tasks"] == [
        {"task_id": "task", "task_path": "~a path", "writes": [["x", "msgpack", "AQ=="]]}
    ]


def test_a_thread_of_many_pages_is_exported_once(saver: Saver, tables: Tables) -> None:
    for thread_id in ("t", "u"):
        put_chain(SyncCalls(saver), thread_id, 3)

    def cut(params: dict[str, Any], **_: Any) -> None:
        params["Limit"] = 1

    tables.on("provide-client-params.dynamodb.Scan", cut)
    with tables.saver(**tables.quick()) as paged:
        lines = exported(paged)
    assert len(lines) == 8


def test_the_paths_of_tasks_are_exported_and_imported(saver: Saver, elsewhere: Saver) -> None:
    (stored,) = put_chain(SyncCalls(saver), "t", 1)
    for task, path in (("a", "~__pregel_pull, z"), ("b", "~__pregel_pull, y")):
        saver.put_writes(stored, [("x", task)], task, path)
    elsewhere.import_threads(exported(saver))
    elsewhere.put_writes(stored, [("x", "c")], "c", "~__pregel_pull, yy")
    found = elsewhere.get_tuple(stored)
    assert found is not None
    assert [write[0] for write in found.pending_writes or []] == ["b", "c", "a"]
    with pytest.raises(ThreadMismatchError, match="pending_writes"):
        elsewhere.import_threads(exported(saver))


def test_an_export_reads_each_checkpoint_and_its_writes_once(tables: Tables) -> None:
    tables.set_up()
    session, meter = metered_session()
    with tables.saver(session=session) as saver:
        store_thread(saver)
        meter.reset()
        assert saver.export_threads(io.StringIO()).checkpoints == 7
    # The threads, and the checkpoints of one; then each checkpoint, with its writes and chunks.
    assert meter.requests == {"Scan": 1, "GetItem": 7, "Query": 1 + 7}


def test_a_thread_of_differences_is_exported_as_it_was(tables: Tables, elsewhere: Saver) -> None:
    tables.set_up()
    with tables.saver(**tables.quick(), compression="incremental") as saver:
        put_chain(SyncCalls(saver), "t", 6, note=token_hex(8_000))
        stored = checkpoints_by_id(saver)
    assert tables.bases()
    # A saver that has read nothing of the thread yet.
    with tables.saver(**tables.quick(), compression="incremental") as another:
        elsewhere.import_threads(exported(another))
        assert checkpoints_by_id(elsewhere) == checkpoints_by_id(another) == stored


def test_an_import_changes_nothing_where_everything_is_there(saver: Saver, tables: Tables) -> None:
    store_thread(saver)
    stored = tables.checkpoint_items(), tables.items_beside()
    assert saver.import_threads(exported(saver)).checkpoints == 7
    assert (tables.checkpoint_items(), tables.items_beside()) == stored


def test_an_import_that_is_stopped_anywhere_can_be_repeated(saver: Saver, tables: Tables) -> None:
    source = InMemorySaver()
    (stored,) = put_chain(SyncCalls(source), "t", 1)
    source.put_writes(stored, [("x", 1)], "task")
    put_chain(SyncCalls(source), "t", 1, "child")
    lines = exported(source)
    saver.put(config("o"), checkpoint("0001"), metadata(), {})
    check(Experiment(tables, lambda one: one.import_threads(lines), portions=WHOLE))


def test_another_saver_is_filled(saver: Saver, loop_thread: LoopThread) -> None:
    before = stage(saver, loop_thread)
    before.invoke(three_levels(before), {"log": ["in"]})
    target = InMemorySaver()
    fill_saver(target, exported(saver))
    assert checkpoints_by_id(target, THREAD) == checkpoints_by_id(saver, THREAD)
    after = stage(target, loop_thread)
    assert after.invoke(three_levels(after), Command(resume="yes"))["log"][-1] == "told yes"


def test_a_saver_that_keeps_values_by_version_is_filled_with_deltachannels(
    saver: Saver, loop_thread: LoopThread
) -> None:
    before = stage(saver, loop_thread)
    graph = two_steps(before, OftenStoredLog)
    before.invoke(graph, {"log": ["one"]})
    before.invoke(graph, {"log": ["two"]})
    target = InMemorySaver()
    fill_saver(target, exported(saver))
    after = stage(target, loop_thread)
    filled = two_steps(after, OftenStoredLog)
    assert [state.values for state in after.history(filled)] == [
        state.values for state in before.history(graph)
    ]


def test_what_an_encrypting_serde_makes_is_exported_as_it_is(
    saver: Saver, elsewhere: Saver
) -> None:
    serde = EncryptedSerializer.from_pycryptodome_aes(key=b"0123456789abcdef")
    saver.serde = elsewhere.serde = serde
    put_chain(SyncCalls(saver), "t", 1, note="a plain word")
    lines = exported(saver)
    assert "msgpack+aes" in lines[1]
    elsewhere.import_threads(lines)
    assert checkpoints_by_id(elsewhere) == checkpoints_by_id(saver)
    with pytest.raises(
        ExportFormatError, match="line 2 field 'checkpoint', of type 'msgpack\\+aes'"
    ):
        fill_saver(InMemorySaver(), lines)


def changed(lines: list[str], number: int, **fields: Any) -> list[str]:
    record = {**json.loads(lines[number - 1]), **fields}
    return [*lines[: number - 1], json.dumps(record), *lines[number:]]


BAD_TASK = {"task_id": "task", "task_path": "", "writes": [["x", "msgpack"]]}

DAMAGE: dict[str, tuple[Callable[[list[str]], list[str]], int, str]] = {
    "nothing": (lambda _: [], 1, "cut off"),
    "no last line": (lambda lines: lines[:-1], 4, "cut off"),
    "half a line": (lambda lines: [*lines[:2], lines[2][:50]], 3, "not JSON"),
    "no text": (lambda lines: [lines[0], b"\xff\xff"], 2, "not JSON"),  # type: ignore[list-item]  # on purpose
    "no object": (lambda lines: [lines[0], "[1]"], 2, "JSON object"),
    "nesting": (lambda lines: [lines[0], "[" * 100_000], 2, "not JSON"),
    "another format": (lambda lines: changed(lines, 1, format="x"), 1, "must be"),
    "a later version": (lambda lines: changed(lines, 1, version=2), 1, "says version 2"),
    "no version": (lambda lines: changed(lines, 1, version=None), 1, "must be"),
    "no first line": (lambda lines: lines[1:], 1, "must be"),
    "a line lost": (lambda lines: [lines[0], *lines[2:]], 3, "says that 2"),
    "a line more": (lambda lines: [*lines, lines[1]], 5, "after the last"),
    "no thread": (lambda lines: changed(lines, 2, thread_id=None), 2, "'thread_id'"),
    "no parent": (lambda lines: changed(lines, 2, parent_checkpoint_id=1), 2, "'parent_ch"),
    "another id": (lambda lines: changed(lines, 2, checkpoint_id="x"), 2, "'checkpoint_id'"),
    "no value": (lambda lines: changed(lines, 2, metadata=["msgpack"]), 2, "'metadata'"),
    "no mapping": (lambda lines: changed(lines, 2, metadata=["msgpack", "AQ=="]), 2, "mapping"),
    "no Base64": (lambda lines: changed(lines, 2, metadata=["msgpack", "*"]), 2, "(Error)"),
    "another serde": (lambda lines: changed(lines, 2, metadata=["x", ""]), 2, "of type 'x'"),
    "no tasks": (lambda lines: changed(lines, 2, tasks=None), 2, "'tasks'"),
    "no task": (lambda lines: changed(lines, 2, tasks=[1]), 2, "'writes'"),
    "no write": (lambda lines: changed(lines, 2, tasks=[BAD_TASK]), 2, "'writes'"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_stream_is_told_with_its_line(damage: str) -> None:
    source = InMemorySaver()
    put_chain(SyncCalls(source), "t", 2, note="a secret")
    act, number, words = DAMAGE[damage]
    with pytest.raises(ExportFormatError) as caught:
        fill_saver(InMemorySaver(), act(exported(source)))
    assert caught.value.line == number
    assert str(caught.value).startswith(f"line {number} ")
    assert words in str(caught.value)
    assert "secret" not in str(caught.value)


def test_what_came_before_the_damage_is_stored_and_the_whole_can_follow(saver: Saver) -> None:
    source = InMemorySaver()
    put_chain(SyncCalls(source), "t", 3)
    lines = exported(source)
    with pytest.raises(ExportFormatError):
        saver.import_threads([*lines[:3], lines[3][:-9]])
    assert len(checkpoints_by_id(saver)) == 2
    saver.import_threads([line.encode() for line in lines])
    assert checkpoints_by_id(saver) == checkpoints_by_id(source)


def test_bad_arguments_are_refused(moves: PlainMoves) -> None:
    with pytest.raises(InvalidInputError, match="thread_ids"):
        moves.export_threads(io.StringIO(), "t")
    with pytest.raises(InvalidInputError, match="saver"):
        fill_saver({}, [])  # type: ignore[arg-type]  # on purpose
