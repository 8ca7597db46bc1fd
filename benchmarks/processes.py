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

_TIMEOUT_SECONDS = 900


@dataclass
class Outcome:
    """The output of a contender's process.

    Attributes:
        rows: What was measured until it ended.
        error: Why it failed; `None` if it did not.
    """

    rows: list[Row] = field(default_factory=list)
    error: str | None = None


def run_module(module: str, arguments: Sequence[str]) -> Outcome:
    """Run a module of the benchmarks that prints an outcome as JSON."""
    command = [sys.executable, "-m", module, *arguments]
    try:
        done = subprocess.run(  # noqa: S603 - this very interpreter
            command, capture_output=True, timeout=_TIMEOUT_SECONDS, check=False, text=True
        )
    except subprocess.TimeoutExpired:
        return Outcome(error=f"was stopped after {_TIMEOUT_SECONDS} seconds")
    try:
        said: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        last = done.stderr.strip().splitlines()[-1:] or ["nothing"]
        return Outcome(error=f"ended with code {done.returncode}: {last[0]}")
    if said["error"]:
        sys.stderr.write(done.stderr)
    return Outcome([Row(**row) for row in said["rows"]], said["error"])
