"""Observers are notified of each request and call, once, and cannot affect the call."""

from __future__ import annotations

import itertools
import logging
import sys
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from langgraph_checkpoint_dynamodb.format.sizes import item_size
from langgraph_checkpoint_dynamodb.runners import observed
from tests.support.calls import SyncCalls
from tests.support.savers import new_saver, saver_class
from tests.support.values import checkpoint, config, metadata, put_chain, refusals
from tests.support.watched import (
    AT,
    LISTED,
    MADE_OF_OTHERS,
    METHODS,
    SECRET,
    THREAD,
    Calls,
    acall,
    call,
    fill,
    recorded_session,
)

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb import RequestInfo
    from tests.support.buckets import Bucket
    from tests.support.calls import LoopThread
    from tests.support.engines import Engine
    from tests.support.savers import Saver
    from tests.support.tables import Tables

REQUESTS = "langgraph_checkpoint_dynamodb.requests"
NO_REQUESTS = {
    "open",
    "close",
    "get",
    "get_next_version",
    "with_allowlist",
    "config_specs",
    "serde",
}
"""Public names that send no requests, or only by another of these methods."""


@pytest.fixture(params=["plain", "async"])
def loop(request: pytest.FixtureRequest, loop_thread: LoopThread) -> LoopThread | None:
    """Where methods are called: sync methods without a loop, async methods on one."""
    return loop_thread if request.param == "async" else None


def put(saver: Saver, number: int = 1) -> None:
    saver.put(config(THREAD), checkpoint(f"{number:04}", secret=SECRET), metadata(), {})


def test_every_public_method_is_among_those_that_are_tried() -> None:
    public = {name for name in dir(saver_class()) if not name.startswith("_")}
    plain = {name for name in public if name[:1] != "a" or name[1:] not in public}
    assert plain - NO_REQUESTS == {*METHODS, *MADE_OF_OTHERS}


@pytest.mark.sample(16)
@pytest.mark.parametrize("method", METHODS)
def test_each_request_of_a_method_is_told_once_under_its_name(
    tables: Tables, engine: Engine, method: str, loop: LoopThread | None
) -> None:
    tables.set_up(**LISTED)
    session, sent = recorded_session()
    told: list[RequestInfo] = []
    with tables.saver(session=session, on_request=told.append, **LISTED) as saver:
        fill(saver)
        told.clear()
        sent.clear()
        call(saver, method) if loop is None else loop.run(acall(saver, method))
    assert {one.operation for one in told} == {method}
    assert Counter(one.action for one in told) == sent.actions()
    assert sum(one.read_units for one in told) == sent.units(read=True)
    assert sum(one.write_units for one in told) == sent.units(read=False)
    if engine.faithful and method != "setup":
        assert sum(one.read_units + one.write_units for one in told) > 0
    assert sorted(one.received_bytes for one in told) == sent.received()
    assert {name for one in told for name in one.table_names} <= {tables.checkpoints, tables.writes}
    assert all(one.thread_id is None and one.seconds > 0 and one.attempts == 1 for one in told)
    assert {(one.host, one.port) for one in told} == {
        ("127.0.0.1", int(engine.url.rpartition(":")[2]))
    }
    assert SECRET not in repr(told)
    assert THREAD not in repr(told)


def test_objects_are_told_by_their_bucket(tables: Tables, bucket: Bucket) -> None:
    tables.set_up()
    session, sent = recorded_session(bucket.url)
    told: list[RequestInfo] = []
    settings: dict[str, Any] = {"s3_offload_config": bucket.config(), "session": session}
    with tables.saver(on_request=told.append, observe_threads=True, **settings) as saver:
        put(saver)
        saver.copy_thread(THREAD, "copy")
        saver.get_tuple(config(THREAD))
        saver.delete_thread(THREAD)
    of_s3 = [one for one in told if one.bucket is not None]
    assert Counter(one.action.removeprefix("s3:") for one in told) == sent.actions()
    assert {one.action for one in of_s3} == {
        "s3:PutObject", "s3:CopyObject", "s3:GetObject", "s3:DeleteObjects"
    }  # fmt: skip
    assert {one.bucket for one in of_s3} == {bucket.name}
    assert {one.table_names for one in of_s3} == {()}
    assert {one.thread_id for one in of_s3} == {THREAD, "copy"}
    stored = [one for one in of_s3 if one.action == "s3:PutObject"]
    read = [one for one in of_s3 if one.action == "s3:GetObject"]
    assert sum(one.sent_bytes for one in stored) >= sum(one.received_bytes for one in read) > 0


def test_what_is_sent_is_measured_as_dynamodb_does(tables: Tables) -> None:
    tables.set_up()
    told: list[RequestInfo] = []
    with tables.saver(on_request=told.append) as saver:
        put(saver)
        saver.put_writes(AT, [("a", 1), ("__error__", "e")], "task")
    assert [one.sent_bytes for one in told] == [
        sum(map(item_size, tables.checkpoint_items())),
        sum(map(item_size, tables.write_items())),
    ]
    assert [one.batch_size for one in told] == [1, 2]


