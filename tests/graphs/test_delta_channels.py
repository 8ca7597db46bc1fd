"""DeltaChannels: most checkpoints do not hold their value, which is rebuilt from pending writes."""

from collections.abc import Sequence
from typing import Annotated, Any

import pytest
from langgraph.channels.delta import DeltaChannel
from langgraph.checkpoint.base import CheckpointTuple
from langgraph.graph import START, StateGraph
from langgraph.types import Command, Overwrite, Send, interrupt
from typing_extensions import TypedDict

from langgraph_checkpoint_dynamodb import UnreadableItemError
from tests.support.calls import LoopThread
from tests.support.graphs import (
    HEAD,
    Graph,
    Log,
    Mode,
    Stage,
    by_both_faces,
    compare,
    in_chosen_modes,
)
from tests.support.savers import Saver


def extend(log: list[str], writes: Sequence[list[str]]) -> list[str]:
    return [*log, *(one for write in writes for one in write)]


class DeltaLog(TypedDict):
    """Like `Log`; its value is stored in every hundredth update, LangGraph's default."""

    log: Annotated[list[str], DeltaChannel(extend)]


class OftenStoredLog(TypedDict):
    """Like `Log`; its value is stored in every second update."""

    log: Annotated[list[str], DeltaChannel(extend, snapshot_frequency=2)]


class AlwaysStoredLog(TypedDict):
    """Like `Log`; its value is stored in every update."""

    log: Annotated[list[str], DeltaChannel(extend, snapshot_frequency=1)]


class LongLog(TypedDict):
    """Like `Log`, for long threads: rebuilt from six writes at most."""

    log: Annotated[list[str], DeltaChannel(extend, snapshot_frequency=6)]


by_both_states = pytest.mark.parametrize("state", [DeltaLog, OftenStoredLog])


def two_steps(stage: Stage, state: type) -> Graph:
    builder: Any = StateGraph(state)
    builder.add_node("a", stage.node("a"))
    builder.add_node("b", stage.node("b"))
    builder.add_edge(START, "a")
    builder.add_edge("a", "b")
    return stage.compile(builder)


def without_value(stage: Stage) -> list[CheckpointTuple]:
    return [
        found for found in stage.calls.list(HEAD) if "log" not in found.checkpoint["channel_values"]
    ]


