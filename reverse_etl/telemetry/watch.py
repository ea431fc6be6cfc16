"""Records a run and sends its telemetry. A receiver neither changes how a run ends nor holds it up."""

from __future__ import annotations

import logging
import os
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reverse_etl.domain.progress import Warned
from reverse_etl.errors import ReverseEtlError
from reverse_etl.telemetry.timeline import RunTimeline
from reverse_etl.telemetry.variables import Signal, exports_lineage, exports_signal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from reverse_etl.config.target import Target
    from reverse_etl.delivery.results import RunResult
    from reverse_etl.domain.progress import Progress, ProgressHandler
    from reverse_etl.telemetry.timeline import Span

MAX_SECONDS: Final = 10.0  # for all receivers together
_INTERNAL_ERROR: Final = 4


@dataclass
class RunTelemetry:
    """The telemetry of one run. Without a receiver it records nothing."""

    on_progress: ProgressHandler
    timeline: RunTimeline | None = None
    result: RunResult | None = None

    @property
    def inputs(self) -> Mapping[str, Sequence[str]]:
        """Return what each model reads, by dbt's ids."""
        plans = self.result.plan.models if self.result else ()
        return {plan.model.name: plan.model.reads for plan in plans}

    def handle_progress(self, progress: Progress) -> None:
        """Record progress, and pass it on."""
        if self.timeline is not None:
            self.timeline.record(progress)
        self.on_progress(progress)


@contextmanager
def record_run(
    target: Target,
    on_progress: ProgressHandler,
    is_interrupted: Callable[[], bool],
    environ: Mapping[str, str] = os.environ,
) -> Iterator[RunTelemetry]:
    """Send traces, metrics and lineage of the run inside, if standard variables name a receiver.

    An interruption sends nothing. A receiver that fails is a warning of the run's progress.
    """
    if not any(exports_signal(environ, signal) for signal in Signal) and not exports_lineage(environ):
        yield RunTelemetry(on_progress)
        return
    attributes = {"reverse_etl.profile": target.profile, "reverse_etl.target": target.name}
    telemetry = RunTelemetry(on_progress, RunTimeline(time.time, **attributes))
    assert telemetry.timeline is not None  # noqa: S101 - made above
    try:
        yield telemetry
    except Exception as error:
        exit_code = error.exit_code if isinstance(error, ReverseEtlError) else _INTERNAL_ERROR
        if not is_interrupted():
            _send(telemetry, telemetry.timeline.fail(exit_code, error), environ)
        raise
    exit_code = telemetry.result.exit_code if telemetry.result else 0
    _send(telemetry, telemetry.timeline.finish(exit_code, telemetry.result), environ)


def _send(telemetry: RunTelemetry, run: Span, environ: Mapping[str, str]) -> None:
    """Send everything in threads of their own, and wait for them no longer than MAX_SECONDS."""
    failures: dict[str, str] = {}
    senders: dict[str, tuple[str, Callable[[], None]]] = {}
    if any(exports_signal(environ, signal) for signal in Signal):
        senders["OpenTelemetry"] = "telemetry", lambda: _send_signals(run, environ)
    if exports_lineage(environ):
        senders["OpenLineage"] = "openlineage", lambda: _send_lineage(run, telemetry.inputs, environ)

    def attempt(name: str, extra: str, send: Callable[[], None]) -> None:
        try:
            send()
        except ImportError:
            failures[name] = f'the package is missing: pip install "reverse-etl[{extra}]"'
        except Exception as error:  # noqa: BLE001 - telemetry must not change how a run ends
            failures[name] = type(error).__name__

    deadline = time.monotonic() + MAX_SECONDS
    threads = {
        name: threading.Thread(target=attempt, args=(name, *sender), daemon=True)
        for name, sender in senders.items()
    }
    for thread in threads.values():
        thread.start()
    for name, thread in threads.items():
        thread.join(max(0.0, deadline - time.monotonic()))
        if thread.is_alive():
            failures[name] = f"no answer in {MAX_SECONDS:g} seconds"
    for name, failure in failures.items():
        telemetry.on_progress(Warned(f"The run's telemetry could not be sent to {name}: {failure}."))


def _silence(library: str) -> None:
    """Keep a library from writing its own lines between ours: a failure is one warning."""
    logging.getLogger(library).addHandler(logging.NullHandler())


def _send_signals(run: Span, environ: Mapping[str, str]) -> None:
    from reverse_etl.telemetry import opentelemetry  # noqa: PLC0415 - its libraries are an extra

    _silence("opentelemetry")
    opentelemetry.send_run(run, environ)


def _send_lineage(run: Span, inputs: Mapping[str, Sequence[str]], environ: Mapping[str, str]) -> None:
    from reverse_etl.telemetry import openlineage  # noqa: PLC0415 - its library is an extra

    _silence("openlineage")
    openlineage.send_run(run, inputs, environ)