def script(saver: Saver) -> None:
    """Calls that send every API action."""
    for id_, parent in (("0001", None), ("0002", "0001")):
        saver.put(config("t", "", parent), checkpoint(id_, a=1), metadata(run_id="run"), {})
    saver.put_writes(AT, [("a", 1), ("__error__", "e")], "task")
    saver.put_writes(AT, [("a", 1)], "task")
    saver.get_tuple(config("t"))
    list(saver.list(None))
    saver.update_thread("t", title="a title")
    saver.list_threads(owner="ann")
    saver.delete_for_runs(["run"])
    saver.delete_thread("t")


def test_without_an_observer_the_same_is_sent_but_for_what_was_consumed(
    tables: Tables, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("langgraph_checkpoint_dynamodb.savers.base.token_hex", lambda _: "token")
    sent_by: list[list[tuple[str, dict[str, Any]]]] = []
    caplog.set_level(logging.DEBUG, logger=REQUESTS)
    for on_request in (None, Calls()):
        tables.drop()
        tables.set_up(**LISTED)
        session, sent = recorded_session()
        settings: dict[str, Any] = {**LISTED, "clock": lambda: 1_000_000, "on_request": on_request}
        with tables.saver(session=session, **settings) as saver:
            script(saver)
        sent_by.append(sent.asked)
    unset, observed_ = sent_by
    assert not any("ReturnConsumedCapacity" in asked for _, asked in unset)
    for _, asked in observed_:
        assert asked.pop("ReturnConsumedCapacity") == "INDEXES"
    assert sorted(map(repr, observed_)) == sorted(map(repr, unset))
    assert {action for action, _ in unset} == {
        "BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan",
        "TransactWriteItems", "UpdateItem",
    }  # fmt: skip


def test_without_an_observer_a_call_enters_one_function_of_what_watches(tables: Tables) -> None:
    tables.set_up()
    entered: list[str] = []

    def note(frame: Any, event: str, _: object) -> None:
        name = frame.f_globals.get("__name__", "")
        if event == "call" and name.endswith((".watcher", ".observed", ".observing")):
            entered.append(frame.f_code.co_name)

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        with tables.saver(**tables.quick()) as saver:
            put_chain(SyncCalls(saver), "t", 3)
            found = len(list(saver.list(config("t"))))
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    assert found == 3
    assert entered.count("watched") == 4
    assert set(entered) <= {"watched", "__init__", "<module>"}


def test_time_is_that_of_the_sdk_by_a_monotonic_clock(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables.set_up()
    told: list[RequestInfo] = []
    ticks = itertools.count(step=5)
    monkeypatch.setattr(observed, "perf_counter", lambda: next(ticks))
    with tables.saver(on_request=told.append, max_concurrency=1) as saver:
        put_chain(SyncCalls(saver), THREAD, 3)
        list(saver.list(config(THREAD)))
    # Sequentially: the time a request waits for another is not included.
    assert [one.seconds for one in told] == [5] * len(told)


@pytest.mark.parametrize(
    "thread",
    ["plain", "a:::b", ":", "x::::::y:", "é" * 600, "l" * 2048, "/s:"],
    ids=["plain", "separator", "colon", "hashed", "long", "longest", "slash"],
)
def test_threads_are_told_to_who_asks_for_them(tables: Tables, bucket: Bucket, thread: str) -> None:
    tables.set_up(**LISTED)
    told: list[RequestInfo] = []
    session, _ = recorded_session(bucket.url)
    settings: dict[str, Any] = {"s3_offload_config": bucket.config(200), **LISTED}
    settings |= {"session": session, "on_request": told.append, "observe_threads": True}
    with tables.saver(**settings) as saver:
        large = "v" * 300
        saver.put(config(thread), checkpoint("0001", a=large), metadata(source="input"), {})
        saver.put_writes(config(thread, "", "0001"), [("a", large), ("__error__", "e")], "task")
        saver.get_tuple(config(thread))
        saver.update_thread(thread, title="t")
        saver.delete_thread(thread)
        found = {one.thread_id for one in told}
        told.clear()
        saver.list_threads(owner="ann")
        list(saver.list(None))
        assert {one.thread_id for one in told} == {None}
    # Item keys have room for this length at most; with longer ids no thread is reported.
    assert found - {None} == {thread}
    assert (None in found) is (len(quote(thread)) >= 255)


def test_an_observer_must_be_a_plain_function() -> None:
    async def awaited(_: object) -> None:
        """Is never awaited."""

    names = {"checkpoints_table_name": "checkpoints", "writes_table_name": "writes"}
    bad_types: dict[str, list[Any]] = {
        "on_request": [1, "print", awaited],
        "observe_threads": [1, None, "yes"],
    }
    for name, bad, kind in refusals({}, bad_types):
        with pytest.raises(kind, match=name):
            new_saver(**names, **{name: bad})
