"""Measures the requests, time and memory that a piece of work takes."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.calls import SaverCalls
    from benchmarks.metering import Meter

_MEBI = 1024 * 1024


class WrongResultError(Exception):
    """A contender did not return what was stored."""


@dataclass
class Row:
    """What was measured of one contender under one label. Figures are for one call.

    Attributes:
        label: What was done.
        requests: Calls to the service.
        depth: The longest chain of calls to the service that did not overlap.
        read_units: Consumed read units.
        write_units: Consumed write units.
        wall_ms: Time taken, with the delay of each call to the service.
        cpu_ms: Processor time of this process, all threads.
        peak_mb: By how much the resident memory of this process rose above what it was before.
        more: Further figures by name.
        remarks: What else there is to say, in words.
        points: Places of the row in plots: name of the plot, x, y.
    """

    label: str
    requests: float = 0
    depth: float = 0
    read_units: float = 0
    write_units: float = 0
    wall_ms: float = 0
    cpu_ms: float = 0
    peak_mb: float = 0
    more: dict[str, float] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    points: list[tuple[str, float, float]] = field(default_factory=list)


class Bench:
    """Runs a workload with one contender, and measures it.

    Attributes:
        calls: The calls of the contender.
        meter: Counts the requests of its clients.
        quick: Whether to do less, to check that everything works.
        rows: What was measured so far.
    """

    def __init__(self, calls: SaverCalls, meter: Meter, delay: float, *, quick: bool) -> None:
        self.calls = calls
        self.meter = meter
        self.quick = quick
        self.rows: list[Row] = []
        self._delay = delay

    @contextmanager
    def measured(self, label: str, calls: int = 1) -> Iterator[Row]:
        """Measure the block; the figures are divided by the number of calls in it."""
        self.meter.reset()
        row = Row(label)
        self.meter.delay = self._delay
        before = reset_peak()
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            yield row
            row.wall_ms = 1000 * (time.perf_counter() - wall) / calls
            row.cpu_ms = 1000 * (time.process_time() - cpu) / calls
            row.peak_mb = max(0, peak() - before) / _MEBI
        finally:
            self.meter.delay = 0
        reading = asdict(self.meter.read())
        for name, figure in reading.items():
            setattr(row, name, figure / calls)
        self.rows.append(row)


def require(found: object, expected: object, what: str) -> None:
    """Check a result.

    Raises:
        WrongResultError: It differs from what was expected.
    """
    if found != expected:
        raise WrongResultError(f"{what}: {_short(found)}, expected {_short(expected)}")


def reset_peak() -> int:
    """Reset the memory peak of this process, and return the bytes it uses now."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def peak() -> int:
    """Most bytes of memory that this process had since the last reset."""
    return _status("VmHWM")


def as_json(row: Row) -> dict[str, Any]:
    """The row as one process passes it to another."""
    return asdict(row)


def _status(name: str) -> int:
    """A figure of `/proc/self/status`, in bytes."""
    lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    figures = dict(line.split(":", 1) for line in lines)
    return 1024 * int(figures[name].split()[0])


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
