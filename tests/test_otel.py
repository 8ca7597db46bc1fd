"""OpenTelemetry spans and metrics, read from the exporters of its SDK."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

from langgraph_checkpoint_dynamodb.otel import OpenTelemetry
from tests.support.calls import SyncCalls
from tests.support.interpreters import run_program
from tests.support.telemetry import Telemetry
from tests.support.values import checkpoint, config, metadata, put_chain
from tests.support.watched import AT, LISTED, SECRET, THREAD, acall, call, fill, recorded_session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.buckets import Bucket
    from tests.support.calls import LoopThread
    from tests.support.savers import Saver
    from tests.support.tables import Tables


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


@pytest.fixture
def saver(tables: Tables, telemetry: Telemetry) -> Iterator[Saver]:
    tables.set_up(**LISTED)
    with tables.saver(on_request=telemetry.on_request, **LISTED) as made:
        yield made


async def within(telemetry: Telemetry, name: str, saver: Saver, method: str) -> None:
    with telemetry.tracer.start_as_current_span(name):
        await acall(saver, method)


@pytest.mark.parametrize("family", ["plain", "async"])
@pytest.mark.parametrize("method", ["get_tuple", "list", "copy_thread", "delete_thread"])
def test_requests_are_below_their_call_and_calls_below_who_calls(
    telemetry: Telemetry, saver: Saver, loop_thread: LoopThread, method: str, family: str
) -> None:
    fill(saver)
    telemetry.clear()
    if family == "plain":
        with telemetry.tracer.start_as_current_span("a node"):
            call(saver, method)
    else:
        loop_thread.run(within(telemetry, "a node", saver, method))
    of_call = telemetry.named(f"checkpointer {method}")
    assert telemetry.below(telemetry.named("a node")) == [of_call.name]
    requests = [span for span in telemetry.spans if span.kind is SpanKind.CLIENT]
    assert telemetry.below(of_call) == sorted(span.name for span in requests)
    assert len(telemetry.spans) == len(requests) + 2
    for span in requests:
        assert span.start_time is not None
        assert span.end_time is not None
        assert span.start_time < span.end_time


def current_name() -> str:
    span: Any = trace.get_current_span()
    return str(span.name)


def test_tasks_side_by_side_keep_their_requests_apart(
    telemetry: Telemetry, saver: Saver, loop_thread: LoopThread
) -> None:
    put_chain(SyncCalls(saver), THREAD, 2)
    telemetry.clear()

    async def all_at_once() -> None:
        nodes = (f"node {number}" for number in range(5))
        await asyncio.gather(*(within(telemetry, node, saver, "get_tuple") for node in nodes))

    loop_thread.run(all_at_once())
    for number in range(5):
        node = telemetry.named(f"node {number}")
        assert telemetry.below(node) == ["checkpointer get_tuple"]
    calls = [span for span in telemetry.spans if span.name == "checkpointer get_tuple"]
    assert [len(telemetry.below(one)) for one in calls] == [2] * 5


def test_a_list_does_not_leave_its_span_with_who_takes_from_it(
    telemetry: Telemetry, saver: Saver, loop_thread: LoopThread
) -> None:
    put_chain(SyncCalls(saver), THREAD, 40)
    telemetry.clear()
    with telemetry.tracer.start_as_current_span("a node"):
        listed: Any = saver.list(config(THREAD))
        next(listed)
        assert current_name() == "a node"
        assert [span.name for span in telemetry.spans].count("checkpointer list") == 0
        listed.close()
    check_abandoned(telemetry)
    telemetry.clear()
    loop_thread.run(take_one(telemetry, saver))
    check_abandoned(telemetry)


async def take_one(telemetry: Telemetry, saver: Saver) -> None:
    with telemetry.tracer.start_as_current_span("a node"):
        listed: Any = saver.alist(config(THREAD))
        await anext(listed)
        assert current_name() == "a node"
        await listed.aclose()


def check_abandoned(telemetry: Telemetry) -> None:
    of_list = telemetry.named("checkpointer list")
    assert of_list.status.status_code is StatusCode.UNSET
    assert telemetry.below(telemetry.named("a node")) == [of_list.name]


def test_moving_is_one_span_around_the_calls_it_is_made_of(
    telemetry: Telemetry, saver: Saver
) -> None:
    source = InMemorySaver()
    put_chain(SyncCalls(source), "m", 2)
    saver.import_thread(source, "m")
    moved = telemetry.named("checkpointer import_thread")
    assert set(telemetry.below(moved)) >= {"checkpointer put", "checkpointer get_tuple"}
    assert moved.parent is None


def test_a_request_is_described_by_the_conventions(
    telemetry: Telemetry, saver: Saver, tables: Tables
) -> None:
    fill(saver)
    saver.list_threads(owner="ann")
    put, query = (
        next(one for one in telemetry.spans if one.name == f"{action} {tables.checkpoints}")
        for action in ("TransactWriteItems", "Query")
    )
    assert put.kind is SpanKind.CLIENT
    found = dict(put.attributes or {})
    assert found.pop("aws.request_id")
    assert found.pop("langgraph_checkpoint_dynamodb.sent_bytes") == pytest.approx(600, abs=300)
    assert found.pop("langgraph_checkpoint_dynamodb.received_bytes")
    consumed: Any = found.pop("aws.dynamodb.consumed_capacity", ())
    assert found == {
        "db.system.name": "aws.dynamodb",
        "db.operation.name": "TransactWriteItems",
        "db.collection.name": tables.checkpoints,
        "db.operation.batch.size": 2,
        "server.address": "127.0.0.1",
        "server.port": int(tables.engine.url.rpartition(":")[2]),
        "aws.dynamodb.table_names": (tables.checkpoints,),
        "langgraph_checkpoint_dynamodb.operation": "put",
    }
    assert (query.attributes or {})["aws.dynamodb.index_name"] == "by-owner"
    if tables.engine.faithful:
        (capacity,) = map(json.loads, consumed)
        assert capacity["TableName"] == tables.checkpoints
        assert "by-owner" in capacity["GlobalSecondaryIndexes"]
    scope = put.instrumentation_scope
    assert scope is not None
    assert scope.name == "langgraph_checkpoint_dynamodb"


def test_an_object_is_described_by_the_conventions_for_s3(
    telemetry: Telemetry, tables: Tables, bucket: Bucket
) -> None:
    tables.set_up()
    session, _ = recorded_session(bucket.url)
    settings: dict[str, Any] = {"s3_offload_config": bucket.config(), "session": session}
    with tables.saver(on_request=telemetry.on_request, **settings) as saver:
        saver.put(AT, checkpoint("0003", a="value"), metadata(), {})
    spans = [span for span in telemetry.spans if span.name == "S3.PutObject"]
    for span in spans:
        found = dict(span.attributes or {})
        expected = ("aws-api", "S3", "PutObject", bucket.name)
        names = ("rpc.system", "rpc.service", "rpc.method", "aws.s3.bucket")
        assert tuple(found[name] for name in names) == expected
        assert not [name for name in found if name.startswith("db.")]
    (point,) = telemetry.points("rpc.client.duration")
    assert point.count == len(spans) > 0


@pytest.mark.parametrize("observe_threads", [False, True])
def test_threads_are_told_where_that_is_asked_for_and_payloads_never(
    telemetry: Telemetry, tables: Tables, observe_threads: bool
) -> None:
    tables.set_up()
    settings: dict[str, Any] = {"observe_threads": observe_threads}
    with tables.saver(on_request=telemetry.on_request, **settings) as saver:
        fill(saver)
        saver.get_tuple(config(THREAD))
        list(saver.list(config(THREAD)))
        saver.delete_thread(THREAD)
    threads = {
        (span.attributes or {}).get("gen_ai.conversation.id")
        for span in telemetry.spans
        if span.kind is SpanKind.CLIENT
    }
    assert threads == ({THREAD} if observe_threads else {None})
    shown = telemetry.shown()
    assert SECRET not in shown
    assert (THREAD in shown) is observe_threads
    assert THREAD not in repr(telemetry.points("db.client.operation.duration"))


def test_one_serves_several_savers_and_the_global_providers_do(tables: Tables) -> None:
    """Without an SDK the global providers do nothing and cause no error."""
    tables.set_up()
    on_request = OpenTelemetry()
    for _ in range(2):
        with tables.saver(on_request=on_request) as saver:
            fill(saver)
            assert saver.get_tuple(config(THREAD)) is not None


def test_without_the_extra_the_error_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['opentelemetry'] = None\n"
        "import langgraph_checkpoint_dynamodb\n"
        "try:\n"
        "    import langgraph_checkpoint_dynamodb.otel\n"
        "except ModuleNotFoundError as error:\n"
        "    print(error)\n"
    )
    done = run_program(program)
    assert "pip install 'opentelemetry-api>=1.30'" in done.stdout
