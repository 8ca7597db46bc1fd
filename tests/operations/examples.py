"""Records, items, pages and errors that the tests of operations send and expect."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langgraph_checkpoint_dynamodb.errors import (
    ConditionFailedError,
    ServiceError,
    TransactionCanceledError,
)
from langgraph_checkpoint_dynamodb.format.expiry import Stamp
from langgraph_checkpoint_dynamodb.format.keys import CheckpointRef
from langgraph_checkpoint_dynamodb.format.parts import PartAddress, content_digest, object_key
from langgraph_checkpoint_dynamodb.format.ranges import SortRange
from langgraph_checkpoint_dynamodb.format.tables import Key, Table
from langgraph_checkpoint_dynamodb.items.checkpoints import CheckpointRecord, read_checkpoint_head
from langgraph_checkpoint_dynamodb.items.values import Serialized
from langgraph_checkpoint_dynamodb.items.write_plans import plan_write
from langgraph_checkpoint_dynamodb.items.writes import WriteRecord
from langgraph_checkpoint_dynamodb.items.writes_partition import part_put
from langgraph_checkpoint_dynamodb.ops.context import Context
from langgraph_checkpoint_dynamodb.payloads.kinds import Inline
from langgraph_checkpoint_dynamodb.payloads.policy import PayloadPolicy, S3Policy
from langgraph_checkpoint_dynamodb.requests.items import (
    BatchWrite,
    Delete,
    Page,
    Put,
    PutItem,
    Query,
)
from tests.support.values import checkpoint, metadata

if TYPE_CHECKING:
    from collections.abc import Iterable

    from langgraph_checkpoint_dynamodb.items.checkpoints import CheckpointHead
    from langgraph_checkpoint_dynamodb.requests.items import Item, StartKey, StoredItem
    from langgraph_checkpoint_dynamodb.requests.operations import Request

SERDE = JsonPlusSerializer()
NOW = 1_000_000
CONTEXT = Context(SERDE, PayloadPolicy(), Stamp("token", NOW))
CREATED: Any = {"N": str(NOW)}
NESTED = "!73d580a1148567000871c163ef0e1ea3:::"
"""The prefix of the sort keys of namespace `sub`."""
ROOT_RANGE = SortRange('"')


def record(
    checkpoint_id: str, parent_id: str | None = None, checkpoint_ns: str = "", **values: Any
) -> CheckpointRecord:
    """A checkpoint of thread `t`."""
    return CheckpointRecord(
        CheckpointRef("t", checkpoint_ns, checkpoint_id),
        parent_id,
        checkpoint=serialized(checkpoint(checkpoint_id, **values)),
        metadata=serialized(metadata()),
    )


def serialized(value: object) -> Serialized:
    tag, data = SERDE.dumps_typed(value)
    return Serialized(tag, Inline(data))


def checkpoint_item(one: CheckpointRecord, context: Context = CONTEXT) -> Put:
    """The item of a checkpoint."""
    return one.plan(context.payloads, context.stamp).put


def write_item(one: WriteRecord, ref: CheckpointRef, context: Context = CONTEXT) -> Put:
    """The item of a write on a checkpoint."""
    return plan_write(one, ref, context.payloads, context.stamp).put


def write(
    idx: int, task_id: str = "task", channel: str = "log", value: object = None
) -> WriteRecord:
    return WriteRecord(task_id, idx, channel, serialized(value))


def put(number: int, *, unless_exists: bool = False) -> Put:
    """A put of an item of the writes table."""
    sort = f"task:::{number}"
    item: Item = {
        "thread_id_checkpoint_id_checkpoint_ns": {"S": "t:::1:::"},
        "task_id_idx": {"S": sort},
    }
    return Put(Table.WRITES, Key("t:::1:::", sort), item, unless_exists)


def writes_query(checkpoint_id: str, checkpoint_ns: str = "") -> Query:
    """The query for the writes of a checkpoint of thread `t`."""
    return Query(Table.WRITES, f"t:::{checkpoint_id}:::{checkpoint_ns}", consistent=True)


def page(*puts: Put, after: str | None = None) -> Page:
    """A page of these items; `after` is the sort key after which the next page starts."""
    # Items are returned as they were sent.
    items = [cast("StoredItem", put.item) for put in puts]
    return Page(items, None if after is None else start_key(after))


def start_key(after: str) -> StartKey:
    """The start key of a page, in the form of the writes table for both tables."""
    return {"task_id_idx": {"S": after}}


def head_of(put: Put) -> CheckpointHead:
    return read_checkpoint_head(cast("StoredItem", put.item), NOW)


def transaction_canceled(*reasons: str) -> TransactionCanceledError:
    return TransactionCanceledError(
        code="TransactionCanceledException",
        operation="TransactWriteItems",
        table_name="",
        message="cancelled",
        reasons=reasons,
    )


def service_error(code: str) -> ServiceError:
    kind = ConditionFailedError if code == "ConditionalCheckFailedException" else ServiceError
    return kind(code=code, operation="PutItem", table_name="writes", message="no")


def first_wins(sort: str, attributes: Item) -> Put:
    """The conditional put of regular writes on the first checkpoint, under that sort key."""
    keys: Item = {
        "thread_id_checkpoint_id_checkpoint_ns": {"S": "t:::0001:::"},
        "task_id_idx": {"S": sort},
    }
    return Put(
        Table.WRITES,
        Key("t:::0001:::", sort),
        {**keys, **attributes},
        unless_exists=True,
        now=NOW,
        over_channels=("__error__", "__scheduled__", "__interrupt__", "__resume__"),
    )


def condition_failed(there: Put | None) -> ConditionFailedError:
    return ConditionFailedError(
        code="ConditionalCheckFailedException",
        operation="PutItem",
        table_name="",
        message="is there",
        item=None if there is None else cast("StoredItem", there.item),
    )


def query_of_task() -> Query:
    sort = SortRange("task:::", "task::;")
    return Query(Table.WRITES, "t:::0001:::", consistent=True, sort=sort)


def thread_of(length: int) -> list[Put]:
    """A chain of checkpoints 0001, 0002, ... with a write each."""
    ids = [f"{number:04}" for number in range(1, length + 1)]
    parents = [None, *ids[:-1]]
    chain = [record(id_, parent) for id_, parent in zip(ids, parents, strict=True)]
    writes = [write_item(write(0, value=one.ref.checkpoint_id), one.ref) for one in chain]
    return [*(checkpoint_item(one) for one in chain), *writes]


FIRST = CheckpointRef("t", "", "0001")
BYTES = bytes(range(250))
PIECES = [BYTES[:100], BYTES[100:200], BYTES[200:]]
IN_CHUNKS = replace(CONTEXT, payloads=PayloadPolicy(inline_limit=300, chunk_bytes=100))
IN_S3 = replace(CONTEXT, payloads=PayloadPolicy(s3=S3Policy("bucket", "states/", 200)))


def of_another_call(context: Context) -> Context:
    return replace(context, stamp=Stamp("another", NOW))


def checkpoint_of(data: bytes, meta: bytes = b"") -> CheckpointRecord:
    """A checkpoint with these serialized bytes."""
    return CheckpointRecord(
        FIRST, None, Serialized("bytes", Inline(data)), Serialized("bytes", Inline(meta))
    )


def write_of(data: bytes, idx: int = 0) -> WriteRecord:
    return WriteRecord("task", idx, "log", Serialized("bytes", Inline(data)))


def chunk_keys(stamp: str, data: bytes = BYTES) -> list[Key]:
    """Keys of the chunks of a value of the first checkpoint."""
    count = -(-len(data) // IN_CHUNKS.payloads.chunk_bytes)
    sorts = [f"chunk/{content_digest(data)}/{stamp}/{number:06}" for number in range(count)]
    return [Key("t:::0001:::", sort) for sort in sorts]


def chunk_puts(stamp: str) -> list[Request[Any]]:
    return [
        PutItem(
            Put(
                Table.WRITES,
                key,
                {
                    "thread_id_checkpoint_id_checkpoint_ns": {"S": key.partition},
                    "task_id_idx": {"S": key.sort},
                    "chunk": {"B": piece},
                    "created": CREATED,
                },
            )
        )
        for key, piece in zip(chunk_keys(stamp), PIECES, strict=True)
    ]


def chunks_description(stamp: str) -> Any:
    """The attribute that describes `BYTES` stored in chunks."""
    return {
        "M": {
            "kind": {"S": "chunks"},
            "digest": {"S": content_digest(BYTES)},
            "stamp": {"S": stamp},
            "size": {"N": "250"},
            "count": {"N": "3"},
        }
    }


def batch_delete(keys: Iterable[Key]) -> BatchWrite:
    return BatchWrite(tuple(Delete(Table.WRITES, key) for key in keys))


def items_with_parts(one: CheckpointRecord, context: Context) -> list[Put]:
    """The item of a checkpoint and the items of its parts."""
    planned = one.plan(context.payloads, context.stamp)
    return [planned.put, *(part_put(one.ref, part, context.stamp) for part in planned.parts)]


def s3_key(data: bytes, stamp: str) -> str:
    return object_key("states/", FIRST, PartAddress(content_digest(data), stamp))


def object_pointer(data: bytes, stamp: str) -> Put:
    """The put of the item that refers to an S3 object."""
    key = Key("t:::0001:::", f"object/{content_digest(data)}/{stamp}")
    item: Item = {
        "thread_id_checkpoint_id_checkpoint_ns": {"S": key.partition},
        "task_id_idx": {"S": key.sort},
        "bucket": {"S": "bucket"},
        "object_key": {"S": s3_key(data, stamp)},
        "created": CREATED,
    }
    return Put(Table.WRITES, key, item)


SMALL = replace(CONTEXT, payloads=PayloadPolicy(inline_limit=400, chunk_bytes=300))
"""Settings that store the checkpoints of these tests in chunks, and their writes inline."""
RELAXED = replace(SMALL, consistent=False)


def large(checkpoint_id: str, parent_id: str | None = None, **values: Any) -> CheckpointRecord:
    """A checkpoint that `SMALL` stores in chunks."""
    one = record(checkpoint_id, parent_id, filler="x" * 400, **values)
    assert len(items_with_parts(one, SMALL)) > 2
    return one
