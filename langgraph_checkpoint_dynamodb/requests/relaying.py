"""Wraps operations so that each of their requests is sent in another way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from langgraph_checkpoint_dynamodb.errors import DynamoDBSaverError
from langgraph_checkpoint_dynamodb.requests.operations import Concurrently, Emit

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from langgraph_checkpoint_dynamodb.requests.operations import Operation, Request

    Relayed: TypeAlias = Generator[Any, Any, Any]


def relay(
    operation: Relayed,
    one: Callable[[Request[Any]], Relayed],
    group: Callable[[Sequence[Operation[Any]]], Relayed],
) -> Relayed:
    """Wrap an operation or stream.

    Args:
        operation: The operation to wrap. It is closed with this one.
        one: Sends a request and returns its reply. The values of a stream are passed on.
        group: Performs concurrent operations and returns their results.
    """
    try:
        request: Any = next(operation)
        while True:
            try:
                match request:
                    case Emit():
                        reply = yield request
                    case Concurrently(operations):
                        reply = yield from group(operations)
                    case _:
                        reply = yield from one(request)
            except DynamoDBSaverError as error:  # noqa: PERF203 - each request has its own error
                request = operation.throw(error)
            else:
                request = operation.send(reply)
    except StopIteration as stop:
        return stop.value
    finally:
        operation.close()


def together_as(
    way: Callable[[Operation[Any]], Relayed], operations: Sequence[Operation[Any]]
) -> Relayed:
    """Perform operations concurrently, each wrapped by `way`."""
    return (yield Concurrently(tuple(map(way, operations))))
