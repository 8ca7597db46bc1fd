"""Pruned and copied threads: the state that their graphs report, and that they can continue."""

from typing import Annotated, Any

import pytest
from langgraph.graph import START, StateGraph
from langgraph.types import Command, StateSnapshot, interrupt
from typing_extensions import TypedDict

from langgraph_checkpoint_dynamodb import DynamoDBSaver
from tests.graphs.test_delta_channels import DeltaLog, OftenStoredLog
from tests.support.calls import LoopThread
from tests.support.graphs import (
    HEAD,
    THREAD,
    Graph,
    Log,
    Mode,
    Stage,
    by_both_faces,
    compare,
    in_chosen_modes,
    in_stepwise_modes,
    plain,
    plain_snapshot,
)
from tests.support.savers import Saver

COPY = "copy"
COPY_HEAD: Any = {"configurable": {"thread_id": COPY}}

by_every_state = pytest.mark.parametrize("state", [Log, DeltaLog, OftenStoredLog])


def waiting(stage: Stage, state: type) -> Graph:
    """A graph with an interrupt, beside a subgraph with an interrupt and a node that finishes."""

    def asks(question: str) -> Any:
        def ask(_: Any) -> Log:
            stage.ran(question)
            return {"log": [f"{question} {interrupt(question)}"]}

        return ask

    inner: Any = StateGraph(state)
    inner.add_node("begin", stage.node("begin"))
    inner.add_node("ask", asks("inner"))
    inner.add_edge(START, "begin")
    inner.add_edge("begin", "ask")
    builder: Any = StateGraph(state)
    builder.add_node("first", stage.node("first"))
    builder.add_node("ask", asks("outer"))
    builder.add_node("inner", inner.compile())
    builder.add_node("other", stage.node("other"))
    builder.add_edge(START, "first")
    for name in ("ask", "inner", "other"):
        builder.add_edge("first", name)
    return stage.compile(builder)


def answers(state: StateSnapshot) -> Command[Any]:
    return Command(resume={asked.id: f"answer to {asked.value}" for asked in state.interrupts})


def visible(state: StateSnapshot) -> dict[str, Any]:
    """The visible state: all but the parent, which a prune may have deleted."""
    return {**plain_snapshot(state), "parent": None}


def prunes(stage: Stage) -> bool:
    return isinstance(stage.saver, DynamoDBSaver)


def stored_by_namespace(stage: Stage) -> list[tuple[str, str]]:
    """Namespace and id of every checkpoint of the thread."""
    configs = [found.config["configurable"] for found in stage.calls.list(HEAD)]
    return [(config["checkpoint_ns"], config["checkpoint_id"]) for config in configs]


