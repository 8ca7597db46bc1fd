"""Seeded faults between the saver and the tables, on a real engine.

Faults are injected into the boto3 client, below the saver and above the engine, so that the SDK's
own retries are tested too. Nothing sleeps.
"""

from __future__ import annotations

import itertools
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from langgraph_checkpoint_dynamodb.errors import (
    ConditionFailedError,
    MissingPartError,
    ServiceError,
    TableNotFoundError,
    TransactionCanceledError,
    TransportError,
    UnprocessedItemsError,
)
from langgraph_checkpoint_dynamodb.format.tables import SAVER_TABLES, Table
from langgraph_checkpoint_dynamodb.savers import base
from tests.support.buckets import Bucket, new_bucket
from tests.support.calls import AsyncCalls, SyncCalls
from tests.support.faults import (
    SDK_ATTEMPTS,
    BrokenDownloads,
    EachOnce,
    Fault,
    ForEver,
    Leftovers,
    LostAnswers,
    OneItemPages,
    Refusal,
    Refusals,
    Replica,
    SkippedWaits,
    faulty,
)
from tests.support.stored import loose_ends, marks, stored
from tests.support.tables import Tables, new_tables, sweep, with_payloads
from tests.support.values import checkpoint, config, metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from langchain_core.runnables import RunnableConfig

    from tests.support.calls import Calls, LoopThread
    from tests.support.engines import Engine
    from tests.support.savers import Saver
    from tests.support.stored import Stored

# `saver` sets up the tables.
pytestmark = pytest.mark.usefixtures("skipped_waits", "saver")

BUSY = {
    "ProvisionedThroughputExceededException": 400,
    "ThrottlingException": 400,
    "InternalServerError": 500,
    "ServiceUnavailable": 503,
}
"""Transient errors, with their HTTP status."""
BUSY_S3 = {"SlowDown": 503, "InternalError": 500, "ConnectionClosed": 0}

Storage: TypeAlias = Literal["inline", "chunks", "objects"]
LARGE = 250
"""Values of more bytes are stored outside their items, unless the storage is inline."""
NOW = 1_000_000

Found: TypeAlias = "tuple[Any, Stored]"
"""The results of a saver, and the contents of its tables and its bucket."""


@contextmanager
def faulty_saver(
    tables: Tables,
    *faults: Fault,
    storage: Storage = "inline",
    bucket: Bucket | None = None,
    **settings: Any,
) -> Iterator[Saver]:
    """A saver whose clients inject these faults. Its tables must exist.

    Two such savers that make the same calls store the same bytes.
    """
    numbers = itertools.count()
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(base, "token_hex", lambda _: f"token{next(numbers)}")
        if storage == "objects":
            assert bucket is not None
            settings["s3_offload_config"] = bucket.config(2 * LARGE)
        settings |= faulty(tables, *faults, bucket=bucket)
        made = tables.saver(clock=lambda: NOW, **settings)
        if storage == "chunks":
            with_payloads(made, inline_limit=2 * LARGE, chunk_bytes=LARGE)
        yield stack.enter_context(made)


@contextmanager
def more_tables(engine: Engine) -> Iterator[Tables]:
    """A second pair of tables."""
    tables = new_tables(engine)
    try:
        with tables.saver(**tables.quick()) as made:
            made.setup()
        yield tables
    finally:
        tables.drop()
        tables.client.close()


def put(
    calls: Calls,
    thread_id: str,
    number: int,
    parent: int | None,
    ns: str = "",
    run_id: str = "run",
    **values: Any,
) -> RunnableConfig:
    """A checkpoint with two writes; its id is its number."""
    large = "l" * 2 * LARGE if number % 2 else ""
    made = checkpoint(f"{number:04}", number=number, large=large, **values)
    made["channel_versions"]["log"] = f"{number}"
    counted = {"counters_since_delta_snapshot": {"log": [1, 1]}} if "log" not in values else {}
    at = calls.put(
        config(thread_id, ns, None if parent is None else f"{parent:04}"),
        made,
        metadata(step=number, run_id=run_id, **counted),
        {},
    )
    calls.put_writes(at, [("log", number), ("other", large)], "task", "path")
    return at


