"""`diff`: compares the channels of two checkpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from langgraph_checkpoint_dynamodb.cli.commands.show import channel_values
from langgraph_checkpoint_dynamodb.cli.connection import connect
from langgraph_checkpoint_dynamodb.cli.errors import UsageError
from langgraph_checkpoint_dynamodb.cli.options import Options
from langgraph_checkpoint_dynamodb.cli.parameters import Checkpoint, Json, Namespace, Thread
from langgraph_checkpoint_dynamodb.cli.serde import Unreadable
from langgraph_checkpoint_dynamodb.cli.terminal.output import (
    escape_line,
    print_json,
    print_line,
    stdout,
)
from langgraph_checkpoint_dynamodb.cli.terminal.values import (
    diff_lines,
    json_value,
    truncate,
    value_lines,
)
from langgraph_checkpoint_dynamodb.cli.threads.checkpoints import find_checkpoint, find_parent
from langgraph_checkpoint_dynamodb.moving.comparison import same

if TYPE_CHECKING:
    from collections.abc import Mapping

    from langgraph.checkpoint.base import CheckpointTuple
    from langgraph.checkpoint.serde.base import SerializerProtocol

    from langgraph_checkpoint_dynamodb.cli.connection import Connection

_STYLES = {"+": "green", "-": "red", "@": "cyan"}
_SIGNS = {"added": "+", "removed": "-", "changed": "~"}
_MISSING = object()


def diff(
    options: Options,
    thread: Thread,
    checkpoint: Checkpoint = None,
    other: Annotated[
        str | None,
        typer.Argument(
            metavar="[OTHER]",
            help="The checkpoint to compare with; by default the parent.",
            show_default=False,
        ),
    ] = None,
    *,
    ns: Namespace = None,
    full: Annotated[bool, typer.Option("--full", help="Never cut a line off.")] = False,
    as_json: Json = False,
) -> None:
    """Compare two checkpoints, channel by channel.

    What the first has and the second has not is marked with a minus, the opposite with a plus. With
    one checkpoint it is compared with its parent, the parent being the first.

    JSON: {"thread_id", "checkpoint_ns", "from", "to", "channels": {NAME: {"change": "added",
    "removed" or "changed", "from", "to"}}, "same": [NAME]}.
    """
    with connect(options) as connection:
        before, after = _pair(connection, thread, ns or "", checkpoint, other)
        first, second = channel_values(before), channel_values(after)
        changes = _changes(connection.saver.serde, first, second)
    if as_json:
        print_json(_document(before, after, changes, first, second))
        return
    print_line(f"from {_id(before)}", "dim")
    print_line(f"to   {_id(after)}", "dim")
    for name, change in changes.items():
        print_line(f"\n{_SIGNS[change]} {escape_line(name)}", "bold")
        _print_diff(first.get(name, _MISSING), second.get(name, _MISSING), full=full)
    same = [name for name in second if name not in changes]
    if same:
        print_line(f"\nthe same: {escape_line(', '.join(same))}", "dim")


def _pair(
    connection: Connection, thread: str, ns: str, checkpoint: str | None, other: str | None
) -> tuple[CheckpointTuple, CheckpointTuple]:
    first = _require_readable(find_checkpoint(connection, thread, ns, checkpoint))
    if other is not None:
        return first, _require_readable(find_checkpoint(connection, thread, ns, other))
    parent = find_parent(connection, first)
    if parent is None:
        raise UsageError(
            f"checkpoint {_id(first)!r} has no parent in the table; name another one to compare "
            "it with"
        )
    return _require_readable(parent), first


def _require_readable(found: CheckpointTuple) -> CheckpointTuple:
    if isinstance(found.checkpoint, Unreadable):
        raise UsageError(
            f"checkpoint {_id(found)!r} cannot be compared: its values are of type "
            f"{found.checkpoint.opaque.type!r}; pass the serializer that reads them: "
            "--serde MODULE:NAME"
        )
    return found


def _changes(
    serde: SerializerProtocol, first: Mapping[str, Any], second: Mapping[str, Any]
) -> dict[str, str]:
    changes: dict[str, str] = {}
    for name in sorted({*first, *second}):
        if name not in first:
            changes[name] = "added"
        elif name not in second:
            changes[name] = "removed"
        elif not same(serde, first[name], second[name]):
            changes[name] = "changed"
    return changes


def _print_diff(first: object, second: object, *, full: bool) -> None:
    console = stdout()
    whole = full or not console.is_terminal
    lines = diff_lines(*([] if one is _MISSING else value_lines(one) for one in (first, second)))
    for line in lines:
        text = escape_line(line)
        print_line(
            f"  {text if whole else truncate(text, console.width - 2)}", _STYLES.get(line[:1], "")
        )


def _document(
    before: CheckpointTuple,
    after: CheckpointTuple,
    changes: Mapping[str, str],
    first: Mapping[str, Any],
    second: Mapping[str, Any],
) -> dict[str, Any]:
    at = after.config["configurable"]
    return {
        "thread_id": at["thread_id"],
        "checkpoint_ns": at["checkpoint_ns"],
        "from": _id(before),
        "to": _id(after),
        "channels": {
            name: {
                "change": change,
                "from": json_value(first.get(name)),
                "to": json_value(second.get(name)),
            }
            for name, change in changes.items()
        },
        "same": [name for name in second if name not in changes],
    }


def _id(found: CheckpointTuple) -> str:
    return str(found.config["configurable"]["checkpoint_id"])
