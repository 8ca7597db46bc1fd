"""What is there and cannot be read raises and says whose it is: objects, copied fields, kept parts.

Damaged items and chunks are in `test_values.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from langgraph.store.base import GetOp, SearchOp

from langgraph_checkpoint_dynamodb import MissingPartError, UnreadableItemError
from tests.store.damage import damaged
from tests.store.faces import StoreCalls, with_payloads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.store.faces import Store, StoreTable
    from tests.support.buckets import Bucket

AT = ("users", "ann")
SAID = r"'k' of namespace \('users', 'ann'\)"
LARGE = {"text": "large " * 200, "status": "open"}

DESCRIPTIONS: dict[str, list[dict[str, Any] | None]] = {
    "kind": [None, {"S": "tape"}, {"S": "inline"}],
    "digest": [None, {"S": "0" * 64}],
    "stamp": [None, {"S": "0"}],
    "size": [None, {"N": "7"}, {"N": "-1"}, {"N": str(2**34)}],
    "bucket": [None, {"S": "another-bucket"}, {"N": "1"}],
    "key": [None, {"S": "states/other"}, {"S": ""}],
}
OBJECTS: dict[str, tuple[Callable[[bytes], bytes | None], type[UnreadableItemError]]] = {
    "gone": (lambda _: None, MissingPartError),
    "empty": (lambda _: b"", UnreadableItemError),
    "shorter": (lambda data: data[:-1], UnreadableItemError),
    "longer": (lambda data: data + b"\x00", UnreadableItemError),
    "another": (lambda data: b"\x00" * len(data), UnreadableItemError),
}
COPIED: dict[str, dict[str, Any] | None] = {
    "a number": {"N": "1"},
    "text": {"S": "open"},
    "no bytes": {"B": b""},
    "bytes of nothing": {"B": b"\xc1"},
    "no mapping": {"B": b"\x90"},
    "another mapping": {"B": b"\x80"},
}


@pytest.fixture
def in_s3(table: StoreTable, bucket: Bucket) -> Iterator[Store]:
    with table.quick(bucket, s3_offload_config=bucket.config(100)) as store:
        yield store


def head(table: StoreTable, key: str) -> dict[str, Any]:
    (item,) = [one for one in table.heads() if one["path"]["S"].endswith(f"\0{key}")]
    return item


def check_said(store: Store, kind: type[UnreadableItemError] = UnreadableItemError) -> None:
    """Every way to the item raises; its neighbour can be read, and a put makes it whole."""
    calls = StoreCalls(store)
    for op in (GetOp(AT, "k"), SearchOp(AT), SearchOp((), {"status": "open"})):
        with pytest.raises(kind, match=SAID):
            calls.batch([op])
    other = calls.get(AT, "other")
    assert other is not None
    assert other.value == LARGE
    calls.put(AT, "k", {"n": 1})
    again = calls.get(AT, "k")
    assert again is not None
    assert again.value == {"n": 1}


def put_two(store: Store) -> None:
    for key in ("k", "other"):
        store.put(AT, key, LARGE)


@pytest.mark.sample(6)
@pytest.mark.parametrize(
    ("field", "value"),
    [(field, value) for field, values in DESCRIPTIONS.items() for value in values],
    ids=str,
)
def test_a_damaged_description_of_an_object_raises_and_says_whose_it_is(
    in_s3: Store, table: StoreTable, field: str, value: dict[str, Any] | None
) -> None:
    put_two(in_s3)
    item = head(table, "k")
    described = damaged(item["value_payload"]["M"], field, value)
    table.replace({**item, "value_payload": {"M": described}})
    check_said(in_s3)


@pytest.mark.parametrize("damage", OBJECTS)
def test_a_damaged_object_raises_and_says_whose_it_is(
    in_s3: Store, table: StoreTable, bucket: Bucket, damage: str
) -> None:
    put_two(in_s3)
    key = head(table, "k")["value_payload"]["M"]["key"]["S"]
    change, kind = OBJECTS[damage]
    changed = change(bucket.objects()[key])
    bucket.client.delete_object(Bucket=bucket.name, Key=key)
    if changed is not None:
        bucket.client.put_object(Bucket=bucket.name, Key=key, Body=changed)
    check_said(in_s3, kind)


@pytest.mark.parametrize("damage", COPIED)
def test_damaged_copies_of_declared_fields_raise_where_a_filter_asks_for_them(
    table: StoreTable, damage: str
) -> None:
    with with_payloads(table.quick(filter_paths=["status"]), inline_limit=300) as store:
        put_two(store)
        table.replace(damaged(head(table, "k"), "copied", COPIED[damage]))
        for filters in ({"status": "open"}, {"status": "closed"}):
            with pytest.raises(UnreadableItemError, match=SAID):
                store.search(AT, filter=filters)
        assert store.get(AT, "other") is not None
        store.put(AT, "k", LARGE)
        assert len(store.search(AT, filter={"status": "open"})) == 2


def test_leaves_that_are_said_to_lie_apart_and_do_not_raise(table: StoreTable) -> None:
    with table.quick() as store:
        put_two(store)
        table.replace({**head(table, "k"), "apart": {"BOOL": True}})
        check_said(store)


def test_leaves_that_lie_apart_and_are_no_longer_said_to_raise(table: StoreTable) -> None:
    with table.quick() as store:
        put_two(store)
        store.put(AT, "k", {**LARGE, "n": 2**90, "half": "\ud800"})
        item = head(table, "k")
        assert "apart" in item
        table.replace(damaged(item, "apart", None))
        check_said(store)


def test_what_a_damaged_item_leads_to_is_deleted_only_if_it_is_its_own(
    in_s3: Store, table: StoreTable, bucket: Bucket
) -> None:
    put_two(in_s3)
    item = head(table, "k")
    own = item["value_payload"]["M"]["key"]["S"]
    victim = head(table, "other")["value_payload"]["M"]["key"]
    described = {**item["value_payload"]["M"], "key": victim}
    table.replace({**item, "value_payload": {"M": described}})
    in_s3.delete(AT, "k")
    assert sorted(bucket.keys()) == sorted([own, victim["S"]])
    found = in_s3.get(AT, "other")
    assert found is not None
    assert found.value == LARGE
