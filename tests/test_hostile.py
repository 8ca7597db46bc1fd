"""Invalid items: any value in any attribute ends a call soon, with an error that names the item.

The first half reads rows in memory, where they may hold what no engine accepts; the second half
stores in the tables what engines do accept.
"""

from __future__ import annotations

import tracemalloc
from contextlib import suppress
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langgraph_checkpoint_dynamodb import (
    DynamoDBSaverError,
    MissingPartError,
    UnreadableItemError,
)
from langgraph_checkpoint_dynamodb.format.addressing import Address
from langgraph_checkpoint_dynamodb.format.bounds import MAX_EPOCH_SECONDS
from langgraph_checkpoint_dynamodb.format.keys import CheckpointRef
from langgraph_checkpoint_dynamodb.format.tables import Key, Table
from langgraph_checkpoint_dynamodb.items.payload_attributes import outside
from langgraph_checkpoint_dynamodb.items.writes_partition import part_keys
from langgraph_checkpoint_dynamodb.ops.copy import copy_thread
from langgraph_checkpoint_dynamodb.ops.delete import delete_thread
from langgraph_checkpoint_dynamodb.ops.history import get_delta_channel_history
from langgraph_checkpoint_dynamodb.ops.listing import Wanted, list_thread
from langgraph_checkpoint_dynamodb.ops.prune import prune
from langgraph_checkpoint_dynamodb.ops.read import get_tuple
from langgraph_checkpoint_dynamodb.ops.write import put_checkpoint, put_writes
from langgraph_checkpoint_dynamodb.payloads.policy import PayloadPolicy
from tests.operations.examples import CONTEXT, record, serialized, write
from tests.operations.in_memory import InMemoryTables, without_marks
from tests.support.buckets import new_bucket
from tests.support.calls import SyncCalls
from tests.support.effort import amount
from tests.support.sessions import on, saver_session
from tests.support.tables import sweep, with_payloads
from tests.support.values import checkpoint, config, metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.support.buckets import Bucket
    from tests.support.tables import Tables

SMALL = replace(CONTEXT, payloads=PayloadPolicy(inline_limit=100, chunk_bytes=50))
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
    memory = InMemoryTables([])
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
    """Every call that reads rows."""
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
        prune(SMALL, ["t"], kept=1),
        delete_thread(SMALL, "t"),
    ]


def assert_every_call_ends(changed: Mapping[tuple[Table, Key], Any]) -> None:
    """With a result or an error of this package, within a few megabytes of memory."""
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


class Forgetful(InMemoryTables):
    """Accepts deletes of items that do not exist, as DynamoDB does."""

    def _change(self, change: Any) -> None:
        with suppress(KeyError):
            super()._change(change)


@settings(max_examples=amount(150, 30))
@given(st.sampled_from(PLACES), typed)
def test_any_value_in_any_attribute_ends_every_call_by_name(
    where: tuple[tuple[Table, Key], str], value: Any
) -> None:
    place, name = where
    assert_every_call_ends({**rows(), place: {**rows()[place], name: value}})


@settings(max_examples=amount(200, 40))
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
        memory = InMemoryTables([])
        memory.items = cast(
            "Any", {**rows(), place: {**rows()[place], name: {"N": number}, **deleted}}
        )
        memory.run(delete_thread(SMALL, "t"))
        assert without_marks(memory) == {}


# On an engine.

STORABLE = ("-1", "1E+125", "9" * 38, "-1E+125", "0.5", "1E-130", "1000000000000001", "NaN")


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
    """Store a row again with other attributes; engines refuse some numbers, which is fine too."""
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


@pytest.mark.sample(8)
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


@pytest.mark.sample(16)
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
    told = 0 <= float(changed["created"]["N"]) <= MAX_EPOCH_SECONDS
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


# Rows that refer to S3 objects of others.

LARGE = "l" * 2000


@pytest.fixture
def in_s3(tables: Tables, bucket: Bucket) -> Iterator[SyncCalls]:
    tables.set_up()
    with tables.saver(s3_offload_config=bucket.config(1000), ttl_seconds=10_000) as saver:
        yield SyncCalls(saver)


@pytest.fixture
def elsewhere(object_store: str) -> Iterator[Bucket]:
    other = new_bucket(object_store)
    yield other
    other.drop()
    other.client.close()


def put_in_s3(calls: SyncCalls, thread_id: str = "t", checkpoint_ns: str = "") -> None:
    """Two checkpoints of a run with three objects each: checkpoint, metadata and write."""
    parent_id = None
    for checkpoint_id in ("0001", "0002"):
        stored = calls.put(
            config(thread_id, checkpoint_ns, parent_id),
            checkpoint(checkpoint_id, log=[LARGE]),
            metadata(large=LARGE, run_id=f"run of {thread_id}"),
            {},
        )
        calls.put_writes(stored, [("channel", LARGE)], "task")
        parent_id = checkpoint_id


