"""Explores every schedule of a few calls, and skips states that were seen before."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from langgraph_checkpoint_dynamodb.requests.items import BatchWrite, QueryRunIndex, TransactPut
from tests.simulation.judging import Judge
from tests.simulation.processes import FORWARD
from tests.simulation.scenarios import ALL
from tests.simulation.variants import NOW
from tests.simulation.world import CHANGING, expired

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.simulation.judging import Party
    from tests.simulation.processes import Node
    from tests.simulation.variants import Variant
    from tests.simulation.world import Reply, Universe, World

WAITING, RUNNING, ENDED, DEAD = range(4)

GO, LOSE, PART, DIE, EXPIRE, STALE = "go", "lose", "part", "die", "expire", "stale"
"""A request takes effect and its response arrives; it takes effect but its response is lost, so the
SDK retries it; a batch is processed in part; the process crashes; DynamoDB deletes an expired item;
an eventually consistent read returns an earlier state."""


class Place(NamedTuple):
    """The progress of a call.

    Attributes:
        status: Whether the call waits, runs, has ended or crashed.
        node: The current point in the call.
        lost: The lost response to the current request.
        moments: For a read, the result it would have had at each time since its beginning.
    """

    status: int
    node: Node
    lost: Reply | None = None
    moments: frozenset[frozenset[tuple[str, str]]] = frozenset()


class State(NamedTuple):
    """Everything that determines the next steps.

    Attributes:
        world: What is stored.
        places: Progress of each call.
        before: Pairs of calls in which the first ended before the second began.
        faults: Faults that may still happen.
        past: Earlier worlds, if reads may be stale.
    """

    world: World
    places: tuple[Place, ...]
    before: frozenset[tuple[int, int]]
    faults: int
    past: tuple[World, ...] = ()


class Step(NamedTuple):
    """A step of a schedule.

    Attributes:
        party: The call that makes the step; -1 for the time to live.
        kind: What happens.
        detail: The expired item; how many worlds a stale read lags behind.
    """

    party: int
    kind: str
    detail: Any = None


@dataclass
class Report:
    """The result of an exploration.

    Attributes:
        states: Number of different states.
        steps: Number of steps between them.
        schedules: Number of schedules that these steps form.
        complete: Whether all schedules were explored.
        failures: Problems, each with the first schedule that led to it.
    """

    states: int = 0
    steps: int = 0
    schedules: int = 0
    complete: bool = True
    failures: dict[str, list[Step]] = field(default_factory=dict)


class Play:
    """Calls on a world, one step at a time.

    Args:
        universe: Creates the worlds.
        variant: How values are stored.
        world: The initial state.
        parties: The calls.
        order: Order in which the members of groups run.
        page: Most items on a page.
        faults: Most faults in a schedule.
        judge: Checks the results; `None` for the checks of a saver.
    """

    def __init__(
        self,
        universe: Universe,
        variant: Variant,
        world: World,
        parties: Sequence[Party],
        *,
        order: Any = FORWARD,
        page: int = ALL,
        faults: int = 0,
        judge: Any = None,
    ) -> None:
        self.judge = judge or Judge(universe, variant, world, parties, paged=page != ALL)
        self.parties = parties
        self.universe = universe
        self._page = page
        self._expiring = variant.ttl_seconds is not None
        self._relaxed = variant.relaxed
        known = (universe, world)
        scripts = [
            party.call.script(variant, party.token, party.now, order, known) for party in parties
        ]
        places = tuple(Place(WAITING, script.first) for script in scripts)
        self.first = State(world, places, frozenset(), faults)

    def steps(self, state: State) -> Iterator[Step]:
        """The possible next steps."""
        for party, place in enumerate(state.places):
            if place.status in (ENDED, DEAD):
                continue
            yield Step(party, GO)
            if not state.faults:
                continue
            request = place.node.request
            if isinstance(request, CHANGING) and place.lost is None:
                yield Step(party, LOSE)
            if isinstance(request, BatchWrite) and len(request.changes) > 1:
                yield Step(party, PART)
            if place.status == RUNNING:
                yield Step(party, DIE)
            if self._relaxed and may_be_stale(request):
                yield from (Step(party, STALE, ago + 1) for ago in range(len(state.past)))
        if self._expiring and any(place.status < ENDED for place in state.places):
            for item in expired(state.world, NOW):
                yield Step(-1, EXPIRE, item)

    def after(self, state: State, step: Step) -> tuple[State, list[str]]:
        """The state after a step, and the problems found."""
        party, kind, detail = step
        if kind == EXPIRE:
            return self._told(state._replace(world=self.universe.without(state.world, detail))), []
        place = state.places[party]
        if kind == DIE:
            return self._placed(state, party, place._replace(status=DEAD), 1), []
        if place.status == WAITING:
            state = self._begun(state, party)
            place = state.places[party]
        if place.node.ended is not None:  # A call without a request.
            return self._end(state, party, place)
        request: Any = place.node.request
        if kind == PART:
            world = self.universe.changed(state.world, request.changes[:1])
            reply = self.universe.left_over(request.changes[1:])
        elif place.lost is not None and isinstance(request, TransactPut) and not place.lost.error:
            # The SDK's retry carries the same token: the service does not process it again.
            world, reply = state.world, place.lost
        elif kind == STALE:
            world = state.world
            _, reply = self.universe.after(state.past[-detail], request, self._page)
        else:
            world, reply = self.universe.after(state.world, request, self._page)
        if world is not state.world:
            past = (*state.past, state.world) if self._relaxed else ()
            state = self._told(state._replace(world=world, past=past))
            place = state.places[party]
        if kind == LOSE:
            return self._placed(state, party, place._replace(lost=reply), 1), []
        place = place._replace(node=place.node.after(reply), lost=None)
        if place.node.ended is not None:
            state, problems = self._end(state, party, place)
        else:
            state, problems = self._placed(state, party, place, 0), []
        fault = kind in (PART, STALE)
        return (state._replace(faults=state.faults - 1) if fault else state), problems

    def final(self, state: State) -> tuple[str, ...]:
        """The problems of a final state."""
        ended = state.places
        done = frozenset(
            party
            for party, place in enumerate(ended)
            if place.status == ENDED
            and place.node.ended is not None
            and place.node.ended.error is None
            and not self.parties[party].call.reads
        )
        begun = self._begun_writers(state)
        before = frozenset(
            (first, second) for first, second in state.before if {first, second} <= begun
        )
        return self.judge.final(state.world, done, begun, before)

    def _begun_writers(self, state: State) -> frozenset[int]:
        return frozenset(
            party
            for party, place in enumerate(state.places)
            if place.status != WAITING and not self.parties[party].call.reads
        )

    def over(self, state: State) -> bool:
        """Whether no step is left."""
        return all(place.status in (ENDED, DEAD) for place in state.places)

    def _begun(self, state: State, party: int) -> State:
        ended = {
            (other, party) for other, place in enumerate(state.places) if place.status == ENDED
        }
        moments: frozenset[frozenset[tuple[str, str]]] = frozenset()
        if self.parties[party].call.reads and not self._relaxed:
            moments = frozenset([self.judge.seen(party, state.world)])
        place = state.places[party]._replace(status=RUNNING, moments=moments)
        state = self._placed(state, party, place, 0)
        return state._replace(before=state.before | ended)

    def _end(self, state: State, party: int, place: Place) -> tuple[State, list[str]]:
        ended = place.node.ended
        assert ended is not None
        problems = self.judge.ended(party, ended)
        if not problems and self.parties[party].call.reads and not self._relaxed:
            begun = self._begun_writers(state)
            problems = self.judge.read(party, ended, place.moments, begun, state.before)
        place = place._replace(status=ENDED, moments=frozenset())
        return self._placed(state, party, place, 0), problems

    def _told(self, state: State) -> State:
        """The state, with the results that running reads would have in its world added."""
        places = tuple(
            place._replace(moments=place.moments | {self.judge.seen(party, state.world)})
            if place.moments
            else place
            for party, place in enumerate(state.places)
        )
        return state._replace(places=places)

    @staticmethod
    def _placed(state: State, party: int, place: Place, faults: int) -> State:
        places = (*state.places[:party], place, *state.places[party + 1 :])
        return state._replace(places=places, faults=state.faults - faults)


def may_be_stale(request: Any) -> bool:
    """Whether a replica that lags behind may serve a request."""
    return isinstance(request, QueryRunIndex) or getattr(request, "consistent", True) is False


def explore(play: Play, most: int | None = None) -> Report:
    """Explore every schedule.

    Args:
        play: The calls.
        most: Stop after this many states; `None` for no limit.
    """
    report = Report()
    known: dict[State, int] = {}
    trail: list[Step] = []

    def fail(problems: Sequence[str]) -> None:
        for problem in problems:
            report.failures.setdefault(problem, [*trail])

    def visit(state: State) -> int:
        if state in known:
            return known[state]
        report.states += 1
        if play.over(state):
            fail(play.final(state))
            known[state] = 1
            return 1
        if most is not None and report.states >= most:
            report.complete = False
            return 0
        schedules = 0
        for step in play.steps(state):
            report.steps += 1
            trail.append(step)
            following, problems = play.after(state, step)
            if problems:
                fail(problems)
            else:
                schedules += visit(following)
            trail.pop()
        known[state] = schedules
        return schedules

    sys.setrecursionlimit(max(sys.getrecursionlimit(), 10_000))
    report.schedules = visit(play.first)
    return report


def story(play: Play, trail: Sequence[Step]) -> str:
    """A schedule as a readable report."""
    lines = []
    state = play.first
    for step in trail:
        lines.append(_line(play, state, step))
        state, problems = play.after(state, step)
        lines += [f"  -> {play.parties[step.party].call.name}: {one}" for one in problems]
        if step.party >= 0 and state.places[step.party].status == ENDED and not problems:
            ended = state.places[step.party].node.ended
            how = "ends" if ended is None or ended.error is None else f"raises {ended.error!r}"
            lines.append(f"  -> {play.parties[step.party].call.name} {how}")
    if all(place.status != RUNNING for place in state.places):
        lines += [f"  => {problem}" for problem in play.final(state)]
    return "\n".join(lines)


def _line(play: Play, state: State, step: Step) -> str:
    if step.party < 0:
        return f"the time to live deletes {step.detail.table.value} {step.detail.sort!r}"
    party = play.parties[step.party]
    who = f"{party.token} {party.call.name}"
    if step.kind == DIE:
        return f"{who} dies"
    request = state.places[step.party].node.request
    said = {GO: "", LOSE: "  [takes effect, the reply is lost]", PART: "  [only the first of them]"}
    again = " again" if state.places[step.party].lost is not None else ""
    if step.kind == STALE:
        return f"{who}: {told(request)}  [sees what was there {step.detail} changes ago]"
    return f"{who}{again}: {told(request)}{said[step.kind]}"


def told(request: Any) -> str:
    """A request on one line."""
    name = type(request).__name__
    match request:
        case TransactPut(puts):
            return f"{name} {[_key(put.key) for put in puts]}"
        case BatchWrite(changes):
            return f"{name} {[f'{type(c).__name__} {_key(c.key)}' for c in changes]}"
    for field_name in ("put", "key", "keys", "partition", "target"):
        found = getattr(request, field_name, None)
        if found is not None:
            return f"{name} {_key(getattr(found, 'key', found))}"
    return f"{name} {getattr(request, 'table', '')}"


def _key(key: Any) -> str:
    return "/".join(map(_key, key)) if isinstance(key, tuple) else str(key)
