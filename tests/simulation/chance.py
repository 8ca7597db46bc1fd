"""Several calls at random: more of them than every schedule can be taken of, crashes included.

All of it comes from a seed. A schedule that goes wrong is made shorter as long as it still does,
and told as a story.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.format.life import MARGIN
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
"""Schedules of the same calls: what they may lead to has to be found out but once."""
_FAULTS = 3
_CALLS = (3, 3, 4)
_CLOCKS = (0, 0, MARGIN // 2 - 1, 1 - MARGIN // 2)
"""How far a clock is off: no two are `MARGIN` apart."""
_TIMES = (NOW, LAST, LAST + MARGIN // 2 - 1)
"""What time it is where bases age. At the last, they are past their time by some clocks alone."""


@dataclass
class Luck:
    """What a seed has come to.

    Attributes:
        schedules: Schedules taken.
        steps: Steps in them.
        failure: The story of the first that went wrong, as short as it could be made.
    """

    schedules: int = 0
    steps: int = 0
    failure: str = ""


def scenario(seed: int) -> Play:
    """The calls of a seed, and all that is said once for them."""
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
    """Take some schedules of a seed, up to the first that goes wrong."""
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
    """A schedule that still goes wrong and has less in it."""
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
        # The same step earlier: fewer changes from one call to the other.
        moved = trail[place]
        for before in range(place):
            if trail[before].party == moved.party:
                rest = trail[:place] + trail[place + 1 :]
                yield [*rest[: before + 1], moved, *rest[before + 1 :]]


def _size(trail: Sequence[Step]) -> tuple[int, int, int, int]:
    """What makes a story long: calls, faults, changes of the call, steps."""
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
    """The steps of a schedule that can be taken, and those to the end of the calls they begin."""
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
