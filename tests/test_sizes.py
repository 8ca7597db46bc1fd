"""Values of every size: where they are stored, that they are read back whole, and their costs."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from langgraph.checkpoint.base import WRITES_IDX_MAP, CheckpointTuple

from langgraph_checkpoint_dynamodb import PayloadTooLargeError
from langgraph_checkpoint_dynamodb.format.sizes import ITEM_LIMIT, item_size
from langgraph_checkpoint_dynamodb.format.write_keys import split_writes_partition
from langgraph_checkpoint_dynamodb.requests.calls import TRANSACTION_BYTES
from tests.support.calls import AsyncCalls, SyncCalls, elsewhere
from tests.support.effort import amount
from tests.support.sessions import Meter, metered_session, on, saver_session
from tests.support.tables import sweep, with_payloads
from tests.support.values import checkpoint, config, metadata, new_id
from tests.support.walking import measure_depth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from langchain_core.runnables import RunnableConfig

    from tests.support.buckets import Bucket
    from tests.support.calls import Calls, LoopThread
    from tests.support.engines import Engine
    from tests.support.savers import Saver
    from tests.support.tables import Tables

TASK = "task"
ERROR = "__error__"
INTERRUPT = "__interrupt__"
CHUNK = 400_000
S3_THRESHOLD = 350 * 1024
MEBIBYTE = 1024 * 1024
RULER = 70_000
"""Long enough that the serde adds as many bytes as to any longer value."""
UNFAITHFUL_LIMIT = 400_000
"""Engines that are not faithful refuse items somewhat smaller than the real limit."""

PLACES = ("checkpoint", "metadata", "write", "writes", "special")
PLAIN_PLACES = ("checkpoint", "metadata", "write", "special")
ADDRESSES = {
    "short": ("t", ""),
    "nested": ("t", "node:1"),
    "long": ("t" * 1000, "n" * 900),
    "hashed": ("é" * 700, "n:::" * 250),
}


def blob_of(size: int, *, compressible: bool = False) -> bytes:
    """This many bytes, the same at each call."""
    if compressible:
        return (b"state " * (size // 6 + 1))[:size]
    return random.Random(size).randbytes(size)  # noqa: S311 - no secret


def put(calls: Calls, place: str, address: RunnableConfig, blob: bytes) -> CheckpointTuple:
    """Store a new checkpoint, with the blob if that is its place; returns the expected tuple."""
    made = checkpoint(**({"blob": blob} if place == "checkpoint" else {"small": 1}))
    described = metadata(place=place, **({"blob": blob} if place == "metadata" else {}))
    stored = calls.put(address, made, described, {})
    return CheckpointTuple(stored, made, described, None, [])


def write(calls: Calls, place: str, stored: CheckpointTuple, blob: bytes) -> CheckpointTuple:
    """Store the writes with the blob, if that is its place."""
    known: dict[str, list[tuple[str, Any]]] = {
        "write": [("blob", blob)],
        "writes": [("small", 1), ("blob", blob), (INTERRUPT, blob[::-1])],
        "special": [(ERROR, blob)],
    }
    writes = known.get(place, [])
    if writes:
        calls.put_writes(stored.config, writes, TASK)
    in_order = sorted(enumerate(writes), key=lambda each: WRITES_IDX_MAP.get(each[1][0], each[0]))
    return stored._replace(pending_writes=[(TASK, *written) for _, written in in_order])


def store(calls: Calls, place: str, address: RunnableConfig, blob: bytes) -> CheckpointTuple:
    return write(calls, place, put(calls, place, address, blob), blob)


def same(found: object, expected: object) -> bool:
    """Whether both are equal. pytest's diff of megabytes would take too long."""
    return found == expected


def assert_found_everywhere(calls: Calls, place: str, expected: CheckpointTuple) -> None:
    """Every read of a thread's only checkpoint returns it, as does the history of its child."""
    names = expected.config["configurable"]
    newest = config(names["thread_id"], names["checkpoint_ns"])
    sought = {key: value for key, value in expected.metadata.items() if key in ("place", "blob")}
    assert same(calls.get_tuple(newest), expected)
    assert same(calls.get_tuple(expected.config), expected)
    assert same(list(calls.list(newest)), [expected])
    assert same(list(calls.list(newest, filter=sought)), [expected])
    child = calls.put(expected.config, checkpoint(), metadata(), {})
    history = calls.get_delta_channel_history(config=child, channels=["blob"])
    values = expected.checkpoint["channel_values"]
    seed = {"seed": values["blob"]} if place == "checkpoint" else {}
    writes = [each for each in expected.pending_writes or [] if each[1] == "blob"]
    assert same(history, {"blob": {"writes": writes, **seed}})


