"""Tables with differences, and the release before, which stored every checkpoint whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.incremental.states import INCREMENTAL
from tests.older.releases import (
    BEFORE_DIFFERENCES,
    DIFFERENCES,
    DIFFERENCES_CALLS,
    NOW,
    STORED_AT,
    put_state,
)
from tests.older.sources import read_recorded
from tests.older.test_releases import DAY, load, only_live
from tests.support.tables import with_payloads
from tests.support.values import config

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.savers import Saver
    from tests.support.tables import Tables

NEWEST = config("d")
STATES = {call[1][1]["id"]: call[1][1]["channel_values"]["state"] for call in DIFFERENCES_CALLS}
UPGRADE = "names a kind of storage that this version does not know; upgrade"


@pytest.fixture
def saver(tables: Tables) -> Iterator[Saver]:
    tables.set_up()
    with tables.saver(**INCREMENTAL, clock=lambda: STORED_AT + 60) as made:
        yield with_payloads(made, inline_limit=700, chunk_bytes=500)


def states(saver: Saver, thread_id: str = "d") -> dict[str, Any]:
    return {
        one.config["configurable"]["checkpoint_id"]: one.checkpoint["channel_values"]["state"]
        for one in saver.list(config(thread_id))
    }


def fields(items: list[dict[str, Any]]) -> list[Any]:
    """The attributes of items, without bytes and what differs in every call."""
    return [
        (
            sorted(one),
            sorted(one.get("checkpoint_payload", {"M": {}})["M"]),
            one["checkpoint_id"]["S"].rpartition("/")[0] or one["checkpoint_id"]["S"],
        )
        for one in sorted(items, key=lambda one: str(one["checkpoint_id"]["S"]))
    ]


def test_recorded_differences_are_read_copied_pruned_and_deleted(
    tables: Tables, saver: Saver
) -> None:
    load(tables, DIFFERENCES)
    assert states(saver) == STATES
    saver.copy_thread("d", "a longer thread id")
    saver.prune(["d"])
    assert states(saver) == {"0003": STATES["0003"]}
    assert states(saver, "a longer thread id") == STATES
    for thread_id in ("d", "a longer thread id"):
        saver.delete_thread(thread_id)
    assert [*tables.heads(), *tables.write_items()] == []


def test_differences_are_stored_now_as_they_are_recorded(tables: Tables) -> None:
    stored = DIFFERENCES.write(tables)["checkpoints"]
    assert fields(stored) == fields(read_recorded(DIFFERENCES)["checkpoints"])


@only_live
def test_the_release_before_refuses_a_difference_and_says_to_upgrade(
    tables: Tables, saver: Saver
) -> None:
    load(tables, DIFFERENCES)
    reads: list[Any] = [
        ["get_tuple", [NEWEST]],
        ["get_tuple", [config("d", "", "0002")]],
        ["prune", [["d"]]],
        ["copy_thread", ["d", "u"]],
        ["get_tuple", [config("d", "", "0000")]],
    ]
    newest, by_id, pruned, copied, whole = BEFORE_DIFFERENCES.perform(tables, reads, STORED_AT + 60)
    for refused in (newest, by_id, copied):
        assert refused["error"] == "UnreadableItemError"
        assert UPGRADE in refused["message"]
    # It keeps the newest, whatever its contents, and deletes the others.
    assert (pruned, whole) == ("None", "None")
    assert states(saver) == {"0003": STATES["0003"]}


@only_live
def test_the_release_before_reads_what_is_whole_beside_differences(
    tables: Tables, saver: Saver
) -> None:
    load(tables, DIFFERENCES)
    whole = ["get_tuple", [config("d", "", "0000")]]
    assert BEFORE_DIFFERENCES.perform(tables, [whole], STORED_AT + 60) == [[]]
    assert states(saver) == STATES


@only_live
def test_a_thread_half_of_which_the_release_before_has_written_goes_on(
    tables: Tables, saver: Saver
) -> None:
    BEFORE_DIFFERENCES.perform(tables, DIFFERENCES_CALLS[:3])
    found = saver.get_tuple(NEWEST)
    assert found is not None
    call = put_state(3, 6000, "0002")[1]
    saver.put(*call)
    kinds = [one["checkpoint_payload"]["M"]["kind"]["S"] for one in tables.heads()[1:]]
    assert kinds == ["chunks", "chunks", "difference"]
    assert states(saver) == STATES
    (refused,) = BEFORE_DIFFERENCES.perform(tables, [["get_tuple", [NEWEST]]], STORED_AT + 60)
    assert UPGRADE in refused["message"]


@only_live
def test_a_sweep_of_the_release_before_leaves_bases_and_what_is_outside_them(
    tables: Tables, saver: Saver
) -> None:
    load(tables, DIFFERENCES)
    before = [*tables.checkpoint_items(), *tables.items_beside()]
    swept = BEFORE_DIFFERENCES.perform(tables, [["sweep_orphans", []]], STORED_AT + 3 * DAY)
    assert "chunks_deleted=0" in swept[0]
    assert [*tables.checkpoint_items(), *tables.items_beside()] == before
    assert states(saver) == STATES


@only_live
def test_a_delete_of_the_release_before_takes_bases_with_their_thread(tables: Tables) -> None:
    tables.set_up()
    load(tables, DIFFERENCES)
    BEFORE_DIFFERENCES.perform(tables, [["delete_thread", ["d"]]], STORED_AT + 3 * DAY)
    assert [*tables.checkpoint_items(), *tables.write_items()] == []
    assert NOW.perform(tables, [["get_tuple", [NEWEST]]]) == ["None"]
