"""The sweep removes what interrupted calls have left behind, and nothing else."""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

import pytest
from botocore.config import Config
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from langgraph_checkpoint_dynamodb import (
    DynamoDBSaver,
    InvalidInputError,
    ServiceError,
    SweepReport,
)
from langgraph_checkpoint_dynamodb.format.expiry import GRACE_SECONDS
from langgraph_checkpoint_dynamodb.format.parts import part_address_of
from langgraph_checkpoint_dynamodb.format.tables import Key, Table
from langgraph_checkpoint_dynamodb.format.write_keys import MARK_SORT_KEY, writes_partition
from langgraph_checkpoint_dynamodb.policies import S3_DELETE_ACTIONS, SWEEP_ACTIONS
from tests.support.buckets import new_bucket
from tests.support.calls import elsewhere
from tests.support.effort import amount
from tests.support.faults import Refusal, faulty
from tests.support.sessions import on, saver_session
from tests.support.stopping import WHOLE, Plan, StoppedError, Stopping, repeatable
from tests.support.stored import Stored, loose_ends, marks, seen, stored
from tests.support.strategies import AMBIGUOUS, Cast, casts
from tests.support.tables import Tables, new_tables, with_payloads
from tests.support.tables import sweep as sweep_later
from tests.support.values import checkpoint, config, metadata, refusals
from tests.support.walking import have_walked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.support.buckets import Bucket
    from tests.support.calls import LoopThread
    from tests.support.engines import Engine
    from tests.support.savers import Saver

NOW = 2_000_000_000
AGE = GRACE_SECONDS
DAY = 24 * 60 * 60
OLD = NOW - AGE
YOUNG = NOW - AGE + 1
LARGE = "l" * 1500
SMALL_ITEMS = {"inline_limit": 600, "chunk_bytes": 500}

Storage: TypeAlias = Literal["chunks", "objects", "both", "inline"]
STORAGE: tuple[Storage, ...] = ("chunks", "objects", "both", "inline")
WRITES_KEY = "thread_id_checkpoint_id_checkpoint_ns"
Place: TypeAlias = "tuple[Table, Any]"


@dataclass
class World:
    """A store and the leftovers in it.

    Attributes:
        now: Current time of the clock.
        page: Maximum number of items in a page of a Scan; `None` for the service's own limit.
    """

    tables: Tables
    bucket: Bucket
    storage: Storage = "chunks"
    now: int = NOW
    page: int | None = None
    numbers: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self.saver = self.open()
        self.saver.setup()

    def session(self) -> Any:
        """A session with that page size and access to the bucket."""
        session = saver_session(self.bucket.url)
        on(session, "before-parameter-build.dynamodb.Scan", self._cut)
        return session

    def _cut(self, params: dict[str, Any], **_: object) -> None:
        if self.page is not None:
            params["Limit"] = self.page

    def open(self, plan: Plan | None = None, **settings: Any) -> Saver:
        """A saver; with a plan, a saver whose process crashes."""
        made: dict[str, Any] = {
            "clock": lambda: self.now,
            "session": self.session(),
            "endpoint_url": self.tables.engine.url,
        }
        if self.storage in ("objects", "both"):
            threshold = {"objects": 300, "both": 1000}[self.storage]
            made["s3_offload_config"] = self.bucket.config(threshold)
        saver = self.tables.saver(**(made | settings))
        if plan is not None:
            have_walked(
                repeatable(saver, f"{next(self.numbers)}-"), Stopping(plan, lambda _: None).way
            )
        return saver if self.storage == "inline" else with_payloads(saver, **SMALL_ITEMS)

    @contextmanager
    def whole_pages(self) -> Iterator[None]:
        """Pages as the service returns them, where only the result matters."""
        page, self.page = self.page, None
        yield
        self.page = page

    def stored(self) -> Stored:
        with self.whole_pages():
            return stored(self.tables, self.bucket)

    def places(self) -> set[Place]:
        return keys(stored(self.tables).items)

    def seen(self) -> object:
        with self.whole_pages():
            return seen(self.saver)

    def put(
        self, thread_id: str, checkpoint_id: str, ns: str = "", parent: str | None = None, **v: Any
    ) -> None:
        """A checkpoint with values and metadata of several sizes."""
        made = checkpoint(checkpoint_id, state=LARGE, **v)
        note = metadata(note=LARGE[: self.now % 800])
        self.saver.put(config(thread_id, ns, parent), made, note, {})

    def put_writes(
        self, thread_id: str, checkpoint_id: str, ns: str = "", task: str = "task", **more: Any
    ) -> None:
        """Two large writes and a small one."""
        writes = [("channel", LARGE), ("small", 1), ("__resume__", LARGE + "r"), *more.items()]
        self.saver.put_writes(config(thread_id, ns, checkpoint_id), writes, task)

    def delete(self, place: Place) -> None:
        """Delete an item, as if it had never been stored."""
        table, key = place
        names = {
            Table.CHECKPOINTS: (self.tables.checkpoints, "thread_id", "checkpoint_id"),
            Table.WRITES: (
                self.tables.writes,
                WRITES_KEY,
                "task_id_idx",
            ),
        }
        name, partition, sort = names[table]
        self.tables.client.delete_item(
            TableName=name, Key={partition: {"S": key.partition}, sort: {"S": key.sort}}
        )

    def rewrite(self, item: Any, **changes: Any) -> None:
        """Store an item of the writes table with other attributes, without those set to `None`."""
        changed = {**item, **changes}
        kept = {name: value for name, value in changed.items() if value is not None}
        self.tables.client.put_item(TableName=self.tables.writes, Item=kept)

    def stop_delete(self, thread_id: str, requests: int | None) -> None:
        """Start to delete a thread, and stop after this many requests; `None` for no stop."""
        with self.open(Plan(WHOLE, requests=requests)) as dying:
            try:
                dying.delete_thread(thread_id)
            except StoppedError:
                return

    def drop(self) -> None:
        self.saver.close()
        self.tables.drop()
        self.bucket.drop()
        self.bucket.client.close()
        self.tables.client.close()


