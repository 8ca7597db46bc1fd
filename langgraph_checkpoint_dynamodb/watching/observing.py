"""What observers of requests and calls receive, and their protocols."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from types import TracebackType

_REPLIES = frozenset({"ConditionalCheckFailedException", "NoSuchKey", "404"})
"""Error codes that are a regular result: something exists or does not exist."""

_THROTTLES = frozenset(
    {
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingError",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
"""Error codes of throttling, of requests and of the items of a transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestInfo:
    """A request to DynamoDB or S3 that has ended. Contains no payload.

    Attributes:
        operation: The saver's method, by its sync name: `put` also for `aput`.
        action: The API action, such as `PutItem`, or `s3:PutObject` for S3.
        table_names: Names or ARNs of the tables, as passed to the saver; empty for S3.
        index_name: The index that was read, `None` for the table itself.
        bucket: The bucket; `None` for DynamoDB.
        thread_id: The thread of the request's keys. `None` without `observe_threads=True`, and for
            requests whose keys name several threads or none.
        batch_size: Number of items or objects that a batch or transaction reads, writes or deletes;
            1 for other requests.
        unprocessed: Number of unprocessed items in the response, which the saver sends again.
        attempts: Number of attempts, including the SDK's retries. For a `client` that was passed
            in, this is 1 if no response arrived: the SDK does not report the number.
        attempt_errors: Error codes of failed attempts, in order, including those that were retried
            successfully. For a `client` that was passed in, only the last.
        throttling_reasons: DynamoDB's reasons for throttling any of these attempts, for example
            `TableReadKeyRangeThroughputExceeded`.
        error_code: The final error: a code of the service, for example `ThrottlingException`, or
            the name of an SDK error; `None` if the request succeeded. See `failed`.
        cancellation_reasons: For a canceled transaction, the reason codes of the items that caused
            it.
        request_id: AWS's request id of the last attempt, `None` if no response arrived.
        sent_bytes: Size of the items and objects written, as DynamoDB counts it. Conditions and
            keys to read or delete are not included.
        received_bytes: Content-Length of the response, 0 if the response has none.
        read_units: Read capacity units, including those of indexes, as reported by DynamoDB.
        write_units: Write capacity units, likewise. 0 for a failed request.
        consumed_capacity: `ConsumedCapacity` of the response, one for each table.
        seconds: Time from the first attempt to the end of the response, by a monotonic clock. Does
            not include waiting for the limit of `max_concurrency`.
        host: Host of the server.
        port: Port of the server.
    """

    operation: str
    action: str
    table_names: tuple[str, ...]
    index_name: str | None
    bucket: str | None
    thread_id: str | None
    batch_size: int
    unprocessed: int
    attempts: int
    attempt_errors: tuple[str, ...]
    throttling_reasons: tuple[str, ...]
    error_code: str | None
    cancellation_reasons: tuple[str, ...]
    request_id: str | None
    sent_bytes: int
    received_bytes: int
    read_units: float
    write_units: float
    consumed_capacity: tuple[Mapping[str, Any], ...]
    seconds: float
    host: str
    port: int

    @property
    def table_name(self) -> str:
        """The table, empty if there are several or none."""
        return self.table_names[0] if len(self.table_names) == 1 else ""

    @property
    def failed(self) -> bool:
        """Whether the request ended with an error that is not a regular result.

        A failed condition is a regular result: another call has written the item first. A missing
        table or object is a regular result if the request checks whether it exists.
        """
        if self.error_code is None or self.error_code in _REPLIES:
            return False
        if self.error_code == "ResourceNotFoundException":
            return self.action != "DescribeTable"
        return set(self.cancellation_reasons) != {"ConditionalCheckFailed"}

    @property
    def throttles(self) -> int:
        """Number of throttled attempts. Unprocessed items are not counted."""
        cancelled = not _THROTTLES.isdisjoint(self.cancellation_reasons)
        return sum(code in _THROTTLES for code in self.attempt_errors) + cancelled


OnRequest: TypeAlias = Callable[[RequestInfo], object]
"""Called with each request."""


class CallScope(Protocol):
    """Context manager for an observed call: entered when the call begins, exited when it ends.

    It may be exited by another thread than the one that entered it. It receives the call's error,
    or a `GeneratorExit` if the caller abandoned the call.
    """

    def __enter__(self) -> object: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> object: ...

    def current(self) -> AbstractContextManager[object]:
        """Context for a request and its notification, entered by the thread or task that sends it.

        Requests of one call may run concurrently.
        """


@runtime_checkable
class CallObserver(Protocol):
    """An `on_request` that is also notified when calls begin and end."""

    def __call__(self, request: RequestInfo) -> object:
        """Called after a request has ended."""

    def on_call(self, operation: str) -> CallScope:
        """Called before a call of the saver's method of that name begins."""
