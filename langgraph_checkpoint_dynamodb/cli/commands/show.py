"""`show`: prints the channels and pending writes of a checkpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from langgraph_checkpoint_dynamodb.cli.connection import connect
from langgraph_checkpoint_dynamodb.cli.errors import UsageError
from langgraph_checkpoint_dynamodb.cli.options import Options
from langgraph_checkpoint_dynamodb.cli.parameters import Checkpoint, Json, Namespace, Thread
from langgraph_checkpoint_dynamodb.cli.serde import Opaque, Unreadable
from langgraph_checkpoint_dynamodb.cli.terminal.output import (
    byte_size,
    escape_line,
    print_json,
    print_line,
    stdout,
)
from langgraph_checkpoint_dynamodb.cli.terminal.values import (
    brief,
    json_value,
    pretty,
    truncate,
    value_lines,
)
from langgraph_checkpoint_dynamodb.cli.threads.checkpoints import find_checkpoint
from langgraph_checkpoint_dynamodb.cli.threads.next_nodes import next_nodes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from langgraph.checkpoint.base import CheckpointTuple
    from langgraph.checkpoint.serde.base import SerializerProtocol

_CHANNEL_LINES = 8
_LABEL_WIDTH = 11


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
        found = find_checkpoint(connection, thread, ns or "", checkpoint)
        serde = connection.saver.serde
    values = channel_values(found)
    if channel is not None:
        if channel not in values:
            known = ", ".join(values) or "none"
            raise UsageError(
                f"there is no channel {channel!r} in this checkpoint; there are: {known}"
            )
        values = {channel: values[channel]}
    if as_json:
        print_json(_document(found, values))
    elif channel is not None:
        print_line(_full_text(values[channel]), no_wrap=True)
    else:
        _print_checkpoint(found, values, serde, full=full)


def channel_values(found: CheckpointTuple) -> Mapping[str, Any]:
    """Return the values of a checkpoint's channels, by name."""
    values: Any = found.checkpoint.get("channel_values")
    return {name: values[name] for name in sorted(values)} if isinstance(values, dict) else {}


def _document(found: CheckpointTuple, values: Mapping[str, Any]) -> dict[str, Any]:
    at = found.config["configurable"]
    document = {
        "thread_id": at["thread_id"],
        "checkpoint_ns": at["checkpoint_ns"],
        "checkpoint_id": at["checkpoint_id"],
        "parent_id": (found.parent_config or {}).get("configurable", {}).get("checkpoint_id"),
        "metadata": json_value(found.metadata),
        "channels": json_value(values),
        "next": list(next_nodes(found.checkpoint)),
        "writes": [
            {"task_id": task, "channel": name, "value": json_value(value)}
            for task, name, value in found.pending_writes or []
        ],
    }
    if isinstance(found.checkpoint, Unreadable):
        document["checkpoint"] = json_value(found.checkpoint)
    return document


def _print_checkpoint(
    found: CheckpointTuple, values: Mapping[str, Any], serde: SerializerProtocol, *, full: bool
) -> None:
    at = found.config["configurable"]
    parent = (found.parent_config or {}).get("configurable", {})
    _print_label("thread", at["thread_id"])
    if at["checkpoint_ns"]:
        _print_label("namespace", at["checkpoint_ns"])
    _print_label("checkpoint", at["checkpoint_id"])
    _print_label("parent", parent.get("checkpoint_id") or "-")
    _print_label("made", str(found.checkpoint.get("ts") or "-"))
    _print_label("next", ", ".join(next_nodes(found.checkpoint)) or "-")
    _print_label("metadata", brief(found.metadata))
    if isinstance(found.checkpoint, Unreadable):
        print_line(
            f"\nIts values cannot be shown: {brief(found.checkpoint)}; see --serde.", "yellow"
        )
    for name, value in values.items():
        _print_section(name, value, serde, full=full)
    writes = found.pending_writes or []
    if writes:
        print_line("\npending writes", "bold")
    for task, name, value in writes:
        _print_indented(f"{name} of {task}: {brief(value)}", full=full)


def _print_section(name: str, value: object, serde: SerializerProtocol, *, full: bool) -> None:
    heading = Text("\n")
    heading.append(escape_line(name), style="bold")
    heading.append(f"  {_summary(value, serde)}", style="dim")
    stdout().print(heading)
    if full:
        print_line(_full_text(value), no_wrap=True)
        return
    lines = value_lines(value)
    if len(lines) > _CHANNEL_LINES:
        # The newest elements of a list are the last ones.
        _print_indented(f"({len(lines) - _CHANNEL_LINES:,} before them)", full=False)
        lines = lines[-_CHANNEL_LINES:]
    for line in lines:
        _print_indented(line, full=False)


def _summary(value: object, serde: SerializerProtocol) -> str:
    if isinstance(value, Opaque):
        return ""
    kind = type(value).__name__
    if isinstance(value, (list, dict)):
        kind += f" of {len(value):,}"
    try:
        return f"{kind}, {byte_size(len(serde.dumps_typed(value)[1]))}"
    except Exception:
        # A placeholder for a value that was not loaded cannot be serialized.
        return kind


def _full_text(value: object) -> str:
    return value if isinstance(value, str) else pretty(value)


def _print_label(name: str, text: str) -> None:
    line = Text(f"{name:<{_LABEL_WIDTH}}", style="dim")
    line.append(escape_line(text), style="none")
    stdout().print(line)


def _print_indented(text: str, *, full: bool) -> None:
    console = stdout()
    line = escape_line(text)
    if console.is_terminal and not full:
        line = truncate(line, console.width - 2)
    print_line(f"  {line}")
