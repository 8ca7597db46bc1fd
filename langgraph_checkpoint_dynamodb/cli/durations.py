"""Durations as users type them."""

from __future__ import annotations

import re

import typer

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
_DURATION = re.compile(r"(\d{1,9})([smhdw])")


def parse_duration(text: str) -> int:
    """Return the seconds of a text such as `30d`, `12h`, `90m` or `45s`.

    Raises:
        BadParameter: The text is not a duration.
    """
    found = _DURATION.fullmatch(text)
    if found is None:
        raise typer.BadParameter(f"{text!r} is no time; write 45s, 90m, 12h, 30d or 4w")
    return int(found[1]) * _SECONDS[found[2]]
