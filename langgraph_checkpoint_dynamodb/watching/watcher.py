"""Observes calls: passes their requests to `on_request`, and keeps its errors out of the calls.

A watched call is the same operation with each of its requests wrapped in `Watched`, from which the
runner gets the observer. A call without an observer is not wrapped, and has no overhead.
"""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from langgraph_checkpoint_dynamodb.requests.operations import Backoff, Compute, Request
from langgraph_checkpoint_dynamodb.requests.relaying import relay, together_as
from langgraph_checkpoint_dynamodb.watching.observing import CallObserver

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from langgraph_checkpoint_dynamodb.watching.observing import CallScope, OnRequest, RequestInfo

R = TypeVar("R")
GeneratorT = TypeVar("GeneratorT", bound=Generator[Any, Any, Any])

_log = logging.getLogger("langgraph_checkpoint_dynamodb")
_request_log = logging.getLogger("langgraph_checkpoint_dynamodb.requests")


class Watcher:
    """The observer of a saver, store or cache, if any.

    Args:
        on_request: Called with each request; a `CallObserver` also with each call.
        threads: Whether it receives thread ids.
    """

    def __init__(self, on_request: OnRequest | None, *, threads: bool = False) -> None:
        self.on_request = on_request
        self.threads = threads
        self.calls = on_request if isinstance(on_request, CallObserver) else None
        self._warned = False

    def watched(self, operation: GeneratorT, method: str) -> GeneratorT:
        """The operation, or stream, of a call; watched if there is an observer or a log."""
        if self.on_request is None and not _request_log.isEnabledFor(logging.DEBUG):
            return operation
        made: Any = _watched(operation, Watch(self, method))
        watched: GeneratorT = made
        return watched

    @contextmanager
    def forgiving(self) -> Iterator[None]:
        """Keep errors of an observer out of the call: the first is logged."""
        try:
            yield
        except Exception as error:
            if not self._warned:
                self._warned = True
                # Its text may contain payload, so it is not logged.
                _log.warning(
                    "on_request has raised %s.%s; calls go on, and more of its errors are not told",
                    type(error).__module__,
                    type(error).__qualname__,
                )


class Watch:
    """One call that is watched, from the beginning of its operation to the end."""

    def __init__(self, watcher: Watcher, operation: str) -> None:
        self.operation = operation
        self.threads = watcher.threads
        self.asks_for_capacity = watcher.on_request is not None
        self._watcher = watcher
        self._scope: CallScope | None = None
        self._stopped_by: BaseException | None = None

    def __enter__(self) -> None:
        observer = self._watcher.calls
        if observer is None:
            return
        with self._watcher.forgiving():
            scope = observer.on_call(self.operation)
            scope.__enter__()
            self._scope = scope

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._scope is None:
            return
        if self._stopped_by is not None and isinstance(error, GeneratorExit):
            error, self._stopped_by = self._stopped_by, None
            kind, traceback = type(error), error.__traceback__
        with self._watcher.forgiving():
            self._scope.__exit__(kind, error, traceback)

    def stopped_by(self, error: BaseException) -> None:
        """Record the error that ends the call, when its operation is only closed."""
        self._stopped_by = error

    @contextmanager
    def current(self) -> Iterator[None]:
        """A context in which the thread or task works for this call."""
        entered = None
        if self._scope is not None:
            with self._watcher.forgiving():
                scope = self._scope.current()
                scope.__enter__()
                entered = scope
        try:
            yield
        finally:
            if entered is not None:
                with self._watcher.forgiving():
                    entered.__exit__(None, None, None)

    def tell(self, request: RequestInfo) -> None:
        """Pass a request that has ended to the observer and the log."""
        if _request_log.isEnabledFor(logging.DEBUG):
            _request_log.debug("%s", _LogLine(request))
        if self._watcher.on_request is not None:
            with self.current(), self._watcher.forgiving():
                self._watcher.on_request(request)


@dataclass(frozen=True, slots=True)
class Watched(Request[R]):
    """A request of a watched call. Its reply is that of the request."""

    request: Request[R]
    watch: Watch


def _watched(operation: Any, watch: Watch) -> Generator[Any, Any, Any]:
    with watch:
        return (yield from _wrapped(operation, watch))


def _wrapped(operation: Any, watch: Watch) -> Generator[Any, Any, Any]:
    """The same operation, its requests wrapped in `Watched`."""

    def one(request: Request[Any]) -> Generator[Any, Any, Any]:
        unseen = isinstance(request, (Backoff, Compute))
        return (yield request if unseen else Watched(request, watch))

    def way(each: Any) -> Generator[Any, Any, Any]:
        return relay(each, one, group)

    group = partial(together_as, way)
    return way(operation)


@dataclass(frozen=True, slots=True)
class _LogLine:
    """A request as a log line, formatted only if it is logged."""

    request: RequestInfo

    def __str__(self) -> str:
        told = self.request
        parts = [
            f"{told.operation}: {told.action}",
            f"on {told.bucket or ' and '.join(told.table_names)}",
            f"in {told.seconds:.4f} s",
            f"attempts {told.attempts}",
            f"sent {told.sent_bytes} B",
            f"received {told.received_bytes} B",
        ]
        if told.consumed_capacity:
            parts.append(f"units {told.read_units:g} read, {told.write_units:g} write")
        if told.unprocessed:
            parts.append(f"unprocessed {told.unprocessed}")
        errors = (*told.attempt_errors, *([told.error_code] if told.error_code else []))
        for name, some in (
            ("errors", dict.fromkeys(errors)),
            ("throttled by", told.throttling_reasons),
            ("cancelled by", told.cancellation_reasons),
        ):
            if some:
                parts.append(f"{name} {', '.join(some)}")
        return "; ".join(parts)