def fill(calls: Calls) -> None:
    """Threads with a fork, a nested namespace, an old snapshot, and items stored twice."""
    put(calls, "t", 1, None)
    put(calls, "t", 2, 1, log=["snapshot"])
    for number in range(3, 8):
        put(calls, "t", number, number - 1)
    put(calls, "t", 9, 4)
    put(calls, "t", 1, None, "sub", log=["nested"])
    put(calls, "t", 2, 1, "sub")
    put(calls, "o", 1, None, log=["other"])
    put(calls, "o", 2, 1, log=["another"], run_id="gone")
    put(calls, "o", 3, 2, log=["a third"])
    at = config("t", "", "0007")
    old, new = ("old" * LARGE, "new" * LARGE)
    calls.put_writes(at, [("log", old), ("more", 1), ("__resume__", old)], "task")
    calls.put_writes(at, [("__resume__", new)], "task")
    calls.put_writes(at, [("log", new)], "task")
    put(calls, "t", 9, 4, again=new)


def everything(calls: Calls) -> list[Any]:
    """All that a reader finds, by every read method."""
    newest = [calls.get_tuple(config(t, ns)) for t in ("t", "o", "u", "x") for ns in ("", "sub")]
    by_id = [calls.get_tuple(config("t", "", f"{number:04}")) for number in range(10)]
    before = config("t", "", "0006")
    listed = [
        list(calls.list(config("t", None))),
        list(calls.list(config("t", ""))),
        list(calls.list(config("t", ""), limit=3)),
        list(calls.list(config("t", ""), before=before, limit=2)),
        list(calls.list(config("t", ""), filter={"step": 5}, limit=2)),
        list(calls.list(config("t", "sub"))),
        list(calls.list(config("u", None))),
        sorted(calls.list(None), key=lambda found: repr(found.config)),
    ]
    histories = [
        history(calls, config("t", ns, id_))
        for ns, id_ in (("", None), ("", "0007"), ("", "0009"), ("sub", None))
    ]
    return [newest, by_id, listed, histories]


def history(calls: Calls, at: RunnableConfig) -> object:
    """The history that the channels of a checkpoint are rebuilt from, or that it does not exist."""
    try:
        return calls.get_delta_channel_history(config=at, channels=["log", "other"])
    except MissingPartError:
        return "not there"


def scenario(calls: Calls) -> list[Any]:
    """Every call of a saver, with reads in between."""
    fill(calls)
    found = [everything(calls)]
    calls.copy_thread("t", "u")
    found.append(everything(calls))
    calls.prune(["t"])
    found.append(everything(calls))
    calls.delete_for_runs(["gone"])
    calls.delete_thread("o")
    calls.prune(["u", "x"], strategy="delete")
    found.append(everything(calls))
    return found


@dataclass(frozen=True)
class Way:
    """How a saver is called, and where it stores large values.

    Attributes:
        seed: Seed of the faults.
    """

    tables: Tables
    bucket: Bucket
    storage: Storage
    seed: int
    calls_of: Callable[[Saver], Calls]

    def play(self, *faults: Fault, swept: bool = False) -> Found:
        """Run the scenario; then sweep if asked to, as rarely as a user does."""
        where: Any = {"storage": self.storage, "bucket": self.bucket}
        with faulty_saver(self.tables, *faults, **where) as disturbed:
            found = scenario(self.calls_of(disturbed))
        if swept:
            with faulty_saver(self.tables, **where) as sweeper:
                sweep(sweeper)
        return found, contents(self.tables, self.bucket)


def contents(tables: Tables, bucket: Bucket) -> Stored:
    """Everything that is stored, whatever the name of the bucket."""
    kept = stored(tables, bucket)
    return kept._replace(items=_renamed(kept.items, bucket.name))


