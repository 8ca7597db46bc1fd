"""Searches by meaning beside changes, in every order of their requests, and after any death."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import pytest
from langgraph.store.base import GetOp, PutOp, SearchOp

from langgraph_checkpoint_dynamodb.store.ops import nearest
from tests.simulation.world import Universe
from tests.store.embedders import index
from tests.store.test_races import AT, KEY, NOW, does, ignore, made, process
from tests.support.effort import everything
from tests.threads.interleavings import Played, every_order

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb.requests.operations import Operation
    from langgraph_checkpoint_dynamodb.store import DynamoDBStore
    from tests.simulation.processes import Steps
    from tests.simulation.world import World

QUERY = "a"
BESIDE = PutOp(AT, "beside", {"text": "abb"})
OLD = PutOp(AT, KEY, {"text": "aab"})
MORTAL = (0, 1) if everything() else (0,)

CHANGES = {
    "another text": PutOp(AT, KEY, {"text": "ab"}),
    "less of it": PutOp(AT, KEY, {"text": "bbbba"}),
    "no vector": PutOp(AT, KEY, {"text": "aab", "n": 1}, False),
    "two vectors": PutOp(AT, KEY, {"text": "c", "more": "a"}, ["text", "more"]),
    "a delete": PutOp(AT, KEY, None),
}


PAIRS = list(combinations([one for one in CHANGES if one != "less of it"], 2))
"""One change of the text is as good as another here; two make very many orders."""


def embedding(now: float = NOW, **settings: Any) -> DynamoDBStore:
    """A process that embeds."""
    return process(now, index=index(fields=["text"]), **settings)


def searched(result: Any) -> Any:
    (found,) = result
    return tuple((one.key, repr(one.value), one.score) for one in found)


def begun(universe: Universe) -> World:
    return made(universe, (embedding(), BESIDE), (embedding(), OLD))


def look(universe: Universe, world: World, op: Any) -> Any:
    """What a fresh process finds."""
    return Played(universe, world, [does(embedding(), op)], [], ignore).results[0]


def results_beside(change: PutOp, search: SearchOp) -> tuple[set[Any], set[Any]]:
    """What a search finds beside a change, and what it may find."""
    universe = Universe()
    before = begun(universe)
    after = made(universe, (embedding(), BESIDE), (embedding(), OLD), (embedding(), change))
    allowed = {searched(look(universe, world, search)) for world in (before, after)}

    def make() -> list[Steps]:
        return [does(embedding(), search), does(embedding(), change)]

    found = {
        searched(played.results[0])
        for played in every_order(lambda _: begun(universe), make, mortal=(1,), universe=universe)
    }
    return found, allowed


@pytest.mark.parametrize(
    ("change", "limit"),
    [("another text", 1), *((change, 5) for change in CHANGES if change != "less of it")],
)
def test_a_search_beside_a_change_finds_what_was_or_what_will_be(change: str, limit: int) -> None:
    found, allowed = results_beside(CHANGES[change], SearchOp(AT, None, limit, 0, QUERY))
    assert found <= allowed
    assert len(found) == len(allowed)


def test_a_search_that_passed_over_what_was_put_anew_would_be_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def none(*_: object) -> Operation[nearest.Rescored]:
        yield from ()
        return nearest.Rescored([], [])

    monkeypatch.setattr(nearest, "_score", none)
    found, allowed = results_beside(CHANGES["another text"], SearchOp(AT, None, 5, 0, QUERY))
    assert not found <= allowed


@pytest.mark.sample(2)
@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_after_two_changes_and_any_death_an_item_is_found_by_what_it_is(
    first: str, second: str
) -> None:
    universe = Universe()
    search, get = SearchOp(AT, None, 5, 0, QUERY), GetOp(AT, KEY)
    expected = {}
    for op in (OLD, *CHANGES.values()):
        world = made(universe, (embedding(), BESIDE), (embedding(), op))
        expected[repr(_value(look(universe, world, get)))] = searched(look(universe, world, search))

    def make() -> list[Steps]:
        return [does(embedding(), CHANGES[first]), does(embedding(), CHANGES[second])]

    for played in every_order(lambda _: begun(universe), make, mortal=MORTAL, universe=universe):
        item = repr(_value(look(universe, played.world, get)))
        assert searched(look(universe, played.world, search)) == expected[item]


def _value(result: Any) -> Any:
    (found,) = result
    return found and found.value
