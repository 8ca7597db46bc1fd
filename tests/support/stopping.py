"""A saver whose process stops after a number of requests, and what it leaves stored."""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import count, permutations
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from langgraph_checkpoint_dynamodb.errors import DynamoDBSaverError
from langgraph_checkpoint_dynamodb.format.expiry import GRACE_SECONDS
from langgraph_checkpoint_dynamodb.format.keys import BASES_DELETED_SORT_KEY
from langgraph_checkpoint_dynamodb.format.parts import PartAddress, object_key, part_address_of
from langgraph_checkpoint_dynamodb.format.tables import SPECS, Attribute, Key, Table
from langgraph_checkpoint_dynamodb.items.attributes import optional_number, read_key
from langgraph_checkpoint_dynamodb.items.checkpoints import read_checkpoint_head
from langgraph_checkpoint_dynamodb.items.payload_attributes import outside
from langgraph_checkpoint_dynamodb.items.writes_partition import (
    is_mark,
    part_keys,
    read_stored_object,
)
from langgraph_checkpoint_dynamodb.payloads.differences import MARK_RETENTION
from langgraph_checkpoint_dynamodb.payloads.kinds import S3Object
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
from tests.support.tables import sweep, with_payloads
from tests.support.walking import have_walked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from langgraph.checkpoint.base import CheckpointTuple
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, WriteRequestTypeDef

    from langgraph_checkpoint_dynamodb.ops.context import Context
    from langgraph_checkpoint_dynamodb.requests.operations import Operation, Request
    from tests.support.buckets import Bucket
    from tests.support.tables import Tables
    from tests.support.walking import Walk

NOW = 4_000_000_000
"""The time at every call, so that the time does not make two runs differ."""
EXHAUSTIVE = 3
"""Groups up to this size run in every order, larger groups in a sample of orders."""
SAMPLE = 3
INTERLEAVED = 2
"""Number of interleaved runs of groups: one round-robin, one random."""
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


Items = dict[tuple[Table, Key], "dict[str, AttributeValueTypeDef]"]
"""Every item of both tables, by table and key."""
Shape = Counter[tuple[bool, str]]
"""The stored items without the stamps that distinguish calls. The flag of each item says whether it
is a part of a value or a mark, which may be left to the sweep."""
Seen = dict[tuple[str, str, str], "CheckpointTuple"]
"""Every checkpoint that a reader finds, by thread, namespace and id."""


class Stored(NamedTuple):
    """Every item in the tables, and the entity tags of the objects in the bucket.

    Includes the marks of deletes: a reader that finds a mark reads its checkpoint again, so two
    states with different marks are not equal, and a state is restored with its marks.
    """

    items: Items
    objects: dict[str, str]

    def without_marks(self) -> Stored:
        """The same state without the marks of deletes."""
        kept = {place: item for place, item in self.items.items() if not _is_mark(place, item)}
        return Stored(kept, self.objects)


def marks(state: Stored) -> set[Key]:
    """Keys of the marks that deletes have left."""
    return {place[1] for place, item in state.items.items() if _is_mark(place, item)}


def _is_mark(place: tuple[Table, Key], item: Any) -> bool:
    if place[0] is Table.CHECKPOINTS:
        return place[1].sort == BASES_DELETED_SORT_KEY
    return is_mark(item)


def stored(tables: Tables, bucket: Bucket | None = None) -> Stored:
    """Read the state of the tables and the bucket."""
    found = {Table.CHECKPOINTS: tables.checkpoint_items(), Table.WRITES: tables.items_beside()}
    items = {(table, read_key(item, table)): item for table in found for item in found[table]}
    if bucket is None:
        return Stored(items, {})
    listed = bucket.client.list_objects_v2(Bucket=bucket.name)
    assert not listed["IsTruncated"]
    return Stored(items, {one["Key"]: one["ETag"] for one in listed.get("Contents", [])})


