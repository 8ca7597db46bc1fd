"""Every call stopped after each of its requests, as a process does that dies between two.

A fresh reader then finds each key as it was, as it will be, or nothing where it was to be cleared:
never a wrong value, never a damaged entry. The call made again ends as if it had never been
stopped; and a sweep, of the cache or of the store whose table it is, removes what nothing leads to.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from langgraph_checkpoint_dynamodb.cache.entries import read_entry
from langgraph_checkpoint_dynamodb.format.expiry import GRACE_SECONDS
from tests.cache.faces import quick_cache
from tests.store import crashes
from tests.store.faces import with_payloads

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cache.faces import Cache, FullKey
    from tests.store.faces import StoreTable
    from tests.support.buckets import Bucket
    from tests.support.clocks import Clock

LARGE = "a long value " * 60
A, B, C = ("a",), ("b",), ("c", "d")
KEYS: list[FullKey] = [
    *((A, name) for name in ("large", "small", "new")),
    *((space, key) for space in (B, C) for key in ("large", "k", "l")),
]


def put_first(cache: Cache) -> None:
    cache.set(
        {
            (A, "large"): (LARGE, None),
            (A, "small"): (2, 1000),
            (B, "large"): (LARGE, 1000),
            (B, "k"): (3, None),
        }
    )


ACTS: dict[str, Callable[[Cache], object]] = {
    "a small one": lambda cache: cache.set({(A, "new"): (9, None)}),
    "a new namespace": lambda cache: cache.set({(C, "k"): (9, None)}),
    "large over large": lambda cache: cache.set({(A, "large"): (LARGE + "x", None)}),
    "small over large": lambda cache: cache.set({(A, "large"): (9, 1000)}),
    "large over small": lambda cache: cache.set({(A, "small"): (LARGE, 1000)}),
    "one that never counts": lambda cache: cache.set({(A, "large"): (LARGE, 0)}),
    "many": lambda cache: cache.set(
        {(C, "k"): (1, None), (C, "l"): (LARGE, None), (A, "small"): (3, None), (B, "k"): (4, -1)}
    ),
    "clear of one": lambda cache: cache.clear([A]),
    "clear of all": lambda cache: cache.clear(),
}


def loose_ends(table: StoreTable, bucket: Bucket | None) -> Counter[str]:
    """Count parts that no entry refers to, and parts that are referred to and not there."""
    return crashes.loose_ends(table, bucket, read_entry)


@pytest.mark.sample(3)
@pytest.mark.parametrize("where", ["chunks", "s3"])
@pytest.mark.parametrize("act", ACTS)
def test_a_stop_anywhere_leaves_the_old_or_the_new_and_a_repeat_ends_it(
    table: StoreTable, bucket: Bucket, clock: Clock, act: str, where: str
) -> None:
    in_bucket = bucket if where == "s3" else None
    config: dict[str, Any] = {"s3_offload_config": bucket.config(300)} if in_bucket else {}

    def fresh() -> Cache:
        cache = quick_cache(table, in_bucket, clock=clock, **config)
        return with_payloads(cache, inline_limit=400, chunk_bytes=500)

    def begin() -> None:
        table.empty()
        bucket.restore({})
        with fresh() as cache:
            put_first(cache)

    begin()
    with fresh() as cache:
        before = cache.get(KEYS)
        ACTS[act](cache)
        after = cache.get(KEYS)
    for _ in crashes.every_stop(begin, fresh, ACTS[act]):
        with fresh() as cache:
            now = cache.get(KEYS)
            for key in KEYS:
                assert now.get(key) in (before.get(key), after.get(key))
            assert loose_ends(table, in_bucket)["missing"] == 0
            ACTS[act](cache)
            assert cache.get(KEYS) == after
        clock.now += 2 * GRACE_SECONDS
        with table.quick(in_bucket, clock=clock, **config) as store:
            store.sweep_orphans(older_than=GRACE_SECONDS)
        clock.now -= 2 * GRACE_SECONDS
        with fresh() as cache:
            assert cache.get(KEYS) == after
        assert loose_ends(table, in_bucket) == Counter(missing=0, needless=0)


def test_what_a_process_was_storing_that_died_is_cleared_with_the_rest(
    table: StoreTable, clock: Clock
) -> None:
    """The namespace is in the registry before anything is in it."""
    with quick_cache(table, clock=clock) as cache:
        for requests in range(3):
            table.empty()
            cache._memories.get().clear()
            with quick_cache(table, clock=clock) as dying:
                stopping = crashes.Stopping(requests, backward=False)
                if not crashes.stops(dying, lambda one: one.set({(A, "k"): (1, None)}), stopping):
                    assert cache.get([(A, "k")]) == {(A, "k"): 1}
            cache.clear()
            assert table.heads() == []


def test_a_sweep_leaves_what_is_young_and_what_it_does_not_know(
    table: StoreTable, clock: Clock
) -> None:
    made = quick_cache(table, clock=clock)
    with with_payloads(made, inline_limit=300, chunk_bytes=200) as cache:
        cache.set({(A, "k"): (LARGE, None)})
        orphan = {**table.parts()[0], "path": {"S": f"chunk/{'0' * 64}/x/000000"}}
        strange = {**orphan, "path": {"S": f"chunk/{'1' * 64}/x/000000"}}
        del strange["item_path"]
        forged = {**orphan, "path": {"S": f"chunk/{'2' * 64}/x/000000"}}
        forged["item_path"] = {"S": "f" * 32}
        for item in (orphan, strange, forged):
            table.replace(item)
        young = len(table.parts()) - 1  # `strange` tells of no item.
        report = cache.sweep_orphans()
        assert (report.young, report.unknown, report.chunks_deleted) == (young, 2, 0)
        clock.now += 2 * 24 * 3600
        report = cache.sweep_orphans()
        assert (report.young, report.unknown, report.chunks_deleted) == (0, 2, 1)
        assert cache.get([(A, "k")]) == {(A, "k"): LARGE}


def test_the_parts_that_a_batch_has_replaced_are_left_to_the_sweep(
    table: StoreTable, clock: Clock
) -> None:
    with with_payloads(quick_cache(table, clock=clock), inline_limit=300) as cache:
        cache.set({(A, "k"): (LARGE, None)})
        cache.set({(A, "k"): (1, None), (A, "l"): (2, None)})
        assert len(table.parts()) == 1
        clock.now += 2 * GRACE_SECONDS
        assert cache.sweep_orphans(older_than=GRACE_SECONDS).chunks_deleted == 1
        assert table.parts() == []
        assert cache.get([(A, "k"), (A, "l")]) == {(A, "k"): 1, (A, "l"): 2}
