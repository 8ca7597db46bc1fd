"""The cache and LangGraph's `InMemoryCache` side by side: every call must give the same answer.

Beside them a store lives in the same table, of which no call of the cache may touch anything.
"""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from langgraph.cache import memory
from langgraph.cache.memory import InMemoryCache

from tests.cache.faces import CacheCalls, empty, quick_cache
from tests.store.faces import with_payloads
from tests.support.effort import amount

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cache.faces import Cache, FullKey, Namespace
    from tests.store.faces import Clock, Store, StoreTable
    from tests.support.calls import LoopThread

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", amount(40, 3)))
STEPS = 25

LABELS = ("", "a", "b", "a:b", "a.b", ".cache", "\0", "a\0b", "\U0001f600", "n" * 3000)
KEYS = ("", "k", "\0", ".", "a", "chunk/0/0/000000", "é", "k" * 5000)

namespaces = st.lists(st.sampled_from(LABELS[:5]) | st.sampled_from(LABELS), max_size=3).map(tuple)
pairs_of = st.tuples(namespaces, st.sampled_from(KEYS))
leaves = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False)
texts = st.sampled_from(["", "a", "é" * 90, "x" * 700]) | st.binary(max_size=300)
values = st.recursive(
    leaves | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner),
    max_leaves=6,
) | st.builds(tuple, st.lists(st.integers(0, 3)))
lives = st.none() | st.sampled_from([-1, 0, 1, 2, 60, 3600])


@dataclass(frozen=True)
class World:
    """Where a machine runs."""

    table: StoreTable
    clock: Clock
    make: Callable[[], Cache]
    loop: LoopThread | None
    page: list[int | None]
    store: Store


class Machine(RuleBasedStateMachine):
    """Calls at random."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        empty(world.table)
        self.reference: InMemoryCache[Any] = InMemoryCache()
        self._caches = [world.make()]
        world.store._memories.get().clear()
        world.store.put(("a",), "k", {"of": "the store"})

    def teardown(self) -> None:
        self.world.page[0] = None
        for cache in self._caches:
            cache.close()
        found = self.world.store.search(())
        assert [(one.namespace, one.key) for one in found] == [(("a",), "k")]
        assert self.world.store.list_namespaces() == [("a",)]

    @property
    def calls(self) -> CacheCalls:
        return CacheCalls(self._caches[-1], self.world.loop)

    @rule(keys=st.lists(pairs_of, max_size=6))
    def get(self, keys: list[FullKey]) -> None:
        self._same(keys)

    @rule()
    def get_everything(self) -> None:
        self._same([(space, key) for space, keys in self._held().items() for key in keys])

    @rule(pairs=st.dictionaries(pairs_of, st.tuples(values, lives), max_size=5))
    def set(self, pairs: dict[FullKey, tuple[Any, int | None]]) -> None:
        self.calls.set(pairs)
        self.reference.set(pairs)

    @rule(spaces=st.lists(namespaces, max_size=3))
    def clear(self, spaces: list[Namespace]) -> None:
        self.calls.clear(spaces)
        self.reference.clear(spaces)

    @rule(data=st.data())
    def clear_one_that_is_there(self, data: st.DataObject) -> None:
        if self._held():
            self.clear([data.draw(st.sampled_from(sorted(self._held())))])

    @rule()
    def clear_everything(self) -> None:
        self.calls.clear()
        self.reference.clear()
        assert [one for one in self.world.table.heads() if one["root"]["S"][0] == "."] == []

    @rule(seconds=st.sampled_from([0.25, 1, 2, 59.75, 4000, 20_000]))
    def wait(self, seconds: float) -> None:
        self.world.clock.now += seconds

    @rule()
    def use_another_process(self) -> None:
        self._caches.append(self.world.make())

    @rule(back=st.integers(1, 3))
    def go_back_to_a_process(self, back: int) -> None:
        self._caches.append(self._caches[-min(back, len(self._caches))])

    @rule(page=st.sampled_from([None, 1, 2]))
    def cut_pages(self, page: int | None) -> None:
        self.world.page[0] = page

    def _held(self) -> dict[Namespace, Any]:
        return self.reference._cache

    def _same(self, keys: list[FullKey]) -> None:
        found, expected = self.calls.get(keys), self.reference.get(keys)
        assert list(found) == list(expected)
        assert repr(found) == repr(expected)


def in_items(table: StoreTable, clock: Clock) -> Cache:
    return quick_cache(table, clock=clock)


def in_chunks(table: StoreTable, clock: Clock) -> Cache:
    cache = quick_cache(table, clock=clock, compression="gzip")
    return with_payloads(cache, inline_limit=300, chunk_bytes=60)


@pytest.mark.parametrize("make", [in_items, in_chunks])
def test_every_call_answers_as_langgraphs_own(
    monkeypatch: pytest.MonkeyPatch,
    table: StoreTable,
    clock: Clock,
    family: LoopThread | None,
    make: Callable[[StoreTable, Clock], Cache],
) -> None:
    page: list[int | None] = [None]

    def cut(params: dict[str, Any], **_: object) -> None:
        if page[0] is not None:
            params["Limit"] = min(page[0], params.get("Limit", page[0]))

    table.on("before-parameter-build.dynamodb.Query", cut)
    monkeypatch.setattr(memory, "datetime", _told_by(clock))
    with table.quick(clock=clock) as store:
        world = World(table, clock, partial(make, table, clock), family, page, store)
        machine: Any = partial(Machine, world)
        run_state_machine_as_test(
            machine,
            settings=settings(max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None),
        )


def _told_by(clock: Clock) -> SimpleNamespace:
    """The module `datetime`, for which it is as late as a clock says."""
    said = SimpleNamespace(now=lambda zone: dt.datetime.fromtimestamp(clock(), zone))
    return SimpleNamespace(datetime=said, timedelta=dt.timedelta, timezone=dt.timezone)
