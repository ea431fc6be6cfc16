"""Traces, metrics and lineage of runs: against real libraries, and receivers on loopback that may fail."""

from __future__ import annotations

import ast
import sys
import threading
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from reverse_etl.domain.progress import ListDone, ModelStaged, Progress, SendProgress, Warned
from reverse_etl.errors import ModelError, UsageError, WarehouseError
from reverse_etl.telemetry import watch
from reverse_etl.telemetry.openlineage import build_events
from reverse_etl.telemetry.opentelemetry import export_spans
from reverse_etl.telemetry.timeline import RunTimeline
from reverse_etl.telemetry.watch import record_run
from tests.core.rows import COLUMNS, become, members_model, people
from tests.core.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

TRACES, METRICS, LINEAGE = "/v1/traces", "/v1/metrics", "/api/v1/lineage"
PARENT = "4bf92f3577b34da6a3ce929d0e0e4736"


@dataclass
class Receiver:
    """A receiver on loopback: the bodies that it got, by path. It answers with `status`, or never."""

    address: str = ""
    status: int = 200
    hangs: bool = False
    bodies: dict[str, list[bytes]] = field(default_factory=dict)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Give a receiver."""
    got, ended = Receiver(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.bodies.setdefault(self.path, []).append(body)
            if got.hangs:
                ended.wait()
            self.send_response(got.status)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        got.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield got
        ended.set()
        server.shutdown()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Give a world."""
    with closing(World(tmp_path / "project")) as made:
        yield made


@contextmanager
def recorded(monkeypatch: pytest.MonkeyPatch, **environ: str) -> Iterator[list[str]]:
    """Record a run with these variables; give the warnings."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    warnings: list[str] = []
    target: Any = SimpleNamespace(profile="shop", name="prod")

    def handle_progress(progress: Progress) -> None:
        warnings.extend([progress.text] if isinstance(progress, Warned) else [])

    with record_run(target, handle_progress, lambda: False) as telemetry:
        telemetry.handle_progress(ModelStaged("vip", 3, 0.5))
        yield warnings


def send(receiver: Receiver, world: World) -> None:
    """Run a project with both kinds of receivers."""
    warnings: list[Progress] = []
    environ = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.address,
        "OPENLINEAGE_URL": receiver.address,
        "TRACEPARENT": f"00-{PARENT}-00f067aa0ba902b7-01",
    }
    with pytest.MonkeyPatch.context() as patched:
        for name, value in environ.items():
            patched.setenv(name, value)
        world.project().run(on_progress=warnings.append)
    assert not [progress for progress in warnings if isinstance(progress, Warned)]


def test_a_run_is_traced_counted_and_its_lineage_sent(receiver: Receiver, world: World) -> None:
    """One request for spans and one for figures, below the caller's trace; none names a person."""
    members_model(world)
    become(world, people("ann", "bob"))
    send(receiver, world)
    assert {path: len(bodies) for path, bodies in receiver.bodies.items()} == {
        TRACES: 1,
        METRICS: 1,
        LINEAGE: 2,
    }
    everything = b"".join(body for bodies in receiver.bodies.values() for body in bodies)
    assert not any(word in everything for word in (b"ann@", b"c-ann", b"Ann"))
    (resource,) = ExportTraceServiceRequest.FromString(receiver.bodies[TRACES][0]).resource_spans
    assert ("service.name", "reverse-etl") in [
        (attribute.key, attribute.value.string_value) for attribute in resource.resource.attributes
    ]
    spans = {span.name: span for span in resource.scope_spans[0].spans}
    assert {*spans} >= {"reverse_etl.run", "model members", "stage", "list Members", "send"}
    assert {span.trace_id.hex() for span in spans.values()} == {PARENT}
    assert spans["list Members"].parent_span_id == spans["model members"].span_id
    assert spans["send"].parent_span_id == spans["list Members"].span_id
    (measured,) = ExportMetricsServiceRequest.FromString(receiver.bodies[METRICS][0]).resource_metrics
    metrics = {metric.name: metric for metric in measured.scope_metrics[0].metrics}
    assert {*metrics} == {"reverse_etl.runs", "reverse_etl.run.duration", "reverse_etl.rows"}
    assert [point.as_int for point in metrics["reverse_etl.rows"].sum.data_points] == [2]
    assert b"START" in receiver.bodies[LINEAGE][0]
    assert b"COMPLETE" in receiver.bodies[LINEAGE][1]
    assert b"lists/Members" in receiver.bodies[LINEAGE][1]


def test_spans_have_the_times_of_what_they_name() -> None:
    times = iter([100.0, 102.0, 103.0, 105.0, 106.0])
    timeline = RunTimeline(
        lambda: next(times), **{"reverse_etl.profile": "shop", "reverse_etl.target": "prod"}
    )
    for progress in (
        ModelStaged("vip", 3, 1.5),
        SendProgress("vip", "VIP", 3, 3),
        ListDone("vip", "VIP", {"applied": 3, "removed": 0}, ""),
    ):
        timeline.record(progress)
    exporter = InMemorySpanExporter()
    export_spans(timeline.finish(0, None), exporter, {})
    found = {
        span.name: ((span.start_time or 0) / 1e9, (span.end_time or 0) / 1e9)
        for span in exporter.get_finished_spans()
    }
    assert found == {
        "reverse_etl.run": (100.0, 106.0),
        "model vip": (100.5, 105.0),
        "stage": (100.5, 102.0),
        "list VIP": (102.0, 105.0),
        "send": (102.0, 103.0),
    }


