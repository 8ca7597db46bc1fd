"""Nested graphs: every level keeps its checkpoints in a namespace of its own."""

import sys
from typing import Any

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.graph import START, StateGraph
from langgraph.types import Command, StateSnapshot, interrupt

from langgraph_checkpoint_dynamodb import EventLoopError
from tests.support.calls import LoopThread
from tests.support.graphs import (
    Graph,
    Log,
    Mode,
    Stage,
    by_both_faces,
    compare,
    in_every_mode,
    in_stepwise_modes,
)
from tests.support.savers import Saver, native


def asking(stage: Stage) -> Any:
    """A builder: a node, then one that interrupts."""

    def ask(_: Log) -> Log:
        stage.ran("ask")
        return {"log": [f"told {interrupt('inner?')}"]}

    builder: Any = StateGraph(Log)
    builder.add_node("before", stage.node("before"))
    builder.add_node("ask", ask)
    builder.add_edge(START, "before")
    builder.add_edge("before", "ask")
    return builder


def around(inner: Any, name: str) -> Any:
    """A builder whose only node is the given graph."""
    builder: Any = StateGraph(Log)
    builder.add_node(name, inner)
    builder.add_edge(START, name)
    return builder


def three_levels(stage: Stage) -> Graph:
    inner = asking(stage).compile()
    return stage.compile(around(around(inner, "inner").compile(), "middle"))


def innermost(state: StateSnapshot) -> StateSnapshot:
    while state.tasks and isinstance(state.tasks[0].state, StateSnapshot):
        state = state.tasks[0].state
    return state


def without_id(config: RunnableConfig) -> RunnableConfig:
    """The config of the namespace, without the checkpoint id."""
    kept = {name: config["configurable"][name] for name in ("thread_id", "checkpoint_ns")}
    return {"configurable": kept}


