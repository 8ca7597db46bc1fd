"""The subgraph namespaces that `prune` keeps, by the root checkpoint of each subgraph call."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from langgraph_checkpoint_dynamodb.ops.prune import prune
from tests.operations.examples import CONTEXT, checkpoint_item, record, serialized
from tests.operations.in_memory import InMemoryTables
from tests.operations.stepping import kinds
from tests.support.grounds import is_old_or_new
from tests.support.stop_experiment import Experiment
from tests.support.values import checkpoint, config, metadata
from tests.test_crash import portions

if TYPE_CHECKING:
    from tests.support.calls import Calls
    from tests.support.savers import Saver
    from tests.support.stopping import Portions
    from tests.support.tables import Tables

CALL = "node:7"


def put(
    calls: Calls | Saver,
    checkpoint_id: str,
    parent_id: str | None = None,
    checkpoint_ns: str = "",
    **more: Any,
) -> None:
    """Store a checkpoint of thread `t` with a write of its own."""
    stored = calls.put(
        config("t", checkpoint_ns, parent_id), checkpoint(checkpoint_id), metadata(**more), {}
    )
    calls.put_writes(stored, [("a", checkpoint_id)], "task")


def put_call(
    calls: Calls | Saver, root: object, checkpoint_ns: str = CALL, ids: tuple[str, ...] = ("1", "2")
) -> None:
    """Store the checkpoints of a subgraph call under a root checkpoint."""
    for parent_id, checkpoint_id in zip((None, *ids), ids, strict=False):
        put(calls, checkpoint_id, parent_id, checkpoint_ns, parents={"": root})


def put_roots(calls: Calls | Saver, *ids: str) -> None:
    for parent_id, checkpoint_id in zip((None, *ids), ids, strict=False):
        put(calls, checkpoint_id, parent_id)


def left(calls: Calls | Saver) -> set[tuple[str, str]]:
    """Namespace and id of the remaining checkpoints, each of which must have its write."""
    found = set()
    for one in calls.list(config("t", None)):
        names = one.config["configurable"]
        assert one.pending_writes == [("task", "a", names["checkpoint_id"])]
        found.add((names["checkpoint_ns"], names["checkpoint_id"]))
    return found


@pytest.mark.parametrize(
    "checkpoint_ns", [CALL, "top:1|mid:2", "top|inner:3", "top:1|mid:2|inner:3"]
)
def test_a_call_goes_with_the_root_checkpoint_it_ran_under(
    calls: Calls, tables: Tables, checkpoint_ns: str
) -> None:
    put_roots(calls, "1", "2")
    put_call(calls, "1", checkpoint_ns)
    calls.prune(["t"])
    assert left(calls) == {("", "2")}
    assert len(tables.checkpoint_items()) == len(tables.write_items()) == 1


@pytest.mark.parametrize("checkpoint_ns", [CALL, "top:1|mid:2", "top|inner:3"])
def test_a_call_under_the_newest_root_checkpoint_keeps_its_newest(
    calls: Calls, checkpoint_ns: str
) -> None:
    put_roots(calls, "1", "2")
    put_call(calls, "2", checkpoint_ns)
    calls.prune(["t"])
    assert left(calls) == {("", "2"), (checkpoint_ns, "2")}


@pytest.mark.parametrize("checkpoint_ns", ["memo", "top|memo"])
def test_a_subgraph_with_a_memory_of_its_own_keeps_its_newest_whatever_root_it_ran_under(
    calls: Calls, checkpoint_ns: str
) -> None:
    put_roots(calls, "1", "2")
    put_call(calls, "1", checkpoint_ns)
    calls.prune(["t"])
    assert left(calls) == {("", "2"), (checkpoint_ns, "2")}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"parents": None},
        {"parents": []},
        {"parents": "1"},
        {"parents": {}},
        {"parents": {"other": "1"}},
        {"parents": {"": None}},
        {"parents": {"": 1}},
    ],
)
def test_a_call_that_does_not_say_under_which_root_it_ran_keeps_its_newest(
    calls: Calls, more: dict[str, Any]
) -> None:
    put_roots(calls, "1", "2")
    put(calls, "1", None, CALL)
    put(calls, "2", "1", CALL, **more)
    calls.prune(["t"])
    assert left(calls) == {("", "2"), (CALL, "2")}


@pytest.mark.parametrize("counted", [7, True, "log", ["log"], [["log"]], None])
def test_metadata_that_counts_no_delta_channel_as_langgraph_does_keeps_nothing_more(
    calls: Calls, counted: Any
) -> None:
    put(calls, "1", counters_since_delta_snapshot=counted)
    put(calls, "2", "1", counters_since_delta_snapshot=counted)
    calls.prune(["t"])
    assert left(calls) == {("", "2")}


def test_the_newest_checkpoint_of_a_call_tells_under_which_root_it_ran(calls: Calls) -> None:
    put_roots(calls, "1", "2")
    put(calls, "1", None, CALL, parents={"": "1"})
    put(calls, "2", "1", CALL, parents={"": "2"})
    calls.prune(["t"])
    assert left(calls) == {("", "2"), (CALL, "2")}


def test_a_call_whose_root_checkpoint_went_before_goes_too(calls: Calls) -> None:
    put_roots(calls, "5")
    put_call(calls, "3")
    calls.prune(["t"])
    assert left(calls) == {("", "5")}


def test_a_call_whose_root_checkpoint_is_still_to_be_stored_stays(calls: Calls) -> None:
    """With durability="exit" a run stores subgraphs before the checkpoint they ran under."""
    put_roots(calls, "1", "2")
    put_call(calls, "3")
    calls.prune(["t"])
    assert left(calls) == {("", "2"), (CALL, "2")}
    put(calls, "3", "2")
    calls.prune(["t"])
    assert left(calls) == {("", "3"), (CALL, "2")}


def test_a_thread_without_a_root_checkpoint_keeps_the_newest_of_every_namespace(
    calls: Calls,
) -> None:
    put_call(calls, "1")
    put_call(calls, "2", "other:8")
    calls.prune(["t"])
    assert left(calls) == {(CALL, "2"), ("other:8", "2")}


def put_with_delta(calls: Calls | Saver) -> None:
    """Roots 2 to 4 are needed to rebuild the newest, 4; each had a subgraph call."""
    for number in (1, 2, 3, 4):
        parent_id = str(number - 1) if number > 1 else None
        made = checkpoint(str(number), **({"log": ["snapshot"]} if number == 2 else {}))
        made["channel_versions"] = {"log": "1"}
        counted = metadata(counters_since_delta_snapshot={"log": (1, 1)})
        at = calls.put(config("t", "", parent_id), made, counted, {})
        calls.put_writes(at, [("a", str(number))], "task")
        put_call(calls, str(number), f"node:{number}")


def test_a_call_under_an_ancestor_that_a_delta_channel_needs_keeps_its_newest(
    calls: Calls,
) -> None:
    put_with_delta(calls)
    calls.prune(["t"])
    assert left(calls) == {
        *(("", str(number)) for number in (2, 3, 4)),
        *((f"node:{number}", "2") for number in (2, 3, 4)),
    }


@pytest.mark.sample(1)
@portions
def test_a_stopped_prune_keeps_the_newest_root_checkpoint_and_what_ran_under_it(
    saver: Saver, tables: Tables, portions: Portions
) -> None:
    put_roots(saver, "1", "2", "3")
    for number in (1, 2, 3):
        put_call(saver, str(number), f"node:{number}")
    experiment = Experiment(tables, lambda one: one.prune(["t"]), portions=portions)
    kept = {("t", "", "3"), ("t", "node:3", "2")}
    for found in experiment.stops():
        assert is_old_or_new(found, experiment)
        assert kept <= found.keys()
    assert experiment.states >= 3
    assert experiment.after.keys() == kept


def test_a_prune_that_stopped_after_the_root_is_finished_by_the_next(
    saver: Saver, tables: Tables
) -> None:
    put_roots(saver, "1", "2")
    put_call(saver, "1")
    for item in tables.checkpoint_items():
        if item["checkpoint_id"]["S"] == "1":
            key: Any = {name: item[name] for name in ("thread_id", "checkpoint_id")}
            tables.client.delete_item(TableName=tables.checkpoints, Key=key)
    saver.prune(["t"])
    assert left(saver) == {("", "2")}


def test_what_calls_ran_under_takes_no_request_more() -> None:
    def asked(**more: Any) -> list[str]:
        told = serialized(metadata(**more))
        records = [
            replace(record(checkpoint_id, None, checkpoint_ns), metadata=told)
            for checkpoint_ns in ("", "memo", CALL)
            for checkpoint_id in ("1", "2")
        ]
        memory = InMemoryTables(map(checkpoint_item, records))
        memory.run(prune(CONTEXT, ["t"], kept=1))
        return kinds(memory.asked)

    assert asked(parents={"": "2"}) == asked()
