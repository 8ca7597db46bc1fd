"""Concurrent calls of one process, which share a cache: every schedule of their requests.

LangGraph stores the writes of several tasks and the next checkpoint from as many threads,
concurrently with readers. What one call learns must not make another call store or return less than
there is. Each schedule starts from the initial state, because a cache cannot be rewound.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest

from langgraph_checkpoint_dynamodb.errors import DynamoDBSaverError, TransportError
from langgraph_checkpoint_dynamodb.ops import chain
from langgraph_checkpoint_dynamodb.ops.memory import Memory
from langgraph_checkpoint_dynamodb.ops.memory_entries import entry_key
from tests.simulation.processes import BACKWARD, FORWARD, Ended
from tests.simulation.scenarios import (
    ALL,
    READS,
    THREAD,
    Call,
    _put_delta,
    _writes,
    beginning,
    in_turn,
    run,
)
from tests.simulation.variants import DELTA, NOW
from tests.simulation.world import Universe
from tests.support.effort import amount
from tests.support.values import config

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.simulation.processes import Steps
    from tests.simulation.variants import Variant
    from tests.simulation.world import World

GO, FAIL, LOSE = "go", "fail", "lose"
"""A request succeeds; fails without effect; takes effect but raises."""
Choice = tuple[int, str]

_READS = {call.name: call for call in READS}
NEWEST = _READS["get_tuple(newest)"]
HISTORY = _READS["history(0004)"]
AT_0004 = Call(
    "get_tuple(0004)", lambda saver: saver._get_tuple(config(THREAD, "", "0004")), reads=True
)
FIRST = Call("put_writes(0004, a)", _writes("0004", "a", ("log", "a")))
AGAIN = Call("put_writes(0004, a again)", _writes("0004", "a", ("log", "b"), ("log", "c")))
OTHER = Call("put_writes(0004, other)", _writes("0004", "other", ("log", "d")))
AFTER = Call(
    "history(0005)",
    lambda saver: saver._history(config(THREAD, "", "0005"), ["log"]),
    reads=True,
)
NEXT = Call("put(0005)", _put_delta("0005", "0004"))


@dataclass
class Going:
    """A call that is running or has ended.

    Attributes:
        call: The call.
        live: Its requests.
        request: The request it waits for; `None` before its beginning and after its end.
        begun: Whether it has begun.
        ended: Its result; `None` until its end.
        worlds: The worlds during the call.
    """

    call: Call
    live: Steps
    request: Any = None
    begun: bool = False
    ended: Ended | None = None
    worlds: list[World] = field(default_factory=list)


class Process:
    """Calls of one process that has read the thread before.

    Args:
        universe: Creates the worlds.
        variant: How values are stored.
        world: The initial state.
        made: The calls. Those that store begin in this order: LangGraph begins to store a
            checkpoint after it has begun to store the writes that led to it.
        faults: Most requests that fail.
    """

    def __init__(
        self,
        universe: Universe,
        variant: Variant,
        world: World,
        made: tuple[Call, ...],
        faults: int,
    ) -> None:
        self._universe = universe
        self._faults = faults
        self.world = world
        self.saver = variant.saver("process", NOW)
        self.look(NEWEST)
        # Backward, so that the writes are read one request before everything is known.
        self.calls = [Going(call, call._steps(self.saver, BACKWARD)) for call in made]

    def choices(self) -> list[Choice]:
        """The possible next steps."""
        found: list[Choice] = []
        for number, going in enumerate(self.calls):
            if going.ended is not None or not self._may_begin(number):
                continue
            found.append((number, GO))
            if self._faults and going.begun and not going.call.reads:
                found += [(number, FAIL), (number, LOSE)]
        return found

    def take(self, choice: Choice) -> None:
        """Begin a call, or perform its next request."""
        number, how = choice
        going = self.calls[number]
        if not going.begun:
            going.begun = True
            self._hand(going, lambda: next(going.live))
            going.worlds.append(self.world)
            return
        world, reply = self._universe.after(self.world, going.request, ALL)
        if how != FAIL and world is not self.world:
            self.world = world
            for each in self.calls:
                if each.begun and each.ended is None:
                    each.worlds.append(world)
        if how != GO:
            self._faults -= 1
            error = TransportError(
                code="ConnectionClosedError", operation="PutItem", table_name="", message="closed"
            )
            self._hand(going, lambda: going.live.throw(error))
        elif reply.error is not None:
            self._hand(going, lambda: going.live.throw(reply.error()))
        else:
            self._hand(going, lambda: going.live.send(reply.value))

    def _may_begin(self, number: int) -> bool:
        if self.calls[number].call.reads:
            return True
        return all(going.begun for going in self.calls[:number] if not going.call.reads)

    def _hand(self, going: Going, go_on: Any) -> None:
        try:
            going.request = go_on()
        except StopIteration as stop:
            going.ended = Ended(value=stop.value)
        except DynamoDBSaverError as error:
            going.ended = Ended(error=error)

    def look(self, call: Call) -> Ended:
        """The result of a call of the same process alone."""
        live = call._steps(self.saver, FORWARD)
        try:
            request = next(live)
            while True:
                self.world, reply = self._universe.after(self.world, request, ALL)
                request = live.send(reply.value)
        except StopIteration as stop:
            return Ended(value=stop.value)
        except DynamoDBSaverError as error:
            return Ended(error=error)


class Schedules:
    """Every schedule of some calls, and the problems of each.

    Args:
        variant: How values are stored.
        made: The calls.
        faults: Most requests that fail in each schedule.
        most: Most schedules to run; `None` for all.

    Attributes:
        taken: Number of schedules run.
    """

    def __init__(
        self, variant: Variant, made: tuple[Call, ...], faults: int, most: int | None = None
    ) -> None:
        self._most = most
        self._variant = variant
        self._made = made
        self._faults = faults
        self._universe = Universe()
        self._world = beginning(self._universe, variant)
        self._in_turn = [
            in_turn(self._universe, self._world, variant, [(call, "turn", NOW) for call in some])
            for size in range(len(made) + 1)
            for some in permutations([call for call in made if not call.reads], size)
        ]
        """The worlds after some of the calls in sequence: what a concurrent reader may find."""
        self._alone: dict[tuple[str, World, bool], str] = {}
        self.taken = 0

    def problems(self) -> Iterator[str]:
        """The problems, each with its schedule."""
        ahead: list[tuple[Choice, ...]] = [()]
        while ahead and self.taken != self._most:
            trail = list(ahead.pop())
            process = Process(self._universe, self._variant, self._world, self._made, self._faults)
            for choice in trail:
                process.take(choice)
            while choices := process.choices():
                ahead += [(*trail, other) for other in choices[1:]]
                trail.append(choices[0])
                process.take(choices[0])
            self.taken += 1
            story = [f"{self._made[number].name}: {how}" for number, how in trail]
            yield from (f"{problem} after {story}" for problem in self._judge(process))

    def _judge(self, process: Process) -> Iterator[str]:
        for going in process.calls:
            assert going.ended is not None
            if going.call.reads:
                found = told(going.ended)
                worlds = (*going.worlds, *self._in_turn)
                if all(found != self._fresh(going.call, world) for world in worlds):
                    yield f"{going.call.name} returned {found}, never true in its time"
            elif not self._faults and going.ended.error is not None:
                yield f"{going.call.name} raised {going.ended.error!r}"
        for call in (HISTORY, AFTER):
            true_now = self._fresh(call, process.world, carried=False)
            if self._fresh(call, process.world) != true_now:
                yield f"{call.name} by another process is not {true_now}"
            if told(process.look(call)) != true_now:
                yield f"{call.name} by the same process is not {true_now}"

    def _fresh(self, call: Call, world: World, *, carried: bool = True) -> str:
        """The result of a call in a new process, with or without carried writes."""
        key = (call.name, world, carried)
        if key not in self._alone:
            with pytest.MonkeyPatch.context() as patch:
                if not carried:
                    patch.setattr(chain, "read_carried", lambda *_: {})
                _, ended = run(self._universe, world, call.script(self._variant, "look"))
            self._alone[key] = told(ended)
        return self._alone[key]


def told(ended: Ended) -> str:
    """A call's result or error as text."""
    return repr(ended.value if ended.error is None else ended.error)


