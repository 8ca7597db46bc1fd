"""Every pair of calls, and the ways in which each pair is explored."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import combinations_with_replacement, product, repeat
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.format.expiry import GRACE_SECONDS
from tests.simulation.explore import Play, explore, story
from tests.simulation.judging import Party
from tests.simulation.processes import BACKWARD, FORWARD, TURNS
from tests.simulation.scenarios import ALL, LAST, Call, beginning, calls
from tests.simulation.variants import NOW, VARIANTS
from tests.simulation.world import Universe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.simulation.explore import Report
    from tests.simulation.variants import Variant


@dataclass(frozen=True)
class Way:
    """How a pair is explored.

    Attributes:
        order: Order in which the members of groups run.
        page: Most items on a page.
        faults: Most faults in a schedule.
        clocks: Offsets of the two clocks in seconds.
    """

    order: str = FORWARD
    page: int = ALL
    faults: int = 0
    clocks: tuple[int, int] = (0, 0)


PLAIN = Way()
WITH_FAULT = Way(faults=1)
ONE_ITEM_PAGES = Way(page=1)
WAYS = (
    PLAIN,
    Way(order=BACKWARD),
    Way(order=TURNS),
    WITH_FAULT,
    Way(order=TURNS, faults=1),
    ONE_ITEM_PAGES,
    Way(page=2, faults=1),
    Way(clocks=(3599, 0)),
    Way(clocks=(-3599, 0)),
)
"""Clock offsets stay within the margin of an hour."""
OF_BASES = (
    Way(clocks=(LAST - NOW, LAST + GRACE_SECONDS - 1 - NOW)),
    Way(clocks=(LAST + GRACE_SECONDS - 1 - NOW, LAST - NOW)),
)
"""By one clock, it is the last second in which a run may refer to the existing bases; by the other,
the last second before a call may delete them."""


def meeting(
    variant: Variant,
    names: Sequence[str],
    clocks: Sequence[int] | None = None,
    *,
    order: str = FORWARD,
    page: int = ALL,
    faults: int = 0,
) -> Play:
    """The initial state of a scenario with these calls.

    Args:
        variant: How values are stored.
        names: The calls.
        clocks: The time of each call's clock.
        order: Order in which the members of groups run.
        page: Most items on a page.
        faults: Most faults in a schedule.
    """
    by_name = {call.name: call for call in calls(variant)}
    parties = [
        Party(by_name[name], token, now)
        for name, token, now in zip(names, "ABC", clocks or repeat(NOW), strict=False)
    ]
    universe = Universe()
    world = beginning(universe, variant)
    return Play(universe, variant, world, parties, order=order, page=page, faults=faults)


@dataclass(frozen=True)
class Pair:
    """Two calls on the threads of a variant, in one of the ways."""

    variant: Variant
    first: Call
    second: Call
    way: Way

    @property
    def name(self) -> str:
        """The name of the pair."""
        return f"{self.variant.name}: {self.first.name} beside {self.second.name}, {self.way}"

    def play(self) -> Play:
        """The pair in its initial state."""
        return meeting(
            self.variant,
            [self.first.name, self.second.name],
            [NOW + off for off in self.way.clocks],
            order=self.way.order,
            page=self.way.page,
            faults=self.way.faults,
        )

    def explore(self, most: int | None = None) -> tuple[Report, str]:
        """Explore every schedule of the pair; also returns the report of the shortest failure."""
        play = self.play()
        report = explore(play, most)
        if not report.failures:
            return report, ""
        trail = min(report.failures.values(), key=len)
        return report, f"{self.name}\n{story(play, trail)}"


def pairs(ways: Sequence[Way], variants: Sequence[Variant] = VARIANTS) -> Iterator[Pair]:
    """Every pair of calls except two reads, in each of these ways."""
    for variant, way in product(variants, ways):
        for first, second in combinations_with_replacement(calls(variant), 2):
            if not (first.reads and second.reads):
                yield Pair(variant, first, second, way)


@cache
def every() -> tuple[Pair, ...]:
    """All pairs."""
    incremental = [variant for variant in VARIANTS if variant.payloads.incremental]
    return (*pairs(WAYS), *pairs(OF_BASES, incremental))
