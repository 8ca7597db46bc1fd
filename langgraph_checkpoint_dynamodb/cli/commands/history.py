"""`history`: the checkpoints of a thread, and how its branches hang together."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import typer
from langgraph.checkpoint.serde.types import ERROR, INTERRUPT
from rich.text import Text

from langgraph_checkpoint_dynamodb.cli.connection import connect
from langgraph_checkpoint_dynamodb.cli.errors import UsageError
from langgraph_checkpoint_dynamodb.cli.options import Json, Options
from langgraph_checkpoint_dynamodb.cli.serde import Unreadable
from langgraph_checkpoint_dynamodb.cli.terminal.graph import draw
from langgraph_checkpoint_dynamodb.cli.terminal.output import clean_line, say, say_json, say_rows
from langgraph_checkpoint_dynamodb.cli.terminal.values import plain
from langgraph_checkpoint_dynamodb.items.codec import waits_of
from langgraph_checkpoint_dynamodb.items.threads import FAILED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from langgraph.checkpoint.base import CheckpointTuple

    from langgraph_checkpoint_dynamodb.cli.connection import Connection

_BRANCH = "branch:to:"
"""What the channel is called that has a node run next."""
_START = "__start__"
_TASKS = "__pregel_tasks"
_HEAD = ("", "step", "source", "next", "checkpoint")
_SHORT = 12

Thread = Annotated[str, typer.Argument(metavar="THREAD", help="The thread.")]
Namespace = Annotated[
    str | None,
    typer.Option("--ns", metavar="NAMESPACE", help="Namespace of a subgraph; the root's is empty."),
]


@dataclass(frozen=True, slots=True)
class Row:
    """What is shown of a checkpoint.

    Attributes:
        checkpoint_id: Its id.
        parent_id: That of the checkpoint it was made from.
        step: Number of the superstep that made it.
        source: What made it: `input`, `loop`, `update` or `fork`.
        ts: When, as it says itself.
        next: Nodes that come next.
        interrupts: What waits for an answer there.
        failed: Whether a task of it has raised an error that nobody has gone on from.
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
        found = read_history(connection, thread, ns)
    if not found:
        raise UsageError(nothing_of(thread, ns))
    shown = {name: rows[:limit] for name, rows in found.items()}
    if as_json:
        say_json(
            {
                "thread_id": thread,
                "namespaces": [
                    {"checkpoint_ns": name, "checkpoints": [asdict(row) for row in rows]}
                    for name, rows in shown.items()
                ],
            }
        )
    else:
        for position, (name, rows) in enumerate(shown.items()):
            if name:
                say(f"{'' if not position else chr(10)}{clean_line(name)}", "bold")
            _draw(rows)
            left = len(found[name]) - len(rows)
            if left:
                say(f"and {left:,} older ones (--limit)", "dim")


def nothing_of(thread: str, ns: str | None) -> str:
    """What is said of a thread that has no checkpoints."""
    where = f" in namespace {ns!r}" if ns else ""
    return (
        f"thread {thread!r} has no checkpoints{where}; `langgraph-dynamodb threads` lists threads"
    )


def read_history(connection: Connection, thread: str, ns: str | None) -> dict[str, list[Row]]:
    """The checkpoints of a thread by namespace, the root's first, newest first in each."""
    config: Any = {"configurable": {"thread_id": thread}}
    if ns is not None:
        config["configurable"]["checkpoint_ns"] = ns
    found: dict[str, list[Row]] = {}
    for one in connection.saver.list(config):
        found.setdefault(one.config["configurable"]["checkpoint_ns"], []).append(_row(one))
    return {name: found[name] for name in sorted(found)}


def next_nodes(one: CheckpointTuple) -> tuple[str, ...]:
    """The nodes that run next, as far as the checkpoint says so without its graph."""
    values = one.checkpoint.get("channel_values") or {}
    nodes = [name.removeprefix(_BRANCH) for name in values if name.startswith(_BRANCH)]
    if _START in values:
        nodes.insert(0, _START)
    sends = values.get(_TASKS)
    if isinstance(sends, (list, tuple)):
        nodes += [str(getattr(send, "node", "a task")) for send in sends]
    return tuple(nodes)


def _row(one: CheckpointTuple) -> Row:
    metadata: Any = one.metadata
    parent = (one.parent_config or {}).get("configurable", {})
    writes = one.pending_writes or []
    waits = waits_of(writes)
    return Row(
        checkpoint_id=one.config["configurable"]["checkpoint_id"],
        parent_id=parent.get("checkpoint_id"),
        step=metadata.get("step"),
        source=metadata.get("source"),
        ts=one.checkpoint.get("ts"),
        next=next_nodes(one),
        interrupts=tuple(
            plain(value) for task, name, value in writes if name == INTERRUPT and waits.get(task)
        ),
        failed=any(waits.get(task) == FAILED for task, name, _ in writes if name == ERROR),
        unreadable=isinstance(one.checkpoint, Unreadable),
    )


def _draw(rows: Sequence[Row]) -> None:
    by_id = {row.checkpoint_id: row for row in rows}
    lines = draw(list(by_id), {row.checkpoint_id: row.parent_id for row in rows})
    say_rows(
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
    said = Text(clean_line(", ".join(row.next)) or "-")
    if row.interrupts:
        said.append(f"  waits ({len(row.interrupts)})", style="yellow")
    if row.failed:
        said.append("  failed", style="red")
    yield said
    yield short(row.checkpoint_id)


def short(checkpoint_id: str) -> str:
    """The end of an id, where ids differ most; `show` and `diff` take it for the id."""
    if len(checkpoint_id) <= _SHORT + 2:
        return checkpoint_id
    return f"..{checkpoint_id[-_SHORT:]}"
