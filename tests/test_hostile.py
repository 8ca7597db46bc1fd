"""Rows that nobody's code has stored: any value in any attribute ends a call, soon, and by name.

The first half reads rows in memory, where they may hold what no engine takes; the second half puts
into the tables what engines do take.
"""

from __future__ import annotations

import tracemalloc
from contextlib import suppress
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langgraph_checkpoint_dynamodb import DynamoDBSaverError, UnreadableItemError
from langgraph_checkpoint_dynamodb.addressing import Address
from langgraph_checkpoint_dynamodb.items.attributes import outside
from langgraph_checkpoint_dynamodb.items.beside import part_keys
from langgraph_checkpoint_dynamodb.keys import CheckpointRef, Key, Table
from langgraph_checkpoint_dynamodb.ops.copy import copy_thread
from langgraph_checkpoint_dynamodb.ops.delete import delete_thread, prune
from langgraph_checkpoint_dynamodb.ops.history import get_delta_channel_history
from langgraph_checkpoint_dynamodb.ops.listing import Wanted, list_thread
from langgraph_checkpoint_dynamodb.ops.read import get_tuple
from langgraph_checkpoint_dynamodb.ops.write import put_checkpoint, put_writes
from langgraph_checkpoint_dynamodb.payload import PayloadPolicy
from tests.support.calls import SyncCalls
from tests.support.tables import sweep, with_payloads
from tests.support.values import checkpoint, config, metadata
from tests.test_operations import STORE, Memory, record, serialized, without_marks, write

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.support.tables import Tables

SMALL = replace(STORE, payloads=PayloadPolicy(inline_limit=100, chunk_bytes=50))
REF = CheckpointRef("t", "", "0002")
ADDRESS = Address("t", "", None)

NUMBERS = (
    *("NaN", "Infinity", "-Infinity", "sNaN", "", "one", "1E+125", "-1E+125", "1E-130", "1E+30"),
    *("9" * 126, "-" + "9" * 126, "0." + "3" * 60, "-1", "-0", "0", "0.5", "1.5", "1E+999999999"),
    *("1" + "0" * 125, "9" * 38, "100000000000000", "67108865", "1000000000000", "1"),
)
numbers = st.sampled_from(NUMBERS) | st.integers().map(str) | st.decimals().map(str)
typed: st.SearchStrategy[Any] = st.recursive(
    numbers.map(lambda number: {"N": number})
    | st.text(max_size=5).map(lambda text: {"S": text})
    | st.binary(max_size=5).map(lambda data: {"B": data})
    | st.sampled_from(
        (
            {"BOOL": True},
            {"BOOL": False},
            {"NULL": True},
            {"SS": ["a"]},
            {"NS": ["1", "9" * 126]},
            {"BS": [b"a"]},
            {"L": []},
            {"M": {}},
        )
    ),
    lambda inner: (
        st.lists(inner, max_size=2).map(lambda found: {"L": found})
        | st.dictionaries(st.sampled_from(("kind", "size", "a")), inner, max_size=2).map(
            lambda found: {"M": found}
        )
    ),
    max_leaves=3,
)


@cache
def rows() -> Mapping[tuple[Table, Key], Any]:
    """Two checkpoints with values in chunks, the second with a write, as they are stored."""
    memory = Memory([])
    for parent_id, checkpoint_id in ((None, "0001"), ("0001", "0002")):
        large = serialized(metadata(large="x" * 300))
        made = replace(record(checkpoint_id, parent_id, log=["x" * 300]), metadata=large)
        memory.run(put_checkpoint(SMALL, made))
    memory.run(put_writes(SMALL, REF, [write(0, value="y" * 300)]))
    return memory.items


PLACES = [
    (place, name)
    for place, item in rows().items()
    for name in (*item, "ttl", "expires", "created", "run_id", "deleted", "bucket", "object_key")
    if name not in ("thread_id", "checkpoint_id", "task_id_idx")
    and name != "thread_id_checkpoint_id_checkpoint_ns"
]
FIELDS = [
    (place, name, field)
    for place, item in rows().items()
    for name, value in item.items()
    if "M" in value
    for field in (*value["M"], "codec", "raw_size", "bucket", "key")
]
KINDS: list[dict[str, Any]] = [{"S": "chunks"}, {"S": "s3"}, {"S": "inline"}]


