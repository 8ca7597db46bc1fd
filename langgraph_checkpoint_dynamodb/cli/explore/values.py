"""Values as text: bounded, coloured, and never an error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.pretty import pretty_repr
from rich.text import Text

from langgraph_checkpoint_dynamodb.cli.explore.lenient_serde import Unloaded
from langgraph_checkpoint_dynamodb.cli.explore.rendering import one_line, safe

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb.cli.explore.rendering import Palette

_TEXTS = r"(?P<text>\B(b|r|rb|br)?'([^'\\\n]|\\.)*'|\"([^\"\\\n]|\\.)*\")"
_NUMBERS = r"(?<![\w.])-?\d+(\.\d+)?([eE][-+]?\d+)?(?![\w.])"
_WORDS = r"\b(None|True|False)\b"
_NOT_LOADED = r"<[^<>\n]*: cannot be loaded[^<>\n]*>"
_MOST_CHARACTERS, _MOST_LINES = 200_000, 4_000
"""Of one value, where whole values are asked for."""


@dataclass(frozen=True)
class Bounds:
    """How much of a value is shown.

    Attributes:
        width: Characters of a line.
        length: Elements of a collection; `None` for all.
        string: Characters of a text; `None` for all.
        depth: Levels of nesting; `None` for all.
    """

    width: int = 80
    length: int | None = 20
    string: int | None = 400
    depth: int | None = 6

    @classmethod
    def whole(cls, width: int) -> Bounds:
        """All of it, up to what can be shown in a moment."""
        return cls(width, None, None, None)


def value_text(value: object, palette: Palette, bounds: Bounds) -> Text:
    """A value over as many lines as it takes."""
    if isinstance(value, Unloaded):
        return Text(safe(repr(value)), palette.bad)
    if isinstance(value, str):
        shown, rest = _cut(value, bounds.string)
        text = Text(safe(shown), palette.good)
        return text.append(f" +{rest:,} characters" if rest else "", palette.muted)
    return coloured(pretty(value, bounds), palette)


def pretty(value: object, bounds: Bounds) -> str:
    """The source of a value, as Rich lays it out. An error in a `__repr__` is shown as one."""
    try:
        source = pretty_repr(
            value,
            max_width=bounds.width,
            max_length=bounds.length,
            max_string=bounds.string,
            max_depth=bounds.depth,
        )
    except Exception as error:
        return f"<{type(value).__name__}: cannot be shown ({type(error).__name__})>"
    lines = safe(source[:_MOST_CHARACTERS]).split("\n")
    more = len(source) > _MOST_CHARACTERS or len(lines) > _MOST_LINES
    return "\n".join([*lines[:_MOST_LINES], *(["... and more than is shown here"] if more else [])])


def coloured(source: str, palette: Palette) -> Text:
    """The source of a value in colours."""
    text = Text(source, palette.plain)
    text.highlight_regex(_NUMBERS, palette.accent)
    text.highlight_regex(_WORDS, palette.warn)
    text.highlight_regex(_TEXTS, palette.good)
    text.highlight_regex(_NOT_LOADED, palette.bad)
    return text


def brief(value: object, most: int = 200) -> str:
    """A value on one line. A mapping with one text in it is that text: so are most questions."""
    if isinstance(value, dict) and not isinstance(value, Unloaded):
        texts = [one for one in value.values() if isinstance(one, str)]
        if len(texts) == 1:
            value = texts[0]
    if isinstance(value, str):
        return one_line(value[:most])
    return one_line(pretty(value, Bounds(width=10_000, length=4, string=60, depth=3)))[:most]


def size_text(value: object) -> str:
    """How many elements a collection has, as in `list of 3`; empty for what is none."""
    if isinstance(value, (list, tuple, set, frozenset, dict)) and not isinstance(value, Unloaded):
        return f"{type(value).__name__} of {len(value):,}"
    return ""


def _cut(text: str, most: int | None) -> tuple[str, int]:
    most = _MOST_CHARACTERS if most is None else most
    return text[:most], max(0, len(text) - most)
