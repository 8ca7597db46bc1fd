"""Observes a call that consists of other calls, each of which is observed by itself."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from langgraph_checkpoint_dynamodb.moving.steps import Step
from langgraph_checkpoint_dynamodb.watching.watcher import Watch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langgraph_checkpoint_dynamodb.moving.steps import Moving
    from langgraph_checkpoint_dynamodb.watching.watcher import Watcher

R = TypeVar("R")


def watched(watcher: Watcher, moving: Moving[R], method: str) -> Moving[R]:
    """The steps of a call, observed as one call if `on_request` is a `CallObserver`."""
    return moving if watcher.calls is None else _watched(moving, Watch(watcher, method))


def _watched(moving: Moving[R], watch: Watch) -> Moving[R]:
    with watch:
        try:
            step = next(moving)
            while True:
                step = moving.send((yield _within(step, watch)))
        except StopIteration as stop:
            done: R = stop.value
            return done
        finally:
            moving.close()


def _within(step: Step[R], watch: Watch) -> Step[R]:
    """The same step, performed within the call."""

    @contextmanager
    def scope() -> Iterator[None]:
        with watch.current():
            try:
                yield
            except BaseException as error:
                watch.stopped_by(error)
                raise

    def plain() -> R:
        with scope():
            return step.plain()

    async def awaited() -> R:
        with scope():
            return await step.awaited()

    return Step(plain, awaited)
