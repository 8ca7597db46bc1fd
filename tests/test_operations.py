"""Operations by hand: their requests one by one, and what they make of each reply. No engine.

The first half sends replies itself; the second lets a few lines of memory answer, where what counts
is the order of many requests.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

import pytest
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langgraph_checkpoint_dynamodb.errors import (
    ConditionFailedError,
    ItemTooLargeError,
    MissingPartError,
    ServiceError,
    TransactionCanceledError,
    UnprocessedItemsError,
    UnreadableItemError,
)
from langgraph_checkpoint_dynamodb.format.addressing import Address
from langgraph_checkpoint_dynamodb.format.keys import CheckpointRef
from langgraph_checkpoint_dynamodb.format.life import MARGIN, Stamp
from langgraph_checkpoint_dynamodb.format.parts import PartAddress, content_digest, object_key
from langgraph_checkpoint_dynamodb.format.ranges import SortRange
from langgraph_checkpoint_dynamodb.format.tables import Key, Table
from langgraph_checkpoint_dynamodb.items.checkpoints import (
    CHECKPOINT_KEYS,
    CheckpointRecord,
    read_checkpoint_head,
)
from langgraph_checkpoint_dynamodb.items.values import Serialized
from langgraph_checkpoint_dynamodb.items.write_plans import plan_write
from langgraph_checkpoint_dynamodb.items.writes import WriteRecord
from langgraph_checkpoint_dynamodb.items.writes_partition import (
    WRITE_REFERENCES,
    mark_put,
    part_put,
)
from langgraph_checkpoint_dynamodb.ops.copy import copy_thread
from langgraph_checkpoint_dynamodb.ops.delete import delete_for_runs, delete_thread
from langgraph_checkpoint_dynamodb.ops.history import get_delta_channel_history
from langgraph_checkpoint_dynamodb.ops.listing import Wanted, list_thread
from langgraph_checkpoint_dynamodb.ops.read import get_tuple
from langgraph_checkpoint_dynamodb.ops.store import Store
from langgraph_checkpoint_dynamodb.ops.write import put_checkpoint, put_writes
from langgraph_checkpoint_dynamodb.payloads.kinds import Inline
from langgraph_checkpoint_dynamodb.payloads.policy import PayloadPolicy, S3Policy
from langgraph_checkpoint_dynamodb.requests.calls import (
    ATTEMPTS,
    Outcome,
    put_atomically,
    query_all,
    write_all,
    write_in_order,
)
from langgraph_checkpoint_dynamodb.requests.items import (
    BatchWrite,
    Delete,
    GetItem,
    Page,
    Prolong,
    Put,
    PutItem,
    Query,
    QueryRunIndex,
    TransactPut,
)
from langgraph_checkpoint_dynamodb.requests.objects import (
    CopyObject,
    DeleteObjects,
    GetObject,
    PutObject,
)
from langgraph_checkpoint_dynamodb.requests.operations import (
    Backoff,
    Compute,
    Concurrently,
    Emit,
    Request,
)
from tests.support.values import checkpoint, config, metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from langgraph_checkpoint_dynamodb.items.checkpoints import CheckpointHead
    from langgraph_checkpoint_dynamodb.requests.items import Item, StartKey, StoredItem
    from langgraph_checkpoint_dynamodb.requests.operations import Operation, Stream
    from tests.support.calls import Calls
    from tests.support.tables import Tables

T = TypeVar("T")

SERDE = JsonPlusSerializer()
NOW = 1_000_000
STORE = Store(SERDE, PayloadPolicy(), Stamp("token", NOW))
CREATED: Any = {"N": str(NOW)}
NESTED = "!73d580a1148567000871c163ef0e1ea3:::"
"""What the sort keys of namespace `sub` begin with."""
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


def stored(one: CheckpointRecord, store: Store = STORE) -> Put:
    """The item of a checkpoint."""
    return one.plan(store.payloads, store.stamp).put


def beside(one: WriteRecord, ref: CheckpointRef, store: Store = STORE) -> Put:
    """The item of a write on a checkpoint."""
    return plan_write(one, ref, store.payloads, store.stamp).put


def write(
    idx: int, task_id: str = "task", channel: str = "log", value: object = None
) -> WriteRecord:
    return WriteRecord(task_id, idx, channel, serialized(value))


def put(number: int, *, unless_exists: bool = False) -> Put:
    """Some item of the writes table."""
    sort = f"task:::{number}"
    item: Item = {
        "thread_id_checkpoint_id_checkpoint_ns": {"S": "t:::1:::"},
        "task_id_idx": {"S": sort},
    }
    return Put(Table.WRITES, Key("t:::1:::", sort), item, unless_exists)


def writes_query(checkpoint_id: str, checkpoint_ns: str = "") -> Query:
    """How a reader asks for the writes of a checkpoint of thread `t`."""
    return Query(Table.WRITES, f"t:::{checkpoint_id}:::{checkpoint_ns}", consistent=True)


def page(*puts: Put, after: str | None = None) -> Page:
    """A page of these items; with `after`, more are to come."""
    # What was stored comes back as it was sent.
    items = [cast("StoredItem", put.item) for put in puts]
    return Page(items, None if after is None else start_key(after))


def start_key(after: str) -> StartKey:
    """Where a page begins: whatever the table, in the terms of the writes table."""
    return {"task_id_idx": {"S": after}}


def head_of(put: Put) -> CheckpointHead:
    return read_checkpoint_head(cast("StoredItem", put.item), NOW)


def cancelled(*reasons: str) -> TransactionCanceledError:
    return TransactionCanceledError(
        code="TransactionCanceledException",
        operation="TransactWriteItems",
        table_name="",
        message="cancelled",
        reasons=reasons,
    )


def refused(code: str) -> ServiceError:
    kind = ConditionFailedError if code == "ConditionalCheckFailedException" else ServiceError
    return kind(code=code, operation="PutItem", table_name="writes", message="no")


def result_of(operation: Operation[T] | Stream[Any], last_reply: object) -> Any:
    """What an operation returns on the reply to its last request."""
    with pytest.raises(StopIteration) as stop:
        operation.send(last_reply)
    return stop.value.value


def refuse_for_ever(
    operation: Operation[Any], error: ServiceError, attempts: list[Request[Any]]
) -> None:
    while True:
        attempts.append(next(operation))
        assert isinstance(operation.throw(error), Backoff)


def leave_undone_for_ever(
    operation: Operation[Any], stuck: tuple[Put | Delete, ...], ceilings: list[float]
) -> None:
    while True:
        waiting = operation.send(stuck)
        assert isinstance(waiting, Backoff)
        ceilings.append(waiting.ceiling)
        assert operation.send(None) == BatchWrite(stuck)


def computed(operation: Operation[T]) -> Operation[T]:
    """The operation without the requests for work on large values: it is done at once."""
    request = next(operation)
    while True:
        try:
            reply = request.work() if isinstance(request, Compute) else (yield request)
            request = operation.send(reply)
        except StopIteration as stop:  # noqa: PERF203 - each step may be the last
            found: T = stop.value
            return found


def ends_without_a_request(operation: Operation[Any] | Stream[Any]) -> bool:
    return next(operation, None) is None


class Memory:
    """Answers requests from memory, one after the other, and remembers them."""

    def __init__(
        self,
        puts: Iterable[Put],
        page_size: int = 1000,
        index: Mapping[str, Sequence[Key]] | None = None,
    ) -> None:
        self.items = {(put.table, put.key): put.item for put in puts}
        self.asked: list[Request[Any]] = []
        self.groups: list[int] = []
        self.objects: dict[str, bytes] = {}
        self.prolongs = True
        self.emitted: list[Any] = []
        self._page_size = page_size
        self._index = index or {}

    def run(self, operation: Operation[Any] | Stream[Any]) -> Any:
        try:
            request = next(operation)
            while True:
                request = self._step(operation, request)
        except StopIteration as stop:
            return stop.value

    def _step(self, operation: Any, request: Any) -> Any:
        try:
            reply = self.answer(request)
        except ServiceError as error:
            return operation.throw(error)
        return operation.send(reply)

    def answer(self, request: Request[Any] | Emit[Any]) -> Any:
        match request:
            case Emit(values):
                self.emitted += values
                return None
            case Compute(work):
                return work()
            case Concurrently(operations):
                self.groups.append(len(operations))
                return [self.run(operation) for operation in operations]
        self.asked.append(request)
        match request:
            case GetItem():
                return self.items.get((request.table, request.key))
            case Query():
                return self._page(request)
            case QueryRunIndex():
                keys = self._index.get(request.run_id, ())
                return page(*(Put(Table.CHECKPOINTS, key, _primary(key)) for key in keys))
            case PutItem(put):
                replaced = self.items.get((put.table, put.key))
                self._change(put)
                return replaced
            case Prolong() if self.prolongs:
                return True
            case Prolong():
                raise refused("AccessDeniedException")
            case PutObject(_, key, data):
                self.objects[key] = data
                return None
            case GetObject(_, key):
                return self.objects.get(key)
            case CopyObject(_, source, target):
                self.objects[target] = self.objects[source]
                return True
            case DeleteObjects(_, keys):
                self.objects = {k: data for k, data in self.objects.items() if k not in keys}
                return None
            case TransactPut() | BatchWrite():
                for change in _changes(request):
                    self._change(change)
                return ()
        raise AssertionError(f"no answer to {request}")

    def _change(self, change: Put | Delete) -> None:
        if isinstance(change, Put):
            self.items[change.table, change.key] = change.item
        else:
            del self.items[change.table, change.key]

    def _page(self, query: Query) -> Page:
        low, high = query.sort.low or "", query.sort.high or "\U0010ffff"
        after = query.after or ""
        if query.start is not None:
            after = query.start["task_id_idx"]["S"]
        keys = sorted(
            (key for table, key in self.items if (table, key.partition) == _place(query)),
            reverse=not query.forward,
        )
        left = [
            key.sort
            for key in keys
            if low <= key.sort <= high
            and (not after or (key.sort > after if query.forward else key.sort < after))
        ]
        size = min(query.limit or self._page_size, self._page_size)
        found = [Key(query.partition, sort) for sort in left[:size]]
        puts = [Put(query.table, key, self.items[query.table, key]) for key in found]
        return page(*puts, after=left[size - 1] if len(left) > size else None)


def _primary(key: Key) -> Item:
    """What a keys-only index holds of a checkpoint's item."""
    return {"thread_id": {"S": key.partition}, "checkpoint_id": {"S": key.sort}}


