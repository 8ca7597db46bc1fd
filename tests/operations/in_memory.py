"""In-memory tables and a bucket that answer the requests of operations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.errors import ServiceError
from langgraph_checkpoint_dynamodb.format.tables import Key, Table
from langgraph_checkpoint_dynamodb.requests.items import (
    BatchWrite,
    Delete,
    ExtendTtl,
    GetItem,
    Page,
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
from langgraph_checkpoint_dynamodb.requests.operations import Compute, Concurrently, Emit, Request
from tests.operations.examples import page, service_error
from tests.operations.stepping import changes_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from langgraph_checkpoint_dynamodb.requests.items import Item
    from langgraph_checkpoint_dynamodb.requests.operations import Operation, Stream


class InMemoryTables:
    """Answers requests from memory, sequentially, and records them.

    Args:
        puts: The initial items.
        page_size: Most items of a page.
        index: Keys in the index of runs, by run id.

    Attributes:
        items: The items of both tables.
        asked: Every request, in order.
        groups: Sizes of the groups of concurrent operations.
        objects: The S3 objects, by key.
        extends: Whether `ExtendTtl` requests succeed.
        emitted: Values that streams have emitted.
    """

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
        self.extends = True
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
            case ExtendTtl() if self.extends:
                return True
            case ExtendTtl():
                raise service_error("AccessDeniedException")
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
                for change in changes_of(request):
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
    """What a keys-only index stores for a checkpoint's item."""
    return {"thread_id": {"S": key.partition}, "checkpoint_id": {"S": key.sort}}


def _place(query: Query) -> tuple[Table, str]:
    return query.table, query.partition


def marks(memory: InMemoryTables) -> list[str]:
    """Partition keys of the marks of deletes."""
    return [key.partition for _, key in memory.items if key.sort == "~deleted"]


def without_marks(memory: InMemoryTables) -> dict[tuple[Table, Key], Item]:
    return {place: item for place, item in memory.items.items() if place[1].sort != "~deleted"}
