"""Threads stored by graphs: with forks, interrupts, and values of a custom class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command, interrupt

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb.saver import DynamoDBSaver


@dataclass
class Note:
    """A class that no command may import."""

    text: str


class State(MessagesState, total=False):
    note: Note


def ask(state: State) -> dict[str, Any]:
    answer = interrupt(f"really? ({len(state['messages'])})")
    return {"messages": [("ai", f"you said {answer}")], "note": Note("kept")}


def approval(saver: DynamoDBSaver) -> Any:
    """A graph that interrupts for approval before it answers."""
    builder = StateGraph(State)
    builder.add_node("ask", ask)
    builder.add_edge(START, "ask")
    return builder.compile(checkpointer=saver)


def at(thread_id: str, owner: str = "ann") -> Any:
    return {"configurable": {"thread_id": thread_id, "user_id": owner}}


def waiting(saver: DynamoDBSaver, thread_id: str, owner: str = "ann") -> Any:
    """A thread with a pending interrupt; returns its graph."""
    graph = approval(saver)
    graph.invoke({"messages": [("user", "hello")]}, at(thread_id, owner), durability="sync")
    return graph


def answered(saver: DynamoDBSaver, thread_id: str, owner: str = "ann") -> Any:
    """A finished thread; returns its graph."""
    graph = waiting(saver, thread_id, owner)
    graph.invoke(Command(resume="yes"), at(thread_id, owner), durability="sync")
    return graph


def forked(saver: DynamoDBSaver, thread_id: str) -> Any:
    """A thread whose interrupt was replayed and resumed again; returns its graph."""
    graph = answered(saver, thread_id)
    question = next(s for s in graph.get_state_history(at(thread_id)) if s.next == ("ask",))
    graph.invoke(None, question.config, durability="sync")
    graph.invoke(Command(resume="no"), at(thread_id), durability="sync")
    return graph


def joined(saver: DynamoDBSaver, thread_id: str) -> Any:
    """A thread that has stopped before a node with two incoming edges; returns its graph."""
    builder = StateGraph(State)
    for name in ("left", "right", "both"):
        builder.add_node(name, lambda _: {"messages": []})
    builder.add_edge(START, "left")
    builder.add_edge(START, "right")
    builder.add_edge(["left", "right"], "both")
    graph: Any = builder.compile(checkpointer=saver, interrupt_before=["both"])
    graph.invoke({"messages": [("user", "hello")]}, at(thread_id), durability="sync")
    return graph
