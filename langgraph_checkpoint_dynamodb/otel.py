"""Spans and metrics of OpenTelemetry for calls and requests. Needs the extra `[otel]`.

Names follow OpenTelemetry's conventions for database clients, those for DynamoDB, and for S3 those
for the AWS SDK: https://opentelemetry.io/docs/specs/semconv/database/dynamodb/. Thread ids are
recorded only with `observe_threads=True`; error messages, which may contain them, never.
"""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, version
from time import time_ns
from typing import TYPE_CHECKING, Any

try:
    from opentelemetry import metrics, trace
except ModuleNotFoundError as error:
    if not (error.name or "").startswith("opentelemetry"):
        raise
    raise ModuleNotFoundError(
        "OpenTelemetry needs its API: pip install 'opentelemetry-api>=1.30'; "
        "on_request= takes any other function without it",
        name=error.name,
    ) from None

from opentelemetry.trace import SpanKind, Status, StatusCode

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from types import TracebackType

    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import Span, Tracer, TracerProvider
    from opentelemetry.util.types import AttributeValue

    from langgraph_checkpoint_dynamodb.watching.observing import RequestInfo

    Attributes = dict[str, AttributeValue]

__all__ = ["OpenTelemetry"]

_SCOPE = "langgraph_checkpoint_dynamodb"
_SCHEMA = "https://opentelemetry.io/schemas/1.36.0"
"""The conventions for databases are stable from 1.33 on. Those of the AWS SDK change after 1.36."""
_BUCKETS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10)
"""Seconds, as the conventions advise for `db.client.operation.duration`."""
_HTTPS = 443
_NANOSECONDS = 1_000_000_000


class OpenTelemetry:
    """Creates spans and metrics of a saver's requests, for its `on_request`.

    Each call is a span `checkpointer <method>`. Each of its requests is a child span of kind
    `CLIENT`. A call's span ends with the call. The span of `list` ends when the last checkpoint has
    been consumed or the generator is closed. One instance serves any number of savers.

    Args:
        tracer_provider: Receives the spans; the global provider if `None`.
        meter_provider: Receives the metrics; the global provider if `None`.

    Example:
        ```python
        from langgraph_checkpoint_dynamodb import DynamoDBSaver
        from langgraph_checkpoint_dynamodb.otel import OpenTelemetry

        saver = DynamoDBSaver(
            checkpoints_table_name="checkpoints",
            writes_table_name="writes",
            on_request=OpenTelemetry(),
        )
        ```
    """

    def __init__(
        self,
        *,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
    ) -> None:
        release = _release()
        self._tracer = trace.get_tracer(
            _SCOPE, release, tracer_provider=tracer_provider, schema_url=_SCHEMA
        )
        meter = metrics.get_meter(
            _SCOPE, release or "", meter_provider=meter_provider, schema_url=_SCHEMA
        )
        self._duration = meter.create_histogram(
            "db.client.operation.duration",
            unit="s",
            description="Duration of database client operations.",
            explicit_bucket_boundaries_advisory=_BUCKETS,
        )
        self._s3_duration = meter.create_histogram(
            "rpc.client.duration", unit="ms", description="Duration of requests to S3."
        )
        self._read_units = meter.create_counter(
            "aws.dynamodb.consumed_read_units",
            unit="{unit}",
            description="Read capacity units, those of indexes among them.",
        )
        self._write_units = meter.create_counter(
            "aws.dynamodb.consumed_write_units",
            unit="{unit}",
            description="Write capacity units, those of indexes among them.",
        )
        self._retries = meter.create_counter(
            "aws.dynamodb.retries", unit="{attempt}", description="Attempts after the first one."
        )
        self._throttles = meter.create_counter(
            "aws.dynamodb.throttles", unit="{attempt}", description="Attempts that were throttled."
        )
        self._unprocessed = meter.create_counter(
            "aws.dynamodb.unprocessed_items",
            unit="{item}",
            description="Items of batches that came back undone.",
        )

    def on_call(self, operation: str) -> CallSpan:
        """Called before a call of the saver's method of that name begins."""
        return CallSpan(self._tracer, operation)

    def __call__(self, request: RequestInfo) -> None:
        """Record the span and the metrics of a request that has ended."""
        is_s3 = request.bucket is not None
        common = _s3_attributes(request) if is_s3 else _dynamodb_attributes(request)
        common |= _common_attributes(request)
        self._span(_span_name(request), {**common, **_details(request)}, request)
        if is_s3:
            del common["aws.s3.bucket"]
            self._s3_duration.record(request.seconds * 1000, common)
        else:
            self._duration.record(request.seconds, common)
            self._count(request)

    def _span(self, name: str, attributes: Attributes, request: RequestInfo) -> None:
        end = time_ns()
        span = self._tracer.start_span(
            name,
            kind=SpanKind.CLIENT,
            attributes=attributes,
            start_time=end - int(request.seconds * _NANOSECONDS),
        )
        if request.failed:
            span.set_status(Status(StatusCode.ERROR))
        span.end(end)

    def _count(self, request: RequestInfo) -> None:
        of_request = _dynamodb_attributes(request)
        for counter, count in (
            (self._retries, request.attempts - 1),
            (self._throttles, request.throttles),
            (self._unprocessed, request.unprocessed),
        ):
            if count:
                counter.add(count, of_request)
        units = self._read_units if request.read_units else self._write_units
        for consumed in request.consumed_capacity:
            of_table = {**of_request, "db.collection.name": _plain(consumed.get("TableName", ""))}
            units.add(consumed.get("CapacityUnits", 0.0), of_table)


