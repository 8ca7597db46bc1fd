"""Serializers other than the default: one that refuses unknown types, one that encrypts."""

import json
import operator
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.graph import START, StateGraph
from langgraph.types import Command, Send, interrupt
from pydantic import BaseModel
from typing_extensions import TypedDict

from langgraph_checkpoint_dynamodb import DynamoDBSaver
from langgraph_checkpoint_dynamodb.errors import UnreadableItemError
from tests.support.calls import LoopThread
from tests.support.graphs import (
    HEAD,
    THREAD,
    Graph,
    Log,
    Mode,
    NodeFailedError,
    Stage,
    by_both_faces,
    compare,
)
from tests.support.interpreters import run_program
from tests.support.savers import Saver
from tests.support.tables import Tables

MARKER = "plaintext-that-must-not-be-stored"
KEY = b"0123456789abcdef"


@dataclass
class Point:
    x: int


class Label(BaseModel):
    text: str


class Typed(TypedDict):
    point: Point
    labels: Annotated[list[Label], operator.add]


def typed_graph(saver: Saver) -> Graph:
    def move(state: Typed) -> Any:
        return {"point": Point(state["point"].x + 1), "labels": [Label(text=f"{interrupt('?')}")]}

    builder: Any = StateGraph(Typed)
    builder.add_node("move", move)
    builder.add_edge(START, "move")
    graph: Graph = builder.compile(checkpointer=saver)
    return graph


def run_strictly(endpoint_url: str, checkpoints: str, writes: str) -> None:
    """Runs in the strict process: two turns, each with an interrupt; prints the results."""
    with DynamoDBSaver(
        checkpoints_table_name=checkpoints, writes_table_name=writes, endpoint_url=endpoint_url
    ) as saver:
        graph = typed_graph(saver)
        for turn in range(2):
            graph.invoke({"point": Point(10 * turn), "labels": [Label(text="in")]}, HEAD)
            graph.invoke(Command(resume=f"turn {turn}"), HEAD)
        values = graph.get_state(HEAD).values
        types = [type(one).__name__ for one in (values["point"], *values["labels"])]
        labels = [label.text for label in values["labels"]]
        print(json.dumps([types, values["point"].x, labels]))  # noqa: T201 - for the parent


def read_without_allowlist(endpoint_url: str, checkpoints: str, writes: str) -> None:
    """What a saver reads without the graph's types in its allowlist."""
    with DynamoDBSaver(
        checkpoints_table_name=checkpoints, writes_table_name=writes, endpoint_url=endpoint_url
    ) as saver:
        found = saver.get_tuple(HEAD)
        assert found is not None
        point = found.checkpoint["channel_values"]["point"]
        print(json.dumps(type(point).__name__))  # noqa: T201 - for the parent


def strict_process(tables: Tables, function: str) -> subprocess.CompletedProcess[str]:
    arguments = (tables.engine.url, tables.checkpoints, tables.writes)
    script = f"from tests.graphs.test_serializers import {function} as run; run(*{arguments!r})"
    return run_program(script, LANGGRAPH_STRICT_MSGPACK="true")


def test_strict_msgpack_gives_back_the_graphs_own_types_without_a_warning(
    tables: Tables, saver: Saver
) -> None:
    done = strict_process(tables, "run_strictly")
    assert (done.stderr, done.returncode) == ("", 0)
    labels = ["in", "turn 0", "in", "turn 1"]
    assert json.loads(done.stdout) == [["Point", *["Label"] * 4], 11, labels]
    # The control of the test above: the same process refuses types that no graph has registered.
    refused = strict_process(tables, "read_without_allowlist")
    assert refused.returncode == 0
    assert json.loads(refused.stdout) != "Point"
    assert "Point" in refused.stderr
    point = typed_graph(saver).get_state(HEAD).values["point"]
    assert point == Point(11)


class Secrets(TypedDict):
    log: Annotated[list[str], operator.add]
    secret: str


