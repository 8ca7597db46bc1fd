"""Threads of older writers under this package: read, resumed, copied, pruned and deleted.

The JavaScript port and PyPI 0.1.0 stored them, each with its own LangGraph: see `sources.py`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.types import Command, Interrupt, Send

from tests.older import graphs
from tests.older.sources import WRITERS, Items, OlderWriter, live, of_thread, read_recorded
from tests.support.tables import new_tables, sweep
from tests.support.values import config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    from langgraph.checkpoint.base import CheckpointTuple

    from tests.support.calls import Calls
    from tests.support.engines import Engine
    from tests.support.savers import Saver
    from tests.support.tables import Tables

    Load: TypeAlias = Callable[[OlderWriter, str], Items]

JAVASCRIPT = [writer for writer in WRITERS if writer.javascript]
PYPI = [writer for writer in WRITERS if not writer.javascript]
SAME_LANGGRAPH = WRITERS[-1]
"""The writer whose LangGraph generates the same task ids as the one here."""


def by_name(writer: OlderWriter) -> str:
    return writer.name


every = pytest.mark.parametrize("writer", WRITERS, ids=by_name)
javascript = pytest.mark.parametrize("writer", JAVASCRIPT, ids=by_name)


@pytest.fixture(scope="session")
def written(engine: Engine) -> Callable[[OlderWriter], Items]:
    """The items of a writer: recorded, or stored by the package itself."""
    found: dict[OlderWriter, Items] = {}

    def of(writer: OlderWriter) -> Items:
        if writer not in found:
            if live():
                tables = new_tables(engine)
                found[writer] = writer.write(tables)
                tables.drop()
                tables.client.close()
            else:
                found[writer] = read_recorded(writer)
        return found[writer]

    return of


@pytest.fixture
def saver(tables: Tables) -> Iterator[Saver]:
    with tables.saver(**tables.quick()) as made:
        made.setup()
        yield made


@pytest.fixture
def load(
    tables: Tables,
    saver: Saver,  # noqa: ARG001 - it makes the tables
    written: Callable[[OlderWriter], Items],
) -> Callable[[OlderWriter, str], Items]:
    """Stores a writer's thread in the tables."""

    def of(writer: OlderWriter, thread_id: str) -> Items:
        items = of_thread(written(writer), thread_id)
        assert items["checkpoints"], f"{writer.name} has no thread {thread_id}"
        for name, found in ((tables.checkpoints, "checkpoints"), (tables.writes, "writes")):
            for item in items[found]:
                tables.client.put_item(TableName=name, Item=item)
        return items

    return of


def thread(thread_id: str) -> Any:
    return config(thread_id, None)


def newest(calls: Calls, thread_id: str) -> CheckpointTuple:
    found = calls.get_tuple(thread(thread_id))
    assert found is not None
    return found


# --- reading ---


@every
def test_every_thread_is_read_with_its_history(
    calls: Calls, load: Load, writer: OlderWriter
) -> None:
    for thread_id in ("chat", "asks", "both_ask", "both_fail", "sends"):
        items = load(writer, thread_id)
        ids = sorted(item["checkpoint_id"]["S"] for item in items["checkpoints"])
        listed = [
            found.config["configurable"]["checkpoint_id"] for found in calls.list(thread(thread_id))
        ]
        assert listed == ids[::-1]
        assert newest(calls, thread_id).checkpoint["id"] == ids[-1]


@every
def test_messages_come_back_as_messages(calls: Calls, load: Load, writer: OlderWriter) -> None:
    load(writer, "chat")
    messages = newest(calls, "chat").checkpoint["channel_values"]["messages"]
    assert [type(message) for message in messages] == [HumanMessage, AIMessage] * 2
    assert [message.content for message in messages] == ["first", "answer 1", "second", "answer 3"]


