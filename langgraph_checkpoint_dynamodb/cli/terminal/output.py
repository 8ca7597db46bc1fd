"""What is printed, and where: results to standard output, all else to standard error."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

_WIDE = 10_000
"""Width of what is no terminal: whoever reads it next has lines whole."""
_CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def clean(text: str) -> str:
    """Text of a table's, safe to be shown: no control character of it reaches the terminal."""
    return _CONTROLS.sub(lambda found: ascii(found[0])[1:-1], text)


def clean_line(text: str) -> str:
    """The same on one line."""
    return clean(text.replace("\n", "\\n"))


def out() -> Console:
    """Standard output."""
    return _console(stderr=False)


def err() -> Console:
    """Standard error."""
    return _console(stderr=True)


def say(text: str, style: str = "", *, whole: bool = False) -> None:
    """Print a line of the result. Nothing in it is taken for markup.

    Args:
        text: The line.
        style: Its style.
        whole: Whether it stays one line, to be copied, where it is longer than the terminal's.
    """
    out().print(Text(clean(text), style=style), soft_wrap=whole)


def tell(text: str, style: str = "", *, whole: bool = False) -> None:
    """Tell the user something that is no result. See `say`."""
    err().print(Text(clean(text), style=style), soft_wrap=whole)


def say_json(value: object) -> None:
    """Print a document."""
    sys.stdout.write(f"{json_text(value)}\n")


def json_text(value: object) -> str:
    """A document. What would steer a terminal is escaped in it, as JSON allows in its texts."""
    readable = (sys.stdout.encoding or "").lower().startswith("utf")
    text = json.dumps(value, indent=2, ensure_ascii=not readable)
    return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def say_rows(
    head: Iterable[str],
    rows: Iterable[Iterable[object]],
    *,
    right: Iterable[int] = (),
    folded: Iterable[int] = (0,),
    headed: bool = True,
) -> None:
    """Print a table.

    Args:
        head: Names of the columns.
        rows: The rows.
        right: Positions of the columns that are aligned to the right.
        folded: Positions of those that are folded where there is no room, and never cut off.
        headed: Whether the names are printed.
    """
    table = Table(
        box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False, show_header=headed
    )
    aligned, whole = set(right), set(folded)
    for position, name in enumerate(head):
        table.add_column(
            name,
            justify="right" if position in aligned else "left",
            overflow="fold" if position in whole else "ellipsis",
            no_wrap=position not in whole,
        )
    for row in rows:
        cells = (cell if isinstance(cell, Text) else Text(clean_line(str(cell))) for cell in row)
        table.add_row(*cells)
    out().print(table)


def count(number: int, name: str) -> str:
    """A number of things, in words."""
    return f"{number:,} {name}{'' if number == 1 else 's'}"


def size(number: float) -> str:
    """A number of bytes, in at most seven characters."""
    for unit in ("B", "KB", "MB", "GB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:,.1f} TB"


def moment(when: datetime) -> str:
    """A time, in UTC and to the minute."""
    return f"{when:%Y-%m-%d %H:%M}"


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = _WIDE
    return console
