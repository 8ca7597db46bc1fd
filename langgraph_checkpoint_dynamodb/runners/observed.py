"""Records observed SDK calls for `on_request`. Shared by all runners."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import lru_cache
from time import perf_counter
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from langgraph_checkpoint_dynamodb.errors import DynamoDBSaverError, ServiceError
from langgraph_checkpoint_dynamodb.format.parts import thread_of_object
from langgraph_checkpoint_dynamodb.format.sizes import item_size
from langgraph_checkpoint_dynamodb.format.write_keys import thread_of_partition
from langgraph_checkpoint_dynamodb.requests.items import (
    BatchGet,
    BatchWrite,
    Delete,
    DeleteIfOld,
    DeleteUnchanged,
    ExtendTtl,
    GetItem,
    Put,
    PutItem,
    Query,
    TransactPut,
    Update,
    UpdateItem,
)
from langgraph_checkpoint_dynamodb.requests.objects import DeleteObjects, PutObject
from langgraph_checkpoint_dynamodb.watching.observing import RequestInfo

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from langgraph_checkpoint_dynamodb.format.tables import Table
    from langgraph_checkpoint_dynamodb.requests.operations import Request
    from langgraph_checkpoint_dynamodb.runners.client import Service
    from langgraph_checkpoint_dynamodb.runners.sdk_calls.call import SdkCall
    from langgraph_checkpoint_dynamodb.watching.watcher import Watch

_READS = frozenset({"BatchGetItem", "GetItem", "Query", "Scan", "SearchVectors"})
_METERED = _READS | {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"}
"""Actions that return consumed capacity on request."""
_PORTS = {"https": 443, "http": 80}


def listen(client: Any, service: Service) -> None:
    """Record the attempts of a client's calls. It must have been created by this package.

    The SDK returns the number of attempts only with a response, and nothing about failed ones.
    """
    client.meta.events.register(f"response-received.{service}", _note)


@contextmanager
def observed(request: Request[Any], watch: Watch, call: SdkCall) -> Iterator[SdkCall]:
    """Observe an SDK call until its request has ended, then notify the observer."""
    record = CallRecord(watch)
    arguments = call.arguments
    if watch.asks_for_capacity and call.action in _METERED:
        arguments = {**arguments, "ReturnConsumedCapacity": "INDEXES"}
    refused: BaseException | None = None
    try:
        yield replace(call, arguments=arguments, record=record)
    except BaseException as error:
        refused = error
        if not isinstance(error, DynamoDBSaverError):
            watch.stopped_by(error)
        raise
    finally:
        if record.client is not None:
            watch.tell(_info(request, watch, call, record, refused))


@dataclass(frozen=True, slots=True)
class _Failure:
    """An attempt that failed."""

    code: str
    reasons: tuple[str, ...] = ()


class CallRecord:
    """The record of one SDK call, from its first attempt to the end of its response.

    Attributes:
        client: The client, once it was called; else `None`.
        response: The response it returned.
        error: The error it raised.
        attempts: The failure of each recorded attempt; `None` for success.
        seconds: Its duration.
    """

    def __init__(self, watch: Watch) -> None:
        self.client: Any = None
        self.response: Mapping[str, Any] = {}
        self.error: BaseException | None = None
        self.attempts: list[_Failure | None] = []
        self.seconds = 0.0
        self._watch = watch

    @contextmanager
    def during(self, client: Any) -> Iterator[None]:
        """A context in which one thread or task calls the client and reads its response."""
        self.client = client
        token = _current_record.set(self)
        try:
            with self._watch.current():
                began = perf_counter()
                try:
                    yield
                except BaseException as error:
                    self.error = error
                    raise
                finally:
                    self.seconds = perf_counter() - began
        finally:
            _current_record.reset(token)

    @property
    def answer(self) -> Mapping[str, Any]:
        """The last response, which may be an error; empty if there was none."""
        if isinstance(self.error, ClientError):
            answer: Mapping[str, Any] = self.error.response
            return answer
        return self.response

    @property
    def metadata(self) -> Mapping[str, Any]:
        """`ResponseMetadata` of the last response."""
        metadata: Mapping[str, Any] = self.answer.get("ResponseMetadata", {})
        return metadata

    def failures(self) -> tuple[int, list[_Failure]]:
        """The number of attempts, and the failures, as far as the SDK reports them."""
        if self.attempts:
            return len(self.attempts), [one for one in self.attempts if one is not None]
        last = None if self.error is None else _failure(self.answer, self.error)
        return self.metadata.get("RetryAttempts", 0) + 1, [] if last is None else [last]


_current_record: ContextVar[CallRecord | None] = ContextVar("current_record", default=None)
"""The SDK call of this thread or task: the SDK's events do not name it."""


def _note(parsed_response: Any, exception: Exception | None, **_: object) -> None:
    record = _current_record.get()
    if record is not None:
        record.attempts.append(_failure(parsed_response, exception))


