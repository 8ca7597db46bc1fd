"""With `on_conflict="raise"`, no run forks a thread that another run has continued."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph

from langgraph_checkpoint_dynamodb import (
    DynamoDBSaver,
    InvalidInputError,
    ThreadConflictError,
    UnreadableItemError,
)
from langgraph_checkpoint_dynamodb.format.keys import THREAD_SORT_KEY
from langgraph_checkpoint_dynamodb.format.tables import Table
from langgraph_checkpoint_dynamodb.settings.client import ClientSettings
from langgraph_checkpoint_dynamodb.settings.saver import Settings, ThreadIndex
from tests.simulation.variants import NOW, Saver
from tests.support.calls import SyncCalls
from tests.support.effort import everything
from tests.support.tables import forget
from tests.support.values import checkpoint, config, metadata, put_chain
from tests.threads.interleavings import alone, every_order, one_by_one

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.simulation.processes import Steps
    from tests.simulation.world import Universe, World
    from tests.support.savers import Saver as RealSaver
    from tests.support.tables import Tables

FENCED: dict[str, Any] = {"on_conflict": "raise"}
SETTINGS = [FENCED, {**FENCED, "thread_index": ThreadIndex(owner="user_id")}]


# In every interleaving


def simulated(token: str, now: int = NOW, **settings: Any) -> Saver:
    client = ClientSettings(region_name="us-east-1")
    made = Settings(
        checkpoints_table_name="checkpoints",
        writes_table_name="writes",
        client=client,
        clock=lambda: now,
        **settings,
    )
    return Saver(made, token)


def put(saver: Saver, id_: str, parent: str | None, **said: Any) -> Steps:
    at = config("t", "", parent)
    operation, _ = saver._put(at, checkpoint(id_, value=1), metadata(source="input", **said))
    return one_by_one(operation)


def run(saver: Saver, id_: str, steps: int = 2) -> Steps:
    """A run: read the newest checkpoint, and store the next ones."""
    found: Any = yield from one_by_one(saver._get_tuple(config("t")))
    parent = None if found is None else found.checkpoint["id"]
    for step in range(steps):
        yield from put(saver, f"{id_}{step}", parent)
        parent = f"{id_}{step}"
    return "ran"


def replay(saver: Saver, id_: str, old: str) -> Steps:
    """A run from an old checkpoint."""
    yield from one_by_one(saver._get_tuple(config("t", "", old)))
    yield from put(saver, f"{id_}1", old)
    return "ran"


def nothing(universe: Universe) -> World:
    return universe.empty


def fenced_thread(universe: Universe) -> World:
    saver = simulated("before", **FENCED)
    world = alone(universe, universe.empty, put(saver, "0001", None))
    return alone(universe, world, put(saver, "0002", "0001"))


def unfenced_thread(universe: Universe) -> World:
    return alone(universe, universe.empty, put(simulated("before"), "0001", None))


def thread_that_runs_without_fence_have_moved_on(universe: Universe) -> World:
    world = alone(universe, universe.empty, put(simulated("before", **FENCED), "0001", None))
    for parent, id_ in (("0001", "0002"), ("0002", "0003")):
        world = alone(universe, world, put(simulated("another"), id_, parent))
    return world


def thread_whose_newest_was_deleted(universe: Universe) -> World:
    saver = simulated("before", **FENCED)
    world = alone(universe, universe.empty, put(saver, "0001", None))
    world = alone(universe, world, put(saver, "0002", "0001", run_id="r"))
    return alone(universe, world, one_by_one(saver._delete_for_runs(["r"])))


BEHIND = (thread_that_runs_without_fence_have_moved_on, thread_whose_newest_was_deleted)


def chain(world: World) -> dict[str, str | None]:
    """The parents of the thread's checkpoints, by id."""
    found = {}
    for place, entry in world.items.items():
        if place.table is Table.CHECKPOINTS and not place.sort.startswith("!!"):
            found[place.sort] = entry.item.get("parent_checkpoint_id", {}).get("S")
    return found


def head(world: World) -> str | None:
    for place, entry in world.items.items():
        if place.sort == THREAD_SORT_KEY:
            found: str = entry.item["head"]["S"]
            return found
    return None


