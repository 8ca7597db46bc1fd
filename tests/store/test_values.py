"""Values of every size and kind, wherever they are stored, and what cannot be read of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.store.base import GetOp, PutOp, SearchOp

from langgraph_checkpoint_dynamodb import MissingPartError, UnreadableItemError
from tests.store.damage import DAMAGES, PART_DAMAGES, damaged, noise
from tests.store.faces import Store, StoreCalls, StoreTable, with_payloads

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.buckets import Bucket
    from tests.support.calls import LoopThread

AT = ("users", "ann")
MARKER = "plaintext-that-must-not-be-stored"
KEY = b"0123456789abcdef"
MEGABYTE = 1_000_000


@pytest.mark.sample(5)
@pytest.mark.parametrize("compression", [None, "gzip", "zstd"])
@pytest.mark.parametrize("where", ["table", "s3"])
@pytest.mark.parametrize(
    "size", [400, 1024, 399_000, 409_600, 410_000, 5 * MEGABYTE, 20 * MEGABYTE]
)
def test_values_of_any_size_come_back(
    table: StoreTable,
    bucket: Bucket,
    family: LoopThread | None,
    size: int,
    where: str,
    compression: str | None,
) -> None:
    config = {"s3_offload_config": bucket.config(350 * 1024)} if where == "s3" else {}
    with table.quick(bucket if where == "s3" else None, compression=compression, **config) as store:
        calls = StoreCalls(store, family)
        value = {"bytes": noise(size), "text": "x" * 1000, "n": 1}
        calls.put(AT, "k", value)
        found = calls.get(AT, "k")
        assert found is not None
        assert found.value == value
        assert calls.search(AT, filter={"n": 1})[0].value == value
        assert bool(bucket.keys()) == (where == "s3" and size > 350 * 1024)
        calls.put(AT, "k", {"n": 2})
        assert bucket.keys() == []
        assert table.parts() == []
        calls.put(AT, "k", value)
        calls.put(AT, "k", {**value, "n": 3})
        again = calls.get(AT, "k")
        assert again is not None
        assert again.value["n"] == 3
        calls.delete(AT, "k")
        assert [*table.heads(), *table.parts(), *bucket.keys()] == []


def secret_store(table: StoreTable, bucket: Bucket, where: str) -> Store:
    serde = EncryptedSerializer.from_pycryptodome_aes(key=KEY)
    config = {"s3_offload_config": bucket.config(100)} if where == "s3" else {}
    store = table.quick(
        bucket,
        **{
            "serde": serde,
            "filter_paths": ["secret"],
            "compression": "gzip",
            "ttl": {"default_ttl": 5},
            **config,
        },
    )
    return with_payloads(store, inline_limit=300) if where == "chunks" else store


CLEAR = {
    *("root", "path", "type", "apart", "stored", "version", "ttl", "minutes", "copied_type"),
    *("item_root", "item_path", "created", "touched", "spread", "bucket", "object_key"),
    "value_payload",
}
"""What stays readable: keys, times, and where values are and how large."""
ENCRYPTED = {"value", "chunk", "copied"}


@pytest.mark.parametrize("where", ["inline", "chunks", "s3"])
def test_an_encrypting_serde_leaves_nothing_of_a_value_to_be_read(
    table: StoreTable, bucket: Bucket, where: str
) -> None:
    with secret_store(table, bucket, where) as store:
        value = {"secret": MARKER, MARKER: [MARKER, 2**90], "more": "x" * 500}
        store.put(AT, "k", value)
        store.batch([PutOp(AT, "l", value), PutOp(AT, "m", value)])
        assert [one.value for one in store.search(AT, filter={"secret": MARKER})] == [value] * 3
        assert store.search(AT, filter={"secret": "other"}) == []
        found = store.get(AT, "k")
        assert found is not None
        assert found.value == value
    items = table.items()
    assert {name for item in items for name in item} <= CLEAR | ENCRYPTED
    stored = repr(items) + "".join(map(repr, bucket.objects().values()))
    assert MARKER not in stored
    assert any("msgpack+aes" in repr(item.get("type")) for item in items)


HEAD_DAMAGES = [
    *(("value", damage) for damage in ("missing", "a number", "other bytes")),
    *(("type", damage) for damage in DAMAGES),
    *(("stored", damage) for damage in ("missing", "other text", "other bytes")),
    *(("version", damage) for damage in ("missing", "a number")),
    ("ttl", "other text"),
    ("minutes", "other text"),
    ("value_payload", "other text"),
]


@pytest.mark.parametrize(("name", "damage"), HEAD_DAMAGES)
def test_a_damaged_item_raises_and_says_which_one_it_is(
    calls: StoreCalls, table: StoreTable, name: str, damage: str
) -> None:
    calls.put(AT, "k", {"n": 1})
    calls.put(AT, "other", {"n": 1})
    (item,) = [one for one in table.heads() if one["path"]["S"].endswith("\0k")]
    table.replace(damaged(item, name, DAMAGES[damage]))
    reads: list[Callable[[], object]] = [
        lambda: calls.get(AT, "k"),
        lambda: calls.search(()),
        lambda: calls.search(AT, filter={"n": 2}),
        lambda: calls.batch([GetOp(AT, "k"), GetOp(AT, "other")]),
    ]
    for read in reads:
        with pytest.raises(UnreadableItemError, match=r"'k' of namespace \('users', 'ann'\)"):
            read()
    assert calls.get(AT, "other") is not None
    calls.put(AT, "k", {"n": 2})
    calls.delete(AT, "k")
    assert calls.get(AT, "k") is None


@pytest.mark.parametrize("damage", PART_DAMAGES)
def test_a_damaged_part_raises_and_says_whose_it_is(
    table: StoreTable, family: LoopThread | None, damage: str
) -> None:
    with with_payloads(table.quick(), inline_limit=300, chunk_bytes=200) as store:
        calls = StoreCalls(store, family)
        calls.put(AT, "k", {"text": "x" * 1000})
        part = table.parts()[2]
        changed = PART_DAMAGES[damage](part)
        table.delete([part])
        if changed is not None:
            table.replace(changed)
        kind = MissingPartError if damage == "gone" else UnreadableItemError
        for op in (GetOp(AT, "k"), SearchOp(())):
            with pytest.raises(kind, match="users"):
                calls.batch([op])
        calls.put(AT, "k", {"n": 1})
        assert table.parts() == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", {"S": "tape"}),
        ("size", {"N": "7"}),
        ("size", {"N": str(2**34)}),
        ("digest", {"S": "0" * 64}),
        ("count", {"N": "1000000000"}),
        ("count", None),
        ("raw_size", {"N": "1" + 12 * "0"}),
        ("codec", {"S": "rar"}),
    ],
)
def test_a_damaged_description_raises_and_costs_nothing(
    table: StoreTable, field: str, value: dict[str, Any] | None
) -> None:
    with with_payloads(table.quick(compression="gzip"), inline_limit=300) as store:
        store.put(AT, "k", {"bytes": noise(1500), "text": "x" * 1500})
        (item,) = table.heads()
        described = damaged(item["value_payload"]["M"], field, value)
        table.replace({**item, "value_payload": {"M": described}})
        with pytest.raises(UnreadableItemError, match="'k' of namespace"):
            store.get(AT, "k")


def test_a_damaged_entry_of_the_registry_raises_where_namespaces_are_listed(
    calls: StoreCalls, table: StoreTable
) -> None:
    calls.put(AT, "k", {})
    (entry,) = [one for one in table.items() if "touched" in one]
    table.replace(damaged(entry, "touched", {"S": "never"}))
    with pytest.raises(UnreadableItemError, match="'touched'"):
        calls.list_namespaces()
    assert len(calls.search(AT)) == 1
    with table.quick() as sweeper:
        assert sweeper.sweep_orphans().unknown == 1