@dataclass(frozen=True)
class Overhead:
    """Bytes added to a value: by its item, and by the serde."""

    item: int
    serde: int


@dataclass
class Shelf:
    """A saver for large values, and the contents of its tables and bucket."""

    saver: Saver
    tables: Tables
    bucket: Bucket
    loop: LoopThread
    meter: Meter
    limit: int
    _measured: dict[tuple[str, ...], Overhead] = field(default_factory=dict)

    def calls(self, face: str) -> Calls:
        return SyncCalls(self.saver) if face == "sync" else AsyncCalls(self.saver, self.loop)

    def overhead(self, place: str, thread_id: str = "t", checkpoint_ns: str = "") -> Overhead:
        """Bytes that are stored with a value besides its own."""
        key = (place, thread_id, checkpoint_ns)
        if key not in self._measured:
            with self.tables.saver() as plain:
                store(SyncCalls(plain), place, config(thread_id, checkpoint_ns), b"x" * RULER)
                item = max(self.items(), key=size_of)
                values = [item.get(name, {}) for name in ("checkpoint", "metadata", "value")]
                values += [one["L"][3] for one in item.get("writes", {"L": []})["L"]]
                stored = max(len(value.get("B", b"")) for value in values)
                self._measured[key] = Overhead(size_of(item) - RULER, stored - RULER)
                plain.delete_thread(thread_id)
        return self._measured[key]

    def room(self, place: str, thread_id: str = "t", checkpoint_ns: str = "") -> int:
        """Size of the value that brings its item exactly to the size limit."""
        return self.limit - self.overhead(place, thread_id, checkpoint_ns).item

    def items(self) -> list[dict[str, Any]]:
        found = [*self.tables.checkpoint_items(), *self.tables.write_items()]
        return cast("list[dict[str, Any]]", found)

    def chunks(self) -> list[int]:
        """Sizes of the chunks in bytes, the largest first."""
        found = (len(item["chunk"]["B"]) for item in self.items() if "chunk" in item)
        return sorted(found, reverse=True)

    def clear(self, thread_id: str = "t") -> None:
        """Delete a thread: only its marks remain, and they expire soon."""
        self.saver.delete_thread(thread_id)
        assert self.items() == []
        assert self.bucket.keys() == []
        sweep(self.saver)
        assert self.tables.marks() == []


def size_of(item: dict[str, Any]) -> int:
    return item_size(cast("Any", item))


def with_threshold(saver: Saver, threshold_bytes: int) -> None:
    policy = saver._settings.payloads.s3
    assert policy is not None
    with_payloads(saver, s3=replace(policy, threshold_bytes=threshold_bytes))


SETTINGS: dict[str, Callable[[Bucket], dict[str, Any]]] = {
    "chunks": lambda _: {},
    "s3": lambda bucket: {"s3_offload_config": bucket.config(S3_THRESHOLD)},
    "gzip": lambda _: {"compression": "gzip"},
    "zstd and s3": lambda bucket: {
        "compression": "zstd",
        "s3_offload_config": bucket.config(S3_THRESHOLD),
    },
}


@pytest.fixture
def shelf(
    request: pytest.FixtureRequest,
    tables: Tables,
    engine: Engine,
    bucket: Bucket,
    loop_thread: LoopThread,
) -> Iterator[Shelf]:
    """A saver with the settings of the test's parameter, by default none."""
    tables.set_up()
    limit = ITEM_LIMIT if engine.faithful else UNFAITHFUL_LIMIT
    chosen = SETTINGS[getattr(request, "param", "chunks")](bucket)
    session, meter = metered_session()
    with tables.saver(session=session, max_concurrency=32, **chosen) as saver:
        with_payloads(saver, inline_limit=limit)
        yield Shelf(saver, tables, bucket, loop_thread, meter, limit)


