"""Requests as values, and the contract between operations and runners.

An *operation* is a generator that yields requests and is sent their replies; its return value is
the result of the call. A *stream* may also yield `Emit` between requests, to hand finished values
to the caller before the end. Neither does I/O, reads a clock or draws random numbers:

- A runner sends each request's reply into the generator, of the type named in the request.
- An error of the service is thrown into the generator where it waits, as an error of
  `langgraph_checkpoint_dynamodb.errors`. What the operation does not catch reaches the caller.
- A runner always closes the generator, so the cleanup of an abandoned operation runs.
- An operation may be abandoned after any request: what it has written by then is readable.

Write `reply = yield from send(GetItem(...))`, which gives `reply` the request's reply type.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar, cast

R = TypeVar("R")

S = TypeVar("S")

LARGE_BYTES = 128 * 1024
"""Work on fewer bytes is done inline: passing it to another thread would take longer."""


@dataclass(frozen=True, slots=True)
class Request(Generic[R]):
    """A request to the outside world. `R` is the type of the reply."""


Operation: TypeAlias = Generator[Request[Any], Any, R]
"""A generator of requests that returns an `R`. Replies differ in type from one to the next, so what
is sent in is `Any`; `send` ties each reply to its request."""


@dataclass(frozen=True, slots=True)
class Emit(Generic[R]):
    """Values a stream hands to its caller. The runner sends back `None`."""

    values: list[R]


Stream: TypeAlias = Generator["Request[Any] | Emit[R]", Any, int]
"""A generator of requests and emitted values that returns how many values it has emitted. It may be
closed after any of them."""


@dataclass(frozen=True, slots=True)
class Backoff(Request[None]):
    """Wait for a random time below `ceiling` seconds (full jitter).

    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """

    ceiling: float


@dataclass(frozen=True, slots=True)
class Compute(Request[R]):
    """Do processor-bound work without side effects; replies with its result.

    On an event loop, another thread does it. It raises only errors of this package.
    """

    work: Callable[[], R]


@dataclass(frozen=True, slots=True)
class Concurrently(Request[list[R]]):
    """Perform operations concurrently, up to the runner's limit.

    Replies with their results in order. If an operation fails, those not yet started
    are skipped and the first error in order is thrown.
    """

    operations: tuple[Operation[R], ...]


def send(request: Request[R]) -> Operation[R]:
    """The operation of one request."""
    return cast("R", (yield request))


def done(result: R) -> Operation[R]:
    """The operation that needs no request."""
    yield from ()
    return result


def compute(work: Callable[[], R], size: int) -> Operation[R]:
    """Do work on `size` bytes: inline if they are few, else as a request."""
    if size < LARGE_BYTES:
        return work()
    return (yield from send(Compute(work)))


def together(operations: list[Operation[R]]) -> Operation[list[R]]:
    """Perform operations concurrently; results in order. A single one needs no group."""
    if len(operations) > 1:
        return (yield from send(Concurrently(tuple(operations))))
    results = []
    for operation in operations:
        result = yield from operation
        results.append(result)
    return results


def both(first: Operation[R], second: Operation[S]) -> Operation[tuple[R, S]]:
    """Perform two operations of different result types concurrently."""
    operations: tuple[Operation[Any], ...] = (first, second)
    left, right = yield from send(Concurrently(operations))
    return left, right
