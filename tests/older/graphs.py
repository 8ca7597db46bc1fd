"""The graphs that the older writers ran, in the current LangGraph."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Annotated, Any

from langchain_core.messages import AIMessage
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Send, interrupt
from typing_extensions import TypedDict

if TYPE_CHECKING:
    from collections.abc import Callable

    from langgraph.checkpoint.base import BaseCheckpointSaver

    Saver = BaseCheckpointSaver[Any]
    Node = Callable[[Any], dict[str, Any]]


class State(TypedDict):
    log: Annotated[list[Any], operator.add]
    note: str


def chat(saver: Saver) -> Any:
    builder = StateGraph(MessagesState)
    builder.add_node(
        "model", lambda state: {"messages": [AIMessage(f"answer {len(state['messages'])}")]}
    )
    builder.add_edge(START, "model")
    return builder.compile(checkpointer=saver)


def asks(saver: Saver) -> Any:
    builder = StateGraph(State)
    builder.add_node(
        "ask", lambda _: {"log": [f"answer: {interrupt({'question': 'sure?'})}"], "note": "asked"}
    )
    builder.add_node("end", lambda _: {"log": ["end"]})
    builder.add_edge(START, "ask")
    builder.add_edge("ask", "end")
    return builder.compile(checkpointer=saver)


def asks_twice(saver: Saver) -> Any:
    builder = StateGraph(State)
    builder.add_node("ask", lambda _: {"log": [f"{interrupt('one?')} and {interrupt('two?')}"]})
    builder.add_edge(START, "ask")
    return builder.compile(checkpointer=saver)


def pair(saver: Saver, left: Node, right: Node) -> Any:
    builder: Any = StateGraph(State)
    builder.add_node("left", left)
    builder.add_node("right", right)
    builder.add_edge(START, "left")
    builder.add_edge(START, "right")
    return builder.compile(checkpointer=saver)


def both_ask(saver: Saver) -> Any:
    return pair(
        saver,
        lambda _: {"log": [f"left: {interrupt('left?')}"], "note": "left"},
        lambda _: {"log": [f"right: {interrupt('right?')}"]},
    )


def sends(saver: Saver) -> Any:
    builder = StateGraph(State)
    builder.add_node("plan", lambda _: {"log": ["plan"]})
    builder.add_node("work", lambda state: {"log": [f"work {state['item']}"]})
    builder.add_edge(START, "plan")
    builder.add_conditional_edges(
        "plan", lambda _: [Send("work", {"item": item}) for item in (1, 2)], ["work"]
    )
    return builder.compile(checkpointer=saver)


def nested(saver: Saver) -> Any:
    child = StateGraph(State)
    child.add_node("ask", lambda _: {"log": [f"child: {interrupt('child?')}"]})
    child.add_edge(START, "ask")
    builder = StateGraph(State)
    builder.add_node("child", child.compile())
    builder.add_node("end", lambda _: {"log": ["end"]})
    builder.add_edge(START, "child")
    builder.add_edge("child", "end")
    return builder.compile(checkpointer=saver)
