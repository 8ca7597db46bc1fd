"""Interrupted runs, and the values that resume them."""

from typing import Any

from langgraph.graph import START, StateGraph
from langgraph.types import Command, Interrupt, interrupt

from tests.support.calls import LoopThread
from tests.support.graphs import (
    Graph,
    Log,
    Mode,
    Stage,
    compare,
    in_every_mode,
    in_stepwise_modes,
)
from tests.support.savers import Saver


def asking(stage: Stage) -> Graph:
    """A node that interrupts twice, beside one that finishes at once."""

    def ask(_: Log) -> Log:
        stage.ran("ask")
        return {"log": [interrupt("first?"), interrupt("second?")]}

    builder: Any = StateGraph(Log)
    builder.add_node("ask", ask)
    builder.add_node("other", stage.node("other"))
    builder.add_node("end", stage.node("end"))
    builder.add_edge(START, "ask")
    builder.add_edge(START, "other")
    builder.add_edge(["ask", "other"], "end")
    return stage.compile(builder)


def questions(result: dict[str, Any]) -> list[str]:
    found: list[Interrupt[Any]] = result["__interrupt__"]
    return [each.value for each in found]


@in_every_mode
def test_a_node_that_asks_twice_is_answered_twice_and_its_sibling_runs_once(
    mode: Mode, saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        graph = asking(stage)
        assert questions(stage.invoke(graph, {"log": ["in"]})) == ["first?"]
        assert [each.value for each in stage.state(graph).interrupts] == ["first?"]
        assert questions(stage.invoke(graph, Command(resume="A"))) == ["second?"]
        assert [each.value for each in stage.state(graph).interrupts] == ["second?"]
        result = stage.invoke(graph, Command(resume="B", update={"log": ["update"]}))
        assert result == {"log": ["in", "update", "A", "B", "other", "end"]}
        assert stage.runs == {"ask": 3, "other": 1, "end": 1}

    compare(scenario, mode, saver, loop_thread)


@in_every_mode
def test_an_answer_addressed_to_one_interrupt_leaves_the_other_waiting(
    mode: Mode, saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        def asks(name: str) -> Any:
            def ask(_: Log) -> Log:
                return {"log": [f"{name}: {interrupt(name)}"]}

            return ask

        builder: Any = StateGraph(Log)
        for name in ("left", "right"):
            builder.add_node(name, asks(name))
            builder.add_edge(START, name)
        graph = stage.compile(builder)
        stage.invoke(graph, {"log": []})
        waiting = {each.value: each.id for each in stage.state(graph).interrupts}
        assert waiting.keys() == {"left", "right"}
        answered = stage.invoke(graph, Command(resume={waiting["left"]: "L"}))
        assert questions(answered) == ["right"]
        result = stage.invoke(graph, Command(resume={waiting["right"]: "R"}))
        assert result == {"log": ["left: L", "right: R"]}

    compare(scenario, mode, saver, loop_thread)


@in_every_mode
def test_a_run_stopped_before_a_node_goes_on_from_there(
    mode: Mode, saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        builder: Any = StateGraph(Log)
        builder.add_node("a", stage.node("a"))
        builder.add_node("b", stage.node("b"))
        builder.add_edge(START, "a")
        builder.add_edge("a", "b")
        graph = stage.compile(builder, interrupt_before=["b"])
        assert stage.invoke(graph, {"log": []}) == {"log": ["a"]}
        assert stage.state(graph).next == ("b",)
        stage.update(graph, {"log": ["reviewed"]})
        assert stage.state(graph).next == ("b",)
        assert stage.invoke(graph, None) == {"log": ["a", "reviewed", "b"]}
        assert stage.runs == {"a": 1, "b": 1}

    compare(scenario, mode, saver, loop_thread)


@in_every_mode
def test_new_input_drops_the_question_that_was_waiting(
    mode: Mode, saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        graph = asking(stage)
        stage.invoke(graph, {"log": ["one"]})
        stage.invoke(graph, Command(resume="A"))
        assert questions(stage.invoke(graph, {"log": ["two"]})) == ["first?"]
        stage.invoke(graph, Command(resume="B"))
        result = stage.invoke(graph, Command(resume="C"))
        assert result["log"][-4:] == ["B", "C", "other", "end"]

    compare(scenario, mode, saver, loop_thread)


@in_every_mode
def test_an_answer_given_again_to_an_old_question_goes_where_it_goes_in_memory(
    mode: Mode, saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        graph = asking(stage)
        stage.invoke(graph, {"log": ["in"]})
        asked = stage.state(graph).config
        stage.invoke(graph, Command(resume="A"))
        stage.invoke(graph, Command(resume="B"))
        again = stage.invoke(graph, Command(resume="Z"), asked)
        while "__interrupt__" in again:
            again = stage.invoke(graph, Command(resume="Y"))
        stage.state(graph)

    compare(scenario, mode, saver, loop_thread)


@in_stepwise_modes
def test_writes_of_a_task_run_again_on_an_old_checkpoint_do_not_replace_the_first(
    mode: Mode, saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        def ask(_: Log) -> Log:
            run = stage.ran("ask")
            return {"log": [f"{interrupt('?')} in run {run}"]}

        builder: Any = StateGraph(Log)
        builder.add_node("ask", ask)
        builder.add_node("end", stage.node("end"))
        builder.add_edge(START, "ask")
        builder.add_edge("ask", "end")
        graph = stage.compile(builder)
        stage.invoke(graph, {"log": ["in"]})
        asked = stage.state(graph).config
        stage.invoke(graph, Command(resume="first"))
        before = _logged(stage, asked)
        assert before == [["first in run 2"]]
        again = stage.invoke(graph, Command(resume="second"), asked)
        assert again["log"][1].endswith("in run 3")
        assert _logged(stage, asked) == before

    compare(scenario, mode, saver, loop_thread)


def _logged(stage: Stage, config: Any) -> list[Any]:
    found = stage.calls.get_tuple(config)
    assert found is not None
    return [value for _, channel, value in found.pending_writes or () if channel == "log"]
