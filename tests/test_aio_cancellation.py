"""Any awaited call of the saver on aiobotocore may be cancelled, at each of its awaits.

Nothing here measures time. A task is cancelled at a known await of its own, or while its request is
held at the client; a timeout only turns a deadlock into a failure.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from langgraph_checkpoint_dynamodb.format.expiry import GRACE_SECONDS
from langgraph_checkpoint_dynamodb.format.tables import SPECS, Table
from tests.support.aio import (
    AT,
    BATCH,
    LARGE,
    TASKS,
    Cancelled,
    Hold,
    Session,
    Stop,
    aio_saver,
    awaited,
    history,
    listed,
    plain_saver,
    put_new,
    put_threads,
    put_writes,
    run,
)
from tests.support.concurrency import DEADLOCK
from tests.support.stopping import NOW
from tests.support.stored import Stored, loose_ends, marks, seen, shape, stored
from tests.support.tables import later, sweep, with_payloads
from tests.support.values import checkpoint, config, metadata

if TYPE_CHECKING:
    from collections.abc import Callable

    from langchain_core.runnables import RunnableConfig

    from langgraph_checkpoint_dynamodb import DynamoDBSaver
    from langgraph_checkpoint_dynamodb.aio import AsyncDynamoDBSaver
    from tests.support.aio import Act
    from tests.support.buckets import Bucket
    from tests.support.stored import Seen, Shape
    from tests.support.tables import Tables


class Case(NamedTuple):
    """A call, and how its values are stored."""

    act: Act
    where: str = "inline"
    store: Callable[[DynamoDBSaver], None] = lambda _: None


def orphan(saver: DynamoDBSaver) -> None:
    """Writes of a checkpoint that was never stored, for a sweep to find."""
    for number in range(3):
        saver.put_writes(config(f"gone-{number}", "", "0001"), [("log", LARGE)], "task")


async def put_over(saver: AsyncDynamoDBSaver) -> RunnableConfig:
    at = config("t", "", "0002")
    return await saver.aput(at, checkpoint("0003", text="other" + LARGE), metadata(step=7), {})


def writing(where: str) -> dict[str, Case]:
    return {
        "a new checkpoint": Case(put_new, where),
        "a checkpoint over an old one": Case(put_over, where),
        "one write": Case(partial(put_writes_of, 1), where),
        "several writes": Case(partial(put_writes_of, 3), where),
    }


async def put_writes_of(count: int, saver: AsyncDynamoDBSaver) -> None:
    await put_writes(saver, *((f"channel {number}", LARGE) for number in range(count)))


def changing(where: str) -> dict[str, Case]:
    return {
        "delete of a thread": Case(lambda saver: saver.adelete_thread("t"), where),
        "delete for runs": Case(lambda s: s.adelete_for_runs(["run-t-3", "run-t-2"]), where),
        "copy": Case(lambda saver: saver.acopy_thread("t", "target"), where),
        "prune": Case(lambda saver: saver.aprune(["t"]), where),
        "sweep": Case(
            lambda saver: later(saver).asweep_orphans(older_than=GRACE_SECONDS), where, orphan
        ),
    }


def reading(where: str) -> dict[str, Case]:
    return {
        "the newest": Case(lambda saver: saver.aget_tuple(config("t")), where),
        "one by id": Case(lambda saver: saver.aget_tuple(AT), where),
        "list of a thread": Case(lambda saver: listed(saver, config("t")), where),
        "list of all": Case(lambda saver: listed(saver, None), where),
        "history": Case(history, where),
    }


IN_S3 = ("a new checkpoint", "several writes", "delete of a thread", "the newest")
"""The S3 engine is slow: only operations with requests of their own there."""
CASES = {
    f"{name}, {where}": case
    for where in ("inline", "chunks", "s3")
    for kind in (writing, changing, reading)
    for name, case in kind(where).items()
    if where != "s3" or name in IN_S3
}


@dataclass
class Experiment:
    """A call that is cancelled repeatedly from the same initial state, always on one saver."""

    tables: Tables
    case: Case
    bucket: Bucket | None
    limit: int
    session: Session = field(default_factory=Session)
    points: Counter[str] = field(default_factory=Counter)
    _contents: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        with self._plain() as plain:
            put_threads(plain)
            self.case.store(plain)
        self._before = self._now = self._stored()
        self.before = self._read()
        self.stop = Stop(0, "")
        self._task: asyncio.Task[Any] | None = None
        self.saver = self._chunked(
            aio_saver(
                self.tables, self.session, max_concurrency=self.limit, **self._settings(self.bucket)
            )
        )
        for event, of in (("before-send", "request"), ("after-call", "reply")):
            self.session.register(event, partial(self._passed, of))

    async def make_undisturbed(self) -> None:
        """Make the call without cancellation, for its result."""
        self.result = await self._made_to_the_end()
        self._now = self._stored()
        self.after = self._read()
        self._sweep()
        self._last: Shape = shape(self._now)
        assert self._read() == self.after
        self._known = [shape(self._before), self._last]

    async def cancel_at_every(self, of: str, again: bool = False) -> None:
        """Cancel the call at each such point in turn, until it has passed all of them."""
        at = 1
        while await self._cancelled_at(Stop(at, of, again)):
            await self._check()
            at += 1
        self.points[of] += at - 1

    async def _cancelled_at(self, stop: Stop) -> bool:
        self.restore()
        self.stop = stop
        tasks = asyncio.all_tasks()
        self._task = asyncio.create_task(awaited(Cancelled(self.case.act(self.saver), stop)))
        await asyncio.wait([self._task])
        assert stop.left == tasks
        if not stop.reached:
            assert self._same(self._task.result())
            return False
        assert self._task.cancelled(), self._task
        return True

    async def _check(self) -> None:
        """What is left is old or new, can be swept, and the call can be repeated.

        This depends on the stored items only, so each such state is checked once.
        """
        self._now = self._stored()
        state = shape(self._now)
        if state in self._known:
            return
        self._known.append(state)
        left, found = self._now, self._read()
        keys = found.keys() | self.before.keys() | self.after.keys()
        for key in keys:
            assert found.get(key) in (self.before.get(key), self.after.get(key))
        self._sweep()
        assert self._read() == found
        self.restore(left)
        assert self._same(await self._made_to_the_end())
        self._now = self._stored()
        assert self._read() == self.after
        self._sweep()
        assert shape(self._now) == self._last

    async def _made_to_the_end(self) -> Any:
        self.stop = Stop(0, "")
        return await self.case.act(self.saver)

    def _same(self, result: Any) -> bool:
        # A sweep reports what it found; after a cancelled sweep that is less.
        return bool(result == self.result) or self.case.store is orphan

    def _passed(self, of: str, **_: object) -> None:
        if self.stop.count(of):
            assert self._task is not None
            self._task.cancel()

    def _read(self) -> Seen:
        with self._plain() as reader:
            return seen(reader)

    def _sweep(self) -> None:
        with self._plain() as sweeper:
            sweep(sweeper)
        self._now = self._stored()
        assert loose_ends(self._now) == []
        assert marks(self._now) == set()

    def _stored(self) -> Stored:
        found = stored(self.tables, self.bucket)
        for key in found.objects.keys() - self._contents.keys():
            assert self.bucket is not None
            got = self.bucket.client.get_object(Bucket=self.bucket.name, Key=key)
            self._contents[key] = got["Body"].read()
        return found

    def _plain(self) -> DynamoDBSaver:
        plain = plain_saver(self.tables, self.bucket, **self._settings(self.bucket))
        self._chunked(plain)
        return plain

    def _settings(self, bucket: Bucket | None) -> dict[str, Any]:
        s3 = {} if bucket is None else {"s3_offload_config": bucket.config()}
        return {"clock": lambda: NOW, **s3}

    def _chunked(self, saver: Any) -> Any:
        if self.case.where == "chunks":
            return with_payloads(saver, inline_limit=100, chunk_bytes=400)
        return saver

    def restore(self, state: Stored | None = None) -> None:
        """Restore the initial state, or this one."""
        wanted, self._now = self._before if state is None else state, self._stored()
        if wanted == self._now:
            return
        names = {Table.CHECKPOINTS: self.tables.checkpoints, Table.WRITES: self.tables.writes}
        requests: list[tuple[str, Any]] = []
        for table, key in self._now.items.keys() - wanted.items.keys():
            spec = SPECS[table]
            primary = {spec.partition_key: {"S": key.partition}, spec.sort_key: {"S": key.sort}}
            requests.append((names[table], {"DeleteRequest": {"Key": primary}}))
        for place, item in wanted.items.items():
            if self._now.items.get(place) != item:
                requests.append((names[place[0]], {"PutRequest": {"Item": item}}))
        for start in range(0, len(requests), BATCH):
            batch: dict[str, list[Any]] = {}
            for name, request in requests[start : start + BATCH]:
                batch.setdefault(name, []).append(request)
            self.tables.client.batch_write_item(RequestItems=batch)
        if self.bucket is not None:
            name, client = self.bucket.name, self.bucket.client
            for gone in self._now.objects.keys() - wanted.objects.keys():
                client.delete_object(Bucket=name, Key=gone)
            for missing in wanted.objects.keys() - self._now.objects.keys():
                client.put_object(Bucket=name, Key=missing, Body=self._contents[missing])
        self._now = wanted


def cancelled_everywhere(experiment: Experiment, *points: str, again: bool = False) -> None:
    """Cancel the call at all those points; the saver stays usable, and no trace is left."""

    async def main() -> None:
        async with experiment.saver:
            await experiment.make_undisturbed()
            for of in points:
                await experiment.cancel_at_every(of, again)
            # No permit is lost, otherwise this would wait forever.
            experiment.restore()
            assert await asyncio.gather(
                *(experiment.saver.aget_tuple(AT) for _ in range(2 * experiment.limit))
            )

    run(main())
    assert experiment.session.open == []
    assert all(experiment.points[of] > 0 for of in points)


def experiment_on(
    request: pytest.FixtureRequest, tables: Tables, case: Case, limit: int
) -> Experiment:
    bucket = request.getfixturevalue("bucket") if case.where == "s3" else None
    return Experiment(tables, case, bucket, limit)


@pytest.mark.sample(12)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_call_cancelled_at_any_request_is_undone_or_done(
    existing_tables: Tables, request: pytest.FixtureRequest, case: Case
) -> None:
    limit = 4 if case.where == "chunks" else 1
    cancelled_everywhere(experiment_on(request, existing_tables, case, limit), "request", "reply")


AWAITING = {
    name: case
    for name, case in CASES.items()
    if case.where != "s3" or name in ("a new checkpoint, s3", "the newest, s3")
}


@pytest.mark.sample(12)
@pytest.mark.parametrize("case", AWAITING.values(), ids=AWAITING)
def test_a_call_cancelled_at_any_await_is_undone_or_done(
    existing_tables: Tables, request: pytest.FixtureRequest, case: Case
) -> None:
    cancelled_everywhere(experiment_on(request, existing_tables, case, 4), "await", "resume")


@pytest.mark.parametrize("name", ["several writes", "list of a thread", "sweep"])
def test_a_call_that_is_cancelled_again_while_it_unwinds_is_undone_or_done(
    existing_tables: Tables, name: str
) -> None:
    experiment = Experiment(existing_tables, CASES[f"{name}, chunks"], None, 4)
    cancelled_everywhere(experiment, "await", "resume", again=True)


@pytest.mark.parametrize("of", ["request", "reply", "await", "resume"])
def test_a_setup_cancelled_at_any_point_can_be_repeated(tables: Tables, of: str) -> None:
    session = Session()
    stop = Stop(0, of)
    running: list[asyncio.Task[Any]] = []

    def passed(of: str, **_: object) -> None:
        if stop.count(of):
            running[-1].cancel()

    for event, name in (("before-send", "request"), ("after-call", "reply")):
        session.register(event, partial(passed, name))

    async def main() -> int:
        nonlocal stop
        for at in range(1, DEADLOCK):
            tables.drop()
            async with aio_saver(tables, session, max_concurrency=1) as saver:
                stop = Stop(at, of)
                running.append(asyncio.create_task(awaited(Cancelled(saver.asetup(), stop))))
                await asyncio.wait(running[-1:])
                assert len(asyncio.all_tasks()) == TASKS
                assert running[-1].cancelled() == stop.reached
                if not stop.reached:
                    return at
                await saver.asetup()
                assert await saver.aget_tuple(await put_new(saver))
        return 0

    assert run(main()) > 4


def test_a_call_cancelled_before_it_begins_sends_nothing(existing_tables: Tables) -> None:
    session = Session()

    async def main() -> None:
        async with aio_saver(existing_tables, session) as saver:
            task = asyncio.create_task(put_new(saver))
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    run(main())
    assert existing_tables.checkpoint_items() == []


@pytest.mark.parametrize("cancel", [True, False], ids=["cancelled", "closed"])
def test_a_list_broken_off_in_the_middle_leaves_nothing_running(
    existing_tables: Tables, cancel: bool
) -> None:
    session = Session()
    with plain_saver(existing_tables) as plain:
        put_threads(plain)

    async def main() -> None:
        async with aio_saver(existing_tables, session, max_concurrency=1) as saver:
            reached = asyncio.Event()

            async def broken_off() -> None:
                async with aclosing(saver.alist(None)) as found:  # type: ignore[type-var]
                    async for _ in found:
                        reached.set()
                        if cancel:
                            await asyncio.Event().wait()
                        break

            task = asyncio.create_task(broken_off())
            await reached.wait()
            task.cancel() if cancel else None
            await asyncio.wait([task])
            assert task.cancelled() == cancel
            assert len(asyncio.all_tasks()) == TASKS
            assert len(await listed(saver, None)) == 6

    run(main())
    assert session.open == []


def test_a_list_may_be_dropped_in_the_middle(existing_tables: Tables) -> None:
    with plain_saver(existing_tables) as plain:
        put_threads(plain)

    async def main() -> None:
        async with aio_saver(existing_tables) as saver:
            async for _ in saver.alist(None):
                break
            assert await saver.aget_tuple(AT)

    run(main())


def test_a_cancelled_call_in_a_timeout_tells_of_the_timeout(existing_tables: Tables) -> None:
    session = Session()
    hold = Hold(session, "PutItem")

    async def main() -> None:
        async with aio_saver(existing_tables, session) as saver:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(put_new(saver), 0.01)
            assert hold.cancelled.is_set()
            hold.release()
            assert await saver.aget_tuple(await put_new(saver))

    run(main())
