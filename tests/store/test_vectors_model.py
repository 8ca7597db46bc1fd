"""Searches by meaning beside LangGraph's `InMemoryStore`: the same items, scores and order.

What InMemoryStore leaves open is settled here: what is equally similar, or has no vectors, is in
the order of namespaces and keys, and a put begins the vectors of an item anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from langgraph.store.base import PutOp, SearchItem, SearchOp
from langgraph.store.memory import InMemoryStore

from langgraph_checkpoint_dynamodb.store import similarity
from tests.store import embedders
from tests.store.faces import Store, StoreCalls, StoreTable, with_payloads
from tests.store.machines import run_machine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.support.calls import LoopThread
    from tests.support.engines import Engine

Namespace = tuple[str, ...]

FIELDS = ("text", "more[*].text")
LABELS = ("a", "b", "a:b", "\x01")
words = st.text("abcdefgh", max_size=6)
values = st.fixed_dictionaries(
    {},
    optional={
        "text": words,
        "kind": st.sampled_from(["x", "y"]),
        "n": st.integers(0, 3),
        "more": st.lists(st.fixed_dictionaries({"text": words}), max_size=3),
        "large": st.just("z" * 500),
    },
)
namespaces = st.lists(st.sampled_from(LABELS), min_size=1, max_size=6).map(tuple)
prefixes = st.lists(st.sampled_from(LABELS[:2]), max_size=5).map(tuple)
keys = st.sampled_from(["", "k", "k\0", "\0\0k", "k0", "é"])
indexes = st.none() | st.none() | st.just(False) | st.just(["text"]) | st.just(["n", "more[-1]"])
conditions = st.none() | st.sampled_from([{"kind": "x"}, {"n": {"$ne": 2}}, {"none": 1}])
amounts = st.integers(0, 4) | st.just(100)

puts = st.builds(PutOp, namespaces, keys, st.none() | values | values, indexes, st.none())
searches = st.builds(SearchOp, prefixes, conditions, amounts, amounts, words | words | st.none())


class Reference:
    """InMemoryStore, with what it leaves open settled."""

    def __init__(self, fields: tuple[str, ...]) -> None:
        self._index = embedders.index(fields=fields)
        self._items: dict[tuple[Namespace, str], PutOp] = {}

    def batch(self, ops: Iterable[Any]) -> list[Any]:
        ops = list(ops)
        store = InMemoryStore(index=self._index)
        for _, op in sorted(self._items.items()):
            for one in _each_text_alone(op):
                store.batch([one])
        results = [None if isinstance(op, PutOp) else _plain(*store.batch([op])) for op in ops]
        for op in ops:
            if isinstance(op, PutOp):
                self._items.pop((op.namespace, op.key), None)
                if op.value is not None:
                    self._items[op.namespace, op.key] = op
        return results


def _each_text_alone(op: PutOp) -> Iterable[PutOp]:
    """A put in several: InMemoryStore refuses one that has a text twice."""
    if op.index is False:
        return [op]
    paths = FIELDS if op.index is None else op.index
    alone = dict.fromkeys(path.replace("[*]", f"[{n}]") for path in paths for n in range(3))
    return [op._replace(index=[path]) for path in alone]


def _plain(result: Any) -> Any:
    if isinstance(result, list):
        return [(one.namespace, one.key, one.value, _score(one)) for one in result]
    return result


def _score(item: SearchItem) -> float | None:
    # The index tells distances in 32 bits.
    return None if item.score is None else round(item.score, 5)


@dataclass(frozen=True)
class World:
    """Where a machine runs."""

    table: StoreTable
    make: Callable[[], Store]
    loop: LoopThread | None


class Machine(RuleBasedStateMachine):
    """Puts and searches at random."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.reference = Reference(FIELDS)
        world.table.empty()
        self.store = world.make()

    def teardown(self) -> None:
        self.store.close()

    @rule(op=puts | searches)
    def do_one(self, op: Any) -> None:
        self._same([op])

    @rule(ops=st.lists(puts | puts | searches, max_size=8))
    def batch(self, ops: list[Any]) -> None:
        self._same(ops)

    @rule(query=words)
    def find_everything(self, query: str) -> None:
        self._same([SearchOp((), None, 1000, 0, query), SearchOp(("a",), None, 1000, 0, query)])

    def _same(self, ops: list[Any]) -> None:
        found = StoreCalls(self.store, self.world.loop).batch(ops)
        assert [_plain(one) for one in found] == self.reference.batch(ops), ops


def exact(table: StoreTable) -> Store:
    return table.quick(index=embedders.index(fields=FIELDS))


def elsewhere(table: StoreTable) -> Store:
    made = table.quick(index=embedders.index(fields=FIELDS), spread=3, filter_paths=["kind"])
    return with_payloads(made, inline_limit=300, chunk_bytes=200)


def by_index(table: StoreTable) -> Store:
    return table.quick(index=embedders.index(fields=FIELDS), vector_index="vectors")


@pytest.mark.sample(3)
@pytest.mark.parametrize("family", ["sync", "async"])
@pytest.mark.parametrize("make", [exact, elsewhere, by_index])
def test_every_search_finds_what_the_reference_does(
    unmade: StoreTable,
    engine: Engine,
    loop_thread: LoopThread,
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[StoreTable], Store],
    family: str,
) -> None:
    if make is by_index and not engine.searches_vectors:
        pytest.skip("this engine has no vector indexes")
    if make is elsewhere:
        monkeypatch.setattr(similarity, "_numpy", lambda: None)
    with make(unmade) as store:
        store.setup()
    world = World(unmade, partial(make, unmade), None if family == "sync" else loop_thread)
    run_machine(Machine, world)