@contextmanager
def new_world(engine: Engine, object_store: str, storage: Storage) -> Iterator[World]:
    world = World(new_tables(engine), new_bucket(object_store), storage)
    try:
        yield world
    finally:
        world.drop()


@pytest.fixture(params=["chunks", "objects"])
def world(request: pytest.FixtureRequest, engine: Engine, object_store: str) -> Iterator[World]:
    with new_world(engine, object_store, request.param) as made:
        yield made


UNREACHABLE = DynamoDBSaver(
    checkpoints_table_name="checkpoints",
    writes_table_name="writes",
    endpoint_url="http://127.0.0.1:9",
    boto_config=Config(retries={"total_max_attempts": 1}, connect_timeout=0.1),
)
"""For calls that send no request: a request would wait for a response."""

Sweep: TypeAlias = "Callable[..., SweepReport]"


@pytest.fixture(params=["sync", "async"])
def sweep(request: pytest.FixtureRequest, loop_thread: LoopThread) -> Sweep:
    """Sweeps a world with the sync or the async method of its saver."""
    name = "in_s3" if "in_s3" in request.fixturenames else "world"
    world: World = request.getfixturevalue(name)
    return sweeping(world.saver, loop_thread if request.param == "async" else None)


def sweeping(saver: Saver, loop: LoopThread | None) -> Sweep:
    if loop is None:
        return saver.sweep_orphans
    return lambda **arguments: loop.run(saver.asweep_orphans(**arguments))


def in_pages(sweep: Callable[..., SweepReport], **arguments: Any) -> SweepReport:
    """Sweep page by page, as several processes may do it; the sum of the reports."""
    total, token = SweepReport(), None
    while True:
        report = sweep(max_pages=1, resume_from=token, **arguments)
        assert report.pages == 1
        total = total.plus(report)
        assert total.pages < 2000
        if report.resume_from is None:
            return total
        token = json.loads(json.dumps(str(report.resume_from)))


def keys(items: Any, kind: str = "") -> set[Place]:
    """Keys of items of one kind: chunks, objects, writes, marks or checkpoints."""
    return {place for place in items if kind in ("", kind_of(place))}


def led_to(items: Mapping[Place, Any]) -> set[str]:
    """The objects that items refer to."""
    return {item["object_key"]["S"] for item in items.values() if "object_key" in item}


def kind_of(place: Place) -> str:
    table, key = place
    if table is Table.CHECKPOINTS:
        return "checkpoint"
    if key.sort == MARK_SORT_KEY:
        return "mark"
    if part_address_of(key.sort) is None:
        return "write"
    return str(key.sort.partition("/")[0])


# Random stores, with known leftovers


TASKS = ("task", "chunk/a/b/0", "object/a/b", "t:::1", "")