def secret_graph(stage: Stage) -> Graph:
    """A graph that stores a secret in every way: state, interrupt, resume value, Send, error."""

    def ask(_: Secrets) -> Any:
        return {"log": [f"{interrupt(f'{MARKER} asked')}"]}

    def sent(state: Secrets) -> Any:
        return {"log": [state["secret"]]}

    def fail(_: Secrets) -> Any:
        if stage.ran("fail") == 1:
            raise NodeFailedError(MARKER)
        return {"secret": f"{MARKER} at last"}

    def spread(_: Secrets) -> list[Send]:
        return [Send("sent", {"secret": f"{MARKER} {number}"}) for number in range(2)]

    inner: Any = StateGraph(Secrets)
    inner.add_node("ask", ask)
    inner.add_edge(START, "ask")
    builder: Any = StateGraph(Secrets)
    builder.add_node("inner", inner.compile())
    builder.add_node("sent", sent)
    builder.add_node("fail", fail)
    builder.add_edge(START, "inner")
    builder.add_conditional_edges("inner", spread, ["sent"])
    builder.add_edge("sent", "fail")
    return stage.compile(builder)


def play_secretly(stage: Stage) -> None:
    graph = secret_graph(stage)
    config: Any = {**HEAD, "metadata": {"note": f"{MARKER} in metadata"}}
    stage.invoke(graph, {"log": [MARKER], "secret": MARKER}, config)
    stage.fail(graph, Command(resume=f"{MARKER} answered"), config)
    assert stage.invoke(graph, None, config)["secret"] == f"{MARKER} at last"
    stage.update(graph, {"log": [f"{MARKER} updated"]}, config)


CLEAR_ATTRIBUTES = {
    "thread_id",
    "checkpoint_id",
    "checkpoint_ns",
    "parent_checkpoint_id",
    "type",
    "thread_id_checkpoint_id_checkpoint_ns",
    "task_id_idx",
    "channel",
    "task_path",
    "created",
}
ENCRYPTED_ATTRIBUTES = {"checkpoint", "metadata", "value"}


def stored_attributes(tables: Tables) -> Iterator[tuple[str, bytes]]:
    """Every attribute of every item of both tables, as bytes; batched writes are split by write."""
    items: list[Any] = [*tables.checkpoint_items(), *tables.write_items()]
    for item in items:
        together = item.get("writes", {"L": []})["L"]
        attributes = [pair for pair in item.items() if pair[0] != "writes"]
        for entry in together:
            attributes += zip(("task_id_idx", "channel", "type", "value"), entry["L"], strict=True)
        for name, typed in attributes:
            for value in typed.values():
                yield name, value if isinstance(value, bytes) else str(value).encode()


@by_both_faces
def test_an_encrypted_thread_runs_like_a_plain_one_and_shows_nothing_of_its_state(
    mode: Mode, tables: Tables, loop_thread: LoopThread
) -> None:
    serde = EncryptedSerializer.from_pycryptodome_aes(key=KEY)
    with tables.saver(serde=serde) as encrypting:
        encrypting.setup()
        compare(play_secretly, mode, encrypting, loop_thread)
        stored = list(stored_attributes(tables))
        encrypting.copy_thread(THREAD, "copy")
        encrypting.prune([THREAD])
        stored += stored_attributes(tables)
        assert {name for name, _ in stored} == CLEAR_ATTRIBUTES | ENCRYPTED_ATTRIBUTES
        assert [name for name, value in stored if MARKER.encode() in value] == []
        types = {value for name, value in stored if name == "type"}
        assert types
        assert all(value.endswith(b"+aes") for value in types)
    # The control of the test above: without the cipher, the marker is in every such attribute.
    with tables.saver() as plainly:
        plainly.delete_thread(THREAD)
        play_secretly(Stage(plainly, mode, loop_thread))
        shown = {name for name, value in stored_attributes(tables) if MARKER.encode() in value}
        assert shown == ENCRYPTED_ATTRIBUTES


def test_a_thread_encrypted_with_another_key_is_refused_and_not_taken_for_absent(
    tables: Tables, loop_thread: LoopThread
) -> None:
    serdes = [EncryptedSerializer.from_pycryptodome_aes(key=key) for key in (KEY, KEY[::-1])]
    with tables.saver(serde=serdes[0]) as encrypting, tables.saver(serde=serdes[1]) as other:
        encrypting.setup()
        stage = Stage(encrypting, Mode("sync", "sync"), loop_thread)
        builder: Any = StateGraph(Log)
        builder.add_node("a", stage.node("a"))
        builder.add_edge(START, "a")
        stage.invoke(stage.compile(builder), {"log": ["in"]})
        with pytest.raises(UnreadableItemError):
            builder.compile(checkpointer=other).get_state(HEAD)
