"""A thread's history as stored in the table, with its branches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from examples.engine import CHECKPOINTS_TABLE, open_client

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langgraph.types import StateSnapshot

    from examples.agent import Agent

_HEAD = ("", "step", "source", "next", "messages", "bytes", "checkpoint")
_COLUMNS = "{:<3} {:>4}  {:<6}  {:<9}  {:>8}  {:>6}  {:<10}"


@dataclass(frozen=True)
class Row:
    """A checkpoint of the history.

    Attributes:
        checkpoint_id: Its id.
        parent_id: Id of its parent checkpoint, empty for the first one.
        step: Number of its superstep.
        source: `input`, `loop` or `fork`.
        next: Nodes that run next.
        messages: Number of messages in its state.
        last_text: Text of the last message.
        size: Bytes of its item in the table.
        waiting: Whether it waits for a human.
    """

    checkpoint_id: str
    parent_id: str
    step: int
    source: str
    next: str
    messages: int
    last_text: str
    size: int
    waiting: bool


def read_history(agent: Agent, thread_id: str) -> list[Row]:
    """The checkpoints of a thread, newest first."""
    sizes = _item_sizes(thread_id)
    states = agent.get_state_history({"configurable": {"thread_id": thread_id}})
    return [_row(state, sizes) for state in states]


def ancestry(rows: Sequence[Row], tip: str) -> list[str]:
    """Ids of a checkpoint and all its ancestors, newest first."""
    parents = {row.checkpoint_id: row.parent_id for row in rows}
    line = []
    while tip:
        line.append(tip)
        tip = parents[tip]
    return line


def table(rows: Sequence[Row], notes: dict[str, str], fork: str | None = None) -> list[str]:
    """The history as aligned lines, with branches drawn as in `git log --graph`.

    Args:
        rows: The history, newest first.
        notes: Notes to print beside checkpoints, by checkpoint id.
        fork: Id of the checkpoint where the newer branch starts.
    """
    lines = [_COLUMNS.format(*_HEAD)]
    younger = ancestry(rows, rows[0].checkpoint_id)
    for row in rows:
        if row.checkpoint_id == fork:
            lines.append("|/")
        line = _line(row, "*" if row.checkpoint_id in younger else "| *")
        lines.append(f"{line}  {notes.get(row.checkpoint_id, '')}".rstrip())
    return lines


def short(checkpoint_id: str) -> str:
    """The last characters of an id, where ids differ most."""
    return f"..{checkpoint_id[-8:]}"


def _line(row: Row, graph: str) -> str:
    return _COLUMNS.format(
        graph,
        row.step,
        row.source,
        row.next or "-",
        row.messages,
        f"{row.size:,}",
        short(row.checkpoint_id),
    )


def _row(state: StateSnapshot, sizes: dict[str, int]) -> Row:
    metadata = state.metadata or {}
    messages = state.values.get("messages", [])
    checkpoint_id = _id(state.config)
    return Row(
        checkpoint_id=checkpoint_id,
        parent_id=_id(state.parent_config) if state.parent_config else "",
        step=metadata.get("step", 0),
        source=metadata.get("source", ""),
        next=", ".join(state.next),
        messages=len(messages),
        last_text=str(messages[-1].content) if messages else "",
        size=sizes[checkpoint_id],
        waiting=bool(state.interrupts),
    )


def _id(config: Any) -> str:
    return str(config["configurable"]["checkpoint_id"])


def _item_sizes(thread_id: str) -> dict[str, int]:
    """Size of each checkpoint's item, as DynamoDB counts it: names and values."""
    client = open_client()
    pages = client.get_paginator("query").paginate(
        TableName=CHECKPOINTS_TABLE,
        KeyConditionExpression="thread_id = :thread",
        ExpressionAttributeValues={":thread": {"S": thread_id}},
        ConsistentRead=True,
    )
    sizes = {
        item["checkpoint_id"]["S"]: sum(len(name) + _length(item[name]) for name in item)
        for page in pages
        for item in page["Items"]
    }
    client.close()
    return sizes


def _length(value: Any) -> int:
    return len(value["S"].encode()) if "S" in value else len(value["B"])