@dataclass
class Plot:
    """Fills a world and records what a sweep must delete and report.

    Attributes:
        doomed: Items that the sweep must delete.
        report: The expected report of the sweep.
    """

    world: World
    cast: Cast
    random: random.Random
    known: set[Place] = field(default_factory=set)
    doomed: set[Place] = field(default_factory=set)
    report: Counter[str] = field(default_factory=Counter)

    def fill(self) -> None:
        """Checkpoints and writes that readers see, some of them stored several times."""
        self.living: list[tuple[str, str, str]] = []
        for thread_id in self.cast.threads:
            for ns in self.cast.namespaces:
                parent = None
                for id_ in sorted(self.random.sample(self.cast.ids, self.random.randint(0, 2))):
                    self.living.append((thread_id, id_, ns))
                    replaced: set[Place] = set()
                    for _ in range(self.random.choice((1, 1, 2))):
                        before = self.world.now
                        self.world.now = self.random.choice((OLD - DAY, OLD, YOUNG, NOW))
                        put = partial(self.world.put, thread_id, id_, ns, parent)
                        added = self.call(partial(put, n=self.random.random()))
                        # A transaction does not report whose parts it leaves behind.
                        self.expect(parts_of(replaced), before)
                        replaced = keys(added, "chunk") | keys(added, "object")
                    for task in self.random.sample(TASKS, self.random.randint(0, 2)):
                        self.world.put_writes(thread_id, id_, ns, task)
                    self.known = self.world.places()
                    parent = id_

    def plant(self, leave: Callable[[], dict[str, set[Place]]]) -> None:
        """Leave something over at a random time. `leave` returns what is counted, by kind."""
        now = self.world.now = self.random.choice((OLD - DAY, OLD, YOUNG, NOW))
        counted = leave()
        self.expect(counted, now)
        if now <= OLD and "unknown" not in counted:
            self.doomed |= self.added

    def expect(self, counted: dict[str, set[Place]], stored_at: int) -> None:
        """Expect leftovers of a given time in the report, by kind of count."""
        for name, places in counted.items():
            named = name if stored_at <= OLD or name == "unknown" else "young"
            self.report[named] += len(places)
            if named == name != "unknown":
                self.doomed |= places

    def unborn(self) -> dict[str, set[Place]]:
        """Parts whose checkpoint was never stored."""
        thread_id, id_, ns = self.nowhere()
        value = self.random.random()
        added = self.call(lambda: self.world.put(thread_id, id_, ns, n=value))
        self.take_away(keys(added, "checkpoint"))
        return parts_of(added)

    def early(self) -> dict[str, set[Place]]:
        """Writes whose checkpoint was never stored, with their parts."""
        added = self.call(self.writing(*self.nowhere()))
        counted = {"writes_deleted": keys(added, "write")}
        return counted | (parts_of(added) if self.world.now <= OLD else {})

    def marked(self) -> dict[str, set[Place]]:
        """The mark of a completed delete."""
        thread_id, now = f"gone:::{next(self.world.numbers)}", self.world.now
        ns = self.random.choice(self.cast.namespaces)

        def act() -> None:
            self.world.now = OLD - DAY
            self.world.put(thread_id, "1", ns)
            self.world.put_writes(thread_id, "1", ns)
            self.world.now = now
            self.world.stop_delete(thread_id, None)

        return {"marks_deleted": keys(self.call(act), "mark")}

    def unwritten(self) -> dict[str, set[Place]]:
        """Parts beside an existing checkpoint, whose writes were never stored."""
        added = self.call(self.writing(*self.random.choice(self.living)))
        self.take_away(keys(added, "write"))
        return parts_of(added)

    def undeleted(self) -> dict[str, set[Place]]:
        """A delete that was stopped after any of its requests, with or without its mark."""
        thread_id, now = f"gone:::{next(self.world.numbers)}", self.world.now
        ns, requests = self.random.choice(self.cast.namespaces), self.random.randint(2, 6)

        def act() -> None:
            self.world.now = OLD - DAY
            self.world.put(thread_id, "1", ns)
            self.world.put_writes(thread_id, "1", ns)
            self.world.now = now
            self.world.stop_delete(thread_id, requests)

        added = self.call(act)
        if buried := keys(added, "checkpoint"):
            return {"deletes_finished": buried}
        return {"marks_deleted": keys(added, "mark")}

    def foreign(self) -> dict[str, set[Place]]:
        """Items without their age or owner."""
        plain, number = self.random.random() < 0.5, next(self.world.numbers)
        thread_id = f"older{number}" if plain else f"older:::{number}"

        def act() -> None:
            for sort in ("task:::0", "chunk/a/b/000000"):
                self.world.rewrite(
                    {
                        WRITES_KEY: {"S": writes_partition(thread_id, "1", "")},
                        "task_id_idx": {"S": sort},
                        "created": None if plain else {"N": str(OLD)},
                    }
                )

        return {"unknown": self.call(act)}

    def writing(self, thread_id: str, id_: str, ns: str) -> Callable[[], None]:
        task = f"task:::{next(self.world.numbers)}"
        return lambda: self.world.put_writes(thread_id, id_, ns, task)

    def nowhere(self) -> tuple[str, str, str]:
        """A checkpoint that does not exist; crashed calls may leave several things beside it."""
        thread_id = self.random.choice(self.cast.threads)
        return thread_id, f"~{self.random.randint(0, 1)}", self.random.choice(self.cast.namespaces)

    def call(self, act: Callable[[], object]) -> set[Place]:
        """Run `act`; the keys stored since."""
        act()
        now = self.world.places()
        self.added, self.known = now - self.known, now
        return self.added

    def take_away(self, places: set[Place]) -> None:
        for place in places:
            self.world.delete(place)
        self.known -= places


def parts_of(added: set[Place]) -> dict[str, set[Place]]:
    return {"chunks_deleted": keys(added, "chunk"), "objects_deleted": keys(added, "object")}


def counts(report: SweepReport) -> dict[str, int]:
    """The counts of items in a report, without the zeros."""
    deleted = ("writes_deleted", "chunks_deleted", "objects_deleted", "marks_deleted")
    names = ("deletes_finished", *deleted, "young", "unknown")
    found = {name: getattr(report, name) for name in names}
    return {name: number for name, number in found.items() if number}


