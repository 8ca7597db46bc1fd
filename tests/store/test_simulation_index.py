"""Searches by the vector index beside changes, at every interleaving of their requests.

Whatever the index holds, such a search must find what an exact one finds, undisturbed, at one
moment between its beginning and its end.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from langgraph.store.base import SearchOp

from langgraph_checkpoint_dynamodb.requests.operations import done
from langgraph_checkpoint_dynamodb.store import UnsupportedIndexError
from langgraph_checkpoint_dynamodb.store.ops import nearest
from tests.simulation.explore import explore, story
from tests.simulation.pairs import ONE_ITEM_PAGES, PLAIN, WITH_FAULT
from tests.simulation.processes import BACKWARD
from tests.simulation.scenarios import ALL
from tests.store.indexed import IndexedUniverse
from tests.store.judging import play
from tests.store.simulated import AT, STORE_CALLS, VECTOR_CALLS, VECTORS, Call, ops

if TYPE_CHECKING:
    from tests.simulation.explore import Play
    from tests.simulation.pairs import Way

INDEXED = replace(VECTORS, name="index", indexed=True)
SEARCHES = (
    Call("search(prefix)", ops(SearchOp(AT, None, ALL)), reads=True),
    Call("search(prefix, filter)", ops(SearchOp(AT, {"text": {"$ne": ""}}, ALL)), reads=True),
)
"""With a prefix: a search of all namespaces does not use the index."""
NEAREST = Call("search(prefix, limit 1)", ops(SearchOp(AT, None, 1)), reads=True)
"""An index that lags behind may rank a new version of an item by the old one, and below others."""
CASES = [*((search, lagging) for search in SEARCHES for lagging in (False, True)), (NEAREST, False)]
CHANGES = [call for call in (*STORE_CALLS, *VECTOR_CALLS) if not call.reads]
WAYS = (PLAIN, replace(PLAIN, order=BACKWARD), WITH_FAULT, ONE_ITEM_PAGES)
MOST = 4_000
"""States of a pair."""


@pytest.fixture(autouse=True)
def _sdk() -> None:
    try:
        INDEXED.store("a", 0)
    except UnsupportedIndexError:
        pytest.skip("this SDK has no vector indexes")


def beside(
    universe: IndexedUniverse, change: Call, search: Call, way: Way, *, lagging: bool
) -> Play:
    """A change and a search by the index, judged by exact searches."""
    played = play(INDEXED, [change, search], way, universe, judged_by=VECTORS)
    if lagging:
        universe.indexed = played.first.world
    return played


@pytest.mark.sample(4)
@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize(
    ("search", "lagging"), CASES, ids=lambda one: getattr(one, "name", str(one))
)
def test_a_search_by_the_index_beside_a_change_finds_what_was_true_in_its_time(
    search: Call, way: Way, lagging: bool
) -> None:
    states = 0
    for change in CHANGES:
        universe = IndexedUniverse()
        played = beside(universe, change, search, way, lagging=lagging)
        report = explore(played, MOST)
        for trail in report.failures.values():
            pytest.fail(f"{change.name} beside {search.name}\n{story(played, trail)}")
        states += report.states
        assert universe.searches
    assert states > 100


def test_a_search_that_passes_over_what_the_index_does_not_hold_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def explored() -> Any:
        return explore(
            beside(IndexedUniverse(), CHANGES[0], SEARCHES[0], PLAIN, lagging=True)
        ).failures

    assert not explored()

    monkeypatch.setattr(nearest, "_score", lambda *_: done(nearest.Rescored([], [])))

    assert any("never true" in problem for problem in explored())