MEETINGS = (
    (FIRST, OTHER, NEXT),
    (FIRST, AGAIN, NEXT),
    (FIRST, NEXT, NEWEST),
    (FIRST, NEXT, AT_0004),
    (FIRST, NEXT, HISTORY),
)
LARGER = (AGAIN, FIRST, AT_0004, NEXT)


def named(made: tuple[Call, ...]) -> str:
    return ", ".join(call.name for call in made)


@pytest.mark.parametrize("faults", [0, 1], ids=["all goes well", "a request fails"])
@pytest.mark.parametrize("made", MEETINGS, ids=named)
def test_calls_of_one_process_at_the_same_time_make_nothing_shorter(
    made: tuple[Call, ...], faults: int
) -> None:
    schedules = Schedules(DELTA, made, faults)
    assert next(schedules.problems(), None) is None
    assert schedules.taken > 10


def test_nor_do_two_attempts_at_a_task_beside_a_reader() -> None:
    most = amount(5_000, 300)
    assert next(Schedules(DELTA, LARGER, faults=0, most=most).problems(), None) is None


def writes_under_way_are_passed_over(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Memory, "begin_writes", lambda *_: None)
    end = Memory.end_writes

    def ended(self: Memory, ref: Any, stored: Any, now: int) -> None:
        self._writes_under_way[entry_key("writes", ref)] += 1
        end(self, ref, stored, now)

    patch.setattr(Memory, "end_writes", ended)


def failed_writes_leave_no_doubt(patch: pytest.MonkeyPatch) -> None:
    end = Memory.end_writes
    patch.setattr(
        Memory, "end_writes", lambda self, ref, stored, now: end(self, ref, stored or (), now)
    )


def a_reader_takes_what_it_read_for_all_there_is(patch: pytest.MonkeyPatch) -> None:
    loaded = Memory.remember_writes
    patch.setattr(
        Memory,
        "remember_writes",
        lambda self, ref, some, _, now: loaded(self, ref, some, self.writes_epoch, now),
    )


@pytest.mark.parametrize(
    ("plant", "made", "faults"),
    [
        (writes_under_way_are_passed_over, (FIRST, NEXT, NEWEST), 0),
        (failed_writes_leave_no_doubt, (FIRST, NEXT, NEWEST), 1),
        (a_reader_takes_what_it_read_for_all_there_is, (FIRST, NEXT, AT_0004), 1),
    ],
    ids=["under way", "failed", "read"],
)
def test_it_is_seen_where_a_call_takes_for_known_what_is_not(
    plant: Any, made: tuple[Call, ...], faults: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    problem = next(Schedules(DELTA, made, faults).problems(), "")
    assert "history(0005) by another process is not" in problem
