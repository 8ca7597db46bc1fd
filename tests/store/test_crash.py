"""Every call stopped after each of its requests, as a process does that dies between two.

A fresh reader then finds each item as it was or as it will be, never a mix, and lists exactly the
namespaces that have items; the call made again ends as if it had never been stopped; and a sweep
removes all that nothing leads to.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from langgraph.store.base import ListNamespacesOp, PutOp, SearchOp

from langgraph_checkpoint_dynamodb import UnreadableItemError
from langgraph_checkpoint_dynamodb.format.expiry import GRACE_SECONDS
from langgraph_checkpoint_dynamodb.store.items import read_item
from tests.store import crashes
from tests.store.faces import Store, StoreTable, with_payloads
from tests.support.clocks import Clock

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.buckets import Bucket

LARGE = "a long value " * 60
Seen = dict[tuple[tuple[str, ...], str], Any]


def put_first(store: Store) -> None:
    store.batch(
        [
            PutOp(("a", "b"), "large", {"text": LARGE, "n": 1}),
            PutOp(("a", "b"), "small", {"n": 2}),
            PutOp(("a", "gone"), "k", {"text": LARGE, "n": 3}),
            PutOp(("o",), "k", {"text": LARGE}),
        ]
    )


ACTS: dict[str, Callable[[Store], object]] = {
    "a small one": lambda store: store.put(("a", "b"), "new", {"n": 9}),
    "a new namespace": lambda store: store.put(("new", "b"), "k", {"n": 9}),
    "a large one": lambda store: store.put(("new",), "k", {"text": LARGE, "n": 9}),
    "large over large": lambda store: store.put(("a", "b"), "large", {"text": LARGE + "x"}),
    "small over large": lambda store: store.put(("a", "b"), "large", {"n": 9}),
    "large over small": lambda store: store.put(("a", "b"), "small", {"text": LARGE}),
    "a delete": lambda store: store.delete(("a", "b"), "large"),
    "the last of a namespace": lambda store: store.delete(("a", "gone"), "k"),
    "a batch": lambda store: store.batch(
        [
            PutOp(("x", str(number)), "k", {"n": number, "text": LARGE * (number % 2)})
            for number in range(3)
        ]
        + [PutOp(("a", "gone"), "k", None), PutOp(("a", "b"), "small", {"n": 8})]
    ),
}


def seen(store: Store) -> Seen:
    """What a reader finds; that namespaces are listed rightly is checked on the way."""
    found, listed = store.batch([SearchOp((), None, 1000), ListNamespacesOp()])
    assert isinstance(found, list)
    items: Any = found
    assert listed == sorted({one.namespace for one in items})
    for one in items:
        got = store.get(one.namespace, one.key)
        assert got is not None
        assert got.value == one.value
    return {(one.namespace, one.key): one.value for one in items}


def loose_ends(table: StoreTable, bucket: Bucket | None) -> Counter[str]:
    """Count parts that no item refers to, and parts that are referred to and not there."""
    return crashes.loose_ends(table, bucket, lambda item: read_item(item, 1))


@pytest.mark.sample(1)
@pytest.mark.parametrize("where", ["chunks", "s3"])
@pytest.mark.parametrize("act", ACTS)
def test_a_stop_anywhere_leaves_the_old_or_the_new_and_a_repeat_ends_it(
    table: StoreTable, bucket: Bucket, act: str, where: str
) -> None:
    in_bucket = bucket if where == "s3" else None
    clock = Clock()

    def fresh() -> Store:
        config = {"s3_offload_config": bucket.config(300)} if in_bucket else {}
        store = table.quick(in_bucket, clock=clock, **config)
        return with_payloads(store, inline_limit=400, chunk_bytes=500)

    def begin() -> None:
        table.empty()
        bucket.restore({})
        with fresh() as store:
            put_first(store)

    begin()
    with fresh() as store:
        before = seen(store)
        ACTS[act](store)
        after = seen(store)
    for _ in crashes.every_stop(begin, fresh, ACTS[act]):
        with fresh() as store:
            now = seen(store)
            for place in before.keys() | after.keys():
                assert now.get(place) in (before.get(place), after.get(place))
            assert loose_ends(table, in_bucket)["missing"] == 0
            ACTS[act](store)
            assert seen(store) == after
            clock.now += 2 * GRACE_SECONDS
            store.sweep_orphans(older_than=GRACE_SECONDS)
            assert seen(store) == after
        assert loose_ends(table, in_bucket) == Counter(missing=0, needless=0)


def test_a_sweep_leaves_what_is_young_and_what_it_does_not_know(
    table: StoreTable, clock: Clock
) -> None:
    with with_payloads(table.quick(clock=clock), inline_limit=300, chunk_bytes=200) as store:
        store.put(("a",), "k", {"text": LARGE})
        orphan = {**table.parts()[0]}
        orphan["path"] = {"S": f"chunk/{'0' * 64}/x/000000"}
        strange = {**orphan, "path": {"S": f"chunk/{'1' * 64}/x/000000"}}
        del strange["item_path"]
        forged = {**orphan, "path": {"S": f"chunk/{'2' * 64}/x/000000"}, "item_root": {"S": "o"}}
        for item in (orphan, strange, forged):
            table.replace(item)
        report = store.sweep_orphans()
        assert (report.young, report.unknown, report.chunks_deleted) == (
            len(table.parts()) - 1,
            2,
            0,
        )
        clock.now += 2 * 24 * 3600
        reports = [store.sweep_orphans(max_pages=1)]
        while reports[-1].resume_from is not None:
            reports.append(store.sweep_orphans(max_pages=1, resume_from=reports[-1].resume_from))
        assert sum(one.chunks_deleted for one in reports) == 1
        assert sum(one.unknown for one in reports) == 2
        found = store.get(("a",), "k")
        assert found is not None
        assert found.value == {"text": LARGE}


def test_a_sweep_and_a_listing_take_out_namespaces_that_are_long_empty(
    table: StoreTable, clock: Clock
) -> None:
    with table.quick(clock=clock) as store:
        store.batch([PutOp(("a", str(number)), "k", {}) for number in range(4)])
        store.batch([PutOp(("a", str(number)), "k", None) for number in range(3)])
        assert store.list_namespaces() == [("a", "3")]
        assert len(table.registered()) == 4
        clock.now += 4 * GRACE_SECONDS
        store.put(("a", "1"), "k", {})
        assert store.list_namespaces(prefix=("a", "0")) == []
        assert table.registered() == [("a", "1"), ("a", "2"), ("a", "3")]
        assert store.sweep_orphans().namespaces_deleted == 1
        assert table.registered() == store.list_namespaces() == [("a", "1"), ("a", "3")]
        store.put(("a", "2"), "k", {})
        assert len(store.list_namespaces()) == 3


def test_the_parts_that_a_batch_has_replaced_are_left_to_the_sweep(
    table: StoreTable, clock: Clock
) -> None:
    with with_payloads(table.quick(clock=clock), inline_limit=300) as store:
        store.put(("a",), "k", {"text": LARGE})
        store.batch([PutOp(("a",), "k", {}), PutOp(("a",), "other", {})])
        assert len(table.parts()) == 1
        clock.now += 2 * GRACE_SECONDS
        assert store.sweep_orphans(older_than=GRACE_SECONDS).chunks_deleted == 1
        assert table.parts() == []


def test_an_object_in_a_bucket_that_is_not_ours_is_never_read_or_deleted(
    table: StoreTable, bucket: Bucket, caplog: pytest.LogCaptureFixture
) -> None:
    with table.quick(bucket, s3_offload_config=bucket.config(100)) as store:
        store.put(("a",), "k", {"text": LARGE})
        store.put(("b",), "victim", {"text": LARGE})
        (victim,) = [one for one in table.heads() if one["root"]["S"] == "b"]
        (item,) = [one for one in table.heads() if one["root"]["S"] == "a"]
        table.replace({**item, "value_payload": victim["value_payload"]})
        with pytest.raises(UnreadableItemError, match="not one of this item"):
            store.get(("a",), "k")
        store.delete(("a",), "k")
        assert "is kept" in caplog.text
        assert store.get(("b",), "victim") is not None
