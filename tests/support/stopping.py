"""A saver whose process ends after a number of requests, and what it leaves in the tables."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field, replace
from itertools import permutations
from typing import TYPE_CHECKING, Any, NamedTuple

from langgraph_checkpoint_dynamodb import DynamoDBSaver
from langgraph_checkpoint_dynamodb.effects import (
    Backoff,
    BatchWrite,
    Concurrently,
    PutItem,
    Query,
    TransactPut,
)
from langgraph_checkpoint_dynamodb.keys import SPECS, Table
from langgraph_checkpoint_dynamodb.runners.sync import SyncRunner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from langgraph.checkpoint.base import CheckpointTuple
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, WriteRequestTypeDef

    from langgraph_checkpoint_dynamodb.effects import Operation, Request
    from langgraph_checkpoint_dynamodb.settings import Settings
    from tests.support.tables import Tables

EXHAUSTIVE = 3
"""Groups up to this size are run in every order, larger ones in a sample of them."""
SAMPLE = 3
CHANGING = (PutItem, TransactPut, BatchWrite)
"""Requests that change what is stored."""
BATCH = 25
"""Most changes in a BatchWriteItem."""


class StoppedError(Exception):
    """The process ended here."""


class Portions(NamedTuple):
    """How much the service does at once. It may always do less than it is asked to.

    Attributes:
        page: Most items of a page.
        batch: Most changes of a batch that are carried out; the others are handed back.
    """

    page: int
    batch: int


PIECEMEAL = Portions(page=2, batch=1)
WHOLE = Portions(page=100, batch=BATCH)


@dataclass(frozen=True)
class Plan:
    """How to run an operation and where to stop.

    Attributes:
        requests: Requests to perform before the end; `None` for all.
        order: Which order the members of groups are run in.
        portions: How much the service does at once.
    """

    requests: int | None
    order: int
    portions: Portions


class StoppingRunner(SyncRunner):
    """Performs requests one after the other, up to a point.

    Attributes:
        group_sizes: Sizes of the groups that were run.
    """

    def __init__(self, settings: Settings, plan: Plan, changed: Callable[[int], None]) -> None:
        super().__init__(settings)
        self.group_sizes: set[int] = set()
        self._plan = plan
        self._performed = 0
        self._changed = changed

    def _perform(self, request: Request[Any]) -> object:
        match request:
            case Concurrently(operations):
                return self._one_by_one(operations)
            case Backoff():
                return None
        if self._performed == self._plan.requests:
            raise StoppedError
        self._performed += 1
        reply = self._perform_a_portion(request)
        if isinstance(request, CHANGING):
            self._changed(self._performed)
        return reply

    def _perform_a_portion(self, request: Request[Any]) -> object:
        page, batch = self._plan.portions
        match request:
            case BatchWrite(changes) if len(changes) > batch:
                done = super()._perform(BatchWrite(changes[:batch]))
                assert done == ()
                return changes[batch:]
            case Query():
                request = replace(request, limit=min(request.limit or page, page))
        return super()._perform(request)

    def _one_by_one(self, operations: Sequence[Operation[Any]]) -> list[Any]:
        self.group_sizes.add(len(operations))
        results: dict[int, Any] = {}
        for position in ordering(len(operations), self._plan.order):
            results[position] = self.run(operations[position])
        return [results[position] for position in range(len(operations))]


class StoppingSaver(DynamoDBSaver):
    """A saver that performs its requests by a plan."""

    def __init__(self, plan: Plan, changed: Callable[[int], None], **settings: Any) -> None:
        super().__init__(**settings)
        self.runner = StoppingRunner(self._settings, plan, changed)
        self._runner = self.runner


def ordering(size: int, number: int) -> list[int]:
    """The order of that number, of those that groups of a size are run in."""
    members = list(range(size))
    if size <= EXHAUSTIVE:
        every = list(permutations(members))
        return list(every[number % len(every)])
    if number > 0:
        random.Random(number).shuffle(members)  # noqa: S311 - a sample, not a secret
    return members


def orders(group_sizes: set[int]) -> int:
    """How many orders cover groups of these sizes."""
    return max(
        (math.factorial(size) if size <= EXHAUSTIVE else SAMPLE for size in group_sizes), default=1
    )


Stored = dict[tuple[Table, str, str], "dict[str, AttributeValueTypeDef]"]
"""Every item of both tables, by table and key."""
Seen = dict[tuple[str, str, str], "CheckpointTuple"]
"""Every checkpoint a reader finds, by thread, namespace and id."""


def stored(tables: Tables) -> Stored:
    """Everything in the tables."""
    items = {Table.CHECKPOINTS: tables.checkpoint_items(), Table.WRITES: tables.write_items()}
    return {
        (table, item[spec.partition_key]["S"], item[spec.sort_key]["S"]): item
        for table, spec in SPECS.items()
        for item in items[table]
    }


def seen(saver: DynamoDBSaver) -> Seen:
    """Everything a reader finds, and that the newest of each namespace is what a run resumes from.

    A tuple holds the pending writes too, so equal tuples mean: nothing is lost and nothing added.
    """
    found: Seen = {}
    for one in saver.list(None):
        parts = one.config["configurable"]
        found[parts["thread_id"], parts["checkpoint_ns"], parts["checkpoint_id"]] = one
    for thread_id, checkpoint_ns in {key[:2] for key in found}:
        newest = max(key for key in found if key[:2] == (thread_id, checkpoint_ns))
        parts = {"thread_id": thread_id, "checkpoint_ns": checkpoint_ns}
        assert saver.get_tuple({"configurable": parts}) == found[newest]
    return found


@dataclass
class Experiment:
    """An operation on prepared tables, stopped after each of its requests in turn.

    Attributes:
        before: What a reader saw before the operation.
        after: What a reader sees after it, undisturbed.
        states: How many different states the stops left behind.
    """

    tables: Tables
    act: Callable[[DynamoDBSaver], object]
    settings: Mapping[str, Any] = field(default_factory=dict)
    portions: Portions = PIECEMEAL
    before: Seen = field(init=False)
    after: Seen = field(init=False)
    states: int = field(init=False, default=0)
    _before: Stored = field(init=False)
    _after: Stored = field(init=False)
    _now: Stored = field(init=False)

    def __post_init__(self) -> None:
        self._before = stored(self.tables)
        with self.reader() as reader:
            self.before = seen(reader)
            self.act(reader)
            self.after = seen(reader)
        self._after = self._now = stored(self.tables)

    def reader(self) -> DynamoDBSaver:
        """A fresh saver that knows nothing of the stopped one."""
        return self.tables.saver(client=self.tables.client, **self.settings)

    def stops(self) -> Iterator[Seen]:
        """What a fresh reader sees after each stop, then the call is repeated to its end.

        What follows a stop depends on what is stored alone. So of all the stops, in all orders of
        groups, those are made that leave something new behind: none that a mere read separates.
        """
        known: list[Stored] = []
        order, last = 0, 1
        while order < last:
            left, group_sizes = self._rehearse(order)
            last = max(last, orders(group_sizes))
            for requests, state in left:
                if state not in known:
                    known.append(state)
                    self._stop_after(requests, order)
                    assert self._now == state
                    with self.reader() as reader:
                        yield seen(reader)
                    self._repeat()
            order += 1
        self.states = len(known)

    def _rehearse(self, order: int) -> tuple[list[tuple[int, Stored]], set[int]]:
        """What is stored after each number of requests that ends in a change, and at first."""
        self._restore()
        left = [(0, self._before)]

        def changed(performed: int) -> None:
            left.append((performed, stored(self.tables)))

        with self._saver(Plan(None, order, self.portions), changed) as saver:
            self.act(saver)
        self._now = left[-1][1]
        assert self._now == self._after
        return left, saver.runner.group_sizes

    def _stop_after(self, requests: int, order: int) -> None:
        self._restore()
        stopped = False
        with self._saver(Plan(requests, order, self.portions), lambda _: None) as saver:
            try:
                self.act(saver)
            except StoppedError:
                stopped = True
        self._now = stored(self.tables)
        assert stopped or self._now == self._after

    def _repeat(self) -> None:
        """Make the call again: nothing may tell that it was ever stopped."""
        with self.reader() as again:
            self.act(again)
        self._now = stored(self.tables)
        over = sorted(map(str, self._now.keys() - self._after.keys()))
        missing = sorted(map(str, self._after.keys() - self._now.keys()))
        assert self._now == self._after, f"left over: {over}, missing: {missing}"

    def _saver(self, plan: Plan, changed: Callable[[int], None]) -> StoppingSaver:
        return StoppingSaver(
            plan,
            changed,
            checkpoints_table_name=self.tables.checkpoints,
            writes_table_name=self.tables.writes,
            client=self.tables.client,
            **self.settings,
        )

    def _restore(self) -> None:
        """Bring the tables back to what they held before the operation."""
        requests: list[tuple[str, WriteRequestTypeDef]] = []
        for key in self._now.keys() - self._before.keys():
            table, partition, sort = key
            spec = SPECS[table]
            primary = {spec.partition_key: {"S": partition}, spec.sort_key: {"S": sort}}
            requests.append((self._name(table), {"DeleteRequest": {"Key": primary}}))
        for key, item in self._before.items():
            if self._now.get(key) != item:
                requests.append((self._name(key[0]), {"PutRequest": {"Item": item}}))
        for start in range(0, len(requests), BATCH):
            batch: dict[str, list[WriteRequestTypeDef]] = {}
            for name, request in requests[start : start + BATCH]:
                batch.setdefault(name, []).append(request)
            left = self.tables.client.batch_write_item(RequestItems=batch)
            assert not left.get("UnprocessedItems")
        self._now = self._before

    def _name(self, table: Table) -> str:
        return {Table.CHECKPOINTS: self.tables.checkpoints, Table.WRITES: self.tables.writes}[table]