@pytest.mark.sample(3)
@by_both_states
@in_chosen_modes
def test_turns_build_on_a_value_that_was_never_stored_whole(
    mode: Mode, state: type, saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        graph = two_steps(stage, state)
        expected = []
        for turn in ("one", "two", "three"):
            expected += [turn, "a", "b"]
            assert stage.invoke(graph, {"log": [turn]}) == {"log": expected}
        assert state is OftenStoredLog or without_value(stage)

    compare(scenario, mode, saver, loop_thread)


@by_both_states
@by_both_faces
def test_a_fork_is_rebuilt_from_its_own_ancestors(
    mode: Mode, state: type, saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        graph = two_steps(stage, state)
        stage.invoke(graph, {"log": ["one"]})
        stage.invoke(graph, {"log": ["two"]})
        old = stage.history(graph)[-3]
        assert old.values == {"log": ["one", "a"]}
        stage.update(graph, {"log": ["fork"]}, old.config)
        assert stage.invoke(graph, None) == {"log": ["one", "a", "fork", "b"]}
        assert stage.invoke(graph, {"log": ["three"]})["log"][-3:] == ["three", "a", "b"]
        assert stage.state(graph, old.config).values == {"log": ["one", "a"]}
        assert stage.invoke(graph, None, old.config) == {"log": ["one", "a", "b"]}

    compare(scenario, mode, saver, loop_thread)


@by_both_states
@in_chosen_modes
def test_a_fan_out_is_rebuilt_in_the_order_of_its_sends(
    mode: Mode, state: type, saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        def spread(_: Any) -> list[Send]:
            return [Send("work", {"log": [f"{number}"]}) for number in range(12)]

        def work(given: Any) -> Any:
            return given

        builder: Any = StateGraph(state)
        builder.add_node("work", work)
        builder.add_node("end", stage.node("end"))
        builder.add_conditional_edges(START, spread, ["work"])
        builder.add_edge("work", "end")
        graph = stage.compile(builder)
        expected = ["in", *(f"{number}" for number in range(12)), "end"]
        assert stage.invoke(graph, {"log": ["in"]}) == {"log": expected}
        assert stage.state(graph).values == {"log": expected}

    compare(scenario, mode, saver, loop_thread)


@by_both_states
@in_chosen_modes
def test_a_run_that_waits_goes_on_with_what_it_had(
    mode: Mode, state: type, saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        def ask(_: Any) -> Log:
            return {"log": [interrupt("first?"), interrupt("second?")]}

        builder: Any = StateGraph(state)
        builder.add_node("before", stage.node("before"))
        builder.add_node("ask", ask)
        builder.add_node("other", stage.node("other"))
        builder.add_edge(START, "before")
        builder.add_edge("before", "ask")
        builder.add_edge("before", "other")
        graph = stage.compile(builder)
        stage.invoke(graph, {"log": ["in"]})
        assert stage.state(graph).values == {"log": ["in", "before", "other"]}
        stage.invoke(graph, Command(resume="A"))
        result = stage.invoke(graph, Command(resume="B", update={"log": ["update"]}))
        assert result == {"log": ["in", "before", "update", "A", "B", "other"]}
        assert stage.state(graph).values == result

    compare(scenario, mode, saver, loop_thread)


@by_both_states
@in_chosen_modes
def test_an_overwrite_is_where_rebuilding_begins(
    mode: Mode, state: type, saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        def forget(_: Any) -> Any:
            return {"log": Overwrite(["forgotten"])}

        builder: Any = StateGraph(state)
        builder.add_node("a", stage.node("a"))
        builder.add_node("forget", forget)
        builder.add_node("z", stage.node("z"))
        builder.add_edge(START, "a")
        builder.add_edge("a", "forget")
        builder.add_edge("forget", "z")
        graph = stage.compile(builder)
        for turn in ("one", "two"):
            result = stage.invoke(graph, {"log": [turn]})
            assert result == stage.state(graph).values == {"log": ["forgotten", "z"]}

    compare(scenario, mode, saver, loop_thread)


@pytest.mark.sample(4)
@pytest.mark.parametrize("state", [DeltaLog, OftenStoredLog, AlwaysStoredLog])
@in_chosen_modes
def test_writes_of_a_superstep_that_is_left_unfinished_count_once_or_not_at_all(
    mode: Mode, state: type, saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        def ask(_: Any) -> Log:
            return {"log": [interrupt("?")]}

        builder: Any = StateGraph(state)
        builder.add_node("before", stage.node("before"))
        builder.add_node("ask", ask)
        builder.add_node("other", stage.node("other"))
        builder.add_edge(START, "before")
        builder.add_edge("before", "ask")
        builder.add_edge("before", "other")
        graph = stage.compile(builder)
        stage.invoke(graph, {"log": ["one"]})
        stage.invoke(graph, {"log": ["two"]})
        stage.update(graph, {"log": ["update"]}, as_node="before")
        stage.state(graph)
        stage.invoke(graph, None)
        stage.update(graph, {"log": ["answer"]}, as_node="ask")
        stage.invoke(graph, {"log": ["three"]})
        stage.invoke(graph, Command(resume="yes"))
        assert stage.state(graph).values["log"][-1] == "other"

    compare(scenario, mode, saver, loop_thread)


@by_both_faces
def test_a_subgraph_rebuilds_its_value_in_its_own_namespace(
    mode: Mode, saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        inner: Any = StateGraph(DeltaLog)
        inner.add_node("reply", stage.node("reply"))
        inner.add_edge(START, "reply")
        remembering = inner.compile(checkpointer=True)

        def call(_: Any) -> Log:
            found: list[str] = remembering.invoke({"log": ["asked"]})["log"]
            return {"log": [f"{len(found)} remembered"]}

        builder: Any = StateGraph(DeltaLog)
        builder.add_node("call", call)
        builder.add_edge(START, "call")
        graph = stage.compile(builder)
        turns = [stage.invoke(graph, {"log": []})["log"] for _ in range(3)]
        assert turns[-1] == ["2 remembered", "4 remembered", "6 remembered"]

    compare(scenario, mode, saver, loop_thread)


@by_both_states
@by_both_faces
def test_a_thread_that_changes_to_a_delta_channel_keeps_its_value(
    mode: Mode, state: type, saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        plain_graph = two_steps(stage, Log)
        stage.invoke(plain_graph, {"log": ["one"]})
        graph = two_steps(stage, state)
        result = stage.invoke(graph, {"log": ["two"]})
        assert result == {"log": ["one", "a", "b", "two", "a", "b"]}
        back = stage.invoke(plain_graph, {"log": ["three"]})
        assert back["log"][-3:] == ["three", "a", "b"]

    compare(scenario, mode, saver, loop_thread)


@pytest.mark.sample(0)
@pytest.mark.parametrize("mode", [Mode("sync", "async"), Mode("async", "exit")], ids=str)
def test_two_hundred_turns_on_one_thread_end_where_they_end_in_memory(
    mode: Mode, saver: Saver, loop_thread: LoopThread
) -> None:
    turns = 200

    def scenario(stage: Stage) -> None:
        builder: Any = StateGraph(LongLog)
        builder.add_node("reply", stage.node("reply"))
        builder.add_edge(START, "reply")
        graph = stage.compile(builder)
        for turn in range(turns):
            stage.invoke(graph, {"log": [f"{turn}"]}, stream_mode="updates")
        expected = [one for turn in range(turns) for one in (f"{turn}", "reply")]
        assert stage.state(graph).values == {"log": expected}

    compare(scenario, mode, saver, loop_thread, stored=False)


class LateLog(TypedDict, total=False):
    """A DeltaChannel that the first turns do not write to."""

    topic: str
    log: Annotated[list[str], DeltaChannel(extend, snapshot_frequency=4)]


def late_graph(saver: Saver) -> Any:
    def note(state: LateLog) -> LateLog:
        return {"log": [state["topic"]]} if state["topic"].startswith("n") else {}

    builder = StateGraph(LateLog)
    builder.add_node("note", note)
    builder.add_edge(START, "note")
    return builder.compile(checkpointer=saver)


@pytest.mark.parametrize("upkeep", ["prune", "delete_for_runs"])
def test_a_channel_is_first_written_after_the_history_before_it_has_gone(
    saver: Saver, upkeep: str
) -> None:
    graph = late_graph(saver)
    in_first_run = {**HEAD, "metadata": {"run_id": "first"}}
    graph.invoke({"topic": "silent"}, in_first_run)
    graph.invoke({"topic": "silent too"}, HEAD)
    if upkeep == "prune":
        saver.prune([HEAD["configurable"]["thread_id"]])
    else:
        saver.delete_for_runs(["first"])
    for number in range(6):
        graph.invoke({"topic": f"n{number}"}, HEAD)
        wanted = [f"n{done}" for done in range(number + 1)]
        assert graph.get_state(HEAD).values["log"] == wanted
        saver.prune([HEAD["configurable"]["thread_id"]])
        assert graph.get_state(HEAD).values["log"] == wanted


@pytest.mark.parametrize("turns", [3, 5, 6, 7])
def test_a_run_whose_thread_is_pruned_behind_another_fails_and_loses_nothing(
    saver: Saver, monkeypatch: pytest.MonkeyPatch, turns: int
) -> None:
    graph = late_graph(saver)
    for number in range(turns):
        graph.invoke({"topic": f"n{number}"}, HEAD)
    history = saver.get_delta_channel_history
    others = [f"n other {number}" for number in range(5)]

    def behind_the_back(**arguments: Any) -> Any:
        monkeypatch.setattr(saver, "get_delta_channel_history", history)
        for other in others:
            late_graph(saver).invoke({"topic": other}, HEAD)
        saver.prune([HEAD["configurable"]["thread_id"]])
        return history(**arguments)

    monkeypatch.setattr(saver, "get_delta_channel_history", behind_the_back)
    with pytest.raises(UnreadableItemError):
        graph.invoke({"topic": "n slow"}, HEAD)
    expected = [*(f"n{number}" for number in range(turns)), *others]
    assert graph.get_state(HEAD).values["log"] == expected
    graph.invoke({"topic": "n after"}, HEAD)
    assert graph.get_state(HEAD).values["log"] == [*expected, "n after"]
