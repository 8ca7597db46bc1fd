"""The index of threads is never wrong, in whatever order requests take effect."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest

from langgraph_checkpoint_dynamodb.format.keys import THREAD_SORT_KEY
from langgraph_checkpoint_dynamodb.format.tables import Table
from langgraph_checkpoint_dynamodb.items.threads import read_thread_info
from langgraph_checkpoint_dynamodb.ops.reindex import reindex_threads
from langgraph_checkpoint_dynamodb.ops.threads import (
    ThreadsWanted,
    delete_threads,
    update_thread,
)
from langgraph_checkpoint_dynamodb.settings.saver import ThreadIndex
from tests.simulation.processes import FORWARD, steps
from tests.simulation.variants import NOW, Pickle
from tests.simulation.world import Universe
from tests.support.values import config
from tests.threads.interleavings import alone, every_order, one_by_one
from tests.threads.test_fencing import nothing, put, run, simulated

if TYPE_CHECKING:
    from collections.abc import Callable

    from langgraph_checkpoint_dynamodb import ThreadInfo
    from tests.simulation.processes import Steps
    from tests.simulation.variants import Saver
    from tests.simulation.world import World

LISTED: dict[str, Any] = {"thread_index": ThreadIndex(owner="user_id")}
OF_ANN = ThreadsWanted("ann")
IDLE_FOR_AN_HOUR = ThreadsWanted(idle_since=datetime.fromtimestamp(NOW - 3600, timezone.utc))
SETTINGS = [LISTED, {**LISTED, "on_conflict": "raise"}]


def listed_thread(universe: Universe) -> World:
    saver = simulated("before", **LISTED)
    world = alone(universe, universe.empty, put(saver, "0001", None, user_id="ann"))
    return alone(universe, world, put(saver, "0002", "0001", user_id="ann"))


def idle_thread(universe: Universe) -> World:
    """A thread whose last run started two hours ago."""
    saver = simulated("before", NOW - 7200, **LISTED)
    return alone(universe, universe.empty, put(saver, "0001", None, user_id="ann"))


def thread_from_before(universe: Universe) -> World:
    """A thread that was stored before the thread index existed."""
    saver = simulated("before")
    world = alone(universe, universe.empty, put(saver, "0001", None, user_id="ann"))
    return alone(universe, world, put(saver, "0002", "0001", user_id="ann"))


def waits(saver: Saver, task: str, channel: str = "__interrupt__", id_: str = "0002") -> Steps:
    value = ["question"] if channel == "__interrupt__" else "value"
    yield from one_by_one(saver._put_writes(config("t", "", id_), [(channel, value)], task, ""))
    return "waits"


def deletes(saver: Saver) -> Steps:
    yield from one_by_one(saver._delete_thread("t"))
    return "deleted"


def erases(saver: Saver, wanted: ThreadsWanted = OF_ANN) -> Steps:
    """Erase threads; returns the erased ones."""
    erasing = delete_threads(saver._context(), "by-owner", wanted, dry_run=False)
    erased = yield from steps(erasing, FORWARD)
    return [info.thread_id for info in erased]


def reindexes(saver: Saver) -> Steps:
    finding = reindex_threads(saver._context(), lambda metadata: metadata.get("user_id"))
    yield from steps(finding, FORWARD)
    return "found"


def runs_for_ann(saver: Saver) -> Steps:
    yield from put(saver, "a0", "0002", user_id="ann")
    yield from put(saver, "a1", "a0", user_id="ann")
    return "ran"


def copies(saver: Saver) -> Steps:
    yield from one_by_one(saver._copy_thread("t", "c"))
    return "copied"


def describes(saver: Saver, title: str | None, **metadata: Any) -> Steps:
    yield from one_by_one(update_thread(saver._context(), "t", title, metadata))
    return "described"


def checkpoints(world: World, thread_id: str = "t") -> set[str]:
    """The existing checkpoints of a thread, except those being deleted."""
    return {
        place.sort
        for place, entry in world.items.items()
        if place.table is Table.CHECKPOINTS
        and place.partition == thread_id
        and not place.sort.startswith("!!")
        and "deleted" not in entry.item
    }


def info(world: World, thread_id: str = "t") -> ThreadInfo | None:
    for place, entry in world.items.items():
        if place.sort == THREAD_SORT_KEY and place.partition == thread_id:
            return read_thread_info(entry.item, Pickle(), NOW)
    return None


def interrupted(world: World, id_: str = "0002") -> set[str]:
    """The tasks of a checkpoint that have stored an interrupt."""
    return {
        place.sort.partition(":::")[0]
        for place in world.items
        if place.table is Table.WRITES and place.partition.startswith(f"t:::{id_}:::")
        and place.sort.endswith(":::-3")
    }  # fmt: skip


def is_so(world: World) -> None:
    """What is recorded of the thread is true, or was before a delete that is in progress."""
    known = info(world)
    if known is None:
        return
    assert known.owner == "ann"
    if checkpoints(world):
        assert known.checkpoint_id in checkpoints(world)
    assert known.interrupts <= len(interrupted(world, known.checkpoint_id or ""))


@pytest.mark.parametrize("settings", SETTINGS, ids=["listed", "listed and fenced"])
def test_tasks_that_wait_side_by_side_are_all_told_or_none_that_did_not(
    settings: dict[str, Any],
) -> None:
    for played in every_order(
        listed_thread,
        lambda: [waits(simulated(f"{n}", **settings), f"task{n}") for n in range(2)],
        mortal=[0, 1],
        see=is_so,
    ):
        known = info(played.world)
        assert known is not None
        ended = [result == "waits" for result in played.results]
        assert known.interrupts >= sum(ended)


@pytest.mark.parametrize("begin", [nothing, listed_thread])
@pytest.mark.parametrize(
    "settings",
    [*SETTINGS, {**LISTED, "memory_bytes": 0}],
    ids=["listed", "listed and fenced", "listed without memory"],
)
def test_a_question_is_told_that_is_stored_beside_the_checkpoints_of_its_run(
    begin: Callable[[Universe], World], settings: dict[str, Any]
) -> None:
    def run_that_asks() -> list[Steps]:
        saver = simulated("a", **settings)
        return [puts(saver), waits(saver, "task", id_="a1")]

    def puts(saver: Saver) -> Steps:
        yield from put(saver, "a0", "0002" if begin is listed_thread else None, user_id="ann")
        yield from put(saver, "a1", "a0", user_id="ann")
        return "ran"

    for played in every_order(begin, run_that_asks):
        known = info(played.world)
        assert known is not None
        assert (known.status, known.interrupts, known.checkpoint_id) == ("waiting", 1, "a1")
        assert played.results == ["ran", "waits"]


@pytest.mark.parametrize("settings", SETTINGS, ids=["listed", "listed and fenced"])
def test_a_run_that_dies_anywhere_leaves_a_list_that_is_at_most_a_run_behind(
    settings: dict[str, Any],
) -> None:
    for played in every_order(
        listed_thread,
        lambda: [run(simulated("a", **settings), "a")],
        mortal=[0],
        see=is_so,
    ):
        known = info(played.world)
        assert known is not None
        if played.results[0] == "ran":
            assert known.checkpoint_id in {"a0", "a1"}


@pytest.mark.parametrize("first", [run, lambda saver, _: waits(saver, "task")], ids=["run", "wait"])
@pytest.mark.parametrize("settings", SETTINGS, ids=["listed", "listed and fenced"])
def test_a_delete_beside_a_run_leaves_no_thread_listed_that_is_not_there(
    settings: dict[str, Any], first: Callable[[Saver, str], Steps]
) -> None:
    for played in every_order(
        listed_thread,
        lambda: [first(simulated("a", **settings), "a"), deletes(simulated("d", **LISTED))],
        mortal=[0],
    ):
        known = info(played.world)
        assert (known is not None) <= bool(checkpoints(played.world))


@pytest.mark.parametrize("settings", SETTINGS, ids=["listed", "listed and fenced"])
def test_a_thread_that_a_run_begins_beside_a_delete_is_listed(settings: dict[str, Any]) -> None:
    for played in every_order(
        listed_thread,
        lambda: [run(simulated("a", **settings), "a", 1), deletes(simulated("d", **LISTED))],
    ):
        assert (info(played.world) is not None) is bool(checkpoints(played.world))


def test_a_delete_that_dies_is_still_found_by_who_lists_threads() -> None:
    for played in every_order(
        listed_thread, lambda: [deletes(simulated("d", **LISTED))], mortal=[0]
    ):
        if played.results[0] is None and checkpoints(played.world):
            assert info(played.world) is not None


def test_a_title_is_never_lost_to_a_run_nor_to_another_title() -> None:
    for played in every_order(
        listed_thread,
        lambda: [
            describes(simulated("x", **LISTED), "First"),
            describes(simulated("y", **LISTED), None, a=1),
            run(simulated("a", **LISTED), "a", 1),
        ],
        see=is_so,
    ):
        known = info(played.world)
        assert known is not None
        assert played.results == ["described", "described", "ran"]
        assert (known.title, dict(known.metadata)) == ("First", {"a": 1})


def test_a_copy_beside_a_run_is_listed_as_what_it_holds() -> None:
    for played in every_order(
        listed_thread,
        lambda: [copies(simulated("c", **LISTED)), run(simulated("a", **LISTED), "a", 1)],
    ):
        known = info(played.world, "c")
        assert known is not None
        assert known.checkpoint_id in checkpoints(played.world, "c")


@pytest.mark.parametrize("settings", SETTINGS, ids=["listed", "listed and fenced"])
def test_an_erasure_beside_a_run_leaves_no_thread_listed_that_is_not_there(
    settings: dict[str, Any],
) -> None:
    for played in every_order(
        listed_thread,
        lambda: [run(simulated("a", **settings), "a", 1), erases(simulated("e", **LISTED))],
    ):
        assert (info(played.world) is not None) is bool(checkpoints(played.world))
        assert played.results[1] == ["t"]
        assert "0001" not in checkpoints(played.world)


def test_two_erasures_at_once_leave_nothing() -> None:
    for played in every_order(
        idle_thread, lambda: [erases(simulated("d", **LISTED)), erases(simulated("e", **LISTED))]
    ):
        assert info(played.world) is None
        assert not checkpoints(played.world)


def test_an_erasure_that_dies_is_ended_by_its_repetition() -> None:
    universe = Universe()
    for played in every_order(
        listed_thread, lambda: [erases(simulated("d", **LISTED))], mortal=[0], universe=universe
    ):
        after = alone(universe, played.world, erases(simulated("e", **LISTED)))
        assert info(after) is None
        assert not checkpoints(after)


def test_an_idle_thread_that_runs_again_is_erased_whole_or_spared_whole() -> None:
    seen = set()
    for played in every_order(
        idle_thread,
        lambda: [
            run(simulated("a", **LISTED), "a", 1),
            erases(simulated("e", **LISTED), IDLE_FOR_AN_HOUR),
        ],
    ):
        erased = bool(played.results[1])
        assert ("0001" in checkpoints(played.world)) is not erased
        assert (info(played.world) is not None) is bool(checkpoints(played.world))
        if not erased:
            assert checkpoints(played.world) == {"0001", "a0"}
        # It lists first, and then checks again.
        looks = [able for able, chosen in played.choices if chosen == 1]
        if len(looks) == 1 or 0 not in looks[1]:
            assert not erased
        seen.add(erased)
    assert seen == {True, False}


@pytest.mark.parametrize("settings", SETTINGS, ids=["listed", "listed and fenced"])
def test_a_thread_that_is_found_beside_a_run_is_listed_as_it_is(settings: dict[str, Any]) -> None:
    for played in every_order(
        thread_from_before,
        lambda: [runs_for_ann(simulated("a", **settings)), reindexes(simulated("r", **LISTED))],
        see=is_so,
    ):
        known = info(played.world)
        assert known is not None
        assert known.checkpoint_id in checkpoints(played.world)
        assert played.results == ["ran", "found"]


def test_a_thread_that_is_found_beside_its_delete_is_not_listed_for_ever() -> None:
    universe = Universe()
    for played in every_order(
        thread_from_before,
        lambda: [deletes(simulated("d", **LISTED)), reindexes(simulated("r", **LISTED))],
        universe=universe,
    ):
        if info(played.world) is not None:
            after = alone(universe, played.world, erases(simulated("e", **LISTED)))
            assert info(after) is None
        assert not checkpoints(played.world)