@javascript
def test_a_streamed_answer_is_read(calls: Calls, load: Load, writer: OlderWriter) -> None:
    items = load(writer, "streamed")
    assert b'"undefined"' in b"".join(item["checkpoint"]["B"] for item in items["checkpoints"])
    (_, answer) = newest(calls, "streamed").checkpoint["channel_values"]["messages"]
    assert isinstance(answer, AIMessage)
    assert (answer.content, answer.name, answer.usage_metadata) == ("hello there", None, None)
    streamed = [w for found in calls.list(thread("streamed")) for w in found.pending_writes or []]
    assert "hello there" in [w[2][0].content for w in streamed if w[1] == "messages"]


@javascript
def test_what_was_undefined_is_left_out(calls: Calls, load: Load, writer: OlderWriter) -> None:
    load(writer, "undefined_values")
    values = newest(calls, "undefined_values").checkpoint["channel_values"]
    assert values["log"] == ["hi", "a", None, {"c": 1}]
    assert "note" not in values
    writes = [
        w for found in calls.list(thread("undefined_values")) for w in found.pending_writes or []
    ]
    assert [w[2] for w in writes if w[1] == "note"] == [None]


@every
def test_a_pending_interrupt_is_one_of_langgraphs(
    calls: Calls, load: Load, writer: OlderWriter
) -> None:
    load(writer, "asks")
    [(_, channel, value)] = newest(calls, "asks").pending_writes or []
    assert channel == "__interrupt__"
    (interrupt,) = [value] if isinstance(value, Interrupt) else value
    assert isinstance(interrupt, Interrupt)
    assert interrupt.value == {"question": "sure?"}
    assert len(interrupt.id) == 32


@javascript
def test_an_interrupt_keeps_its_id(calls: Calls, load: Load, writer: OlderWriter) -> None:
    items = load(writer, "asks")
    (stored,) = [
        json.loads(w["value"]["B"]) for w in items["writes"] if b"sure?" in w["value"]["B"]
    ]
    [(_, _, (interrupt,))] = newest(calls, "asks").pending_writes or []
    if isinstance(stored, list):
        assert interrupt.id == stored[0]["id"]
    else:
        # 0.2.74 stores no id: LangGraph derives it from the namespace.
        made_of: dict[str, Any] = {"ns": stored["ns"]}
        assert interrupt == Interrupt(stored["value"], **made_of)


@every
def test_pending_sends_are_sends(calls: Calls, load: Load, writer: OlderWriter) -> None:
    load(writer, "sends")
    found = newest(calls, "sends")
    checkpoint: Any = found.checkpoint
    pending = checkpoint.get("pending_sends") or checkpoint["channel_values"]["__pregel_tasks"]
    sends = [Send("work", {"item": 1}), Send("work", {"item": 2})]
    assert pending == sends
    assert found.parent_config is not None
    parent = calls.get_tuple(found.parent_config)
    assert parent is not None
    assert [w[2] for w in parent.pending_writes or [] if w[1] == "__pregel_tasks"] == sends


# --- continuing ---


@every
def test_a_chat_goes_on(saver: Saver, load: Load, writer: OlderWriter) -> None:
    load(writer, "chat")
    graph = graphs.chat(saver)
    result = graph.invoke({"messages": [("user", "third")]}, thread("chat"))
    texts = ["first", "answer 1", "second", "answer 3", "third", "answer 5"]
    assert [message.content for message in result["messages"]] == texts
    assert len(list(graph.get_state_history(thread("chat")))) == 9


@javascript
def test_a_streamed_chat_goes_on(saver: Saver, load: Load, writer: OlderWriter) -> None:
    load(writer, "streamed")
    result = graphs.chat(saver).invoke({"messages": [("user", "more")]}, thread("streamed"))
    texts = ["hi", "hello there", "more", "answer 3"]
    assert [message.content for message in result["messages"]] == texts


