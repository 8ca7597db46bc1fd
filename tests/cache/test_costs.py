"""What calls cost: requests and units, and that the page on costs says the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cache.costs import measure_costs
from tests.cache.faces import cache_on_session, quick_cache
from tests.docs.test_figures import COSTS
from tests.support.sessions import metered_session

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb import RequestInfo
    from tests.cache.faces import FullKey
    from tests.store.faces import StoreTable
    from tests.support.clocks import Clock
    from tests.support.engines import Engine

A = ("a",)
AT: FullKey = (A, "k")


def test_the_table_of_costs_is_what_is_measured(table: StoreTable, engine: Engine) -> None:
    text = COSTS.read_text(encoding="utf-8")
    for cost in measure_costs(table, engine):
        row = cost.row() if engine.faithful else cost.row().rstrip(" |")
        # moto's pages hold less.
        if engine.faithful or "MB" not in cost.call:
            assert row in text


def test_many_keys_take_a_request_for_each_hundred_and_each_is_asked_for_once(
    table: StoreTable,
) -> None:
    session, meter = metered_session()
    with cache_on_session(table, session=session) as cache:
        cache.get([(A, str(number)) for number in range(250)] * 2)
        assert meter.requests == {"BatchGetItem": 3}
        meter.reset()
        cache.get([AT, AT])
        assert meter.requests == {"GetItem": 1}


def test_a_namespace_is_entered_once_by_a_process_and_again_after_an_hour(
    table: StoreTable, clock: Clock
) -> None:
    session, meter = metered_session()
    with cache_on_session(table, session=session, clock=clock) as cache:
        for seconds in (0, 1, 3598, 2, 10):
            clock.now += seconds
            cache.set({AT: (seconds, None)})
        assert meter.requests == {"UpdateItem": 2, "PutItem": 5}


def test_reads_that_need_not_be_consistent_cost_half(table: StoreTable, engine: Engine) -> None:
    with quick_cache(table) as cache:
        cache.set({(A, str(number)): ("x" * 3000, None) for number in range(10)})
    units = []
    for consistent in (True, False):
        session, meter = metered_session()
        with cache_on_session(table, session=session, consistent_reads=consistent) as cache:
            assert len(cache.get([(A, str(number)) for number in range(10)])) == 10
            units.append(meter.read_units)
    assert not engine.faithful or units == [10, 5]


def test_requests_are_told_to_who_asks(table: StoreTable) -> None:
    told: list[RequestInfo] = []
    with quick_cache(table, on_request=told.append) as cache:
        cache.set({(A, str(number)): (1, None) for number in range(3)})
        cache.get([(A, str(number)) for number in range(3)])
        cache.clear([A])
    assert [(one.operation, one.action) for one in told[:3]] == [
        ("set", "UpdateItem"),
        ("set", "BatchWriteItem"),
        ("get", "BatchGetItem"),
    ]
    assert {one.operation for one in told[3:]} == {"clear"}
    assert {one.table_names for one in told} == {(table.name,)}
