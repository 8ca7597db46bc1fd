"""Values of every size and kind, and what is damaged: it counts as absent, and is told."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langgraph_checkpoint_dynamodb.store.cache_keys import require_entry
from tests.cache.faces import CacheCalls, quick_cache
from tests.store.faces import with_payloads

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cache.faces import Cache, FullKey
    from tests.store.faces import StoreTable
    from tests.support.buckets import Bucket
    from tests.support.calls import LoopThread

AT: FullKey = (("a", "b"), "k")
OTHER: FullKey = (("a", "b"), "other")
MARKER = "plaintext-that-must-not-be-stored"
KEY = b"0123456789abcdef"
MEGABYTE = 1_000_000


def noise(size: int) -> bytes:
    return random.Random(1).randbytes(size)  # noqa: S311 - no secret


@pytest.mark.sample(5)
@pytest.mark.parametrize("compression", [None, "zstd"])
@pytest.mark.parametrize("where", ["table", "s3"])
@pytest.mark.parametrize("size", [0, 399_000, 410_000, 20 * MEGABYTE])
def test_values_of_any_size_come_back(
    table: StoreTable,
    bucket: Bucket,
    family: LoopThread | None,
    size: int,
    where: str,
    compression: str | None,
) -> None:
    in_s3 = where == "s3"
    config = {"s3_offload_config": bucket.config(350 * 1024)} if in_s3 else {}
    with quick_cache(table, bucket if in_s3 else None, compression=compression, **config) as cache:
        calls = CacheCalls(cache, family)
        value = {"bytes": noise(size), "text": "x" * 1000, "n": 1}
        calls.set({AT: (value, None), OTHER: ("small", 60)})
        assert calls.get([AT, OTHER]) == {AT: value, OTHER: "small"}
        assert bool(bucket.keys()) == (in_s3 and size > 350 * 1024)
        calls.set({AT: (2, None)})
        assert [*table.parts(), *bucket.keys()] == []
        calls.set({AT: (value, 60)})
        calls.set({AT: ({**value, "n": 3}, 60)})
        assert calls.get([AT])[AT]["n"] == 3
        calls.set({AT: (value, 0)})
        assert [*table.parts(), *bucket.keys()] == []
        calls.set({AT: (value, 60)})
        calls.clear([AT[0]])
        assert [*table.heads(), *table.parts(), *bucket.keys()] == []


def test_values_are_what_the_serde_makes_of_them(calls: CacheCalls) -> None:
    values = [None, False, "", b"", {1: 2}, (1, [2]), {3, 4}, deque([("a", 1)]), 1.5, 2**60]
    pairs: dict[FullKey, Any] = {(("v",), str(i)): (one, None) for i, one in enumerate(values)}
    calls.set(pairs)
    serde = JsonPlusSerializer(pickle_fallback=False)
    expected = [serde.loads_typed(serde.dumps_typed(one)) for one in values]
    assert list(calls.get(list(pairs)).values()) == expected


CLEAR = {"root", "path", "type", "version", "expires", "ttl", "value_payload", "touched"} | {
    *("item_root", "item_path", "created", "bucket", "object_key")
}
"""What stays readable: keys, times, and where values are and how large."""


@pytest.mark.parametrize("where", ["inline", "chunks", "s3"])
def test_an_encrypting_serde_leaves_nothing_to_be_read(
    table: StoreTable, bucket: Bucket, where: str
) -> None:
    serde = EncryptedSerializer.from_pycryptodome_aes(key=KEY)
    config = {"s3_offload_config": bucket.config(100)} if where == "s3" else {}
    made = quick_cache(table, bucket, serde=serde, compression="gzip", **config)
    with with_payloads(made, inline_limit=300) if where == "chunks" else made as cache:
        value = {MARKER: [MARKER], "more": "x" * 500}
        cache.set({((MARKER,), MARKER): (value, 60), AT: (value, None)})
        assert cache.get([((MARKER,), MARKER), AT]) == {((MARKER,), MARKER): value, AT: value}
    items = table.items()
    assert {name for item in items for name in item} <= CLEAR | {"value", "chunk"}
    assert MARKER not in repr(items) + "".join(map(repr, bucket.objects().values()))
    assert any("msgpack+aes" in repr(item.get("type")) for item in items)


def test_an_entry_of_another_serde_is_absent_and_is_set_anew(
    table: StoreTable, family: LoopThread | None, caplog: pytest.LogCaptureFixture
) -> None:
    serde = EncryptedSerializer.from_pycryptodome_aes(key=KEY)
    with quick_cache(table, serde=serde) as secret, quick_cache(table) as plain:
        secret.set({AT: (MARKER, None)})
        calls = CacheCalls(plain, family)
        assert calls.get([AT]) == {}
        assert "of type 'msgpack+aes' cannot be loaded by JsonPlusSerializer" in caplog.text
        calls.set({AT: ("new", None)})
        assert calls.get([AT]) == {AT: "new"}
    assert MARKER not in caplog.text


DAMAGES: dict[str, dict[str, Any] | None] = {
    "missing": None,
    "a number": {"N": "1"},
    "other text": {"S": "damaged"},
    "other bytes": {"B": b"\xc1"},
    "a number of digits": {"N": "1" + "0" * 30},
    "a map": {"M": {"kind": {"S": "tape"}}},
}
HEAD_DAMAGES = [
    *(("value", damage) for damage in ("missing", "a number", "other bytes")),
    *(("type", damage) for damage in ("missing", "a number", "other text", "other bytes")),
    *(("version", damage) for damage in ("missing", "a number")),
    *(("expires", damage) for damage in ("other text", "other bytes", "a number of digits")),
    *(("value_payload", damage) for damage in ("other text", "a map")),
]


def damaged(item: dict[str, Any], name: str, damage: dict[str, Any] | None) -> dict[str, Any]:
    left = {key: value for key, value in item.items() if key != name}
    return left if damage is None else {**left, name: damage}


def entry(table: StoreTable, cache: Cache) -> dict[str, Any]:
    """The item of an entry that is set for it."""
    cache.set({AT: ({"text": MARKER + "x" * 1000}, 60)})
    (item,) = table.heads()
    return item


@pytest.mark.parametrize(("name", "damage"), HEAD_DAMAGES)
def test_a_damaged_entry_is_absent_and_told_and_set_anew(
    calls: CacheCalls, table: StoreTable, caplog: pytest.LogCaptureFixture, name: str, damage: str
) -> None:
    table.replace(damaged(entry(table, calls.cache), name, DAMAGES[damage]))
    calls.set({OTHER: (1, None)})
    assert calls.get([AT]) == {}
    assert calls.get([AT, OTHER]) == {OTHER: 1}
    assert "counts as absent" in caplog.text
    assert MARKER not in caplog.text
    calls.set({AT: ("new", None)})
    assert calls.get([AT]) == {AT: "new"}
    table.replace(damaged(table.heads()[0], name, DAMAGES[damage]))
    calls.clear()
    assert table.heads() == []


PART_DAMAGES: dict[str, Callable[[dict[str, Any]], dict[str, Any] | None]] = {
    "gone": lambda _: None,
    "no bytes": lambda item: damaged(item, "chunk", None),
    "a number": lambda item: damaged(item, "chunk", {"N": "1"}),
    "other bytes": lambda item: damaged(item, "chunk", {"B": b"other"}),
    "fewer bytes": lambda item: {**item, "chunk": {"B": item["chunk"]["B"][1:]}},
}


@pytest.mark.parametrize("consistent", [True, False])
@pytest.mark.parametrize("damage", PART_DAMAGES)
def test_an_entry_with_a_damaged_part_is_absent_and_told_and_set_anew(
    table: StoreTable,
    family: LoopThread | None,
    caplog: pytest.LogCaptureFixture,
    damage: str,
    consistent: bool,
) -> None:
    made = quick_cache(table, consistent_reads=consistent)
    with with_payloads(made, inline_limit=300, chunk_bytes=200) as cache:
        calls = CacheCalls(cache, family)
        entry(table, cache)
        part = table.parts()[2]
        changed = PART_DAMAGES[damage](part)
        key = {name: part[name] for name in ("root", "path")}
        table.client.delete_item(TableName=table.name, Key=key)
        if changed is not None:
            table.replace(changed)
        calls.set({OTHER: ("y" * 1000, None)})
        assert calls.get([AT, OTHER]) == {OTHER: "y" * 1000}
        assert "counts as absent" in caplog.text
        assert MARKER not in caplog.text
        calls.set({AT: ("new", None)})
        assert calls.get([AT]) == {AT: "new"}
        calls.clear()
        assert [*table.heads(), *table.parts()] == []


def test_an_object_that_is_gone_or_of_another_is_absent_and_never_read(
    table: StoreTable, bucket: Bucket, caplog: pytest.LogCaptureFixture
) -> None:
    with quick_cache(table, bucket, s3_offload_config=bucket.config(100)) as cache:
        cache.set({AT: ("x" * 500, None), OTHER: ("y" * 500, None)})
        heads = {one["path"]["S"]: one for one in table.heads()}
        mine, other = (heads[require_entry(*key).path] for key in (AT, OTHER))
        table.replace({**mine, "value_payload": other["value_payload"]})
        assert cache.get([AT, OTHER]) == {OTHER: "y" * 500}
        assert "not one of this" in caplog.text
        cache.clear([AT[0]])
        assert "is kept" in caplog.text
        cache.set({AT: ("x" * 500, None)})
        bucket.restore({})
        assert cache.get([AT]) == {}


@dataclass
class Note:
    """A class of an application."""

    text: str


def test_nothing_of_a_value_is_run_that_an_application_does_not_allow(
    table: StoreTable, caplog: pytest.LogCaptureFixture
) -> None:
    strict = JsonPlusSerializer(pickle_fallback=False, allowed_msgpack_modules=None)
    with quick_cache(table, serde=strict) as cache:
        cache.set({AT: (Note("n"), None)})
        (item,) = table.heads()
        table.replace({**item, "type": {"S": "pickle"}, "value": {"B": b"cos\nsystem\n."}})
        assert cache.get([AT]) == {}
    assert "of type 'pickle' cannot be loaded" in caplog.text
