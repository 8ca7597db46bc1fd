"""The threads that other packages store, each run by a graph of its own."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from langgraph.channels.delta import DeltaChannel
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command, Send, interrupt
from typing_extensions import TypedDict

if TYPE_CHECKING:
    from collections.abc import Callable

    from langgraph.checkpoint.base import BaseCheckpointSaver

    Saver: TypeAlias = BaseCheckpointSaver[Any]

PLACES = 12
"""Writes of a task: more than ten, so that their indexes sort differently as text."""


def _joined(left: list[Any], right: list[Any]) -> list[Any]:
    return [*left, *right]


def _extended(log: list[Any], writes: list[list[Any]]) -> list[Any]:
    return [*log, *(one for write in writes for one in write)]


def _appended(left: Any, right: Any) -> list[Any]:
    return [*(left or []), right]


class State(TypedDict):
    log: Annotated[list[Any], _joined]


class Deltas(TypedDict):
    log: Annotated[list[Any], DeltaChannel(_extended, snapshot_frequency=3)]


Wide: Any = TypedDict(  # type: ignore[misc]  # its keys are counted
    "Wide", {f"c{place:02}": Annotated[Any, _appended] for place in range(PLACES)}
)


def _a_and_b(saver: Saver, state: Any) -> Any:
    builder = StateGraph(state)
    builder.add_node("a", lambda _: {"log": ["a"]})
    builder.add_node("b", lambda _: {"log": ["b"]})
    builder.add_edge(START, "a")
    builder.add_edge("a", "b")
    return builder.compile(checkpointer=saver)


def chat_graph(saver: Saver) -> Any:
    builder = StateGraph(MessagesState)
    builder.add_node("model", lambda state: {"messages": [f"answer {len(state['messages'])}"]})
    builder.add_edge(START, "model")
    return builder.compile(checkpointer=saver)


def chat(saver: Saver, config: Any) -> None:
    graph = chat_graph(saver)
    for text in ("first", "second"):
        graph.invoke({"messages": [("user", text)]}, config)


def forked_graph(saver: Saver) -> Any:
    return _a_and_b(saver, State)


def forked(saver: Saver, config: Any) -> None:
    """Goes back to a checkpoint after one node, and continues differently from there."""
    graph = forked_graph(saver)
    graph.invoke({"log": ["in"]}, config)
    past = next(one for one in graph.get_state_history(config) if one.next == ("b",))
    graph.invoke(None, graph.update_state(past.config, {"log": ["another way"]}))


def nested_graph(saver: Saver) -> Any:
    inner = StateGraph(State)
    inner.add_node("before", lambda _: {"log": ["before"]})
    inner.add_node("ask", lambda _: {"log": [f"told {interrupt('inner?')}"]})
    inner.add_edge(START, "before")
    inner.add_edge("before", "ask")
    middle = StateGraph(State)
    middle.add_node("inner", inner.compile())
    middle.add_edge(START, "inner")
    outer = StateGraph(State)
    outer.add_node("middle", middle.compile())
    outer.add_edge(START, "middle")
    return outer.compile(checkpointer=saver)


def nested(saver: Saver, config: Any) -> None:
    """Interrupts three levels down."""
    nested_graph(saver).invoke({"log": ["in"]}, config)


def nested_answered(saver: Saver, config: Any) -> None:
    graph = nested_graph(saver)
    graph.invoke({"log": ["in"]}, config)
    graph.invoke(Command(resume="yes"), config)


def parallel_graph(saver: Saver) -> Any:
    def work(state: Any) -> Any:
        if state["item"] == 1:
            interrupt("sure?")
        said = {f"c{place:02}": (state["item"], place) for place in range(PLACES)}
        return {**said, "c03": None}

    builder = StateGraph(Wide)
    builder.add_node("plan", lambda _: {"c00": "plan"})
    builder.add_node("work", work)
    builder.add_edge(START, "plan")
    builder.add_conditional_edges(
        "plan", lambda _: [Send("work", {"item": item}) for item in range(3)], ["work"]
    )
    return builder.compile(checkpointer=saver)


def parallel(saver: Saver, config: Any) -> None:
    """Three tasks of twelve writes each, one of them `None`; one of the tasks interrupts."""
    parallel_graph(saver).invoke({"c00": "in"}, config)


def parallel_answered(saver: Saver, config: Any) -> None:
    graph = parallel_graph(saver)
    graph.invoke({"c00": "in"}, config)
    graph.invoke(Command(resume="yes"), config)


def failed_graph(saver: Saver) -> Any:
    def fail(_: Any) -> Any:
        raise TypeError("it failed")

    builder: Any = StateGraph(State)
    builder.add_node("a", fail)
    builder.add_node("b", lambda _: {"log": ["b"]})
    builder.add_edge(START, "a")
    builder.add_edge(START, "b")
    return builder.compile(checkpointer=saver)


def failed(saver: Saver, config: Any) -> None:
    try:
        failed_graph(saver).invoke({"log": ["in"]}, config)
    except TypeError:
        return
    raise AssertionError("it did not fail")


_TEXT = random.Random(1).randbytes(1500).hex()  # noqa: S311 - the same each time
"""It hardly compresses."""


def large_graph(saver: Saver) -> Any:
    builder = StateGraph(State)
    builder.add_node("a", lambda _: {"log": [_TEXT]})
    builder.add_node("b", lambda _: {"log": [interrupt("?")]})
    builder.add_edge(START, "a")
    builder.add_edge(START, "b")
    return builder.compile(checkpointer=saver)


def large(saver: Saver, config: Any) -> None:
    """Values and a write of 3 KB."""
    large_graph(saver).invoke({"log": [_TEXT[::-1]]}, config)


def deltas_graph(saver: Saver) -> Any:
    return _a_and_b(saver, Deltas)


def deltas(saver: Saver, config: Any) -> None:
    graph = deltas_graph(saver)
    for text in ("one", "two", "three"):
        graph.invoke({"log": [text]}, config)


ODD = "an $odd #thread| of/its::own"
"""A thread whose id contains every character that separates parts of a key."""

THREADS: dict[str, Callable[[Saver, Any], None]] = {
    "chat": chat,
    "forked": forked,
    "nested": nested,
    "nested_answered": nested_answered,
    "parallel": parallel,
    "parallel_answered": parallel_answered,
    "failed": failed,
    "large": large,
    "deltas": deltas,
    ODD: nested,
}
GRAPHS: dict[str, Callable[[Saver], Any]] = {
    "chat": chat_graph,
    "forked": forked_graph,
    "nested": nested_graph,
    "nested_answered": nested_graph,
    "parallel": parallel_graph,
    "parallel_answered": parallel_graph,
    "failed": failed_graph,
    "large": large_graph,
    "deltas": deltas_graph,
    ODD: nested_graph,
}
