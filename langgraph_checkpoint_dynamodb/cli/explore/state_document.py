"""The state of a checkpoint as a document: channels, pending writes, metadata."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from rich.console import Group
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from langgraph_checkpoint_dynamodb.cli.explore.lenient_serde import Unloaded
from langgraph_checkpoint_dynamodb.cli.explore.messages import (
    are_messages,
    body_text,
    role_text,
    said,
)
from langgraph_checkpoint_dynamodb.cli.explore.rendering import counted, moment, one_line
from langgraph_checkpoint_dynamodb.cli.explore.step import step_of
from langgraph_checkpoint_dynamodb.cli.explore.values import size_text, value_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from langgraph.checkpoint.base import CheckpointTuple
    from rich.console import RenderableType

    from langgraph_checkpoint_dynamodb.cli.explore.rendering import Palette
    from langgraph_checkpoint_dynamodb.cli.explore.values import Bounds

Rows: TypeAlias = "list[tuple[Text, RenderableType]]"

_NAME_WIDTH = 16
_ROLE_WIDTH = 6
_ID_WIDTH = 8
_OWN_CHANNELS = ("branch:", "join:", "start:", "__")
"""How LangGraph's own channels begin."""
_SHOWN_MESSAGES = 200
_DELTA = "a DeltaChannel: its changes are in the writes of the ancestors"


@dataclass(frozen=True)
class Style:
    """How a document is laid out.

    Attributes:
        palette: Its colours.
        bounds: How much of each value it shows.
    """

    palette: Palette
    bounds: Bounds

    def heading(self, title: str, note: str = "") -> Rule:
        """A line above a section."""
        said = Text.assemble(
            (title, f"bold {self.palette.plain}"), (f"  {note}".rstrip(), self.palette.muted)
        )
        return Rule(said, align="left", style=self.palette.faint)

    def name(self, name: str) -> Text:
        """What stands before a value."""
        return Text(one_line(name), self.palette.accent)

    def note(self, text: str) -> Text:
        """What the document says itself."""
        return Text(text, self.palette.muted)


def is_own_channel(name: str) -> bool:
    """Whether LangGraph has made a channel for itself."""
    return name.startswith(_OWN_CHANNELS)


def state_document(found: CheckpointTuple, style: Style) -> Group:
    """All that a checkpoint holds."""
    step = step_of(found)
    sections: list[tuple[str, str, Rows]] = []
    if step.questions:
        asked: Rows = [(style.name("question"), _value(one, style)) for one in step.questions]
        sections.append(("Waits", "for an answer", asked))
    if step.errors:
        failed: Rows = [(style.name("error"), _value(one, style)) for one in step.errors]
        sections.append(("Failed", "", failed))
    sections += _of_checkpoint(found, style)
    return Group(*_laid_out(sections, style))


def section(title: str, note: str, rows: Rows, style: Style) -> Iterator[RenderableType]:
    """A heading and its rows."""
    yield style.heading(title, note)
    if rows:
        yield grid(rows)
    yield Text()


def grid(rows: Rows, width: int = _NAME_WIDTH) -> Table:
    """Names on the left, values beside them."""
    table = Table.grid(padding=(0, 1, 0, 0), expand=True)
    table.add_column(width=width, no_wrap=True, overflow="ellipsis")
    table.add_column(ratio=1, overflow="fold")
    for name, value in rows:
        table.add_row(name, value)
    return table


def _laid_out(sections: Iterable[tuple[str, str, Rows]], style: Style) -> Iterator[RenderableType]:
    for title, note, rows in sections:
        yield from section(title, note, rows, style)


def _of_checkpoint(found: CheckpointTuple, style: Style) -> Iterator[tuple[str, str, Rows]]:
    checkpoint: Any = found.checkpoint
    if isinstance(checkpoint, Unloaded):
        yield "Channels", "", [(Text(), value_text(checkpoint, style.palette, style.bounds))]
    else:
        yield from _of_channels(found, style)
    writes = found.pending_writes or []
    if writes:
        yield "Pending writes", f"{len(writes):,}", list(_writes(writes, style))
    metadata: Any = found.metadata
    if isinstance(metadata, Unloaded):
        yield "Metadata", "", [(Text(), value_text(metadata, style.palette, style.bounds))]
    else:
        yield "Metadata", "", _rows(metadata, style)
    yield "Checkpoint", "", list(_place(found, style))


def _of_channels(found: CheckpointTuple, style: Style) -> Iterator[tuple[str, str, Rows]]:
    values: Mapping[str, Any] = found.checkpoint.get("channel_values") or {}
    users = {name: value for name, value in values.items() if not is_own_channel(name)}
    own = {name: value for name, value in values.items() if is_own_channel(name)}
    rows = _rows(users, style)
    for name in _deltas(found.metadata):
        if name not in values:
            rows.append((style.name(name), style.note(_DELTA)))
    yield "Channels", "" if rows else "no values", rows
    if own:
        yield "LangGraph's own channels", "", _rows(own, style)


def _deltas(metadata: Mapping[str, Any]) -> list[str]:
    """The DeltaChannels, whose values most checkpoints do not hold."""
    counters = metadata.get("counters_since_delta_snapshot")
    return sorted(map(str, counters)) if isinstance(counters, dict) else []


def _rows(values: Mapping[str, Any], style: Style) -> Rows:
    names = sorted(values, key=str)
    return [(style.name(str(name)), _value(values[name], style)) for name in names]


def _value(value: object, style: Style) -> RenderableType:
    if type(value).__name__ == "_DeltaSnapshot":
        value = getattr(value, "value", value)
    if are_messages(value) and isinstance(value, list):
        return messages(value, style)
    note = size_text(value)
    text = value_text(value, style.palette, style.bounds)
    # What fits on a line shows how much it is.
    return Group(style.note(note), text) if note and "\n" in text.plain else text


def messages(values: list[Any], style: Style) -> RenderableType:
    """Messages below their number, the last ones where there are more than can be read."""
    shown = values if style.bounds.length is None else values[-_SHOWN_MESSAGES:]
    left = len(values) - len(shown)
    note = counted(len(values), "message") + (f", the first {left:,} not shown" if left else "")
    return Group(style.note(note), message_grid(shown, style))


def message_grid(values: list[Any], style: Style) -> Table:
    """Messages one below the other."""
    found = [one for one in map(said, values) if one is not None]
    palette, bounds = style.palette, style.bounds
    rows: Rows = [(role_text(one, palette), body_text(one, palette, bounds)) for one in found]
    return grid(rows, _ROLE_WIDTH)


def _writes(writes: Iterable[tuple[str, str, Any]], style: Style) -> Iterator[tuple[Text, Any]]:
    for task_id, channel, value in writes:
        text = Text(one_line(task_id)[:_ID_WIDTH], style.palette.muted)
        rows: Rows = [(style.name(channel), _value(value, style))]
        yield text, grid(rows)


def _place(found: CheckpointTuple, style: Style) -> Iterator[tuple[Text, RenderableType]]:
    named = found.config["configurable"]
    step = step_of(found)
    lines = {
        "id": named["checkpoint_id"],
        "parent": step.parent_id,
        "namespace": named.get("checkpoint_ns"),
        "made": None if step.made is None else moment(step.made),
        "next": ", ".join(step.next),
    }
    for name, line in lines.items():
        if line:
            yield style.name(name), Text(one_line(line), style.palette.plain)
