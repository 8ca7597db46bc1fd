"""The store's table is made as it is specified, and by whoever may."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from langgraph.store.base import GetOp, PutOp

from langgraph_checkpoint_dynamodb import ServiceError, TableMismatchError, TableNotFoundError
from langgraph_checkpoint_dynamodb.format.tables import SPECS, Table
from langgraph_checkpoint_dynamodb.policies import (
    STORE_REGISTER_ACTIONS,
    STORE_ROLES,
    STORE_RUN_ACTIONS,
    STORE_SETUP_ACTIONS,
)
from tests.store.faces import failure
from tests.support.iam import Ask, Policy
from tests.support.sessions import held_session

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.store.faces import Store, StoreTable
    from tests.support.clocks import Clock


@pytest.fixture(params=["sync", "async"])
def set_up(request: pytest.FixtureRequest) -> Callable[[Store], None]:
    if request.param == "sync":
        return lambda store: store.setup()
    return lambda store: asyncio.run(store.asetup())


def test_setup_makes_the_table_and_lets_its_items_expire(
    unmade: StoreTable, set_up: Callable[[Store], None]
) -> None:
    with unmade.store(STORE_SETUP_ACTIONS) as store:
        set_up(store)
    described = unmade.client.describe_table(TableName=unmade.name)["Table"]
    spec = SPECS[Table.STORE]
    assert [(one["AttributeName"], one["KeyType"]) for one in described["KeySchema"]] == [
        (spec.partition_key, "HASH"),
        (spec.sort_key, "RANGE"),
    ]
    assert {one["AttributeType"] for one in described["AttributeDefinitions"]} == {"S"}
    assert described["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    expiry = unmade.client.describe_time_to_live(TableName=unmade.name)["TimeToLiveDescription"]
    assert expiry["TimeToLiveStatus"] in ("ENABLED", "ENABLING")
    assert expiry.get("AttributeName") == "ttl"


def test_setup_once_more_changes_nothing(
    table: StoreTable, set_up: Callable[[Store], None]
) -> None:
    with table.quick() as store:
        store.put(("a",), "k", {})
        sent: list[str] = []
        table.on("before-call.dynamodb", lambda model, **_: sent.append(model.name))
        set_up(store)
        assert sorted(sent) == ["DescribeTable", "DescribeTimeToLive"]
        assert store.get(("a",), "k") is not None


def test_a_table_of_other_keys_is_refused(unmade: StoreTable) -> None:
    keys: Any = [{"AttributeName": "thread_id", "KeyType": "HASH"}]
    types: Any = [{"AttributeName": "thread_id", "AttributeType": "S"}]
    unmade.client.create_table(
        TableName=unmade.name,
        KeySchema=keys,
        AttributeDefinitions=types,
        BillingMode="PAY_PER_REQUEST",
    )
    with unmade.quick() as store, pytest.raises(TableMismatchError, match="has the keys"):
        store.setup()


def test_a_table_that_is_not_there_is_named(unmade: StoreTable) -> None:
    with unmade.quick() as store, pytest.raises(TableNotFoundError, match=unmade.name) as raised:
        store.get(("a",), "k")
    assert "setup()" in str(raised.value)


def use(store: Store) -> None:
    """Everything that an agent does; it may verify the table when it starts."""
    store.setup()
    store.put(("a", "b"), "k", {"n": 1}, ttl=1)
    store.put(("a", "b"), "large", {"text": "x" * 500_000})
    store.put(("a", "b"), "large", {"text": "y" * 500_000})
    store.batch([])
    read(store)
    store.delete(("a", "b"), "large")
    many(store)


def many(store: Store) -> None:
    store.batch([PutOp(("a", str(i)), "k", {"n": i}) for i in range(3)])


def read(store: Store) -> None:
    assert store.get(("a", "b"), "k", refresh_ttl=False) is not None
    assert len(store.batch([GetOp(("a", "b"), "k", False), GetOp(("a", "b"), "no", False)])) == 2
    assert len(store.search(("a",), refresh_ttl=False)) == 2
    assert len(store.search((), filter={"n": 1}, refresh_ttl=False)) == 1
    assert store.list_namespaces() == [("a", "b")]


def use_and_sweep(store: Store) -> None:
    use(store)
    store.sweep_orphans()


ROLES: dict[str, Callable[[Store], object]] = {
    "read": read,
    "runtime": use,
    "admin": use_and_sweep,
}


@pytest.mark.parametrize("role", ROLES)
def test_each_role_may_do_what_it_is_for(table: StoreTable, role: str) -> None:
    if role == "read":
        with table.quick() as store:
            use(store)
            store.delete(("a", "0"), "k")
            store.delete(("a", "1"), "k")
            store.delete(("a", "2"), "k")
            store.put(("a", "b"), "large", {"text": "x" * 500_000})
    with table.store(STORE_ROLES[role].tables) as store:
        ROLES[role](store)


def test_one_that_may_only_read_lists_beside_a_namespace_that_is_long_empty(
    table: StoreTable, clock: Clock
) -> None:
    with table.quick(clock=clock) as store:
        store.batch([PutOp(("a", str(number)), "k", {}) for number in range(2)])
        store.delete(("a", "0"), "k")
    clock.now += 24 * 3600
    with table.store(STORE_ROLES["read"].tables, clock=clock) as reader:
        assert reader.list_namespaces() == [("a", "1")]
    assert table.registered() == [("a", "0"), ("a", "1")]


NEEDED = [(role, action) for role in ROLES for action in sorted(STORE_ROLES[role].tables)]


@pytest.mark.sample(6)
@pytest.mark.parametrize(("role", "action"), NEEDED)
def test_no_role_may_do_more_than_it_needs(
    table: StoreTable, caplog: pytest.LogCaptureFixture, role: str, action: str
) -> None:
    """Without any one of its actions it fails, or a warning says what was left undone."""
    with table.quick() as store:
        use(store)
        for number in range(3):
            store.delete(("a", str(number)), "k")
        store.put(("a", "b"), "large", {"text": "x" * 500_000})
    actions = STORE_ROLES[role].tables - {action}
    with table.store(actions) as store:
        error = failure(lambda: ROLES[role](store))
    assert action.partition(":")[2] in f"{error} {caplog.text}"


def test_a_tenant_is_held_to_its_root_label_and_the_registry(table: StoreTable) -> None:
    """The condition on `dynamodb:LeadingKeys` that the page on the store names."""
    statements = [
        {
            "Effect": "Allow",
            "Action": sorted(actions),
            "Resource": "*",
            "Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": patterns}},
        }
        for actions, patterns in (
            (STORE_RUN_ACTIONS, ["acme", "acme.*"]),
            (STORE_REGISTER_ACTIONS, [".namespaces.*"]),
        )
    ]
    policy = Policy.parse(json.dumps({"Version": "2012-10-17", "Statement": statements}))

    def allows(ask: Ask) -> bool:
        return policy.allows(ask)

    with table.on_session(session=held_session(allows)) as store:
        store.put(("acme", "b"), "k", {"text": "x" * 500_000})
        assert len(store.search(("acme",))) == 1
        store.delete(("acme", "b"), "k")
        for act in (
            lambda: store.put(("acme2",), "k", {}),
            lambda: store.get(("other",), "k"),
            lambda: store.search(("other",)),
            # They would show the namespaces of all.
            lambda: store.search(()),
            store.list_namespaces,
        ):
            with pytest.raises(ServiceError, match="AccessDenied"):
                act()