def _renamed(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return {key: _renamed(one, name) for key, one in value.items()}
    return "bucket" if value == name else value


WAYS: dict[str, tuple[Storage, int, str]] = {
    "inline": ("inline", 1, "sync"),
    "awaited": ("inline", 2, "async"),
    "chunks": ("chunks", 3, "async"),
    "objects": ("objects", 4, "sync"),
}


@pytest.fixture(params=["awaited", "chunks", "objects"])
def way(
    request: pytest.FixtureRequest, tables: Tables, bucket: Bucket, loop_thread: LoopThread
) -> Way:
    storage, seed, name = WAYS[request.param]
    calls_of = SyncCalls if name == "sync" else partial(AsyncCalls, loop=loop_thread)
    return Way(tables, bucket, storage, seed, calls_of)


def ways(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("way", names, indirect=True)


def without_faults(engine: Engine, act: Callable[[Calls], Any]) -> Found:
    with more_tables(engine) as tables, faulty_saver(tables) as plain:
        return act(SyncCalls(plain)), stored(tables)


@pytest.fixture(scope="module")
def undisturbed_by_storage(engine: Engine, object_store: str) -> Callable[[Storage], Found]:
    @cache
    def play(storage: Storage) -> Found:
        bucket = new_bucket(object_store)
        with closing(bucket.client), more_tables(engine) as tables:
            found = Way(tables, bucket, storage, 0, SyncCalls).play()
            bucket.drop()
        return found

    return play


@pytest.fixture
def undisturbed(way: Way, undisturbed_by_storage: Callable[[Storage], Found]) -> Found:
    """Result of the scenario without faults."""
    return undisturbed_by_storage(way.storage)


LEFT_BEHIND = {"inline": 0, "chunks": 7, "objects": 4}
"""Parts of large values that large ones have replaced; for an object, its item too."""


@pytest.mark.sample(1)
def test_the_scenario_stores_outside_items_what_is_large_and_leaves_nothing_to_the_end(
    way: Way, undisturbed: Found
) -> None:
    found, left = undisturbed
    items, objects = left
    assert {words.split()[0] for words in loose_ends(left)} <= {"needless"}
    assert len(loose_ends(left)) == LEFT_BEHIND[way.storage]
    assert len(marks(left)) > 0
    again, swept = way.play(swept=True)
    assert again == found
    assert loose_ends(swept) == []
    assert marks(swept) == set()
    kinds = {key.sort.partition("/")[0] for _, key in items} & {"chunk", "object"}
    assert kinds == {"inline": set(), "chunks": {"chunk"}, "objects": {"object"}}[way.storage]
    assert bool(objects) is (way.storage == "objects")


# Pages


@pytest.mark.sample(0)
@ways("inline", "chunks")
def test_pages_of_one_item_change_nothing_of_what_any_call_finds_or_stores(
    way: Way, undisturbed: Found
) -> None:
    assert way.play(OneItemPages()) == undisturbed


# Unprocessed items of batches


@pytest.mark.sample(1)
def test_leftovers_of_batches_are_carried_out_in_the_end(way: Way, undisturbed: Found) -> None:
    leftovers = Leftovers(way.seed)
    assert way.play(leftovers) == undisturbed
    assert leftovers.left > 10


@ways("chunks")
def test_batches_that_come_back_whole_are_carried_out_when_they_are_sent_again(
    way: Way, undisturbed: Found, skipped_waits: SkippedWaits
) -> None:
    leftovers = EachOnce()
    assert way.play(leftovers) == undisturbed
    assert leftovers.left > 10
    assert 0 < max(skipped_waits.seconds) <= 0.05


def test_a_batch_that_is_never_carried_out_ends_in_an_error_with_the_keys_left(
    saver: Saver, tables: Tables, skipped_waits: SkippedWaits
) -> None:
    calls = SyncCalls(saver)
    for number in range(1, 4):
        put(calls, "t", number, number - 1 or None)
    never = ForEver("0001", "0003")
    with (
        faulty_saver(tables, never) as disturbed,
        pytest.raises(UnprocessedItemsError) as raised,
    ):
        disturbed.delete_thread("t")
    assert sorted(raised.value.keys) == [("checkpoints", "t", "0001"), ("checkpoints", "t", "0003")]
    assert never.batches == 10
    assert len(skipped_waits.seconds) == 9
    assert max(skipped_waits.seconds) <= 5
    # What was deleted stays deleted, and the call can be repeated to completion.
    saver.delete_thread("t")
    assert len(marks(stored(tables))) == 3
    assert stored(tables).without_marks().items == {}
    sweep(saver)
    assert stored(tables).items == {}


def test_a_batch_of_writes_that_is_never_carried_out_copies_no_checkpoint(
    saver: Saver, tables: Tables
) -> None:
    put(SyncCalls(saver), "t", 1, None)
    with (
        faulty_saver(tables, ForEver("task:::0")) as disturbed,
        pytest.raises(UnprocessedItemsError) as raised,
    ):
        disturbed.copy_thread("t", "u")
    assert raised.value.keys == (("writes", "u:::0001:::", "task:::0"),)
    assert saver.get_tuple(config("u")) is None


# Throttling and transient errors


@pytest.mark.sample(1)
@ways("inline", "chunks", "objects")
def test_throttling_and_errors_of_the_services_that_pass_change_nothing(
    way: Way, undisturbed: Found
) -> None:
    names = (way.tables.checkpoints, way.tables.writes, way.bucket.name)
    refusals = Refusals(names, way.seed, {"dynamodb": BUSY, "s3": BUSY_S3})
    assert way.play(refusals) == undisturbed
    answers = BUSY | BUSY_S3 if way.storage == "objects" else BUSY
    assert refusals.refused.keys() == answers.keys()


@pytest.mark.parametrize("code", BUSY)
def test_an_error_that_does_not_pass_is_raised_after_the_attempts_of_the_sdk(
    tables: Tables, code: str
) -> None:
    refusal = Refusal("PutItem", code, BUSY[code])
    with faulty_saver(tables, refusal) as disturbed, pytest.raises(ServiceError) as raised:
        disturbed.put(config("t"), checkpoint("0001"), metadata(), {})
    assert refusal.refused == SDK_ATTEMPTS
    assert raised.value.code == code
    assert stored(tables).items == {}


def conflict(*reasons: str, times: int) -> Refusal:
    return Refusal(
        "TransactWriteItems",
        "TransactionCanceledException",
        times=times,
        CancellationReasons=[{"Code": reason} for reason in reasons],
    )


def test_writes_in_conflict_with_another_transaction_are_stored_when_that_is_over(
    saver: Saver, tables: Tables, skipped_waits: SkippedWaits
) -> None:
    at = config("t", "", "0001")
    refusal = conflict("None", "TransactionConflict", times=3)
    with faulty_saver(tables, refusal) as disturbed:
        disturbed.put_writes(at, [("log", 1), ("__interrupt__", 2)], "task")
    assert refusal.refused == 3
    assert len(skipped_waits.seconds) == 3
    saver.put(config("t"), checkpoint("0001"), metadata(), {})
    found = saver.get_tuple(at)
    assert found is not None
    assert found.pending_writes == [("task", "__interrupt__", 2), ("task", "log", 1)]


def test_writes_whose_transaction_is_cancelled_for_good_are_an_error_and_none_is_stored(
    tables: Tables,
) -> None:
    refusal = conflict("None", "ItemCollectionSizeLimitExceeded", times=1)
    writes = [("log", 1), ("__interrupt__", 2)]
    with (
        faulty_saver(tables, refusal) as disturbed,
        pytest.raises(TransactionCanceledError) as raised,
    ):
        disturbed.put_writes(config("t", "", "0001"), writes, "task")
    assert raised.value.reasons == ("None", "ItemCollectionSizeLimitExceeded")
    assert stored(tables).items == {}


# Lost responses


def nothing_carried(kept: Stored) -> Stored:
    """Stored items without what checkpoints carry.

    After a lost response the saver cannot know whether its own request or another call was
    first, so it carries nothing of these writes.
    """
    items = {
        place: {name: value for name, value in item.items() if name != "carried"}
        for place, item in kept.items.items()
    }
    return kept._replace(items=items)


@pytest.mark.sample(0)
def test_writes_whose_answers_are_lost_are_repeated_and_stored_as_if_nothing_had_happened(
    way: Way, undisturbed: Found
) -> None:
    lost = LostAnswers()
    found, left = way.play(lost)
    assert (found, left) == (undisturbed[0], nothing_carried(undisturbed[1]))
    assert lost.lost > 30


def test_writes_whose_answers_are_lost_several_times_are_stored_once(
    engine: Engine, tables: Tables
) -> None:
    def act(calls: Calls) -> None:
        put(calls, "t", 1, None)
        put(calls, "t", 2, 1)
        calls.copy_thread("t", "u")
        calls.delete_thread("t")

    lost = LostAnswers(attempts=3)
    with faulty_saver(tables, lost) as disturbed:
        act(SyncCalls(disturbed))
    assert lost.lost >= 3 * 8
    found, expected = stored(tables), nothing_carried(without_faults(engine, act)[1])
    assert found == expected
    assert found.items != {}


@pytest.mark.parametrize("storage", ["chunks", "objects"])
@pytest.mark.parametrize("count", [1, 2], ids=["one", "several"])
def test_a_write_whose_answer_is_lost_keeps_the_parts_of_its_value(
    tables: Tables, bucket: Bucket, storage: Storage, count: int
) -> None:
    lost = LostAnswers()
    writes = [("log", f"{number}" * 5 * LARGE) for number in range(count)]
    with faulty_saver(tables, lost, storage=storage, bucket=bucket) as disturbed:
        at = disturbed.put(config("t"), checkpoint("0001"), metadata(), {})
        disturbed.put_writes(at, writes, "task")
        # A request that arrives too late stores nothing and leaves nothing behind.
        kept = stored(tables, bucket)
        disturbed.put_writes(at, [("log", "late" * LARGE)], "task")
        assert stored(tables, bucket) == kept
        found = disturbed.get_tuple(at)
    assert found is not None
    assert found.pending_writes == [("task", *one) for one in writes]
    assert loose_ends(kept) == []


@pytest.mark.parametrize(
    "again", [[("log", "second")], [("log", "second"), ("more", "new")]], ids=["one", "several"]
)
def test_a_regular_write_keeps_its_first_value_when_answers_are_lost(
    saver: Saver, tables: Tables, again: list[tuple[str, Any]]
) -> None:
    at = saver.put(config("t"), checkpoint("0001"), metadata(), {})
    with faulty_saver(tables, LostAnswers()) as disturbed:
        disturbed.put_writes(at, [("log", "first")], "task")
        disturbed.put_writes(at, again, "task")
        disturbed.put_writes(at, [("__resume__", "old")], "task")
        disturbed.put_writes(at, [("log", "third"), ("__resume__", "new")], "task")
    found = saver.get_tuple(at)
    assert found is not None
    assert found.pending_writes == [
        ("task", "__resume__", "new"),
        ("task", "log", "first"),
        *(("task", channel, value) for channel, value in again[1:]),
    ]


def test_a_write_that_is_never_answered_is_an_error_though_it_may_have_happened(
    saver: Saver, tables: Tables
) -> None:
    lost = LostAnswers(attempts=None)
    with faulty_saver(tables, lost) as disturbed, pytest.raises(TransportError) as raised:
        disturbed.put(config("t"), checkpoint("0001"), metadata(), {})
    assert lost.lost == SDK_ATTEMPTS
    assert raised.value.code == "ReadTimeoutError"
    assert raised.value.operation == "PutItem"
    assert raised.value.table_name == tables.checkpoints
    assert isinstance(raised.value.__cause__, ReadTimeoutError)
    assert saver.get_tuple(config("t", "", "0001")) is not None


# Stale reads


@contextmanager
def lagging(engine: Engine, tables: Tables, **settings: Any) -> Iterator[tuple[Replica, Calls]]:
    """The calls of a saver whose eventually consistent reads are served from stale copies."""
    with more_tables(engine) as copies:
        replica = Replica(tables, copies)
        with faulty_saver(tables, replica, **settings) as disturbed:
            yield replica, SyncCalls(disturbed)


@pytest.mark.sample(1)
@ways("inline", "chunks")
def test_reads_are_never_stale_unless_that_is_asked_for(
    engine: Engine, way: Way, undisturbed: Found
) -> None:
    with more_tables(engine) as copies:
        replica = Replica(way.tables, copies)
        assert way.play(replica) == undisturbed
    assert replica.served == 0


def test_relaxed_reads_may_be_stale(engine: Engine, tables: Tables) -> None:
    with lagging(engine, tables, consistent_reads=False) as (replica, calls):
        put(calls, "t", 1, None, log=["seed"])
        replica.catch_up()
        old = calls.get_tuple(config("t"))
        at = put(calls, "t", 2, 1)
        assert old is not None
        assert calls.get_tuple(config("t")) == old
        assert calls.get_tuple(at) is None
        assert list(calls.list(config("t"))) == [old]
        assert list(calls.list(None)) == [old]
        # A stale history would be a shorter one: the caller has already seen the checkpoint.
        found = calls.get_delta_channel_history(config=at, channels=["log"])
        assert found["log"] == {"writes": [("task", "log", 1)], "seed": ["seed"]}
        replica.catch_up()
        assert calls.get_tuple(config("t")) == calls.get_tuple(at) != old
        assert len(list(calls.list(config("t")))) == 2


@pytest.mark.parametrize("newer", SAVER_TABLES)
def test_relaxed_reads_of_a_checkpoint_put_again_find_one_of_the_two_never_a_mixture(
    engine: Engine, tables: Tables, newer: Table
) -> None:
    relaxed: Any = {"storage": "chunks", "consistent_reads": False}
    with lagging(engine, tables, **relaxed) as (replica, calls):
        put(calls, "t", 1, None, log=["old" * LARGE])
        at = put(calls, "t", 2, 1)
        replica.catch_up()
        put(calls, "t", 1, None, log=["new" * LARGE])
        assert logs(calls, at) == [["old" * LARGE]] * 3
        # Remove the parts of the old value, so that stale copies can be told apart by them.
        assert sweep(cast("Saver", calls.saver)).chunks_deleted > 0
        # The copy of one table is current, that of the other is not.
        replica.catch_up(newer)
        assert logs(calls, at) == [["new" * LARGE]] * 3
        replica.catch_up()
        assert logs(calls, at) == [["new" * LARGE]] * 3


def logs(calls: Calls, at: RunnableConfig) -> list[Any]:
    """The log of the first checkpoint, read by every method."""
    first = calls.get_tuple(config("t", "", "0001"))
    listed = list(calls.list(config("t")))[-1]
    history = calls.get_delta_channel_history(config=at, channels=["log"])["log"]
    assert first is not None
    values = [one.checkpoint["channel_values"]["log"] for one in (first, listed)]
    return [*values, history["seed"]]


def test_deleting_and_copying_read_consistently_even_where_reads_are_relaxed(
    engine: Engine, tables: Tables
) -> None:
    def act(calls: Calls) -> None:
        fill(calls)
        calls.copy_thread("t", "u")
        calls.copy_thread("o", "x")
        calls.prune(["t"])
        calls.delete_for_runs(["gone"])
        calls.delete_thread("u")

    with lagging(engine, tables, consistent_reads=False) as (replica, calls):
        act(calls)
        assert replica.served == 0
    assert stored(tables) == without_faults(engine, act)[1]


# S3 faults


@contextmanager
def object_saver(tables: Tables, bucket: Bucket, *faults: Fault) -> Iterator[Saver]:
    with faulty_saver(tables, *faults, storage="objects", bucket=bucket) as made:
        yield made


def put_large(calls: Calls, letter: str = "x") -> RunnableConfig:
    return calls.put(config("t"), checkpoint("0001", large=letter * 5 * LARGE), metadata(), {})


def test_a_download_that_breaks_off_is_repeated_and_then_an_error(
    tables: Tables, bucket: Bucket, calls_of: Callable[[Saver], Calls], skipped_waits: SkippedWaits
) -> None:
    with object_saver(tables, bucket, broken := BrokenDownloads(times=2)) as disturbed:
        at = put_large(calls_of(disturbed))
        assert calls_of(disturbed).get_tuple(at) is not None
    assert broken.broken == len(skipped_waits.seconds) == 2
    with object_saver(tables, bucket, broken := BrokenDownloads()) as disturbed:
        with pytest.raises(TransportError) as raised:
            calls_of(disturbed).get_tuple(at)
        assert raised.value.operation == "GetObject"
    assert broken.broken == 3


@pytest.mark.sample(5)
@pytest.mark.parametrize(
    ("code", "status"), [("AccessDenied", 403), ("NoSuchBucket", 404), ("SlowDown", 503)]
)
@pytest.mark.parametrize(
    ("action", "act"),
    [
        ("GetObject", lambda calls: calls.get_tuple(config("t"))),
        ("GetObject", lambda calls: list(calls.list(config("t")))),
        ("PutObject", partial(put_large, letter="y")),
        ("CopyObject", lambda calls: calls.copy_thread("t", "u")),
        ("DeleteObjects", lambda calls: calls.delete_thread("t")),
    ],
    ids=["get", "list", "put", "copy", "delete"],
)
def test_an_error_of_s3_that_does_not_pass_is_raised_and_the_call_can_be_repeated(
    tables: Tables,
    bucket: Bucket,
    action: str,
    act: Callable[[Calls], object],
    code: str,
    status: int,
) -> None:
    with object_saver(tables, bucket) as plain:
        calls = SyncCalls(plain)
        put_large(calls)
        before = calls.get_tuple(config("t"))
        assert before is not None
        with object_saver(tables, bucket, Refusal(action, code, status)) as disturbed:
            with pytest.raises(ServiceError, match=f"{action} failed with {code}") as raised:
                act(SyncCalls(disturbed))
            assert (raised.value.code, raised.value.operation) == (code, action)
            assert isinstance(raised.value.__cause__, ClientError)
        assert calls.get_tuple(config("t")) == (None if action == "DeleteObjects" else before)
        assert calls.get_tuple(config("u")) is None
        act(calls)
        sweep(plain)
        left = stored(tables, bucket)
    assert loose_ends(left) == []
    assert len(left.objects) == {"CopyObject": 2, "DeleteObjects": 0}.get(action, 1)


# Service errors


def read_by_id(calls: Calls) -> object:
    return calls.get_tuple(config("t", "", "0001"))


def read_newest(calls: Calls) -> object:
    return calls.get_tuple(config("t"))


def list_everything(calls: Calls) -> object:
    return list(calls.list(None))


def store(calls: Calls) -> object:
    return calls.put(config("t"), checkpoint("0002"), metadata(), {})


def store_a_write(calls: Calls) -> None:
    calls.put_writes(config("t", "", "0001"), [("log", 1)], "task")


def store_writes(calls: Calls) -> None:
    calls.put_writes(config("t", "", "0001"), [("log", 1), ("__interrupt__", 2)], "task")


def delete(calls: Calls) -> None:
    calls.delete_thread("t")


REQUESTS = [
    pytest.param("GetItem", "checkpoints", read_by_id, id="GetItem"),
    pytest.param("Query", "writes", read_by_id, id="Query beside GetItem"),
    pytest.param("Query", "checkpoints", read_newest, id="Query"),
    pytest.param("Scan", "checkpoints", list_everything, id="Scan"),
    pytest.param("PutItem", "checkpoints", store, id="PutItem"),
    pytest.param("PutItem", "writes", store_a_write, id="PutItem with a condition"),
    pytest.param("TransactWriteItems", "writes", store_writes, id="TransactWriteItems"),
    pytest.param("BatchWriteItem", "checkpoints", delete, id="BatchWriteItem"),
]


@pytest.mark.parametrize("code", ["AccessDeniedException", "ValidationException", "NewException"])
@pytest.mark.parametrize(("action", "table", "act"), REQUESTS)
def test_an_error_of_the_service_keeps_its_code_action_table_and_cause(
    saver: Saver,
    tables: Tables,
    action: str,
    table: str,
    act: Callable[[Calls], object],
    code: str,
) -> None:
    saver.put(config("t"), checkpoint("0001"), metadata(), {})
    with (
        faulty_saver(tables, Refusal(action, code)) as disturbed,
        pytest.raises(ServiceError) as raised,
    ):
        act(SyncCalls(disturbed))
    error = raised.value
    assert type(error) is ServiceError
    assert error.code == code
    assert error.operation == action
    assert error.table_name == _names(tables)[table]
    assert isinstance(error.__cause__, ClientError)
    assert error.__cause__.response["Error"]["Code"] == code
    assert action in str(error)
    assert f"{code} says no" in str(error)


def _names(tables: Tables) -> dict[str, str]:
    return {"checkpoints": tables.checkpoints, "writes": tables.writes}


@pytest.mark.parametrize(("action", "table", "act"), REQUESTS)
def test_a_table_that_is_not_there_is_named(
    saver: Saver,
    tables: Tables,
    action: str,
    table: str,
    act: Callable[[Calls], object],
) -> None:
    saver.put(config("t"), checkpoint("0001"), metadata(), {})
    refusal = Refusal(action, "ResourceNotFoundException")
    with faulty_saver(tables, refusal) as disturbed, pytest.raises(TableNotFoundError) as raised:
        act(SyncCalls(disturbed))
    assert raised.value.table_name == _names(tables)[table]
    assert isinstance(raised.value.__cause__, ClientError)


def test_a_failed_condition_nobody_asked_for_is_an_error_of_its_own_kind(tables: Tables) -> None:
    refusal = Refusal("GetItem", "ConditionalCheckFailedException")
    with faulty_saver(tables, refusal) as disturbed, pytest.raises(ConditionFailedError):
        disturbed.get_tuple(config("t", "", "0001"))


def test_an_awaited_call_raises_the_same_error_with_the_same_cause(
    tables: Tables, calls_of: Callable[[Saver], Calls]
) -> None:
    refusal = Refusal("Query", "AccessDeniedException")
    with faulty_saver(tables, refusal) as disturbed, pytest.raises(ServiceError) as raised:
        list(calls_of(disturbed).list(config("t")))
    assert raised.value.code == "AccessDeniedException"
    assert isinstance(raised.value.__cause__, ClientError)
