"""Time travel: updates, replays and forks of checkpoints that are not the newest."""

from typing import Any

from langgraph.graph import START, StateGraph
from langgraph.types import Command, StateSnapshot, StateUpdate, interrupt

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
from tests.support.savers import Saver


def three_steps(stage: Stage) -> Graph:
    builder: Any = StateGraph(Log)
    previous = START
    for name in ("a", "b", "c"):
        builder.add_node(name, stage.node(name))
        builder.add_edge(previous, name)
        previous = name
    return stage.compile(builder)


def waiting_for(states: list[StateSnapshot], node: str) -> StateSnapshot:
    """The newest state whose next node is this one."""
    return next(state for state in states if state.next == (node,))


@in_every_mode
def test_an_update_of_the_head_is_what_the_next_run_builds_on(
    mode: Mode, saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        graph = three_steps(stage)
        stage.invoke(graph, {"log": ["in"]})
        stage.update(graph, {"log": ["update"]}, as_node="a")
        assert stage.state(graph).next == ("b",)
        assert stage.invoke(graph, None)["log"] == ["in", "a", "b", "c", "update", "b", "c"]

    compare(scenario, mode, saver, loop_thread)


@in_every_mode
def test_an_update_of_a_thread_that_never_ran_begins_it(
    mode: Mode, saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        graph = three_steps(stage)
        stage.update(graph, {"log": ["update"]}, as_node="b")
        assert stage.invoke(graph, None) == {"log": ["update", "c"]}
        assert stage.runs == {"c": 1}

    compare(scenario, mode, saver, loop_thread)


@in_every_mode
def test_an_update_as_the_node_that_asked_takes_its_place(
    mode: Mode, saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        def ask(_: Log) -> Log:
            return {"log": [interrupt("?")]}

        builder: Any = StateGraph(Log)
        builder.add_node("ask", ask)
        builder.add_node("end", stage.node("end"))
        builder.add_edge(START, "ask")
        builder.add_edge("ask", "end")
        graph = stage.compile(builder)
        stage.invoke(graph, {"log": []})
        stage.update(graph, {"log": ["update"]}, as_node="ask")
        state = stage.state(graph)
        assert (state.next, state.interrupts) == (("end",), ())
        assert stage.invoke(graph, None) == {"log": ["update", "end"]}

    compare(scenario, mode, saver, loop_thread)


@in_stepwise_modes
def test_an_update_of_an_old_checkpoint_forks_the_thread(
    mode: Mode, saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        graph = three_steps(stage)
        stage.invoke(graph, {"log": ["in"]})
        old = waiting_for(stage.history(graph), "b")
        fork = stage.update(graph, {"log": ["fork"]}, old.config)
        assert stage.state(graph, fork).values == {"log": ["in", "a", "fork"]}
        assert stage.state(graph, old.config).values == {"log": ["in", "a"]}
        assert stage.invoke(graph, None) == {"log": ["in", "a", "fork", "b", "c"]}
        assert stage.runs == {"a": 1, "b": 2, "c": 2}

    compare(scenario, mode, saver, loop_thread)


@in_stepwise_modes
def test_two_forks_of_one_checkpoint_keep_their_own_values(
    mode: Mode, saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        graph = three_steps(stage)
        stage.invoke(graph, {"log": ["in"]})
        old = waiting_for(stage.history(graph), "b").config
        forks = [stage.update(graph, {"log": [name]}, old) for name in ("left", "right")]
        for fork, name in zip(forks, ("left", "right"), strict=True):
            result = stage.invoke(graph, None, fork)
            assert result == {"log": ["in", "a", name, "b", "c"]}

    compare(scenario, mode, saver, loop_thread)


@in_stepwise_modes
def test_a_replay_runs_what_came_after_the_old_checkpoint_once_more(
    mode: Mode, saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        graph = three_steps(stage)
        stage.invoke(graph, {"log": ["one"]})
        stage.invoke(graph, {"log": ["two"]})
        first_turn = waiting_for(stage.history(graph)[4:], "b")
        assert stage.invoke(graph, None, first_turn.config) == {"log": ["one", "a", "b", "c"]}
        assert stage.runs == {"a": 2, "b": 3, "c": 3}
        assert stage.state(graph).values == {"log": ["one", "a", "b", "c"]}

    compare(scenario, mode, saver, loop_thread)


@in_stepwise_modes
def test_new_input_on_an_old_checkpoint_begins_a_turn_there(
    mode: Mode, saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        graph = three_steps(stage)
        stage.invoke(graph, {"log": ["one"]})
        end_of_first = stage.state(graph).config
        stage.invoke(graph, {"log": ["two"]})
        result = stage.stream(graph, {"log": ["three"]}, end_of_first)
        assert result
        assert stage.state(graph).values["log"] == ["one", "a", "b", "c", "three", "a", "b", "c"]

    compare(scenario, mode, saver, loop_thread)


@in_stepwise_modes
def test_an_old_question_answered_after_the_thread_moved_on_makes_a_branch(
    mode: Mode, saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        def ask(_: Log) -> Log:
            stage.ran("ask")
            return {"log": [interrupt("?")]}

        builder: Any = StateGraph(Log)
        builder.add_node("ask", ask)
        builder.add_edge(START, "ask")
        graph = stage.compile(builder)
        stage.invoke(graph, {"log": ["one"]})
        asked = stage.state(graph)
        stage.invoke(graph, Command(resume="A"))
        stage.invoke(graph, {"log": ["two"]})
        stage.invoke(graph, Command(resume="B"))
        branch = stage.update(graph, {"log": ["branch"]}, asked.config, as_node="__start__")
        stage.invoke(graph, None, branch)
        assert stage.invoke(graph, Command(resume="C")) == {"log": ["one", "branch", "C"]}

    compare(scenario, mode, saver, loop_thread)


@by_both_faces
def test_several_supersteps_can_be_written_in_one_call(
    mode: Mode, saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        graph = three_steps(stage)
        stage.bulk_update(
            graph,
            [
                [StateUpdate({"log": ["in"]}, "__start__")],
                [StateUpdate({"log": ["x"]}, "a")],
                [StateUpdate({"log": ["y"]}, "b")],
            ],
        )
        assert len(stage.history(graph)) == 3
        assert stage.invoke(graph, None) == {"log": ["in", "x", "y", "c"]}

    compare(scenario, mode, saver, loop_thread)


@by_both_faces
def test_a_checkpoint_can_be_copied_to_the_head(
    mode: Mode, saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        graph = three_steps(stage)
        stage.invoke(graph, {"log": ["in"]})
        old = waiting_for(stage.history(graph), "b")
        stage.update(graph, None, old.config, as_node="__copy__")
        assert stage.state(graph).next == ("b",)
        assert stage.invoke(graph, None) == {"log": ["in", "a", "b", "c"]}

    compare(scenario, mode, saver, loop_thread)