@every
def test_a_question_is_answered(saver: Saver, load: Load, writer: OlderWriter) -> None:
    load(writer, "asks")
    graph = graphs.asks(saver)
    assert graph.get_state(thread("asks")).next == ("ask",)
    result = graph.invoke(Command(resume="yes"), thread("asks"))
    assert result == {"log": ["hi", "answer: yes", "end"], "note": "asked"}


@every
def test_two_questions_are_answered_one_after_the_other(
    saver: Saver, load: Load, writer: OlderWriter
) -> None:
    load(writer, "both_ask")
    graph = graphs.both_ask(saver)
    if writer is not SAME_LANGGRAPH:
        # Its tasks had other ids: the interrupts are raised again.
        graph.invoke(None, thread("both_ask"))

    def ask() -> dict[str, str]:
        found = graph.get_state(thread("both_ask")).interrupts
        return {interrupt.value: interrupt.id for interrupt in found}

    graph.invoke(Command(resume={ask()["left?"]: "L"}), thread("both_ask"))
    (left,) = ask().items()
    assert left[0] == "right?"
    result = graph.invoke(Command(resume={left[1]: "R"}), thread("both_ask"))
    assert result == {"log": ["hi", "left: L", "right: R"], "note": "left"}


@javascript
def test_what_was_asked_twice_is_asked_from_the_first_question(
    saver: Saver, load: Load, writer: OlderWriter
) -> None:
    load(writer, "asks_twice")
    graph = graphs.asks_twice(saver)
    for question, answer in (("one?", "1"), ("two?", "2")):
        if question == "one?":
            graph.invoke(None, thread("asks_twice"))
        (asked,) = graph.get_state(thread("asks_twice")).interrupts
        assert asked.value == question
        result = graph.invoke(Command(resume={asked.id: answer}), thread("asks_twice"))
    assert result["log"] == ["hi", "1 and 2"]


def test_a_second_question_is_answered_after_the_first(saver: Saver, load: Load) -> None:
    load(SAME_LANGGRAPH, "asks_twice")
    result = graphs.asks_twice(saver).invoke(Command(resume="2"), thread("asks_twice"))
    assert result["log"] == ["hi", "1 and 2"]


@every
def test_sends_are_carried_out(saver: Saver, load: Load, writer: OlderWriter) -> None:
    load(writer, "sends")
    result = graphs.sends(saver).invoke(None, thread("sends"))
    assert result["log"] == ["hi", "plan", "work 1", "work 2"]


@javascript
def test_a_subgraph_that_asked_begins_anew(saver: Saver, load: Load, writer: OlderWriter) -> None:
    load(writer, "nested")
    result = graphs.nested(saver).invoke(Command(resume="yes"), thread("nested"))
    # The parent adds the child's result: all of its log.
    assert result["log"] == ["hi", "hi", "child: yes", "end"]


@every
def test_failed_tasks_are_repeated_and_no_output_is_lost(
    saver: Saver, load: Load, writer: OlderWriter
) -> None:
    load(writer, "both_fail")
    failures = ["once more"]

    def left(_: Any) -> dict[str, Any]:
        return {"log": ["left"], "note": "left"}

    def right(_: Any) -> dict[str, Any]:
        if failures:
            raise ValueError(failures.pop())
        return {"log": ["right"]}

    graph = graphs.pair(saver, left, right)
    with pytest.raises(ValueError, match="once more"):
        graph.invoke(None, thread("both_fail"))
    # The finished left node is not repeated: its stored writes are used.
    result = graph.invoke(None, thread("both_fail"))
    assert result == {"log": ["hi", "left", "right"], "note": "left"}


def test_what_a_task_stores_again_in_a_special_channel_stands_for_what_it_stored_before(
    calls: Calls, load: Load
) -> None:
    load(SAME_LANGGRAPH, "both_ask")
    found = newest(calls, "both_ask")
    (task_id, _, _), (other, _, old) = found.pending_writes or []
    again = [Interrupt("again?", id="0" * 32)]
    calls.put_writes(found.config, [("__interrupt__", again)], task_id)
    pending = {task: value for task, _, value in newest(calls, "both_ask").pending_writes or []}
    assert len(newest(calls, "both_ask").pending_writes or []) == 2
    assert pending == {task_id: again, other: old}