@pytest.mark.parametrize("settings", SETTINGS, ids=["fenced", "fenced and listed"])
@pytest.mark.parametrize(
    "begin",
    [
        nothing,
        fenced_thread,
        unfenced_thread,
        thread_whose_newest_was_deleted,
        # Tens of thousands of orders.
        *([thread_that_runs_without_fence_have_moved_on] if everything() else []),
    ],
)
def test_of_two_runs_at_a_time_one_goes_through_and_the_thread_stays_one_line(
    begin: Callable[[Universe], World], settings: dict[str, Any]
) -> None:
    seen = set()
    # With a stale item, a run reads more, and there are many more orders.
    steps = 1 if begin in BEHIND else 2
    for played in every_order(
        begin,
        lambda: [run(simulated(name, **settings), name, steps) for name in "ab"],
    ):
        conflicts = [isinstance(result, ThreadConflictError) for result in played.results]
        assert sum(conflicts) <= 1
        assert [result for result in played.results if result != "ran"] == [
            result for result in played.results if isinstance(result, ThreadConflictError)
        ]
        parents = chain(played.world)
        assert len(set(parents.values())) == len(parents)
        for name, conflict in zip("ab", conflicts, strict=True):
            assert (f"{name}{steps - 1}" in parents) is not conflict
        assert head(played.world) in parents
        assert head(played.world) not in parents.values()
        seen.add(tuple(conflicts))
    assert seen == {(False, False), (True, False), (False, True)}


def test_a_run_that_dies_anywhere_leaves_a_thread_that_others_go_on_from() -> None:
    for played in every_order(
        fenced_thread,
        lambda: [run(simulated("a", **FENCED), "a"), run(simulated("b", **FENCED), "b")],
        mortal=[0],
    ):
        universe_end = played.world
        parents = chain(universe_end)
        assert len(set(parents.values())) == len(parents)
        assert head(universe_end) in parents


def test_a_replay_from_an_old_checkpoint_passes_unless_a_run_moves_on_beside_it() -> None:
    seen = set()
    for played in every_order(
        fenced_thread,
        lambda: [
            replay(simulated("a", **FENCED), "a", "0001"),
            run(simulated("b", **FENCED), "b"),
        ],
    ):
        assert any(result == "ran" for result in played.results)
        seen.add(tuple(result == "ran" for result in played.results))
    assert (True, True) in seen


@pytest.mark.parametrize("settings", [{}, {"thread_index": ThreadIndex(owner="user_id")}])
def test_without_the_fence_both_go_on(settings: dict[str, Any]) -> None:
    forked = False
    for played in every_order(
        fenced_thread,
        lambda: [run(simulated("a", **settings), "a"), run(simulated("b", **settings), "b")],
    ):
        assert played.results == ["ran", "ran"]
        parents = chain(played.world)
        forked = forked or len(set(parents.values())) < len(parents)
    assert forked


# On an engine


class State(TypedDict, total=False):
    count: int


def make_graph(saver: Any) -> Any:
    builder = StateGraph(State)
    builder.add_node("add", lambda state: {"count": state.get("count", 0) + 1})
    builder.add_edge(START, "add")
    builder.add_edge("add", END)
    return builder.compile(checkpointer=saver)


@pytest.fixture
def pair(tables: Tables) -> Iterator[tuple[RealSaver, RealSaver]]:
    """Savers of two processes."""
    tables.set_up()
    with tables.saver(**FENCED) as first, tables.saver(**FENCED) as second:
        yield first, second


def test_a_run_that_comes_too_late_is_ended(pair: tuple[RealSaver, RealSaver]) -> None:
    first, second = pair
    at = config("t")
    make_graph(first).invoke({}, at)
    read = second.get_tuple(at)
    assert read is not None
    make_graph(first).invoke({}, at)
    newest = first.get_tuple(at)
    assert newest is not None
    with pytest.raises(ThreadConflictError, match="another run has stored a checkpoint") as raised:
        second.put(read.config, checkpoint("2", value=1), metadata(source="input"), {})
    assert raised.value.thread_id == "t"
    assert raised.value.expected == read.checkpoint["id"]
    assert raised.value.found == newest.checkpoint["id"]
    assert second.get_tuple(config("t", "", "2")) is None
    assert make_graph(second).invoke({}, at)["count"] == 3


def test_forks_that_are_meant_pass(pair: tuple[RealSaver, RealSaver]) -> None:
    first, second = pair
    at = config("t")
    graph = make_graph(first)
    for _ in range(3):
        graph.invoke({}, at)
    old = list(graph.get_state_history(at))[4].config
    graph.update_state(old, {"count": 10})
    assert graph.invoke({}, at)["count"] == 11
    assert make_graph(second).invoke({}, old)["count"] == 2
    assert make_graph(second).invoke(None, old) is not None
    assert graph.invoke({}, at)["count"] >= 2