@pytest.mark.sample(1)
@pytest.mark.parametrize("storage", STORAGE)
def test_exactly_the_old_leftovers_are_swept_however_pages_are_cut(
    engine: Engine, object_store: str, loop_thread: LoopThread, storage: Storage
) -> None:
    @settings(
        max_examples=amount(3, 2),
        # These examples do not shrink, and each attempt takes seconds.
        phases=set(Phase) - {Phase.shrink},
    )
    @given(
        names=casts | st.just(AMBIGUOUS),
        seed=st.integers(0, 2**32),
        page=st.sampled_from((None, 1, 2, 3, 7)),
        resumed=st.booleans(),
    )
    def play(names: Cast, seed: int, page: int | None, resumed: bool) -> None:
        with new_world(engine, object_store, storage) as world:
            plot = Plot(world, names, random.Random(seed))  # noqa: S311 - a choice
            plot.fill()
            kinds = [plot.unborn, plot.early, plot.early, plot.undeleted, plot.marked, plot.foreign]
            kinds += [plot.unwritten] if plot.living else []
            for leave in kinds * 2:
                plot.plant(leave)
            world.now = NOW
            before, objects, read = stored(world.tables).items, world.bucket.keys(), world.seen()
            expected = {name: number for name, number in plot.report.items() if number}
            world.page = page
            run = sweeping(world.saver, loop_thread if seed % 2 else None)
            if resumed:
                report = in_pages(run, older_than=AGE)
            else:
                report = run(older_than=timedelta(seconds=AGE))
            world.page = None
            left = {place: item for place, item in before.items() if place not in plot.doomed}
            gone = led_to(before) - led_to(left)
            assert stored(world.tables).items == left
            assert world.bucket.keys() == [key for key in objects if key not in gone]
            assert world.seen() == read
            assert counts(report) == expected
            assert report.resume_from is None
            if page is None:
                assert report.examined == len(before)
            kept = {name: n for name, n in expected.items() if name in ("young", "unknown")}
            assert counts(run(older_than=AGE)) == kept
            assert stored(world.tables).items == left

    play()


# What is swept and what is not, case by case


def test_nothing_is_left_over_after_a_sweep_an_hour_later(world: World, sweep: Sweep) -> None:
    world.put("t", "1")
    world.put_writes("t", "1")
    whole = world.stored()
    world.put_writes("t", "2")
    world.put("u", "1")
    world.stop_delete("u", 2)
    left = loose_ends(world.stored())
    assert {words.split()[0] for words in left} == {"tombstone", "needless"}
    world.now += AGE
    assert sweep(older_than=AGE).resume_from is None
    assert loose_ends(world.stored()) == []
    assert world.stored() == whole


@pytest.mark.sample(3)
@pytest.mark.parametrize(
    ("named", "oldest_kept"),
    [
        ({}, DAY - 1),
        ({"older_than": AGE}, AGE - 1),
        ({"older_than": float(AGE)}, AGE - 1),
        ({"older_than": AGE - 0.5}, AGE - 1),
        ({"older_than": timedelta(seconds=AGE)}, AGE - 1),
        ({"older_than": timedelta(days=2, milliseconds=1)}, 2 * DAY),
    ],
)
def test_what_is_younger_than_asked_for_is_left_alone(
    world: World, sweep: Sweep, named: dict[str, Any], oldest_kept: int
) -> None:
    world.put_writes("t", "1")
    world.put("u", "1")
    world.stop_delete("u", 2)
    kept = world.stored()
    world.now = NOW + oldest_kept
    report = sweep(**named)
    assert (report.writes_deleted, report.deletes_finished) == (0, 0)
    assert report.young == 3
    assert world.stored() == kept
    world.now += 1
    report = sweep(**named)
    assert (report.writes_deleted, report.deletes_finished, report.young) == (2, 1, 0)
    assert world.stored() == Stored({}, {})


NAN, INFINITY = float("nan"), float("inf")
BAD_VALUES: dict[str, tuple[Any, ...]] = {
    "older_than": (
        *(-1, -0.1, timedelta(-1), NAN, INFINITY, -INFINITY),
        *(
            0,
            1,
            GRACE_SECONDS - 1,
            GRACE_SECONDS - 1.5,
            timedelta(0),
            timedelta(seconds=GRACE_SECONDS - 1),
        ),
    ),
    "max_pages": (0, -1),
}
BAD_TYPES: dict[str, tuple[Any, ...]] = {
    "older_than": ("1", None, True, [1], 1j),
    "max_pages": ("1", 1.0, True),
    "resume_from": (1, b"{}", {"table": "writes"}),
}


@pytest.mark.parametrize(("name", "bad", "kind"), refusals(BAD_VALUES, BAD_TYPES))
def test_an_argument_that_cannot_be_used_is_refused_by_name(
    name: str, bad: Any, kind: type[InvalidInputError]
) -> None:
    with pytest.raises(InvalidInputError, match=name) as raised:
        UNREACHABLE.sweep_orphans(**{name: bad})
    assert type(raised.value) is kind
    assert raised.value.field == name


