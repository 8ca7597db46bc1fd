"""What observers of requests and calls receive, and their protocols."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from types import TracebackType

_REPLIES = frozenset({"ConditionalCheckFailedException", "NoSuchKey", "404"})
"""Error codes that are a regular answer: whether something exists."""

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
    """A request that was sent to DynamoDB or S3, once it has ended. It holds nothing of a payload.

    Attributes:
        operation: The saver's method, by its plain name: `put` for `aput` too.
        action: The API action: `PutItem`, of S3 `s3:PutObject`.
        table_names: Names or ARNs of the tables, as the saver was given them; none for S3.
        index_name: The index that was read, `None` for the table itself.
        bucket: The bucket; `None` for DynamoDB.
        thread_id: The thread that its keys name, with `observe_threads=True`; else `None`, and so
            for requests that concern several threads, or whichever they find.
        batch_size: How many items or objects it reads, writes or deletes together; else 1.
        unprocessed: How many of them came back undone, which the saver sends again.
        attempts: How often it was sent, the SDK's retries among them. Where it never got an answer,
            this is 1 for a `client` that was passed in: the SDK does not tell.
        attempt_errors: The error codes of attempts that failed, in order, those that a retry has
            made good among them. Of a `client` that was passed in only the last.
        throttling_reasons: What DynamoDB gave as reasons for throttling any of these attempts, for
            example `TableReadKeyRangeThroughputExceeded`.
        error_code: What it ended with: a code of the service, for example `ThrottlingException`, or
            the name of an error of the SDK; `None` if it succeeded. See `failed`.
        cancellation_reasons: Of a transaction that was cancelled, the codes of the items that were
            in the way.
        request_id: AWS's id of the last attempt, `None` where there was no answer.
        sent_bytes: Size of the items and objects written, as DynamoDB counts it. Keys to read or
            delete and conditions do not count.
        received_bytes: Size of the body of the answer (its Content-Length), 0 where it says none.
        read_units: Read capacity units, those of indexes among them, as DynamoDB says.
        write_units: Write capacity units, likewise. A request that failed says none.
        consumed_capacity: `ConsumedCapacity` of the answer, one for each table.
        seconds: From the first attempt to the end of the answer, by a monotonic clock. Waiting for
            one of `max_concurrency` places is not counted.
        host: Name of the server.
        port: Its port.
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
        """The table, empty where there are several or none."""
        return self.table_names[0] if len(self.table_names) == 1 else ""

    @property
    def failed(self) -> bool:
        """Whether it ended with an error that is no answer to what was asked.

        A condition that does not hold is an answer: somebody was there before. So is that a table
        or an object which is looked for is not there.
        """
        if self.error_code is None or self.error_code in _REPLIES:
            return False
        if self.error_code == "ResourceNotFoundException":
            return self.action != "DescribeTable"
        return set(self.cancellation_reasons) != {"ConditionalCheckFailed"}

    @property
    def throttles(self) -> int:
        """How many of its attempts were throttled. Items that came back undone are not counted."""
        cancelled = not _THROTTLES.isdisjoint(self.cancellation_reasons)
        return sum(code in _THROTTLES for code in self.attempt_errors) + cancelled


OnRequest: TypeAlias = Callable[[RequestInfo], object]
"""Called with each request."""


class CallScope(Protocol):
    """A call that is being observed: entered when it begins, left when it ends.

    It may be left by another thread than it was entered by. What leaves it is the call's error, a
    `GeneratorExit` where the caller went away before the end.
    """

    def __enter__(self) -> object: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> object: ...

    def current(self) -> AbstractContextManager[object]:
        """Entered around each request, and around telling of it, by the thread or task it is in.

        Requests of one call may be under way at the same time.
        """


@runtime_checkable
class CallObserver(Protocol):
    """An `on_request` that is also told when calls begin and end."""

    def __call__(self, request: RequestInfo) -> object:
        """A request has ended."""

    def on_call(self, operation: str) -> CallScope:
        """A call of the saver's method of that name is about to begin."""
