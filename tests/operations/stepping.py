"""Steps through operations manually: their requests one by one, and their results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from langgraph_checkpoint_dynamodb.requests.items import (
    BatchWrite,
    Delete,
    Put,
    PutItem,
    TransactPut,
)
from langgraph_checkpoint_dynamodb.requests.operations import (
    Backoff,
    Compute,
    Concurrently,
    Request,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from langgraph_checkpoint_dynamodb.errors import ServiceError
    from langgraph_checkpoint_dynamodb.format.tables import Key
    from langgraph_checkpoint_dynamodb.requests.operations import Operation, Stream

T = TypeVar("T")


def result_of(operation: Operation[T] | Stream[Any], last_reply: object) -> Any:
    """Send the reply to the last request of an operation; returns its result."""
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
    """The operation without its `Compute` requests, which are run here."""
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


def kinds(requests: Iterable[Request[Any]]) -> list[str]:
    return [type(request).__name__ for request in requests]


def changed(requests: Iterable[Request[Any]], kind: type[Put] | type[Delete]) -> list[Key]:
    """Keys of all puts or of all deletes, in the order of the requests."""
    return [
        change.key
        for request in requests
        for change in changes_of(request)
        if isinstance(change, kind)
    ]


def changes_of(request: Request[Any]) -> Sequence[Put | Delete]:
    match request:
        case PutItem(put):
            return (put,)
        case TransactPut():
            return puts_of(request)
        case BatchWrite(changes):
            return changes
    return ()


def first_requests(request: object) -> list[Request[Any]]:
    """The first request of each member of a group."""
    assert isinstance(request, Concurrently)
    return [next(member) for member in request.operations]


def up_to_the_item(operation: Operation[None]) -> Put:
    """Answer the requests that store parts; returns the put of the item that refers to them."""
    request = next(operation)
    assert isinstance(request, Concurrently)
    request = operation.send([None] * len(request.operations))
    (put,) = puts_of(request)
    return put


def puts_of(request: object) -> tuple[Put, ...]:
    assert isinstance(request, TransactPut)
    puts = tuple(one for one in request.puts if isinstance(one, Put))
    assert puts == request.puts
    return puts
