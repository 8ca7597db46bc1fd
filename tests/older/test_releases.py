"""Tables that several releases of this package have written.

`recorded/` holds the items that each release stores for the same calls. `make older-writers` runs
the releases themselves, concurrently on the same tables.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.older.releases import (
    AT,
    BEFORE_TASK_ITEMS,
    LARGE,
    NOW,
    READ,
    RELEASES,
    STORED_AT,
    TASKS,
    put,
    put_writes,
)
from tests.older.sources import live, read_recorded, recorded_text
from tests.support.tables import sweep, with_payloads
from tests.support.values import config

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.older.releases import Call, Release
    from tests.support.savers import Saver
    from tests.support.tables import Tables

only_live = pytest.mark.skipif(not live(), reason="runs a release; see make older-writers")

DAY = 24 * 60 * 60
READABLE = [
    ("asked", "__interrupt__", "sure?"),
    ("done", "log", "one"),
    ("done", "branch:to:next", None),
    ("large", "log", LARGE),
    ("large", "out", 1),
    ("large", "out", LARGE),
    ("resumed", "__resume__", ["yes"]),
    ("resumed", "log", "two"),
    ("resumed", "out", 2),
]

LOG = (["hi"], ["one", LARGE, "two"])


@pytest.fixture
def saver(tables: Tables) -> Iterator[Saver]:
    tables.set_up()
    with tables.saver(clock=lambda: STORED_AT + DAY) as made:
        yield with_payloads(made, inline_limit=700, chunk_bytes=500)


def load(tables: Tables, release: Release) -> None:
    items = read_recorded(release)
    for name, found in ((tables.checkpoints, "checkpoints"), (tables.writes, "writes")):
        for item in items[found]:
            tables.client.put_item(TableName=name, Item=item)


def pending(saver: Saver, thread_id: str = "t") -> Any:
    found = saver.get_tuple(config(thread_id, "", "0001"))
    return None if found is None else found.pending_writes


def history(saver: Saver, thread_id: str = "t") -> Any:
    newest = config(thread_id, "", "0002")
    found = saver.get_delta_channel_history(config=newest, channels=["log"])["log"]
    return found["seed"], [value for _, _, value in found["writes"]]


every = pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.name)


@every
def test_what_a_release_has_stored_is_read_copied_swept_and_deleted(
    tables: Tables, saver: Saver, release: Release
) -> None:
    load(tables, release)
    assert pending(saver) == READABLE
    assert history(saver) == LOG
    assert sweep(saver).chunks_deleted == 0
    saver.copy_thread("t", "a longer thread id")
    saver.prune(["t"])
    assert pending(saver) == pending(saver, "a longer thread id") == READABLE
    assert history(saver) == history(saver, "a longer thread id") == LOG
    for thread_id in ("t", "a longer thread id"):
        saver.delete_thread(thread_id)
    sweep(saver)
    assert [*tables.checkpoint_items(), *tables.write_items()] == []


@every
@pytest.mark.parametrize("task_id", TASKS)
def test_a_task_that_a_release_has_stored_keeps_its_writes_and_gets_those_it_lacks(
    tables: Tables, saver: Saver, release: Release, task_id: str
) -> None:
    load(tables, release)
    again = [*(("log", f"{number} again") for number in range(4)), ("__interrupt__", "again?")]
    saver.put_writes(AT, again, task_id)
    kept = {
        place: value
        for place, (channel, value) in enumerate(TASKS[task_id])
        if not channel.startswith("__")
    }
    found = [value for task, channel, value in pending(saver) if task == task_id]
    special = {channel: value for channel, value in TASKS[task_id] if channel.startswith("__")}
    special["__interrupt__"] = "again?"
    regular = [kept.get(place, f"{place} again") for place in range(4)]
    assert sorted(map(str, found)) == sorted(map(str, [*special.values(), *regular]))


def test_a_checkpoint_carries_what_its_parent_gives_to_deltachannels_as_it_is_recorded() -> None:
    carried = {
        release.name: [
            one["checkpoint_id"]["S"]
            for one in read_recorded(release)["checkpoints"]
            if "carried" in one
        ]
        for release in RELEASES
    }
    assert carried == {"before-task-items": [], "before-differences": ["0002"], "now": ["0002"]}


def test_what_is_stored_now_is_what_is_recorded(tables: Tables) -> None:
    """The stored format changes only together with its recording."""
    tables.set_up()
    stored = NOW.write(tables)
    assert without_tokens(recorded_text(stored)) == without_tokens(NOW.recorded.read_text())


def without_tokens(text: str) -> Any:
    """The stored value, without the parts that differ in every call."""
    return json.loads(re.sub(r"\b[0-9a-f]{16}(?=-)", "token", text))


@only_live
@pytest.mark.parametrize("task_id", ["done", "large", "resumed"])
def test_the_release_before_refuses_writes_that_are_stored_together(
    tables: Tables, saver: Saver, task_id: str
) -> None:
    (error,) = both_wrote(tables, saver, task_id, [READ])
    assert error["error"] == "UnreadableItemError"
    assert "'channel'" in error["message"]
    assert f"{task_id}:::0" in error["message"]


@only_live
def test_the_release_before_neither_sweeps_nor_copies_the_parts_of_writes_stored_together(
    tables: Tables, saver: Saver
) -> None:
    copy: Call = ["copy_thread", ["t", "u"]]
    swept, copied = both_wrote(tables, saver, "large", [["sweep_orphans", []], copy], later=3 * DAY)
    assert "chunks_deleted=0" in swept
    assert "unknown=0" not in swept
    assert copied["error"] == "UnreadableItemError"
    assert [value for _, _, value in pending(saver)] == [LARGE, 1, LARGE, "sure?"]
    assert pending(saver, "u") is None


def both_wrote(
    tables: Tables, saver: Saver, task_id: str, calls: list[Call], later: int = 0
) -> list[Any]:
    """The results of the release before, after this release has stored a task on its checkpoint."""
    BEFORE_TASK_ITEMS.perform(tables, [put(), put_writes("asked", TASKS["asked"])])
    saver.put_writes(AT, [(channel, value) for channel, value in TASKS[task_id]], task_id)
    return BEFORE_TASK_ITEMS.perform(tables, calls, STORED_AT + DAY + later)


@only_live
@pytest.mark.parametrize("first", RELEASES, ids=lambda release: f"{release.name} first")
@pytest.mark.parametrize(
    "writes",
    [
        [("log", "a0"), ("out", "a1")],
        [("log", "a0")],
        [("__resume__", ["a"]), ("log", "a1"), ("out", "a2")],
        [("__resume__", ["a"]), ("log", "a1")],
    ],
)
def test_a_task_that_both_releases_have_run_keeps_what_the_first_has_stored(
    tables: Tables, saver: Saver, first: Release, writes: list[tuple[str, Any]]
) -> None:
    """A task that was running when the release was changed.

    For the release before, the item with the key of place 0 takes that place, whatever it holds.
    """
    again = [("log", "b0"), ("out", "b1"), ("more", "b2"), ("more", "b3")]
    last = NOW if first is BEFORE_TASK_ITEMS else BEFORE_TASK_ITEMS
    calls = [[*map(list, made)] for made in (writes, again)]
    first.perform(tables, [put(), put_writes("task", calls[0])])
    last.perform(tables, [put_writes("task", calls[1])], STORED_AT + 1)
    kept = {place: write for place, write in enumerate(writes) if write[0] != "__resume__"}
    special = [write for write in writes if write[0] == "__resume__"]
    places = range(1 if special and first is not BEFORE_TASK_ITEMS else 0, 4)
    regular = [kept.get(place, again[place]) for place in places]
    assert [(channel, value) for _, channel, value in pending(saver)] == [*special, *regular]
