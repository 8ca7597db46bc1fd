"""A thread of another saver is the same after its import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from langgraph_checkpoint_dynamodb import InvalidInputError, MoveReport, ThreadMismatchError
from tests.graphs.test_delta_channels import DeltaLog, OftenStoredLog, two_steps
from tests.graphs.test_subgraphs import three_levels
from tests.moving.stages import stage
from tests.moving.threads import checkpoints_by_id, store_thread
from tests.support.calls import SyncCalls, elsewhere
from tests.support.graphs import HEAD, THREAD
from tests.support.grounds import check
from tests.support.stop_experiment import Experiment
from tests.support.stopping import WHOLE
from tests.support.values import checkpoint, config, metadata, put_chain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import CheckpointTuple

    from tests.moving.moves import PlainMoves
    from tests.support.calls import LoopThread
    from tests.support.savers import Saver
    from tests.support.tables import Tables


@dataclass(eq=False)
class Array:
    """Cannot be compared for equality, like numpy's arrays."""

    numbers: list[int]

    __hash__ = None  # type: ignore[assignment]  # as arrays

    def __eq__(self, other: object) -> bool:
        raise ValueError("The truth value of an array is ambiguous")


class Scrambling(InMemorySaver):
    """Returns the writes of tasks interleaved, and tasks in reverse order of their ids."""

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        found = super().get_tuple(config)
        if found is None:
            return None
        tasks: dict[str, list[Any]] = {}
        for write in found.pending_writes or []:
            tasks.setdefault(write[0], []).insert(0, write)
        turns = sorted(tasks, reverse=True)
        scrambled = []
        while any(tasks.values()):
            scrambled += [tasks[task].pop() for task in turns if tasks[task]]
        return found._replace(pending_writes=scrambled)


def test_every_namespace_checkpoint_parent_and_write_arrives(moves: PlainMoves) -> None:
    source = InMemorySaver()
    store_thread(source)
    store_thread(source, "another")
    assert moves.import_thread(source, "t") == MoveReport(1, 3, 7, 16)
    assert checkpoints_by_id(moves.saver) == checkpoints_by_id(source)
    assert checkpoints_by_id(moves.saver, "another") == {}


def test_importing_again_changes_nothing(moves: PlainMoves, tables: Tables) -> None:
    source = InMemorySaver()
    store_thread(source)
    first = moves.import_thread(source, "t")
    stored = tables.checkpoint_items(), tables.items_beside()
    assert moves.import_thread(source, "t") == first
    assert (tables.checkpoint_items(), tables.items_beside()) == stored


def test_a_thread_without_checkpoints_is_none(moves: PlainMoves) -> None:
    assert moves.import_thread(InMemorySaver(), "t") == MoveReport()


def test_progress_is_told_after_each_checkpoint(moves: PlainMoves) -> None:
    source = InMemorySaver()
    put_chain(SyncCalls(source), "t", 3)
    told: list[MoveReport] = []
    report = moves.import_thread(source, "t", on_progress=told.append)
    assert [one.checkpoints for one in told] == [1, 2, 3]
    assert told[-1] == report


def test_writes_keep_the_order_of_their_source_whatever_it_is(moves: PlainMoves) -> None:
    source = Scrambling()
    (stored,) = put_chain(SyncCalls(source), "t", 1)
    for task in ("b", "a", "c"):
        writes = [("__interrupt__", task), ("x", f"{task}1"), ("y", f"{task}2")]
        source.put_writes(stored, writes, task)
    returned = source.get_tuple(stored)
    assert returned is not None
    assert [write[0] for write in returned.pending_writes or []] == [*"cba"] * 3
    moves.import_thread(source, "t")
    moved = moves.saver.get_tuple(stored)
    assert moved is not None
    assert moved.pending_writes == [
        (task, channel, value)
        for task in "cba"
        for channel, value in (("__interrupt__", task), ("x", f"{task}1"), ("y", f"{task}2"))
    ]