def _failure(answer: Mapping[str, Any] | None, error: BaseException | None) -> _Failure | None:
    """The failure of an attempt; `None` if it succeeded."""
    if answer and "Error" in answer:
        # Both spellings are in the SDK's model of DynamoDB, each of some exceptions.
        reasons = answer.get("ThrottlingReasons") or answer.get("throttlingReasons") or []
        return _Failure(
            str(answer["Error"].get("Code", "Unknown")),
            tuple(one["reason"] for one in reasons if "reason" in one),
        )
    return None if error is None else _Failure(type(error).__name__)


def _info(
    request: Request[Any],
    watch: Watch,
    call: SdkCall,
    record: CallRecord,
    refused: BaseException | None,
) -> RequestInfo:
    attempts, failures = record.failures()
    answer = record.answer
    consumed = answer.get("ConsumedCapacity") or ()
    consumed = (consumed,) if isinstance(consumed, dict) else tuple(consumed)
    units = sum((one.get("CapacityUnits", 0.0) for one in consumed), 0.0)
    reads = call.action in _READS
    host, port = _server(record.client.meta.endpoint_url)
    return RequestInfo(
        operation=watch.operation,
        action=f"s3:{call.action}" if call.service == "s3" else call.action,
        table_names=_table_names(call),
        index_name=call.arguments.get("IndexName"),
        bucket=call.arguments.get("Bucket"),
        thread_id=_thread_of(request, call) if watch.threads else None,
        batch_size=_batch_size(request),
        unprocessed=_unprocessed(answer),
        attempts=attempts,
        attempt_errors=tuple(one.code for one in failures),
        throttling_reasons=tuple(dict.fromkeys(why for one in failures for why in one.reasons)),
        error_code=_error_code(record, refused),
        cancellation_reasons=tuple(
            reason["Code"]
            for reason in answer.get("CancellationReasons", ())
            if reason.get("Code", "None") != "None"
        ),
        request_id=record.metadata.get("RequestId"),
        sent_bytes=_sent_bytes(request),
        received_bytes=int(record.metadata.get("HTTPHeaders", {}).get("content-length", 0)),
        read_units=units if reads else 0.0,
        write_units=0.0 if reads else units,
        consumed_capacity=consumed,
        seconds=record.seconds,
        host=host,
        port=port,
    )


@lru_cache(maxsize=16)
def _server(endpoint_url: str) -> tuple[str, int]:
    parts = urlsplit(endpoint_url)
    return parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)


def _error_code(record: CallRecord, refused: BaseException | None) -> str | None:
    failure = None if record.error is None else _failure(record.answer, record.error)
    if failure is not None:
        return failure.code
    # The SDK accepted the response, and this package did not.
    if isinstance(refused, ServiceError):
        return refused.code
    return None if refused is None else type(refused).__name__


def _table_names(call: SdkCall) -> tuple[str, ...]:
    if call.table_name:
        return (call.table_name,)
    batch = call.arguments.get("RequestItems", {})
    transaction = call.arguments.get("TransactItems", ())
    return tuple(
        sorted({*batch, *(part["TableName"] for one in transaction for part in one.values())})
    )


def _batch_size(request: Request[Any]) -> int:
    match request:
        case TransactPut(changes) | BatchWrite(changes):
            return len(changes)
        case BatchGet(keys=keys) | DeleteObjects(keys=keys):
            return len(keys)
    return 1


def _unprocessed(answer: Mapping[str, Any]) -> int:
    keys = [one["Keys"] for one in answer.get("UnprocessedKeys", {}).values()]
    return sum(map(len, (*answer.get("UnprocessedItems", {}).values(), *keys)))


def _sent_bytes(request: Request[Any]) -> int:
    return sum(map(_size, _changes(request))) + (
        len(request.data) if isinstance(request, PutObject) else 0
    )


def _size(change: Put | Update | Delete) -> int:
    match change:
        case Put(item=item):
            return item_size(item)
        case Update(values=values, unless_set=more, entries=entries):
            set_ = {name: value for _, name, value in entries if value is not None}
            return item_size(values) + item_size(more) + item_size(set_)
    return 0


def _changes(request: Request[Any]) -> Sequence[Put | Update | Delete]:
    match request:
        case PutItem(put):
            return (put,)
        case UpdateItem(update):
            return (update,)
        case TransactPut(changes) | BatchWrite(changes):
            return changes
    return ()


def _thread_of(request: Request[Any], call: SdkCall) -> str | None:
    """The thread that a request's keys name; `None` if they name several or none."""
    threads = {thread_of_partition(table, name) for table, name in _partitions(request)}
    if call.service == "s3":
        keys = request.keys if isinstance(request, DeleteObjects) else (call.arguments["Key"],)
        threads = set(map(thread_of_object, keys))
    return threads.pop() if len(threads) == 1 else None


def _partitions(request: Request[Any]) -> Iterator[tuple[Table, str]]:
    match request:
        case GetItem() | ExtendTtl() | DeleteIfOld() | DeleteUnchanged():
            yield request.table, request.key.partition
        case Query():
            yield request.table, request.partition
    for change in _changes(request):
        yield change.table, change.key.partition
