"""Races on bases that need three calls, or clocks that differ.

A base is at risk when its last checkpoint is deleted while a run is about to refer to the base. So
one call deletes, one stores a newest checkpoint without the base, or reads, and one continues.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import pytest

from langgraph_checkpoint_dynamodb.format.expiry import GRACE_SECONDS
from langgraph_checkpoint_dynamodb.items.bases import was_deleted
from langgraph_checkpoint_dynamodb.ops import bases, thread_contents
from langgraph_checkpoint_dynamodb.payloads.differences import BASE_MAX_AGE
from langgraph_checkpoint_dynamodb.requests.items import PutItem
from tests.simulation.explore import ENDED, GO, Step, explore, story
from tests.simulation.pairs import meeting
from tests.simulation.scenarios import JUST, LAST
from tests.simulation.variants import INCREMENTAL, NOW

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.simulation.explore import Play, Report

    Patch = Callable[[pytest.MonkeyPatch], None]


def a_process_trusts_what_it_remembers_of_a_base(patch: pytest.MonkeyPatch) -> None:
    original = bases._load_base

    def find(context: Any, ref: Any, origin: Any) -> Any:
        found = context.memory.base(ref)
        if found is None:
            yield from original(context, ref, origin)
        else:
            context.bases.loaded[ref] = found

    patch.setattr(bases, "_load_base", find)


def the_mark_of_deleted_bases_is_looked_for_before_the_base(patch: pytest.MonkeyPatch) -> None:
    def find(context: Any, ref: Any, origin: Any) -> Any:
        yield from bases.read_bases_deleted_at(context, ref.thread_id)
        found = yield from bases._read_base(context, ref)
        if found is None and was_deleted(origin.created, context.bases.deleted_at[ref.thread_id]):
            context.bases.deleted.add(ref)
        context.bases.loaded[ref] = found

    patch.setattr(bases, "_load_base", find)


def a_prune_takes_bases_as_soon_as_their_life_ends(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(thread_contents, "is_settled", lambda created, now: created <= now - BASE_MAX_AGE)


@dataclass(frozen=True)
class Planted:
    """A planted race of three calls.

    Attributes:
        plant: Introduces the race.
        names: The calls.
        clocks: The time of each call's clock.
    """

    plant: Patch
    names: tuple[str, str, str]
    clocks: tuple[int, int, int] = (NOW, NOW, NOW)


PLANTED = (
    Planted(
        a_process_trusts_what_it_remembers_of_a_base,
        ("go on(0005)", "go on(0006)", "delete_thread(t)"),
    ),
    Planted(
        the_mark_of_deleted_bases_is_looked_for_before_the_base,
        ("go on(0005)", "get_tuple(newest)", "delete_thread(t)"),
    ),
    Planted(
        a_prune_takes_bases_as_soon_as_their_life_ends,
        ("go on(0005)", "put(0003)", "prune(t)"),
        (LAST, LAST, LAST + GRACE_SECONDS - 1),
    ),
)


@pytest.mark.sample(1)
@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.plant.__name__)
def test_a_planted_race_of_three_is_found_and_no_two_of_them_run_into_it(
    planted: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_right(planted.names, planted.clocks)
    planted.plant(monkeypatch)
    for two in combinations(range(3), 2):
        require_right([planted.names[one] for one in two], [planted.clocks[one] for one in two])
    assert explore(meeting(INCREMENTAL, planted.names, planted.clocks)).failures


@dataclass(frozen=True)
class Edge:
    """Calls whose clocks differ as much as allowed.

    Attributes:
        name: The limit that is tested.
        names: The calls.
        clocks: The time of each call's clock.
        beyond: The same with one second more between the clocks.
    """

    name: str
    names: tuple[str, ...]
    clocks: tuple[int, ...]
    beyond: tuple[int, ...]


EDGES = (
    Edge(
        "a prune spares what may be referred to",
        ("go on(0005)", "put(0003)", "prune(t)"),
        (LAST, LAST, LAST + GRACE_SECONDS - 1),
        (LAST, LAST, LAST + GRACE_SECONDS),
    ),
    Edge(
        "a delete marks what may be referred to",
        ("go on(0005)", "delete_thread(t)"),
        (LAST, LAST + GRACE_SECONDS - 1),
        (LAST, LAST + GRACE_SECONDS),
    ),
    Edge(
        "a mark speaks of what was stored after it",
        ("put(0003)", "delete_thread(t)"),
        (NOW + GRACE_SECONDS, NOW),
        (NOW + GRACE_SECONDS + 1, NOW),
    ),
)


@pytest.mark.parametrize("edge", EDGES, ids=lambda edge: edge.name)
def test_clocks_at_the_edge_of_their_margin_do_no_harm(edge: Edge) -> None:
    require_right(edge.names, edge.clocks)


@pytest.mark.parametrize("edge", EDGES, ids=lambda edge: edge.name)
def test_clocks_beyond_it_make_an_error_and_never_a_wrong_state(edge: Edge) -> None:
    require_errors_alone(explore(meeting(INCREMENTAL, edge.names, edge.beyond)))


def under_a_delete_long_ago(sweep: int) -> Play:
    """A run that has read a thread that was then deleted and is about to continue, and a sweep.

    Args:
        sweep: The time of the sweep's clock.
    """
    names = ("go on(0005)", "delete_thread(t)", "sweep_orphans()")
    play = meeting(INCREMENTAL, names, (LAST, JUST - GRACE_SECONDS, sweep))
    while not isinstance(play.first.places[0].node.request, PutItem):
        play.first, _ = play.after(play.first, Step(0, GO))
    while play.first.places[1].status != ENDED:
        play.first, _ = play.after(play.first, Step(1, GO))
    return play


def test_a_sweep_spares_the_mark_of_what_may_be_referred_to() -> None:
    require_all_right(under_a_delete_long_ago(LAST + GRACE_SECONDS - 1))


def test_a_sweep_whose_clock_is_beyond_the_margin_makes_an_error_and_never_a_wrong_state() -> None:
    require_errors_alone(explore(under_a_delete_long_ago(LAST + GRACE_SECONDS)))


def require_right(names: Sequence[str], clocks: Sequence[int]) -> None:
    require_all_right(meeting(INCREMENTAL, names, clocks))


def require_all_right(play: Play) -> None:
    report = explore(play)
    for problem, trail in report.failures.items():
        pytest.fail(f"{problem}\n{story(play, trail)}")
    assert report.complete


def require_errors_alone(report: Report) -> None:
    """Check that some schedules fail, and that a failure is always an error, never wrong data."""
    assert report.complete
    assert any("MissingPartError" in problem for problem in report.failures)
    for problem in report.failures:
        listed = "in the end " in problem and " is None; after" in problem
        assert "MissingPartError" in problem or "missing base" in problem or listed, problem