# --- every size is read back ---

FULL_ITEM = -1
"""Represents the value that makes its item exactly as large as the limit."""
EDGES = (
    *(0, 1, 65_536, S3_THRESHOLD, FULL_ITEM, FULL_ITEM, FULL_ITEM),
    *(CHUNK, 2 * CHUNK, 1_000_000, MEBIBYTE, 5 * CHUNK, TRANSACTION_BYTES, 4 * MEBIBYTE),
)
HUGE = 20_000_000


@dataclass(frozen=True)
class Case:
    """A value to store."""

    place: str
    address: str
    edge: int
    beyond: int
    compressible: bool
    face: str


cases = st.builds(
    Case,
    place=st.sampled_from(PLACES),
    address=st.sampled_from(sorted(ADDRESSES)),
    edge=st.sampled_from(EDGES) | st.integers(0, 3_000_000),
    beyond=st.integers(-2, 2) | st.integers(-300, 300),
    compressible=st.booleans(),
    face=st.sampled_from(("sync", "async")),
)


@pytest.mark.sample(1)
@pytest.mark.parametrize("shelf", SETTINGS, indirect=True)
@settings(
    max_examples=amount(8, 2),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@example(case=Case("checkpoint", "hashed", HUGE, 0, compressible=False, face="async"))
@example(case=Case("metadata", "long", HUGE // 4, 1, compressible=False, face="sync"))
@example(case=Case("writes", "short", HUGE // 4, -1, compressible=True, face="async"))
@given(case=cases)
def test_a_value_of_any_size_comes_back_whole_and_leaves_nothing_when_deleted(
    shelf: Shelf, case: Case
) -> None:
    thread_id, checkpoint_ns = ADDRESSES[case.address]
    edge = case.edge
    if edge == FULL_ITEM:
        edge = shelf.room(case.place, thread_id, checkpoint_ns)
    blob = blob_of(max(0, edge + case.beyond), compressible=case.compressible)
    calls = shelf.calls(case.face)
    expected = store(calls, case.place, config(thread_id, checkpoint_ns), blob)
    assert max(map(size_of, shelf.items())) <= ITEM_LIMIT
    assert_found_everywhere(calls, case.place, expected)
    shelf.clear(thread_id)


# --- on which side of a threshold a value is stored ---


@pytest.mark.sample(3)
@pytest.mark.parametrize(
    ("address", "face"),
    [("short", "sync"), ("nested", "async"), ("long", "async"), ("hashed", "sync")],
)
@pytest.mark.parametrize("place", PLAIN_PLACES)
def test_a_value_stays_in_its_item_up_to_the_last_byte_and_then_leaves_it(
    shelf: Shelf, place: str, address: str, face: str
) -> None:
    thread_id, checkpoint_ns = ADDRESSES[address]
    calls = shelf.calls(face)
    room = shelf.room(place, thread_id, checkpoint_ns)
    for beyond in (-1, 0, 1):
        blob = blob_of(room + beyond)
        expected = store(calls, place, config(thread_id, checkpoint_ns), blob)
        largest = max(size_of(item) for item in shelf.items() if "chunk" not in item)
        if beyond <= 0:
            assert (largest, shelf.chunks()) == (shelf.limit + beyond, [])
        else:
            assert largest < 10_000
            outside = len(blob) + shelf.overhead(place, thread_id, checkpoint_ns).serde
            assert sum(shelf.chunks()) == outside
        assert_found_everywhere(calls, place, expected)
        shelf.clear(thread_id)


def test_the_hashed_address_is_hashed_and_the_long_one_is_not(shelf: Shelf) -> None:
    for address, hashed in (("long", False), ("hashed", True)):
        store(SyncCalls(shelf.saver), "write", config(*ADDRESSES[address]), b"x")
        (item,) = cast("Any", shelf.tables.write_items())
        partition = item["thread_id_checkpoint_id_checkpoint_ns"]["S"]
        assert (split_writes_partition(partition) is None) is hashed
        shelf.clear(ADDRESSES[address][0])


@pytest.mark.parametrize("place", PLAIN_PLACES)
def test_a_namespace_of_twenty_thousand_bytes_leaves_its_chunks_room(
    shelf: Shelf, engine: Engine, place: str
) -> None:
    if not engine.faithful:
        with_payloads(shelf.saver, chunk_bytes=UNFAITHFUL_LIMIT - 20_000)
    calls = SyncCalls(shelf.saver)
    expected = store(calls, place, config("t" * 1000, "n" * 20_000), blob_of(1_000_000))
    assert_found_everywhere(calls, place, expected)
    shelf.clear("t" * 1000)


@pytest.mark.parametrize(
    ("sizes", "outside"),
    [
        ((300_000, 50_000), []),
        ((300_000, 150_000), ["checkpoint"]),
        ((150_000, 300_000), ["metadata"]),
        ((450_000, 450_000), ["checkpoint", "metadata"]),
    ],
)
def test_of_two_values_in_an_item_the_larger_one_leaves_first_and_no_more_than_needed(
    shelf: Shelf, sizes: tuple[int, int], outside: list[str]
) -> None:
    made, described = checkpoint(blob=blob_of(sizes[0])), metadata(blob=blob_of(sizes[1]))
    stored = shelf.saver.put(config("t"), made, described, {})
    (item,) = shelf.tables.checkpoint_items()
    assert [name for name in ("checkpoint", "metadata") if name not in item] == outside
    found = shelf.saver.get_tuple(stored)
    assert same(found, CheckpointTuple(stored, made, described, None, []))


@pytest.mark.parametrize(
    ("size", "pieces"),
    [
        (2 * CHUNK - 1, [CHUNK, CHUNK - 1]),
        (2 * CHUNK, [CHUNK, CHUNK]),
        (2 * CHUNK + 1, [CHUNK, CHUNK, 1]),
    ],
)
def test_a_value_is_cut_into_no_more_chunks_than_it_fills(
    shelf: Shelf, size: int, pieces: list[int]
) -> None:
    calls = SyncCalls(shelf.saver)
    expected = store(calls, "write", config("t"), blob_of(size))
    assert shelf.chunks() == pieces
    assert_found_everywhere(calls, "write", expected)


@pytest.mark.sample(3)
@pytest.mark.parametrize("shelf", ["s3"], indirect=True)
@pytest.mark.parametrize("place", PLAIN_PLACES)
@pytest.mark.parametrize("threshold", [S3_THRESHOLD, 500_000])
def test_a_value_goes_to_s3_from_the_first_byte_over_the_threshold(
    shelf: Shelf, threshold: int, place: str
) -> None:
    with_threshold(shelf.saver, threshold)
    size = threshold - shelf.overhead(place).serde
    calls = SyncCalls(shelf.saver)
    for beyond in (0, 1):
        expected = store(calls, place, config("t"), blob_of(size + beyond))
        sizes = [len(data) for data in shelf.bucket.objects().values()]
        assert sizes == [threshold + 1] * beyond
        # A value over the item limit but not over the threshold is stored in chunks.
        assert bool(shelf.chunks()) is (not beyond and threshold > ITEM_LIMIT)
        assert_found_everywhere(calls, place, expected)
        shelf.clear()


@pytest.mark.parametrize("shelf", ["s3"], indirect=True)
def test_with_a_threshold_of_zero_every_byte_goes_to_s3(shelf: Shelf) -> None:
    with_threshold(shelf.saver, 0)
    calls = SyncCalls(shelf.saver)
    for size in (0, 1):
        stored = put(calls, "write", config("t"), b"")
        before = shelf.bucket.keys()
        expected = write(calls, "write", stored, b"x" * size)
        objects = shelf.bucket.objects()
        assert [objects[key] for key in objects.keys() - before] == [b"x"] * size
        assert_found_everywhere(calls, "write", expected)
        shelf.clear()


@pytest.mark.parametrize("beyond", [0, 1])
@pytest.mark.parametrize("count", [2, 10, 100])
def test_writes_of_one_call_are_one_item_and_the_largest_leave_it(
    shelf: Shelf, count: int, beyond: int
) -> None:
    stored = put(SyncCalls(shelf.saver), "write", config("t"), b"")
    room = min(shelf.limit, ITEM_LIMIT - 8192)
    shelf.saver.put_writes(stored.config, [("blob", b"")] * count, "empty")
    (empty,) = (size_of(item) for item in shelf.items() if "writes" in item)
    each, rest = divmod(room - empty, count)
    writes = [("blob", b"x" * (each + (rest + beyond if not n else 0))) for n in range(count)]
    shelf.meter.reset()
    shelf.saver.put_writes(stored.config, writes, "whole")
    assert len(shelf.chunks()) == beyond
    action = "TransactWriteItems" if beyond else "PutItem"
    assert shelf.meter.requests[action] == 1
    assert shelf.meter.total == 1 + beyond
    found = shelf.saver.get_tuple(stored.config)
    assert found is not None
    assert [one for one in found.pending_writes or [] if one[0] == "whole"] == [
        ("whole", *written) for written in writes
    ]


def test_more_small_writes_than_an_item_holds_are_several_items_in_one_transaction(
    shelf: Shelf,
) -> None:
    stored = put(SyncCalls(shelf.saver), "write", config("t"), b"")
    # Few enough for engines that inspect each of them.
    writes = [(f"channel {n} {'x' * 150}", n) for n in range(2_500)]
    shelf.meter.reset()
    shelf.saver.put_writes(stored.config, writes, TASK)
    assert shelf.meter.requests == {"TransactWriteItems": 1}
    sorts = [item["task_id_idx"]["S"] for item in shelf.items() if "writes" in item]
    assert sorted(sorts) == [f"{TASK}:::0", f"{TASK}:::1250"]
    found = shelf.saver.get_tuple(stored.config)
    assert same(found, stored._replace(pending_writes=[(TASK, *written) for written in writes]))


@pytest.mark.parametrize("kilobytes", [100, 399])
def test_an_item_is_as_large_as_the_engine_bills_it(
    shelf: Shelf, engine: Engine, kilobytes: int
) -> None:
    size = kilobytes * 1024 - shelf.overhead("checkpoint").item
    for beyond in (-1, 0, 1):
        shelf.meter.reset()
        # In a separate thread: an item that is replaced is billed too.
        put(SyncCalls(shelf.saver), "checkpoint", config(str(beyond + 1)), b"x" * (size + beyond))
        if engine.faithful:
            assert shelf.meter.write_units == kilobytes + (beyond > 0)


# --- the upper limit ---


@pytest.mark.sample(6)
@pytest.mark.parametrize(
    ("shelf", "face"),
    [("chunks", "sync"), ("chunks", "async"), ("s3", "sync"), ("zstd and s3", "async")],
    indirect=["shelf"],
)
@pytest.mark.parametrize("place", PLACES)
def test_a_value_over_the_ceiling_is_refused_before_anything_is_written(
    shelf: Shelf, place: str, face: str
) -> None:
    size = 500_000
    ceiling = size + shelf.overhead(place).serde
    with_payloads(shelf.saver, max_value_bytes=ceiling)
    calls = shelf.calls(face)
    act = put if place in ("checkpoint", "metadata") else write
    target: Any = config("t")
    if act is write:
        target = put(calls, place, target, b"")
    before = shelf.items()
    shelf.meter.reset()
    with pytest.raises(PayloadTooLargeError) as raised:
        act(calls, place, target, b"x" * (size + 1))
    error = raised.value
    assert (error.size, error.limit) == (ceiling + 1, ceiling)
    assert error.attribute == (place if act is put else "value")
    for part in ("'t'", error.place, str(error.size), "max_value_bytes"):
        assert part in str(error)
    assert shelf.meter.total == 0
    assert shelf.items() == before
    assert shelf.bucket.keys() == []
    expected = act(calls, place, target, b"x" * size)
    assert_found_everywhere(calls, place, expected)


def test_the_ceiling_is_tens_of_megabytes_where_nothing_else_is_said(shelf: Shelf) -> None:
    address = config("t", checkpoint_id="1")
    with pytest.raises(PayloadTooLargeError) as raised:
        shelf.saver.put_writes(address, [("a", bytes(64 * MEBIBYTE + 1))], TASK)
    assert raised.value.limit == 64 * MEBIBYTE
    assert shelf.items() == []


def test_a_write_over_the_ceiling_keeps_those_before_it_from_being_stored(tables: Tables) -> None:
    tables.set_up()
    with tables.saver(max_value_bytes=1000) as saver:
        small_parts(saver)
        address = config("t", checkpoint_id="1")
        with pytest.raises(PayloadTooLargeError, match="'b'"):
            saver.put_writes(address, [("a", bytes(1000)), ("b", bytes(1001))], TASK)
        assert tables.write_items() == []
        saver.put_writes(address, [("a", bytes(1000)), ("b", bytes(1000))], TASK)
    assert len(tables.write_items()) == 1 + 2 * 5


def test_a_lower_ceiling_still_reads_what_was_stored_under_a_higher_one(shelf: Shelf) -> None:
    expected = store(SyncCalls(shelf.saver), "writes", config("t"), blob_of(1_000_000))
    with shelf.tables.saver(max_value_bytes=1000) as lower:
        assert same(lower.get_tuple(expected.config), expected)


# --- costs ---

COSTS = {
    # Requests, serial depth, read units and write units.
    ("chunks", 1, "put"): (4, 2, 0, 980),
    ("chunks", 1, "put_writes"): (4, 2, 0, 980),
    ("chunks", 1, "get_tuple"): (3, 2, 246, 0),
    ("chunks", 1, "get_tuple by id"): (2, 1, 246, 0),
    ("chunks", 10, "put"): (27, 2, 0, 9778),
    ("chunks", 10, "put_writes"): (26, 2, 0, 9777),
    ("chunks", 10, "get_tuple"): (14, 2, 2451, 0),
    ("chunks", 10, "get_tuple by id"): (14, 2, 2451, 0),
    **{
        ("s3", size, call): cost
        for size in (1, 10)
        for call, cost in {
            "put": (3, 3, 0, 3),
            "put_writes": (3, 3, 0, 3),
            "get_tuple": (3, 2, 2, 0),
            "get_tuple by id": (3, 2, 2, 0),
        }.items()
    },
}


@pytest.mark.sample(5)
@pytest.mark.parametrize(
    ("shelf", "megabytes", "call"), COSTS, indirect=["shelf"], ids=lambda value: str(value)
)
def test_a_large_state_costs_as_many_requests_as_its_parts_and_few_in_a_row(
    request: pytest.FixtureRequest, shelf: Shelf, engine: Engine, megabytes: int, call: str
) -> None:
    blob = blob_of(megabytes * 1_000_000)
    depth = measure_depth(shelf.saver)
    calls = SyncCalls(shelf.saver)
    stored = None
    if call.startswith("get"):
        stored = put(calls, "checkpoint", config("t"), blob)
    elif call == "put_writes":
        stored = put(calls, "write", config("t"), blob)
    acts: dict[str, Callable[[Any], object]] = {
        "put": lambda _: put(calls, "checkpoint", config("t"), blob),
        "put_writes": lambda target: write(calls, "write", target, blob),
        "get_tuple": lambda _: calls.get_tuple(config("t")),
        "get_tuple by id": lambda target: calls.get_tuple(target.config),
    }
    shelf.meter.reset()
    before = depth.clock
    acts[call](stored)
    settings_name = cast("Any", request.node).callspec.params["shelf"]
    requests, serial, read_units, write_units = COSTS[settings_name, megabytes, call]
    # Query pages are shorter on engines that are not faithful.
    if engine.faithful or settings_name == "s3" or call.startswith("put"):
        assert (shelf.meter.total, depth.clock - before) == (requests, serial)
    if engine.faithful:
        assert (shelf.meter.read_units, shelf.meter.write_units) == (read_units, write_units)


@pytest.mark.sample(1)
@pytest.mark.parametrize("shelf", ["chunks", "s3"], indirect=True)
def test_the_first_of_several_huge_checkpoints_does_not_wait_for_the_others(shelf: Shelf) -> None:
    calls = SyncCalls(shelf.saver)
    ids = [new_id(step) for step in range(3)]
    for checkpoint_id in ids:
        shelf.saver.put(config("t"), checkpoint(checkpoint_id, a=bytes(17_000_000)), metadata(), {})
    shelf.meter.reset()
    listing = calls.list(config("t"))
    found = [next(listing).checkpoint["id"]]
    range_query = 1
    first = shelf.meter.total - range_query
    found += [each.checkpoint["id"] for each in listing]
    assert found == ids[::-1]
    assert shelf.meter.total - range_query == 3 * first
    shelf.meter.reset()
    assert len(list(calls.list(config("t"), limit=1))) == 1
    assert shelf.meter.total == range_query + first


# --- a checkpoint that is replaced while it is read ---


def small_parts(saver: Saver) -> Saver:
    """Store values of a few hundred bytes in several chunks, or in S3."""
    if saver._settings.payloads.s3 is not None:
        with_threshold(saver, 100)
    return with_payloads(saver, inline_limit=300, chunk_bytes=200)


def versions(count: int) -> list[bytes]:
    """Values of different lengths, each of several chunks."""
    return [bytes([number + 1]) * (500 + 100 * number) for number in range(count)]


REPLACED = config("t", checkpoint_id="1")
READS: dict[str, Callable[[Saver], Any]] = {
    "get_tuple": lambda saver: saver.get_tuple(config("t")),
    "get_tuple by id": lambda saver: saver.get_tuple(REPLACED),
    "list": lambda saver: next(saver.list(config("t"))),
    "list by metadata": lambda saver: next(saver.list(config("t"), filter={"a": 1})),
}


def put_version(saver: Saver, blob: bytes) -> None:
    """The same value in three places of the checkpoint."""
    saver.put(config("t"), checkpoint("1", blob=blob), metadata(a=1, blob=blob), {})
    saver.put_writes(REPLACED, [(ERROR, blob)], TASK)


def replace_version(saver: Saver, blob: bytes) -> None:
    """Store another version, and remove the parts of the one before."""
    put_version(saver, blob)
    sweep(saver)


def assert_one_of(values: list[bytes], found: Any) -> None:
    blob = found.checkpoint["channel_values"]["blob"]
    assert blob in values
    assert found.metadata["blob"] == blob
    assert all(value in values for *_, value in found.pending_writes)


@pytest.mark.sample(4)
@pytest.mark.parametrize("times", [1, 4])
@pytest.mark.parametrize("shelf", ["chunks", "s3"], indirect=True)
@pytest.mark.parametrize("read", READS)
def test_a_checkpoint_that_is_replaced_between_the_requests_of_a_read_is_read_whole(
    shelf: Shelf, read: str, times: int
) -> None:
    small_parts(shelf.saver)
    values = versions(times + 1)
    left = list(values)

    def between(params: dict[str, Any], **_: object) -> None:
        if left and params["TableName"] == shelf.tables.writes:
            elsewhere(partial(replace_version, shelf.saver, left.pop(0)))

    put_version(shelf.saver, left.pop(0))
    session = saver_session()
    on(session, "before-parameter-build.dynamodb.Query", between)
    in_bucket = {"s3_offload_config": shelf.bucket.config()}
    with shelf.tables.saver(session=session, **in_bucket) as reader:
        # One request at a time, so that each replacement happens between two requests.
        measure_depth(reader)
        found = READS[read](reader)
    assert_one_of(values, found)
    assert len(found.pending_writes) == 1
    assert left == []


@pytest.mark.sample(0)
def test_readers_among_many_writers_of_one_checkpoint_find_one_value_whole(shelf: Shelf) -> None:
    saver = small_parts(shelf.saver)
    values = versions(16)
    done = threading.Event()

    def read_on(read: Callable[[Saver], Any]) -> list[Any]:
        found = [read(saver)]
        while not done.is_set():
            found.append(read(saver))
        return found

    def write_each(mine: list[bytes]) -> None:
        for blob in mine:
            put_version(saver, blob)

    put_version(saver, values[0])
    with ThreadPoolExecutor(8) as pool:
        reading = [pool.submit(read_on, read) for read in READS.values()]
        writing = [pool.submit(write_each, values[number::4]) for number in range(4)]
        try:
            for each in writing:
                each.result()
        finally:
            done.set()
        for found in (found for each in reading for found in each.result()):
            assert_one_of(values, found)
    last: Any = saver.get_tuple(REPLACED)
    assert_one_of(values, last)
    # The parts of replaced versions are left to the sweep.
    sweep(saver)
    assert same(saver.get_tuple(REPLACED), last)
    blobs = [last.checkpoint["channel_values"]["blob"]] * 2 + [last.pending_writes[0][2]]
    assert sum(shelf.chunks()) <= sum(map(len, blobs)) + 1000