# --- maintenance ---


@every
def test_a_copy_waits_as_its_source_does(
    calls: Calls, saver: Saver, load: Load, writer: OlderWriter
) -> None:
    load(writer, "asks")
    calls.copy_thread("asks", "copy")
    result = graphs.asks(saver).invoke(Command(resume="yes"), thread("copy"))
    assert result["log"] == ["hi", "answer: yes", "end"]
    assert graphs.asks(saver).get_state(thread("asks")).next == ("ask",)


@every
def test_a_pruned_thread_goes_on(
    calls: Calls, tables: Tables, saver: Saver, load: Load, writer: OlderWriter
) -> None:
    load(writer, "asks")
    calls.prune(["asks"])
    assert len(tables.checkpoint_items()) == 1
    result = graphs.asks(saver).invoke(Command(resume="yes"), thread("asks"))
    assert result["log"] == ["hi", "answer: yes", "end"]


@every
def test_a_deleted_thread_leaves_nothing(
    calls: Calls, tables: Tables, load: Load, writer: OlderWriter
) -> None:
    thread_id = "nested" if writer.javascript else "both_ask"
    load(writer, thread_id)
    kept = load(writer, "chat")
    calls.delete_thread(thread_id)
    assert len(tables.checkpoint_items()) == len(kept["checkpoints"])
    assert len(tables.write_items()) == len(kept["writes"])


@every
def test_a_sweep_leaves_a_thread_as_it_is(
    tables: Tables, saver: Saver, load: Load, writer: OlderWriter
) -> None:
    load(writer, "asks")
    before = tables.checkpoint_items(), tables.items_beside()
    sweep(saver)
    assert (tables.checkpoint_items(), tables.items_beside()) == before


# --- back to the older writer ---

only_live = pytest.mark.skipif(not live(), reason="needs the packages: make older-writers")


def log_of(writer: OlderWriter, action: str, tables: Tables, thread_id: str) -> Any:
    """The log that an older writer reads or has after it continues, or the error that it raises."""
    done = writer.run(action, tables, thread_id)
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr


@only_live
def test_pypi_goes_on_with_its_own_thread_after_this_package(
    tables: Tables, saver: Saver, load: Load
) -> None:
    load(SAME_LANGGRAPH, "asks")
    graphs.asks(saver).invoke(Command(resume="yes"), thread("asks"))
    found = log_of(SAME_LANGGRAPH, "goes_on", tables, "asks")
    assert found == ["hi", "answer: yes", "end", "again"]


@only_live
@pytest.mark.parametrize(
    ("writer", "error"),
    [(PYPI[0], "KeyError: 'pending_sends'"), (PYPI[1], "NotImplementedError")],
    ids=str,
)
def test_pypi_shows_a_thread_of_this_package_and_refuses_to_go_on_with_it(
    tables: Tables, saver: Saver, writer: OlderWriter, error: str
) -> None:
    graphs.asks(saver).invoke({"log": ["hi"]}, thread("new"))
    assert log_of(writer, "read", tables, "new") == ["hi"]
    assert error in log_of(writer, "goes_on", tables, "new")


@only_live
@javascript
def test_the_javascript_port_refuses_what_this_package_has_stored(
    tables: Tables, saver: Saver, load: Load, writer: OlderWriter
) -> None:
    load(writer, "asks")
    assert log_of(writer, "read", tables, "asks") == ["hi"]
    graphs.asks(saver).invoke(Command(resume="yes"), thread("asks"))
    assert "Unknown serialization type: msgpack" in log_of(writer, "read", tables, "asks")
