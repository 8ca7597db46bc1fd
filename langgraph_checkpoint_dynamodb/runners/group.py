"""A group of concurrent operations: which is next, and the result of each."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langgraph_checkpoint_dynamodb.requests.operations import Operation

R = TypeVar("R")


class Group(Generic[R]):
    """Operations that several workers take from and run until none is left or one has failed."""

    def __init__(self, operations: Sequence[Operation[R]]) -> None:
        self._todo = iter(enumerate(operations))
        self._lock = threading.Lock()
        self._results: dict[int, R] = {}
        self._errors: dict[int, Exception] = {}
        self._stopped: BaseException | None = None

    def take(self) -> tuple[int, Operation[R]] | None:
        """The next operation and its position; `None` if none is left or one has failed."""
        with self._lock:
            return None if self._errors or self._stopped else next(self._todo, None)

    def succeeded(self, position: int, result: R) -> None:
        """Record an operation's result."""
        self._results[position] = result

    def failed(self, position: int, error: Exception) -> None:
        """Record an operation's error."""
        self._errors[position] = error

    def stopped(self, why: BaseException) -> None:
        """Record that a worker was stopped by something other than an operation's error."""
        self._stopped = why

    def results(self) -> list[R]:
        """The results in order.

        Raises:
            Exception: The first error in order.
            BaseException: The reason a worker was stopped.
        """
        if self._errors:
            raise self._errors[min(self._errors)]
        if self._stopped is not None:
            raise self._stopped
        return [self._results[position] for position in sorted(self._results)]
