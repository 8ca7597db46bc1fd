"""Writes what was measured as Markdown."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.contenders import CONTENDERS, raw

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from benchmarks.measuring import Row
    from benchmarks.processes import Outcome
    from benchmarks.workloads import Workload

Results = dict[str, dict[str, "Outcome"]]
"""Outcomes by workload and contender."""

_PACKAGES = (
    "langgraph-checkpoint-dynamodb",
    "langgraph-checkpoint-aws",
    "langgraph-dynamodb-checkpoint",
    "langgraph-store-dynamodb",
    "langgraph-checkpoint-postgres",
    "deepagents",
    "langgraph",
    "langgraph-checkpoint",
    "boto3",
    "botocore",
    "aiobotocore",
)
_COLUMNS = (
    "contender",
    "requests",
    "serial",
    "read units",
    "write units",
    "ms",
    "CPU ms",
    "peak MB",
)


def write_report(
    path: Path,
    workloads: Iterable[Workload],
    results: Results,
    special: Sequence[str],
    plots: Mapping[str, str],
    *,
    delay: float,
    engine: str,
) -> None:
    """Write the whole report.

    Args:
        path: The file.
        workloads: What was run, in order.
        results: What came out.
        special: Sections about what not every contender takes part in.
        plots: Files of plots with their titles.
        delay: Seconds that each call to the service took longer.
        engine: Name of the engine.
    """
    parts = [_head(delay, engine)]
    parts += [f"![{title}]({file})" for file, title in plots.items()]
    for workload in workloads:
        if workload.name in results:
            parts.append(section(workload, results[workload.name]))
    parts += special
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def section(workload: Workload, outcomes: Mapping[str, Outcome]) -> str:
    """A workload's heading and tables, one table for each thing that was measured."""
    parts = [f"## {workload.title}"]
    if workload.note:
        parts.append(workload.note)
    labels = {row.label: None for outcome in outcomes.values() for row in outcome.rows}
    parts += [_labelled(label, outcomes) for label in labels]
    failed = {
        CONTENDERS[name].title: outcome.error
        for name, outcome in outcomes.items()
        if outcome.error is not None
    }
    parts += [f"**{title} failed:** {_plain(error)}" for title, error in failed.items()]
    parts += [
        f"**{CONTENDERS[name].title}:** {'; '.join(row.remarks)}."
        for name, outcome in outcomes.items()
        for row in outcome.rows
        if row.remarks
    ]
    return "\n\n".join(parts)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table. All columns but the first hold numbers."""
    rule = ["---", *["---:"] * (len(columns) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (columns, rule, *rows))


def figure(value: float) -> str:
    """A number with three digits that count, or all of them before the point."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _labelled(label: str, outcomes: Mapping[str, Outcome]) -> str:
    found = {
        name: row
        for name, outcome in outcomes.items()
        for row in outcome.rows
        if row.label == label
    }
    more = list(next(iter(found.values())).more)
    rows = [_cells(name, found.get(name), more) for name in outcomes]
    return f"### {label[0].upper()}{label[1:]}\n\n{table([*_COLUMNS, *more], rows)}"


def _cells(name: str, row: Row | None, more: Sequence[str]) -> list[str]:
    title = CONTENDERS[name].title
    if row is None:
        return [title, "failed", *[""] * (len(_COLUMNS) - 2 + len(more))]
    counts = (row.requests, row.depth, row.read_units, row.write_units)
    times = (row.wall_ms, row.cpu_ms, row.peak_mb)
    return [
        title,
        *(f"{round(count, 1):,g}" if count < 100_000 else f"{count:,.0f}" for count in counts),
        *map(figure, times),
        *(figure(row.more[name]) for name in more),
    ]


def _plain(error: str | None) -> str:
    return f"`{(error or '').replace('`', chr(39))}`"


def _head(delay: float, engine: str) -> str:
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return f"""# Benchmarks

Written by `make bench`; nothing here is edited by hand.

Every contender runs the same workload on the same data, in a process of its own against a fresh
{engine}, with its defaults. Each call to the service is made {1000 * delay:g} ms longer, as if a
region were that far away, so that round trips show as time.

- *requests*: calls to the service, at botocore's call boundary, where repeated attempts are one.
- *serial*: the longest chain of those calls of which none overlaps another.
- *read units*, *write units*: what the engine says it would charge. An eventually consistent read
  counts half; `langgraph-checkpoint-aws` makes all of its reads so.
- *ms*: time taken. *CPU ms*: processor time of the process, all of its threads.
- *peak MB*: by how much the resident memory of the process rose above what it was before (`VmHWM`
  of Linux, reset before). Python keeps memory for later, so small differences mean nothing.

A contender that fails, or does not give back what it was given, is shown as failed with what it
said. `raw boto3` is the floor: a checkpointer of {_raw_lines()} lines that keeps no guarantee that
would cost a request. `InMemorySaver` is there for scale.

{versions};
Python {platform.python_version()}, {platform.system()} on {platform.machine()},
{os.cpu_count()} cores."""


def _raw_lines() -> int:
    lines = Path(raw.__file__).read_text(encoding="utf-8").splitlines()
    return sum(1 for line in lines if line.strip())