@pytest.mark.sample(4)
@by_every_state
@in_chosen_modes
def test_a_pruned_thread_shows_what_it_showed_and_goes_on(
    mode: Mode, state: type, saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        graph = waiting(stage, state)
        stage.invoke(graph, {"log": ["one"]})
        stage.invoke(graph, answers(stage.state(graph)))
        stage.invoke(graph, {"log": ["two"]})
        before = stage.state(graph, subgraphs=True)
        if prunes(stage):
            stage.calls.prune([THREAD], strategy="keep_latest")
            # The root's and the interrupted subgraph's: that of the first turn has been resumed.
            assert state is not Log or len(stored_by_namespace(stage)) == 2
        after = stage.state(graph, subgraphs=True)
        assert len(after.interrupts) == 2
        assert visible(after) == visible(before)
        assert isinstance(after.tasks[1].state, StateSnapshot)
        result = stage.invoke(graph, answers(after))
        assert result["log"][-3:] == ["begin", "inner answer to inner", "other"]
        assert result["log"].count("outer answer to outer") > 1
        assert stage.runs["other"] == stage.runs["begin"] == 2
        stage.invoke(graph, {"log": ["three"]})

    compare(scenario, mode, saver, loop_thread, stored=False)


@pytest.mark.sample(2)
@pytest.mark.parametrize("state", [DeltaLog, OftenStoredLog])
@in_chosen_modes
def test_a_thread_pruned_after_every_turn_ends_like_one_that_never_was(
    mode: Mode, state: type, saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        builder: Any = StateGraph(state)
        builder.add_node("a", stage.node("a"))
        builder.add_node("b", stage.node("b"))
        builder.add_edge(START, "a")
        builder.add_edge("a", "b")
        graph = stage.compile(builder)
        for turn in range(5):
            stage.invoke(graph, {"log": [f"{turn}"]})
            if prunes(stage):
                stage.calls.prune([THREAD])
            stage.state(graph)
        # Five turns make twenty; at least every second update has a value of its own.
        assert not prunes(stage) or state is DeltaLog or len(stored_by_namespace(stage)) < 8
        expected = [one for turn in range(5) for one in (f"{turn}", "a", "b")]
        assert stage.state(graph).values == {"log": expected}

    compare(scenario, mode, saver, loop_thread, stored=False)


class Last(TypedDict):
    """A state that stays small: only the last write."""

    log: Annotated[list[str], lambda _, written: written]


def team(stage: Stage) -> Graph:
    """Parallel subgraphs: two levels deep, one level, and one with its own checkpoints."""

    def around(inner: Any, state: type, name: str) -> Any:
        builder: Any = StateGraph(state)
        builder.add_node(name, inner)
        builder.add_edge(START, name)
        return builder

    inner = around(stage.node("inner"), Last, "inner").compile()
    remembering = around(stage.node("reply"), Log, "reply").compile(checkpointer=True)

    def remember(_: Log) -> Log:
        found: list[str] = remembering.invoke({"log": ["asked"]})["log"]
        return {"log": [f"{len(found)} remembered"]}

    builder = around(stage.node("first"), Last, "first")
    deep = around(inner, Last, "middle").compile()
    for name, node in {"deep": deep, "flat": inner, "memory": remember}.items():
        builder.add_node(name, node)
        builder.add_edge("first", name)
    return stage.compile(builder)


@pytest.mark.sample(0)
@in_chosen_modes
def test_a_thread_of_subgraphs_that_is_pruned_again_and_again_does_not_grow(
    mode: Mode, saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        graph = team(stage)
        left = []
        for turn in range(20):
            stage.invoke(graph, {"log": [f"{turn}"]})
            if turn % 5 == 4 and prunes(stage):
                stage.calls.prune([THREAD])
                left.append([namespace for namespace, _ in stored_by_namespace(stage)])
        # The root's, and that of the subgraph with its own checkpoints.
        assert not prunes(stage) or left == [["", "memory"]] * 4
        assert stage.state(graph).values["log"][-1] == "40 remembered"

    compare(scenario, mode, saver, loop_thread, stored=False)


def asking_team(stage: Stage, state: type) -> Graph:
    """Two parallel subgraphs with interrupts, one of them two levels deep; then a node."""

    def asks(question: str) -> Any:
        def ask(_: Any) -> Log:
            return {"log": [f"{question} {interrupt(question)}"]}

        builder: Any = StateGraph(state)
        builder.add_node("before", stage.node(f"before {question}"))
        builder.add_node("ask", ask)
        builder.add_edge(START, "before")
        builder.add_edge("before", "ask")
        return builder.compile()

    middle: Any = StateGraph(state)
    middle.add_node("middle", asks("deep"))
    middle.add_edge(START, "middle")
    builder: Any = StateGraph(state)
    builder.add_node("deep", middle.compile())
    builder.add_node("flat", asks("flat"))
    builder.add_node("last", stage.node("last"))
    for name in ("deep", "flat"):
        builder.add_edge(START, name)
    builder.add_edge(["deep", "flat"], "last")
    return stage.compile(builder)


@pytest.mark.sample(1)
@by_every_state
@in_chosen_modes
def test_questions_of_subgraphs_outlive_a_prune_and_are_answered_after_it(
    mode: Mode, state: type, saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        graph = asking_team(stage, state)
        for turn in range(4):
            stage.invoke(graph, {"log": [f"{turn}"]})
            before = stage.state(graph, subgraphs=True)
            for _ in range(2):
                if prunes(stage):
                    stage.calls.prune([THREAD])
                    # The root and the three interrupted subgraphs, in every turn.
                    assert state is not Log or len(stored_by_namespace(stage)) == 4
            after = stage.state(graph, subgraphs=True)
            assert visible(after) == visible(before)
            assert sorted(asked.value for asked in after.interrupts) == ["deep", "flat"]
            stage.invoke(graph, answers(after))
        assert stage.runs == {"before deep": 4, "before flat": 4, "last": 4}
        if prunes(stage) and state is Log:
            stage.calls.prune([THREAD])
            assert [namespace for namespace, _ in stored_by_namespace(stage)] == [""]
        stage.state(graph, subgraphs=True)

    compare(scenario, mode, saver, loop_thread, stored=False)


@in_chosen_modes
def test_an_update_inside_a_waiting_subgraph_outlives_a_prune(
    mode: Mode, saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        graph = asking_team(stage, Log)
        stage.invoke(graph, {"log": ["in"]})
        waiting = stage.state(graph, subgraphs=True)
        inside = next(task.state for task in waiting.tasks if task.name == "flat")
        assert isinstance(inside, StateSnapshot)
        stage.update(graph, {"log": ["update"]}, inside.config)
        if prunes(stage):
            stage.calls.prune([THREAD])
        for _ in range(2):  # The first runs the node that the update has scheduled.
            stage.invoke(graph, answers(stage.state(graph, subgraphs=True)))
        stage.state(graph, subgraphs=True)

    compare(scenario, mode, saver, loop_thread, stored=False)


@pytest.mark.sample(1)
@in_stepwise_modes
def test_a_replay_that_waits_in_a_subgraph_outlives_a_prune(
    mode: Mode, saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        graph = asking_team(stage, Log)
        stage.invoke(graph, {"log": ["in"]})
        asked = stage.state(graph)
        stage.invoke(graph, answers(asked))
        stage.invoke(graph, None, asked.config)
        if prunes(stage):
            stage.calls.prune([THREAD])
        again = stage.state(graph, subgraphs=True)
        assert len(again.interrupts) == 2
        stage.invoke(graph, answers(again))
        stage.invoke(graph, {"log": ["more"]})

    compare(scenario, mode, saver, loop_thread, stored=False)


@by_both_faces
def test_a_prune_leaves_one_checkpoint_of_a_thread_without_delta_channels(
    mode: Mode, saver: Saver, loop_thread: LoopThread
) -> None:
    stage = Stage(saver, mode, loop_thread)
    builder: Any = StateGraph(Log)
    builder.add_node("a", stage.node("a"))
    builder.add_edge(START, "a")
    graph = stage.compile(builder)
    for turn in ("one", "two"):
        stage.invoke(graph, {"log": [turn]})
    stage.calls.prune([THREAD], strategy="keep_latest")
    assert [found.values for found in stage.history(graph)] == [
        {"log": ["one", "a", "two", "a"]},
    ]


@pytest.mark.sample(3)
@by_every_state
@in_chosen_modes
def test_a_copy_shows_what_the_thread_shows_and_goes_on_by_itself(
    mode: Mode, state: type, saver: Saver, loop_thread: LoopThread
) -> None:
    stage = Stage(saver, mode, loop_thread)
    graph = waiting(stage, state)
    stage.invoke(graph, {"log": ["one"]})
    stage.invoke(graph, answers(stage.state(graph)))
    stage.invoke(graph, {"log": ["two"]})
    stage.calls.copy_thread(THREAD, COPY)
    source = stage.state(graph, subgraphs=True)
    copy = stage.state(graph, COPY_HEAD, subgraphs=True)
    assert renamed(visible(copy)) == visible(source)
    assert renamed(plain(stage.history(graph, COPY_HEAD))) == plain(stage.history(graph))
    ended = stage.invoke(graph, answers(copy), COPY_HEAD)
    assert stage.runs["other"] == 2
    assert visible(stage.state(graph, subgraphs=True)) == visible(source)
    assert stage.invoke(graph, answers(source)) == ended
    assert stage.runs["other"] == 2


def renamed(value: Any) -> Any:
    """The copy's value with the name of the original thread."""
    match value:
        case str():
            return value.replace(COPY, THREAD)
        case dict():
            return {name: renamed(one) for name, one in value.items()}
        case list():
            return [renamed(one) for one in value]
    return value
