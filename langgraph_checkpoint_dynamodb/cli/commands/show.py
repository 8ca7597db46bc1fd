"""`show`: what a checkpoint holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from langgraph_checkpoint_dynamodb.cli.commands.history import Namespace, Thread, next_nodes
from langgraph_checkpoint_dynamodb.cli.connection import connect
from langgraph_checkpoint_dynamodb.cli.errors import UsageError
from langgraph_checkpoint_dynamodb.cli.options import Json, Options
from langgraph_checkpoint_dynamodb.cli.serde import Opaque, Unreadable
from langgraph_checkpoint_dynamodb.cli.terminal.output import clean_line, out, say, say_json, size
from langgraph_checkpoint_dynamodb.cli.terminal.values import brief, cut, elements, plain, pretty
from langgraph_checkpoint_dynamodb.cli.threads.checkpoints import find_checkpoint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from langgraph.checkpoint.base import CheckpointTuple
    from langgraph.checkpoint.serde.base import SerializerProtocol

_LINES = 8
"""Lines that are shown of a channel."""
_LABEL = 11

Checkpoint = Annotated[
    str | None,
    typer.Argument(
        metavar="[CHECKPOINT]",
        help="The checkpoint: its id, or the beginning or end of it; by default the newest.",
        show_default=False,
    ),
]


def show(
    options: Options,
    thread: Thread,
    checkpoint: Checkpoint = None,
    *,
    ns: Namespace = None,
    channel: Annotated[
        str | None,
        typer.Option("--channel", metavar="NAME", help="Print this channel alone, whole."),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Print every channel whole.")] = False,
    as_json: Json = False,
) -> None:
    """Show what a checkpoint holds, channel by channel.

    Its pending writes follow. A value is shown as far as LangGraph's own classes go. Of what is
    encrypted, or of a class of yours, type and size are shown; --serde names a serializer that
    reads it.

    JSON: {"thread_id", "checkpoint_ns", "checkpoint_id", "parent_id", "metadata", "channels":
    {NAME: value}, "next", "writes": [{"task_id", "channel", "value"}]}. A value that cannot be
    shown is {"type", "bytes"}.
    """
    with connect(options) as connection:
        one = find_checkpoint(connection, thread, ns or "", checkpoint)
        serde = connection.saver.serde
    values = channels_of(one)
    if channel is not None:
        if channel not in values:
            known = ", ".join(values) or "none"
            raise UsageError(
                f"there is no channel {channel!r} in this checkpoint; there are: {known}"
            )
        values = {channel: values[channel]}
    if as_json:
        say_json(_document(one, values))
    elif channel is not None:
        say(_whole(values[channel]), whole=True)
    else:
        _show(one, values, serde, full=full)


def channels_of(one: CheckpointTuple) -> Mapping[str, Any]:
    """The values of a checkpoint's channels, by name."""
    found: Any = one.checkpoint.get("channel_values")
    return {name: found[name] for name in sorted(found)} if isinstance(found, dict) else {}


def _document(one: CheckpointTuple, values: Mapping[str, Any]) -> dict[str, Any]:
    at = one.config["configurable"]
    document = {
        "thread_id": at["thread_id"],
        "checkpoint_ns": at["checkpoint_ns"],
        "checkpoint_id": at["checkpoint_id"],
        "parent_id": (one.parent_config or {}).get("configurable", {}).get("checkpoint_id"),
        "metadata": plain(one.metadata),
        "channels": plain(values),
        "next": list(next_nodes(one)),
        "writes": [
            {"task_id": task, "channel": name, "value": plain(value)}
            for task, name, value in one.pending_writes or []
        ],
    }
    if isinstance(one.checkpoint, Unreadable):
        document["checkpoint"] = plain(one.checkpoint)
    return document


def _show(
    one: CheckpointTuple, values: Mapping[str, Any], serde: SerializerProtocol, *, full: bool
) -> None:
    at = one.config["configurable"]
    parent = (one.parent_config or {}).get("configurable", {})
    _label("thread", at["thread_id"])
    if at["checkpoint_ns"]:
        _label("namespace", at["checkpoint_ns"])
    _label("checkpoint", at["checkpoint_id"])
    _label("parent", parent.get("checkpoint_id") or "-")
    _label("made", str(one.checkpoint.get("ts") or "-"))
    _label("next", ", ".join(next_nodes(one)) or "-")
    _label("metadata", brief(one.metadata))
    if isinstance(one.checkpoint, Unreadable):
        say(f"\nIts values cannot be shown: {brief(one.checkpoint)}; see --serde.", "yellow")
    for name, value in values.items():
        _section(name, value, serde, full=full)
    writes = one.pending_writes or []
    if writes:
        say("\npending writes", "bold")
    for task, name, value in writes:
        _line(f"{name} of {task}: {brief(value)}", full=full)


def _section(name: str, value: object, serde: SerializerProtocol, *, full: bool) -> None:
    heading = Text("\n")
    heading.append(clean_line(name), style="bold")
    heading.append(f"  {_about(value, serde)}", style="dim")
    out().print(heading)
    if full:
        say(_whole(value), whole=True)
        return
    lines = elements(value)
    if len(lines) > _LINES:
        # The newest of a list are its last ones.
        _line(f"({len(lines) - _LINES:,} before them)", full=False)
        lines = lines[-_LINES:]
    for line in lines:
        _line(line, full=False)


def _about(value: object, serde: SerializerProtocol) -> str:
    if isinstance(value, Opaque):
        return ""
    kind = type(value).__name__
    if isinstance(value, (list, dict)):
        kind += f" of {len(value):,}"
    try:
        return f"{kind}, {size(len(serde.dumps_typed(value)[1]))}"
    except Exception:
        # What stands for a value that cannot be loaded is none of the serializer's.
        return kind


def _whole(value: object) -> str:
    return value if isinstance(value, str) else pretty(value)


def _label(name: str, text: str) -> None:
    line = Text(f"{name:<{_LABEL}}", style="dim")
    line.append(clean_line(text), style="none")
    out().print(line)


def _line(text: str, *, full: bool) -> None:
    console = out()
    whole = full or not console.is_terminal
    say(f"  {clean_line(text) if whole else cut(clean_line(text), console.width - 2)}")