def shape(state: Stored) -> Shape:
    """The shape of a state: its items without stamps."""
    parts = {key: part_address_of(key.sort) for _, key in state.items}
    marked = marks(state)
    stamps = {address.stamp for address in parts.values() if address is not None}
    bases = {
        key: base
        for (table, key), item in state.items.items()
        if table is Table.CHECKPOINTS and (base := read_checkpoint_head(item, 0).base) is not None
    }
    for base in bases.values():
        # The keys of its objects contain a digest of its id.
        stamps |= {base.checkpoint_id, object_key("", base, PartAddress("", "")).split("/")[1]}
    for item in state.items.values():
        stamps |= {found.address.stamp for found in outside(item, "an item").values()}
    lines = [
        (
            parts[key] is not None or key in marked or key in bases,
            json.dumps(item, sort_keys=True, default=repr),
        )
        for (_, key), item in state.items.items()
    ]
    lines += [(True, f"{key} {tag}") for key, tag in state.objects.items()]
    for stamp in stamps:
        lines = [(part, line.replace(stamp, "*")) for part, line in lines]
    return Counter(lines)


def loose_ends(state: Stored) -> list[str]:
    """Items that no checkpoint refers to, and references to missing or earlier expiring items.

    Marks do not count: they have to stay for some time.
    """
    items = state.without_marks().items
    checkpoints, beside = (
        {key: item for (of, key), item in items.items() if of is table}
        for table in (Table.CHECKPOINTS, Table.WRITES)
    )
    heads = [read_checkpoint_head(item, 0) for item in checkpoints.values()]
    there = [head for head in heads if not head.deleted]
    refs = {ref.writes_partition: ref for head in there if (ref := head.owner) is not None}
    bases = {head.key: _expiry(checkpoints[head.key]) for head in there if head.base is not None}
    needed_bases: dict[Key, float] = {}
    for head in there:
        if (base := head.based_on) is not None:
            expiry = _expiry(checkpoints[head.key])
            needed_bases[base.key] = max(expiry, needed_bases.get(base.key, expiry))
    writes = {
        key: item
        for key, item in beside.items()
        if part_address_of(key.sort) is None and key.partition in refs
    }
    lives = {ref.key: checkpoints[ref.key] for ref in refs.values()}
    needed: dict[Key, float] = dict.fromkeys(writes, 0)
    objects = set()
    for ref, item in [
        *((ref, lives[ref.key]) for ref in refs.values()),
        *((refs[key.partition], item) for key, item in writes.items()),
    ]:
        for payload in outside(item, str(ref)).values():
            needed |= dict.fromkeys(part_keys(ref, payload), _expiry(item))
            if isinstance(payload, S3Object):
                objects.add(payload.key)
    led_to = {
        found.object_key
        for item in beside.values()
        if (found := read_stored_object(item)) is not None
    }
    return [
        *(f"needless base {key}" for key in bases.keys() - needed_bases.keys()),
        *(f"missing base {key}" for key in needed_bases.keys() - bases.keys()),
        *(
            f"short-lived base {key}"
            for key in bases.keys() & needed_bases.keys()
            if bases[key] < needed_bases[key]
        ),
        *(f"tombstone {head.key}" for head in heads if head.deleted),
        *(f"needless {key}" for key in beside.keys() - needed.keys()),
        *(f"missing {key}" for key in needed.keys() - beside.keys()),
        *(
            f"short-lived {key}"
            for key in needed.keys() & beside.keys()
            if _expiry(beside[key]) < needed[key]
        ),
        *(f"needless object {key}" for key in state.objects.keys() - (objects & led_to)),
        *(f"missing object {key}" for key in objects - state.objects.keys()),
    ]


def _expiry(item: Any) -> float:
    expires_at = optional_number(item, Attribute.TTL, "an item")
    return math.inf if expires_at is None else expires_at


def seen(saver: Saver) -> Seen:
    """Every checkpoint a reader finds. Checks that `get_tuple` returns the newest of a namespace.

    A tuple includes the pending writes, so if tuples are equal, no write is lost or added.
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
