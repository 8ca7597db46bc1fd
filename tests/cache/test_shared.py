"""A cache in the table of a store: neither sees, clears or sweeps away anything of the other."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from langgraph.store.base import GetOp

from langgraph_checkpoint_dynamodb import ServiceError
from langgraph_checkpoint_dynamodb.format.expiry import GRACE_SECONDS
from langgraph_checkpoint_dynamodb.policies import STORE_ROLES
from tests.cache.faces import cache_on_session, held_cache, quick_cache
from tests.store.faces import failure, with_payloads
from tests.support.iam import Ask, Policy
from tests.support.sessions import held_session, metered_session

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cache.faces import Cache, FullKey
    from tests.store.faces import StoreTable
    from tests.support.clocks import Clock

A: tuple[str, ...] = ("a",)
AT: FullKey = (A, "k")
LARGE = "x" * 500_000


def test_a_store_and_a_cache_share_a_table_and_nothing_else(
    table: StoreTable, clock: Clock
) -> None:
    with table.quick(clock=clock) as store, quick_cache(table, clock=clock) as cache:
        store.put(A, "k", {"text": LARGE})
        store.put(("cache",), "k", {"n": 1})
        cache.set({AT: (LARGE, None), (("cache",), "k"): (2, None)})
        assert [one.namespace for one in store.search(())] == [A, ("cache",)]
        assert store.list_namespaces() == [A, ("cache",)]
        assert cache.get([AT, (("cache",), "k")]) == {AT: LARGE, (("cache",), "k"): 2}
        clock.now += 2 * 24 * 3600
        for report in (store.sweep_orphans(), cache.sweep_orphans()):
            assert (report.chunks_deleted, report.unknown, report.namespaces_deleted) == (0, 0, 0)
        cache.clear()
        assert cache.get([AT]) == {}
        found = store.get(A, "k")
        assert found is not None
        assert found.value == {"text": LARGE}
        cache.set({AT: (LARGE, None)})
        store.delete(A, "k")
        assert cache.get([AT]) == {AT: LARGE}
        assert store.batch([GetOp(A, "k")]) == [None]


def test_all_is_cleared_without_a_look_at_the_items_of_a_store(table: StoreTable) -> None:
    session, meter = metered_session()
    with table.quick() as store, cache_on_session(table, session=session) as cache:
        for number in range(20):
            store.put(("users", str(number)), "k", {"text": "x" * 100_000})
        cache.set({AT: (1, None), (("b",), "k"): (2, None)})
        meter.reset()
        cache.clear()
        # The registry, four partitions of each namespace, and a delete of each entry.
        assert meter.requests == {"Query": 9, "BatchWriteItem": 2}
        assert meter.read_units < 10
        assert len(store.search((), limit=50)) == 20


def test_namespaces_leave_the_registry_when_nobody_relies_on_them(
    table: StoreTable, clock: Clock
) -> None:
    def registered() -> int:
        return sum("touched" in one for one in table.items())

    with quick_cache(table, clock=clock) as cache:
        cache.set({AT: (1, None), (("b",), "k"): (2, None)})
        cache.clear()
        assert registered() == 2
        clock.now += 4 * GRACE_SECONDS
        cache.set({AT: (1, None)})
        cache.clear()
        assert registered() == 1
        assert table.heads() == []
        clock.now += 4 * GRACE_SECONDS
        cache.clear()
        assert table.items() == []
        cache.set({AT: (1, None)})
        with quick_cache(table, clock=clock) as other:
            other.clear()
        assert cache.get([AT]) == {}


def test_what_expires_is_deleted_by_dynamodb_at_the_end_of_its_time(
    table: StoreTable, clock: Clock
) -> None:
    clock.now += 0.5
    with with_payloads(quick_cache(table, clock=clock), inline_limit=300) as cache:
        cache.set({AT: ("x" * 1000, 60)})
        (head,), (part,) = table.heads(), table.parts()
        assert float(head["expires"]["N"]) == clock.now + 60
        assert int(head["ttl"]["N"]) == clock.now + 60.5
        assert int(part["ttl"]["N"]) >= int(head["ttl"]["N"])
        cache.set({AT: ("x" * 1000, None)})
        assert not any("ttl" in one for one in table.items())


def use(cache: Cache) -> None:
    """Everything that an agent does."""
    cache.setup()
    cache.set({AT: (LARGE, 60)})
    cache.set({AT: (1, 60)})
    cache.set({AT: (1, 60), (A, "l"): (2, None)})
    read(cache)
    cache.set({(A, "l"): (2, 0)})
    cache.clear([A])


def read(cache: Cache) -> None:
    assert len(cache.get([AT, (A, "l")])) == 2
    assert len(cache.get([AT])) == 1


def use_and_sweep(cache: Cache) -> None:
    use(cache)
    cache.sweep_orphans()


USES: dict[str, Callable[[Cache], object]] = {
    "read": read,
    "runtime": use,
    "admin": use_and_sweep,
}


@pytest.mark.parametrize("role", USES)
def test_each_role_of_a_store_does_for_a_cache(table: StoreTable, role: str) -> None:
    if role == "read":
        with quick_cache(table) as cache:
            cache.set({AT: (LARGE, 60), (A, "l"): (2, None)})
    with held_cache(table, STORE_ROLES[role].tables) as cache:
        USES[role](cache)


@pytest.mark.parametrize("action", sorted(STORE_ROLES["runtime"].tables))
def test_an_agent_needs_each_action_of_its_role(
    table: StoreTable, caplog: pytest.LogCaptureFixture, action: str
) -> None:
    with held_cache(table, STORE_ROLES["runtime"].tables - {action}) as cache:
        error = failure(lambda: use(cache))
    assert action.partition(":")[2] in f"{error} {caplog.text}"


def test_a_cache_needs_its_own_keys_alone(table: StoreTable) -> None:
    """The condition on `dynamodb:LeadingKeys` that the page on the cache names."""
    statement = {
        "Effect": "Allow",
        "Action": "dynamodb:*",
        "Resource": "*",
        "Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [".cache", ".cache.*"]}},
    }
    policy = Policy.parse(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))

    def allows(ask: Ask) -> bool:
        return policy.allows(ask)

    session: Any = held_session(allows)
    with cache_on_session(table, session=session) as cache:
        use(cache)
        cache.clear()
    with (
        table.on_session(session=held_session(allows)) as store,
        pytest.raises(ServiceError, match="AccessDenied"),
    ):
        store.get(A, "k")


def test_setup_makes_the_table_and_can_be_repeated(unmade: StoreTable, family: Any) -> None:
    with held_cache(unmade, STORE_ROLES["setup"].tables) as cache:
        for _ in range(2):
            if family is None:
                cache.setup()
            else:
                family.run(cache.asetup())
    with quick_cache(unmade) as cache:
        cache.set({AT: (1, 60)})
        assert cache.get([AT]) == {AT: 1}
