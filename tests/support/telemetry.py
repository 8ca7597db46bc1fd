"""The OpenTelemetry data that a saver has exported, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from langgraph_checkpoint_dynamodb.otel import OpenTelemetry

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan


class Telemetry:
    """The exported data."""

    def __init__(self) -> None:
        self._spans = InMemorySpanExporter()
        self._metrics = InMemoryMetricReader()
        self._tracers = TracerProvider(shutdown_on_exit=False)
        self._tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        self.tracer = self._tracers.get_tracer("the user's")
        self.on_request = OpenTelemetry(
            tracer_provider=self._tracers,
            meter_provider=MeterProvider([self._metrics], shutdown_on_exit=False),
        )

    @property
    def spans(self) -> list[ReadableSpan]:
        """The ended spans, in the order in which they ended."""
        return list(self._spans.get_finished_spans())

    def named(self, name: str) -> ReadableSpan:
        (found,) = [span for span in self.spans if span.name == name]
        return found

    def below(self, parent: ReadableSpan) -> list[str]:
        """The names of a span's children."""
        return sorted(
            span.name
            for span in self.spans
            if span.parent is not None and span.parent.span_id == _id(parent)
        )

    def clear(self) -> None:
        self._spans.clear()

    def points(self, name: str) -> list[Any]:
        """The data points of a metric."""
        found: Any = self._metrics.get_metrics_data()
        return [
            point
            for resource in found.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]

    def shown(self) -> str:
        """All exported data as text."""
        return repr(self._metrics.get_metrics_data()) + "".join(
            span.to_json() for span in self.spans
        )


def _id(span: ReadableSpan) -> int:
    found: Any = span.context
    return int(found.span_id)
