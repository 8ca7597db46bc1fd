"""Whole runs: chains, turns, fan-out, failures and the functional API."""

import operator
from typing import Annotated, Any

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send, interrupt
from typing_extensions import TypedDict

from tests.support.calls import LoopThread
from tests.support.graphs import (
    HEAD,
    Graph,
    Log,
    Mode,
    NodeFailedError,
    Stage,
    compare,
    in_chosen_modes,
    in_every_mode,
)
from tests.support.savers import Saver

ONE_AT_A_TIME: RunnableConfig = {**HEAD, "max_concurrency": 1}
"""Tasks run in the order of their names, so those before a failing task have always finished."""


class Sums(TypedDict):
    numbers: Annotated[list[int], operator.add]


class Number(TypedDict):
    number: int


def chain(stage: Stage) -> Graph:
    builder: Any = StateGraph(Log)
    builder.add_node("a", stage.node("a"))
    builder.add_node("b", stage.node("b"))
    builder.add_edge(START, "a")
    builder.add_edge("a", "b")
    builder.add_edge("b", END)
    return stage.compile(builder)


def fan_out(stage: Stage) -> Graph:
    def spread(state: Sums) -> list[Send]:
        return [Send("work", {"number": number}) for number in state["numbers"]]

    def work(state: Number) -> Sums:
        stage.ran("work")
        return {"numbers": [-state["number"]]}

    def gather(state: Sums) -> Sums:
        return {"numbers": [sum(state["numbers"])]}

    builder: Any = StateGraph(Sums)
    builder.add_node("work", work)
    builder.add_node("gather", gather)
    builder.add_conditional_edges(START, spread, ["work"])
    builder.add_edge("work", "gather")
    return stage.compile(builder)


