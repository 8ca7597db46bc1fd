"""What calls cost: requests and units, and that the tables that are shown say the same."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest
from langgraph.store.base import GetOp, PutOp

from tests.docs.test_figures import COSTS
from tests.store.costs import measure_costs
from tests.store.faces import with_payloads
from tests.support.clocks import Clock
from tests.support.effort import amount
from tests.support.sessions import metered_session

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb import RequestInfo
    from tests.store.faces import StoreTable
    from tests.support.engines import Engine


def test_the_table_of_costs_is_what_is_measured(table: StoreTable, engine: Engine) -> None:
    text = COSTS.read_text(encoding="utf-8")
    for cost in measure_costs(table, engine):
        row = cost.row() if engine.faithful else cost.row().rstrip(" |")
        # moto's pages hold less.
        if engine.faithful or "MB" not in cost.call:
            assert row in text, row


def test_a_namespace_is_entered_once_by_a_process_and_again_after_an_hour(
    table: StoreTable,
) -> None:
    clock = Clock()
    session, meter = metered_session()
    with table.on_session(session=session, clock=clock) as store:
        for seconds in (0, 1, 3598, 2, 10):
            clock.now += seconds
            store.put(("a", "b"), str(seconds), {})
        assert meter.requests == {"UpdateItem": 2, "PutItem": 5}


@pytest.mark.parametrize("now", [0.0, 100.5, 4e9])
def test_a_namespace_is_entered_whatever_the_clock_says(table: StoreTable, now: float) -> None:
    with table.quick(clock=lambda: now) as store:
        store.put(("a", "b"), "k", {})
        assert store.list_namespaces() == [("a", "b")]


def test_fields_that_are_copied_save_reading_large_values(table: StoreTable) -> None:
    def search(**settings: Any) -> tuple[list[str], int]:
        session, meter = metered_session()
        with with_payloads(table.on_session(session=session, **settings), inline_limit=400) as made:
            if settings:
                values = [{"kind": f"{i % 10}", "text": "x" * 1000} for i in range(20)]
                made.batch([PutOp(("docs",), f"{i:02}", one) for i, one in enumerate(values)])
            meter.reset()
            found = made.search(("docs",), filter={"kind": "3"})
            return [one.key for one in found], meter.total

    # The item, and the parts of the two that pass. Who has not declared the field uses it too.
    assert search(filter_paths=["kind", "other"]) == (["03", "13"], 3)
    assert search() == (["03", "13"], 3)


def test_a_search_with_a_filter_takes_few_round_trips_for_many_items(table: StoreTable) -> None:
    session, meter = metered_session()
    with table.on_session(session=session) as store:
        store.batch([PutOp(("docs",), f"{i:04}", {"n": i}) for i in range(600)])
        meter.reset()
        assert store.search(("docs",), filter={"n": 599})[0].key == "0599"
        assert meter.total <= 4


def test_many_gets_take_a_request_for_each_hundred(table: StoreTable) -> None:
    session, meter = metered_session()
    with table.on_session(session=session) as store:
        store.batch([GetOp(("docs",), str(i)) for i in range(250)])
        assert meter.requests == {"BatchGetItem": 3}


def test_requests_are_told_to_who_asks(table: StoreTable) -> None:
    told: list[RequestInfo] = []
    with table.quick(on_request=told.append) as store:
        store.batch([PutOp(("a",), str(number), {}) for number in range(3)])
        store.batch([GetOp(("a",), str(number)) for number in range(3)])
        store.delete(("a",), "0")
        store.sweep_orphans()
    assert [(one.operation, one.action, one.batch_size) for one in told] == [
        ("batch", "UpdateItem", 1),
        ("batch", "BatchWriteItem", 3),
        ("batch", "BatchGetItem", 3),
        ("batch", "DeleteItem", 1),
        ("sweep_orphans", "Scan", 1),
    ]
    assert {one.table_names for one in told} == {(table.name,)}
    assert all(not one.failed and one.unprocessed == 0 for one in told)


MANY = amount(100_000, 2_000)
PART = 1000


@pytest.fixture
def filled(table: StoreTable) -> StoreTable:
    """A table with very many items below one prefix."""
    with table.quick() as store:
        for first in range(0, MANY, PART):
            numbers = range(first, min(first + PART, MANY))
            store.batch([PutOp(("docs", "x"), f"{i:06}", {"n": i}) for i in numbers])
    return table


def test_a_search_of_very_many_items_keeps_few_of_them_in_memory(filled: StoreTable) -> None:
    with filled.quick() as store:
        assert len(store.search(("docs",), limit=5, offset=MANY - 5)) == 5
        assert store.list_namespaces() == [("docs", "x")]
        tracemalloc.start()
        try:
            assert store.search(("docs",), filter={"n": MANY - 1})[0].value == {"n": MANY - 1}
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    # What is asked for at once takes some 30 MB, however many items there are.
    assert peak < 40_000_000
