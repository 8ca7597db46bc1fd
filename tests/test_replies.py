"""Responses that cannot belong to the request: damaged, mixed up, or those of another request."""

from __future__ import annotations

import json
from binascii import crc32
from typing import TYPE_CHECKING, Any

import pytest

from langgraph_checkpoint_dynamodb import ReplyError, ServiceError
from langgraph_checkpoint_dynamodb.format.tables import SAVER_TABLES, SPECS, Table
from tests.support.faults import SDK_ATTEMPTS, Answer, faulty
from tests.support.savers import native
from tests.support.values import checkpoint, config, metadata

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.buckets import Bucket
    from tests.support.savers import Saver
    from tests.support.tables import Tables

RUN_INDEX = "by-run"
HTML = b"<html><body>Please sign in to use this network.</body></html>"
AT = config("t", "", "0001")


pytestmark = pytest.mark.usefixtures("skipped_waits")


@pytest.fixture
def made(tables: Tables) -> Tables:
    """Tables with an index, a TTL and a checkpoint with writes."""
    tables.set_up(run_id_index=RUN_INDEX, ttl_seconds=1000)
    with tables.boto_saver() as plain:
        plain.put(config("t"), checkpoint("0001", text="old"), metadata(run_id="run"), {})
        plain.put_writes(AT, [("a", 1)], "task")
    return tables


def put(saver: Saver) -> object:
    return saver.put(config("t"), checkpoint("0001", text="new"), metadata(run_id="run"), {})


CALLS: dict[str, Callable[[Saver], object]] = {
    "GetItem": lambda saver: saver.get_tuple(AT),
    "Query": lambda saver: saver.get_tuple(config("t")),
    "Scan": lambda saver: list(saver.list(None)),
    "PutItem": put,
    "TransactWriteItems": lambda saver: saver.put_writes(AT, [("a", 1), ("__error__", 2)], "other"),
    "BatchWriteItem": lambda saver: saver.delete_thread("t"),
    "DescribeTable": lambda saver: saver.setup(),
    "DescribeTimeToLive": lambda saver: saver.setup(),
}


def refused(tables: Tables, answer: Answer, call: Callable[[Saver], object]) -> ReplyError:
    """The error of a call when one of its requests gets this response."""
    settings = {"run_id_index": RUN_INDEX, "ttl_seconds": 1000, **faulty(tables, answer)}
    with tables.saver(**settings) as saver, pytest.raises(ReplyError) as caught:
        pytest.fail(f"returned {call(saver)!r}")
    assert answer.given >= 1
    return caught.value


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize("action", CALLS)
def test_a_page_of_html_in_place_of_an_answer_is_an_error(
    made: Tables, action: str, announced: bool
) -> None:
    answer = Answer(action, HTML, content_type="text/html" if announced else "")
    error = refused(made, answer, CALLS[action])
    assert error.operation == action
    assert "may have taken effect" in str(error)
    assert "repeat" in str(error)


@pytest.mark.parametrize(
    "action", ["Query", "Scan", "BatchWriteItem", "DescribeTable", "DescribeTimeToLive"]
)
def test_an_answer_without_what_it_must_have_is_an_error(made: Tables, action: str) -> None:
    error = refused(made, Answer(action, b"{}"), CALLS[action])
    assert error.operation == action
    assert "has no" in error.problem


@pytest.mark.parametrize("action", ["CreateTable", "UpdateTimeToLive"])
def test_an_empty_answer_to_the_making_of_tables_is_an_error(tables: Tables, action: str) -> None:
    assert refused(tables, Answer(action, b"{}"), lambda saver: saver.setup()).operation == action


def test_an_empty_answer_to_the_making_of_an_index_is_an_error(tables: Tables) -> None:
    tables.set_up()
    answer = Answer("UpdateTable", b"{}")
    assert refused(tables, answer, lambda saver: saver.setup()).operation == "UpdateTable"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b'"text"',
        b'{"Item": {"thread_id": {"S": "t"}',
        b'{"Item": {"checkpoint": {"B": "!"}}}',
        b'{"Item": 5}',
        b'{"Item": {"thread_id": {"S": "\xff"}}}',
    ],
)
def test_a_body_that_the_sdk_cannot_read_is_an_error_and_not_an_absent_checkpoint(
    made: Tables, body: bytes
) -> None:
    assert refused(made, Answer("GetItem", body), CALLS["GetItem"]).operation == "GetItem"


def test_a_body_that_was_cut_off_is_an_error_and_not_an_absent_checkpoint(made: Tables) -> None:
    # What was received may happen to be a valid JSON object.
    answer = Answer("GetItem", b"{}", content_length="4711")
    assert "4711 were announced" in refused(made, answer, CALLS["GetItem"]).problem


def test_an_answer_with_another_checksum_is_asked_for_again_and_then_an_error(
    made: Tables,
) -> None:
    answer = Answer("GetItem", b"{}", x_amz_crc32=str(crc32(b"{...}")))
    assert "checksum" in refused(made, answer, CALLS["GetItem"]).problem
    assert answer.given == SDK_ATTEMPTS


def test_an_answer_with_another_checksum_is_asked_for_again_until_it_is_right(
    made: Tables,
) -> None:
    answer = Answer("GetItem", b'{"It', times=2, x_amz_crc32="1")
    with made.saver(**faulty(made, answer)) as saver:
        found = saver.get_tuple(AT)
    assert found is not None
    assert found.checkpoint["channel_values"] == {"text": "old"}
    assert answer.given == 2


def test_an_answer_with_its_own_checksum_is_taken(made: Tables) -> None:
    answer = Answer("GetItem", b"{}", x_amz_crc32=str(crc32(b"{}")), content_length="2")
    with made.saver(**faulty(made, answer)) as saver:
        assert saver.get_tuple(AT) is None


