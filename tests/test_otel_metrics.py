"""OpenTelemetry metrics, including those of errors."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.trace import StatusCode

from langgraph_checkpoint_dynamodb import ServiceError
from tests.support.faults import Fault, Refusal, faulty
from tests.support.telemetry import Telemetry
from tests.support.values import checkpoint, config, metadata
from tests.support.watched import AT, LISTED, SECRET, THREAD, fill, recorded_session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.savers import Saver
    from tests.support.tables import Tables

BUSY = "ThrottlingException"
REASON = {"reason": "TableWriteKeyRangeThroughputExceeded", "resource": "arn:aws:dynamodb:table/t"}


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


pytestmark = pytest.mark.usefixtures("skipped_waits")


def test_metrics_add_up_to_what_was_sent(telemetry: Telemetry, tables: Tables) -> None:
    tables.set_up(**LISTED)
    session, sent = recorded_session()
    settings: dict[str, Any] = {"session": session, **LISTED}
    with tables.saver(on_request=telemetry.on_request, **settings) as saver:
        fill(saver)
        saver.get_tuple(config(THREAD))
        saver.delete_thread(THREAD)
    durations = telemetry.points("db.client.operation.duration")
    assert {
        point.attributes["db.operation.name"]: point.count
        for point in durations
        if point.attributes["db.collection.name"] == tables.checkpoints
    }.keys() <= sent.actions().keys()
    assert sum(point.count for point in durations) == sent.actions().total()
    for point in durations:
        assert point.explicit_bounds == (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10)
        assert 0 < point.sum < 60
        assert point.attributes["db.system.name"] == "aws.dynamodb"
    for name, read in (("read", True), ("write", False)):
        units = telemetry.points(f"aws.dynamodb.consumed_{name}_units")
        assert sum(point.value for point in units) == sent.units(read=read)
    assert telemetry.points("aws.dynamodb.retries") == []
    assert telemetry.points("aws.dynamodb.throttles") == []


@contextmanager
def faulty_saver(tables: Tables, telemetry: Telemetry, fault: Fault) -> Iterator[Saver]:
    tables.set_up()
    with tables.saver(on_request=telemetry.on_request, **faulty(tables, fault)) as saver:
        yield saver


def test_retries_and_throttles_are_counted(telemetry: Telemetry, tables: Tables) -> None:
    refusal = Refusal("PutItem", BUSY, times=2, throttlingReasons=[REASON])
    with faulty_saver(tables, telemetry, refusal) as saver:
        saver.put(AT, checkpoint("0003"), metadata(), {})
    span = telemetry.named(f"PutItem {tables.checkpoints}")
    found = dict(span.attributes or {})
    assert found["aws.dynamodb.retries"] == 2
    assert found["aws.dynamodb.attempt_errors"] == (BUSY, BUSY)
    assert found["aws.dynamodb.throttling_reasons"] == (REASON["reason"],)
    assert span.status.status_code is StatusCode.UNSET
    for name in ("retries", "throttles"):
        (point,) = telemetry.points(f"aws.dynamodb.{name}")
        assert point.value == 2
        assert dict(point.attributes) == {
            "db.system.name": "aws.dynamodb",
            "db.operation.name": "PutItem",
            "db.collection.name": tables.checkpoints,
        }


def test_a_failure_is_an_error_of_request_and_call(telemetry: Telemetry, tables: Tables) -> None:
    refusal = Refusal("PutItem", "AccessDeniedException")
    with faulty_saver(tables, telemetry, refusal) as saver, pytest.raises(ServiceError):
        saver.put(config(THREAD), checkpoint("0003", a=SECRET), metadata(), {})
    request = telemetry.named(f"PutItem {tables.checkpoints}")
    of_call = telemetry.named("checkpointer put")
    for span, code in (
        (request, "AccessDeniedException"),
        (of_call, "langgraph_checkpoint_dynamodb.errors.ServiceError"),
    ):
        assert span.status.status_code is StatusCode.ERROR
        assert (span.attributes or {})["error.type"] == code
    assert (request.attributes or {})["db.response.status_code"] == "AccessDeniedException"
    (point,) = telemetry.points("db.client.operation.duration")
    assert point.attributes["error.type"] == "AccessDeniedException"


def test_a_condition_that_does_not_hold_is_no_error(telemetry: Telemetry, tables: Tables) -> None:
    tables.set_up()
    with tables.saver(on_request=telemetry.on_request) as saver:
        for _ in range(2):
            saver.put_writes(AT, [("a", 1)], "task")
    code = "ConditionalCheckFailedException"
    answered = [
        span
        for span in telemetry.spans
        if (span.attributes or {}).get("db.response.status_code") == code
    ]
    assert answered
    for span in telemetry.spans:
        assert span.status.status_code is StatusCode.UNSET
        assert "error.type" not in (span.attributes or {})
