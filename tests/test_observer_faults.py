"""Observers are notified of failed, throttled, retried and unprocessed requests."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from langgraph_checkpoint_dynamodb import ReplyError, ServiceError
from langgraph_checkpoint_dynamodb.runners import observed
from tests.support.calls import SyncCalls
from tests.support.faults import SDK_ATTEMPTS, Answer, EachOnce, LostAnswers, Refusal, faulty
from tests.support.savers import native
from tests.support.values import checkpoint, config, metadata, put_chain
from tests.support.watched import AT, SECRET, THREAD, Calls

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb import RequestInfo
    from tests.support.faults import Fault
    from tests.support.savers import Saver
    from tests.support.tables import Tables

BUSY = "ThrottlingException"
REASON = {"reason": "TableWriteKeyRangeThroughputExceeded", "resource": "arn:aws:dynamodb:table/t"}


pytestmark = pytest.mark.usefixtures("skipped_waits")


@pytest.fixture(autouse=True)
def _made(tables: Tables) -> None:
    tables.set_up()


def put(saver: Saver) -> None:
    saver.put(config(THREAD), checkpoint("0001", secret=SECRET), metadata(), {})


@pytest.mark.parametrize(
    ("code", "field"),
    [(BUSY, "throttlingReasons"), ("ProvisionedThroughputExceededException", "ThrottlingReasons")],
)
def test_a_request_that_was_throttled_and_retried_tells_how_often_and_why(
    tables: Tables, code: str, field: str
) -> None:
    told: list[RequestInfo] = []
    fields: dict[str, Any] = {field: [REASON]}
    refusal = Refusal("PutItem", code, times=2, **fields)
    with tables.saver(on_request=told.append, **faulty(tables, refusal)) as saver:
        put(saver)
    (one,) = told
    assert (one.attempts, one.attempt_errors, one.throttles) == (3, (code, code), 2)
    assert one.throttling_reasons == (REASON["reason"],)
    assert one.error_code is None
    assert not one.failed
    assert one.write_units == (1 if tables.engine.faithful else one.write_units)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Refusal("PutItem", BUSY, throttlingReasons=[REASON]), BUSY),
        (LostAnswers(None), "ReadTimeoutError"),
    ],
    ids=["throttled", "unanswered"],
)
def test_a_request_that_fails_tells_with_what(tables: Tables, fault: Fault, code: str) -> None:
    told: list[RequestInfo] = []
    calls = Calls()
    for on_request in (told.append, calls):
        with tables.saver(on_request=on_request, **faulty(tables, fault)) as saver:
            with pytest.raises(ServiceError) as raised:
                put(saver)
            assert raised.value.code == code
    for one in told:
        assert (one.error_code, one.failed, one.attempts) == (code, True, SDK_ATTEMPTS)
        assert one.attempt_errors == (code,) * SDK_ATTEMPTS
    # Above the SDK, the saver retries throttled requests.
    assert calls.told == [
        "put begins", *["put asks"] * len(told), f"put ends with {raised.type.__name__}"
    ]  # fmt: skip


@pytest.mark.skipif(native(), reason="its clients belong to event loops, and none is passed in")
def test_a_client_that_was_passed_in_tells_of_the_last_attempt(tables: Tables) -> None:
    told: list[RequestInfo] = []
    settings = faulty(tables, Refusal("GetItem", BUSY, throttlingReasons=[REASON]))
    client = settings["session"].client(
        "dynamodb", endpoint_url=tables.engine.url, config=settings["boto_config"]
    )
    with (
        tables.saver(client=client, on_request=told.append) as saver,
        pytest.raises(ServiceError, match=BUSY),
    ):
        saver.get_thread("t")
    handlers = client.meta.events._emitter._handlers.prefix_search("response-received.dynamodb.X")
    assert observed._note not in handlers
    client.close()
    (one,) = told
    assert (one.attempts, one.attempt_errors) == (SDK_ATTEMPTS, (BUSY,))
    assert one.throttling_reasons == (REASON["reason"],)


def test_what_comes_back_undone_is_counted(tables: Tables) -> None:
    told: list[RequestInfo] = []
    leftovers = EachOnce()
    with tables.saver(on_request=told.append, **faulty(tables, leftovers)) as saver:
        put_chain(SyncCalls(saver), THREAD, 5)
        saver.delete_thread(THREAD)
    assert sum(one.unprocessed for one in told) == leftovers.left > 0
    assert not any(one.failed for one in told)


def test_a_condition_that_does_not_hold_is_told_and_is_no_failure(tables: Tables) -> None:
    told: list[RequestInfo] = []
    special = [("a", 1), ("__error__", "e")]
    with tables.saver(on_request=told.append) as saver:
        for writes in ([("a", 1)], [("a", 1)], special):
            saver.put_writes(AT, writes, "task")
    codes = [one.error_code for one in told if one.error_code]
    assert set(codes) == {"ConditionalCheckFailedException", "TransactionCanceledException"}
    cancelled = [one for one in told if one.error_code == "TransactionCanceledException"]
    assert {one.cancellation_reasons for one in cancelled} == {("ConditionalCheckFailed",)}
    assert not any(one.failed for one in told)


def test_an_answer_that_is_none_to_its_request_is_told_as_a_failure(tables: Tables) -> None:
    told: list[RequestInfo] = []
    page = Answer("Query", b"<html></html>", content_type="text/html")
    with (
        tables.saver(on_request=told.append, **faulty(tables, page)) as saver,
        pytest.raises(ReplyError),
    ):
        saver.get_tuple(config(THREAD))
    assert [(one.error_code, one.failed, one.attempts) for one in told] == [("WrongReply", True, 1)]


def test_the_log_says_what_went_wrong(tables: Tables, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="langgraph_checkpoint_dynamodb.requests")
    refusal = Refusal("PutItem", BUSY, times=1, throttlingReasons=[REASON])
    with tables.saver(on_request=Calls(), **faulty(tables, refusal)) as saver:
        put(saver)
    (line,) = [record.getMessage() for record in caplog.records]
    assert "; attempts 2; " in line
    assert line.endswith(
        "errors ThrottlingException; throttled by TableWriteKeyRangeThroughputExceeded"
    )
