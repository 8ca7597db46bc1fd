"""How things look: colours of the theme, text that is safe to show, columns, times."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.text import Text
from textual.color import Color

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console, ConsoleOptions, RenderResult

_UNSEEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
"""Characters that a terminal acts upon, or that turn round what is shown; all but line feeds."""
_MUTED, _FAINT = 0.4, 0.75
_PICTURES = 0x2400
_DELETE, _DELETE_PICTURE = 0x7F, "\u2421"
_STEPS = ((60, 1, "s"), (3600, 60, "m"), (86_400, 3600, "h"), (30 * 86_400, 86_400, "d"))


@dataclass(frozen=True)
class Palette:
    """Colours of a theme, as Rich takes them.

    Attributes:
        plain: Of text.
        muted: Of what matters less.
        faint: Of lines between things.
        accent: Of names.
        good: Of what was added, and of text values.
        warn: Of what waits for somebody.
        bad: Of errors, and of what was removed.
        lanes: Of branches of a history, in turn.
    """

    plain: str
    muted: str
    faint: str
    accent: str
    good: str
    warn: str
    bad: str
    lanes: tuple[str, ...]

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> Palette:
        """That of a theme's variables."""
        plain, ground = Color.parse(variables["foreground"]), Color.parse(variables["background"])
        primary, second = variables["text-primary"], variables["text-secondary"]
        warn, good = variables["text-warning"], variables["text-success"]
        return cls(
            plain=plain.hex6,
            muted=plain.blend(ground, _MUTED).hex6,
            faint=plain.blend(ground, _FAINT).hex6,
            accent=primary,
            good=good,
            warn=warn,
            bad=variables["text-error"],
            lanes=(primary, warn, good, second),
        )


def safe(text: str) -> str:
    """Text that a terminal only shows: what it would act upon is made visible.

    Whatever was stored as a thread id or a message could else clear the screen, or set its title.
    """
    return _UNSEEN.sub(_picture, text)


def _picture(found: re.Match[str]) -> str:
    code = ord(found.group())
    if code == ord("\t"):
        return "    "
    if code == _DELETE:
        return _DELETE_PICTURE
    return chr(_PICTURES + code) if code < ord(" ") else "\ufffd"


def one_line(text: str) -> str:
    """Safe text on one line."""
    return safe(" ".join(text.split()))


def age(seconds: float) -> str:
    """How long ago something was, in at most four characters: `now`, `42s`, `5m`, `3h`, `12d`."""
    if seconds < 1:
        return "now"
    for below, unit, name in _STEPS:
        if seconds < below:
            return f"{int(seconds // unit)}{name}"
    days = int(seconds // 86_400)
    return f"{days // 30}mo" if days < 365 else f"{days // 365}y"


def moment(timestamp: float) -> str:
    """A moment in UTC, to the second."""
    return f"{datetime.fromtimestamp(timestamp, timezone.utc):%Y-%m-%d %H:%M:%S} UTC"


def counted(count: int, name: str) -> str:
    """A number of things: `1 message`, `2 messages`."""
    return f"{count:,} {name}" + ("" if count == 1 else "s")


class Columns:
    """A line with text on its left, cut where it meets the text on its right.

    Args:
        left: What may be cut.
        right: What may not.
    """

    def __init__(self, left: Text, right: Text | None = None) -> None:
        self.left = left
        self.right = right or Text()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The line, as wide as there is room."""
        width = options.max_width
        right = self.right.copy()
        right.truncate(max(0, width // 2), overflow="ellipsis")
        left = self.left.copy()
        room = width - right.cell_len - (1 if right.cell_len else 0)
        left.truncate(max(0, room), overflow="ellipsis", pad=True)
        if right.cell_len:
            left.append(" ").append_text(right)
        left.no_wrap, left.end = True, ""
        yield from console.render(left, options.update(no_wrap=True, overflow="crop"))
        yield Segment.line()
