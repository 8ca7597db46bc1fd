"""A saver whose process stops after a number of requests."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace
from itertools import count, permutations
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from langgraph_checkpoint_dynamodb.errors import DynamoDBSaverError
from langgraph_checkpoint_dynamodb.requests.items import (
    BatchWrite,
    DeleteIfOld,
    ExtendTtl,
    PutItem,
    Query,
    TransactPut,
)
from langgraph_checkpoint_dynamodb.requests.objects import CopyObject, DeleteObjects, PutObject
from langgraph_checkpoint_dynamodb.requests.operations import Backoff, Compute
from langgraph_checkpoint_dynamodb.requests.relaying import relay
from tests.support.savers import Saver

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from langgraph_checkpoint_dynamodb.ops.context import Context
    from langgraph_checkpoint_dynamodb.requests.operations import Operation, Request
    from tests.support.walking import Walk

NOW = 4_000_000_000
"""The time at every call, so that the time does not make two runs differ."""
EXHAUSTIVE = 3
"""Groups up to this size run in every order, larger groups in a sample of orders."""
SAMPLE = 3
CHANGING = (
    PutItem,
    TransactPut,
    BatchWrite,
    ExtendTtl,
    PutObject,
    CopyObject,
    DeleteIfOld,
    DeleteObjects,
)
"""Requests that change stored data."""
BATCH = 25
"""Most changes in a BatchWriteItem."""

SaverT = TypeVar("SaverT", bound=Saver)


class StoppedError(Exception):
    """Raised where the process stops."""


class Portions(NamedTuple):
    """How much the service processes at once. It may always process less than requested.

    Attributes:
        page: Most items of a page.
        batch: Most changes of a batch that are processed; the others are returned unprocessed.
    """

    page: int
    batch: int


PIECEMEAL = Portions(page=2, batch=1)
WHOLE = Portions(page=100, batch=BATCH)


@dataclass(frozen=True)
class Plan:
    """How to run an operation and where to stop.

    Attributes:
        portions: How much the service processes at once.
        order: Number of the order in which the members of groups run.
        interleaved: Whether the members take turns; else they run one after the other.
        requests: Requests to perform before the stop; `None` for all.
    """

    portions: Portions
    order: int = 0
    interleaved: bool = False
    requests: int | None = None


class Stopping:
    """Performs requests one after the other, up to the stop.

    Attributes:
        group_sizes: Sizes of the groups that were run.
    """

    def __init__(self, plan: Plan, changed: Callable[[int], None]) -> None:
        self.group_sizes: set[int] = set()
        self._plan = plan
        self._random = random.Random(plan.order)  # noqa: S311 - a sample, not a secret
        self._performed = 0
        self._changed = changed

    def way(self, operation: Operation[Any]) -> Walk:
        """The operation, up to the stop."""
        return relay(operation, self._one, self._group)

    def _one(self, request: Request[Any]) -> Walk:
        if isinstance(request, Backoff):
            return None
        if isinstance(request, Compute):
            return (yield request)
        if self._performed == self._plan.requests:
            raise StoppedError
        self._performed += 1
        reply = yield from self._a_portion(request)
        if isinstance(request, CHANGING):
            self._changed(self._performed)
        return reply

    def _a_portion(self, request: Request[Any]) -> Walk:
        page, batch = self._plan.portions
        match request:
            case BatchWrite(changes) if len(changes) > batch:
                done = yield BatchWrite(changes[:batch])
                assert done == ()
                return changes[batch:]
            case Query():
                request = replace(request, limit=min(request.limit or page, page))
        return (yield request)

    def _group(self, operations: Sequence[Operation[Any]]) -> Walk:
        """Run the members of a group, one request at a time."""
        size = len(operations)
        self.group_sizes.add(size)
        members = list(range(size)) if self._plan.interleaved else ordering(size, self._plan.order)
        running = {member: self.way(operations[member]) for member in members}
        asked: dict[int, Any] = {}
        results: dict[int, Any] = {}
        turns = count()
        while running:
            member = self._choose(list(running), next(turns))
            try:
                if member not in asked:
                    asked[member] = next(running[member])
                try:
                    reply = yield asked[member]
                except DynamoDBSaverError as error:
                    asked[member] = running[member].throw(error)
                else:
                    asked[member] = running[member].send(reply)
            except StopIteration as stop:
                results[member] = stop.value
                del running[member]
        return [results[member] for member in range(size)]

    def _choose(self, members: list[int], turn: int) -> int:
        if not self._plan.interleaved:
            return members[0]
        return self._random.choice(members) if self._plan.order else members[turn % len(members)]


def repeatable(saver: SaverT, name: str) -> SaverT:
    """Make the saver's calls use the same tokens in every run instead of random ones."""
    tokens = (f"{name}{number}" for number in count())
    kind: Any = type(saver)

    def context(self: Any) -> Context:
        made: Context = kind._context(self)
        return replace(made, stamp=replace(made.stamp, token=next(tokens)))

    # A method of the class, so that a copy with other settings has it too.
    saver.__class__ = type(kind.__name__, (kind,), {"_context": context})
    return saver


def ordering(size: int, number: int) -> list[int]:
    """The order with this number among those for groups of this size."""
    members = list(range(size))
    if size <= EXHAUSTIVE:
        every = list(permutations(members))
        return list(every[number % len(every)])
    if number > 0:
        random.Random(number).shuffle(members)  # noqa: S311 - a sample, not a secret
    return members


def orders(group_sizes: set[int]) -> int:
    """The number of orders to run for groups of these sizes."""
    return max(
        (math.factorial(size) if size <= EXHAUSTIVE else SAMPLE for size in group_sizes), default=1
    )