class Named(NamedTuple):
    """An object that a row is made to refer to."""

    bucket: str
    key: str


def object_of(bucket: Bucket, tables: Tables, thread_id: str, id_: str, suffix: str) -> Named:
    """The object of a value, by the item that refers to it."""
    (key,) = (
        item["object_key"]["S"]
        for item in cast("Any", tables.write_items())
        if "object_key" in item
        and item["thread_id_checkpoint_id_checkpoint_ns"]["S"].startswith(f"{thread_id}:::{id_}:")
        and item["task_id_idx"]["S"].endswith(suffix)
    )
    return Named(bucket.name, key)


OBJECTS: dict[str, Callable[[Bucket, Bucket, Tables, str], Named]] = {
    "another thread's": lambda bucket, _, tables, suffix: object_of(
        bucket, tables, "victim", "0002", suffix
    ),
    "another checkpoint's": lambda bucket, _, tables, suffix: object_of(
        bucket, tables, "t", "0001", suffix
    ),
    "another value's": lambda bucket, _, tables, suffix: object_of(
        bucket, tables, "t", "0002", "-metadata" if suffix != "-metadata" else "-checkpoint"
    ),
    "another bucket's": lambda bucket, other, tables, suffix: Named(
        other.name, object_of(bucket, tables, "t", "0002", suffix).key
    ),
}
DESCRIBED = ("checkpoint", "metadata", "value")
HOLDERS = (*DESCRIBED, "leading", "write")
"""Items that are made to refer to an object: descriptions, an object's own item, and a write."""


def redirect(
    holder: str,
    named: Callable[[Bucket, Bucket, Tables, str], Named],
    tables: Tables,
    bucket: Bucket,
    other: Bucket,
) -> Named:
    """Make a row of the newest checkpoint of thread `t` refer to an object."""
    suffix = f"-{holder if holder in DESCRIBED else 'value'}"
    own = object_of(bucket, tables, "t", "0002", suffix).key
    target = named(bucket, other, tables, suffix)
    if target.bucket == other.name:
        data = bucket.objects()[own]
        other.client.put_object(Bucket=other.name, Key=own, Body=data)
    table, item = row(tables, holder)
    place: Any = {"bucket": {"S": target.bucket}, "object_key": {"S": target.key}}
    if holder in DESCRIBED:
        described = item[f"{holder}_payload"]["M"]
        fields = {**described, "bucket": place["bucket"], "key": place["object_key"]}
        place = {f"{holder}_payload": {"M": fields}}
    tables.client.put_item(TableName=table, Item={**item, **place})
    return target


def row(tables: Tables, holder: str) -> tuple[str, Any]:
    if holder in ("checkpoint", "metadata"):
        found: Any = tables.checkpoint_items()
        (item,) = (
            item
            for item in found
            if item["thread_id"] == {"S": "t"} and item["checkpoint_id"] == {"S": "0002"}
        )
        return tables.checkpoints, item
    sort_ends = "-value" if holder == "leading" else "task:::0"
    (item,) = (
        item
        for item in cast("Any", tables.write_items())
        if item["thread_id_checkpoint_id_checkpoint_ns"] == {"S": "t:::0002:::"}
        and item["task_id_idx"]["S"].endswith(sort_ends)
    )
    return tables.writes, item


led_astray = pytest.mark.parametrize("named", OBJECTS.values(), ids=OBJECTS.keys())


@pytest.mark.sample(4)
@led_astray
@pytest.mark.parametrize("holder", DESCRIBED)
def test_an_object_of_somebody_else_is_not_read(
    in_s3: SyncCalls,
    tables: Tables,
    bucket: Bucket,
    elsewhere: Bucket,
    holder: str,
    named: Callable[[Bucket, Bucket, Tables, str], Named],
) -> None:
    put_in_s3(in_s3, "victim")
    put_in_s3(in_s3)
    target = redirect(holder, named, tables, bucket, elsewhere)
    for read in (
        lambda: in_s3.get_tuple(config("t")),
        lambda: in_s3.get_tuple(config("t", "", "0002")),
        lambda: list(in_s3.list(config("t"))),
    ):
        with pytest.raises(UnreadableItemError, match=r"'0002' of thread 't'") as raised:
            read()
        assert not isinstance(raised.value, MissingPartError)
        assert raised.value.attribute == "object_key"
        assert target.key in str(raised.value)
        assert target.bucket in str(raised.value)
    assert in_s3.get_tuple(config("victim")) is not None


