"""Terminal output of the examples: headings, labelled lines and tables, in colour on a terminal."""

from __future__ import annotations

import os
import sys

_CODES = {"bold": "1", "dim": "2", "green": "32", "yellow": "33", "cyan": "36"}
_STYLES = {
    "model": "cyan",
    "waits": "yellow",
    "human": "yellow",
    "answer": "green",
    "checked": "green",
}


def title(text: str) -> None:
    """Print a heading."""
    say("")
    say(paint(text, "bold"))


def line(label: str, text: str) -> None:
    """Print a line after its label."""
    padded = f"{label:<9}"
    say(f"  {paint(padded, _STYLES.get(label, 'dim'))} {text}")


def block(lines: list[str]) -> None:
    """Print the lines of a table; the first line is the header."""
    head, *rest = lines
    say(f"  {paint(head, 'dim')}")
    for each in rest:
        say(f"  {each}")


def say(text: str) -> None:
    """Print a line and flush, so that the output appears as the example runs."""
    print(text, flush=True)


def fail(text: str) -> None:
    """Print an error on standard error."""
    print(f"\nFAILED: {text}", file=sys.stderr, flush=True)


def paint(text: str, style: str) -> str:
    """Style the text if standard output supports colours."""
    if "NO_COLOR" in os.environ or not sys.stdout.isatty():
        return text
    return f"\x1b[{_CODES[style]}m{text}\x1b[0m"
