"""The cost of each call: requests, serial round trips and capacity units.

C below is the concurrency limit. Requests and depth are counted on every engine, capacity units
only on engines that count them as AWS does.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import pytest

from tests.support.calls import SyncCalls
from tests.support.metered import Metered
from tests.support.sessions import metered_session
from tests.support.tables import forget
from tests.support.values import checkpoint, config, id_of, metadata, new_id, put_chain
from tests.support.walking import measure_depth

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.engines import Engine
    from tests.support.tables import Tables

LIMIT = 32
KILOBYTE = "x" * 1024
"""A channel value of 1 KB."""


@pytest.fixture
def metered(tables: Tables) -> Iterator[Metered]:
    tables.set_up()
    session, meter = metered_session()
    with tables.saver(session=session, max_concurrency=LIMIT) as saver:
        yield Metered(saver, meter, measure_depth(saver))


def test_put_is_one_request(metered: Metered) -> None:
    cost = metered.cost(
        lambda: metered.calls.put(config("t"), checkpoint(a="1"), metadata(), {"a": "1"})
    )
    assert cost == (1, 1)


@pytest.mark.parametrize("count", [1, 2, 30, 100])
def test_put_writes_is_one_request_for_up_to_a_hundred_writes(metered: Metered, count: int) -> None:
    target = config("t", checkpoint_id=new_id())
    writes = [("channel", number) for number in range(count)]
    assert metered.cost(lambda: metered.calls.put_writes(target, writes, "task")) == (1, 1)


def test_put_writes_repeated_costs_no_further_request(metered: Metered) -> None:
    target = config("t", checkpoint_id=new_id())
    metered.calls.put_writes(target, [("a", 1), ("b", 2)], "task")
    again = metered.cost(lambda: metered.calls.put_writes(target, [("a", 1), ("b", 2)], "task"))
    assert again == (1, 1)


def test_get_tuple_by_id_is_two_requests_side_by_side(metered: Metered) -> None:
    stored = put_chain(metered.calls, "t", 1)[0]
    assert metered.cost(lambda: metered.calls.get_tuple(stored)) == (2, 1)


def test_get_tuple_of_the_latest_is_two_requests_one_after_the_other(metered: Metered) -> None:
    put_chain(metered.calls, "t", 1)
    forget(metered.saver)
    assert metered.cost(lambda: metered.calls.get_tuple(config("t"))) == (2, 2)


def test_get_tuple_of_the_latest_by_who_has_seen_it_is_two_requests_side_by_side(
    metered: Metered,
) -> None:
    put_chain(metered.calls, "t", 3)
    assert metered.cost(lambda: metered.calls.get_tuple(config("t"))) == (2, 1)
    forget(metered.saver)
    metered.calls.get_tuple(config("t"))
    assert metered.cost(lambda: metered.calls.get_tuple(config("t"))) == (2, 1)


def test_get_tuple_costs_the_same_in_a_long_thread_with_many_nested_checkpoints(
    metered: Metered, engine: Engine
) -> None:
    put_chain(metered.calls, "short", 1, value=KILOBYTE)
    alone = metered.cost(lambda: metered.calls.get_tuple(config("short")))
    units = metered.meter.read_units
    put_chain(metered.calls, "long", 100, value=KILOBYTE)
    put_chain(metered.calls, "long", 60, "node:1", value=KILOBYTE)
    assert metered.cost(lambda: metered.calls.get_tuple(config("long"))) == alone
    assert metered.cost(lambda: metered.calls.get_tuple(config("long", "node:1"))) == alone
    if engine.faithful:
        assert metered.meter.read_units == units


@pytest.mark.parametrize("limit", [1, 10, LIMIT])
def test_list_with_a_limit_reads_its_page_and_the_writes_side_by_side(
    metered: Metered, limit: int
) -> None:
    put_chain(metered.calls, "t", 40)
    listed = metered.cost(lambda: list(metered.calls.list(config("t"), limit=limit)))
    assert listed == (1 + limit, 2)


def test_list_before_a_checkpoint_needs_no_second_page(metered: Metered) -> None:
    chain = put_chain(metered.calls, "t", 10)
    listed = metered.cost(lambda: list(metered.calls.list(config("t"), before=chain[5], limit=2)))
    assert listed == (1 + 2, 2)


def test_list_of_ten_of_two_hundred_small_checkpoints_takes_at_most_thirty_read_units(
    metered: Metered, engine: Engine
) -> None:
    put_chain(metered.calls, "t", 200, value=KILOBYTE)
    metered.cost(lambda: list(metered.calls.list(config("t"), limit=10)))
    if engine.faithful:
        assert metered.meter.read_units <= 30


def test_a_filter_that_matches_nothing_reads_few_pages(metered: Metered) -> None:
    put_chain(metered.calls, "t", 1500)
    wanted = {"source": "nothing"}
    requests, depth = metered.cost(lambda: list(metered.calls.list(config("t"), filter=wanted)))
    # 16, 32, 64 and so on up to 1,024; a page of 1 MB holds all of them.
    assert (requests, depth) == (7, 7)


def test_history_is_the_pages_of_the_range_and_one_request_for_each_ancestor(
    metered: Metered,
) -> None:
    length = 201
    chain = put_chain(metered.calls, "t", length)
    for stored in chain:
        metered.calls.put_writes(stored, [("messages", "m")], "task")
    ancestors = length - 1
    pages = 2  # 64 items, then up to 256
    requests, depth = metered.cost(
        lambda: metered.calls.get_delta_channel_history(config=config("t"), channels=["messages"])
    )
    assert requests == pages + ancestors
    assert depth == pages + ceil(ancestors / LIMIT)


def test_history_reads_one_page_when_a_snapshot_is_near(metered: Metered) -> None:
    put_chain(metered.calls, "t", 100, messages="snapshot")
    forget(metered.saver)
    requests, depth = metered.cost(
        lambda: metered.calls.get_delta_channel_history(config=config("t"), channels=["messages"])
    )
    # The newest has the same channel version as its parent, which holds the value.
    assert (requests, depth) == (1, 1)


@pytest.mark.parametrize("length", [25, 200])
def test_delete_thread_grows_with_its_batches_not_with_its_checkpoints(
    metered: Metered, length: int
) -> None:
    for stored in put_chain(metered.calls, "t", length):
        metered.calls.put_writes(stored, [("a", 1), ("b", 2)], "task")
    requests, depth = metered.cost(lambda: metered.calls.delete_thread("t"))
    pages = 1
    tombstones = ceil(length / 25)
    marks = ceil(length / 25)
    deletes = 2 * ceil(length / 25)
    assert requests == pages + tombstones + length + marks + deletes
    # A page, the tombstones in order beside the queries, the marks, the writes, the tombstones.
    assert depth <= pages + max(tombstones, ceil(length / (LIMIT - 1))) + 1 + 1 + 1


def test_nothing_reads_an_item_twice(metered: Metered, engine: Engine) -> None:
    chain = put_chain(metered.calls, "t", 20, value="y" * 3500)
    if not engine.faithful:
        return
    # 20 items of just under 4 KB take a unit each, and so does each empty Query of writes.
    metered.cost(lambda: list(metered.calls.list(config("t"), limit=20)))
    assert metered.meter.read_units <= 20 + 20
    metered.cost(lambda: metered.calls.get_tuple(chain[-1]))
    assert metered.meter.read_units == 2


def test_eventually_consistent_reads_cost_half(tables: Tables, engine: Engine) -> None:
    tables.set_up()
    session, meter = metered_session()
    with tables.saver(session=session, consistent_reads=False) as saver:
        stored = put_chain(SyncCalls(saver), "t", 1, value="y" * 3000)[0]
        meter.reset()
        assert saver.get_tuple(config("t", checkpoint_id=id_of(stored))) is not None
    if engine.faithful:
        assert meter.read_units == 1