@pytest.mark.sample(4)
@led_astray
@pytest.mark.parametrize("holder", [*DESCRIBED, "leading"])
def test_an_object_of_somebody_else_is_not_copied(
    in_s3: SyncCalls,
    tables: Tables,
    bucket: Bucket,
    elsewhere: Bucket,
    holder: str,
    named: Callable[[Bucket, Bucket, Tables, str], Named],
) -> None:
    put_in_s3(in_s3, "victim")
    put_in_s3(in_s3)
    target = redirect(holder, named, tables, bucket, elsewhere)
    before = bucket.objects(), elsewhere.objects()
    with pytest.raises(UnreadableItemError, match=r"'0002' of thread 't'") as raised:
        in_s3.copy_thread("t", "u")
    assert raised.value.attribute == "object_key"
    assert target.key in str(raised.value)
    assert in_s3.get_tuple(config("u")) is None
    assert (bucket.objects(), elsewhere.objects()) == before


def test_a_write_that_names_an_object_of_somebody_else_is_copied_without_it(
    in_s3: SyncCalls, tables: Tables, bucket: Bucket, elsewhere: Bucket
) -> None:
    put_in_s3(in_s3, "victim")
    put_in_s3(in_s3)
    redirect("write", OBJECTS["another thread's"], tables, bucket, elsewhere)
    before = bucket.objects()
    in_s3.copy_thread("t", "u")
    copied = {key: data for key, data in bucket.objects().items() if key not in before}
    assert len(copied) == 6
    assert all(key.startswith("states/u/") for key in copied)
    in_s3.delete_thread("u")
    assert bucket.objects() == before


def bury(tables: Tables, _: SyncCalls) -> None:
    """Leave the newest checkpoint of thread `t` as a delete does that stopped at once."""
    buried = {**row(tables, "checkpoint")[1], "deleted": {"BOOL": True}, "created": {"N": "1"}}
    tables.client.put_item(TableName=tables.checkpoints, Item=buried)


def forget(tables: Tables, _: SyncCalls) -> None:
    """Delete the newest checkpoint of thread `t`, but leave the items beside it."""
    key: Any = {"thread_id": {"S": "t"}, "checkpoint_id": {"S": "0002"}}
    tables.client.delete_item(TableName=tables.checkpoints, Key=key)


def outdate(_: Tables, calls: SyncCalls) -> None:
    """A prune keeps another checkpoint than the newest so far."""
    calls.put(config("t", "", "0002"), checkpoint("0003"), metadata(), {})


def leave(_: Tables, __: SyncCalls) -> None:
    """Leave everything as it is."""


REMOVALS: dict[str, tuple[Callable[..., None], Callable[[SyncCalls], object]]] = {
    "delete_thread": (leave, lambda calls: calls.delete_thread("t")),
    "prune all": (leave, lambda calls: calls.prune(["t"], strategy="delete")),
    "prune": (outdate, lambda calls: calls.prune(["t"])),
    "delete_for_runs": (leave, lambda calls: calls.delete_for_runs(["run of t"])),
    "sweep of a delete": (bury, lambda calls: sweep(cast("Any", calls.saver))),
    "sweep of orphans": (forget, lambda calls: sweep(cast("Any", calls.saver))),
}
KEPT = [
    (removal, whose)
    for removal in REMOVALS
    for whose in OBJECTS
    if whose == "another thread's" or removal in ("delete_thread", "sweep of orphans")
]


@pytest.mark.sample(2)
@pytest.mark.parametrize(("removal", "whose"), KEPT)
@pytest.mark.parametrize("holder", HOLDERS)
def test_an_object_of_somebody_else_is_kept_with_a_warning_and_all_else_goes(
    in_s3: SyncCalls,
    tables: Tables,
    bucket: Bucket,
    elsewhere: Bucket,
    caplog: pytest.LogCaptureFixture,
    holder: str,
    removal: str,
    whose: str,
) -> None:
    put_in_s3(in_s3, "victim")
    put_in_s3(in_s3)
    target = redirect(holder, OBJECTS[whose], tables, bucket, elsewhere)
    prepare, remove = REMOVALS[removal]
    prepare(tables, in_s3)
    kept = elsewhere.objects()
    others = {k: data for k, data in bucket.objects().items() if k.startswith("states/victim/")}
    if holder == "metadata" and removal in ("prune", "delete_for_runs"):
        # They learn from the metadata what to delete.
        with pytest.raises(UnreadableItemError, match="object_key"):
            remove(in_s3)
        assert bucket.objects().items() >= others.items()
        assert elsewhere.objects() == kept
        return
    remove(in_s3)
    if not (removal == "sweep of orphans" and holder in ("checkpoint", "metadata")):
        warned = [one.getMessage() for one in caplog.records if one.levelname == "WARNING"]
        assert any(target.key in words and target.bucket in words for words in warned)
    assert elsewhere.objects() == kept
    assert bucket.objects().items() >= others.items()
    assert len(list(in_s3.list(config("victim")))) == 2
    # An object in an unknown bucket is left to a sweep with a saver that is configured for it.
    found_later = holder == "leading" and whose == "another bucket's"
    assert len(partitions_of(tables, "t:::0002:::")) == found_later
    if removal.startswith("sweep"):
        assert in_s3.get_tuple(config("t", "", "0001")) is not None
    if removal in ("delete_thread", "prune all"):
        assert sorted(others) == bucket.keys()
        assert {item["thread_id"]["S"] for item in tables.checkpoint_items()} == {"victim"}


