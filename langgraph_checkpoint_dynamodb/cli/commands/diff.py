"""`diff`: what differs between two checkpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from langgraph_checkpoint_dynamodb.cli.commands.history import Namespace, Thread
from langgraph_checkpoint_dynamodb.cli.commands.show import Checkpoint, channels_of
from langgraph_checkpoint_dynamodb.cli.connection import connect
from langgraph_checkpoint_dynamodb.cli.errors import UsageError
from langgraph_checkpoint_dynamodb.cli.options import Json, Options
from langgraph_checkpoint_dynamodb.cli.serde import Unreadable
from langgraph_checkpoint_dynamodb.cli.terminal.output import clean_line, out, say, say_json
from langgraph_checkpoint_dynamodb.cli.terminal.values import cut, differing, elements, plain
from langgraph_checkpoint_dynamodb.cli.threads.checkpoints import find_checkpoint, parent_of
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
        first, second = channels_of(before), channels_of(after)
        changes = _changes(connection.saver.serde, first, second)
    if as_json:
        say_json(_document(before, after, changes, first, second))
        return
    say(f"from {_id(before)}", "dim")
    say(f"to   {_id(after)}", "dim")
    for name, change in changes.items():
        say(f"\n{_SIGNS[change]} {clean_line(name)}", "bold")
        _say_lines(first.get(name, _MISSING), second.get(name, _MISSING), full=full)
    same = [name for name in second if name not in changes]
    if same:
        say(f"\nthe same: {clean_line(', '.join(same))}", "dim")


def _pair(
    connection: Connection, thread: str, ns: str, checkpoint: str | None, other: str | None
) -> tuple[CheckpointTuple, CheckpointTuple]:
    first = _readable(find_checkpoint(connection, thread, ns, checkpoint))
    if other is not None:
        return first, _readable(find_checkpoint(connection, thread, ns, other))
    parent = parent_of(connection, first)
    if parent is None:
        raise UsageError(
            f"checkpoint {_id(first)!r} has no parent in the table; name another one to compare "
            "it with"
        )
    return _readable(parent), first


def _readable(one: CheckpointTuple) -> CheckpointTuple:
    if isinstance(one.checkpoint, Unreadable):
        raise UsageError(
            f"checkpoint {_id(one)!r} cannot be compared: its values are of type "
            f"{one.checkpoint.opaque.type!r}; --serde MODULE:NAME names what reads them"
        )
    return one


def _changes(
    serde: SerializerProtocol, first: Mapping[str, Any], second: Mapping[str, Any]
) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in sorted({*first, *second}):
        if name not in first:
            found[name] = "added"
        elif name not in second:
            found[name] = "removed"
        elif not same(serde, first[name], second[name]):
            found[name] = "changed"
    return found


def _say_lines(first: object, second: object, *, full: bool) -> None:
    console = out()
    whole = full or not console.is_terminal
    lines = differing(*([] if one is _MISSING else elements(one) for one in (first, second)))
    for line in lines:
        text = clean_line(line)
        say(f"  {text if whole else cut(text, console.width - 2)}", _STYLES.get(line[:1], ""))


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
            name: {"change": change, "from": plain(first.get(name)), "to": plain(second.get(name))}
            for name, change in changes.items()
        },
        "same": [name for name in second if name not in changes],
    }


def _id(one: CheckpointTuple) -> str:
    return str(one.config["configurable"]["checkpoint_id"])