def _place(query: Query) -> tuple[Table, str]:
    return query.table, query.partition


def kinds(requests: Iterable[Request[Any]]) -> list[str]:
    return [type(request).__name__ for request in requests]


def changed(requests: Iterable[Request[Any]], kind: type[Put] | type[Delete]) -> list[Key]:
    """Keys of the changes of a kind, in the order in which they were asked for."""
    return [
        change.key
        for request in requests
        for change in _changes(request)
        if isinstance(change, kind)
    ]


def _changes(request: Request[Any]) -> Sequence[Put | Delete]:
    match request:
        case PutItem(put):
            return (put,)
        case TransactPut():
            return puts_of(request)
        case BatchWrite(changes):
            return changes
    return ()


def marks(memory: Memory) -> list[str]:
    """The partitions that deletes have marked."""
    return [key.partition for _, key in memory.items if key.sort == "~deleted"]


def without_marks(memory: Memory) -> dict[tuple[Table, Key], Item]:
    return {place: item for place, item in memory.items.items() if place[1].sort != "~deleted"}


# Storing


def test_put_is_one_request_with_exactly_the_documented_attributes() -> None:
    operation = put_checkpoint(
        STORE,
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
        STORE,
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


def test_several_writes_are_one_transaction_and_only_regular_ones_keep_the_first_value() -> None:
    ref = CheckpointRef("t", "", "0001")
    records = [
        WriteRecord("task", 0, "log", Serialized("msgpack", Inline(b"0")), "path"),
        WriteRecord("task", -4, "__resume__", Serialized("msgpack", Inline(b"1"))),
    ]
    operation = put_writes(STORE, ref, records)
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


def first_wins(sort: str, attributes: Item) -> Put:
    """The put of regular writes on the first checkpoint, under that key."""
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


def together(*entries: tuple[int, bytes], **attributes: Any) -> Put:
    """The put of the writes of one call to the first checkpoint."""
    listed = [
        {"L": [{"N": str(idx)}, {"S": "log"}, {"S": "bytes"}, {"B": data}]} for idx, data in entries
    ]
    return first_wins("task:::0", {"writes": {"L": listed}, "created": CREATED, **attributes})


def test_the_regular_writes_of_a_call_are_one_item_that_is_put_alone() -> None:
    operation = put_writes(STORE, FIRST, [write_of(b"0", 0), write_of(b"1", 1), write_of(b"3", 3)])
    assert next(operation) == PutItem(together((0, b"0"), (1, b"1"), (3, b"3")))
    assert result_of(operation, None) is None


def test_a_single_write_beside_a_special_one_keeps_the_other_calls_of_its_task_out_too() -> None:
    operation = put_writes(STORE, FIRST, [write_of(b"r", -4), write_of(b"1", 1)])
    request = next(operation)
    assert isinstance(request, TransactPut)
    assert request.puts[1] == together((1, b"1"))
    assert result_of(operation, None) is None


def in_the_way(there: Put | None) -> ConditionFailedError:
    return ConditionFailedError(
        code="ConditionalCheckFailedException",
        operation="PutItem",
        table_name="",
        message="is there",
        item=None if there is None else cast("StoredItem", there.item),
    )


def of_the_task() -> Query:
    sort = SortRange("task:::", "task::;")
    return Query(Table.WRITES, "t:::0001:::", consistent=True, sort=sort)


def test_a_call_whose_places_are_all_held_asks_for_nothing_more() -> None:
    there = together((0, b"a"), (1, b"b"), (2, b"c"))
    operation = put_writes(STORE, FIRST, [write_of(b"0", 0), write_of(b"2", 2)])
    next(operation)
    with pytest.raises(StopIteration):
        operation.throw(in_the_way(there))


@pytest.mark.parametrize("told", [True, False])
def test_of_a_call_that_comes_too_late_only_places_nobody_holds_are_stored_each_alone(
    told: bool,
) -> None:
    """Place 0 has a key of its own where that of the task is taken by others."""
    there = together((1, b"a"))
    alone = first_wins(
        "task:::2",
        {"channel": {"S": "log"}, "type": {"S": "bytes"}, "value": {"B": b"b"}, "created": CREATED},
    )
    of_another = replace(alone, item={**alone.item, "task_id_idx": {"S": "task:::x:::3"}})
    operation = put_writes(STORE, FIRST, [write_of(b"new", idx) for idx in range(4)])
    next(operation)
    assert operation.throw(in_the_way(there if told else None)) == of_the_task()
    rest = operation.send(page(there, alone, of_another))
    puts = puts_of(rest)
    assert [one.key.sort for one in puts] == ["task:::00", "task:::3"]
    assert all(one.unless_exists for one in puts)
    assert [one.item.get("value") for one in puts] == [{"B": b"new"}] * 2
    assert result_of(operation, None) is None


def test_of_a_call_that_comes_too_late_special_writes_are_stored_all_the_same() -> None:
    there = together((1, b"a"))
    operation = put_writes(STORE, FIRST, [write_of(b"r", -4), write_of(b"1", 1)])
    next(operation)
    assert operation.throw(cancelled("None", "ConditionalCheckFailed")) == of_the_task()
    special = operation.send(page(there))
    assert isinstance(special, PutItem)
    assert special.put.key.sort == "task:::-4"
    assert result_of(operation, None) is None


def test_what_no_longer_counts_holds_no_place() -> None:
    expired = together((0, b"a"), ttl={"N": str(NOW)})
    special: Any = {"channel": {"S": "__error__"}, "type": {"S": "bytes"}, "value": {"B": b""}}
    operation = put_writes(STORE, FIRST, [write_of(b"0", 0), write_of(b"1", 1)])
    next(operation)
    assert operation.throw(in_the_way(expired)) == of_the_task()
    rest = operation.send(page(expired, first_wins("task:::1", special)))
    assert isinstance(rest, TransactPut)
    assert [one.key.sort for one in rest.puts] == ["task:::00", "task:::1"]
    assert result_of(operation, None) is None


@pytest.mark.parametrize(("idx", "conditional"), [(0, True), (-1, False)])
def test_a_single_write_is_a_plain_put_conditional_if_it_is_regular(
    idx: int, conditional: bool
) -> None:
    operation = put_writes(STORE, CheckpointRef("t", "", "0001"), [write(idx)])
    request = next(operation)
    assert isinstance(request, PutItem)
    assert request.put.key == Key("t:::0001:::", f"task:::{idx}")
    assert request.put.unless_exists is conditional
    assert result_of(operation, None) is None


def test_no_writes_are_no_request() -> None:
    assert ends_without_a_request(put_writes(STORE, CheckpointRef("t", "", "0001"), []))


def test_more_writes_than_a_transaction_holds_go_in_several_one_after_the_other() -> None:
    puts = [put(number, unless_exists=True) for number in range(201)]
    operation = put_atomically(puts)
    assert next(operation) == TransactPut(tuple(puts[:100]))
    assert operation.send(None) == TransactPut(tuple(puts[100:200]))
    assert operation.send(None) == PutItem(puts[200])
    assert result_of(operation, None) == Outcome()


def test_items_of_more_than_four_megabytes_go_in_several_transactions() -> None:
    puts = [
        replace(put(number), item={**put(number).item, "value": {"B": bytes(390_000)}})
        for number in range(12)
    ]
    operation = put_atomically(puts)
    assert next(operation) == TransactPut(tuple(puts[:10]))
    assert operation.send(None) == TransactPut(tuple(puts[10:]))
    assert result_of(operation, None) == Outcome()


def test_what_a_single_put_has_replaced_is_told() -> None:
    operation = put_atomically([put(0)])
    next(operation)
    there = cast("StoredItem", put(0).item)
    assert result_of(operation, there) == Outcome(replaced=(there,))


def test_a_write_that_is_there_already_ends_its_put_in_silence() -> None:
    operation = put_atomically([put(0, unless_exists=True)])
    next(operation)
    with pytest.raises(StopIteration) as stop:
        operation.throw(refused("ConditionalCheckFailedException"))
    assert stop.value.value == Outcome(lost=(put(0, unless_exists=True),))


def test_writes_that_are_there_already_are_left_out_and_the_rest_is_sent_at_once() -> None:
    first, second, third = (put(number, unless_exists=True) for number in range(3))
    operation = put_atomically([first, second, third])
    assert next(operation) == TransactPut((first, second, third))
    error = cancelled("None", "ConditionalCheckFailed", "None")
    assert operation.throw(error) == TransactPut((first, third))
    assert result_of(operation, None) == Outcome(lost=(second,))


def test_a_transaction_whose_writes_are_all_there_already_is_not_repeated() -> None:
    puts = (put(0, unless_exists=True), put(1, unless_exists=True))
    operation = put_atomically(puts)
    next(operation)
    with pytest.raises(StopIteration) as stop:
        operation.throw(cancelled("ConditionalCheckFailed", "ConditionalCheckFailed"))
    assert stop.value.value == Outcome(lost=puts)


def test_a_conflict_with_another_transaction_waits_and_sends_what_is_left() -> None:
    first, second = put(0, unless_exists=True), put(1)
    operation = put_atomically([first, second])
    next(operation)
    assert operation.throw(cancelled("None", "TransactionConflict")) == Backoff(0.05)
    assert operation.send(None) == TransactPut((first, second))
    error = cancelled("ConditionalCheckFailed", "TransactionConflict")
    assert operation.throw(error) == Backoff(0.1)
    assert operation.send(None) == TransactPut((second,))
    assert result_of(operation, None) == Outcome(lost=(first,))


def test_a_write_found_there_already_after_many_conflicts_does_not_stop_the_others() -> None:
    first, second = put(0, unless_exists=True), put(1)
    operation = put_atomically([first, second])
    for _ in range(ATTEMPTS - 1):
        assert next(operation) == TransactPut((first, second))
        assert isinstance(operation.throw(cancelled("None", "TransactionConflict")), Backoff)
    assert next(operation) == TransactPut((first, second))
    assert operation.throw(cancelled("ConditionalCheckFailed", "None")) == TransactPut((second,))
    assert result_of(operation, None) == Outcome(lost=(first,))


@pytest.mark.parametrize(
    "reasons",
    [
        ("ValidationError", "None"),
        ("ItemCollectionSizeLimitExceeded", "ItemCollectionSizeLimitExceeded"),
        ("ConditionalCheckFailed",),
        (),
    ],
    ids=["final", "unknown", "too few", "none at all"],
)
def test_a_transaction_cancelled_for_another_reason_is_an_error(reasons: tuple[str, ...]) -> None:
    operation = put_atomically([put(0, unless_exists=True), put(1)])
    next(operation)
    error = cancelled(*reasons)
    with pytest.raises(TransactionCanceledError) as raised:
        operation.throw(error)
    assert raised.value is error


def test_a_single_put_in_conflict_with_a_transaction_waits_and_is_sent_again() -> None:
    operation = put_atomically([put(0)])
    assert next(operation) == PutItem(put(0))
    assert operation.throw(refused("TransactionConflictException")) == Backoff(0.05)
    assert operation.send(None) == PutItem(put(0))
    assert result_of(operation, None) == Outcome()


def test_a_single_put_that_the_service_refuses_is_an_error() -> None:
    operation = put_atomically([put(0)])
    next(operation)
    with pytest.raises(ServiceError, match="AccessDeniedException"):
        operation.throw(refused("AccessDeniedException"))


@pytest.mark.parametrize(
    ("puts", "error"),
    [
        ([put(0)], refused("TransactionConflictException")),
        ([put(0), put(1)], cancelled("TransactionConflict", "None")),
    ],
    ids=["put", "transaction"],
)
def test_a_put_that_is_in_conflict_for_ever_gives_up_after_ten_attempts(
    puts: list[Put], error: ServiceError
) -> None:
    attempts: list[Request[Any]] = []
    with pytest.raises(ServiceError) as raised:
        refuse_for_ever(put_atomically(puts), error, attempts)
    assert raised.value is error
    assert len(attempts) == ATTEMPTS


# Batches


def test_changes_are_sent_in_batches_of_25_side_by_side() -> None:
    changes = [put(number) for number in range(60)]
    operation = write_all(changes)
    group = next(operation)
    assert isinstance(group, Concurrently)
    assert [next(member) for member in group.operations] == [
        BatchWrite(tuple(changes[:25])),
        BatchWrite(tuple(changes[25:50])),
        BatchWrite(tuple(changes[50:])),
    ]
    assert result_of(operation, [None, None, None]) is None


def test_no_changes_are_no_request() -> None:
    assert ends_without_a_request(write_all([]))


def test_changes_in_order_wait_for_the_leftovers_of_the_batch_before() -> None:
    changes = [put(number) for number in range(30)]
    operation = write_in_order(changes)
    assert next(operation) == BatchWrite(tuple(changes[:25]))
    assert operation.send(tuple(changes[24:25])) == Backoff(0.05)
    assert operation.send(None) == BatchWrite(tuple(changes[24:25]))
    assert operation.send(()) == BatchWrite(tuple(changes[25:]))
    assert result_of(operation, ()) is None


def test_what_a_batch_leaves_undone_is_sent_again_alone() -> None:
    first, second, third = (put(number) for number in range(3))
    operation = write_all([first, second, third])
    assert next(operation) == BatchWrite((first, second, third))
    assert operation.send((first, third)) == Backoff(0.05)
    assert operation.send(None) == BatchWrite((first, third))
    assert operation.send((third,)) == Backoff(0.05)
    assert operation.send(None) == BatchWrite((third,))
    assert result_of(operation, ()) is None


def test_a_batch_without_progress_waits_longer_and_longer_then_names_the_keys() -> None:
    done = Delete(Table.WRITES, Key("t:::1:::", "task:::0"))
    stuck = (put(1), Delete(Table.CHECKPOINTS, Key("t", "0001")))
    operation = write_all([done, *stuck])
    next(operation)
    ceilings: list[float] = []
    with pytest.raises(UnprocessedItemsError) as raised:
        leave_undone_for_ever(operation, stuck, ceilings)
    assert ceilings == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    assert raised.value.keys == (("writes", "t:::1:::", "task:::1"), ("checkpoints", "t", "0001"))


def test_progress_begins_the_count_of_attempts_anew() -> None:
    puts = tuple(put(number) for number in range(5))
    operation = write_all(puts)
    request = next(operation)
    ceilings = []
    for left in range(4, -1, -1):
        for _ in range(ATTEMPTS - 2):  # one short of giving up
            waiting = operation.send(puts[-left - 1 :])
            assert isinstance(waiting, Backoff)
            ceilings.append(waiting.ceiling)
            request = operation.send(None)
        if left:
            waiting = operation.send(puts[-left:])
            assert waiting == Backoff(0.05)
            request = operation.send(None)
    assert request == BatchWrite(puts[-1:])
    assert max(ceilings) == 5.0
    assert result_of(operation, ()) is None


def test_a_query_follows_its_pages_even_over_an_empty_one() -> None:
    query = Query(Table.WRITES, "p", consistent=True)
    operation = query_all(query)
    assert next(operation) == query
    asked = operation.send(page(put(0), after="x"))
    assert asked == Query(Table.WRITES, "p", consistent=True, start=start_key("x"))
    asked = operation.send(page(after="y"))
    assert asked == Query(Table.WRITES, "p", consistent=True, start=start_key("y"))
    assert result_of(operation, page(put(1))) == [put(0).item, put(1).item]


# Reading


@pytest.mark.parametrize("consistent", [True, False])
def test_a_checkpoint_and_its_writes_are_read_side_by_side_when_the_id_is_known(
    consistent: bool,
) -> None:
    store = replace(STORE, consistent=consistent)
    operation = get_tuple(store, Address("t", None, "0001"))
    group = next(operation)
    assert isinstance(group, Concurrently)
    reading, writes = group.operations
    assert next(reading) == GetItem(Table.CHECKPOINTS, Key("t", "0001"), consistent)
    assert next(writes) == Query(Table.WRITES, "t:::0001:::", consistent)
    read = result_of(reading, stored(record("0001", step=1)).item)
    ref = CheckpointRef("t", "", "0001")
    found_writes = page(beside(write(10), ref), beside(write(9, value="nine"), ref))
    found = result_of(operation, [read, result_of(writes, found_writes)])
    assert found.config == config("t", "", "0001")
    assert found.checkpoint["channel_values"] == {"step": 1}
    assert found.pending_writes == [("task", "log", "nine"), ("task", "log", None)]


def test_a_checkpoint_that_only_has_writes_does_not_exist() -> None:
    memory = Memory([beside(write(0), CheckpointRef("t", "", "0001"))])
    assert memory.run(get_tuple(STORE, Address("t", "", "0001"))) is None


def test_the_newest_checkpoint_is_one_item_of_its_range_then_its_writes() -> None:
    operation = get_tuple(STORE, Address("t", None, None))
    newest = Query(Table.CHECKPOINTS, "t", consistent=True, sort=ROOT_RANGE, forward=False, limit=1)
    assert next(operation) == newest
    assert operation.send(page(stored(record("0002", "0001")), after="0002")) == writes_query(
        "0002"
    )
    found = result_of(operation, page())
    assert found.config == config("t", "", "0002")
    assert found.parent_config == config("t", "", "0001")


def test_the_newest_nested_checkpoint_is_looked_for_in_its_own_range() -> None:
    operation = get_tuple(STORE, Address("t", "sub", None))
    request = next(operation)
    assert isinstance(request, Query)
    assert request.sort == SortRange(NESTED, NESTED[:-1] + ";")
    assert result_of(operation, page()) is None


@pytest.mark.parametrize("hidden", ["tombstone", "older writer"])
def test_the_newest_checkpoint_is_looked_for_below_an_item_that_is_none(hidden: str) -> None:
    newest = stored(record("0009"))
    if hidden == "tombstone":
        newest = head_of(newest).tombstone(NOW)
    else:
        newest = replace(newest, item={**newest.item, "checkpoint_ns": {"S": "sub"}})
    operation = get_tuple(STORE, Address("t", "", None))
    next(operation)
    assert operation.send(page(newest, after="0009")) == Query(
        Table.CHECKPOINTS,
        "t",
        consistent=True,
        sort=ROOT_RANGE,
        forward=False,
        limit=25,
        start=start_key("0009"),
    )
    assert operation.send(page(stored(record("0008")))) == writes_query("0008")
    assert result_of(operation, page()).config == config("t", "", "0008")


def test_a_thread_of_nothing_but_tombstones_has_no_newest_checkpoint() -> None:
    heads = [head_of(stored(record(id_))) for id_ in ("0001", "0002", "0003")]
    memory = Memory([head.tombstone(NOW) for head in heads], page_size=1)
    assert memory.run(get_tuple(STORE, Address("t", "", None))) is None
    assert kinds(memory.asked) == ["Query", "Query", "Query"]


# Listing


def thread_of(length: int) -> list[Put]:
    """A chain of checkpoints 0001, 0002, ... with a write each."""
    ids = [f"{number:04}" for number in range(1, length + 1)]
    parents = [None, *ids[:-1]]
    chain = [record(id_, parent) for id_, parent in zip(ids, parents, strict=True)]
    writes = [beside(write(0, value=one.ref.checkpoint_id), one.ref) for one in chain]
    return [*(stored(one) for one in chain), *writes]


def listed_ids(memory: Memory) -> list[str]:
    return [found.config["configurable"]["checkpoint_id"] for found in memory.emitted]


def test_listing_with_a_limit_asks_for_exactly_that_many_items_then_for_their_writes() -> None:
    memory = Memory(thread_of(9))
    memory.run(list_thread(STORE, Address("t", "", None), Wanted(limit=3)))
    assert memory.asked == [
        Query(Table.CHECKPOINTS, "t", consistent=True, sort=ROOT_RANGE, forward=False, limit=3),
        writes_query("0009"),
        writes_query("0008"),
        writes_query("0007"),
    ]
    assert listed_ids(memory) == ["0009", "0008", "0007"]


def test_listing_reads_the_writes_of_a_page_side_by_side() -> None:
    operation = list_thread(STORE, Address("t", "", None), Wanted(limit=2))
    next(operation)
    group = operation.send(page(stored(record("0002")), stored(record("0001"))))
    assert isinstance(group, Concurrently)
    assert [next(member) for member in group.operations] == [
        writes_query("0002"),
        writes_query("0001"),
    ]


def test_listing_before_a_checkpoint_asks_for_one_item_more_which_may_be_that_one() -> None:
    memory = Memory(thread_of(9))
    wanted = Wanted(before="0005", limit=2)
    memory.run(list_thread(STORE, Address("t", "", None), wanted))
    assert memory.asked == [
        Query(
            Table.CHECKPOINTS,
            "t",
            consistent=True,
            sort=SortRange('"', "0005"),
            forward=False,
            limit=3,
        ),
        writes_query("0004"),
        writes_query("0003"),
    ]
    assert listed_ids(memory) == ["0004", "0003"]


def test_listing_before_a_checkpoint_that_is_gone_still_finds_the_limit() -> None:
    memory = Memory([one for one in thread_of(9) if one.key.sort != "0005"])
    wanted = Wanted(before="0005", limit=2)
    memory.run(list_thread(STORE, Address("t", "", None), wanted))
    assert listed_ids(memory) == ["0004", "0003"]
    assert kinds(memory.asked) == ["Query", "Query", "Query"]


def test_listing_goes_on_for_what_tombstones_have_taken_from_the_limit() -> None:
    chain = thread_of(5)
    newest = head_of(chain[4]).tombstone(NOW)
    memory = Memory([*chain, newest])
    memory.run(list_thread(STORE, Address("t", "", None), Wanted(limit=2)))
    assert listed_ids(memory) == ["0004", "0003"]
    pages = [one for one in memory.asked if isinstance(one, Query) and one.partition == "t"]
    assert [page.limit for page in pages] == [2, 1]


def test_a_listing_that_nobody_reads_on_asks_for_no_more() -> None:
    memory = Memory(thread_of(40))
    stream = list_thread(STORE, Address("t", "", None), Wanted())
    request = next(stream)
    while not isinstance(request, Emit):
        request = stream.send(memory.answer(request))
    stream.close()
    assert kinds(memory.asked) == ["Query"] * (1 + len(request.values))
    assert len(request.values) == 16


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_of_nothing_is_no_request(limit: int) -> None:
    stream = list_thread(STORE, Address("t", "", None), Wanted(limit=limit))
    assert ends_without_a_request(stream)


def test_listing_before_everything_is_no_request() -> None:
    # DynamoDB refuses a range whose ends are the wrong way round.
    stream = list_thread(STORE, Address("t", "", None), Wanted(before="!"))
    assert ends_without_a_request(stream)


# Deleting


def test_deleting_puts_tombstones_newest_first_then_marks_then_deletes_writes_then_tombstones() -> (
    None
):
    nested = record("0001", checkpoint_ns="sub")
    memory = Memory([*thread_of(2), stored(nested), beside(write(0), nested.ref)])
    memory.run(delete_thread(STORE, "t"))
    tombstones, *rest = [one for one in memory.asked if not isinstance(one, Query)]
    assert memory.asked[0] == Query(
        Table.CHECKPOINTS,
        "t",
        consistent=True,
        forward=False,
        limit=250,
        attributes=CHECKPOINT_KEYS,
    )
    doomed = [Key("t", "0002"), Key("t", "0001"), Key("t", NESTED + "0001")]
    assert isinstance(tombstones, BatchWrite)
    assert [change.key for change in tombstones.changes] == doomed
    assert all(
        isinstance(change, Put) and change.item["deleted"] == {"BOOL": True}
        for change in tombstones.changes
    )
    partitions = ["t:::0002:::", "t:::0001:::", "t:::0001:::sub"]
    refs = [record("0002").ref, FIRST, nested.ref]
    assert rest == [
        BatchWrite(tuple(mark_put(ref, NOW) for ref in refs)),
        BatchWrite(tuple(Delete(Table.WRITES, Key(p, "task:::0")) for p in partitions)),
        BatchWrite(tuple(Delete(Table.CHECKPOINTS, key) for key in doomed)),
    ]
    assert marks(memory) == partitions
    assert without_marks(memory) == {}


def test_a_mark_says_since_when_and_lasts_for_an_hour() -> None:
    assert mark_put(CheckpointRef("t", "sub", "0001"), NOW) == Put(
        Table.WRITES,
        Key("t:::0001:::sub", "~deleted"),
        {
            "thread_id_checkpoint_id_checkpoint_ns": {"S": "t:::0001:::sub"},
            "task_id_idx": {"S": "~deleted"},
            "deleted": {"BOOL": True},
            "created": CREATED,
            "ttl": {"N": str(NOW + MARGIN)},
        },
    )


def test_a_mark_in_a_hashed_partition_names_its_checkpoint() -> None:
    ref = CheckpointRef("t", "a:::b", "0001")
    item = mark_put(ref, NOW).item
    assert item["thread_id"] == {"S": "t"}
    assert item["checkpoint_id"] == {"S": "0001"}
    assert item["checkpoint_ns"] == {"S": "a:::b"}


def test_a_delete_of_checkpoints_without_writes_leaves_no_mark() -> None:
    memory = Memory(whole(large("0001"), SMALL))
    memory.run(delete_thread(SMALL, "t"))
    assert memory.items == {}


def test_a_tombstone_leads_to_the_writes_and_holds_no_payload() -> None:
    head = head_of(stored(record("0001", "0000", "sub")))
    assert head.tombstone(NOW) == Put(
        Table.CHECKPOINTS,
        Key("t", NESTED + "0001"),
        {
            "thread_id": {"S": "t"},
            "checkpoint_id": {"S": NESTED + "0001"},
            "checkpoint_ns": {"S": "sub"},
            "deleted": {"BOOL": True},
            "created": CREATED,
        },
    )


def test_a_tombstone_says_where_the_values_of_its_checkpoint_are() -> None:
    put = stored(checkpoint_of(BYTES, BYTES), IN_CHUNKS)
    assert head_of(put).tombstone(NOW).item == {
        "thread_id": {"S": "t"},
        "checkpoint_id": {"S": "0001"},
        "checkpoint_ns": {"S": ""},
        "deleted": {"BOOL": True},
        "created": CREATED,
        "checkpoint_payload": in_chunks("token-checkpoint"),
        "metadata_payload": in_chunks("token-metadata"),
    }


def test_the_tombstone_of_a_run_can_still_be_found_by_its_run() -> None:
    made = CheckpointRecord(
        CheckpointRef("t", "", "0001"),
        None,
        Serialized("x", Inline(b"")),
        Serialized("x", Inline(b"")),
        "run",
    )
    head = head_of(stored(made))
    assert head.tombstone(NOW).item.get("run_id") == {"S": "run"}


def test_a_delete_looks_for_the_writes_while_it_puts_the_tombstones() -> None:
    operation = delete_thread(STORE, "t")
    next(operation)
    group = operation.send(page(*reversed(thread_of(2)[:2])))
    assert isinstance(group, Concurrently)
    tombstones, writes = group.operations
    assert isinstance(next(tombstones), BatchWrite)
    nested = next(writes)
    assert isinstance(nested, Concurrently)
    assert [next(member) for member in nested.operations] == [
        Query(Table.WRITES, "t:::0002:::", consistent=True, attributes=WRITE_REFERENCES),
        Query(Table.WRITES, "t:::0001:::", consistent=True, attributes=WRITE_REFERENCES),
    ]


def test_the_tombstones_of_a_long_thread_go_from_the_newest_to_the_oldest() -> None:
    memory = Memory(thread_of(60))
    memory.run(delete_thread(STORE, "t"))
    kept = [key for key in changed(memory.asked, Put) if key.partition == "t"]
    assert kept == sorted(kept, reverse=True)
    assert len(kept) == 60
    marked = [key for key in changed(memory.asked, Put) if key.sort == "~deleted"]
    assert len(marked) == 60
    assert changed(memory.asked, Put) == kept + marked
    first_delete = next(
        position for position, one in enumerate(memory.asked) if changed([one], Delete)
    )
    assert changed(memory.asked[first_delete:], Put) == []
    assert len(marks(memory)) == 60
    assert without_marks(memory) == {}


def test_the_writes_are_gone_before_the_tombstones_that_lead_to_them() -> None:
    memory = Memory(thread_of(60))
    memory.run(delete_thread(STORE, "t"))
    tables = [
        {change.table for change in _changes(one)} for one in memory.asked if changed([one], Delete)
    ]
    assert tables == [{Table.WRITES}] * 3 + [{Table.CHECKPOINTS}] * 3


def test_a_delete_that_is_repeated_puts_no_second_tombstone() -> None:
    chain = thread_of(2)
    heads = [head_of(one) for one in chain[:2]]
    memory = Memory([*(head.tombstone(NOW) for head in heads), *chain[2:]])
    memory.run(delete_thread(STORE, "t"))
    # The first attempt may have stopped before the marks.
    assert [key.sort for key in changed(memory.asked, Put)] == ["~deleted"] * 2
    assert without_marks(memory) == {}


def of_run(checkpoint_id: str, run_id: str) -> Put:
    return stored(replace(record(checkpoint_id), run_id=run_id))


@pytest.mark.parametrize("run_ids", [("old", "new"), ("new", "old")])
def test_a_checkpoint_that_the_index_knows_under_two_runs_is_deleted_with_the_one_it_is_of(
    run_ids: tuple[str, ...],
) -> None:
    key = Key("t", "0001")
    # The checkpoint was put again by another run, and the index has not dropped the first one yet.
    memory = Memory([of_run("0001", "new")], index={"old": [key], "new": [key]})
    memory.run(delete_for_runs(replace(STORE, run_id_index="by_run"), run_ids))
    assert memory.items == {}


def test_a_checkpoint_that_the_index_still_knows_under_an_old_run_is_not_deleted_with_it() -> None:
    memory = Memory([of_run("0001", "new")], index={"old": [Key("t", "0001")]})
    memory.run(delete_for_runs(replace(STORE, run_id_index="by_run"), ("old",)))
    assert list(memory.items) == [(Table.CHECKPOINTS, Key("t", "0001"))]
    assert changed(memory.asked, Put) == []


# Copying


def copied(memory: Memory) -> list[str]:
    """Sort keys of the checkpoints copied to thread `u`, in order."""
    return [key.sort for key in changed(memory.asked, Put) if key.partition == "u"]


def test_a_copy_stores_the_writes_of_a_checkpoint_before_the_checkpoint() -> None:
    memory = Memory(thread_of(3))
    memory.run(copy_thread(STORE, "t", "u"))
    assert memory.asked[:-2] == [
        Query(Table.CHECKPOINTS, "u", consistent=True, attributes=CHECKPOINT_KEYS),
        Query(Table.CHECKPOINTS, "t", consistent=True, limit=100),
        writes_query("0001"),
        writes_query("0002"),
        writes_query("0003"),
    ]
    writes, checkpoints = memory.asked[-2:]
    assert isinstance(writes, BatchWrite)
    assert [change.key.partition for change in writes.changes] == [
        "u:::0001:::",
        "u:::0002:::",
        "u:::0003:::",
    ]
    assert isinstance(checkpoints, TransactPut)
    assert [one.key for one in checkpoints.puts] == [
        Key("u", "0001"),
        Key("u", "0002"),
        Key("u", "0003"),
    ]


def test_a_copy_changes_nothing_in_an_item_but_the_thread() -> None:
    strange = {**stored(record("0001")).item, "of_another_writer": {"N": "1"}}
    memory = Memory([Put(Table.CHECKPOINTS, Key("t", "0001"), strange)])
    memory.run(copy_thread(STORE, "t", "u"))
    assert memory.items[Table.CHECKPOINTS, Key("u", "0001")] == {**strange, "thread_id": {"S": "u"}}


@pytest.mark.parametrize("page_size", [1, 2, 1000])
def test_a_copy_stores_a_parent_before_its_child_also_where_its_id_sorts_above(
    page_size: int,
) -> None:
    # Clocks step back: 0001 <- 0009 <- 0003 <- 0005, and 0004 waits for 0003.
    parents = {"0001": None, "0009": "0001", "0003": "0009", "0005": "0003", "0004": "0003"}
    memory = Memory(
        [stored(record(id_, parent)) for id_, parent in parents.items()], page_size=page_size
    )
    memory.run(copy_thread(STORE, "t", "u"))
    order = copied(memory)
    assert sorted(order) == sorted(parents)
    for child, parent in parents.items():
        assert parent is None or order.index(parent) < order.index(child)


def test_a_copy_stores_nested_namespaces_before_the_root() -> None:
    nested = record("0009", checkpoint_ns="sub")
    memory = Memory([*thread_of(2), stored(nested)], page_size=1)
    memory.run(copy_thread(STORE, "t", "u"))
    assert copied(memory) == [NESTED + "0009", "0001", "0002"]


def test_a_copy_takes_along_a_checkpoint_whose_parent_is_gone() -> None:
    memory = Memory([stored(record("0001", "0009")), stored(record("0002", "0000"))])
    memory.run(copy_thread(STORE, "t", "u"))
    assert sorted(copied(memory)) == ["0001", "0002"]


def test_a_copy_of_parents_in_a_circle_ends_and_is_complete() -> None:
    memory = Memory(
        [
            stored(record("0001", "0002")),
            stored(record("0002", "0001")),
            stored(record("0003", "0003")),
            stored(record("0004", "0002")),
        ]
    )
    memory.run(copy_thread(STORE, "t", "u"))
    assert sorted(copied(memory)) == ["0001", "0002", "0003", "0004"]


def test_a_copy_leaves_tombstones_behind() -> None:
    chain = thread_of(2)
    newest = head_of(chain[1]).tombstone(NOW)
    memory = Memory([*chain, newest])
    memory.run(copy_thread(STORE, "t", "u"))
    assert copied(memory) == ["0001"]


def test_a_copy_of_a_thread_to_itself_is_no_request() -> None:
    assert ends_without_a_request(copy_thread(STORE, "t", "t"))


# Histories of DeltaChannels


def history(memory: Memory, checkpoint_id: str | None) -> Any:
    address = Address("t", "", checkpoint_id)
    return memory.run(get_delta_channel_history(STORE, address, ["log"]))["log"]


def with_write(one: CheckpointRecord) -> list[Put]:
    """A checkpoint and a write on it that says whose it is."""
    return [stored(one), beside(write(0, value=one.ref.checkpoint_id), one.ref)]


def values(found: Any) -> list[Any]:
    return [value for _, _, value in found["writes"]]


def test_a_history_is_one_range_below_the_checkpoint_then_the_writes_of_its_ancestors() -> None:
    memory = Memory(
        [
            *with_write(record("0001")),
            *with_write(record("0002", "0001", log=["seed"])),
            *with_write(record("0003", "0002")),
            *with_write(record("0004", "0003")),
            *with_write(record("0005", "0004")),
        ]
    )
    assert history(memory, "0004") == {
        "writes": [("task", "log", "0002"), ("task", "log", "0003")],
        "seed": ["seed"],
    }
    assert memory.asked == [
        Query(
            Table.CHECKPOINTS,
            "t",
            consistent=True,
            sort=SortRange('"', "0004"),
            forward=False,
            limit=64,
        ),
        writes_query("0003"),
        writes_query("0002"),
    ]


def test_a_history_reads_a_parent_above_its_checkpoint_by_its_key() -> None:
    memory = Memory(
        [
            *with_write(record("0001", log=["seed"])),
            *with_write(record("0009", "0001")),
            *with_write(record("0005", "0009")),
        ]
    )
    assert history(memory, "0005") == {
        "writes": [("task", "log", "0001"), ("task", "log", "0009")],
        "seed": ["seed"],
    }
    assert GetItem(Table.CHECKPOINTS, Key("t", "0009"), consistent=True) in memory.asked
    assert kinds(memory.asked) == ["Query", "GetItem", "Query", "Query"]


def test_a_history_reads_a_long_range_in_pages_that_grow() -> None:
    memory = Memory(thread_of(400))
    assert values(history(memory, None)) == [f"{number:04}" for number in range(1, 400)]
    pages = [one.limit for one in memory.asked if isinstance(one, Query) and one.partition == "t"]
    assert pages == [64, 256, 1024]


def test_a_history_reads_no_page_below_the_value_it_builds_on() -> None:
    chain = thread_of(300)
    seed = stored(record("0290", "0289", log=["seed"]))
    memory = Memory([*chain, seed])
    assert values(history(memory, None)) == [f"{number:04}" for number in range(290, 300)]
    pages = [one for one in memory.asked if isinstance(one, Query) and one.partition == "t"]
    assert len(pages) == 1


@pytest.mark.parametrize(
    ("parents", "target", "found"),
    [
        ({"0001": "0001"}, "0001", []),
        ({"0001": "0002", "0002": "0001"}, "0002", ["0001"]),
        ({"0001": "0002", "0002": "0001"}, "0001", ["0002"]),
        ({"0001": "0002", "0002": "0001", "0003": "0001"}, "0003", ["0002", "0001"]),
    ],
    ids=["itself", "two", "two from below", "below the checkpoint"],
)
def test_a_history_over_parents_in_a_circle_ends(
    parents: dict[str, str], target: str, found: list[str]
) -> None:
    memory = Memory(
        [one for id_, parent in parents.items() for one in with_write(record(id_, parent))]
    )
    assert values(history(memory, target)) == found


@pytest.mark.parametrize("ancestor", ["0001", "0009"])
def test_a_history_over_an_ancestor_that_is_being_deleted_is_an_error_never_a_shorter_one(
    ancestor: str,
) -> None:
    gone = record(ancestor, log=["seed"])
    made = checkpoint("0005")
    made["channel_versions"] = {"log": "1"}
    child = replace(record("0005", ancestor), checkpoint=serialized(made))
    memory = Memory([head_of(stored(gone)).tombstone(NOW), *with_write(child)])
    with pytest.raises(UnreadableItemError, match=ancestor):
        history(memory, "0005")


# Values outside their items

FIRST = CheckpointRef("t", "", "0001")
BYTES = bytes(range(250))
PIECES = [BYTES[:100], BYTES[100:200], BYTES[200:]]
IN_CHUNKS = replace(STORE, payloads=PayloadPolicy(inline_limit=300, chunk_bytes=100))
IN_S3 = replace(STORE, payloads=PayloadPolicy(s3=S3Policy("bucket", "states/", 200)))


def by_another_call(store: Store) -> Store:
    return replace(store, stamp=Stamp("another", NOW))


def checkpoint_of(data: bytes, meta: bytes = b"") -> CheckpointRecord:
    """A checkpoint whose serialized bytes are these."""
    return CheckpointRecord(
        FIRST, None, Serialized("bytes", Inline(data)), Serialized("bytes", Inline(meta))
    )


def write_of(data: bytes, idx: int = 0) -> WriteRecord:
    return WriteRecord("task", idx, "log", Serialized("bytes", Inline(data)))


def chunk_keys(stamp: str, data: bytes = BYTES) -> list[Key]:
    """Keys of the chunks of a value beside the first checkpoint."""
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


def in_chunks(stamp: str) -> Any:
    """How an item describes the value of which these are the chunks."""
    return {
        "M": {
            "kind": {"S": "chunks"},
            "digest": {"S": content_digest(BYTES)},
            "stamp": {"S": stamp},
            "size": {"N": "250"},
            "count": {"N": "3"},
        }
    }


def deletes(keys: Iterable[Key]) -> BatchWrite:
    return BatchWrite(tuple(Delete(Table.WRITES, key) for key in keys))


def begun(request: object) -> list[Request[Any]]:
    """The first request of each member of a group."""
    assert isinstance(request, Concurrently)
    return [next(member) for member in request.operations]


def whole(one: CheckpointRecord, store: Store) -> list[Put]:
    """The item of a checkpoint and those of its parts."""
    planned = one.plan(store.payloads, store.stamp)
    return [planned.put, *(part_put(one.ref, part, store.stamp) for part in planned.parts)]


def whole_write(one: WriteRecord, ref: CheckpointRef, store: Store) -> list[Put]:
    """The item of a write and those of its parts."""
    planned = plan_write(one, ref, store.payloads, store.stamp)
    return [planned.put, *(part_put(ref, part, store.stamp) for part in planned.parts)]


def up_to_the_item(operation: Operation[None]) -> Put:
    """Answer what stores parts, up to the one request that makes them count."""
    request = next(operation)
    assert isinstance(request, Concurrently)
    request = operation.send([None] * len(request.operations))
    (put,) = puts_of(request)
    return put


def test_the_chunks_of_a_checkpoint_are_put_side_by_side_before_its_item() -> None:
    operation = put_checkpoint(IN_CHUNKS, checkpoint_of(BYTES, b"meta"))
    assert begun(next(operation)) == chunk_puts("token-checkpoint")
    own = Put(
        Table.CHECKPOINTS,
        Key("t", "0001"),
        {
            "thread_id": {"S": "t"},
            "checkpoint_id": {"S": "0001"},
            "checkpoint_ns": {"S": ""},
            "type": {"S": "bytes"},
            "checkpoint_payload": in_chunks("token-checkpoint"),
            "metadata": {"B": b"meta"},
        },
    )
    # The SDK's repeat of a transaction changes nothing that others have changed since.
    assert operation.send([None] * 3) == TransactPut((own,))
    assert result_of(operation, None) is None


def test_equal_values_of_one_checkpoint_have_parts_of_their_own() -> None:
    operation = put_checkpoint(IN_CHUNKS, checkpoint_of(BYTES, BYTES))
    parts = begun(next(operation))
    assert parts == chunk_puts("token-checkpoint") + chunk_puts("token-metadata")
    request = operation.send([None] * 6)
    assert puts_of(request)[0].item.get("metadata_payload") == in_chunks("token-metadata")


def test_the_chunks_of_all_writes_of_a_call_are_put_side_by_side_before_the_transaction() -> None:
    operation = put_writes(IN_CHUNKS, FIRST, [write_of(BYTES, 0), write_of(BYTES, -1)])
    parts = begun(next(operation))
    assert parts == chunk_puts("token--1-value") + chunk_puts("token-0-value")
    request = operation.send([None] * 6)
    assert [one.item.get("value_payload") for one in puts_of(request)] == [
        in_chunks("token--1-value"),
        in_chunks("token-0-value"),
    ]
    assert result_of(operation, None) is None


def test_a_checkpoint_that_is_refused_in_the_end_has_no_part_deleted() -> None:
    # The item may be there all the same: an answer that was lost is an error too.
    operation = put_checkpoint(IN_CHUNKS, checkpoint_of(BYTES))
    up_to_the_item(operation)
    with pytest.raises(ServiceError, match="InternalServerError"):
        operation.throw(refused("InternalServerError"))


put_again_both_ways = pytest.mark.parametrize(
    "put_again",
    [
        lambda store, data: put_checkpoint(store, checkpoint_of(data)),
        lambda store, data: put_writes(store, FIRST, [write_of(data, -4)]),
    ],
    ids=["checkpoint", "special write"],
)


@put_again_both_ways
def test_the_old_parts_are_deleted_after_the_new_item(
    put_again: Callable[[Store, bytes], Operation[None]],
) -> None:
    old = up_to_the_item(put_again(by_another_call(IN_CHUNKS), BYTES))
    operation = put_again(IN_CHUNKS, b"small")
    new = next(operation)
    assert isinstance(new, PutItem)
    assert new.put.key == old.key
    value = "checkpoint" if old.table is Table.CHECKPOINTS else "-4-value"
    assert operation.send(old.item) == deletes(chunk_keys(f"another-{value}"))
    assert result_of(operation, ()) is None


@put_again_both_ways
def test_of_a_large_value_put_again_no_part_is_deleted_since_nobody_tells_which_were_there(
    put_again: Callable[[Store, bytes], Operation[None]],
) -> None:
    operation = put_again(IN_CHUNKS, BYTES)
    up_to_the_item(operation)
    assert result_of(operation, None) is None


@put_again_both_ways
def test_an_old_item_that_cannot_be_read_is_replaced_all_the_same(
    put_again: Callable[[Store, bytes], Operation[None]],
) -> None:
    operation = put_again(IN_CHUNKS, b"small")
    new = next(operation)
    assert isinstance(new, PutItem)
    damaged = {"checkpoint_payload": {"S": "damaged"}, "value_payload": {"M": {}}}
    assert result_of(operation, {**new.put.item, **damaged}) is None


@put_again_both_ways
def test_old_parts_that_cannot_be_deleted_are_logged_and_no_error(
    put_again: Callable[[Store, bytes], Operation[None]], caplog: pytest.LogCaptureFixture
) -> None:
    old = up_to_the_item(put_again(by_another_call(IN_CHUNKS), BYTES))
    operation = put_again(IN_CHUNKS, b"small")
    next(operation)
    assert isinstance(operation.send(old.item), BatchWrite)
    with pytest.raises(StopIteration):
        operation.throw(refused("AccessDeniedException"))
    (logged,) = caplog.records
    assert logged.levelname == "WARNING"
    assert "'0001' of thread 't'" in logged.getMessage()
    assert "AccessDeniedException" in logged.getMessage()


THERE = {
    "nothing": None,
    "another inline": beside(write_of(b"first"), FIRST),
    "another in chunks": beside(write_of(BYTES), FIRST, by_another_call(IN_CHUNKS)),
    "its own": beside(write_of(BYTES), FIRST, IN_CHUNKS),
}


@pytest.mark.parametrize("there", THERE.values(), ids=THERE)
def test_the_parts_of_a_write_that_came_too_late_are_deleted_unless_it_is_there_itself(
    there: Put | None,
) -> None:
    operation = put_writes(IN_CHUNKS, FIRST, [write_of(BYTES)])
    late = up_to_the_item(operation)
    assert operation.throw(cancelled("ConditionalCheckFailed")) == of_the_task()
    if there is None:
        # It was deleted meanwhile.
        (again,) = puts_of(operation.send(page()))
        assert again.key.sort == "task:::00"
        assert again.item.get("value_payload") == late.item.get("value_payload")
        assert result_of(operation, None) is None
        return
    if there == late:
        # An earlier attempt of the same request has taken effect.
        assert result_of(operation, page(there)) is None
        return
    assert operation.send(page(there)) == deletes(chunk_keys("token-0-value"))
    assert result_of(operation, ()) is None


def puts_of(request: object) -> tuple[Put, ...]:
    assert isinstance(request, TransactPut)
    puts = tuple(one for one in request.puts if isinstance(one, Put))
    assert puts == request.puts
    return puts


def test_the_parts_of_a_write_that_loses_its_place_in_the_end_are_deleted_too() -> None:
    operation = put_writes(IN_CHUNKS, FIRST, [write_of(BYTES, 0), write_of(BYTES, 1)])
    next(operation)
    operation.send([None] * 6)
    operation.throw(cancelled("ConditionalCheckFailed"))
    (rest,) = puts_of(operation.send(page(beside(write_of(b"first"), FIRST))))
    assert rest.key.sort == "task:::1"
    gone = operation.throw(cancelled("ConditionalCheckFailed"))
    assert gone == deletes(chunk_keys("token-0-value"))
    assert operation.send(()) == GetItem(Table.WRITES, rest.key, consistent=True)
    assert operation.send(None) == deletes(chunk_keys("token-1-value"))
    assert result_of(operation, ()) is None


def test_a_failure_to_clean_up_after_a_write_that_came_too_late_is_logged_and_no_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    operation = put_writes(IN_CHUNKS, FIRST, [write_of(BYTES)])
    up_to_the_item(operation)
    operation.throw(cancelled("ConditionalCheckFailed"))
    operation.send(page(beside(write_of(b"first"), FIRST)))
    with pytest.raises(StopIteration):
        operation.throw(refused("AccessDeniedException"))
    assert [logged.levelname for logged in caplog.records] == ["WARNING"]


def s3_key(data: bytes, stamp: str) -> str:
    return object_key("states/", FIRST, PartAddress(content_digest(data), stamp))


def leading(data: bytes, stamp: str) -> Put:
    """The item that leads to an object."""
    key = Key("t:::0001:::", f"object/{content_digest(data)}/{stamp}")
    item: Item = {
        "thread_id_checkpoint_id_checkpoint_ns": {"S": key.partition},
        "task_id_idx": {"S": key.sort},
        "bucket": {"S": "bucket"},
        "object_key": {"S": s3_key(data, stamp)},
        "created": CREATED,
    }
    return Put(Table.WRITES, key, item)


def test_an_object_is_put_after_what_leads_there_and_before_what_refers_to_it() -> None:
    operation = put_checkpoint(IN_S3, checkpoint_of(BYTES))
    stamp = "token-checkpoint"
    assert next(operation) == PutItem(leading(BYTES, stamp))
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
    assert begun(next(operation)) == [
        PutItem(leading(BYTES, "token-checkpoint")),
        PutItem(leading(BYTES[::-1], "token-metadata")),
    ]


def test_the_object_of_a_replaced_checkpoint_is_deleted_before_the_item_that_leads_there() -> None:
    memory = Memory([])
    memory.run(put_checkpoint(by_another_call(IN_S3), checkpoint_of(BYTES)))
    memory.asked.clear()
    memory.run(put_checkpoint(IN_S3, checkpoint_of(b"small")))
    assert memory.asked[-2:] == [
        DeleteObjects("bucket", (s3_key(BYTES, "another-checkpoint"),)),
        deletes([leading(BYTES, "another-checkpoint").key]),
    ]
    assert memory.objects == {}
    assert list(memory.items) == [(Table.CHECKPOINTS, Key("t", "0001"))]


def test_a_delete_takes_writes_then_objects_then_what_leads_there_then_the_tombstone() -> None:
    memory = Memory([])
    memory.run(put_checkpoint(IN_S3, checkpoint_of(BYTES)))
    memory.run(put_writes(IN_S3, FIRST, [write_of(b"small")]))
    memory.asked.clear()
    memory.run(delete_thread(IN_S3, "t"))
    changes = [one for one in memory.asked if not isinstance(one, Query)]
    assert kinds(changes[:1]) == ["BatchWrite"]
    assert changes[1:] == [
        BatchWrite((mark_put(FIRST, NOW),)),
        deletes([Key("t:::0001:::", "task:::0")]),
        DeleteObjects("bucket", (s3_key(BYTES, "token-checkpoint"),)),
        deletes([leading(BYTES, "token-checkpoint").key]),
        BatchWrite((Delete(Table.CHECKPOINTS, Key("t", "0001")),)),
    ]
    assert (without_marks(memory), memory.objects) == ({}, {})


def test_a_copy_stores_what_leads_to_an_object_then_the_object_then_what_refers_to_it() -> None:
    memory = Memory([])
    memory.run(put_checkpoint(IN_S3, checkpoint_of(BYTES)))
    memory.asked.clear()
    memory.run(copy_thread(by_another_call(IN_S3), "t", "u"))
    changes = [one for one in memory.asked if not isinstance(one, Query)]
    assert kinds(changes) == ["BatchWrite", "CopyObject", "TransactPut"]
    (lead,), (own,) = _changes(changes[0]), _changes(changes[2])
    assert isinstance(lead, Put)
    assert isinstance(own, Put)
    assert (lead.key.partition, own.key) == ("u:::0001:::", Key("u", "0001"))
    refers_to: Any = own.item["checkpoint_payload"]
    copied_to = refers_to["M"]["key"]
    assert lead.item["object_key"] == copied_to
    assert changes[1] == CopyObject("bucket", s3_key(BYTES, "token-checkpoint"), copied_to["S"])


# Reading values outside their items

HUGE = record("0001", blob="x" * 2_100_000)
"""Six chunks; two of them make a page."""


def huge_cuts() -> list[str]:
    """Sort keys of the second and the fourth chunk."""
    chunks = [one.key.sort for one in whole(HUGE, STORE)[1:]]
    assert len(chunks) == 6
    return [chunks[1], chunks[3]]


def test_a_value_of_more_than_a_page_is_read_as_ranges_that_meet() -> None:
    operation = computed(get_tuple(STORE, Address("t", "", None)))
    next(operation)
    item, *chunks = whole(HUGE, STORE)
    group = operation.send(page(item))
    query = writes_query("0001")
    first, second = huge_cuts()
    assert begun(group) == [
        replace(query, sort=SortRange(high=first)),
        replace(query, after=first, sort=SortRange(high=second)),
        replace(query, after=second),
    ]
    pages = [[one.item for one in chunks[n : n + 2]] for n in (0, 2, 4)]
    found = result_of(operation, pages)
    assert found.checkpoint["channel_values"] == {"blob": "x" * 2_100_000}


def test_ranges_go_on_where_the_page_ended_that_was_read_beside_the_item() -> None:
    early, late = write(0, task_id="a task"), write(0, task_id="task")
    items = [*whole(HUGE, STORE), beside(early, HUGE.ref), beside(late, HUGE.ref)]
    memory = Memory(items, page_size=3)
    found = memory.run(get_tuple(STORE, Address("t", "", "0001")))
    assert found.checkpoint["channel_values"] == {"blob": "x" * 2_100_000}
    assert [task for task, _, _ in found.pending_writes] == ["a task", "task"]
    query = writes_query("0001")
    first, second = huge_cuts()
    # On the first page: one write and two chunks. Nothing is read twice.
    assert memory.asked[1:] == [
        query,
        replace(query, start=start_key(first), sort=SortRange(high=second)),
        replace(query, after=second),
    ]


def test_a_value_of_one_page_is_read_in_one_range() -> None:
    one = record("0001", blob="x" * 900_000)
    memory = Memory(whole(one, STORE))
    assert memory.run(get_tuple(STORE, Address("t", "", None))) is not None
    assert kinds(memory.asked) == ["Query", "Query"]


SMALL = replace(STORE, payloads=PayloadPolicy(inline_limit=400, chunk_bytes=300))
"""Puts the checkpoints of these tests into chunks, and leaves their writes in their items."""
RELAXED = replace(SMALL, consistent=False)


def large(checkpoint_id: str, parent_id: str | None = None, **values: Any) -> CheckpointRecord:
    """A checkpoint that such a store keeps in chunks."""
    one = record(checkpoint_id, parent_id, filler="x" * 400, **values)
    assert len(whole(one, SMALL)) > 2
    return one


@pytest.mark.parametrize("store", [SMALL, RELAXED], ids=["consistent", "relaxed"])
@pytest.mark.parametrize("then", ["still missing", "there", "deleted"])
def test_a_missing_chunk_is_looked_for_once_more_and_consistently(store: Store, then: str) -> None:
    operation = get_tuple(store, Address("t", "", None))
    item, *chunks = whole(large("0001"), SMALL)
    newest = replace(
        Query(Table.CHECKPOINTS, "t", store.consistent, ROOT_RANGE, forward=False), limit=1
    )
    assert next(operation) == newest
    query = replace(writes_query("0001"), consistent=store.consistent)
    assert operation.send(page(item)) == query
    assert operation.send(page(*chunks[1:])) == replace(newest, consistent=True)
    if then == "deleted":
        assert result_of(operation, page()) is None
        return
    assert operation.send(page(item)) == writes_query("0001")
    if then == "there":
        assert result_of(operation, page(*chunks)).checkpoint["id"] == "0001"
        return
    with pytest.raises(MissingPartError, match="'0001' of thread 't'") as raised:
        operation.send(page(*chunks[1:]))
    assert raised.value.attribute == "checkpoint"


def test_the_second_look_by_an_id_reads_item_and_parts_side_by_side_again() -> None:
    operation = get_tuple(RELAXED, Address("t", "", "0001"))
    item, *chunks = whole(large("0001"), SMALL)
    request = next(operation)
    for consistent in (False, True):
        assert isinstance(request, Concurrently)
        reading, writes = request.operations
        assert next(reading) == GetItem(Table.CHECKPOINTS, Key("t", "0001"), consistent)
        assert next(writes) == replace(writes_query("0001"), consistent=consistent)
        replies = [result_of(reading, item.item), result_of(writes, page(*chunks[1:]))]
        if not consistent:
            request = operation.send(replies)
    with pytest.raises(MissingPartError):
        operation.send(replies)


@pytest.mark.parametrize("then", ["still missing", "there", "deleted"])
def test_listing_looks_once_more_for_the_one_checkpoint_that_misses_a_chunk(then: str) -> None:
    stream = list_thread(RELAXED, Address("t", "", None), Wanted(limit=1))
    item, *chunks = whole(large("0001"), SMALL)
    next(stream)
    stream.send(page(item))
    again = stream.send(page())
    assert again == GetItem(Table.CHECKPOINTS, Key("t", "0001"), consistent=True)
    if then == "deleted":
        assert stream.send(None) == Emit([])
        return
    assert stream.send(item.item) == writes_query("0001")
    if then == "there":
        emitted = stream.send(page(*chunks))
        assert isinstance(emitted, Emit)
        assert [one.checkpoint["id"] for one in emitted.values] == ["0001"]
        return
    with pytest.raises(MissingPartError):
        stream.send(page())


@pytest.mark.parametrize(("seed", "groups", "read"), [(8, [], 1), (6, [2], 3), (3, [2, 4], 7)])
def test_a_history_fetches_ancestors_in_chunks_one_two_four_at_a_time_and_each_once(
    seed: int, groups: list[int], read: int
) -> None:
    chain = [
        large(
            f"{number:04}",
            f"{number - 1:04}" if number > 1 else None,
            **({"log": ["seed"]} if number == seed else {}),
        )
        for number in range(1, 10)
    ]
    items = [put for one in chain for put in whole(one, SMALL)]
    items += [beside(write(0, value=one.ref.checkpoint_id), one.ref) for one in chain]
    memory = Memory(items)
    address = Address("t", "", "0009")
    found = memory.run(get_delta_channel_history(SMALL, address, ["log"]))["log"]
    assert values(found) == [f"{number:04}" for number in range(seed, 9)]
    assert found["seed"] == ["seed"]
    assert memory.asked[1:] == [writes_query(f"{number:04}") for number in range(8, 8 - read, -1)]
    assert [size for size in memory.groups if size > 1][: len(groups)] == groups


# Histories of what expires

TTL = 10_000


def stamped(age: int) -> Store:
    """A store as it was some seconds ago."""
    then = NOW - age
    stamp = Stamp("old", then, then + TTL)
    return replace(SMALL, stamp=stamp, ttl_seconds=TTL)


def expiring_chain(age: int) -> list[Put]:
    """A seed with a write, a younger ancestor in chunks, and the newest checkpoint."""
    store = stamped(age)
    seed = record("0001", log=["seed"])
    return [
        stored(seed, replace(store, payloads=STORE.payloads)),
        beside(write(0), seed.ref, store),
        *whole(large("0002", "0001"), store),
        stored(record("0003", "0002"), store),
    ]


def test_a_history_prolongs_the_checkpoint_and_what_lies_beside_each_ancestor_before_it() -> None:
    memory = Memory(expiring_chain(age=1))
    chunks = sorted(sort for _, (_, sort) in memory.items if sort.startswith("chunk/"))
    assert len(chunks) > 1
    memory.run(get_delta_channel_history(stamped(0), Address("t", "", None), ["log"]))
    longer = NOW + TTL + MARGIN + TTL // 2
    expected: list[Request[Any]] = [
        *(Prolong(Table.WRITES, Key("t:::0002:::", s), longer) for s in chunks),
        Prolong(Table.CHECKPOINTS, Key("t", "0002"), longer),
        Prolong(Table.WRITES, Key("t:::0001:::", "task:::0"), longer),
        Prolong(Table.CHECKPOINTS, Key("t", "0001"), longer),
        # The newest checkpoint is the next one's first ancestor.
        Prolong(Table.CHECKPOINTS, Key("t", "0003"), longer),
    ]
    assert [one for one in memory.asked if isinstance(one, Prolong)] == expected


@pytest.mark.parametrize(("age", "ttl"), [(0, TTL), (1, None)], ids=["fresh", "no expiry"])
def test_a_history_prolongs_nothing_that_lives_long_enough(age: int, ttl: int | None) -> None:
    memory = Memory(expiring_chain(age))
    store = replace(stamped(0), ttl_seconds=ttl)
    memory.run(get_delta_channel_history(store, Address("t", "", None), ["log"]))
    assert set(kinds(memory.asked)) == {"Query"}


def test_a_history_makes_the_objects_it_is_read_from_young_again() -> None:
    store = replace(stamped(1), payloads=PayloadPolicy(s3=S3Policy("bucket", "", 100)))
    memory = Memory([])
    memory.run(put_checkpoint(store, record("0001", log=["seed"])))
    memory.run(put_checkpoint(store, record("0002", "0001")))
    memory.asked.clear()
    now = replace(stamped(0), payloads=store.payloads)
    memory.run(get_delta_channel_history(now, Address("t", "", None), ["log"]))
    assert len(memory.objects) == 2
    prolonging = [one for one in memory.asked if isinstance(one, (Prolong, CopyObject))]
    assert kinds(prolonging) == ["Prolong", "CopyObject", "Prolong"] * 2
    copies = [one for one in prolonging if isinstance(one, CopyObject)]
    assert sorted(one.target for one in copies) == sorted(memory.objects)
    assert all(one.source == one.target for one in copies)


def test_a_history_that_cannot_be_prolonged_is_read_and_the_failure_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    memory = Memory(expiring_chain(age=1))
    memory.prolongs = False
    found = memory.run(get_delta_channel_history(stamped(0), Address("t", "", None), ["log"]))
    assert found["log"]["seed"] == ["seed"]
    assert [logged.levelname for logged in caplog.records] == ["WARNING"]
    assert "AccessDeniedException" in caplog.text


# Everything is serialized before the first request


class Picky:
    """Serializes everything but the word `no`."""

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        if obj == "no":
            raise TypeError("cannot be serialized")
        return SERDE.dumps_typed(obj)

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        return SERDE.loads_typed(data)


def test_a_checkpoint_that_cannot_be_serialized_leaves_nothing_behind(
    calls: Calls, tables: Tables
) -> None:
    with pytest.raises(TypeError):
        calls.put(config("t"), checkpoint(fine=1, bad=threading.Lock()), metadata(), {})
    assert tables.checkpoint_items() == []


def test_metadata_that_cannot_be_serialized_leaves_no_checkpoint_behind(
    calls: Calls, tables: Tables
) -> None:
    with pytest.raises(TypeError):
        calls.put(config("t"), checkpoint(), metadata(bad=threading.Lock()), {})
    assert tables.checkpoint_items() == []


@pytest.mark.parametrize("before", [1, 120], ids=["one transaction", "two transactions"])
def test_a_last_write_that_cannot_be_serialized_leaves_none_of_the_others_behind(
    calls: Calls, tables: Tables, before: int
) -> None:
    writes = [*(("log", number) for number in range(before)), ("log", threading.Lock())]
    with pytest.raises(TypeError):
        calls.put_writes(config("t", "", "0001"), writes, "task")
    assert tables.write_items() == []


def test_a_last_write_that_fits_into_no_item_leaves_none_of_the_others_behind(
    calls: Calls, tables: Tables
) -> None:
    writes = [*(("log", number) for number in range(120)), ("l" * 409_600, 1)]
    with pytest.raises(ItemTooLargeError, match="'task'"):
        calls.put_writes(config("t", "", "0001"), writes, "task")
    assert tables.write_items() == []


def test_a_value_refused_by_the_users_own_serde_leaves_nothing_behind(tables: Tables) -> None:
    with tables.saver(serde=Picky()) as saver:
        saver.setup()
        with pytest.raises(TypeError, match="cannot be serialized"):
            saver.put_writes(config("t", "", "0001"), [("log", "yes"), ("log", "no")], "task")
    assert tables.write_items() == []