def partitions_of(tables: Tables, partition: str) -> list[Any]:
    return [
        item
        for item in tables.write_items()
        if item["thread_id_checkpoint_id_checkpoint_ns"]["S"] == partition
    ]


def test_an_object_of_somebody_else_is_not_made_young_again(
    in_s3: SyncCalls, tables: Tables, bucket: Bucket, elsewhere: Bucket
) -> None:
    put_in_s3(in_s3, "victim")
    put_in_s3(in_s3)
    in_s3.put(config("t", "", "0002"), checkpoint("0003"), metadata(), {})
    target = redirect("value", OBJECTS["another thread's"], tables, bucket, elsewhere)
    for holder, table in (("value", tables.writes), ("checkpoint", tables.checkpoints)):
        _, item = row(tables, holder)
        short = {"N": str(int(item["ttl"]["N"]) - 5000)}
        tables.client.put_item(TableName=table, Item={**item, "ttl": short})
    copied: list[str] = []
    session = saver_session(bucket.url)

    def note(params: Any, **_: object) -> None:
        copied.append(params["Key"])

    on(session, "before-parameter-build.s3.CopyObject", note)
    made: Any = {"session": session, "endpoint_url": tables.engine.url, "ttl_seconds": 10_000}
    with tables.saver(**made, s3_offload_config=bucket.known()) as other:
        # No caller asks for the channel of that write.
        found = other.get_delta_channel_history(config=config("t", "", "0003"), channels=["log"])
    assert found["log"]["seed"] == [LARGE]
    assert len(copied) == 2
    assert target.key not in copied


HASHED = "a:::b"
"""A namespace whose writes have a hashed partition key, so that items name their checkpoint."""


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("thread_id", "checkpoint_id", "checkpoint_ns"),
    [("victim", "0002", ""), ("victim", "0002", HASHED), ("t", "0001", HASHED), ("t", "0001", "")],
)
def test_an_item_in_a_hashed_partition_cannot_speak_for_another_checkpoint(
    in_s3: SyncCalls,
    tables: Tables,
    bucket: Bucket,
    thread_id: str,
    checkpoint_id: str,
    checkpoint_ns: str,
) -> None:
    for one in ("victim", "t"):
        for namespace in ("", HASHED):
            put_in_s3(in_s3, one, namespace)
    partition = CheckpointRef("t", HASHED, "0002").writes_partition
    named = partitions_of(
        tables, CheckpointRef(thread_id, checkpoint_ns, checkpoint_id).writes_partition
    )
    leads_to = next(item["object_key"] for item in named if "object_key" in item)
    for item in partitions_of(tables, partition):
        item.update(
            thread_id={"S": thread_id},
            checkpoint_id={"S": checkpoint_id},
            checkpoint_ns={"S": checkpoint_ns},
        )
        if "object_key" in item:
            item["object_key"] = leads_to
        tables.client.put_item(TableName=tables.writes, Item=item)
    mine: Any = CheckpointRef("t", HASHED, "0002").sort_key
    key: Any = {"thread_id": {"S": "t"}, "checkpoint_id": {"S": mine}}
    tables.client.delete_item(TableName=tables.checkpoints, Key=key)
    items, objects = tables.write_items(), bucket.objects()
    report = sweep(cast("Any", in_s3.saver))
    assert report.unknown == len(partitions_of(tables, partition)) > 0
    assert (report.writes_deleted, report.objects_deleted) == (0, 0)
    assert tables.write_items() == items
    assert bucket.objects() == objects
    in_s3.delete_thread("t")
    assert len(list(in_s3.list(config("victim", None)))) == 4
