"""Observed calls: begun and ended once, reported where they run, and never affected."""

from __future__ import annotations

import asyncio
import logging
import threading
from contextlib import contextmanager
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from langgraph_checkpoint_dynamodb import ServiceError
from tests.support.calls import SyncCalls
from tests.support.faults import Refusal, faulty
from tests.support.savers import native
from tests.support.values import checkpoint, config, metadata, put_chain
from tests.support.watched import SECRET, THREAD, Calls, Scope, fill

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from langgraph_checkpoint_dynamodb import RequestInfo
    from tests.support.calls import LoopThread
    from tests.support.savers import Saver
    from tests.support.tables import Tables

PACKAGE = "langgraph_checkpoint_dynamodb"
REQUESTS = f"{PACKAGE}.requests"


@pytest.fixture(autouse=True)
def _made(tables: Tables) -> None:
    tables.set_up()


def put(saver: Saver) -> None:
    saver.put(config(THREAD), checkpoint("0001", secret=SECRET), metadata(), {})


def test_a_call_begins_asks_and_ends(tables: Tables, loop_thread: LoopThread) -> None:
    calls = Calls()
    with tables.saver(on_request=calls) as saver:
        put(saver)
        saver.get_tuple(config(THREAD))
        loop_thread.run(saver.aget_tuple(config(THREAD)))
    read = ["get_tuple begins", "get_tuple asks", "get_tuple asks", "get_tuple ends"]
    assert calls.told == ["put begins", "put asks", "put ends", *read, *read]


def test_a_call_without_requests_is_told_too(tables: Tables) -> None:
    calls = Calls()
    with tables.saver(on_request=calls) as saver:
        assert saver.get_tuple(config("x", "", "\x01")) is None
    assert calls.told == ["get_tuple begins", "get_tuple ends"]


def test_a_list_ends_where_its_caller_stops_taking(tables: Tables, loop_thread: LoopThread) -> None:
    calls = Calls()
    with tables.saver(on_request=calls) as saver:
        put_chain(SyncCalls(saver), "t", 40)
        calls.told.clear()
        listed = iter(saver.list(config("t")))
        next(listed)
        assert "list ends" not in " ".join(calls.told)
        listed.close()  # type: ignore[attr-defined]  # it is a generator
        assert calls.told[-1] == "list ends with GeneratorExit"
        calls.told.clear()
        loop_thread.run(one_of(saver, "t"))
        assert calls.told[-1] == "list ends with GeneratorExit"
        calls.told.clear()
        list(saver.list(config("t")))
        assert calls.told[-1] == "list ends"


async def one_of(saver: Saver, thread: str) -> None:
    listed: Any = saver.alist(config(thread))
    await anext(listed)
    await listed.aclose()


def test_a_list_that_nobody_takes_anything_of_never_begins(tables: Tables) -> None:
    calls = Calls()
    with tables.saver(on_request=calls) as saver:
        saver.list(config("t"))
    assert calls.told == []


@pytest.mark.skipif(native(), reason="its requests end with the task")
def test_a_call_whose_caller_is_gone_ends_behind_its_request(
    tables: Tables, loop_thread: LoopThread
) -> None:
    reached, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    class Held(Scope):
        @contextmanager
        def current(self) -> Iterator[None]:
            reached.set()
            assert go_on.wait(60)
            yield

        def __exit__(self, *error: Any) -> None:
            super().__exit__(*error)
            ended.set()

    class Holding(Calls):
        def on_call(self, operation: str) -> Scope:
            return Held(self, operation)

    async def cancel(saver: Saver) -> None:
        task = asyncio.create_task(saver.aget_tuple(config("t")))
        assert await asyncio.to_thread(reached.wait, 60)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with tables.saver() as other:
        put_chain(SyncCalls(other), "t", 1)
    calls = Holding()
    with tables.saver(on_request=calls) as saver:
        loop_thread.run(cancel(saver))
        go_on.set()
        assert ended.wait(60)
    end = "get_tuple ends with GeneratorExit"
    assert calls.told == ["get_tuple begins", "get_tuple asks", end]


@pytest.mark.skipif(not native(), reason="its tasks can be cancelled, and threads cannot")
def test_a_task_that_is_cancelled_ends_its_request_and_its_call(tables: Tables) -> None:
    from tests.support.aio import Hold, Session, run

    calls = Calls()
    told: list[RequestInfo] = []
    session = Session()
    hold = Hold(session, "Query")

    class Noting(Calls):
        def __call__(self, request: RequestInfo) -> None:
            super().__call__(request)
            told.append(request)

    async def cancel(calls: Calls) -> None:
        async with tables.saver(session=session, on_request=calls) as saver:
            task = asyncio.create_task(saver.aget_tuple(config("t")))
            await hold.reached()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    calls = Noting()
    run(cancel(calls))
    end = "get_tuple ends with CancelledError"
    assert calls.told == ["get_tuple begins", "get_tuple asks", end]
    assert [one.error_code for one in told] == ["CancelledError"]


