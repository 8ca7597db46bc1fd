"""The graphs that are run: small, without a model, the same for every contender."""

import operator
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from langchain_core.messages import AnyMessage
from langgraph.channels.delta import DeltaChannel
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command, Send, interrupt
from typing_extensions import TypedDict

from benchmarks.texts import ANSWER, QUESTION, answer, piece, question


def _extend(messages: list[AnyMessage], writes: Sequence[list[AnyMessage]]) -> list[AnyMessage]:
    return [*messages, *(message for write in writes for message in write)]


class DeltaMessages(TypedDict):
    """A chat of which each checkpoint keeps only what is new."""

    messages: Annotated[list[AnyMessage], DeltaChannel(_extend)]


class Gathered(TypedDict):
    """What many tasks have found."""

    found: Annotated[list[str], operator.add]


class Work(TypedDict):
    """What one task is to do."""

    number: int


def _answer(state: Any) -> dict[str, Any]:
    return {"messages": [answer(len(state["messages"]))]}


def _answer_shortly(state: Any) -> dict[str, Any]:
    return {"messages": [answer(len(state["messages"]), QUESTION)]}


def _chat(state: type, node: Callable[[Any], dict[str, Any]] = _answer) -> Any:
    builder: Any = StateGraph(state)
    builder.add_node("answer", node)
    builder.add_edge(START, "answer")
    return builder


def chat_graph(saver: Any) -> Any:
    """A chat whose messages are all in each checkpoint."""
    return _chat(MessagesState).compile(checkpointer=saver)


def delta_graph(saver: Any) -> Any:
    """The same chat with a DeltaChannel."""
    return _chat(DeltaMessages).compile(checkpointer=saver)


def short_delta_graph(saver: Any) -> Any:
    """The same with short answers, so that hundreds of turns fit into an item."""
    return _chat(DeltaMessages, _answer_shortly).compile(checkpointer=saver)


def turn(number: int) -> dict[str, Any]:
    """The input of a chat's turn, counted from 0."""
    return {"messages": [question(2 * number)]}


def fan_out_graph(saver: Any, width: int) -> Any:
    """A step that sends work to many tasks, and a step that looks at what they found."""

    def spread(_: Any) -> list[Send]:
        return [Send("work", {"number": number}) for number in range(width)]

    def work(given: Work) -> dict[str, Any]:
        return {"found": [piece(given["number"], ANSWER)]}

    builder: Any = StateGraph(Gathered)
    builder.add_node("work", work)
    builder.add_node("look", lambda _: {"found": []})
    builder.add_conditional_edges(START, spread, ["work"])
    builder.add_edge("work", "look")
    return builder.compile(checkpointer=saver)


def approval_graph(saver: Any) -> Any:
    """A subgraph that asks a person before the graph goes on."""

    def ask(_: Any) -> dict[str, Any]:
        return {"messages": [("ai", f"It was decided: {interrupt('May I?')}")]}

    inner: Any = StateGraph(MessagesState)
    inner.add_node("draft", _answer)
    inner.add_node("ask", ask)
    inner.add_edge(START, "draft")
    inner.add_edge("draft", "ask")
    outer: Any = StateGraph(MessagesState)
    outer.add_node("approve", inner.compile())
    outer.add_node("answer", _answer)
    outer.add_edge(START, "approve")
    outer.add_edge("approve", "answer")
    return outer.compile(checkpointer=saver)


def decision() -> Command[Any]:
    """What the person says."""
    return Command(resume="yes")
