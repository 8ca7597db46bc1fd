"""Bases are deleted when nothing can refer to them any more, or with their thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from langgraph_checkpoint_dynamodb import DeletedBaseError, MissingPartError
from langgraph_checkpoint_dynamodb.format.expiry import GRACE_SECONDS
from langgraph_checkpoint_dynamodb.payloads.differences import (
    BASE_MAX_AGE,
    BASE_RETENTION,
    MARK_RETENTION,
)
from tests.incremental.states import INCREMENTAL, grown, listed, put_steps, state_of
from tests.support.stored import loose_ends, stored
from tests.support.tables import with_payloads
from tests.support.values import checkpoint, config, metadata

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.clocks import Clock
    from tests.support.savers import Saver
    from tests.support.tables import Tables

MARK = "!!~deleted"


def bases(tables: Tables) -> list[str]:
    """The bases in the table."""
    return [key for one in tables.bases() if (key := one["checkpoint_id"]["S"]) != MARK]


def marked(tables: Tables) -> bool:
    """Whether the table has the mark of deleted bases."""
    return any(one["checkpoint_id"]["S"] == MARK for one in tables.bases())


def test_a_deleted_thread_leaves_no_base_but_a_mark_for_runs_under_way(
    tables: Tables, incremental: Saver
) -> None:
    put_steps(incremental, 3)
    put_steps(incremental, 3, checkpoint_ns="node:1")
    incremental.delete_thread("t")
    assert bases(tables) == []
    assert [*tables.heads(), *tables.items_beside()] == []
    assert marked(tables)


def test_a_thread_whose_bases_are_old_leaves_no_mark(
    tables: Tables, incremental: Saver, clock: Clock
) -> None:
    put_steps(incremental, 3)
    clock.now += BASE_RETENTION
    incremental.delete_thread("t")
    assert tables.checkpoint_items() == []


def test_a_deleted_thread_leaves_no_row_that_is_neither_checkpoint_nor_base(
    tables: Tables, reader: Saver
) -> None:
    for sort_key in ("!!", "!!junk", "!!~", "!!0/1"):
        item = {"thread_id": {"S": "t"}, "checkpoint_id": {"S": sort_key}}
        tables.client.put_item(TableName=tables.checkpoints, Item=item)
    reader.delete_thread("t")
    assert tables.checkpoint_items() == []


def test_a_mark_goes_with_the_next_delete_once_it_is_old_or_with_a_sweep(
    tables: Tables, incremental: Saver, clock: Clock
) -> None:
    for remove in (
        lambda: incremental.delete_thread("t"),
        lambda: incremental.sweep_orphans(older_than=GRACE_SECONDS),
    ):
        put_steps(incremental, 2)
        incremental.delete_thread("t")
        clock.now += MARK_RETENTION - 1
        remove()
        assert marked(tables)
        clock.now += 1
        remove()
        assert tables.checkpoint_items() == []


def delete_under_a_run(incremental: Saver, reader: Saver) -> None:
    """A run stores two checkpoints, its thread is deleted, and the run stores two more."""
    put_steps(incremental, 2)
    assert state_of(reader, config("t")) == grown(20_000, 1)
    reader.delete_thread("t")
    put_steps(incremental, 2, first=2, parent="0001")


@pytest.mark.parametrize("who", ["the process of the run", "another"])
def test_what_a_run_stores_under_a_delete_counts_as_deleted(
    incremental: Saver, reader: Saver, who: str
) -> None:
    delete_under_a_run(incremental, reader)
    saver = incremental if who == "the process of the run" else reader
    assert saver.get_tuple(config("t")) is None
    assert saver.get_tuple(config("t", "", "0003")) is None
    assert list(saver.list(config("t"))) == []
    assert list(saver.list(config("t"), filter={"run_id": "run"})) == []
    assert list(saver.list(None)) == []
    saver.copy_thread("t", "u")
    assert list(saver.list(config("u"))) == []
    saver.prune(["t"])
    assert list(saver.list(None)) == []


def test_the_history_of_such_a_checkpoint_is_an_error_as_that_of_a_deleted_one(
    incremental: Saver, reader: Saver
) -> None:
    delete_under_a_run(incremental, reader)
    with pytest.raises((DeletedBaseError, MissingPartError)):
        reader.get_delta_channel_history(config=config("t", "", "0003"), channels=["log"])


def test_a_thread_begun_again_after_a_delete_is_what_everybody_sees(
    tables: Tables, incremental: Saver, reader: Saver
) -> None:
    delete_under_a_run(incremental, reader)
    put_steps(reader, 1, first=1)
    for saver in (incremental, reader):
        assert state_of(saver, config("t")) == grown(20_000, 1)
        assert listed(saver, None) == {"0001": grown(20_000, 1)}
    at = incremental.get_tuple(config("t"))
    assert at is not None
    put_steps(incremental, 2, first=5, parent="0001")
    for saver in (incremental, reader):
        assert list(listed(saver, config("t"))) == ["0006", "0005", "0001"]
    incremental.prune(["t"])
    assert [one["checkpoint_id"]["S"] for one in tables.heads()] == ["0006"]
    assert state_of(reader, config("t")) == grown(20_000, 6)


def test_a_process_that_knows_a_deleted_thread_begins_anew_with_a_base_of_its_own(
    incremental: Saver, reader: Saver
) -> None:
    """A chat that is reset by one process and continues in another."""
    put_steps(incremental, 3)
    reader.delete_thread("t")
    assert incremental.get_tuple(config("t")) is None
    put_steps(incremental, 3)
    assert state_of(reader, config("t")) == grown(20_000, 2)


def test_a_sweep_removes_what_such_a_run_has_left_and_then_the_mark(
    tables: Tables, incremental: Saver, reader: Saver, clock: Clock
) -> None:
    delete_under_a_run(incremental, reader)
    clock.now += MARK_RETENTION - 1
    assert reader.sweep_orphans(older_than=GRACE_SECONDS).deletes_finished == 0
    assert len(tables.heads()) == 2
    clock.now += 1
    report = reader.sweep_orphans(older_than=GRACE_SECONDS)
    assert (report.deletes_finished, report.marks_deleted) == (2, 1)
    assert tables.checkpoint_items() == []


def test_a_base_that_is_lost_is_an_error_and_no_absence(
    tables: Tables, incremental: Saver, reader: Saver
) -> None:
    put_steps(incremental, 2)
    lose_bases(tables)
    for call in every_read(reader):
        with pytest.raises(MissingPartError, match="base"):
            call()


def test_a_mark_does_not_hide_the_loss_of_a_base_that_was_stored_after_it(
    tables: Tables, incremental: Saver, reader: Saver, clock: Clock
) -> None:
    put_steps(incremental, 2)
    incremental.delete_thread("t")
    clock.now += GRACE_SECONDS + 1
    put_steps(incremental, 2)
    lose_bases(tables)
    with pytest.raises(MissingPartError, match="base"):
        reader.get_tuple(config("t"))


def lose_bases(tables: Tables) -> None:
    for key in bases(tables):
        item = {"thread_id": {"S": "t"}, "checkpoint_id": {"S": key}}
        tables.client.delete_item(TableName=tables.checkpoints, Key=item)


def every_read(saver: Saver) -> list[Callable[[], Any]]:
    return [
        lambda: saver.get_tuple(config("t")),
        lambda: saver.get_tuple(config("t", "", "0001")),
        lambda: list(saver.list(config("t"))),
        lambda: list(saver.list(None)),
        lambda: saver.copy_thread("t", "u"),
    ]


def test_a_prune_keeps_bases_until_nothing_can_refer_to_them(
    tables: Tables, incremental: Saver, reader: Saver, clock: Clock
) -> None:
    put_steps(incremental, 3)
    clock.now += BASE_MAX_AGE + 1
    put_steps(incremental, 2, first=3, parent="0002")
    first, second = sorted(tables.bases(), key=lambda one: one["created"]["N"])
    incremental.prune(["t"])
    assert len(bases(tables)) == 2
    clock.now += GRACE_SECONDS
    incremental.prune(["t"])
    assert tables.bases() == [second]
    assert first != second
    assert listed(reader, config("t")) == {"0004": grown(20_000, 4)}


def test_a_prune_keeps_an_old_base_that_is_needed(
    tables: Tables, incremental: Saver, reader: Saver, clock: Clock
) -> None:
    put_steps(incremental, 3)
    clock.now += 10 * BASE_RETENTION
    incremental.prune(["t"])
    incremental.sweep_orphans(older_than=GRACE_SECONDS)
    assert len(bases(tables)) == 1
    assert listed(reader, config("t")) == {"0002": grown(20_000, 2)}


def test_deleting_runs_deletes_the_bases_that_they_alone_needed(
    tables: Tables, incremental: Saver, reader: Saver, clock: Clock
) -> None:
    put_steps(incremental, 2, run_id="first")
    clock.now += BASE_RETENTION + 1
    put_steps(incremental, 2, first=2, parent="0001", run_id="second")
    incremental.delete_for_runs(["first"])
    assert len(bases(tables)) == 1
    assert list(listed(reader, config("t"))) == ["0003", "0002"]


def test_a_sweep_deletes_bases_whose_checkpoint_never_came(
    tables: Tables, incremental: Saver, clock: Clock
) -> None:
    put_steps(incremental, 2)
    for one in tables.heads():
        key = {name: one[name] for name in ("thread_id", "checkpoint_id")}
        tables.client.delete_item(TableName=tables.checkpoints, Key=key)
    put_steps(incremental, 1, "u")
    clock.now += BASE_RETENTION - 1
    assert incremental.sweep_orphans(older_than=GRACE_SECONDS).bases_deleted == 0
    clock.now += 1
    assert incremental.sweep_orphans(older_than=GRACE_SECONDS).bases_deleted == 1
    assert [one["thread_id"]["S"] for one in tables.checkpoint_items()] == ["u", "u"]


def test_a_sweep_of_many_threads_and_pages_finds_each_base_once(
    tables: Tables, incremental: Saver, reader: Saver, clock: Clock
) -> None:
    for number in range(4):
        put_steps(incremental, 5, f"t{number}", size=300_000)
    clock.now += BASE_RETENTION + 1
    for number in range(4):
        put_steps(incremental, 1, f"t{number}", first=5, parent="0004", size=300_000)
    for number in range(4):
        for step in range(5):
            key = {"thread_id": {"S": f"t{number}"}, "checkpoint_id": {"S": f"{step:04}"}}
            tables.client.delete_item(TableName=tables.checkpoints, Key=key)
    report = incremental.sweep_orphans(older_than=GRACE_SECONDS)
    assert report.bases_deleted == 4
    assert len(bases(tables)) == 4
    assert len(listed(reader, None)) == 1
    assert len([*reader.list(None)]) == 4


def test_a_copy_has_bases_of_its_own(
    tables: Tables, incremental: Saver, reader: Saver, clock: Clock
) -> None:
    put_steps(incremental, 3)
    clock.now += BASE_MAX_AGE + 1
    put_steps(incremental, 2, first=3, parent="0002")
    wanted = listed(reader, config("t"))
    reader.copy_thread("t", "a longer thread id than that")
    incremental.delete_thread("t")
    assert listed(reader, config("a longer thread id than that")) == wanted
    assert len(bases(tables)) == 2
    assert state_of(incremental, config("a longer thread id than that")) == grown(20_000, 4)
    put_steps(incremental, 2, "a longer thread id than that", first=5, parent="0004")
    assert len(bases(tables)) == 2
    assert len(listed(reader, config("a longer thread id than that"))) == 7


def test_a_clock_beyond_the_margin_makes_an_error_and_never_a_wrong_state(
    incremental: Saver, reader: Saver, clock: Clock
) -> None:
    put_steps(incremental, 2)
    start = clock.now
    clock.now = start + 3 * BASE_RETENTION
    # Deletes every checkpoint except one from which a running call with a slow clock continues.
    reader.delete_for_runs(["run"])
    clock.now = start
    put_steps(incremental, 1, first=2, parent="0001")
    with pytest.raises(MissingPartError, match="base"):
        reader.get_tuple(config("t"))


TTL = 1000


def test_a_base_is_there_as_long_as_whatever_may_refer_to_it(tables: Tables, clock: Clock) -> None:
    tables.set_up()
    with tables.saver(**INCREMENTAL, ttl_seconds=TTL, clock=clock) as saver:
        put_steps(saver, 1)
        clock.now += BASE_MAX_AGE
        put_steps(saver, 1, first=1, parent="0000")
        (base,) = tables.bases()
        newest = max(tables.heads(), key=lambda one: one["checkpoint_id"]["S"])
        assert int(base["ttl"]["N"]) >= int(newest["ttl"]["N"])
        assert state_of(saver, config("t")) == grown(20_000, 1)


@pytest.mark.parametrize("copied", [False, True], ids=["stored", "copied"])
def test_what_is_outside_a_base_is_there_as_long_as_the_base(
    tables: Tables, clock: Clock, copied: bool
) -> None:
    tables.set_up()
    payloads = {"inline_limit": 700, "chunk_bytes": 3000}
    made = tables.saver(**INCREMENTAL, ttl_seconds=TTL, clock=clock)
    with with_payloads(made, **payloads) as saver:
        put_steps(saver, 2)
        if copied:
            saver.copy_thread("t", "u")
        assert loose_ends(stored(tables)) == []
        lives = {int(one["ttl"]["N"]) for one in tables.items_beside()}
        assert max(lives) == int(tables.bases()[0]["ttl"]["N"])
        assert state_of(saver, config("t")) == grown(20_000, 1)


def test_what_never_expires_does_not_refer_to_a_base_that_does(
    tables: Tables, clock: Clock
) -> None:
    tables.set_up()
    with (
        tables.saver(**INCREMENTAL, ttl_seconds=TTL, clock=clock) as expiring,
        tables.saver(**INCREMENTAL, clock=clock) as lasting,
        tables.saver(**INCREMENTAL, ttl_seconds=100 * TTL, clock=clock) as longer,
    ):
        put_steps(expiring, 2)
        assert state_of(lasting, config("t")) == grown(20_000, 1)
        put_steps(lasting, 1, first=2, parent="0001")
        assert len(bases(tables)) == 2
        assert state_of(longer, config("t", "", "0001")) == grown(20_000, 1)
        put_steps(longer, 1, first=3, parent="0001")
        assert len(bases(tables)) == 3
        # A shorter-lived checkpoint can use a longer-lived base.
        assert state_of(expiring, config("t", "", "0002")) == grown(20_000, 2)
        put_steps(expiring, 1, first=4, parent="0002")
        assert len(bases(tables)) == 3


def test_extending_an_ancestor_extends_its_base(tables: Tables, clock: Clock) -> None:
    tables.set_up()
    ttl = 40 * BASE_RETENTION
    with with_payloads(
        tables.saver(**INCREMENTAL, ttl_seconds=ttl, clock=clock), whole_bytes=0
    ) as saver:
        first = put_delta(saver, "0001", None, log=["held"])
        second = put_delta(saver, "0002", "0001")
        expiries = [int(one["ttl"]["N"]) for one in tables.checkpoint_items()]
        clock.now += ttl * 3 // 4
        found = saver.get_delta_channel_history(config=second, channels=["log"])
        assert found["log"]["seed"] == ["held"]
        assert state_of_log(saver, first) == ["held"]
        longer = [int(one["ttl"]["N"]) for one in tables.checkpoint_items()]
    assert len(longer) == len(expiries) == 3
    assert min(longer) >= clock.now + ttl


def put_delta(saver: Saver, checkpoint_id: str, parent: str | None, **held: Any) -> Any:
    made = checkpoint(checkpoint_id, **held)
    made["channel_versions"] = {"log": checkpoint_id}
    counted = {} if held else {"counters_since_delta_snapshot": {"log": [1, 1]}}
    at = saver.put(config("t", "", parent), made, metadata(**counted), {})
    saver.put_writes(at, [("log", checkpoint_id)], "task")
    return at


def state_of_log(saver: Saver, at: Any) -> Any:
    found = saver.get_tuple(at)
    return None if found is None else found.checkpoint["channel_values"]["log"]
