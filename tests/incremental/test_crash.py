"""Calls on differences and bases, stopped after each of their requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.incremental.states import INCREMENTAL, text
from tests.support.grounds import Large, check
from tests.support.stopping import NOW, PIECEMEAL
from tests.support.stored import loose_ends, stored
from tests.support.values import checkpoint, config, metadata

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.savers import Saver
    from tests.support.tables import Tables

    Act = Callable[[Saver], object]

SMALL = {"whole_bytes": 0}
IN_CHUNKS = {**SMALL, "inline_limit": 700, "chunk_bytes": 800}


@pytest.fixture(params=["inline", "inline piecemeal", "chunks", "s3"])
def ground(request: pytest.FixtureRequest, tables: Tables) -> Large:
    tables.set_up()
    match request.param:
        case "s3":
            bucket = request.getfixturevalue("bucket")
            offload = {"s3_offload_config": bucket.config(threshold_bytes=100)}
            return Large(tables, SMALL, {**INCREMENTAL, **offload}, bucket)
        case "chunks":
            return Large(tables, IN_CHUNKS, INCREMENTAL)
        case "inline piecemeal":
            return Large(tables, SMALL, INCREMENTAL, portions=PIECEMEAL)
    return Large(tables, SMALL, INCREMENTAL)


def put(
    saver: Saver, checkpoint_id: str, parent: str | None, thread_id: str = "t", run_id: str = "run"
) -> Any:
    state = [text(3000), text(2000, checkpoint_id)]
    made = checkpoint(checkpoint_id, state=state)
    return saver.put(config(thread_id, "", parent), made, metadata(run_id=run_id), {})


def put_thread(saver: Saver) -> None:
    put(saver, "0001", None, run_id="first")
    at = put(saver, "0002", "0001")
    saver.put_writes(at, [("log", "0002")], "task")
    put(saver, "0001", None, "o")


def put_older_thread(saver: Saver) -> None:
    """Store a thread whose bases are a day old."""
    put(saver, "0000", None, run_id="first")


def go_on(saver: Saver) -> None:
    """Read a checkpoint, and store one that continues from it."""
    saver.get_tuple(config("t", "", "0002"))
    put(saver, "0003", "0002")


ACTS: dict[str, Act] = {
    "a first checkpoint": lambda one: put(one, "0003", "0002"),
    "one that goes on": go_on,
    "over an old one": lambda one: put(one, "0002", "0001"),
    "a delete": lambda one: one.delete_thread("t"),
    "a prune": lambda one: one.prune(["t"]),
    "a delete of runs": lambda one: one.delete_for_runs(["first"]),
    "a copy": lambda one: one.copy_thread("t", "u"),
}


@pytest.mark.sample(6)
@pytest.mark.parametrize("act", ACTS)
def test_a_stopped_call_leaves_each_checkpoint_as_it_was_or_as_it_will_be(
    ground: Large, act: str
) -> None:
    ground.prepare(put_older_thread, clock=lambda: NOW - 24 * 60 * 60)
    ground.prepare(put_thread)
    experiment = ground.experiment(ACTS[act])
    check(experiment)
    assert experiment.states >= 2
    assert {words.split()[0] for words in experiment.left_over} <= {"needless"}


@pytest.mark.sample(1)
def test_a_stopped_sweep_changes_nothing_that_is_read(ground: Large) -> None:
    def sweep_later(one: Saver) -> None:
        one.sweep_orphans(older_than=3600)

    ground.prepare(put_older_thread, clock=lambda: NOW - 24 * 60 * 60)
    ground.prepare(lambda one: put(one, "0009", None, "gone"), clock=lambda: NOW - 24 * 60 * 60)
    for item in ground.tables.heads():
        if item["thread_id"]["S"] == "gone":
            key = {name: item[name] for name in ("thread_id", "checkpoint_id")}
            ground.tables.client.delete_item(TableName=ground.tables.checkpoints, Key=key)
    ground.prepare(put_thread)
    assert any("needless base" in words for words in loose_ends(left(ground)))
    experiment = ground.experiment(sweep_later)
    for found in experiment.stops():
        assert found == experiment.before
    assert experiment.left_over == []


def left(ground: Large) -> Any:
    return stored(ground.tables, ground.bucket)
