"""The store and LangGraph's `InMemoryStore` side by side: every call must give the same answer.

What InMemoryStore leaves open is settled here: results are in the order of namespaces and keys, a
namespace without items is none, and an item that cannot be ordered does not pass a filter that
orders. Lives are kept count of beside it, since it knows none.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from langgraph.store.base import (
    GetOp,
    ListNamespacesOp,
    MatchCondition,
    Op,
    PutOp,
    SearchItem,
    SearchOp,
)
from langgraph.store.memory import InMemoryStore, _compare_values

from tests.store.faces import Store, StoreCalls, StoreTable, with_payloads
from tests.store.machines import Pages, run_machine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tests.support.calls import LoopThread
    from tests.support.clocks import Clock

Namespace = tuple[str, ...]

LABELS = ("a", "ab", "a:b", "a/b", "*", " ", "\x01", "a\x01", "-", "é", "\U0001f600", "\uffff", "%")
KEYS = ("", "k", "\0", "\0\0k", ".", "a.b", "k\0\0k", "é", "*", "chunk/0/0/000000", "x" * 500)
FIELDS = ("x", "y", "tags", "$odd", "")

labels = st.sampled_from(LABELS)
namespaces = st.lists(st.sampled_from(LABELS[:6]) | labels, min_size=1, max_size=4).map(tuple)
prefixes = st.lists(st.sampled_from(LABELS[:6]), max_size=3).map(tuple)
keys = st.sampled_from(KEYS)
numbers = st.integers(-3, 3) | st.sampled_from([2**64, -(2**70), 1.5, -0.0, float("inf"), 2**2000])
leaves = st.none() | st.booleans() | numbers | st.sampled_from(["", "5", "a", "\ud800", "é" * 90])
contents = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner),
    max_leaves=6,
)
values = st.dictionaries(st.sampled_from(FIELDS), contents, max_size=4)
orders = st.sampled_from(["$gt", "$gte", "$lt", "$lte"])
operators = st.dictionaries(orders, st.sampled_from([-1, 0, 1.5, "2", True]), min_size=1) | (
    st.dictionaries(st.sampled_from(["$eq", "$ne"]), leaves, min_size=1)
)
conditions = st.none() | st.dictionaries(st.sampled_from(FIELDS[:3]), contents | operators)
paths = st.lists(st.sampled_from([*LABELS[:4], "*"]), max_size=3).map(tuple)
matchers = st.builds(MatchCondition, st.sampled_from(["prefix", "suffix"]), paths)
minutes = st.none() | st.none() | st.sampled_from([1, 2.5, 30])
amounts = st.integers(0, 4) | st.just(100)

gets = st.builds(GetOp, prefixes, keys, st.booleans())
searches = st.builds(
    SearchOp, prefixes, conditions, amounts, amounts, st.none() | st.just("cats"), st.booleans()
)
listings = st.builds(
    ListNamespacesOp,
    st.none() | st.lists(matchers, max_size=2).map(tuple),
    st.none() | st.integers(0, 4),
    amounts,
    amounts,
)
puts = st.builds(PutOp, namespaces, keys, st.none() | values | values, st.none(), minutes)


class Kept(NamedTuple):
    value: Mapping[str, Any]
    minutes: float | None
    expires: float | None


class Reference:
    """InMemoryStore, with what it leaves open settled."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._items: dict[tuple[Namespace, str], Kept] = {}

    def batch(self, ops: Iterable[Op]) -> list[Any]:
        ops = list(ops)
        now = self._clock.now
        self._items = {at: one for at, one in self._items.items() if not _over(one, now)}
        results = [self._result(op) for op in ops]
        for op, result in zip(ops, results, strict=True):
            if isinstance(op, (GetOp, SearchOp)) and op.refresh_ttl:
                for at, _ in [result] if isinstance(op, GetOp) and result else result or []:
                    self._items[at] = _used(self._items[at], now)
        for op in ops:
            if isinstance(op, PutOp):
                self._items.pop((op.namespace, op.key), None)
                if op.value is not None:
                    made = Kept(op.value, op.ttl, 0 if op.ttl is not None else None)
                    self._items[op.namespace, op.key] = _used(made, now)
        return results

    def _result(self, op: Op) -> Any:
        # A fresh one for each call: a mere look at a namespace has it listed.
        store = InMemoryStore()
        for (namespace, key), one in sorted(self._items.items()):
            store.put(namespace, key, dict(one.value))
        match op:
            case GetOp():
                return _plain(*store.batch([op]))
            case ListNamespacesOp():
                return store.batch([op])[0]
            case SearchOp():
                whole = op._replace(filter=None, limit=10**6, offset=0)
                found: Any = store.batch([whole])[0]
                kept = [one for one in found if _passes(one, op.filter)]
                kept.sort(key=lambda one: (one.namespace, one.key))
                return [_plain(one) for one in kept[op.offset :][: op.limit]]
        return None