@pytest.mark.parametrize("age", [0, GRACE_SECONDS - 1, timedelta(minutes=59)])
def test_what_a_call_may_be_about_to_refer_to_is_not_swept_and_the_refusal_says_why(
    age: timedelta | int,
) -> None:
    with pytest.raises(InvalidInputError) as raised:
        UNREACHABLE.sweep_orphans(older_than=age)
    said = str(raised.value)
    assert f"at least {GRACE_SECONDS} seconds" in said
    assert "under way" in said
    assert "clocks" in said


def test_a_young_write_keeps_the_parts_it_refers_to_however_old(world: World, sweep: Sweep) -> None:
    """Its call may have taken long, or a process with another clock stored the parts."""
    world.put_writes("t", "1")
    for item in world.tables.write_items():
        if not {"channel", "writes"} & item.keys():
            world.rewrite(item, created={"N": str(OLD)})
    before = world.stored()
    report = sweep(older_than=AGE)
    assert counts(report) == {"young": 2}
    assert world.stored() == before
    world.put("t", "1")
    tuple_ = world.saver.get_tuple(config("t"))
    assert tuple_ is not None
    assert [write[1] for write in tuple_.pending_writes or []] == ["__resume__", "channel", "small"]


def test_what_lies_beside_an_expired_checkpoint_is_no_leftover(world: World, sweep: Sweep) -> None:
    with world.open(ttl_seconds=10) as mortal:
        mortal.put(config("t"), checkpoint("1", state=LARGE), metadata(), {})
        mortal.put_writes(config("t", "", "1"), [("channel", LARGE)], "task")
    before = world.stored()
    world.now += DAY
    assert world.saver.get_tuple(config("t")) is None
    assert counts(sweep(older_than=AGE)) == {}
    assert world.stored() == before


@pytest.mark.sample(4)
@pytest.mark.parametrize("thread_id", ["t", "t:::u"], ids=["plain", "hashed"])
@pytest.mark.parametrize("without", ["created", "thread_id"])
def test_items_of_older_writers_are_left_and_counted(
    world: World, sweep: Sweep, thread_id: str, without: str
) -> None:
    world.put_writes(thread_id, "1")
    items = world.tables.write_items()
    for item in items:
        world.rewrite(item, **{without: None})
    told = without == "thread_id" and thread_id == "t"
    before = world.stored()
    world.now += AGE
    report = sweep(older_than=AGE)
    if told:
        assert report.unknown == 0
        assert world.stored() == Stored({}, {})
    else:
        assert counts(report) == {"unknown": len(items)}
        assert world.stored() == before


def test_an_older_writers_item_stays_among_leftovers_that_go(world: World, sweep: Sweep) -> None:
    world.put_writes("t", "1", task="older")
    older = keys(world.stored().items)
    for item in world.tables.write_items():
        world.rewrite(item, created=None)
    world.put_writes("t", "1", task="newer")
    world.now += AGE
    report = sweep(older_than=AGE)
    assert keys(world.stored().items) == older
    assert report.writes_deleted == 2
    assert report.unknown == 2


# Deletes


def test_marks_of_deletes_stay_for_an_hour_and_are_then_swept_and_counted(
    world: World, sweep: Sweep
) -> None:
    for id_ in ("1", "2"):
        world.put("t", id_)
        world.put_writes("t", id_)
    world.put("t", "3")
    world.saver.delete_thread("t")
    # Where there were no writes, no reader can have missed any.
    assert len(marks(world.stored())) == 2
    assert world.stored().without_marks() == Stored({}, {})
    for mark in world.tables.marks():
        assert mark["ttl"] == {"N": str(NOW + GRACE_SECONDS)}
    world.now = NOW + AGE - 1
    assert counts(sweep(older_than=AGE)) == {"young": 2}
    assert len(marks(world.stored())) == 2
    world.now = NOW + AGE
    assert counts(sweep(older_than=AGE)) == {"marks_deleted": 2}
    assert world.stored() == Stored({}, {})


@pytest.mark.sample(2)
def test_the_mark_of_a_copy_made_again_goes_and_the_copy_stays(world: World, sweep: Sweep) -> None:
    world.put("t", "1")
    world.put_writes("t", "1")
    world.saver.copy_thread("t", "u")
    assert marks(world.stored()) == set()
    world.put_writes("t", "1", task="later")
    world.saver.copy_thread("t", "u")
    assert [key.partition for key in marks(world.stored())] == ["u:::1:::"]
    before = world.seen()
    world.now += AGE
    assert sweep(older_than=AGE).marks_deleted == 1
    assert marks(world.stored()) == set()
    assert loose_ends(world.stored()) == []
    assert world.seen() == before


