"""Lets tests count, order, change or stop the requests of operations, whatever performs them."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from langgraph_checkpoint_dynamodb.requests.operations import Backoff, Compute
from langgraph_checkpoint_dynamodb.requests.relaying import relay
from langgraph_checkpoint_dynamodb.runners.client import concurrency

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from langgraph_checkpoint_dynamodb.requests.operations import Operation, Request
    from tests.support.savers import Saver

    Walk: TypeAlias = Generator[Any, Any, Any]


def perform(request: Request[Any]) -> Walk:
    """Perform a request unchanged."""
    return (yield request)


def have_walked(saver: Saver, way: Callable[[Operation[Any]], Walk]) -> None:
    """Make a saver perform its operations that way."""
    runner: Any = saver._runner  # type: ignore[attr-defined]  # every saver has one

    def walked(perform: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda operation: perform(way(operation))

    for name in ("run", "start", "pages"):
        if hasattr(runner, name):
            setattr(runner, name, walked(getattr(runner, name)))


@dataclass
class Depth:
    """Measures how many round trips of a call are sequential.

    Performs requests one by one while a virtual clock counts round trips: a request takes one tick,
    and the members of a group are assigned in order to the next free of so many workers. The result
    depends only on the operation, not on the machine.

    Attributes:
        workers: Requests in flight at once.
        clock: Serial round trips so far.
    """

    workers: int
    clock: int = 0

    def way(self, operation: Operation[Any]) -> Walk:
        """The operation, counted."""
        return relay(operation, self._one, self._group)

    def _one(self, request: Request[Any]) -> Walk:
        if not isinstance(request, (Backoff, Compute)):
            self.clock += 1
        return (yield request)

    def _group(self, operations: Sequence[Operation[Any]]) -> Walk:
        free = [self.clock] * min(self.workers, len(operations))
        results = []
        end = self.clock
        for operation in operations:
            self.clock = heapq.heappop(free)
            results.append((yield from self.way(operation)))
            heapq.heappush(free, self.clock)
            end = max(end, self.clock)
        self.clock = end
        return results


def measure_depth(saver: Saver) -> Depth:
    """Count the depth of a saver's calls."""
    depth = Depth(concurrency(saver._settings))
    have_walked(saver, depth.way)
    return depth