def _over(one: Kept, now: float) -> bool:
    return one.expires is not None and one.expires <= now


def _used(one: Kept, now: float) -> Kept:
    return one if one.minutes is None else one._replace(expires=now + one.minutes * 60)


def _passes(item: Any, condition: dict[str, Any] | None) -> bool:
    try:
        return all(
            _compare_values(item.value.get(name), wanted)
            for name, wanted in (condition or {}).items()
        )
    except (TypeError, ValueError, OverflowError):
        return False


def _plain(item: Any) -> Any:
    """What an item is, but for its times, with the kinds of all its leaves."""
    return item and ((item.namespace, item.key), _told(item.value))


def _told(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _told(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_told(inner) for inner in value]
    return type(value).__name__, repr(value)


@dataclass(frozen=True)
class World:
    """Where a machine runs."""

    table: StoreTable
    clock: Clock
    make: Callable[[], Store]
    loop: LoopThread | None
    pages: Pages


class Machine(RuleBasedStateMachine):
    """Calls at random."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.reference = Reference(world.clock)
        world.table.empty()
        self._stores = [world.make()]

    def teardown(self) -> None:
        self.world.pages.limit = None
        for store in self._stores:
            store.close()

    @rule(op=puts)
    def put_one(self, op: PutOp) -> None:
        self._same([op])

    @rule(op=gets | searches | listings)
    def read(self, op: Op) -> None:
        self._same([op])

    @rule(ops=st.lists(gets | searches | listings | puts | puts, max_size=12))
    def batch(self, ops: list[Op]) -> None:
        self._same(ops)

    @rule()
    def find_everything(self) -> None:
        self._same([SearchOp((), None, 1000, 0), ListNamespacesOp(limit=1000)])

    @rule(hours=st.sampled_from([0.01, 0.04, 0.4, 4]))
    def wait(self, hours: float) -> None:
        self.world.clock.now += hours * 3600

    @rule()
    def use_another_process(self) -> None:
        self._stores.append(self.world.make())

    @rule(back=st.integers(1, 3))
    def go_back_to_a_process(self, back: int) -> None:
        self._stores.append(self._stores[-min(back, len(self._stores))])

    @rule(page=st.sampled_from([None, 1, 2]))
    def cut_pages(self, page: int | None) -> None:
        self.world.pages.limit = page

    def _same(self, ops: list[Op]) -> None:
        calls = StoreCalls(self._stores[-1], self.world.loop)
        found = calls.batch(ops)
        assert [_plainly(one) for one in found] == self.reference.batch(ops), ops


def _plainly(result: Any) -> Any:
    if isinstance(result, list):
        return [_plain(one) if isinstance(one, SearchItem) else one for one in result]
    return _plain(result)


def in_items(table: StoreTable, clock: Clock) -> Store:
    return table.quick(clock=clock)


def spread(table: StoreTable, clock: Clock) -> Store:
    return table.quick(clock=clock, spread=3, consistent_reads=True, compression="gzip")


def in_chunks(table: StoreTable, clock: Clock) -> Store:
    store = table.quick(clock=clock, filter_paths=["x", "y"], compression="zstd")
    return with_payloads(store, inline_limit=200, chunk_bytes=60)


@pytest.mark.parametrize("family", ["sync", "async"])
@pytest.mark.parametrize("make", [in_items, spread, in_chunks])
def test_every_call_answers_as_the_reference(
    table: StoreTable,
    clock: Clock,
    loop_thread: LoopThread,
    make: Callable[[StoreTable, Clock], Store],
    family: str,
) -> None:
    pages = Pages()
    pages.install(table)
    loop = None if family == "sync" else loop_thread
    world = World(table, clock, partial(make, table, clock), loop, pages)
    run_machine(Machine, world)
