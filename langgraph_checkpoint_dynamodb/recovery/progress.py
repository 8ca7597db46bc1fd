"""Reporting what is being restored."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeAlias

Say: TypeAlias = Callable[[str], object]
"""Called with a line of text for each step."""


def print_line(line: str) -> None:
    """Print a line to standard output."""
    sys.stdout.write(f"{line}\n")
