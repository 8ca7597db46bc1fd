"""An operation stopped after each of its requests, and the states that it leaves."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.format.expiry import GRACE_SECONDS
from langgraph_checkpoint_dynamodb.format.tables import SPECS, Table
from langgraph_checkpoint_dynamodb.payloads.differences import MARK_RETENTION
from tests.support.stopping import (
    BATCH,
    NOW,
    PIECEMEAL,
    Plan,
    Portions,
    StoppedError,
    Stopping,
    orders,
    repeatable,
)
from tests.support.stored import Seen, Shape, Stored, loose_ends, marks, seen, shape, stored
from tests.support.tables import sweep, with_payloads
from tests.support.walking import have_walked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mypy_boto3_dynamodb.type_defs import WriteRequestTypeDef

    from tests.support.buckets import Bucket
    from tests.support.savers import Saver
    from tests.support.tables import Tables


INTERLEAVED = 2
"""Number of interleaved runs of groups: one round-robin, one random."""


@dataclass
class Experiment:
    """An operation on a stored state, stopped after each of its requests in turn.

    Attributes:
        before: What a reader saw before the operation.
        after: What a reader sees after the complete operation.
        left_over: What the complete operation leaves to the sweep, except for marks.
        states: Number of different states that the stops left.
    """

    tables: Tables
    act: Callable[[Saver], object]
    settings: Mapping[str, Any] = field(default_factory=dict)
    portions: Portions = PIECEMEAL
    payloads: Mapping[str, Any] = field(default_factory=dict)
    bucket: Bucket | None = None
    before: Seen = field(init=False)
    after: Seen = field(init=False)
    left_over: list[str] = field(init=False)
    states: int = field(init=False, default=0)
    _before: Stored = field(init=False)
    _after: Stored = field(init=False)
    _swept: Shape = field(init=False)
    _now: Stored = field(init=False)
    _group_sizes: set[int] = field(init=False, default_factory=set)
    _reads: list[tuple[Stored, Seen]] = field(init=False, default_factory=list)
    _contents: dict[str, bytes] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._before = self._now = self._stored()
        self.before = self._read()
        self._act("run")
        self._after = self._now
        self.left_over = loose_ends(self._after)
        self.after = self._read()
        self._sweep()
        self._swept = shape(self._now)
        assert self._read() == self.after

    def reader(self) -> Saver:
        """A new saver with an empty cache."""
        return self._saver()

    def stop_after(self, requests: int) -> None:
        """Run the operation on the state before it and stop after so many requests."""
        self._stop(Plan(self.portions, requests=requests))

    def stops(self) -> Iterator[Seen]:
        """What a new reader sees after each stop.

        Each state is then swept, which no reader may notice, and the operation is repeated in full.

        What follows a stop depends only on the stored state. So of all stops in all orders of
        groups, only those that leave a new state are tested; stops before a read add none. Stops in
        the first order are run; the states of the others are restored.
        """
        known: list[Stored] = []
        for plan in self._plans():
            for requests, state in self._rehearse(plan):
                if state in known:
                    continue
                known.append(state)
                if plan == Plan(self.portions):
                    self._stop(replace(plan, requests=requests))
                    assert self._now == state
                else:
                    self._restore(state)
                found = self._read()
                yield found
                if loose_ends(state):
                    self._sweep()
                    assert self._read() == found
                    self._restore(state)
                self._repeat()
        self.states = len(known)

    def _plans(self) -> Iterator[Plan]:
        order = 0
        while order < orders(self._group_sizes):
            yield Plan(self.portions, order)
            order += 1
        if max(self._group_sizes, default=1) > 1:
            for order in range(INTERLEAVED):
                yield Plan(self.portions, order, interleaved=True)

    def _rehearse(self, plan: Plan) -> list[tuple[int, Stored]]:
        """The initial state, and the state after each request that changes it."""
        self._restore(self._before)
        left = [(0, self._before)]

        def changed(performed: int) -> None:
            left.append((performed, self._stored()))

        stopping = Stopping(plan, changed)
        with repeatable(self._saver(), "run") as saver:
            have_walked(saver, stopping.way)
            self.act(saver)
        self._now = left[-1][1]
        assert self._now == self._after
        self._group_sizes |= stopping.group_sizes
        return left

    def _stop(self, plan: Plan) -> None:
        self._restore(self._before)
        stopped = False
        with repeatable(self._saver(), "run") as saver:
            have_walked(saver, Stopping(plan, lambda _: None).way)
            try:
                self.act(saver)
            except StoppedError:
                stopped = True
        self._now = self._stored()
        assert stopped or self._now == self._after

    def _sweep(self) -> None:
        """Remove all leftovers and the marks of deletes."""
        with self.reader() as sweeper:
            # Late enough to delete bases as well.
            sweep(sweeper, GRACE_SECONDS - MARK_RETENTION)
        self._now = self._stored()
        left = loose_ends(self._now)
        assert not left, left
        assert not marks(self._now)

    def _repeat(self) -> None:
        """Run the operation again: once swept, the state must not show that it was ever stopped.

        Only parts of values, and marks of what a second copy has replaced, may need sweeping.
        """
        self._act("again")
        now, after = shape(self._now), shape(self._after)
        missing = sorted(after - now)
        assert not missing, missing
        over = [line for swept, line in now - after if not swept]
        assert not over, over
        if now != self._swept:
            assert self._read() == self.after
            self._sweep()
        now = shape(self._now)
        assert now == self._swept, (sorted(self._swept - now), sorted(now - self._swept))

    def _read(self) -> Seen:
        """What a new reader sees. It depends only on the state, so each state is read once."""
        for state, found in self._reads:
            if state == self._now:
                return found
        with self.reader() as reader:
            self._reads.append((self._now, seen(reader)))
        return self._reads[-1][1]

    def _act(self, name: str) -> None:
        with repeatable(self._saver(), name) as saver:
            self.act(saver)
        self._now = self._stored()

    def _saver(self) -> Saver:
        quick = self.tables.quick(self.bucket)
        made = self.tables.saver(**{"clock": lambda: NOW, **quick, **self.settings})
        return with_payloads(made, **self.payloads)

    def _stored(self) -> Stored:
        found = stored(self.tables, self.bucket)
        if self.bucket is not None:
            for key, tag in found.objects.items():
                if tag not in self._contents:
                    got = self.bucket.client.get_object(Bucket=self.bucket.name, Key=key)
                    self._contents[tag] = got["Body"].read()
        return found

    def _restore(self, state: Stored) -> None:
        """Restore a state."""
        requests: list[tuple[str, WriteRequestTypeDef]] = []
        for table, key in self._now.items.keys() - state.items.keys():
            spec = SPECS[table]
            primary = {spec.partition_key: {"S": key.partition}, spec.sort_key: {"S": key.sort}}
            requests.append((self._name(table), {"DeleteRequest": {"Key": primary}}))
        for place, item in state.items.items():
            if self._now.items.get(place) != item:
                requests.append((self._name(place[0]), {"PutRequest": {"Item": item}}))
        for start in range(0, len(requests), BATCH):
            batch: dict[str, list[WriteRequestTypeDef]] = {}
            for name, request in requests[start : start + BATCH]:
                batch.setdefault(name, []).append(request)
            left = self.tables.client.batch_write_item(RequestItems=batch)
            assert not left.get("UnprocessedItems")
        if self.bucket is not None:
            name, client = self.bucket.name, self.bucket.client
            for gone in self._now.objects.keys() - state.objects.keys():
                client.delete_object(Bucket=name, Key=gone)
            for changed, tag in state.objects.items() - self._now.objects.items():
                client.put_object(Bucket=name, Key=changed, Body=self._contents[tag])
        self._now = state

    def _name(self, table: Table) -> str:
        return {Table.CHECKPOINTS: self.tables.checkpoints, Table.WRITES: self.tables.writes}[table]
