"""`put_writes`: which write keeps its place, and the parts of rejected writes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from langgraph_checkpoint_dynamodb.format.keys import CheckpointRef
from langgraph_checkpoint_dynamodb.format.tables import Key, Table
from langgraph_checkpoint_dynamodb.items.values import Serialized
from langgraph_checkpoint_dynamodb.items.writes import WriteRecord
from langgraph_checkpoint_dynamodb.ops.write import put_writes
from langgraph_checkpoint_dynamodb.payloads.kinds import Inline
from langgraph_checkpoint_dynamodb.requests.items import GetItem, Put, PutItem, TransactPut
from tests.operations.examples import (
    BYTES,
    CONTEXT,
    CREATED,
    FIRST,
    IN_CHUNKS,
    NOW,
    batch_delete,
    chunk_keys,
    chunk_puts,
    chunks_description,
    condition_failed,
    first_wins,
    of_another_call,
    page,
    query_of_task,
    service_error,
    transaction_canceled,
    write,
    write_item,
    write_of,
)
from tests.operations.stepping import (
    ends_without_a_request,
    first_requests,
    puts_of,
    result_of,
    up_to_the_item,
)


def test_several_writes_are_one_transaction_and_only_regular_ones_keep_the_first_value() -> None:
    ref = CheckpointRef("t", "", "0001")
    records = [
        WriteRecord("task", 0, "log", Serialized("msgpack", Inline(b"0")), "path"),
        WriteRecord("task", -4, "__resume__", Serialized("msgpack", Inline(b"1"))),
    ]
    operation = put_writes(CONTEXT, ref, records)
    assert next(operation) == TransactPut(
        (
            Put(
                Table.WRITES,
                Key("t:::0001:::", "task:::-4"),
                {
                    "thread_id_checkpoint_id_checkpoint_ns": {"S": "t:::0001:::"},
                    "task_id_idx": {"S": "task:::-4"},
                    "channel": {"S": "__resume__"},
                    "type": {"S": "msgpack"},
                    "value": {"B": b"1"},
                    "created": CREATED,
                },
                unless_exists=False,
            ),
            first_wins(
                "task:::0",
                {
                    "channel": {"S": "log"},
                    "type": {"S": "msgpack"},
                    "value": {"B": b"0"},
                    "task_path": {"S": "path"},
                    "created": CREATED,
                },
            ),
        )
    )
    assert result_of(operation, None) is None


def put_of_call(*entries: tuple[int, bytes], **attributes: Any) -> Put:
    """The put of all regular writes of one call, as one item."""
    listed = [
        {"L": [{"N": str(idx)}, {"S": "log"}, {"S": "bytes"}, {"B": data}]} for idx, data in entries
    ]
    return first_wins("task:::0", {"writes": {"L": listed}, "created": CREATED, **attributes})


def test_the_regular_writes_of_a_call_are_one_item_that_is_put_alone() -> None:
    operation = put_writes(
        CONTEXT, FIRST, [write_of(b"0", 0), write_of(b"1", 1), write_of(b"3", 3)]
    )
    assert next(operation) == PutItem(put_of_call((0, b"0"), (1, b"1"), (3, b"3")))
    assert result_of(operation, None) is None


def test_a_single_write_beside_a_special_one_keeps_the_other_calls_of_its_task_out_too() -> None:
    operation = put_writes(CONTEXT, FIRST, [write_of(b"r", -4), write_of(b"1", 1)])
    request = next(operation)
    assert isinstance(request, TransactPut)
    assert request.puts[1] == put_of_call((1, b"1"))
    assert result_of(operation, None) is None


def test_a_call_whose_places_are_all_held_asks_for_nothing_more() -> None:
    there = put_of_call((0, b"a"), (1, b"b"), (2, b"c"))
    operation = put_writes(CONTEXT, FIRST, [write_of(b"0", 0), write_of(b"2", 2)])
    next(operation)
    with pytest.raises(StopIteration):
        operation.throw(condition_failed(there))


@pytest.mark.parametrize("told", [True, False])
def test_of_a_call_that_comes_too_late_only_places_nobody_holds_are_stored_each_alone(
    told: bool,
) -> None:
    """Place 0 gets a key of its own if other writes hold the key of the task."""
    there = put_of_call((1, b"a"))
    alone = first_wins(
        "task:::2",
        {"channel": {"S": "log"}, "type": {"S": "bytes"}, "value": {"B": b"b"}, "created": CREATED},
    )
    of_another = replace(alone, item={**alone.item, "task_id_idx": {"S": "task:::x:::3"}})
    operation = put_writes(CONTEXT, FIRST, [write_of(b"new", idx) for idx in range(4)])
    next(operation)
    assert operation.throw(condition_failed(there if told else None)) == query_of_task()
    rest = operation.send(page(there, alone, of_another))
    puts = puts_of(rest)
    assert [one.key.sort for one in puts] == ["task:::00", "task:::3"]
    assert all(one.unless_exists for one in puts)
    assert [one.item.get("value") for one in puts] == [{"B": b"new"}] * 2
    assert result_of(operation, None) is None


def test_of_a_call_that_comes_too_late_special_writes_are_stored_all_the_same() -> None:
    there = put_of_call((1, b"a"))
    operation = put_writes(CONTEXT, FIRST, [write_of(b"r", -4), write_of(b"1", 1)])
    next(operation)
    assert (
        operation.throw(transaction_canceled("None", "ConditionalCheckFailed")) == query_of_task()
    )
    special = operation.send(page(there))
    assert isinstance(special, PutItem)
    assert special.put.key.sort == "task:::-4"
    assert result_of(operation, None) is None


def test_what_no_longer_counts_holds_no_place() -> None:
    expired = put_of_call((0, b"a"), ttl={"N": str(NOW)})
    special: Any = {"channel": {"S": "__error__"}, "type": {"S": "bytes"}, "value": {"B": b""}}
    operation = put_writes(CONTEXT, FIRST, [write_of(b"0", 0), write_of(b"1", 1)])
    next(operation)
    assert operation.throw(condition_failed(expired)) == query_of_task()
    rest = operation.send(page(expired, first_wins("task:::1", special)))
    assert isinstance(rest, TransactPut)
    assert [one.key.sort for one in rest.puts] == ["task:::00", "task:::1"]
    assert result_of(operation, None) is None


@pytest.mark.parametrize(("idx", "conditional"), [(0, True), (-1, False)])
def test_a_single_write_is_a_plain_put_conditional_if_it_is_regular(
    idx: int, conditional: bool
) -> None:
    operation = put_writes(CONTEXT, CheckpointRef("t", "", "0001"), [write(idx)])
    request = next(operation)
    assert isinstance(request, PutItem)
    assert request.put.key == Key("t:::0001:::", f"task:::{idx}")
    assert request.put.unless_exists is conditional
    assert result_of(operation, None) is None


def test_no_writes_are_no_request() -> None:
    assert ends_without_a_request(put_writes(CONTEXT, CheckpointRef("t", "", "0001"), []))


def test_the_chunks_of_all_writes_of_a_call_are_put_side_by_side_before_the_transaction() -> None:
    operation = put_writes(IN_CHUNKS, FIRST, [write_of(BYTES, 0), write_of(BYTES, -1)])
    parts = first_requests(next(operation))
    assert parts == chunk_puts("token--1-value") + chunk_puts("token-0-value")
    request = operation.send([None] * 6)
    assert [one.item.get("value_payload") for one in puts_of(request)] == [
        chunks_description("token--1-value"),
        chunks_description("token-0-value"),
    ]
    assert result_of(operation, None) is None


THERE = {
    "nothing": None,
    "another inline": write_item(write_of(b"first"), FIRST),
    "another in chunks": write_item(write_of(BYTES), FIRST, of_another_call(IN_CHUNKS)),
    "its own": write_item(write_of(BYTES), FIRST, IN_CHUNKS),
}


@pytest.mark.parametrize("there", THERE.values(), ids=THERE)
def test_the_parts_of_a_write_that_came_too_late_are_deleted_unless_it_is_there_itself(
    there: Put | None,
) -> None:
    operation = put_writes(IN_CHUNKS, FIRST, [write_of(BYTES)])
    late = up_to_the_item(operation)
    assert operation.throw(transaction_canceled("ConditionalCheckFailed")) == query_of_task()
    if there is None:
        # The item was deleted in the meantime.
        (again,) = puts_of(operation.send(page()))
        assert again.key.sort == "task:::00"
        assert again.item.get("value_payload") == late.item.get("value_payload")
        assert result_of(operation, None) is None
        return
    if there == late:
        # An earlier attempt of the same request has taken effect.
        assert result_of(operation, page(there)) is None
        return
    assert operation.send(page(there)) == batch_delete(chunk_keys("token-0-value"))
    assert result_of(operation, ()) is None


def test_the_parts_of_a_write_that_loses_its_place_in_the_end_are_deleted_too() -> None:
    operation = put_writes(IN_CHUNKS, FIRST, [write_of(BYTES, 0), write_of(BYTES, 1)])
    next(operation)
    operation.send([None] * 6)
    operation.throw(transaction_canceled("ConditionalCheckFailed"))
    (rest,) = puts_of(operation.send(page(write_item(write_of(b"first"), FIRST))))
    assert rest.key.sort == "task:::1"
    gone = operation.throw(transaction_canceled("ConditionalCheckFailed"))
    assert gone == batch_delete(chunk_keys("token-0-value"))
    assert operation.send(()) == GetItem(Table.WRITES, rest.key, consistent=True)
    assert operation.send(None) == batch_delete(chunk_keys("token-1-value"))
    assert result_of(operation, ()) is None


def test_a_failure_to_clean_up_after_a_write_that_came_too_late_is_logged_and_no_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    operation = put_writes(IN_CHUNKS, FIRST, [write_of(BYTES)])
    up_to_the_item(operation)
    operation.throw(transaction_canceled("ConditionalCheckFailed"))
    operation.send(page(write_item(write_of(b"first"), FIRST)))
    with pytest.raises(StopIteration):
        operation.throw(service_error("AccessDeniedException"))
    assert [logged.levelname for logged in caplog.records] == ["WARNING"]
