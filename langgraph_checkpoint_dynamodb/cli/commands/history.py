"""`history`: draws the checkpoints of a thread as a tree."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import typer
from langgraph.checkpoint.serde.types import ERROR, INTERRUPT
from rich.text import Text

from langgraph_checkpoint_dynamodb.cli.connection import connect
from langgraph_checkpoint_dynamodb.cli.options import Options
from langgraph_checkpoint_dynamodb.cli.parameters import Json, Namespace, Thread
from langgraph_checkpoint_dynamodb.cli.serde import Unreadable
from langgraph_checkpoint_dynamodb.cli.terminal.graph import graph_lines
from langgraph_checkpoint_dynamodb.cli.terminal.output import (
    escape_line,
    print_json,
    print_line,
    print_table,
)
from langgraph_checkpoint_dynamodb.cli.terminal.values import json_value
from langgraph_checkpoint_dynamodb.cli.threads.checkpoints import no_checkpoints_error
from langgraph_checkpoint_dynamodb.cli.threads.next_nodes import next_nodes
from langgraph_checkpoint_dynamodb.items.codec import waits_of
from langgraph_checkpoint_dynamodb.items.threads import FAILED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from langgraph.checkpoint.base import CheckpointTuple

    from langgraph_checkpoint_dynamodb.cli.connection import Connection

_HEAD = ("", "step", "source", "next", "checkpoint")
_ID_CHARACTERS = 12


@dataclass(frozen=True, slots=True)
class Row:
    """A checkpoint, as `history` prints it.

    Attributes:
        checkpoint_id: Its id.
        parent_id: The id of its parent.
        step: Number of the superstep that made it.
        source: What made it: `input`, `loop`, `update` or `fork`.
        ts: Its time stamp, in ISO 8601.
        next: The nodes that run next.
        interrupts: The values of the interrupts that wait for an answer.
        failed: Whether a task of it has failed and was not run again.
        unreadable: Whether it cannot be loaded.
    """

    checkpoint_id: str
    parent_id: str | None
    step: int | None
    source: str | None
    ts: str | None
    next: tuple[str, ...]
    interrupts: tuple[Any, ...] = field(default=())
    failed: bool = False
    unreadable: bool = False


def history(
    options: Options,
    thread: Thread,
    *,
    ns: Namespace = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="Most checkpoints of each namespace.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Draw the checkpoints of a thread as a tree of its forks.

    The newest come first. Each namespace is a tree of its own, the root's first. What is next are
    the nodes that the checkpoint leads to; behind them stands what waits for an answer or has
    failed.

    JSON: {"thread_id", "namespaces": [{"checkpoint_ns", "checkpoints": [{"checkpoint_id",
    "parent_id", "step", "source", "ts", "next", "interrupts", "failed", "unreadable"}]}]}.
    """
    with connect(options) as connection:
        found = _read_history(connection, thread, ns)
    if not found:
        raise no_checkpoints_error(thread, ns)
    shown = {name: rows[:limit] for name, rows in found.items()}
    if as_json:
        print_json(_document(thread, shown))
        return
    for position, (name, rows) in enumerate(shown.items()):
        if name:
            print_line(f"{chr(10) if position else ''}{escape_line(name)}", "bold")
        _print_tree(rows)
        left = len(found[name]) - len(rows)
        if left:
            print_line(f"and {left:,} older ones (--limit)", "dim")


def _read_history(connection: Connection, thread: str, ns: str | None) -> dict[str, list[Row]]:
    """Read the checkpoints by namespace, the root's first, the newest first in each."""
    config: Any = {"configurable": {"thread_id": thread}}
    if ns is not None:
        config["configurable"]["checkpoint_ns"] = ns
    found: dict[str, list[Row]] = {}
    for checkpoint_tuple in connection.saver.list(config):
        name = checkpoint_tuple.config["configurable"]["checkpoint_ns"]
        found.setdefault(name, []).append(_row(checkpoint_tuple))
    return {name: found[name] for name in sorted(found)}


def _document(thread: str, shown: Mapping[str, Sequence[Row]]) -> dict[str, Any]:
    return {
        "thread_id": thread,
        "namespaces": [
            {"checkpoint_ns": name, "checkpoints": [asdict(row) for row in rows]}
            for name, rows in shown.items()
        ],
    }


def _row(found: CheckpointTuple) -> Row:
    metadata: Any = found.metadata
    parent = (found.parent_config or {}).get("configurable", {})
    writes = found.pending_writes or []
    waits = waits_of(writes)
    return Row(
        checkpoint_id=found.config["configurable"]["checkpoint_id"],
        parent_id=parent.get("checkpoint_id"),
        step=metadata.get("step"),
        source=metadata.get("source"),
        ts=found.checkpoint.get("ts"),
        next=tuple(next_nodes(found.checkpoint)),
        interrupts=tuple(
            json_value(value)
            for task, name, value in writes
            if name == INTERRUPT and waits.get(task)
        ),
        failed=any(waits.get(task) == FAILED for task, name, _ in writes if name == ERROR),
        unreadable=isinstance(found.checkpoint, Unreadable),
    )


def _print_tree(rows: Sequence[Row]) -> None:
    by_id = {row.checkpoint_id: row for row in rows}
    lines = graph_lines(list(by_id), {row.checkpoint_id: row.parent_id for row in rows})
    print_table(
        _HEAD,
        (
            (line.graph, *(("",) * 4 if line.node is None else _cells(by_id[line.node])))
            for line in lines
        ),
        right=(1,),
        folded=(len(_HEAD) - 1,),
    )


def _cells(row: Row) -> Iterator[object]:
    yield "" if row.step is None else row.step
    yield row.source or ("unreadable" if row.unreadable else "")
    text = Text(escape_line(", ".join(row.next)) or "-")
    if row.interrupts:
        text.append(f"  waits ({len(row.interrupts)})", style="yellow")
    if row.failed:
        text.append("  failed", style="red")
    yield text
    yield _short_id(row.checkpoint_id)


def _short_id(checkpoint_id: str) -> str:
    """Return the end of an id, where ids differ most. `show` and `diff` accept it."""
    if len(checkpoint_id) <= _ID_CHARACTERS + 2:
        return checkpoint_id
    return f"..{checkpoint_id[-_ID_CHARACTERS:]}"