@in_every_mode
def test_a_question_three_levels_down_is_seen_and_answered_from_the_top(
    mode: Mode, saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        graph = three_levels(stage)
        stage.invoke(graph, {"log": ["in"]})
        state = stage.state(graph, subgraphs=True)
        assert [each.value for each in state.interrupts] == ["inner?"]
        assert innermost(state).next == ("ask",)
        assert innermost(state).values == {"log": ["in", "before"]}
        assert innermost(state).config["configurable"]["checkpoint_ns"].count("|") == 1
        result = stage.invoke(graph, Command(resume="yes"))
        assert result["log"][-2:] == ["before", "told yes"]
        assert stage.runs == {"before": 1, "ask": 2}
        assert stage.state(graph, subgraphs=True).next == ()

    compare(scenario, mode, saver, loop_thread)


@in_every_mode
def test_a_subgraph_of_its_own_memory_remembers_across_turns(
    mode: Mode, saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        def count(state: Log) -> Log:
            return {"log": [f"turn {len(state['log'])}"]}

        inner: Any = StateGraph(Log)
        inner.add_node("count", count)
        inner.add_edge(START, "count")
        remembering = inner.compile(checkpointer=True)

        def call(_: Log) -> Log:
            found: list[str] = remembering.invoke({"log": ["asked"]})["log"]
            return {"log": [f"{len(found)} remembered"]}

        graph = stage.compile(around(call, "call"))
        turns = [stage.invoke(graph, {"log": []})["log"] for _ in range(3)]
        assert turns[-1] == ["2 remembered", "4 remembered", "6 remembered"]

    compare(scenario, mode, saver, loop_thread)


@in_stepwise_modes
def test_a_subgraph_called_twice_in_one_node_asks_for_itself_each_time(
    mode: Mode, saver: Saver, loop_thread: LoopThread
) -> None:
    if mode.face == "async" and sys.version_info < (3, 11):
        pytest.skip("an awaited subgraph does not know that it is one before Python 3.11")

    def scenario(stage: Stage) -> None:
        inner = asking(stage).compile()

        def call(_: Log) -> Log:
            first = inner.invoke({"log": ["1"]})
            second = inner.invoke({"log": ["2"]})
            return {"log": first["log"] + second["log"]}

        graph = stage.compile(around(call, "call"))
        stage.invoke(graph, {"log": []})
        stage.invoke(graph, Command(resume="A"))
        stage.state(graph, subgraphs=True)
        result = stage.invoke(graph, Command(resume="B"))
        assert result == {"log": ["1", "before", "told A", "2", "before", "told B"]}

    compare(scenario, mode, saver, loop_thread)


@in_every_mode
def test_two_subgraphs_side_by_side_wait_and_go_on_apart(
    mode: Mode, saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        builder: Any = StateGraph(Log)
        for name in ("left", "right"):
            builder.add_node(name, asking(stage).compile())
            builder.add_edge(START, name)
        graph = stage.compile(builder)
        stage.invoke(graph, {"log": []})
        state = stage.state(graph, subgraphs=True)
        by_name = {task.name: task for task in state.tasks}
        answers = {task.interrupts[0].id: name for name, task in by_name.items()}
        result = stage.invoke(graph, Command(resume=answers))
        assert result == {"log": ["before", "told left", "before", "told right"]}

    compare(scenario, mode, saver, loop_thread)


@in_stepwise_modes
def test_an_update_of_a_waiting_subgraph_is_what_it_goes_on_with(
    mode: Mode, saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        graph = three_levels(stage)
        stage.invoke(graph, {"log": ["in"]})
        inner = innermost(stage.state(graph, subgraphs=True))
        stage.update(graph, {"log": ["update"]}, inner.config)
        stage.state(graph, subgraphs=True)
        stage.invoke(graph, Command(resume="yes"))
        last = stage.invoke(graph, Command(resume="yes"))
        assert "update" in last["log"]

    compare(scenario, mode, saver, loop_thread)


@in_stepwise_modes
def test_a_checkpoint_inside_a_subgraph_can_be_gone_back_to(
    mode: Mode, saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        graph = three_levels(stage)
        stage.invoke(graph, {"log": ["in"]})
        waiting = innermost(stage.state(graph, subgraphs=True))
        inside = stage.history(graph, without_id(waiting.config))
        start = next(state for state in inside if state.next == ("before",))
        stage.invoke(graph, Command(resume="one"))
        stage.invoke(graph, None, start.config)
        stage.state(graph, subgraphs=True)
        assert stage.runs["before"] == 2

    compare(scenario, mode, saver, loop_thread)


@in_stepwise_modes
def test_a_replay_from_the_top_runs_the_subgraph_as_it_stood_then(
    mode: Mode, saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        graph = three_levels(stage)
        stage.invoke(graph, {"log": ["in"]})
        asked = stage.state(graph)
        stage.invoke(graph, Command(resume="one"))
        stage.invoke(graph, None, asked.config)
        stage.state(graph, subgraphs=True)
        result = stage.invoke(graph, Command(resume="two"))
        assert result["log"][-1] == "told two"

    compare(scenario, mode, saver, loop_thread)


@in_stepwise_modes
def test_a_replay_finds_a_remembering_subgraph_as_it_stood_then(
    mode: Mode, saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        inner: Any = StateGraph(Log)
        inner.add_node("reply", stage.node("reply"))
        inner.add_edge(START, "reply")
        builder = around(inner.compile(checkpointer=True), "chat")
        graph = stage.compile(builder)
        for turn in ("one", "two", "three"):
            stage.invoke(graph, {"log": [turn]})
        second = [state for state in stage.history(graph) if state.next == ("chat",)][1]
        stage.invoke(graph, None, second.config)
        stage.invoke(graph, {"log": ["four"]})
        assert stage.runs == {"reply": 5}

    compare(scenario, mode, saver, loop_thread)


@by_both_faces
def test_namespaces_far_longer_than_a_key_work_like_short_ones(
    mode: Mode, saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        built = asking(stage)
        for level in range(6):
            built = around(built.compile(), f"{'ü' * 100}{level}")
        graph = stage.compile(built)
        stage.invoke(graph, {"log": ["in"]})
        deepest = innermost(stage.state(graph, subgraphs=True))
        assert len(deepest.config["configurable"]["checkpoint_ns"].encode()) > 1024
        assert stage.invoke(graph, Command(resume="yes"))["log"][-1] == "told yes"

    compare(scenario, mode, saver, loop_thread)


@in_every_mode
def test_an_async_node_can_call_a_subgraph_by_its_plain_method(
    mode: Mode, saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        inner = asking(stage).compile()

        async def call(_: Log, config: RunnableConfig) -> Log:
            log: list[str] = inner.invoke({"log": ["inner"]}, config)["log"]
            return {"log": log}

        def call_plainly(_: Log, config: RunnableConfig) -> Log:
            log: list[str] = inner.invoke({"log": ["inner"]}, config)["log"]
            return {"log": log}

        node = call if stage.awaits else call_plainly
        graph = stage.compile(around(node, "call"))
        stage.invoke(graph, {"log": ["in"]})
        stage.state(graph, subgraphs=True)
        result = stage.invoke(graph, Command(resume="yes"))
        assert result == {"log": ["in", "inner", "before", "told yes"]}

    if native() and mode.face == "async":
        # On aiobotocore the call would block the loop that has to run it.
        with pytest.raises(EventLoopError, match="aget_tuple"):
            scenario(Stage(saver, mode, loop_thread))
        return
    compare(scenario, mode, saver, loop_thread)