# --- responses to other requests ---


def stored(tables: Tables, table: Table, **keys: str) -> dict[str, Any]:
    """A stored item with other keys. Its binary values are in wire format."""
    items = tables.checkpoint_items() if table is Table.CHECKPOINTS else tables.write_items()
    wire = {name: value for name, value in items[0].items() if "B" not in value}
    return {**wire, **{name: {"S": value} for name, value in keys.items()}}


def body(**fields: object) -> bytes:
    return json.dumps(fields).encode()


@pytest.mark.parametrize("part", ["thread_id", "checkpoint_id"])
def test_the_item_of_another_key_is_an_error(made: Tables, part: str) -> None:
    item = stored(made, Table.CHECKPOINTS, **{part: "another"})
    error = refused(made, Answer("GetItem", body(Item=item)), CALLS["GetItem"])
    assert "another key" in error.problem
    assert error.table_name == made.checkpoints


def test_an_item_of_another_key_that_was_replaced_is_an_error(made: Tables) -> None:
    item = stored(made, Table.CHECKPOINTS, thread_id="another")
    assert "another key" in refused(made, Answer("PutItem", body(Attributes=item)), put).problem


@pytest.mark.parametrize("table", SAVER_TABLES)
def test_one_item_of_another_partition_among_those_of_a_query_is_an_error(
    made: Tables, table: Table
) -> None:
    key = SPECS[table].partition_key
    right, wrong = stored(made, table), stored(made, table, **{key: "another"})
    error = refused(
        made,
        Answer("Query", body(Items=[right, wrong])),
        CALLS["Query" if table is Table.CHECKPOINTS else "GetItem"],
    )
    assert key in error.problem


def test_a_page_that_goes_on_in_another_partition_is_an_error(made: Tables) -> None:
    last = {"thread_id": {"S": "another"}, "checkpoint_id": {"S": "0001"}}
    answer = Answer("Query", body(Items=[], LastEvaluatedKey=last))
    assert "thread_id" in refused(made, answer, CALLS["Query"]).problem


def test_the_checkpoints_of_another_run_are_an_error_and_are_not_deleted(made: Tables) -> None:
    item = {name: {"S": "x"} for name in ("thread_id", "checkpoint_id", "run_id")}
    answer = Answer("Query", body(Items=[item]))
    error = refused(made, answer, lambda saver: saver.delete_for_runs(["run"]))
    assert "run_id" in error.problem
    assert len(made.checkpoint_items()) == 1


@pytest.mark.parametrize(
    ("table", "request_"),
    [
        ("writes", {"DeleteRequest": {"Key": {}}}),
        ("writes", {}),
        ("unknown", {"DeleteRequest": {"Key": {}}}),
        ("writes", None),
    ],
)
def test_changes_handed_back_that_were_not_sent_are_an_error(
    made: Tables, table: str, request_: Any
) -> None:
    spec = SPECS[Table.WRITES]
    another = {spec.partition_key: {"S": "another"}, spec.sort_key: {"S": "one"}}
    left = {"DeleteRequest": {"Key": another}} if request_ is None else request_
    name = {"writes": made.writes}.get(table, table)
    answer = Answer("BatchWriteItem", body(UnprocessedItems={name: [left]}))
    assert "hands back" in refused(made, answer, CALLS["BatchWriteItem"]).problem


def test_the_description_of_another_table_is_an_error(made: Tables) -> None:
    answer = Answer("DescribeTable", body(Table={"TableName": "another"}))
    assert "another" in refused(made, answer, CALLS["DescribeTable"]).problem


# --- S3 ---


@pytest.fixture
def offloaded(made: Tables, bucket: Bucket) -> Bucket:
    """A bucket that holds the values of a checkpoint."""
    with made.saver(**{**made.quick(bucket), "s3_offload_config": bucket.config(0)}) as saver:
        put(saver)
    return bucket


@pytest.mark.parametrize(
    ("action", "call"),
    [
        ("PutObject", put),
        ("CopyObject", lambda saver: saver.copy_thread("t", "u")),
        ("DeleteObjects", lambda saver: saver.delete_thread("t")),
    ],
)
@pytest.mark.parametrize("said", [HTML, b"<p>not closed", b"text"])
def test_an_answer_of_s3_that_is_none_to_what_was_asked_is_an_error(
    made: Tables, offloaded: Bucket, action: str, call: Callable[[Saver], object], said: bytes
) -> None:
    answer = Answer(action, said)
    settings = faulty(made, answer, bucket=offloaded)
    before = len(offloaded.objects())
    with (
        made.saver(**settings, s3_offload_config=offloaded.config(0)) as saver,
        pytest.raises(ServiceError) as caught,
    ):
        call(saver)
    assert caught.value.operation == action
    # The SDK treats anything but XML as a server error, and retries.
    assert isinstance(caught.value, ReplyError) or caught.value.code == "500"
    assert len(offloaded.objects()) == before


# --- clients passed in ---


@pytest.mark.skipif(native(), reason="clients cannot be passed in there")
def test_the_clients_that_are_passed_in_have_no_handler_of_ours(tables: Tables) -> None:
    seen: list[str] = []
    register = tables.client.meta.events.register
    try:
        tables.client.meta.events.register = lambda event, *_, **__: seen.append(event)  # type: ignore[method-assign]  # to watch it
        with tables.boto_saver(client=tables.client) as saver:
            saver.setup()
            saver.get_tuple(AT)
    finally:
        tables.client.meta.events.register = register  # type: ignore[method-assign]  # as it was
    assert seen == []
