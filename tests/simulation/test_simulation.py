"""A quick sample of what `make simulate` explores.

Every pair of calls on inline values, on chunks and with a DeltaChannel, without faults; a sample of
all other pairs and ways; and some seeds.
"""

from __future__ import annotations

from itertools import combinations, islice, permutations
from typing import TYPE_CHECKING

import pytest

from langgraph_checkpoint_dynamodb.format.expiry import GRACE_SECONDS
from langgraph_checkpoint_dynamodb.format.tables import Key, Table
from langgraph_checkpoint_dynamodb.items.attributes import make_item
from langgraph_checkpoint_dynamodb.requests.calls import put_one
from langgraph_checkpoint_dynamodb.requests.items import Put
from tests.simulation.chance import scenario, shrink, try_seed
from tests.simulation.explore import DIE, GO, LOSE, Step, explore, story
from tests.simulation.pairs import (
    ONE_ITEM_PAGES,
    PLAIN,
    WITH_FAULT,
    Pair,
    Way,
    every,
    meeting,
    pairs,
)
from tests.simulation.processes import BACKWARD, FORWARD, TURNS, Script, steps
from tests.simulation.scenarios import beginning, calls
from tests.simulation.variants import CHUNKS, DELTA, INLINE, NOW, VARIANTS, Variant
from tests.simulation.world import Universe

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST = 4_000
"""Most states per pair. Few pairs have more without faults; `make simulate` explores those."""
SAMPLE = 60
SEEDS = range(1000, 1012)


@pytest.mark.sample(1)
@pytest.mark.parametrize("variant", [INLINE, CHUNKS, DELTA], ids=lambda variant: variant.name)
def test_every_pair_of_calls_is_right_at_every_interleaving(variant: Variant) -> None:
    explored = 0
    for pair in pairs([PLAIN], [variant]):
        report, failure = pair.explore(MOST)
        assert not failure, failure
        explored += report.states
    assert explored > 5_000


@pytest.mark.sample(0)
@pytest.mark.parametrize("way", [WITH_FAULT, ONE_ITEM_PAGES, Way(clocks=(3599, 0))], ids=repr)
def test_a_sample_of_the_other_ways_is_right(way: Way) -> None:
    chosen = [*pairs([way])]
    for pair in islice(chosen, 0, None, len(chosen) // SAMPLE):
        _, failure = pair.explore(MOST)
        assert not failure, failure


@pytest.mark.sample(4)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_seed_of_several_calls_is_right(seed: int) -> None:
    assert not try_seed(seed).failure


def test_every_call_meets_every_other_in_every_variant() -> None:
    met = {(pair.variant.name, pair.first.name, pair.second.name) for pair in every()}
    for variant in VARIANTS:
        made = calls(variant)
        kinds = {call.name.split("(")[0] for call in made}
        assert {"get_tuple", "list", "put", "put_writes", "delete_thread", "prune"} <= kinds
        assert {"delete_for_runs", "copy_thread", "sweep_orphans"} <= kinds
        for first in made:
            for second in made:
                either = {
                    (variant.name, first.name, second.name),
                    (variant.name, second.name, first.name),
                }
                assert (first.reads and second.reads) or either & met


def test_a_sweep_beyond_the_margin_of_clocks_makes_an_error_never_a_wrong_state() -> None:
    report = explore(
        meeting(CHUNKS, ["put(0003)", "sweep_orphans()"], [NOW - 2 * GRACE_SECONDS, NOW])
    )
    assert report.failures
    for problem in report.failures:
        assert "MissingPartError" in problem or "missing Key" in problem or "is None;" in problem


def _of_a_put(order: str) -> list[str]:
    """The sort keys of three concurrent puts, in the order in which they are sent."""

    def make() -> object:
        from langgraph_checkpoint_dynamodb.requests.operations import together

        keys = [Key("p", name) for name in "abc"]
        puts = [Put(Table.WRITES, key, make_item(Table.WRITES, key, {})) for key in keys]
        return steps(together([put_one(put) for put in puts]), order)

    universe = Universe()
    world = universe.empty
    node = Script(make).first  # type: ignore[arg-type]  # a generator of steps
    made = []
    while node.ended is None:
        request = node.request
        made.append(request.put.key.sort)  # type: ignore[union-attr]  # each is a PutItem
        world, reply = universe.after(world, request, 10)  # type: ignore[arg-type]  # not at its end
        node = node.after(reply)
    return made


def test_the_members_of_a_group_are_run_in_each_order() -> None:
    assert _of_a_put(FORWARD) == ["a", "b", "c"]
    assert _of_a_put(BACKWARD) == ["c", "b", "a"]
    assert sorted(_of_a_put(TURNS)) == ["a", "b", "c"]


def test_a_call_can_be_taken_up_again_at_any_point_with_another_reply() -> None:
    by_name = {call.name: call for call in calls(INLINE)}
    universe = Universe()
    full, empty = beginning(universe, INLINE), universe.empty
    node = by_name["get_tuple(newest)"].script(INLINE, "A").first
    assert node.request is not None
    _, found = universe.after(full, node.request, 10)
    _, nothing = universe.after(empty, node.request, 10)
    assert node.after(found).ended is None
    ended = node.after(nothing).ended
    assert ended is not None
    assert ended.value is None
    assert node.after(found) is node.after(found)


def test_the_same_seed_is_the_same_scenario() -> None:
    first, second = scenario(7), scenario(7)
    assert [party.call.name for party in first.parties] == [
        party.call.name for party in second.parties
    ]
    assert try_seed(7).steps == try_seed(7).steps


def test_a_schedule_that_goes_wrong_is_told_as_a_short_story(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from tests.simulation.test_planted import readers_pass_over_marks

    readers_pass_over_marks(monkeypatch)
    by_name = {call.name: call for call in calls(INLINE)}
    reads, deletes = by_name["get_tuple(newest)"], by_name["delete_thread(t)"]
    play = Pair(INLINE, reads, deletes, WITH_FAULT).play()
    long = [
        Step(1, GO),
        Step(0, GO),
        *[Step(1, LOSE), *[Step(1, GO)] * 7],
        Step(0, GO),
    ]
    short = shrink(play, long)
    told = story(play, short).splitlines()
    assert not any(step.kind in (LOSE, DIE) for step in short)
    assert told[0].startswith("A get_tuple(newest): Query t") or told[0].startswith("B delete")
    assert any("never true in its time" in line or "no order of calls" in line for line in told)


TASK_CALLS = (
    "put_writes(0002, other task)",
    "put_writes(0002, other task, resumed)",
    "put_writes(0002, other task, one)",
)


@pytest.mark.parametrize("read", ["get_tuple(newest)", "list(t)"])
@pytest.mark.parametrize("pair", [*combinations(TASK_CALLS, 2)], ids=" beside ".join)
@pytest.mark.parametrize("variant", [INLINE, CHUNKS], ids=lambda variant: variant.name)
def test_calls_of_one_task_that_hold_different_places_and_a_reader(
    variant: Variant, pair: tuple[str, str], read: str
) -> None:
    """Each place keeps the first value, and no reader sees another."""
    assert_right(variant, [*pair, read])


@pytest.mark.parametrize("order", [*permutations(TASK_CALLS)], ids=" then ".join)
def test_three_calls_of_one_task_that_hold_different_places(order: tuple[str, ...]) -> None:
    assert_right(INLINE, order)


def assert_right(variant: Variant, names: Sequence[str]) -> None:
    play = meeting(variant, names)
    report = explore(play)
    for problem, trail in report.failures.items():
        pytest.fail(f"{problem}\n{story(play, trail)}")
    assert report.complete