def test_requests_are_told_where_they_are_sent(tables: Tables, loop_thread: LoopThread) -> None:
    where: list[int] = []
    with tables.saver(on_request=lambda _: where.append(threading.get_ident())) as saver:
        put(saver)
        loop_thread.run(saver.adelete_thread("x"))
    here, there = where[0], set(where[1:])
    on_the_loop = {loop_thread.run(ident())}
    assert (here == threading.get_ident()) is not native()
    assert (there == on_the_loop) is native()


async def ident() -> int:
    return threading.get_ident()


def test_moving_is_a_call_around_others(tables: Tables, loop_thread: LoopThread) -> None:
    calls = Calls()
    source = InMemorySaver()
    put_chain(SyncCalls(source), "m", 2)
    stream = StringIO()
    with tables.saver(on_request=calls) as saver:
        acts: list[Callable[[], object]] = [
            lambda: saver.import_thread(source, "m"),
            lambda: loop_thread.run(saver.aimport_thread(source, "m")),
            lambda: saver.export_threads(stream),
            lambda: saver.import_threads(stream.getvalue().splitlines()),
        ]
        for act in acts:
            calls.told.clear()
            act()
            method = calls.told[0].removesuffix(" begins")
            assert method in ("import_thread", "export_threads", "import_threads")
            assert calls.told[-1] == f"{method} ends"
            assert any(line.endswith(" asks") for line in calls.told)
        calls.told.clear()
        with pytest.raises(ValueError, match="no line"):
            saver.import_threads(broken_lines())
        assert calls.told == ["import_threads begins", "import_threads ends with ValueError"]


def broken_lines() -> Iterator[str]:
    yield from map(str, map(int, ["no line"]))


class BrokenError(Exception):
    """Its text contains what must not be logged."""

    def __init__(self) -> None:
        super().__init__(SECRET)


class Broken(Calls):
    """An observer that fails at the given places."""

    def __init__(self, at: str) -> None:
        super().__init__()
        self.at = at

    def fail(self, at: str) -> None:
        if at == self.at:
            raise BrokenError

    def __call__(self, request: RequestInfo) -> None:
        super().__call__(request)
        self.fail("request")

    def on_call(self, operation: str) -> Scope:
        self.fail("call")
        return BrokenScope(self, operation)


class BrokenScope(Scope):
    """The scope of a `Broken` observer."""

    def __init__(self, calls: Broken, operation: str) -> None:
        super().__init__(calls, operation)
        self.fail = calls.fail

    def __enter__(self) -> None:
        self.fail("enter")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:  # type: ignore[override]  # as a scope may
        self.fail("exit")
        return True

    @contextmanager
    def current(self) -> Iterator[None]:
        self.fail("current")
        try:
            yield
        finally:
            self.fail("after")


@pytest.mark.parametrize("at", ["request", "call", "enter", "exit", "current", "after", "never"])
def test_an_observer_that_fails_changes_no_call_and_is_told_of_once(
    tables: Tables, at: str, caplog: pytest.LogCaptureFixture
) -> None:
    observer = Broken(at)
    with tables.saver(on_request=observer) as saver:
        put(saver)
        found = saver.get_tuple(config(THREAD))
        assert found is not None
        assert found.checkpoint["channel_values"] == {"secret": SECRET}
        assert len(list(saver.list(config(THREAD)))) == 1
    assert len([line for line in observer.told if line.endswith("asks")]) == 5
    warned = [record.getMessage() for record in caplog.records if record.name == PACKAGE]
    assert len(warned) == (at != "never")
    assert all("test_observer_calls.BrokenError" in line and SECRET not in line for line in warned)


def test_an_observer_cannot_swallow_an_error(tables: Tables) -> None:
    refusal = Refusal("PutItem", "AccessDeniedException")
    settings = faulty(tables, refusal)
    with (
        tables.saver(on_request=Broken("never"), **settings) as saver,
        pytest.raises(ServiceError, match="AccessDenied"),
    ):
        put(saver)


def test_the_log_has_a_line_for_each_request_and_nothing_of_what_is_stored(
    tables: Tables, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger=REQUESTS)
    for on_request in (None, Calls()):
        caplog.clear()
        with tables.saver(on_request=on_request) as saver:
            fill(saver)
            saver.get_tuple(config(THREAD))
            saver.delete_thread(THREAD)
        lines = [record.getMessage() for record in caplog.records if record.name == REQUESTS]
        assert {record.levelno for record in caplog.records} == {logging.DEBUG}
        assert any(line.startswith(f"put: PutItem; on {tables.checkpoints}; ") for line in lines)
        if tables.engine.faithful:  # moto returns the capacity of batches unasked
            assert all((" read, " in line) is (on_request is not None) for line in lines)
        assert isinstance(on_request, Calls | None)
        if on_request is not None:
            assert len(lines) == len([one for one in on_request.told if one.endswith("asks")])
        text = " ".join(lines)
        assert SECRET not in text
        assert THREAD not in text
