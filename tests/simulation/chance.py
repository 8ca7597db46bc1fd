"""Random schedules of several calls, more than can be explored in full, with crashes.

Everything is derived from a seed. A failing schedule is shrunk as long as it still fails, and
reported step by step.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.format.expiry import GRACE_SECONDS
from tests.simulation.explore import (
    DEAD,
    ENDED,
    GO,
    LOSE,
    PART,
    STALE,
    WAITING,
    Play,
    Step,
    story,
)
from tests.simulation.judging import Party
from tests.simulation.scenarios import ALL, LAST, beginning, calls
from tests.simulation.variants import NOW, VARIANTS
from tests.simulation.world import Universe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.simulation.explore import State

SCHEDULES = 40
"""Schedules of the same calls, which share one computation of the allowed results."""
_FAULTS = 3
_CALLS = (3, 3, 4)
_CLOCKS = (0, 0, GRACE_SECONDS // 2 - 1, 1 - GRACE_SECONDS // 2)
"""Clock offsets: no two clocks are `GRACE_SECONDS` apart."""
_TIMES = (NOW, LAST, LAST + GRACE_SECONDS // 2 - 1)
"""Times for scenarios with ageing bases. At the last time, they are expired only by some clocks."""


@dataclass
class Luck:
    """The result of a seed.

    Attributes:
        schedules: Number of schedules run.
        steps: Number of steps in them.
        failure: Report of the first failing schedule, shrunk as far as possible.
    """

    schedules: int = 0
    steps: int = 0
    failure: str = ""


def scenario(seed: int) -> Play:
    """The calls of a seed, and the settings that all its schedules share."""
    draw = Random(seed)  # noqa: S311 - a choice, not a secret
    variant = draw.choice(VARIANTS)
    universe = Universe()
    made = draw.choices(calls(variant), k=draw.choice(_CALLS))
    now = draw.choice(_TIMES) if variant.payloads.incremental else NOW
    parties = [
        Party(call, token, now + draw.choice(_CLOCKS))
        for call, token in zip(made, "ABCD", strict=False)
    ]
    return Play(
        universe,
        variant,
        beginning(universe, variant),
        parties,
        order=draw.randrange(1_000_000),
        page=draw.choice((1, 2, ALL)),
        faults=_FAULTS,
    )


def try_seed(seed: int, schedules: int = SCHEDULES) -> Luck:
    """Run some schedules of a seed, up to the first that fails."""
    play = scenario(seed)
    luck = Luck()
    for number in range(schedules):
        draw = Random(f"{seed} {number}")  # noqa: S311 - a choice, not a secret
        trail = _at_random(play, draw)
        luck.schedules += 1
        luck.steps += len(trail)
        if _goes_wrong(play, trail):
            short = shrink(play, trail)
            luck.failure = f"seed {seed}, schedule {number}:\n{story(play, short)}"
            return luck
    return luck


def shrink(play: Play, trail: Sequence[Step]) -> list[Step]:
    """Shrink a schedule that fails to a smaller one that still fails."""
    short = _finished(play, trail)
    while True:
        for candidate in _shorter(short):
            tried = _finished(play, candidate)
            if _size(tried) < _size(short) and _goes_wrong(play, tried):
                short = tried
                break
        else:
            return short


def _shorter(trail: list[Step]) -> Iterator[list[Step]]:
    parties = {step.party for step in trail}
    for party in parties:
        yield [step for step in trail if step.party != party]
    span = len(trail) // 2
    while span:
        for start in range(0, len(trail), span):
            yield trail[:start] + trail[start + span :]
        span //= 2
    for place, step in enumerate(trail):
        if step.kind in (LOSE, PART, STALE):
            yield [*trail[:place], Step(step.party, GO), *trail[place + 1 :]]
    for place in range(1, len(trail)):
        # The same step earlier: fewer switches between calls.
        moved = trail[place]
        for before in range(place):
            if trail[before].party == moved.party:
                rest = trail[:place] + trail[place + 1 :]
                yield [*rest[: before + 1], moved, *rest[before + 1 :]]


def _size(trail: Sequence[Step]) -> tuple[int, int, int, int]:
    """The size of a schedule: calls, faults, switches between calls, steps."""
    changes = sum(one.party != other.party for one, other in pairwise(trail))
    faults = sum(step.kind != GO for step in trail)
    return len({step.party for step in trail}), faults, changes, len(trail)


def _at_random(play: Play, draw: Random) -> list[Step]:
    state = play.first
    trail: list[Step] = []
    busy = -1
    while not play.over(state):
        options = [*play.steps(state)]
        plain = [step for step in options if step.kind == GO]
        same = [step for step in plain if step.party == busy]
        rare = [step for step in options if step.kind != GO]
        if rare and (not plain or draw.random() < 0.06):
            step = draw.choice(rare)
        elif same and draw.random() < 0.5:
            step = same[0]
        else:
            step = draw.choice(plain)
        busy = step.party
        trail.append(step)
        state, problems = play.after(state, step)
        if problems:
            break
    return trail


def _finished(play: Play, trail: Sequence[Step]) -> list[Step]:
    """The possible steps of a schedule, and those that complete the calls it begins."""
    state = play.first
    taken: list[Step] = []

    def take(step: Step) -> bool:
        nonlocal state
        taken.append(step)
        state, problems = play.after(state, step)
        return not problems

    for step in trail:
        if _can_be_taken(play, state, step) and not take(step):
            return taken
    for party in range(len(play.parties)):
        while state.places[party].status not in (WAITING, ENDED, DEAD):
            if not take(Step(party, GO)):
                return taken
    return taken


def _can_be_taken(play: Play, state: State, step: Step) -> bool:
    return step in set(play.steps(state._replace(faults=max(1, state.faults))))


def _goes_wrong(play: Play, trail: Sequence[Step]) -> bool:
    state = play.first
    for step in trail:
        state, problems = play.after(state, step)
        if problems:
            return True
    return bool(play.final(state))
