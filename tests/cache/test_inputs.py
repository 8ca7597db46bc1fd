"""What cannot be stored is refused by name and before anything is sent; all else is told apart."""

from __future__ import annotations

import asyncio
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from langgraph_checkpoint_dynamodb import InvalidInputError, PayloadTooLargeError, SaverClosedError
from langgraph_checkpoint_dynamodb.cache import DynamoDBCache
from langgraph_checkpoint_dynamodb.store.cache_keys import entry_of, is_cached, require_entry
from tests.cache.faces import quick_cache
from tests.support.sessions import NOWHERE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cache.faces import Cache, CacheCalls, FullKey
    from tests.store.faces import StoreTable

AT: FullKey = (("a", "b"), "k")
OFFLINE: dict[str, Any] = {
    "cache_table_name": "cache",
    "endpoint_url": NOWHERE,
    "region_name": "us-east-1",
}
HOSTILE: list[FullKey] = [
    ((), ""),
    ((), "a"),
    (("",), ""),
    (("", ""), ""),
    (("a", "b"), "k"),
    (("a:b",), "k"),
    (("a.b",), "k"),
    (("a\0b",), "k"),
    (("a",), "b\0k"),
    (("a",), "b:k"),
    (("ab",), "k"),
    (("a", "b", "k"), ""),
    (("a",), "k" * 5000),
    (("a",), "k" * 5001),
    (("n" * 5000,), "k"),
    ((".cache",), "chunk/0/0/000000"),
    ((".namespaces.0",), "a\0"),
]


@pytest.fixture
def nowhere() -> Cache:
    """A cache that reaches nobody."""
    return DynamoDBCache(**OFFLINE)


def test_no_two_keys_meet_and_any_length_is_stored(calls: CacheCalls) -> None:
    calls.set({key: (number, None) for number, key in enumerate(HOSTILE)})
    assert calls.get(HOSTILE) == {key: number for number, key in enumerate(HOSTILE)}
    for number, key in enumerate(HOSTILE):
        assert calls.get([key]) == {key: number}
    calls.clear([("a", "b")])
    assert calls.get(HOSTILE).keys() == set(HOSTILE) - {(("a", "b"), "k")}


def test_a_namespace_is_cleared_and_not_what_begins_with_it(calls: CacheCalls) -> None:
    spaces = [(), ("",), ("a",), ("a", "b"), ("a", "b", "c"), ("ab",)]
    for cleared in spaces:
        calls.set({(space, "k"): (1, None) for space in spaces})
        calls.clear([cleared])
        left = calls.get([(space, "k") for space in spaces])
        assert [space for space, _ in left] == [one for one in spaces if one != cleared]


def test_keys_and_refs_are_each_of_one_entry() -> None:
    texts = ["", "a", "b", "ab", "\0", ".", "a\0"]
    spaces = [(), *((x,) for x in texts), *product(texts, texts)]
    refs = [require_entry(space, key) for space in spaces for key in texts]
    assert len({ref.primary for ref in refs}) == len(refs)
    assert len({ref.parts for ref in refs}) == len(refs)
    assert len({ref.key_names for ref in refs}) == len(refs)
    for ref in refs:
        assert entry_of(*ref.primary) == ref
        assert is_cached(ref.root)
        assert is_cached(ref.parts)
        assert entry_of(ref.root[:-1] + str((int(ref.root[-1]) + 1) % 4), ref.path) is None
    assert not any(map(is_cached, [".cached", ".namespaces.0", "cache", "a.cache"]))


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda cache: cache.get([("text", "k")]), "namespace"),
        (lambda cache: cache.get([((1,), "k")]), "namespace"),
        (lambda cache: cache.get([(("\ud800",), "k")]), "namespace"),
        (lambda cache: cache.get([(("a",), 1)]), "key"),
        (lambda cache: cache.get([(("a",), "\ud800")]), "key"),
        (lambda cache: cache.get(["ab"]), "keys"),
        (lambda cache: cache.get([("a", "b", "c")]), "keys"),
        (lambda cache: cache.set({(None, "k"): (1, None)}), "namespace"),
        (lambda cache: cache.set({AT: (1, "60")}), "ttl"),
        (lambda cache: cache.set({AT: (1, True)}), "ttl"),
        (lambda cache: cache.set({AT: (1, float("nan"))}), "ttl"),
        (lambda cache: cache.set({AT: (1, 10**12)}), "ttl"),
        (lambda cache: cache.clear(("a", "b")), "namespace"),
        (lambda cache: cache.clear("ab"), "namespace"),
        (lambda cache: cache.clear([(1,)]), "namespace"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(
    nowhere: Cache, call: Callable[[Any], Any], named: str
) -> None:
    with pytest.raises(InvalidInputError) as raised:
        call(nowhere)
    assert raised.value.field == named


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"cache_table_name": "x"}, "cache_table_name"),
        ({"compression": "incremental"}, "compression"),
        ({"max_concurrency": 0}, "max_concurrency"),
        ({"consistent_reads": 1}, "consistent_reads"),
        ({"max_value_bytes": 0}, "max_value_bytes"),
        ({"s3_offload_config": {"key_prefix": "x"}}, "s3_offload_config.bucket_name"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_name(settings: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidInputError) as raised:
        DynamoDBCache(**{**OFFLINE, **settings})
    assert raised.value.field == named


def test_what_asks_for_nothing_sends_nothing(nowhere: Cache) -> None:
    assert nowhere.get([]) == {}
    nowhere.set({})
    nowhere.clear([])
    assert asyncio.run(nowhere.aget(())) == {}


def test_a_value_over_the_ceiling_is_refused_before_anything_is_stored(table: StoreTable) -> None:
    with (
        quick_cache(table, max_value_bytes=1000) as cache,
        pytest.raises(PayloadTooLargeError, match="cache entry"),
    ):
        cache.set({(("a",), "small"): (1, None), AT: ("x" * 2000, None)})
    assert table.items() == []


def test_a_value_that_the_serde_cannot_hold_is_refused_before_anything_is_stored(
    calls: CacheCalls, table: StoreTable
) -> None:
    with pytest.raises(TypeError):
        calls.set({(("a",), "fine"): (1, None), AT: (object(), None)})
    assert table.items() == []


def test_a_closed_cache_says_so(table: StoreTable) -> None:
    cache = quick_cache(table)
    cache.set({AT: (1, None)})
    cache.close()
    with pytest.raises(SaverClosedError):
        cache.get([AT])


def test_a_cache_is_a_context_of_both_kinds(table: StoreTable) -> None:
    async def main() -> None:
        async with quick_cache(table) as cache:
            await cache.aset({AT: (1, None)})
            assert await cache.aget([AT]) == {AT: 1}

    asyncio.run(main())
    with quick_cache(table) as cache:
        assert cache.get([AT]) == {AT: 1}