@pytest.mark.sample(3)
@pytest.mark.parametrize("by", ["delete_thread", "prune"])
def test_a_delete_spares_young_parts_that_a_call_may_be_about_to_refer_to_and_the_sweep_does_not(
    world: World, sweep: Sweep, by: str
) -> None:
    def unwritten(task: str) -> set[Place]:
        """Parts of writes that are not stored yet."""
        before = world.places()
        world.put_writes("t", "1", task=task)
        added = world.places() - before
        for place in keys(added, "write"):
            world.delete(place)
        return added - keys(added, "write")

    world.now = OLD
    world.put("t", "1")
    world.put_writes("t", "1")
    old = unwritten("old")
    world.now = YOUNG
    young = unwritten("young")
    world.now = NOW
    world.put("t", "2")
    kept = {place for place in world.places() if place[1].sort == "2" or "2" in place[1].partition}
    getattr(world.saver, by)("t" if by == "delete_thread" else ["t"])
    left = world.places()
    assert old
    assert young
    expected = young | (kept if by == "prune" else set())
    assert left - keys(left, "mark") == expected
    assert len(keys(left, "mark")) == 1
    assert led_to(world.stored().items) == world.stored().objects.keys()
    world.now = NOW + AGE
    assert sweep(older_than=AGE).marks_deleted == 1
    assert world.places() == expected - young
    assert led_to(world.stored().items) == world.stored().objects.keys()


@pytest.mark.sample(4)
@pytest.mark.parametrize("requests", [2, 3, 4, 5, 6])
def test_a_tombstone_leads_to_the_parts_of_its_checkpoint_so_that_a_repeated_delete_takes_them(
    world: World, requests: int
) -> None:
    """Everything is young, so a delete removes no part without a reference to it."""
    world.put("t", "1")
    own = world.places()
    world.put_writes("t", "1")
    of_writes = world.places() - own
    world.stop_delete("t", requests)
    assert [item["deleted"] for item in world.tables.checkpoint_items()] == [{"BOOL": True}]
    assert world.saver.get_tuple(config("t")) is None
    there = bool(keys(world.places(), "write"))
    world.saver.delete_thread("t")
    left = world.places()
    assert len(keys(left, "mark")) == 1
    # Parts of writes that were deleted before the stop have no reference left, only their age.
    spared = set() if there else keys(of_writes, "chunk") | keys(of_writes, "object")
    assert left - keys(left, "mark") <= spared
    assert led_to(world.stored().items) >= world.stored().objects.keys()
    sweep_later(world.saver)
    assert world.stored() == Stored({}, {})


@pytest.mark.sample(3)
@pytest.mark.parametrize("where", ["in another bucket", "of another thread"])
@pytest.mark.parametrize("by", ["delete_thread", "prune", "delete_for_runs", "sweep"])
def test_an_object_that_an_item_leads_to_without_owning_it_is_kept_logged_and_the_rest_goes(
    in_s3: World,
    caplog: pytest.LogCaptureFixture,
    by: str,
    where: str,
) -> None:
    sweep_later(in_s3.saver)
    in_s3.put("victim", "1")
    victims = in_s3.stored()
    (victim,) = in_s3.tables.write_items()
    thread = config("t")
    in_s3.saver.put(thread, checkpoint("1", state=LARGE), metadata(run_id="run"), {})
    at = config("t", "", "1")
    in_s3.saver.put_writes(at, [("channel", LARGE)], "task")
    led = [item for item in in_s3.tables.write_items() if item.get("object_key") and item != victim]
    client = in_s3.bucket.client
    other = f"{in_s3.bucket.name}-other"
    client.create_bucket(Bucket=other)
    leading: dict[str, Any] = {"object_key": victim["object_key"]}
    if where == "in another bucket":
        leading = {"bucket": {"S": other}}
    try:
        for item in led:
            key = item["object_key"]["S"]
            client.put_object(Bucket=other, Key=key, Body=b"someone's")
            in_s3.rewrite(item, **leading)
        if by == "sweep":
            in_s3.delete((Table.CHECKPOINTS, Key("t", "1")))
        acts: dict[str, Callable[[], object]] = {
            "delete_thread": lambda: in_s3.saver.delete_thread("t"),
            "prune": lambda: in_s3.saver.prune(["t"], strategy="delete"),
            "delete_for_runs": lambda: in_s3.saver.delete_for_runs(["run"]),
            "sweep": lambda: sweep_later(in_s3.saver),
        }
        acts[by]()
        left = in_s3.stored().without_marks()
        # An object in an unknown bucket is left to a sweep with a saver that is configured for it.
        leads_on = len(led) if where == "in another bucket" else 0
        assert left.items.items() >= victims.items.items()
        assert len(left.items) == len(victims.items) + leads_on
        assert victims.objects.items() <= left.objects.items()
        kept = {item["Key"] for item in client.list_objects_v2(Bucket=other).get("Contents", [])}
        assert kept == {item["object_key"]["S"] for item in led}
        said = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
        assert len([words for words in said if "is kept" in words]) == len(led) == 2
        named = other if where == "in another bucket" else victim["object_key"]["S"]
        assert all(named in words for words in said)
    finally:
        for key in [one["Key"] for one in client.list_objects_v2(Bucket=other).get("Contents", [])]:
            client.delete_object(Bucket=other, Key=key)
        client.delete_bucket(Bucket=other)


# Pages


