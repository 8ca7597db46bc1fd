"""What is new in a checkpoint since its parent, as a document."""

from __future__ import annotations

import difflib
from itertools import islice
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.text import Text

from langgraph_checkpoint_dynamodb.cli.explore.lenient_serde import Unloaded
from langgraph_checkpoint_dynamodb.cli.explore.messages import are_messages
from langgraph_checkpoint_dynamodb.cli.explore.state_document import (
    Style,
    grid,
    is_own_channel,
    message_grid,
    messages,
    section,
)
from langgraph_checkpoint_dynamodb.cli.explore.values import pretty, value_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from langgraph.checkpoint.base import CheckpointTuple
    from rich.console import RenderableType

    from langgraph_checkpoint_dynamodb.cli.explore.state_document import Rows

_CONTEXT = 2
_MOST_LINES = 400
_EACH_STEP = ("step", "parents", "counters_since_delta_snapshot")
"""Metadata that every step changes."""


def difference_document(
    parent: CheckpointTuple | None, found: CheckpointTuple, style: Style
) -> Group:
    """What was added, removed and changed.

    Args:
        parent: The parent; `None` where there is none, which makes all new.
        found: The checkpoint.
        style: How it looks.
    """
    parts: list[RenderableType] = []
    if parent is None:
        parts += [style.note("It has no parent: all of it is new."), Text()]
    before = {} if parent is None else _channels(parent)
    rows = list(_changes(before, _channels(found), style))
    parts += section("Channels", "" if rows else "no changes", rows, style)
    before = {} if parent is None else _metadata(parent)
    rows = list(_changes(before, _metadata(found), style))
    parts += section("Metadata", "" if rows else "no changes but the step", rows, style)
    return Group(*parts)


def _channels(found: CheckpointTuple) -> Mapping[str, Any]:
    if isinstance(found.checkpoint, Unloaded):
        return {"(not loaded)": found.checkpoint}
    values: Mapping[str, Any] = found.checkpoint.get("channel_values") or {}
    return {name: value for name, value in values.items() if not is_own_channel(name)}


def _metadata(found: CheckpointTuple) -> Mapping[str, Any]:
    if isinstance(found.metadata, Unloaded):
        return {"(not loaded)": found.metadata}
    return {name: value for name, value in found.metadata.items() if name not in _EACH_STEP}


def _changes(
    before: Mapping[str, Any], after: Mapping[str, Any], style: Style
) -> Iterator[tuple[Text, RenderableType]]:
    for name in sorted({**before, **after}, key=str):
        if name not in before:
            yield _sign("+", name, style), _new(after[name], style)
        elif name not in after:
            old = value_text(before[name], style.palette, style.bounds)
            old.stylize(style.palette.bad)
            yield _sign("-", name, style), old
        elif not _same(before[name], after[name]):
            yield _sign("~", name, style), _changed(before[name], after[name], style)


def _sign(sign: str, name: str, style: Style) -> Text:
    palette = style.palette
    colour = {"+": palette.good, "-": palette.bad, "~": palette.warn}[sign]
    return Text.assemble((f"{sign} ", f"bold {colour}"), style.name(name))


def _new(value: object, style: Style) -> RenderableType:
    if are_messages(value) and isinstance(value, list):
        return messages(value, style)
    return value_text(value, style.palette, style.bounds)


def _changed(before: Any, after: Any, style: Style) -> RenderableType:
    if _goes_on(before, after):
        count = len(before)
        note = style.note(f"{len(after) - count:,} more after {count:,}")
        added: Any = after[count:]
        if are_messages(added):
            return Group(note, message_grid(added, style))
        rows: Rows = [(Text("+", style.palette.good), _new(one, style)) for one in added]
        return Group(note, grid(rows, 1))
    old, new = pretty(before, style.bounds), pretty(after, style.bounds)
    if len(old) + len(new) < style.bounds.width and "\n" not in old + new:
        palette = style.palette
        return Text.assemble((old, palette.bad), (" → ", palette.muted), (new, palette.good))
    return _lines(old, new, style)


def _goes_on(before: Any, after: Any) -> bool:
    """Whether a list was appended to."""
    if not isinstance(before, list) or not isinstance(after, list):
        return False
    return len(after) > len(before) > 0 and _same(before, after[: len(before)])


def _lines(before: str, after: str, style: Style) -> Text:
    """A unified diff without its heads."""
    palette = style.palette
    colours = {"+": palette.good, "-": palette.bad, "@": palette.muted}
    text = Text()
    found = difflib.unified_diff(before.split("\n"), after.split("\n"), n=_CONTEXT, lineterm="")
    for line in islice(found, 3, _MOST_LINES):
        shown = "..." if line.startswith("@") else line
        text.append(f"{shown}\n", colours.get(line[:1], palette.plain))
    text.rstrip()
    return text or style.note("changed beyond what is shown; w shows whole values")


def _same(before: object, after: object) -> bool:
    """Equal, or of the same source: arrays do not say whether they are equal."""
    try:
        if bool(before == after):
            return True
    except Exception:  # noqa: S110 - a type of the user's that does not compare
        pass
    return repr(before) == repr(after)
