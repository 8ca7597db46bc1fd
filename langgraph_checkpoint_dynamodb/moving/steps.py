"""Moving as a generator of steps, so that it is written once for plain code and for event loops.

A *moving* yields steps and is sent their results, as an operation is with requests. Its steps are
calls of savers, which have each method twice, and so has a step.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

R = TypeVar("R")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Step(Generic[R]):
    """A call, by both of its methods."""

    plain: Callable[[], R]
    awaited: Callable[[], Awaitable[R]]


Moving: TypeAlias = Generator[Step[Any], Any, R]
"""A generator of steps that returns an `R`."""


def take(step: Step[R]) -> Moving[R]:
    """Take one step. Its result has a type then, which that of a `yield` has not."""
    result: R = yield step
    return result


def blocking(call: Callable[[], R]) -> Step[R]:
    """A call that there is in plain code only; event loops have a thread make it."""
    return Step(call, lambda: asyncio.to_thread(call))


def next_of(values: Iterator[T]) -> Step[T | None]:
    """The next value of an iterator that may block, `None` after the last."""
    return blocking(lambda: next(values, None))


def perform(moving: Moving[R]) -> R:
    """Take all steps in plain code."""
    try:
        step = next(moving)
        while True:
            step = moving.send(step.plain())
    except StopIteration as stop:
        done: R = stop.value
        return done
    finally:
        moving.close()


async def aperform(moving: Moving[R]) -> R:
    """Take all steps on the event loop."""
    try:
        step = next(moving)
        while True:
            step = moving.send(await step.awaited())
    except StopIteration as stop:
        done: R = stop.value
        return done
    finally:
        moving.close()
