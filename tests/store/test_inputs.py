"""What cannot be stored is refused, by name and before anything is sent."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from langgraph.store.base import (
    GetOp,
    InvalidNamespaceError,
    ListNamespacesOp,
    MatchCondition,
    PutOp,
    SearchOp,
)

from langgraph_checkpoint_dynamodb import InvalidInputError, PayloadTooLargeError, SaverClosedError
from langgraph_checkpoint_dynamodb.errors import TableMismatchError
from langgraph_checkpoint_dynamodb.store import (
    DynamoDBStore,
    NamespaceError,
)
from langgraph_checkpoint_dynamodb.store.keys import ItemRef, split_path
from tests.support.sessions import NOWHERE

if TYPE_CHECKING:
    from tests.store.faces import Store, StoreCalls, StoreTable

AT = ("a", "b")
OFFLINE: dict[str, Any] = {
    "store_table_name": "store",
    "endpoint_url": NOWHERE,
    "region_name": "us-east-1",
}


@pytest.fixture
def nowhere() -> DynamoDBStore:
    """A store that reaches nobody."""
    return DynamoDBStore(**OFFLINE)


@pytest.mark.sample(12)
@pytest.mark.parametrize("namespace", [("a", ""), ("a.b",), ("a\0",), ("", "b"), (1,), ("a", None)])
@pytest.mark.parametrize(
    "make",
    [
        lambda namespace: GetOp(namespace, "k"),
        lambda namespace: PutOp(namespace, "k", {}),
        lambda namespace: PutOp(namespace, "k", None),
        SearchOp,
        lambda path: ListNamespacesOp((MatchCondition("prefix", path),)),
        lambda path: ListNamespacesOp((MatchCondition("suffix", path),)),
    ],
)
def test_labels_are_checked_in_raw_operations_too(
    nowhere: DynamoDBStore, make: Any, namespace: Any
) -> None:
    with pytest.raises(InvalidNamespaceError):
        nowhere.batch([GetOp(("fine",), "k"), make(namespace)])
    with pytest.raises(NamespaceError):
        asyncio.run(nowhere.abatch([make(namespace)]))


@pytest.mark.parametrize(
    ("op", "named"),
    [
        (PutOp((), "k", {}), "namespace"),
        (PutOp("text", "k", {}), "namespace"),  # type: ignore[arg-type]  # what is refused
        (PutOp(AT, 1, {}), "key"),  # type: ignore[arg-type]  # as above
        (PutOp(AT, "\ud800", {}), "key"),
        (PutOp(AT, "k" * 1100, {}), "key"),
        (PutOp(("n" * 1100,), "k", {}), "namespace"),
        (PutOp(("\ud800",), "k", {}), "namespace"),
        (PutOp(AT, "k", [1]), "value"),  # type: ignore[arg-type]  # as above
        (PutOp(AT, "k", {2**70: 1}), "value"),  # type: ignore[dict-item]  # as above
        (PutOp(AT, "k", {"a": [{"\ud800": 1}]}), "value"),
        (PutOp(AT, "k", {}, None, 0), "ttl"),
        (PutOp(AT, "k", {}, None, float("nan")), "ttl"),
        (PutOp(AT, "k", {}, None, True), "ttl"),
        (SearchOp(AT, None, -1), "limit"),
        (SearchOp(AT, None, 1, -1), "offset"),
        (SearchOp(AT, None, 1.5), "limit"),  # type: ignore[arg-type]  # as above
        (SearchOp(AT, {"a": {"$in": [1]}}), "filter"),
        (SearchOp(AT, {"a": {"$gt": "text"}}), "filter"),
        (SearchOp(AT, {"a": [{"b": {"$lt": None}}]}), "filter"),
        (SearchOp(AT, [1]), "filter"),  # type: ignore[arg-type]  # as above
        (ListNamespacesOp(None, -1), "max_depth"),
        (ListNamespacesOp(None, None, -1), "limit"),
        (ListNamespacesOp((MatchCondition("infix", ("a",)),)), "match_conditions"),  # type: ignore[arg-type]  # as above
        ("get", "ops"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(
    nowhere: DynamoDBStore, op: Any, named: str
) -> None:
    with pytest.raises(InvalidInputError) as raised:
        nowhere.batch([PutOp(("fine",), "k", {}), op])
    assert raised.value.field == named


def test_the_empty_namespace_holds_nothing(nowhere: DynamoDBStore) -> None:
    assert nowhere.get((), "k") is None
    nowhere.delete((), "k")
    with pytest.raises(InvalidNamespaceError):
        nowhere.put((), "k", {})


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"store_table_name": "x"}, "store_table_name"),
        ({"spread": 0}, "spread"),
        ({"spread": 101}, "spread"),
        ({"ttl": {"default": 1}}, "ttl"),
        ({"ttl": 5}, "ttl"),
        ({"ttl": {"default_ttl": -1}}, "ttl.default_ttl"),
        ({"ttl": {"omit_expired": 1}}, "ttl.omit_expired"),
        ({"ttl": {"sweep_interval_minutes": -1}}, "ttl.sweep_interval_minutes"),
        ({"compression": "incremental"}, "compression"),
        ({"filter_paths": "status"}, "filter_paths"),
        ({"filter_paths": [1]}, "filter_paths"),
        ({"max_concurrency": 0}, "max_concurrency"),
        ({"consistent_reads": 1}, "consistent_reads"),
        ({"max_value_bytes": 0}, "max_value_bytes"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_name(settings: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidInputError) as raised:
        DynamoDBStore(**{**OFFLINE, **settings})
    assert raised.value.field == named


def test_a_value_over_the_ceiling_is_refused_before_anything_is_stored(table: StoreTable) -> None:
    with (
        table.quick(max_value_bytes=1000) as store,
        pytest.raises(PayloadTooLargeError, match="item 'k' of namespace"),
    ):
        store.batch([PutOp(AT, "small", {}), PutOp(AT, "k", {"text": "x" * 2000})])
    assert table.items() == []


def test_a_value_that_the_serde_cannot_hold_is_refused_before_anything_is_stored(
    calls: StoreCalls, table: StoreTable
) -> None:
    with pytest.raises(TypeError):
        calls.batch([PutOp(AT, "fine", {}), PutOp(AT, "k", {"a": object()})])
    assert table.items() == []


def test_a_closed_store_says_so(table: StoreTable) -> None:
    store = table.quick()
    store.put(AT, "k", {})
    store.close()
    with pytest.raises(SaverClosedError):
        store.get(AT, "k")


def test_another_spread_than_the_tables_is_refused_by_puts_and_listings(table: StoreTable) -> None:
    with table.quick(spread=4) as store:
        store.put(AT, "k", {"n": 1})
    with table.quick() as other:
        for act in (lambda: other.put(AT, "k", {"n": 2}), other.list_namespaces):
            with pytest.raises(TableMismatchError, match="another spread"):
                act()
    assert [one["root"]["S"] for one in table.heads()] == [ItemRef(AT, "k", 4).root]


def test_no_two_items_have_the_same_key() -> None:
    labels = ["a", "b", "ab", "a:b", "\x01", "\x02", "/"]
    namespaces = [(x,) for x in labels]
    namespaces += [(x, y) for x in labels for y in labels]  # type: ignore[misc]  # of any length
    namespaces += [(x, y, z) for x in labels for y in labels for z in labels]  # type: ignore[misc]  # as above
    keys = ["", "k", "\0", "\0k", "b\0\0k", "\0\0", "a", "b\0"]
    for spread in (1, 3):
        refs = [ItemRef(namespace, key, spread) for namespace in namespaces for key in keys]
        assert len({ref.primary for ref in refs}) == len(refs)
        assert len({ref.parts for ref in refs}) == len(refs)
        for ref in refs:
            assert split_path(ref.path) == (ref.namespace[1:], ref.key)


def test_paths_are_in_the_order_of_namespaces() -> None:
    namespaces = [("r", *rest) for rest in [(), ("a",), ("a", "b"), ("a\x01",), ("a ",), ("ab",)]]
    ordered = sorted(namespaces)
    assert sorted(namespaces, key=lambda one: ItemRef(one, "k").path) == ordered


def test_a_store_is_a_context_of_both_kinds(table: StoreTable) -> None:
    async def main() -> None:
        async with table.quick() as store:
            await store.aput(AT, "k", {"n": 1})
            assert (await store.aget(AT, "k")) is not None

    asyncio.run(main())
    reader: Store
    with table.quick() as reader:
        assert reader.get(AT, "k") is not None
