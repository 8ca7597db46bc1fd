"""Lives of items, as LangGraph's `TTLConfig` says them, to the second of the store's clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from langgraph.store.base import GetOp, PutOp

from langgraph_checkpoint_dynamodb.format.expiry import GRACE_SECONDS
from langgraph_checkpoint_dynamodb.policies import STORE_READ_ACTIONS
from tests.store.faces import StoreCalls, StoreTable, with_payloads
from tests.support.sessions import metered_session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.calls import LoopThread
    from tests.support.clocks import Clock

AT = ("users", "ann")
TEN: dict[str, Any] = {"default_ttl": 10}


@pytest.fixture
def made(table: StoreTable, clock: Clock, family: LoopThread | None) -> Iterator[StoreCalls]:
    with table.quick(clock=clock, ttl=TEN) as store:
        yield StoreCalls(store, family)


def ttl_of(table: StoreTable, key: str) -> int | None:
    (item,) = [one for one in table.heads() if one["path"]["S"].endswith(f"\0\0{key}")]
    return int(item["ttl"]["N"]) if "ttl" in item else None


def test_an_item_lives_for_its_minutes_and_is_gone_to_every_call_then(
    made: StoreCalls, clock: Clock
) -> None:
    made.put(AT, "k", {"n": 1}, ttl=5)
    made.put(AT, "default", {"n": 2})
    made.put(("for ever",), "k", {"n": 3}, ttl=None)
    clock.now += 5 * 60 - 0.5
    assert made.get(AT, "k", refresh_ttl=False) is not None
    clock.now += 0.5
    assert made.get(AT, "k") is None
    assert [one.key for one in made.search(AT, refresh_ttl=False)] == ["default"]
    assert made.list_namespaces() == [("for ever",), AT]
    clock.now += 5 * 60
    assert made.get(AT, "default") is None
    assert made.search(AT) == []
    assert made.search((), filter={"n": {"$gt": 0}})[0].namespace == ("for ever",)
    assert made.list_namespaces() == [("for ever",)]
    assert made.batch([GetOp(AT, "k"), GetOp(AT, "default")]) == [None, None]


def test_a_part_of_a_second_or_a_minute_is_never_cut_off(
    made: StoreCalls, clock: Clock, table: StoreTable
) -> None:
    clock.now = 4_000_000_000.75
    made.put(AT, "k", {}, ttl=0.01)
    assert ttl_of(table, "k") == 4_000_000_002
    clock.now += 0.6
    assert made.get(AT, "k", refresh_ttl=False) is not None


@pytest.mark.parametrize("read", ["get", "search", "batch"])
def test_a_read_begins_the_life_anew(made: StoreCalls, clock: Clock, read: str) -> None:
    made.put(AT, "k", {"n": 1})
    made.put(AT, "other", {"n": 2})
    for _ in range(3):
        clock.now += 9 * 60
        match read:
            case "get":
                assert made.get(AT, "k") is not None
            case "search":
                assert len(made.search(AT, filter={"n": 1})) == 1
            case _:
                assert made.batch([GetOp(AT, "k"), GetOp(("no",), "k")])[0] is not None
    assert made.get(AT, "k", refresh_ttl=False) is not None
    assert made.get(AT, "other") is None


@pytest.mark.parametrize("config", [{"refresh_on_read": False}, None])
def test_reads_that_are_not_to_extend_a_ttl_do_not(
    table: StoreTable, clock: Clock, family: LoopThread | None, config: dict[str, Any] | None
) -> None:
    asked = {"refresh_ttl": False} if config is None else {}
    with table.quick(clock=clock, ttl={**TEN, **(config or {})}) as store:
        calls = StoreCalls(store, family)
        calls.put(AT, "k", {})
        clock.now += 9 * 60
        calls.get(AT, "k", **asked)
        calls.search(AT, **asked)
        assert ttl_of(table, "k") == 4_000_000_600
        calls.get(AT, "k", refresh_ttl=True)
        assert ttl_of(table, "k") == 4_000_000_600 + 9 * 60


def test_an_item_lives_on_by_the_minutes_it_was_put_with(
    table: StoreTable, made: StoreCalls, clock: Clock
) -> None:
    made.put(AT, "k", {}, ttl=2.5)
    clock.now += 100
    made.get(AT, "k")
    assert ttl_of(table, "k") == 4_000_000_100 + 150


def test_a_put_begins_anew_and_may_end_the_expiry(
    table: StoreTable, made: StoreCalls, clock: Clock
) -> None:
    made.put(AT, "k", {})
    clock.now += 60
    made.put(AT, "k", {})
    assert ttl_of(table, "k") == 4_000_000_660
    made.put(AT, "k", {}, ttl=None)
    assert ttl_of(table, "k") is None


def test_what_has_expired_is_there_until_it_is_deleted_where_the_config_says_so(
    table: StoreTable, clock: Clock, family: LoopThread | None
) -> None:
    with table.quick(clock=clock, ttl={**TEN, "omit_expired": False}) as store:
        calls = StoreCalls(store, family)
        calls.put(AT, "k", {})
        clock.now += 3600
        assert calls.get(AT, "k", refresh_ttl=False) is not None
        assert len(calls.search(AT, refresh_ttl=False)) == 1
        assert calls.list_namespaces() == [AT]


def test_a_put_without_a_config_may_expire_too(
    table: StoreTable, clock: Clock, family: LoopThread | None
) -> None:
    with table.quick(clock=clock) as store:
        calls = StoreCalls(store, family)
        calls.put(AT, "k", {}, ttl=1)
        calls.put(AT, "for ever", {})
        clock.now += 60
        assert [one.key for one in calls.search(AT)] == ["for ever"]


def test_items_that_do_not_expire_and_reads_of_the_same_second_cost_no_write(
    table: StoreTable, clock: Clock
) -> None:
    session, meter = metered_session()
    with table.on_session(session=session, clock=clock) as store:
        store.put(AT, "k", {})
        store.put(AT, "expires", {}, ttl=1)
        meter.reset()
        store.search(AT)
        store.get(AT, "expires")
        assert set(meter.requests) == {"Query", "GetItem"}


def test_limits_count_items_that_are_there(made: StoreCalls, clock: Clock) -> None:
    made.batch([PutOp(AT, f"{i:02}", {"n": i}, ttl=1 if i % 2 else None) for i in range(40)])
    clock.now += 60
    found = made.search(AT, limit=5, offset=3)
    assert [one.value["n"] for one in found] == [6, 8, 10, 12, 14]


def test_the_parts_of_a_large_value_outlive_it_and_live_on_with_it(
    table: StoreTable, clock: Clock, family: LoopThread | None
) -> None:
    with with_payloads(table.quick(clock=clock, ttl=TEN), inline_limit=300) as store:
        calls = StoreCalls(store, family)
        calls.put(AT, "k", {"text": "x" * 1000})
        clock.now += 300
        assert calls.get(AT, "k") is not None
        (part,) = table.parts()
        assert int(part["ttl"]["N"]) == 4_000_000_900 + GRACE_SECONDS
        assert ttl_of(table, "k") == 4_000_000_900


def test_a_read_goes_on_where_a_ttl_cannot_be_extended_and_says_so(
    table: StoreTable, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    with table.quick(clock=clock, ttl=TEN) as store:
        store.put(AT, "k", {"n": 1})
    clock.now += 60
    with table.store(STORE_READ_ACTIONS, clock=clock, ttl=TEN) as reader:
        found = reader.get(AT, "k")
    assert found is not None
    assert "UpdateItem" in caplog.text
    assert "('users', 'ann')" in caplog.text