def test_special_channels_come_first_where_the_source_has_them_elsewhere(
    moves: PlainMoves,
) -> None:
    class AsPut(InMemorySaver):
        """Returns writes as they were put, like savers without support for special channels."""

        def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
            found = super().get_tuple(config)
            return None if found is None else found._replace(pending_writes=list(as_put))

    as_put = [("t", "x", 1), ("t", "__interrupt__", "?"), ("t", "y", 2), ("t", "__resume__", "!")]
    source = AsPut()
    (stored,) = put_chain(SyncCalls(source), "t", 1)
    moves.import_thread(source, "t")
    moved = moves.saver.get_tuple(stored)
    assert moved is not None
    assert moved.pending_writes == [as_put[3], as_put[1], as_put[0], as_put[2]]


def test_values_that_do_not_say_that_they_are_equal_are_compared_by_their_bytes(
    moves: PlainMoves,
) -> None:
    source = InMemorySaver()
    values: dict[str, Any] = {"array": Array([1, 2]), "none": float("nan"), "set": {"a", "b"}}
    stored = source.put(config("t"), checkpoint(**values), metadata(), dict.fromkeys(values, "1"))
    source.put_writes(stored, [("array", Array([3])), ("none", float("nan"))], "task")
    moves.import_thread(source, "t")
    moved = moves.saver.get_tuple(stored)
    assert moved is not None
    assert moved.checkpoint["channel_values"]["array"].numbers == [1, 2]


def test_namespaces_are_named_for_a_source_that_lists_the_root_alone(moves: PlainMoves) -> None:
    class RootAlone(InMemorySaver):
        """Lists only the root if no namespace is given, like many savers."""

        def list(self, config: Any, **how: Any) -> Iterator[CheckpointTuple]:
            named = {"checkpoint_ns": "", **config["configurable"]}
            return super().list({"configurable": named}, **how)

        async def alist(self, config: Any, **how: Any) -> Any:
            for one in self.list(config, **how):
                yield one

    source = RootAlone()
    store_thread(source)
    assert moves.import_thread(source, "t").namespaces == 1
    names = ["", "child:1", "child:1|grandchild:2"]
    assert moves.import_thread(source, "t", namespaces=names).namespaces == 3
    assert {place[0] for place in checkpoints_by_id(moves.saver)} == set(names)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"step": 7}, "metadata.step"),
        ({"more": 1}, "metadata.more"),
    ],
)
def test_a_thread_that_was_changed_while_it_moved_is_told_with_the_field(
    moves: PlainMoves, change: dict[str, Any], field: str
) -> None:
    source = InMemorySaver()
    (stored,) = put_chain(SyncCalls(source), "t", 1)

    def change_it(_: MoveReport) -> None:
        found = source.get_tuple(stored)
        assert found is not None
        source.put(config("t"), found.checkpoint, metadata(**change), {})

    with pytest.raises(ThreadMismatchError, match=f"differs in {field} ") as caught:
        moves.import_thread(source, "t", on_progress=change_it)
    assert caught.value.field == field
    assert caught.value.checkpoint_id == stored["configurable"]["checkpoint_id"]


def test_a_difference_names_the_channel_and_never_its_value(moves: PlainMoves) -> None:
    source = InMemorySaver()
    made = checkpoint(channel="a first value")
    source.put(config("t"), made, metadata(), {"channel": "1"})

    def change_it(_: MoveReport) -> None:
        other = {**made, "channel_values": {"channel": "a second value"}}
        source.put(config("t"), other, metadata(), {"channel": "1"})  # type: ignore[arg-type]  # a checkpoint

    with pytest.raises(ThreadMismatchError) as caught:
        moves.import_thread(source, "t", on_progress=change_it)
    assert caught.value.field == "checkpoint.channel_values.channel"
    assert "a first" not in str(caught.value)
    assert "a second" not in str(caught.value)


def test_a_thread_that_has_gone_on_here_is_told(moves: PlainMoves) -> None:
    source = InMemorySaver()
    (stored,) = put_chain(SyncCalls(source), "t", 1)
    moves.import_thread(source, "t")
    moves.saver.put_writes(stored, [("x", 1)], "task")
    with pytest.raises(ThreadMismatchError) as caught:
        moves.import_thread(source, "t")
    assert caught.value.field == "pending_writes"


def test_another_parent_is_told(moves: PlainMoves) -> None:
    source = InMemorySaver()
    chain = put_chain(SyncCalls(source), "t", 2)

    def change_it(report: MoveReport) -> None:
        if report.checkpoints < 2:
            return
        found = source.get_tuple(chain[1])
        assert found is not None
        source.put(config("t"), found.checkpoint, found.metadata, {})

    with pytest.raises(ThreadMismatchError) as caught:
        moves.import_thread(source, "t", on_progress=change_it)
    assert caught.value.field == "parent_config"


