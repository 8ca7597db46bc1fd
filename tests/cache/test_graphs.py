"""Graphs whose nodes have a `CachePolicy`: they run once, and their answers are found again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

import pytest
from langgraph.func import entrypoint, task
from langgraph.graph import START, StateGraph
from langgraph.types import CachePolicy, RetryPolicy

from tests.cache.faces import quick_cache

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph

    from tests.cache.faces import Cache
    from tests.store.faces import StoreTable
    from tests.support.calls import LoopThread
    from tests.support.clocks import Clock


class State(TypedDict):
    question: str
    answer: str


class Slow:
    """A node that counts how often it runs, and what is made of it."""

    def __init__(self) -> None:
        self.runs = 0

    def __call__(self, state: State) -> dict[str, Any]:
        self.runs += 1
        return {"answer": f"{state['question']}! ({self.runs})"}


class Application:
    """A graph of two nodes, of which one is cached, as one process has it."""

    def __init__(
        self, table: StoreTable, clock: Clock, loop: LoopThread | None, **policy: Any
    ) -> None:
        self.cache: Cache = quick_cache(table, clock=clock)
        self.slow = Slow()
        self._loop = loop
        builder = StateGraph(State)
        builder.add_node("slow", self.slow, cache_policy=CachePolicy(**policy))
        builder.add_node("always", lambda state: {"answer": f"{state['answer']}."})
        builder.add_edge(START, "slow")
        builder.add_edge("slow", "always")
        self.graph: CompiledStateGraph[Any, Any, Any, Any] = builder.compile(cache=self.cache)

    def ask(self, question: str) -> str:
        given: Any = {"question": question}
        if self._loop is None:
            found = self.graph.invoke(given)
        else:
            found = self._loop.run(self.graph.ainvoke(given))
        answer: str = found["answer"]
        return answer

    def clear(self) -> None:
        if self._loop is None:
            self.graph.clear_cache()
        else:
            self._loop.run(self.graph.aclear_cache())


def test_a_node_runs_once_for_what_it_is_asked_by_any_process(
    table: StoreTable, clock: Clock, family: LoopThread | None
) -> None:
    first, second = (Application(table, clock, family) for _ in range(2))
    with first.cache, second.cache:
        assert first.ask("why") == "why! (1)."
        assert first.ask("why") == "why! (1)."
        assert second.ask("why") == "why! (1)."
        assert second.ask("how") == "how! (1)."
        assert (first.slow.runs, second.slow.runs) == (1, 1)


def test_an_answer_counts_until_its_time_is_over(
    table: StoreTable, clock: Clock, family: LoopThread | None
) -> None:
    made = Application(table, clock, family, ttl=60)
    with made.cache:
        made.ask("why")
        clock.now += 59.5
        assert made.ask("why") == "why! (1)."
        clock.now += 0.5
        assert made.ask("why") == "why! (2)."
        assert made.ask("why") == "why! (2)."


def test_a_graph_that_clears_its_cache_runs_its_nodes_again(
    table: StoreTable, clock: Clock, family: LoopThread | None
) -> None:
    made = Application(table, clock, family)
    with made.cache:
        made.cache.set({(("another",), "k"): ("stays", None)})
        made.ask("why")
        made.clear()
        assert made.ask("why") == "why! (2)."
        assert made.cache.get([(("another",), "k")]) == {(("another",), "k"): "stays"}


def test_what_a_key_function_says_is_the_key(
    table: StoreTable, clock: Clock, family: LoopThread | None
) -> None:
    made = Application(table, clock, family, key_func=lambda state: state["question"].lower())
    with made.cache:
        assert made.ask("why") == "why! (1)."
        assert made.ask("WHY") == "why! (1)."


def test_a_node_that_fails_is_not_cached(table: StoreTable, clock: Clock) -> None:
    tries = []

    def failing(state: State) -> dict[str, Any]:
        tries.append(state["question"])
        if len(tries) < 3:
            raise ConnectionError("not now")
        return {"answer": "at last"}

    with quick_cache(table, clock=clock) as cache:
        builder = StateGraph(State)
        policy = RetryPolicy(max_attempts=1)
        builder.add_node("failing", failing, cache_policy=CachePolicy(), retry_policy=policy)
        builder.add_edge(START, "failing")
        graph = builder.compile(cache=cache)
        given: Any = {"question": "why"}
        for _ in range(2):
            with pytest.raises(ConnectionError):
                graph.invoke(given)
        assert graph.invoke(given)["answer"] == graph.invoke(given)["answer"] == "at last"
    assert len(tries) == 3


def test_tasks_of_the_functional_api_are_cached_and_cleared(
    table: StoreTable, clock: Clock
) -> None:
    runs = []

    def doubled(number: int) -> int:
        runs.append(number)
        return number * 2

    make: Any = task  # Its types know no policy without types of its key.
    double = make(cache_policy=CachePolicy())(doubled)

    with quick_cache(table, clock=clock) as cache:

        @entrypoint(cache=cache)
        def main(numbers: list[int]) -> list[int]:
            return [one.result() for one in [double(number) for number in numbers]]

        assert main.invoke([1, 2, 3]) == [2, 4, 6]
        assert main.invoke([3, 2]) == [6, 4]
        assert sorted(runs) == [1, 2, 3]
        double.clear_cache(cache)
        assert main.invoke([2]) == [4]
        assert len(runs) == 4
