"""The OpenTelemetry Collector as a separate process, and its output."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.engines import free_port, wait_until_open

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECONDS = 20


def is_installed() -> bool:
    """Whether a collector is available for this platform and Python."""
    return find_spec("rotel") is not None


@dataclass
class Point:
    """A metric's data point, or a span, as the collector wrote it.

    Attributes:
        name: Name of the metric or the span.
        attributes: Its attributes, as text.
        figures: `Value`, or `Count` and `Sum`.
    """

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)


@dataclass
class Collector:
    """A running collector.

    Attributes:
        url: Endpoint for OTLP over HTTP.
    """

    url: str
    _process: subprocess.Popen[bytes]
    _log: Path

    def points(self) -> list[Point]:
        """Stop the collector and read its output."""
        self._process.terminate()
        assert self._process.wait(_SECONDS) == 0
        return list(_points(self._log.read_text(encoding="utf-8")))


@contextmanager
def running_collector(folder: Path) -> Iterator[Collector]:
    """Run a collector that writes the data it receives to a file in the folder."""
    found = find_spec("rotel")
    assert found is not None
    assert found.origin is not None
    ports = {name: free_port() for name in ("http", "grpc")}
    endpoints = [f"--otlp-{name}-endpoint=127.0.0.1:{port}" for name, port in ports.items()]
    log = folder / "collected"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - the program of a package that is pinned
            [
                str(Path(found.origin).with_name("rotel-agent")),
                "start",
                *endpoints,
                "--exporter=blackhole",
                "--debug-log=metrics",
                "--debug-log=traces",
                "--debug-log-verbosity=detailed",
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
    try:
        wait_until_open("rotel", ports["http"], process)
        yield Collector(f"http://127.0.0.1:{ports['http']}", process, log)
    finally:
        process.kill()
        process.wait(_SECONDS)


def _points(text: str) -> Iterator[Point]:
    """Parse the output: a name, then points, each with attributes and figures."""
    name = ""
    point: Point | None = None
    for line in map(str.strip, text.splitlines()):
        label, _, value = line.removeprefix("-> ").partition(": ")
        if line.startswith(("Metric #", "Span #")):
            point = None
        if line.startswith("-> Name: "):
            name = value
        elif line.startswith(("NumberDataPoints #", "HistogramDataPoints #")):
            yield (point := Point(name))
        elif line.startswith("Name           : "):
            yield (point := Point(line.partition(" : ")[2]))
        elif point is not None and line.startswith("-> "):
            point.attributes[label] = value.partition("(")[2].removesuffix(")")
        elif point is not None and label in ("Value", "Count", "Sum"):
            point.figures[label] = float(value)