@in_every_mode
def test_a_chain_and_its_second_turn_leave_what_they_leave_in_memory(
    mode: Mode, saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        graph = chain(stage)
        assert stage.invoke(graph, {"log": ["1"]}) == {"log": ["1", "a", "b"]}
        stage.stream(graph, {"log": ["2"]})
        assert stage.state(graph).values == {"log": ["1", "a", "b", "2", "a", "b"]}

    compare(scenario, mode, saver, loop_thread)


@in_every_mode
def test_metadata_of_the_config_is_stored_with_each_checkpoint(
    mode: Mode, saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        graph = chain(stage)
        config: Any = {
            "configurable": {**HEAD["configurable"], "tenant": "t"},
            "metadata": {"run_id": "r", "score": 0.5, "flag": True, "list": [1]},
        }
        stage.invoke(graph, {"log": []}, config)
        metadata = stage.state(graph).metadata or {}
        expected = {"tenant": "t", "run_id": "r", "score": 0.5, "flag": True}
        assert {name: metadata.get(name) for name in (*expected, "list")} == {
            **expected,
            "list": None,
        }

    compare(scenario, mode, saver, loop_thread)


@pytest.mark.parametrize("count", [1, 4, 30])
@in_chosen_modes
def test_a_fan_out_is_gathered_in_the_order_of_its_sends(
    mode: Mode, count: int, saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        graph = fan_out(stage)
        numbers = list(range(count))
        stage.stream(graph, {"numbers": numbers})
        negated = [-number for number in numbers]
        assert stage.state(graph).values == {"numbers": [*numbers, *negated, 0]}
        assert stage.runs["work"] == count

    compare(scenario, mode, saver, loop_thread)


@in_every_mode
def test_a_fan_out_resumed_after_one_failure_keeps_the_order_of_its_sends(
    mode: Mode, saver: Saver, loop_thread: LoopThread
) -> None:
    count = 12

    def scenario(stage: Stage) -> None:
        fails = stage.fails_once("last")

        def spread(_: Log) -> list[Send]:
            return [Send("work", {"log": [f"{n}"]}) for n in range(count)]

        def work(state: Log) -> Log:
            stage.ran("work")
            if state["log"] == [f"{count - 1}"]:
                fails(state)
            return state

        builder: Any = StateGraph(Log)
        builder.add_node("work", work)
        builder.add_conditional_edges(START, spread, ["work"])
        graph = stage.compile(builder)
        stage.fail(graph, {"log": []}, ONE_AT_A_TIME)
        result = stage.invoke(graph, None)
        assert result == {"log": [f"{n}" for n in range(count)]}
        assert stage.runs["work"] == count + 1

    compare(scenario, mode, saver, loop_thread)


@in_every_mode
def test_tasks_that_finished_beside_a_failing_one_are_not_run_again(
    mode: Mode, saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        builder: Any = StateGraph(Log)
        for name in ("a", "b", "c"):
            builder.add_node(name, stage.node(name))
            builder.add_edge(START, name)
        builder.add_node("failing", stage.fails_once("failing"))
        builder.add_edge(START, "failing")
        graph = stage.compile(builder)
        stage.fail(graph, {"log": ["in"]}, ONE_AT_A_TIME)
        waiting = stage.state(graph)
        assert waiting.next == ("failing",)
        assert [task.name for task in waiting.tasks if task.error] == ["failing"]
        assert stage.invoke(graph, None) == {"log": ["in", "a", "b", "c", "failing"]}
        assert stage.runs == {"a": 1, "b": 1, "c": 1, "failing": 2}

    compare(scenario, mode, saver, loop_thread)


@in_every_mode
def test_a_node_without_output_is_not_run_again(
    mode: Mode, saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        def quiet(_: Log) -> None:
            stage.ran("a_quiet_one")

        builder: Any = StateGraph(Log)
        builder.add_node("a_quiet_one", quiet)
        builder.add_node("failing", stage.fails_once("failing"))
        builder.add_edge(START, "a_quiet_one")
        builder.add_edge(START, "failing")
        graph = stage.compile(builder)
        stage.fail(graph, {"log": ["in"]}, ONE_AT_A_TIME)
        assert stage.invoke(graph, None) == {"log": ["in", "failing"]}
        assert stage.runs == {"a_quiet_one": 1, "failing": 2}

    compare(scenario, mode, saver, loop_thread)


@in_every_mode
def test_a_task_that_fails_again_and_again_shows_its_last_error(
    mode: Mode, saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        def work(_: Log) -> Log:
            count = stage.ran("work")
            if count < 3:
                raise NodeFailedError(f"attempt {count}")
            return {"log": ["work"]}

        builder: Any = StateGraph(Log)
        builder.add_node("work", work)
        builder.add_edge(START, "work")
        graph = stage.compile(builder)
        for attempt in ("attempt 1", "attempt 2"):
            stage.fail(graph, {"log": []} if attempt == "attempt 1" else None)
            assert [attempt in str(task.error) for task in stage.state(graph).tasks] == [True]
        assert stage.invoke(graph, None) == {"log": ["work"]}

    compare(scenario, mode, saver, loop_thread)


@in_every_mode
def test_an_entrypoint_remembers_its_tasks_and_its_previous_result(
    mode: Mode, saver: Saver, loop_thread: LoopThread
) -> None:
    def scenario(stage: Stage) -> None:
        @task
        def square(number: int) -> int:
            stage.ran("square")
            return number * number

        @entrypoint(checkpointer=stage.saver)
        def add_squares(count: int, *, previous: int | None = None) -> Any:
            squares = [square(number) for number in range(count)]
            total = sum(found.result() for found in squares) + (previous or 0)
            return entrypoint.final(value=f"{interrupt('say')} {total}", save=total)

        graph = stage.adopt(add_squares)
        stage.invoke(graph, 4)
        assert stage.invoke(graph, Command(resume="first")) == "first 14"
        assert stage.runs == {"square": 4}
        stage.invoke(graph, 3)
        assert stage.invoke(graph, Command(resume="second")) == "second 19"
        assert stage.runs == {"square": 7}

    compare(scenario, mode, saver, loop_thread)