@pytest.mark.sample(1)
def test_every_page_is_swept_once_whoever_goes_on(world: World, sweep: Sweep) -> None:
    for number in range(3):
        world.put_writes("t", str(number))
    world.put("u", "1")
    world.put("v", "1")
    world.stop_delete("v", 2)
    before = world.stored()
    whole = sweep(older_than=AGE)
    assert counts(whole) == {"young": 7}
    for page in (1, 2, 3, 5):
        world.page = page
        pages = in_pages(sweep, older_than=AGE)
        assert counts(pages) == {"young": 7}
        assert pages.examined == whole.examined == len(before.items)
        assert pages.pages >= whole.examined // page
        assert world.stored() == before
    world.page = 2
    world.now += AGE
    report = in_pages(sweep, older_than=AGE)
    assert counts(report)["writes_deleted"] == 6
    assert counts(report)["deletes_finished"] == 1
    assert loose_ends(world.stored()) == []


def test_a_sweep_stops_after_so_many_pages_and_says_where(world: World, sweep: Sweep) -> None:
    for number in range(4):
        world.put_writes("t", str(number))
    world.page = 3
    world.now += AGE
    report = sweep(older_than=AGE, max_pages=2)
    assert report.pages == 2
    assert isinstance(report.resume_from, str)
    rest = sweep(older_than=AGE, resume_from=report.resume_from)
    assert rest.resume_from is None
    assert report.writes_deleted + rest.writes_deleted == 8
    assert min(report.writes_deleted, rest.writes_deleted) > 0
    assert world.stored() == Stored({}, {})


GOOD_START = {WRITES_KEY: {"S": "t:::1:::"}, "task_id_idx": {"S": "task:::0"}}
BAD_KEYS: tuple[Any, ...] = (None, "", {"N": "1"}, {"S": 1}, {"S": None}, {"S": ""}, {"S": []})
BAD_STARTS: tuple[Any, ...] = (
    *("", 1, [], {}, "t"),
    *({**GOOD_START, "task_id_idx": bad} for bad in BAD_KEYS),
)
BAD_TOKENS: tuple[Any, ...] = (
    *(None, 1, True, [], {}, "writes", {"table": "writes"}, {"start": None}),
    *({"table": bad, "start": None} for bad in ("other", None, ["writes"])),
    *({"table": "writes", "start": bad} for bad in BAD_STARTS),
    {"table": "checkpoints", "start": GOOD_START},
)


@pytest.mark.parametrize("token", ["", " ", "{", "\x00", "NaN", *map(json.dumps, BAD_TOKENS)])
def test_a_token_that_no_report_has_given_is_refused_before_anything_is_asked(token: str) -> None:
    with pytest.raises(InvalidInputError, match="resume_from") as raised:
        UNREACHABLE.sweep_orphans(resume_from=token)
    assert raised.value.field == "resume_from"


# S3 and permissions


@pytest.fixture
def in_s3(engine: Engine, object_store: str) -> Iterator[World]:
    """Leftovers of each kind, with one object each."""
    with new_world(engine, object_store, "objects") as made:
        made.put_writes("t", "1")
        made.put("u", "1")
        made.stop_delete("u", 2)
        yield made


def test_an_object_that_cannot_be_deleted_stops_the_sweep_and_the_next_one_takes_it(
    in_s3: World, sweep: Sweep
) -> None:
    objects = in_s3.stored().objects
    fault = Refusal("DeleteObjects", "InternalError", 403)
    disturbed = faulty(in_s3.tables, fault, bucket=in_s3.bucket)
    with in_s3.open(**disturbed) as saver:
        for _ in range(2):
            with pytest.raises(ServiceError, match="InternalError"):
                sweep_later(saver)
            assert in_s3.stored().objects == objects
            assert led_to(in_s3.stored().items) == objects.keys()
    in_s3.now += AGE
    report = sweep(older_than=AGE)
    assert report.objects_deleted == 2
    assert report.deletes_finished == 1
    assert in_s3.stored() == Stored({}, {})


def test_the_rights_to_scan_and_to_delete_objects_suffice_and_the_latter_are_needed(
    in_s3: World,
) -> None:
    def sweep(actions: frozenset[str]) -> SweepReport:
        offload, clock = in_s3.bucket.config(), lambda: in_s3.now
        with in_s3.tables.saver(actions, s3_offload_config=offload, clock=clock) as saver:
            return sweep_later(saver)

    objects = in_s3.stored().objects
    with pytest.raises(ServiceError, match="s3:DeleteObject"):
        sweep(SWEEP_ACTIONS)
    assert led_to(in_s3.stored().items) == objects.keys() == in_s3.stored().objects.keys()
    assert sweep(SWEEP_ACTIONS | S3_DELETE_ACTIONS).objects_deleted == 2
    assert in_s3.stored() == Stored({}, {})


# Concurrent calls


class Meddling:
    """Makes a call of another process before each request of a sweeper, until none are left.

    Attributes:
        made: Number of calls made.
    """

    def __init__(self, session: Any, calls: Iterator[Callable[[], object]]) -> None:
        self.made = 0
        self._calls = calls
        self._lock = threading.Lock()
        on(session, "before-call.dynamodb", self._meddle)

    def _meddle(self, **_: object) -> None:
        with self._lock:
            for act in self._calls:
                elsewhere(act)
                self.made += 1
                return


