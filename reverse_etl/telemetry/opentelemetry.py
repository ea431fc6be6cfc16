"""Sends a run's spans and figures by OTLP over HTTP, with OpenTelemetry's libraries and variables.

Importing this module needs the extra `telemetry`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Status, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from reverse_etl.telemetry.timeline import FAILED_EXIT_CODES
from reverse_etl.telemetry.variables import Signal, exports_signal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.telemetry.timeline import Span

_NANOSECONDS: Final = 1_000_000_000


def send_run(run: Span, environ: Mapping[str, str]) -> None:
    """Send a run's spans, then its figures."""
    if exports_signal(environ, Signal.TRACES):
        export_spans(run, OTLPSpanExporter(), environ)
    if exports_signal(environ, Signal.METRICS):
        export_figures(run, OTLPMetricExporter(), environ)


def export_spans(run: Span, exporter: Any, environ: Mapping[str, str]) -> None:
    """Export a run's spans in one request, below the span that TRACEPARENT names, if there is one."""
    memory = InMemorySpanExporter()
    provider = TracerProvider(resource=_resource(environ), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    parent = TraceContextTextMapPropagator().extract({"traceparent": environ.get("TRACEPARENT", "")})
    _record_span(provider.get_tracer("reverse_etl"), run, parent)
    _require_success(exporter.export(memory.get_finished_spans()))


def export_figures(run: Span, exporter: Any, environ: Mapping[str, str]) -> None:
    """Export how many runs ended how, how long they took, and rows by model, list and outcome."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], resource=_resource(environ), shutdown_on_exit=False)
    meter = provider.get_meter("reverse_etl")
    labels = {name: run.attributes[name] for name in ("reverse_etl.profile", "reverse_etl.target")}
    exit_code = {"reverse_etl.exit_code": run.attributes["reverse_etl.exit_code"]}
    meter.create_counter("reverse_etl.runs", "{run}").add(1, labels | exit_code)
    meter.create_gauge("reverse_etl.run.duration", "s").set(run.end - run.start, labels)
    rows = meter.create_counter("reverse_etl.rows", "{row}")
    for span in run.walk():
        for outcome, count in span.rows.items():
            where = {name: span.attributes[name] for name in ("reverse_etl.model", "reverse_etl.list")}
            rows.add(count, labels | where | {"reverse_etl.outcome": outcome})
    data = reader.get_metrics_data()
    provider.shutdown()
    _require_success(exporter.export(data))


def _record_span(tracer: Any, span: Span, parent: Any) -> None:
    recorded = tracer.start_span(
        span.name, parent, attributes=span.attributes, start_time=int(span.start * _NANOSECONDS)
    )
    if span.attributes.get("reverse_etl.exit_code", 0) in FAILED_EXIT_CODES:
        recorded.set_status(Status(StatusCode.ERROR))
    for child in span.children.values():
        _record_span(tracer, child, set_span_in_context(recorded, parent))
    recorded.end(int(span.end * _NANOSECONDS))


def _resource(environ: Mapping[str, str]) -> Any:
    named = "service.name" in environ.get("OTEL_RESOURCE_ATTRIBUTES", "") or environ.get("OTEL_SERVICE_NAME")
    return Resource.create({} if named else {"service.name": "reverse-etl"})


def _require_success(result: Any) -> None:
    if result.name != "SUCCESS":
        raise ConnectionError("the receiver did not take it")