def test_what_is_no_saver_is_refused(moves: PlainMoves) -> None:
    with pytest.raises(InvalidInputError, match="source"):
        moves.import_thread({}, "t")  # type: ignore[arg-type]  # on purpose
    with pytest.raises(InvalidInputError, match="thread_id"):
        moves.import_thread(InMemorySaver(), "")


def test_parents_come_before_children_whatever_their_ids(moves: PlainMoves) -> None:
    source = InMemorySaver()
    ids = ["3", "1", "2"]
    parent: str | None = None
    for id_ in ids:
        source.put(config("t", "", parent), checkpoint(id_), metadata(), {})
        parent = id_
    seen: list[set[str]] = []

    def ids_here() -> set[str]:
        return {key[1] for key in checkpoints_by_id(moves.saver)}

    moves.import_thread(
        source,
        "t",
        on_progress=lambda _: seen.append(elsewhere(ids_here)),
    )
    assert seen == [{"3"}, {"3", "1"}, {"3", "1", "2"}]


def test_an_import_that_is_stopped_anywhere_shows_whole_checkpoints_and_can_be_repeated(
    saver: Saver, tables: Tables
) -> None:
    source = InMemorySaver()
    first = source.put(config("t"), checkpoint("0001", x=1), metadata(), {"x": "1"})
    source.put_writes(first, [("x", 1), ("y", 2)], "one", "b")
    source.put_writes(first, [("__interrupt__", "?")], "two", "a")
    source.put(first, checkpoint("0002", x=2), metadata(step=1), {"x": "1"})
    source.put(config("t", "sub"), checkpoint("0001", x=3), metadata(), {"x": "1"})
    saver.put(config("o"), checkpoint("0001"), metadata(), {})

    def act(one: Saver) -> None:
        one.import_thread(source, "t")

    experiment = Experiment(tables, act, portions=WHOLE)
    check(experiment)
    assert experiment.states == 6


def test_a_graph_that_waits_within_a_subgraph_goes_on_where_it_was_moved_to(
    moves: PlainMoves, loop_thread: LoopThread
) -> None:
    source = InMemorySaver()
    before = stage(source, loop_thread)
    before.invoke(three_levels(before), {"log": ["in"]})
    moves.import_thread(source, THREAD)
    after = stage(moves.saver, loop_thread)
    graph = three_levels(after)
    state = after.state(graph, subgraphs=True)
    assert [each.value for each in state.interrupts] == ["inner?"]
    assert after.invoke(graph, Command(resume="yes"))["log"][-2:] == ["before", "told yes"]
    assert after.runs == {"ask": 1}


@pytest.mark.parametrize("state", [DeltaLog, OftenStoredLog])
def test_a_deltachannel_with_a_fork_is_rebuilt_where_it_was_moved_to(
    moves: PlainMoves, loop_thread: LoopThread, state: type
) -> None:
    source = InMemorySaver()
    before = stage(source, loop_thread)
    graph = two_steps(before, state)
    before.invoke(graph, {"log": ["one"]})
    before.invoke(graph, {"log": ["two"]})
    old = before.history(graph)[-3]
    before.update(graph, {"log": ["fork"]}, old.config)
    before.invoke(graph, None)
    moves.import_thread(source, THREAD)
    after = stage(moves.saver, loop_thread)
    moved = two_steps(after, state)
    states = after.history(moved)
    assert [one.values for one in states] == [one.values for one in before.history(graph)]
    past = states[-3].config
    assert after.invoke(moved, None, past) == before.invoke(graph, None, past)
    assert after.invoke(moved, {"log": ["on"]}, HEAD) == before.invoke(graph, {"log": ["on"]}, HEAD)


def test_a_checkpoint_that_is_deleted_while_it_moves_is_left_out(moves: PlainMoves) -> None:
    source = InMemorySaver()
    chain = put_chain(SyncCalls(source), "t", 3)

    def delete(_: MoveReport) -> None:
        source.storage["t"][""].pop(chain[2]["configurable"]["checkpoint_id"], None)

    assert moves.import_thread(source, "t", on_progress=delete).checkpoints == 2