def random_call(chosen: random.Random, number: int) -> Callable[[World], None]:
    """A call that stores or deletes large values in one of a few places."""
    kind = chosen.choice(("put", "put", "put_writes", "put_writes", "copy", "delete", "prune"))
    thread_id, other = chosen.sample(("a", "b", "c:::d"), 2)
    id_, ns = str(chosen.randint(1, 3)), chosen.choice(("", "sub"))
    calls: dict[str, Callable[[World], None]] = {
        "put": lambda world: world.put(thread_id, id_, ns, n=number),
        "put_writes": lambda world: world.put_writes(thread_id, id_, ns, chosen_task, more=number),
        "copy": lambda world: world.saver.copy_thread(thread_id, other),
        "delete": lambda world: world.saver.delete_thread(thread_id),
        "prune": lambda world: world.saver.prune([thread_id]),
    }
    chosen_task = chosen.choice(TASKS)
    return calls[kind]


@pytest.mark.sample(0)
@pytest.mark.parametrize("seed", range(3))
def test_a_sweep_takes_nothing_from_calls_that_are_made_while_it_runs(
    world: World, engine: Engine, object_store: str, seed: int
) -> None:
    chosen = random.Random(seed)  # noqa: S311 - a choice
    old = [random_call(chosen, number) for number in range(12)]
    new = [random_call(chosen, 100 + number) for number in range(40)]
    with new_world(engine, object_store, "inline") as undisturbed:
        for each in (world, undisturbed):
            each.now = OLD
            for act in old:
                act(each)
            # Old writes whose checkpoint is stored only now may be deleted or not.
            sweep_later(each.saver)
            each.now = NOW
        world.now = OLD
        for number in range(3):
            world.put_writes("never", str(number))
            world.put(f"gone{number}", "1")
            world.stop_delete(f"gone{number}", 2 + number)
        world.now, world.page = NOW, 5

        def make(act: Callable[[World], None]) -> None:
            act(world)
            act(undisturbed)
            assert world.seen() == undisturbed.seen()

        session = world.session()
        meddling = Meddling(session, (partial(make, act) for act in new))
        with world.open(session=session, max_concurrency=1) as sweeper:
            while meddling.made < len(new):
                sweeper.sweep_orphans(older_than=AGE)
        assert world.seen() == undisturbed.seen()
        sweep_later(world.saver)
        assert world.seen() == undisturbed.seen()
        assert loose_ends(world.stored()) == []
        assert marks(world.stored()) == set()


def test_sweeps_side_by_side_leave_what_one_leaves(world: World) -> None:
    world.put("t", "1")
    world.put_writes("t", "1")
    whole = world.stored()
    for number in range(4):
        world.put_writes("t:::u", str(number))
        world.put(f"gone{number}", "1")
        world.stop_delete(f"gone{number}", 2)
    world.page = 3
    world.now += AGE
    with ThreadPoolExecutor(4) as pool:
        sweeps = [pool.submit(world.saver.sweep_orphans, older_than=AGE) for _ in range(4)]
        assert all(sweep.result().resume_from is None for sweep in sweeps)
    assert world.stored() == whole


def test_the_parts_of_a_checkpoint_that_is_being_stored_again_after_a_delete_are_left_alone(
    world: World,
) -> None:
    client, name = world.tables.client, world.tables.checkpoints
    world.now = OLD
    world.put("t", "1")
    world.stop_delete("t", 2)
    (tombstone,) = world.tables.checkpoint_items()
    world.now = NOW
    world.put("t", "1")
    (head,) = world.tables.checkpoint_items()
    # The item is stored last: before that, a sweep sees the tombstone and young parts.
    client.put_item(TableName=name, Item=cast("dict[str, Any]", tombstone))
    assert world.saver.sweep_orphans(older_than=AGE).deletes_finished == 0
    client.put_item(TableName=name, Item=cast("dict[str, Any]", head))
    assert world.saver.get_tuple(config("t")) is not None


def test_a_checkpoint_that_is_stored_again_while_its_delete_is_finished_is_not_lost(
    world: World,
) -> None:
    world.now = OLD
    world.put("t", "1")
    world.stop_delete("t", 2)
    world.now = NOW
    scans: list[str] = []

    def put_after_the_last_scan(**_: Any) -> None:
        if len(scans) == 2:
            scans.append("put")
            elsewhere(lambda: world.put("t", "1"))

    def note(params: dict[str, Any], **_: Any) -> None:
        scans.append(params["TableName"])

    session = world.session()
    on(session, "before-parameter-build.dynamodb.Scan", note)
    on(session, "after-call.dynamodb.Scan", put_after_the_last_scan)
    with world.open(session=session) as sweeper:
        assert sweeper.sweep_orphans(older_than=AGE).deletes_finished == 0
    assert scans == [world.tables.writes, world.tables.checkpoints, "put"]
    assert world.saver.get_tuple(config("t")) is not None
