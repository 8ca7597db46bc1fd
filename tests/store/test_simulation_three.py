"""Three calls of a store, or of a cache, at once: some schedules at random, deaths included.

Every three calls under `TEST_ALL`; a sample of them in `make test`. All of it comes from seeds.
"""

from __future__ import annotations

from itertools import combinations_with_replacement
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from langgraph_checkpoint_dynamodb.store.ops import put
from tests.simulation.explore import GO, story
from tests.simulation.pairs import WITH_FAULT
from tests.store.judging import play
from tests.store.simulated import (
    CACHE_CALLS,
    CHUNKS,
    OF_CACHE,
    OF_STORE,
    STORE_CALLS,
    VECTOR_CALLS,
    VECTORS,
    Call,
    Variant,
)
from tests.support.effort import amount, spread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.simulation.explore import Play, Step

SCHEDULES = 20
"""Schedules of the same three calls."""
THREES = amount(10**6, 12)
"""How many threes of a variant are tried: all of them, or a sample."""
_FAULT = 0.06


def at_random(played: Play, draw: Random) -> tuple[list[Step], Sequence[str]]:
    """A schedule, up to its end or to where it goes wrong, and what is wrong."""
    state = played.first
    trail: list[Step] = []
    while not played.over(state):
        steps = [*played.steps(state)]
        plain = [step for step in steps if step.kind == GO]
        rare = [step for step in steps if step.kind != GO]
        step = draw.choice(rare if rare and draw.random() < _FAULT else plain)
        trail.append(step)
        state, problems = played.after(state, step)
        if problems:
            return trail, problems
    return trail, played.final(state)


def problems_of(variant: Variant, calls: Sequence[Call]) -> str:
    """The story of the first schedule of three calls that goes wrong."""
    played = play(variant, calls, WITH_FAULT)
    for number in range(SCHEDULES):
        draw = Random(f"{number} {[call.name for call in calls]}")  # noqa: S311 - no secret
        trail, problems = at_random(played, draw)
        if problems:
            return f"schedule {number}: {problems}\n{story(played, trail)}"
    return ""


def threes(kind: str, variant: Variant) -> list[tuple[Call, ...]]:
    calls = CACHE_CALLS if kind == "cache" else STORE_CALLS + VECTOR_CALLS * variant.vectors
    every = combinations_with_replacement(calls, 3)
    return [three for three in every if not all(call.reads for call in three)]


@pytest.mark.parametrize(
    ("kind", "variant"),
    [*(("store", one) for one in OF_STORE), *(("cache", one) for one in OF_CACHE)],
    ids=lambda one: getattr(one, "name", str(one)),
)
def test_three_calls_at_once_are_right_in_schedules_at_random(kind: str, variant: Variant) -> None:
    for three in spread(threes(kind, variant), THREES):
        problem = problems_of(variant, three)
        assert not problem, f"{' beside '.join(call.name for call in three)}\n{problem}"


def test_an_item_that_is_put_twice_beside_a_search_is_found() -> None:
    """The second put has no vectors, so the vectors that the search looks for are gone."""
    by_name = {call.name: call for call in STORE_CALLS + VECTOR_CALLS}
    names = (
        "batch(k, new namespace, delete l)",
        "put(k, large, without vectors)",
        "search(filter)",
    )

    assert not problems_of(VECTORS, [by_name[name] for name in names])


def test_a_delete_that_does_nothing_beside_two_puts_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    by_name = {call.name: call for call in STORE_CALLS}
    three = [by_name[name] for name in ("delete(k)", "put(k, small)", "search()")]
    assert not problems_of(CHUNKS, three)

    def nothing_done(*_: Any) -> Any:
        yield from ()

    monkeypatch.setattr(put, "_delete", nothing_done)

    assert "not one of" in problems_of(CHUNKS, three)
