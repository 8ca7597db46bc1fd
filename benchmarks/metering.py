"""Counts and delays the calls of boto3 and aiobotocore clients, at botocore's call boundary."""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

_READS = frozenset({"GetItem", "BatchGetItem", "TransactGetItems", "Query", "Scan"})
_STARTED = "benchmarks_started"


class Registry(Protocol):
    """Where event handlers are registered: an aiobotocore session, or a boto3 session's events."""

    def register(self, event_name: str, handler: Any) -> None:
        """Register a handler for the events of that name."""


@dataclass(frozen=True)
class Span:
    """When a finished call began and ended."""

    start: float
    end: float


@dataclass(frozen=True)
class Reading:
    """The calls to the service.

    Attributes:
        requests: Number of calls.
        depth: Most calls that can be picked so that none overlaps another: the longest chain.
        read_units: Consumed read units.
        write_units: Consumed write units.
    """

    requests: int
    depth: int
    read_units: float
    write_units: float


class Meter:
    """Meters every client of the sessions it is attached to.

    Attributes:
        delay: Seconds added to each call, to simulate network latency.
    """

    def __init__(self) -> None:
        self.delay = 0.0
        self.reset()

    def reset(self) -> None:
        """Start again from zero."""
        self._spans: list[Span] = []
        self._read_units: list[float] = []
        self._write_units: list[float] = []

    @property
    def requests(self) -> int:
        """Number of calls since the last reset."""
        return len(self._spans)

    @property
    def read_units(self) -> float:
        """Consumed read units since then."""
        return sum(self._read_units)

    @property
    def write_units(self) -> float:
        """Consumed write units since then."""
        return sum(self._write_units)

    def read(self) -> Reading:
        """The calls since the last reset. It sorts all calls, so do not call it while measuring."""
        return Reading(
            requests=self.requests,
            depth=longest_chain(self._spans),
            read_units=self.read_units,
            write_units=self.write_units,
        )

    def attach(self, events: Registry, *, is_async: bool = False) -> None:
        """Meter the clients that will be created from a session."""
        events.register("before-parameter-build.dynamodb", _ask_for_capacity)
        events.register("before-call.dynamodb", self._abegin if is_async else self._begin)
        events.register("after-call.dynamodb", self._end)
        events.register("after-call-error.dynamodb", self._end)

    @contextmanager
    def statement(self) -> Iterator[None]:
        """Count the block as one call, without delay and without units."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self._spans.append(Span(start, time.perf_counter()))

    def _begin(self, context: dict[str, Any], **_: object) -> None:
        context[_STARTED] = time.perf_counter()
        if self.delay:
            time.sleep(self.delay)

    async def _abegin(self, context: dict[str, Any], **_: object) -> None:
        context[_STARTED] = time.perf_counter()
        if self.delay:
            await asyncio.sleep(self.delay)

    def _end(
        self, context: dict[str, Any], model: Any = None, parsed: Any = None, **_: object
    ) -> None:
        self._spans.append(Span(context[_STARTED], time.perf_counter()))
        if parsed is not None:
            units = self._read_units if model.name in _READS else self._write_units
            units.append(_consumed(parsed))


def longest_chain(spans: list[Span]) -> int:
    """Most spans that can be picked so that none overlaps another."""
    length = 0
    free = 0.0
    for span in sorted(spans, key=lambda span: span.end):
        if span.start >= free:
            length += 1
            free = span.end
    return length


def _ask_for_capacity(params: dict[str, Any], model: Any, **_: object) -> None:
    if "ReturnConsumedCapacity" in model.input_shape.members:
        params["ReturnConsumedCapacity"] = "TOTAL"


def _consumed(parsed: dict[str, Any]) -> float:
    consumed = parsed.get("ConsumedCapacity", [])
    tables = consumed if isinstance(consumed, list) else [consumed]
    return float(sum(table["CapacityUnits"] for table in tables))