def acts() -> list[Any]:
    """Everything that reads rows."""
    new = record("0003", "0002", log=["x"])
    again = record("0002", "0001", log=["z"])
    return [
        get_tuple(SMALL, ADDRESS),
        get_tuple(SMALL, Address("t", "", "0002")),
        list_thread(SMALL, ADDRESS, Wanted()),
        list_thread(SMALL, ADDRESS, Wanted(metadata={"source": "loop"})),
        get_delta_channel_history(SMALL, ADDRESS, ["log"]),
        put_checkpoint(SMALL, new),
        put_checkpoint(SMALL, again),
        put_writes(SMALL, REF, [write(-1, value="z")]),
        put_writes(SMALL, REF, [write(0, value="z" * 200)]),
        copy_thread(SMALL, "t", "copy"),
        prune(SMALL, ["t"], keep_latest=True),
        delete_thread(SMALL, "t"),
    ]


def assert_every_call_ends(changed: Mapping[tuple[Table, Key], Any]) -> None:
    """With a result or an error of this package, in few megabytes."""
    for number in range(len(acts())):
        memory = Forgetful([])
        memory.items = cast("Any", {place: dict(item) for place, item in changed.items()})
        tracemalloc.start()
        try:
            with suppress(DynamoDBSaverError):
                memory.run(acts()[number])
            assert tracemalloc.get_traced_memory()[1] < 50_000_000
        finally:
            tracemalloc.stop()


class Forgetful(Memory):
    """Takes it that what is to be deleted may not be there, as DynamoDB does."""

    def _change(self, change: Any) -> None:
        with suppress(KeyError):
            super()._change(change)


@settings(max_examples=150)
@given(st.sampled_from(PLACES), typed)
def test_any_value_in_any_attribute_ends_every_call_by_name(
    where: tuple[tuple[Table, Key], str], value: Any
) -> None:
    place, name = where
    assert_every_call_ends({**rows(), place: {**rows()[place], name: value}})


@settings(max_examples=200)
@given(st.sampled_from(FIELDS), typed, st.none() | st.sampled_from(KINDS))
def test_any_value_in_any_field_of_a_description_ends_every_call_by_name(
    where: tuple[tuple[Table, Key], str, str], value: Any, kind: Any
) -> None:
    place, name, field = where
    described: Any = rows()[place][name]
    fields = {**described["M"], field: value}
    if kind is not None:
        fields["kind"] = kind
    assert_every_call_ends({**rows(), place: {**rows()[place], name: {"M": fields}}})


VAST = ["1" + "0" * zeros for zeros in (7, 9, 12, 30, 125)]


def test_the_rows_hold_every_value_in_chunks() -> None:
    described = {name for item in rows().values() for name in item if name.endswith("_payload")}
    assert described == {"checkpoint_payload", "metadata_payload", "value_payload"}


@pytest.mark.parametrize("count", VAST)
@pytest.mark.parametrize("size", VAST)
@pytest.mark.parametrize("name", ["checkpoint_payload", "metadata_payload"])
def test_a_vast_count_of_chunks_makes_no_list_of_them(name: str, size: str, count: str) -> None:
    place = (Table.CHECKPOINTS, REF.key)
    described: Any = rows()[place][name]
    fields = {**described["M"], "size": {"N": size}, "count": {"N": count}}
    changed = {**rows(), place: {**rows()[place], name: {"M": fields}}}
    assert_every_call_ends(changed)
    with suppress(UnreadableItemError):
        for payload in outside(changed[place], "here").values():
            assert len(part_keys(REF, payload)) <= 100_000


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("name", ["ttl", "expires", "created"])
def test_a_thread_goes_with_a_checkpoint_that_does_not_tell_its_time(
    name: str, number: str
) -> None:
    for deleted in ({}, {"deleted": {"BOOL": True}}):
        place = (Table.CHECKPOINTS, REF.key)
        memory = Memory([])
        memory.items = cast(
            "Any", {**rows(), place: {**rows()[place], name: {"N": number}, **deleted}}
        )
        memory.run(delete_thread(SMALL, "t"))
        assert without_marks(memory) == {}


# On an engine.

STORABLE = ("-1", "1E+125", "9" * 38, "-1E+125", "0.5", "1E-130", "1000000000000000", "NaN")


