"""Printing: results on standard output, everything else on standard error."""

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
"""Width if the output is not a terminal, so that files and pipes have unbroken lines."""
_CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def escape(text: str) -> str:
    """Escape control characters, so that stored text cannot control the terminal."""
    return _CONTROLS.sub(lambda found: ascii(found[0])[1:-1], text)


def escape_line(text: str) -> str:
    """Escape control characters and line feeds."""
    return escape(text.replace("\n", "\\n"))


def stdout() -> Console:
    """Return the console of standard output."""
    return _console(stderr=False)


def stderr() -> Console:
    """Return the console of standard error."""
    return _console(stderr=True)


def print_line(text: str, style: str = "", *, no_wrap: bool = False) -> None:
    """Print a line of the result. Rich's markup in it is not interpreted.

    Args:
        text: The line.
        style: Its style, as Rich names it.
        no_wrap: Whether a line that is wider than the terminal is kept whole, to be copied.
    """
    stdout().print(Text(escape(text), style=style), soft_wrap=no_wrap)


def print_notice(text: str, style: str = "", *, no_wrap: bool = False) -> None:
    """Print a line that is not a result to standard error. See `print_line`."""
    stderr().print(Text(escape(text), style=style), soft_wrap=no_wrap)


def print_json(value: object) -> None:
    """Print a value as JSON."""
    sys.stdout.write(f"{to_json(value)}\n")


def to_json(value: object) -> str:
    """Return a value as indented JSON, with control characters escaped."""
    readable = (sys.stdout.encoding or "").lower().startswith("utf")
    text = json.dumps(value, indent=2, ensure_ascii=not readable)
    return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def print_table(
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
        rows: The cells of each row.
        right: Positions of the columns that are aligned to the right.
        folded: Positions of the columns that wrap if the terminal is too narrow. The others are
            truncated.
        headed: Whether the names are printed.
    """
    table = Table(
        box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False, show_header=headed
    )
    aligned, wrapping = set(right), set(folded)
    for position, name in enumerate(head):
        table.add_column(
            name,
            justify="right" if position in aligned else "left",
            overflow="fold" if position in wrapping else "ellipsis",
            no_wrap=position not in wrapping,
        )
    for row in rows:
        cells = (cell if isinstance(cell, Text) else Text(escape_line(str(cell))) for cell in row)
        table.add_row(*cells)
    stdout().print(table)


def counted(number: int, name: str) -> str:
    """Return a number with its noun: `1 thread`, `2 threads`."""
    return f"{number:,} {name}{'' if number == 1 else 's'}"


def byte_size(number: float) -> str:
    """Return a number of bytes in a readable unit: `10 B`, `1.5 MB`."""
    for unit in ("B", "KB", "MB", "GB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:,.1f} TB"


def utc_minute(when: datetime) -> str:
    """Return a time to the minute. The time must be in UTC."""
    return f"{when:%Y-%m-%d %H:%M}"


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = _WIDE
    return console