def test_a_state_that_was_edited_meanwhile_ends_the_run(pair: tuple[RealSaver, RealSaver]) -> None:
    first, second = pair
    at = config("t")
    make_graph(first).invoke({}, at)
    read = second.get_tuple(at)
    assert read is not None
    make_graph(first).update_state(at, {"count": 5})
    with pytest.raises(ThreadConflictError):
        second.put(read.config, checkpoint("2", value=1), metadata(source="loop"), {})


def goes_on(saver: RealSaver, id_: str) -> None:
    """A run from the newest checkpoint."""
    found = saver.get_tuple(config("t"))
    assert found is not None
    saver.put(found.config, checkpoint(id_, value=1), metadata(source="input"), {})


def begins(saver: RealSaver) -> None:
    """A thread of three checkpoints."""
    for parent, id_ in ((None, "0001"), ("0001", "0002"), ("0002", "0003")):
        saver.put(config("t", "", parent), checkpoint(id_, value=1), metadata(), {})


def test_a_fork_that_a_run_without_fence_has_made_is_gone_on_from(
    pair: tuple[RealSaver, RealSaver], tables: Tables
) -> None:
    first, second = pair
    begins(first)
    with tables.saver() as without:
        without.put(config("t", "", "0001"), checkpoint("0005", value=1), metadata(), {})
    late = second.get_tuple(config("t"))
    goes_on(first, "0006")
    goes_on(first, "0007")
    assert late is not None
    with pytest.raises(ThreadConflictError):
        second.put(late.config, checkpoint("0008", value=1), metadata(source="input"), {})


def test_a_thread_that_another_was_copied_to_goes_on_from_its_newest(
    pair: tuple[RealSaver, RealSaver],
) -> None:
    first, second = pair
    first.put(config("t"), checkpoint("0005", value=1), metadata(), {})
    late = second.get_tuple(config("t"))
    goes_on(first, "0006")
    first.put(config("other"), checkpoint("0001", value=1), metadata(), {})
    first.copy_thread("other", "t")
    assert late is not None
    with pytest.raises(ThreadConflictError):
        second.put(late.config, checkpoint("0007", value=1), metadata(source="input"), {})
    goes_on(first, "0008")
    first.put(config("newer"), checkpoint("0009", value=1), metadata(), {})
    first.copy_thread("newer", "t")
    goes_on(first, "0010")


def test_a_checkpoint_is_gone_on_from_that_was_looked_for_before_it_was_there(
    pair: tuple[RealSaver, RealSaver],
) -> None:
    first, _ = pair
    begins(first)
    newest = first.get_tuple(config("t"))
    assert newest is not None
    assert first.get_tuple(config("t", "", "0005")) is None
    goes_on(first, "0005")
    goes_on(first, "0006")


def test_a_line_of_checkpoints_is_imported(pair: tuple[RealSaver, RealSaver]) -> None:
    first, _ = pair
    source = InMemorySaver()
    make_graph(source).invoke({}, config("t"))
    assert first.import_thread(source, "t").checkpoints == 3
    assert make_graph(first).invoke({}, config("t"))["count"] == 2


def test_a_damaged_thread_is_named(pair: tuple[RealSaver, RealSaver], tables: Tables) -> None:
    first, _ = pair
    key = {"thread_id": {"S": "t"}, "checkpoint_id": {"S": THREAD_SORT_KEY}}
    tables.client.put_item(TableName=tables.checkpoints, Item={**key, "head": {"N": "1"}})
    with pytest.raises(UnreadableItemError, match="item of thread 't': attribute 'head'"):
        first.put(config("t"), checkpoint("1", value=1), metadata(), {})


def test_subgraphs_and_other_threads_are_not_fenced(pair: tuple[RealSaver, RealSaver]) -> None:
    first, second = pair
    put_chain(SyncCalls(first), "t", 2, "child:1")
    put_chain(SyncCalls(second), "t", 2, "child:1")
    put_chain(SyncCalls(second), "u", 2)


def test_the_same_checkpoint_may_be_stored_again(pair: tuple[RealSaver, RealSaver]) -> None:
    first, _ = pair
    for _ in range(2):
        first.put(config("t"), checkpoint("1", value=1), metadata(source="input"), {})
    forget(first)
    first.put(config("t"), checkpoint("1", value=2), metadata(source="input"), {})
    found = first.get_tuple(config("t"))
    assert found is not None
    assert found.checkpoint["channel_values"]["value"] == 2


@pytest.mark.parametrize("wrong", [{"on_conflict": "no"}, {**FENCED, "memory_bytes": 0}])
def test_settings_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        DynamoDBSaver(checkpoints_table_name="one", writes_table_name="two", **wrong)