def test_the_lineage_of_a_run_that_fails_in_the_middle_of_a_list_says_so() -> None:
    """The list has no end; a model whose lists are done is complete."""
    timeline = RunTimeline(lambda: 100.0, **{"reverse_etl.profile": "shop", "reverse_etl.target": "prod"})
    for progress in (
        SendProgress("members", "Members", 1, 1),
        ListDone("members", "Members", {"applied": 1}, ""),
        SendProgress("vip", "VIP", 1, 3),
    ):
        timeline.record(progress)
    events = build_events(timeline.finish(4, None), {}, "")
    ends = [event for event in events if event.eventType.value != "START"]
    assert {event.job.name: event.eventType.value for event in ends} == {
        "reverse_etl.members": "COMPLETE",
        "reverse_etl.vip": "FAIL",
    }


def test_the_lineage_of_a_model_without_changes_is_complete_if_another_model_stops(world: World) -> None:
    """A list that has nothing to send reports nothing, and neither does one that a guard stops."""
    for name in ("gold", "silver"):
        world.model(name, f"select email from {name}", list=name, identifiers={"email": "email"})
        world.people(people("ann", "bob"), name)
    world.run()
    world.people([], "gold", COLUMNS)
    timeline = RunTimeline(lambda: 100.0, **{"reverse_etl.profile": "shop", "reverse_etl.target": "prod"})
    result = world.project().run(on_progress=timeline.record)
    events = build_events(timeline.finish(result.exit_code, result), {}, "")
    assert result.exit_code == 3
    ends = [event for event in events if event.eventType.value != "START"]
    assert {event.job.name: event.eventType.value for event in ends} == {
        "reverse_etl.gold": "FAIL",
        "reverse_etl.silver": "COMPLETE",
    }


def test_a_run_that_fails_before_it_stages_a_model_names_it_and_the_recorded_run() -> None:
    """The other models have neither a beginning nor an end."""
    times = iter([100.0, 104.0])
    timeline = RunTimeline(lambda: next(times), **{"reverse_etl.profile": "shop"})
    error = ModelError.of("Ann is no table.", models=("vip",))
    error.run_id = "r1"
    run = timeline.fail(2, error)
    assert (run.attributes["reverse_etl.run_id"], run.attributes["reverse_etl.cause"]) == ("r1", "model")
    begin, end = build_events(run, {}, "")
    assert (begin.eventType.value, end.eventType.value, end.job.name) == ("START", "FAIL", "reverse_etl.vip")


def test_a_failed_run_is_an_error_and_stays_one(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its text, which may name people, is not sent."""
    error = WarehouseError.of("Ann is not a number.", where="models/vip.sql", hint="Correct it.")
    with pytest.raises(WarehouseError), recorded(monkeypatch, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.address):
        raise error
    (resource,) = ExportTraceServiceRequest.FromString(receiver.bodies[TRACES][0]).resource_spans
    assert {span.name: span.status.code for span in resource.scope_spans[0].spans}["reverse_etl.run"] == 2
    assert b"number" not in receiver.bodies[TRACES][0]


@pytest.mark.parametrize("variable", ["OTEL_EXPORTER_OTLP_ENDPOINT", "OPENLINEAGE_URL"])
def test_a_receiver_that_hangs_is_waited_for_a_bounded_time(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """The receiver answers after the test, so that a run that waited for it would never end."""
    receiver.hangs = True
    monkeypatch.setattr(watch, "MAX_SECONDS", 0.5)
    with recorded(monkeypatch, **{variable: receiver.address}) as warnings:
        pass
    assert [warning.rsplit(": ", 1)[1] for warning in warnings] == ["no answer in 0.5 seconds."]


def test_a_run_of_the_library_that_cannot_begin_is_traced_and_warns_by_progress(
    receiver: Receiver, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.address)
    receiver.status = 400
    events: list[Progress] = []
    with pytest.raises(UsageError):
        world.project().run(select=["nowhere"], on_progress=events.append)
    assert TRACES in receiver.bodies
    (warned,) = [event.text for event in events if isinstance(event, Warned)]
    assert "could not be sent to OpenTelemetry" in warned


def test_a_receiver_that_refuses_is_a_warning(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    receiver.status = 400
    with recorded(monkeypatch, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.address) as warnings:
        pass
    assert len(warnings) == 1
    assert "could not be sent to OpenTelemetry" in warnings[0]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("variable", "library", "extra"),
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "opentelemetry", "telemetry"),
        ("OPENLINEAGE_URL", "openlineage", "openlineage"),
    ],
)
def test_a_missing_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, variable: str, library: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, f"reverse_etl.telemetry.{library}", None)
    monkeypatch.delattr(f"reverse_etl.telemetry.{library}", raising=False)
    with recorded(monkeypatch, **{variable: "http://127.0.0.1:1"}) as warnings:
        pass
    assert [f'pip install "reverse-etl[{extra}]"' in warning for warning in warnings] == [True]


def test_without_a_variable_nothing_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    with recorded(monkeypatch, OTEL_SDK_DISABLED="true", OTEL_EXPORTER_OTLP_ENDPOINT="http://x") as warnings:
        pass
    assert warnings == []


def test_only_the_files_of_the_extras_import_their_libraries() -> None:
    """The base install has neither; both files are imported when they are needed."""
    libraries = {"opentelemetry", "openlineage"}
    importing = {
        path.name
        for path in (Path(__file__).parents[2] / "reverse_etl").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] in libraries
    }
    assert importing == {"opentelemetry.py", "openlineage.py"}
