"""`put`: a checkpoint, its chunks and its objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from langgraph_checkpoint_dynamodb.errors import ServiceError
from langgraph_checkpoint_dynamodb.format.keys import CheckpointRef
from langgraph_checkpoint_dynamodb.format.parts import content_digest
from langgraph_checkpoint_dynamodb.format.tables import Key, Table
from langgraph_checkpoint_dynamodb.items.checkpoints import CheckpointRecord
from langgraph_checkpoint_dynamodb.items.values import Serialized
from langgraph_checkpoint_dynamodb.ops.write import put_checkpoint, put_writes
from langgraph_checkpoint_dynamodb.payloads.kinds import Inline
from langgraph_checkpoint_dynamodb.requests.items import BatchWrite, Put, PutItem, TransactPut
from langgraph_checkpoint_dynamodb.requests.objects import DeleteObjects, PutObject
from tests.operations.examples import (
    BYTES,
    CONTEXT,
    FIRST,
    IN_CHUNKS,
    IN_S3,
    NESTED,
    batch_delete,
    checkpoint_of,
    chunk_keys,
    chunk_puts,
    chunks_description,
    object_pointer,
    of_another_call,
    s3_key,
    service_error,
    write_of,
)
from tests.operations.in_memory import InMemoryTables
from tests.operations.stepping import first_requests, puts_of, result_of, up_to_the_item

if TYPE_CHECKING:
    from collections.abc import Callable

    from langgraph_checkpoint_dynamodb.ops.context import Context
    from langgraph_checkpoint_dynamodb.requests.operations import Operation


def test_put_is_one_request_with_exactly_the_documented_attributes() -> None:
    operation = put_checkpoint(
        CONTEXT,
        CheckpointRecord(
            CheckpointRef("t", "", "0002"),
            parent_id="0001",
            checkpoint=Serialized("msgpack", Inline(b"state")),
            metadata=Serialized("msgpack", Inline(b"meta")),
            run_id="run",
        ),
    )
    assert next(operation) == PutItem(
        Put(
            Table.CHECKPOINTS,
            Key("t", "0002"),
            {
                "thread_id": {"S": "t"},
                "checkpoint_id": {"S": "0002"},
                "checkpoint_ns": {"S": ""},
                "parent_checkpoint_id": {"S": "0001"},
                "type": {"S": "msgpack"},
                "checkpoint": {"B": b"state"},
                "metadata": {"B": b"meta"},
                "run_id": {"S": "run"},
            },
        )
    )
    assert result_of(operation, None) is None


def test_put_leaves_out_what_a_first_nested_checkpoint_without_a_run_does_not_have() -> None:
    operation = put_checkpoint(
        CONTEXT,
        CheckpointRecord(
            CheckpointRef("t", "sub", "0001"),
            parent_id=None,
            checkpoint=Serialized("msgpack", Inline(b"state")),
            metadata=Serialized("json", Inline(b"meta")),
        ),
    )
    assert next(operation) == PutItem(
        Put(
            Table.CHECKPOINTS,
            Key("t", NESTED + "0001"),
            {
                "thread_id": {"S": "t"},
                "checkpoint_id": {"S": NESTED + "0001"},
                "checkpoint_ns": {"S": "sub"},
                "type": {"S": "msgpack"},
                "checkpoint": {"B": b"state"},
                "metadata": {"B": b"meta"},
                "metadata_type": {"S": "json"},
            },
        )
    )


def test_the_chunks_of_a_checkpoint_are_put_side_by_side_before_its_item() -> None:
    operation = put_checkpoint(IN_CHUNKS, checkpoint_of(BYTES, b"meta"))
    assert first_requests(next(operation)) == chunk_puts("token-checkpoint")
    own = Put(
        Table.CHECKPOINTS,
        Key("t", "0001"),
        {
            "thread_id": {"S": "t"},
            "checkpoint_id": {"S": "0001"},
            "checkpoint_ns": {"S": ""},
            "type": {"S": "bytes"},
            "checkpoint_payload": chunks_description("token-checkpoint"),
            "metadata": {"B": b"meta"},
        },
    )
    # The SDK's retry of a transaction does not overwrite later changes of other calls.
    assert operation.send([None] * 3) == TransactPut((own,))
    assert result_of(operation, None) is None


def test_equal_values_of_one_checkpoint_have_parts_of_their_own() -> None:
    operation = put_checkpoint(IN_CHUNKS, checkpoint_of(BYTES, BYTES))
    parts = first_requests(next(operation))
    assert parts == chunk_puts("token-checkpoint") + chunk_puts("token-metadata")
    request = operation.send([None] * 6)
    assert puts_of(request)[0].item.get("metadata_payload") == chunks_description("token-metadata")


def test_a_checkpoint_that_is_refused_in_the_end_has_no_part_deleted() -> None:
    # The item may be stored anyway: a lost response is an error too.
    operation = put_checkpoint(IN_CHUNKS, checkpoint_of(BYTES))
    up_to_the_item(operation)
    with pytest.raises(ServiceError, match="InternalServerError"):
        operation.throw(service_error("InternalServerError"))


put_again_both_ways = pytest.mark.parametrize(
    "put_again",
    [
        lambda context, data: put_checkpoint(context, checkpoint_of(data)),
        lambda context, data: put_writes(context, FIRST, [write_of(data, -4)]),
    ],
    ids=["checkpoint", "special write"],
)


@put_again_both_ways
def test_the_old_parts_are_deleted_after_the_new_item(
    put_again: Callable[[Context, bytes], Operation[None]],
) -> None:
    old = up_to_the_item(put_again(of_another_call(IN_CHUNKS), BYTES))
    operation = put_again(IN_CHUNKS, b"small")
    new = next(operation)
    assert isinstance(new, PutItem)
    assert new.put.key == old.key
    value = "checkpoint" if old.table is Table.CHECKPOINTS else "-4-value"
    assert operation.send(old.item) == batch_delete(chunk_keys(f"another-{value}"))
    assert result_of(operation, ()) is None


@put_again_both_ways
def test_of_a_large_value_put_again_no_part_is_deleted_since_nobody_tells_which_were_there(
    put_again: Callable[[Context, bytes], Operation[None]],
) -> None:
    operation = put_again(IN_CHUNKS, BYTES)
    up_to_the_item(operation)
    assert result_of(operation, None) is None


@put_again_both_ways
def test_an_old_item_that_cannot_be_read_is_replaced_all_the_same(
    put_again: Callable[[Context, bytes], Operation[None]],
) -> None:
    operation = put_again(IN_CHUNKS, b"small")
    new = next(operation)
    assert isinstance(new, PutItem)
    damaged = {"checkpoint_payload": {"S": "damaged"}, "value_payload": {"M": {}}}
    assert result_of(operation, {**new.put.item, **damaged}) is None


@put_again_both_ways
def test_old_parts_that_cannot_be_deleted_are_logged_and_no_error(
    put_again: Callable[[Context, bytes], Operation[None]], caplog: pytest.LogCaptureFixture
) -> None:
    old = up_to_the_item(put_again(of_another_call(IN_CHUNKS), BYTES))
    operation = put_again(IN_CHUNKS, b"small")
    next(operation)
    assert isinstance(operation.send(old.item), BatchWrite)
    with pytest.raises(StopIteration):
        operation.throw(service_error("AccessDeniedException"))
    (logged,) = caplog.records
    assert logged.levelname == "WARNING"
    assert "'0001' of thread 't'" in logged.getMessage()
    assert "AccessDeniedException" in logged.getMessage()


def test_an_object_is_put_after_what_leads_there_and_before_what_refers_to_it() -> None:
    operation = put_checkpoint(IN_S3, checkpoint_of(BYTES))
    stamp = "token-checkpoint"
    assert next(operation) == PutItem(object_pointer(BYTES, stamp))
    assert operation.send(None) == PutObject("bucket", s3_key(BYTES, stamp), BYTES)
    request = operation.send(None)
    (own,) = puts_of(request)
    assert own.key == Key("t", "0001")
    assert own.item.get("checkpoint_payload") == {
        "M": {
            "kind": {"S": "s3"},
            "digest": {"S": content_digest(BYTES)},
            "stamp": {"S": stamp},
            "size": {"N": "250"},
            "bucket": {"S": "bucket"},
            "key": {"S": s3_key(BYTES, stamp)},
        }
    }
    assert result_of(operation, None) is None


def test_several_objects_are_put_side_by_side() -> None:
    operation = put_checkpoint(IN_S3, checkpoint_of(BYTES, BYTES[::-1]))
    assert first_requests(next(operation)) == [
        PutItem(object_pointer(BYTES, "token-checkpoint")),
        PutItem(object_pointer(BYTES[::-1], "token-metadata")),
    ]


def test_the_object_of_a_replaced_checkpoint_is_deleted_before_the_item_that_leads_there() -> None:
    memory = InMemoryTables([])
    memory.run(put_checkpoint(of_another_call(IN_S3), checkpoint_of(BYTES)))
    memory.asked.clear()
    memory.run(put_checkpoint(IN_S3, checkpoint_of(b"small")))
    assert memory.asked[-2:] == [
        DeleteObjects("bucket", (s3_key(BYTES, "another-checkpoint"),)),
        batch_delete([object_pointer(BYTES, "another-checkpoint").key]),
    ]
    assert memory.objects == {}
    assert list(memory.items) == [(Table.CHECKPOINTS, Key("t", "0001"))]
