"""Measures how many round trips of a call must wait for one another.

Requests are performed one by one on a real engine while a virtual clock counts round trips: one
request takes one tick, and the parts of a group are given to `max_concurrency` workers in order,
each as soon as it is free. The result depends on the operation alone, not on the machine.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.effects import Backoff, Concurrently
from langgraph_checkpoint_dynamodb.runners.sync import SyncRunner

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langgraph_checkpoint_dynamodb import DynamoDBSaver
    from langgraph_checkpoint_dynamodb.effects import Operation, Request
    from langgraph_checkpoint_dynamodb.settings import Settings


class DepthRunner(SyncRunner):
    """A runner that counts serial round trips in `clock`."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.clock = 0

    def _perform(self, request: Request[Any]) -> object:
        if not isinstance(request, (Concurrently, Backoff)):
            self.clock += 1
        return super()._perform(request)

    def _gather(self, operations: Sequence[Operation[Any]]) -> list[Any]:
        free = [self.clock] * min(self._limit, len(operations))
        results = []
        end = self.clock
        for operation in operations:
            self.clock = heapq.heappop(free)
            results.append(self.run(operation))
            heapq.heappush(free, self.clock)
            end = max(end, self.clock)
        self.clock = end
        return results


def measure_depth(saver: DynamoDBSaver) -> DepthRunner:
    """Have a saver's calls performed by a runner that counts their depth."""
    runner = DepthRunner(saver._settings)
    saver._runner.close()
    saver._runner = runner
    return runner
