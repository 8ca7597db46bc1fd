"""Releases of this package, and the items they store."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from tests.older.sources import HERE, PACKAGES
from tests.support.values import checkpoint, config, metadata

if TYPE_CHECKING:
    from tests.older.sources import Items
    from tests.support.tables import Tables

Call = list[Any]
"""A method's name and its arguments, as a list."""

STORED_AT = 1_700_000_000
"""When the recorded items were stored, in seconds since the epoch."""
AT = config("t", "", "0001")
LARGE = "l" * 1200
TASKS: dict[str, list[list[Any]]] = {
    "asked": [["__interrupt__", "sure?"]],
    "done": [["log", "one"], ["branch:to:next", None]],
    "large": [["log", LARGE], ["out", 1], ["out", LARGE]],
    "resumed": [["__resume__", ["yes"]], ["log", "two"], ["out", 2]],
}
"""Writes of tasks, as LangGraph makes them."""


def put(checkpoint_id: str = "0001", thread_id: str = "t") -> Call:
    stored = checkpoint(checkpoint_id, log=["hi"])
    return ["put", [config(thread_id), stored, metadata(step=0), {}]]


def put_writes(task_id: str, writes: list[list[Any]], at: Any = AT) -> Call:
    return ["put_writes", [at, writes, task_id, f"~__pregel_pull, {task_id}"]]


def put_next() -> Call:
    """The next checkpoint of a graph whose channel `log` is a DeltaChannel."""
    made = {**checkpoint("0002"), "channel_versions": {"log": "2"}}
    counters = {"counters_since_delta_snapshot": {"log": [1, 1]}}
    return ["put", [AT, made, metadata(step=1, **counters), {}]]


RECORDED_CALLS = [
    put(),
    *(put_writes(task_id, writes) for task_id, writes in TASKS.items()),
    put_next(),
]
READ: Call = ["get_tuple", [AT]]


def put_state(step: int, size: int, parent: str | None) -> Call:
    """A checkpoint of a state that grows a little with each step."""
    text = Random(1).randbytes(size // 2).hex()  # noqa: S311 - data, not a secret
    state = [text, *(f"step {number}" for number in range(step))]
    made = checkpoint(f"{step:04}", state=state)
    return ["put", [config("d", "", parent), made, metadata(step=step), {}]]


DIFFERENCES_CALLS = [
    put_state(0, 200, None),
    put_state(1, 6000, "0000"),
    put_state(2, 6000, "0001"),
    put_state(3, 6000, "0002"),
]
"""A small checkpoint, one that is stored as a base, and two with differences to it."""


@dataclass(frozen=True)
class Release:
    """A release of this package.

    Attributes:
        name: The change that it precedes, or `now`; also the name of its recording.
        calls: The recorded calls.
        compression: Its compression setting.
        package: The folder of its code; `None` for the package of that name.
    """

    name: str
    calls: tuple[Call, ...] = tuple(RECORDED_CALLS)
    compression: str | None = None
    package: str | None = None

    def perform(self, tables: Tables, calls: list[Call], at: int = STORED_AT) -> list[Any]:
        """Make calls, each on the result of the ones before."""
        package = self.package or self.name
        home = PACKAGES / package
        if package != "now" and not home.exists():
            raise RuntimeError(f"{self.name} is not in {home}; see make older-writers")
        command = [sys.executable, str(HERE / "writers/release.py"), tables.engine.url]
        named = (tables.checkpoints, tables.writes, str(at), json.dumps(calls))
        found = str((Path() if package == "now" else home).resolve())
        compression = [] if self.compression is None else [self.compression]
        done = subprocess.run(  # noqa: S603 - our own script
            [*command, *named, *compression],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": found},
        )
        if done.returncode != 0:
            raise RuntimeError(f"{self.name} could not be run: {done.stderr}")
        answers: list[Any] = json.loads(done.stdout)
        return answers

    def write(self, tables: Tables) -> Items:
        """The items that it stores for the recorded calls."""
        tables.set_up()
        answers = self.perform(tables, [*self.calls])
        failed = [answer for answer in answers if isinstance(answer, dict)]
        if failed:
            raise RuntimeError(f"{self.name} could not write: {failed}")
        return {"checkpoints": tables.checkpoint_items(), "writes": tables.items_beside()}

    @property
    def recorded(self) -> Path:
        """The file with its recorded items."""
        return HERE / "recorded" / f"{self.name}.json"


BEFORE_TASK_ITEMS = Release("before-task-items")
"""The last release that stored each write in an item of its own."""
BEFORE_DIFFERENCES = Release("before-differences")
"""The last release that stored every checkpoint whole."""
NOW = Release("now")
RELEASES = (BEFORE_TASK_ITEMS, BEFORE_DIFFERENCES, NOW)
DIFFERENCES = Release("differences", tuple(DIFFERENCES_CALLS), "incremental", "now")
"""The items stored with `compression="incremental"`."""
