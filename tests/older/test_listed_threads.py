"""Tables with a thread index, and earlier releases, which have none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from langgraph_checkpoint_dynamodb.format.keys import THREAD_SORT_KEY
from tests.older.releases import BEFORE_DIFFERENCES, BEFORE_TASK_ITEMS, STORED_AT, put
from tests.older.test_releases import DAY, only_live
from tests.support.values import config
from tests.threads.conftest import INDEXED
from tests.threads.test_index import begin, known

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.older.releases import Release
    from tests.support.savers import Saver
    from tests.support.tables import Tables

both = pytest.mark.parametrize(
    "release", [BEFORE_TASK_ITEMS, BEFORE_DIFFERENCES], ids=lambda release: release.name
)


@pytest.fixture
def listing(tables: Tables) -> Iterator[Saver]:
    """A saver with a thread in its index."""
    tables.set_up(**INDEXED)
    with tables.saver(**INDEXED, clock=lambda: STORED_AT) as saver:
        for checkpoint_id in ("0001", "0002"):
            begin(saver, "t", id_=checkpoint_id)
        saver.update_thread("t", title="First")
        yield saver


def sorts(tables: Tables, thread_id: str) -> list[str]:
    items = tables.checkpoint_items()
    return [one["checkpoint_id"]["S"] for one in items if one["thread_id"]["S"] == thread_id]


@only_live
@both
def test_a_release_before_reads_copies_prunes_and_sweeps_a_listed_thread(
    tables: Tables, listing: Saver, release: Release
) -> None:
    before = known(listing, "t")
    calls: list[Any] = [
        ["get_tuple", [config("t")]],
        ["copy_thread", ["t", "copy"]],
        ["prune", [["t"]]],
        ["sweep_orphans", []],
        put("0003"),
    ]
    answers = release.perform(tables, calls, STORED_AT + 3 * DAY)
    assert [answer for answer in answers if isinstance(answer, dict)] == []
    assert sorts(tables, "t") == [THREAD_SORT_KEY, "0002", "0003"]
    assert sorts(tables, "copy") == ["0001", "0002"]
    assert known(listing, "t") == before


@only_live
@both
def test_a_release_before_deletes_what_is_known_of_a_thread_with_it(
    tables: Tables, listing: Saver, release: Release
) -> None:
    assert release.perform(tables, [["delete_thread", ["t"]]], STORED_AT) == ["None"]
    assert tables.checkpoint_items() == []
    assert listing.get_thread("t") is None


@only_live
@both
def test_a_release_before_refuses_to_look_for_runs_without_an_index(
    tables: Tables, listing: Saver, release: Release
) -> None:
    before = known(listing, "t")
    (refused,) = release.perform(tables, [["delete_for_runs", [["r"]]]], STORED_AT)
    assert refused["error"] == "InvalidInputError"
    assert sorts(tables, "t") == [THREAD_SORT_KEY, "0001", "0002"]
    assert known(listing, "t") == before