class CallSpan:
    """A call of a saver as a span."""

    def __init__(self, tracer: Tracer, operation: str) -> None:
        self._tracer = tracer
        self._operation = operation
        self._span: Span = trace.INVALID_SPAN

    def __enter__(self) -> None:
        self._span = self._tracer.start_span(f"checkpointer {self._operation}")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # A caller that stops reading pages has not failed.
        if kind is not None and not issubclass(kind, GeneratorExit):
            self._span.set_attribute("error.type", _type_name(kind))
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()

    def current(self) -> AbstractContextManager[object]:
        """A context in which new spans are children of the call's span."""
        return trace.use_span(
            self._span, end_on_exit=False, record_exception=False, set_status_on_exception=False
        )


def _span_name(request: RequestInfo) -> str:
    if request.bucket is not None:
        return f"S3.{_method(request)}"
    return f"{request.action} {_plain(request.table_name)}".rstrip()


def _dynamodb_attributes(request: RequestInfo) -> Attributes:
    attributes: Attributes = {
        "db.system.name": "aws.dynamodb",
        "db.operation.name": request.action,
    }
    if request.table_name:
        attributes["db.collection.name"] = _plain(request.table_name)
    return attributes


def _s3_attributes(request: RequestInfo) -> Attributes:
    return {
        "rpc.system": "aws-api",
        "rpc.service": "S3",
        "rpc.method": _method(request),
        "aws.s3.bucket": request.bucket or "",
    }


def _common_attributes(request: RequestInfo) -> Attributes:
    """Attributes of spans and of the duration metric."""
    attributes: Attributes = {"server.address": request.host}
    if request.port != _HTTPS:
        attributes["server.port"] = request.port
    # Without a response it is not a status of the database.
    if request.error_code and request.request_id and request.bucket is None:
        attributes["db.response.status_code"] = request.error_code
    if request.failed:
        attributes["error.type"] = request.error_code or "_OTHER"
    return attributes


def _details(request: RequestInfo) -> Attributes:
    """Attributes of spans only: too many values for a metric, or of no use there."""
    found: dict[str, Any] = {
        "langgraph_checkpoint_dynamodb.operation": request.operation,
        "langgraph_checkpoint_dynamodb.sent_bytes": request.sent_bytes,
        "langgraph_checkpoint_dynamodb.received_bytes": request.received_bytes,
        "aws.request_id": request.request_id,
        "aws.dynamodb.table_names": [_plain(name) for name in request.table_names],
        "aws.dynamodb.index_name": request.index_name,
        "aws.dynamodb.consumed_capacity": [json.dumps(one) for one in request.consumed_capacity],
        "aws.dynamodb.unprocessed_items": request.unprocessed,
        "aws.dynamodb.retries": request.attempts - 1,
        "aws.dynamodb.attempt_errors": request.attempt_errors,
        "aws.dynamodb.throttling_reasons": request.throttling_reasons,
        "aws.dynamodb.cancellation_reasons": request.cancellation_reasons,
        "gen_ai.conversation.id": request.thread_id,
    }
    if request.batch_size > 1:
        found["db.operation.batch.size"] = request.batch_size
    return {name: value for name, value in found.items() if value}


def _method(request: RequestInfo) -> str:
    return request.action.removeprefix("s3:")


def _plain(table_name: str) -> str:
    """The name of a table that may be given by its ARN."""
    return table_name.rpartition("/")[2]


def _type_name(kind: type[BaseException]) -> str:
    return (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )


def _release() -> str | None:
    try:
        return version("langgraph-checkpoint-dynamodb")
    except PackageNotFoundError:  # A checkout that is not installed.
        return None
