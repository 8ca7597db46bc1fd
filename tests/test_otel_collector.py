"""The metrics of a graph's run arrive at an OpenTelemetry collector, by its exporter."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Annotated, Any

from langgraph.graph import START, StateGraph
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from typing_extensions import TypedDict

from langgraph_checkpoint_dynamodb.otel import OpenTelemetry
from tests.support.collector import running_collector
from tests.support.values import config
from tests.support.watched import recorded_session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.collector import Point
    from tests.support.savers import Saver
    from tests.support.tables import Tables


class Talk(TypedDict):
    said: Annotated[list[str], operator.add]


def run_graph(saver: Saver) -> None:
    builder: Any = StateGraph(Talk)
    builder.add_node("answer", lambda state: {"said": [f"re: {state['said'][-1]}"]})
    builder.add_edge(START, "answer")
    graph = builder.compile(checkpointer=saver)
    for turn in range(3):
        graph.invoke({"said": [f"turn {turn}"]}, config("t"))


def total(points: Iterator[Point], figure: str) -> float:
    return sum(point.figures[figure] for point in points)


def test_requests_units_and_latency_of_a_run_are_what_a_collector_puts_out(
    tables: Tables, tmp_path: Path
) -> None:
    tables.set_up()
    session, sent = recorded_session()
    with running_collector(tmp_path) as collector:
        exporter = OTLPMetricExporter(f"{collector.url}/v1/metrics")
        meters = MeterProvider([PeriodicExportingMetricReader(exporter)])
        tracers = TracerProvider()
        tracers.add_span_processor(
            BatchSpanProcessor(OTLPSpanExporter(f"{collector.url}/v1/traces"))
        )
        on_request = OpenTelemetry(tracer_provider=tracers, meter_provider=meters)
        with tables.saver(session=session, on_request=on_request) as saver:
            run_graph(saver)
        tracers.shutdown()
        meters.shutdown()
        points = collector.points()

    def of(name: str) -> Iterator[Point]:
        return (point for point in points if point.name == name)

    actions = sent.actions()
    assert actions.keys() >= {"PutItem", "Query"}
    latency = list(of("db.client.operation.duration"))
    for action, count in actions.items():
        by_action = (one for one in latency if one.attributes["db.operation.name"] == action)
        assert total(by_action, "Count") == count
    assert total(iter(latency), "Sum") > 0
    for name, read in (("read", True), ("write", False)):
        units = total(of(f"aws.dynamodb.consumed_{name}_units"), "Value")
        assert units == sent.units(read=read)
        assert units > 0 or not tables.engine.faithful
    spans = [point for point in points if point.name.startswith("checkpointer put")]
    assert len(spans) >= 3 * 2
