"""Steps: calls of savers' methods, written once for sync and async code.

A generator of steps yields steps and is sent their results, as an operation is with requests. A
saver has each method twice, sync and async, so a step holds both calls.
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
    """One call.

    Attributes:
        call: Makes the call in sync code.
        acall: Makes the same call on an event loop.
    """

    call: Callable[[], R]
    acall: Callable[[], Awaitable[R]]


Steps: TypeAlias = Generator[Step[Any], Any, R]
"""A generator of steps that returns an `R`."""


def take(step: Step[R]) -> Steps[R]:
    """Yield one step and return its result, which has a type here and not in a plain `yield`."""
    result: R = yield step
    return result


def blocking(call: Callable[[], R]) -> Step[R]:
    """A step for a call that exists in sync code only; event loops run it on another thread."""
    return Step(call, lambda: asyncio.to_thread(call))


def next_of(values: Iterator[T]) -> Step[T | None]:
    """The next value of an iterator that may block, `None` after the last."""
    return blocking(lambda: next(values, None))


def run_steps(steps: Steps[R]) -> R:
    """Take all steps in sync code."""
    try:
        step = next(steps)
        while True:
            step = steps.send(step.call())
    except StopIteration as stop:
        done: R = stop.value
        return done
    finally:
        steps.close()


async def arun_steps(steps: Steps[R]) -> R:
    """Take all steps on the event loop."""
    try:
        step = next(steps)
        while True:
            step = steps.send(await step.acall())
    except StopIteration as stop:
        done: R = stop.value
        return done
    finally:
        steps.close()
