"""Items that exist and cannot be read raise; a read never returns `None` or an older checkpoint."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, cast

import pytest

from langgraph_checkpoint_dynamodb import UnreadableItemError
from tests.support.calls import SyncCalls
from tests.support.tables import with_payloads
from tests.support.values import checkpoint, config, id_of, metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from langchain_core.runnables import RunnableConfig

    from tests.support.buckets import Bucket
    from tests.support.calls import Calls
    from tests.support.tables import Tables

NAMESPACE = "node:1"
DAMAGES: dict[str, dict[str, Any] | None] = {
    "missing": None,
    "a number": {"N": "1"},
    "other text": {"S": "damaged"},
    "other bytes": {"B": b"\xc1"},
}
CHECKPOINT_DAMAGES = [
    (name, damage) for name in ("type", "checkpoint", "metadata") for damage in DAMAGES
] + [
    ("checkpoint_ns", "a number"),
    ("parent_checkpoint_id", "a number"),
    ("run_id", "a number"),
    ("ttl", "other text"),
]
WRITE_DAMAGES = [
    *(("type", damage) for damage in DAMAGES),
    # A custom serde of the JavaScript port may store text in place of binary.
    *(("value", damage) for damage in DAMAGES if damage != "other text"),
    ("channel", "missing"),
    ("channel", "a number"),
    ("task_path", "a number"),
    ("ttl", "other text"),
]
CHUNK_DAMAGES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "no bytes": lambda item: {k: v for k, v in item.items() if k != "chunk"},
    "a number": lambda item: {**item, "chunk": {"N": "1"}},
    "other bytes": lambda item: {**item, "chunk": {"B": b"other"}},
    "fewer bytes": lambda item: {**item, "chunk": {"B": item["chunk"]["B"][1:]}},
    "expired": lambda item: {**item, "ttl": {"N": "1"}},
    "no time": lambda item: {**item, "ttl": {"S": "never"}},
}
DESCRIPTIONS: dict[str, dict[str, Any]] = {
    "": {"missing": None, "text": {"S": "inline"}, "empty": {"M": {}}},
    "kind": {"missing": None, "unknown": {"S": "tape"}, "inline": {"S": "inline"}},
    "digest": {"missing": None, "of other bytes": {"S": "0" * 64}},
    "stamp": {"missing": None, "of another call": {"S": "0"}},
    "size": {"missing": None, "wrong": {"N": "7"}, "negative": {"N": "-1"}},
    "count": {
        "missing": None,
        "fewer": {"N": "1"},
        "more": {"N": "1000000000"},
        "none": {"N": "0"},
    },
    "codec": {"missing": None, "unknown": {"S": "rar"}, "another": {"S": "zstd"}},
    "raw_size": {"missing": None, "less": {"N": "1"}, "vast": {"N": "1" + 12 * "0"}},
}
DESCRIPTION_DAMAGES = [
    pytest.param(field, value, id=f"{field or 'all'} {name}")
    for field, values in DESCRIPTIONS.items()
    for name, value in values.items()
]
S3_DAMAGES = [
    *(found for found in DESCRIPTION_DAMAGES if found.values[0] in ("", "kind", "digest", "size")),
    pytest.param("bucket", None, id="bucket missing"),
    pytest.param("key", None, id="key missing"),
    pytest.param("key", {"S": "states/other"}, id="key of nothing"),
]
VALUES = ("checkpoint", "metadata", "value")


def damage_item(tables: Tables, table: str, item: object, name: str, damage: str) -> None:
    """Store the item again with one attribute damaged."""
    changed = {key: value for key, value in cast("dict[str, Any]", item).items() if key != name}
    replacement = DAMAGES[damage]
    if replacement is not None:
        changed[name] = replacement
    tables.client.put_item(TableName=table, Item=changed)


def assert_unreadable(calls: Calls, stored: Any, *, named: list[str]) -> None:
    """Every read of the checkpoint raises an error that names it."""
    latest = config("thread", NAMESPACE)
    for read in (
        lambda: calls.get_tuple(latest),
        lambda: calls.get_tuple(stored),
        lambda: list(calls.list(latest, limit=1)),
        lambda: list(calls.list(config("thread", None))),
    ):
        with pytest.raises(UnreadableItemError) as raised:
            read()
        assert [part for part in named if part not in str(raised.value)] == []


@pytest.mark.sample(12)
@pytest.mark.parametrize(("name", "damage"), CHECKPOINT_DAMAGES)
def test_a_damaged_checkpoint_raises_and_says_which_one_it_is(
    calls: Calls, tables: Tables, name: str, damage: str
) -> None:
    older = calls.put(config("thread", NAMESPACE), checkpoint(a=1), metadata(), {"a": "1"})
    stored = calls.put(older, checkpoint(a=2), metadata(run_id="run"), {"a": "1"})
    item = max(tables.checkpoint_items(), key=lambda found: found["checkpoint_id"]["S"])
    damage_item(tables, tables.checkpoints, item, name, damage)
    namespace = [] if name == "checkpoint_ns" else [repr(NAMESPACE)]
    assert_unreadable(calls, stored, named=["'thread'", *namespace, id_of(stored)])


@pytest.mark.sample(8)
@pytest.mark.parametrize(("name", "damage"), WRITE_DAMAGES)
def test_a_damaged_write_raises_and_says_which_one_it_is(
    calls: Calls, tables: Tables, name: str, damage: str
) -> None:
    stored = calls.put(config("thread", NAMESPACE), checkpoint(a=1), metadata(), {"a": "1"})
    calls.put_writes(stored, [("channel", "value")], "task", "path")
    (item,) = tables.write_items()
    damage_item(tables, tables.writes, item, name, damage)
    assert_unreadable(calls, stored, named=["thread", NAMESPACE, id_of(stored), "task"])


GOOD: list[Any] = [{"N": "0"}, {"S": "a"}, {"S": "null"}, {"B": b""}]
TOGETHER: dict[str, dict[str, Any]] = {
    "a number": {"N": "1"},
    "a map": {"M": {}},
    "an entry that is none": {"L": [{"S": "a"}]},
    "an empty entry": {"L": [{"L": []}]},
    "no type": {"L": [{"L": GOOD[:2]}]},
    "no value": {"L": [{"L": GOOD[:3]}]},
    "two values": {"L": [{"L": [*GOOD, {"B": b""}]}]},
    "text for a value": {"L": [{"L": [*GOOD[:3], {"S": ""}]}]},
    "text for a place": {"L": [{"L": [{"S": "0"}, *GOOD[1:]]}]},
    "a negative place": {"L": [{"L": [{"N": "-1"}, *GOOD[1:]]}]},
    "half a place": {"L": [{"L": [{"N": "0.5"}, *GOOD[1:]]}]},
    "a vast place": {"L": [{"L": [{"N": "9" * 30}, *GOOD[1:]]}]},
    "a number for a channel": {"L": [{"L": [GOOD[0], {"N": "1"}, *GOOD[2:]]}]},
    "a place twice": {"L": [{"L": GOOD}, {"L": GOOD}]},
}


@pytest.mark.parametrize("damage", TOGETHER.values(), ids=TOGETHER)
def test_damaged_writes_of_a_call_raise_and_say_which_item_it_is(
    calls: Calls, tables: Tables, damage: dict[str, Any]
) -> None:
    stored = calls.put(config("thread", NAMESPACE), checkpoint(a=1), metadata(), {"a": "1"})
    calls.put_writes(stored, [("a", None), ("b", 2)], "task", "path")
    (item,) = cast("list[Any]", tables.write_items())
    tables.client.put_item(TableName=tables.writes, Item={**item, "writes": damage})
    assert_unreadable(calls, stored, named=["thread", NAMESPACE, id_of(stored), "task", "writes"])
    # A caller that repeats the task cannot tell which places are taken.
    with pytest.raises(UnreadableItemError, match="task:::0"):
        calls.put_writes(stored, [("a", None), ("b", 2), ("c", 3)], "task", "path")
    calls.delete_thread("thread")
    assert tables.write_items() == []


@pytest.mark.sample(6)
@pytest.mark.parametrize(("field", "value"), DESCRIPTION_DAMAGES)
def test_a_damaged_description_among_the_writes_of_a_call_raises(
    in_chunks: SyncCalls, tables: Tables, field: str, value: dict[str, Any] | None
) -> None:
    calls = in_chunks
    older = calls.put(config("thread", NAMESPACE), checkpoint(a=1), metadata(), {"a": "1"})
    stored = calls.put(older, checkpoint(a=2), metadata(), {"a": "1"})
    large = random.Random(1).randbytes(3_000).hex()  # noqa: S311 - no secret
    calls.put_writes(stored, [("a", None), ("b", large)], "task")
    (item,) = (one for one in cast("list[Any]", tables.write_items()) if "writes" in one)
    descriptions = item["value_payload"]["M"]
    changed = descriptions["1"]
    if field:
        fields = {name: found for name, found in changed["M"].items() if name != field}
        changed = {"M": fields if value is None else {**fields, field: value}}
    else:
        changed = value
    described = {name: found for name, found in descriptions.items() if name != "1"}
    if changed is not None:
        described["1"] = changed
    tables.client.put_item(
        TableName=tables.writes, Item={**item, "value_payload": {"M": described}}
    )
    assert_unreadable(calls, stored, named=["thread", NAMESPACE, id_of(stored), "task"])
    calls.delete_thread("thread")
    assert tables.checkpoint_items() == []


def test_a_write_whose_key_does_not_end_in_a_number_raises(calls: Calls, tables: Tables) -> None:
    stored = calls.put(config("thread", NAMESPACE), checkpoint(a=1), metadata(), {"a": "1"})
    calls.put_writes(stored, [("channel", "value")], "task")
    (item,) = tables.write_items()
    changed = {**cast("dict[str, Any]", item), "task_id_idx": {"S": "task:::first"}}
    tables.client.put_item(TableName=tables.writes, Item=changed)
    assert_unreadable(calls, stored, named=["thread", NAMESPACE, id_of(stored), "task:::first"])


# Values outside their items: in gzipped chunks, or in S3.


@pytest.fixture
def in_chunks(tables: Tables) -> Iterator[SyncCalls]:
    tables.set_up()
    with tables.saver(compression="gzip", ttl_seconds=1000) as saver:
        yield SyncCalls(with_payloads(saver, inline_limit=300, chunk_bytes=600))


@pytest.fixture
def in_s3(tables: Tables, bucket: Bucket) -> Iterator[SyncCalls]:
    tables.set_up()
    with tables.saver(s3_offload_config=bucket.config()) as saver:
        yield SyncCalls(saver)


def put_outside(calls: SyncCalls) -> RunnableConfig:
    """A checkpoint with metadata and a write, none of which fits in a small item."""
    older = calls.put(config("thread", NAMESPACE), checkpoint(a=1), metadata(), {"a": "1"})
    # Hexadecimal text compresses to about half its size: enough for compression and for chunks.
    large = random.Random(1).randbytes(3_000).hex()  # noqa: S311 - no secret
    stored = calls.put(older, checkpoint(a=large), metadata(large=large), {"a": "1"})
    calls.put_writes(stored, [("channel", large)], "task", "path")
    return stored


def holder_of(tables: Tables, value: str) -> tuple[str, dict[str, Any]]:
    """The newest item that describes a value, and the name of its table."""
    table = tables.writes if value == "value" else tables.checkpoints
    items = tables.write_items() if value == "value" else tables.checkpoint_items()
    described = [item for item in items if f"{value}_payload" in item]
    newest = max(
        described,
        key=lambda item: item["task_id_idx" if value == "value" else "checkpoint_id"]["S"],
    )
    return table, cast("dict[str, Any]", newest)


def damage_description(tables: Tables, value: str, field: str, damage: Any) -> None:
    table, item = holder_of(tables, value)
    name = f"{value}_payload"
    whole = item.pop(name)
    if not field:
        described = damage
    else:
        fields = {key: kept for key, kept in whole["M"].items() if key != field}
        described = {"M": fields if damage is None else {**fields, field: damage}}
    if described is not None:
        item[name] = described
    tables.client.put_item(TableName=table, Item=item)


def digest_of(tables: Tables, value: str) -> str:
    _, item = holder_of(tables, value)
    return str(item[f"{value}_payload"]["M"]["digest"]["S"])


def assert_damage_is_said(
    calls: SyncCalls, tables: Tables, value: str, field: str, damage: Any
) -> None:
    stored = put_outside(calls)
    damage_description(tables, value, field, damage)
    assert_unreadable(calls, stored, named=["'thread'", repr(NAMESPACE), id_of(stored)])


@pytest.mark.sample(10)
@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize(("field", "damage"), DESCRIPTION_DAMAGES)
def test_a_damaged_description_of_a_value_raises_and_says_whose_it_is(
    in_chunks: SyncCalls, tables: Tables, value: str, field: str, damage: Any
) -> None:
    assert_damage_is_said(in_chunks, tables, value, field, damage)


@pytest.mark.sample(4)
@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize(("field", "damage"), S3_DAMAGES)
def test_a_damaged_description_of_an_object_raises_and_says_whose_it_is(
    in_s3: SyncCalls, tables: Tables, value: str, field: str, damage: Any
) -> None:
    assert_damage_is_said(in_s3, tables, value, field, damage)


@pytest.mark.sample(6)
@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("damage", CHUNK_DAMAGES)
def test_a_damaged_chunk_raises_and_says_whose_it_is(
    in_chunks: SyncCalls, tables: Tables, value: str, damage: str
) -> None:
    stored = put_outside(in_chunks)
    digest = digest_of(tables, value)
    chunks = [item for item in tables.write_items() if digest in item["task_id_idx"]["S"]]
    assert len(chunks) > 1
    for item in chunks[1:]:
        changed = CHUNK_DAMAGES[damage](cast("dict[str, Any]", item))
        tables.client.put_item(TableName=tables.writes, Item=changed)
    assert_unreadable(in_chunks, stored, named=["'thread'", repr(NAMESPACE), id_of(stored)])


def test_an_item_that_leads_to_an_object_and_is_damaged_stops_no_delete_of_what_is_named_elsewhere(
    in_s3: SyncCalls, tables: Tables, bucket: Bucket
) -> None:
    put_outside(in_s3)
    leading = [item for item in tables.write_items() if "object_key" in item]
    assert len(leading) == len(bucket.keys()) > 0
    for item in leading:
        damage_item(tables, tables.writes, item, "bucket", "missing")
    # The descriptions of the values also name the objects.
    in_s3.delete_thread("thread")
    assert bucket.keys() == []
    assert tables.checkpoint_items() == tables.write_items() == []
