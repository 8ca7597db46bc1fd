"""Runs each measurement in a process of its own, one after the other."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from benchmarks.measuring import Row

if TYPE_CHECKING:
    from collections.abc import Sequence

_SECONDS = 900
"""How long a process may take."""


@dataclass
class Outcome:
    """What a contender's process has said.

    Attributes:
        rows: What was measured, as far as it got.
        error: Why it stopped; `None` if it did not.
    """

    rows: list[Row] = field(default_factory=list)
    error: str | None = None


def run_module(module: str, arguments: Sequence[str]) -> Outcome:
    """Run a module of the benchmarks that prints an outcome as JSON."""
    command = [sys.executable, "-m", module, *arguments]
    try:
        done = subprocess.run(  # noqa: S603 - this very interpreter
            command, capture_output=True, timeout=_SECONDS, check=False, text=True
        )
    except subprocess.TimeoutExpired:
        return Outcome(error=f"was stopped after {_SECONDS} seconds")
    try:
        said: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        last = done.stderr.strip().splitlines()[-1:] or ["nothing"]
        return Outcome(error=f"ended with code {done.returncode}: {last[0]}")
    if said["error"]:
        sys.stderr.write(done.stderr)
    return Outcome([Row(**row) for row in said["rows"]], said["error"])