@pytest.fixture
def calls(tables: Tables) -> Iterator[SyncCalls]:
    tables.set_up()
    with tables.saver() as saver:
        yield SyncCalls(with_payloads(saver, inline_limit=300, chunk_bytes=600))


def put_rows(calls: SyncCalls) -> Any:
    stored = calls.put(config("t"), checkpoint("0001", a="x" * 2000), metadata(b="x" * 2000), {})
    calls.put_writes(stored, [("__interrupt__", "y" * 2000)], "task")
    return stored


def change(tables: Tables, table: str, item: Any, value: dict[str, Any]) -> None:
    """Store a row again with other attributes; engines refuse some numbers, which is as good."""
    with suppress(tables.client.exceptions.ClientError):
        tables.client.put_item(TableName=table, Item={**item, **value})


@pytest.mark.parametrize("number", STORABLE)
def test_a_put_over_a_hostile_row_stores_and_answers(
    calls: SyncCalls, tables: Tables, number: str
) -> None:
    stored = put_rows(calls)
    (item,) = tables.checkpoint_items()
    hostile: Any = {"N": number}
    for name, field in (("checkpoint", "size"), ("metadata", "count"), ("metadata", "raw_size")):
        described: Any = item[f"{name}_payload"]
        change(
            tables,
            tables.checkpoints,
            item,
            {f"{name}_payload": {"M": {**described["M"], field: hostile}}, "ttl": hostile},
        )
        calls.put(config("t"), checkpoint("0001", a="new"), metadata(), {})
        found = calls.get_tuple(stored)
        assert found is not None
        assert found.checkpoint["channel_values"] == {"a": "new"}


@pytest.mark.parametrize("number", STORABLE)
@pytest.mark.parametrize("name", ["ttl", "expires", "created"])
def test_a_thread_with_a_hostile_time_is_deleted_and_read_by_name(
    calls: SyncCalls, tables: Tables, name: str, number: str
) -> None:
    stored = put_rows(calls)
    (item,) = tables.checkpoint_items()
    change(tables, tables.checkpoints, item, {name: {"N": number}})
    for read in (
        partial(calls.get_tuple, stored),
        lambda: list(calls.list(config("t"))),
        partial(calls.prune, ["t"]),
    ):
        with suppress(UnreadableItemError):
            read()
    calls.delete_thread("t")
    assert tables.checkpoint_items() == tables.write_items() == []


@pytest.mark.parametrize("number", STORABLE)
@pytest.mark.parametrize("name", ["ttl", "expires", "created", "checkpoint_ns"])
@pytest.mark.parametrize("deleted", [False, True])
def test_a_sweep_goes_on_past_a_hostile_row_and_counts_it(
    calls: SyncCalls, tables: Tables, name: str, number: str, deleted: bool
) -> None:
    put_rows(calls)
    (item,) = tables.checkpoint_items()
    tombstone = {"deleted": {"BOOL": True}} if deleted else {}
    change(tables, tables.checkpoints, item, {name: {"N": number}, **tombstone})
    orphan = config("other", "", "0001")
    calls.put_writes(orphan, [("a", 1)], "task")
    report = sweep(cast("Any", calls.saver))
    assert report.writes_deleted >= 1
    assert report.resume_from is None


@pytest.mark.parametrize("number", STORABLE)
def test_a_sweep_leaves_a_write_alone_that_does_not_tell_its_age(
    calls: SyncCalls, tables: Tables, number: str
) -> None:
    calls.put_writes(config("t", "", "0001"), [("a", 1)], "task")
    (item,) = tables.write_items()
    change(tables, tables.writes, item, {"created": {"N": number}})
    (changed,) = tables.write_items()
    report = sweep(cast("Any", calls.saver))
    told = 0 <= float(changed["created"]["N"]) <= 10**12
    assert (report.writes_deleted, report.unknown) == ((1, 0) if told else (0, 1))


def test_a_value_over_the_ceiling_of_what_is_read_says_what_to_raise(
    calls: SyncCalls, tables: Tables
) -> None:
    stored = put_rows(calls)
    (item,) = tables.checkpoint_items()
    described: Any = item["checkpoint_payload"]
    vast = {"M": {**described["M"], "size": {"N": "67108865"}}}
    change(tables, tables.checkpoints, item, {"checkpoint_payload": vast})
    with pytest.raises(UnreadableItemError, match=r"67108865 bytes.*raise max_value_bytes"):
        calls.get_tuple(stored)
