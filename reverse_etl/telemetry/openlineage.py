"""Sends the lineage of a run's models, with OpenLineage's library and variables.

Importing this module needs the extra `openlineage`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.uuid import generate_new_uuid

from reverse_etl.telemetry.timeline import FAILED_EXIT_CODES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.telemetry.timeline import Span

_PRODUCER: Final = "reverse-etl"


def send_run(run: Span, inputs: Mapping[str, Sequence[str]], environ: Mapping[str, str]) -> None:
    """Send the start and the end of each model of a run.

    `inputs` are, by model, the names of the tables that it reads.
    """
    client = OpenLineageClient()
    try:
        for event in build_events(run, inputs, environ.get("OPENLINEAGE_NAMESPACE", "")):
            client.emit(event)
    finally:
        client.close(timeout=1.0)


def build_events(run: Span, inputs: Mapping[str, Sequence[str]], namespace: str) -> list[Any]:
    """Return a START and a COMPLETE or FAIL event for each model, in the order of their times."""
    namespace = namespace or str(run.attributes["reverse_etl.profile"])
    has_failed = run.attributes["reverse_etl.exit_code"] in FAILED_EXIT_CODES
    events: list[Any] = []
    for span in run.children.values():
        model = str(span.attributes["reverse_etl.model"])
        last = RunState.FAIL if _is_stopped(span, has_failed=has_failed) else RunState.COMPLETE
        lineage_run = Run(runId=str(generate_new_uuid()))
        names = [str(listed.attributes["reverse_etl.list"]) for listed in _find_lists(span)]
        outputs = [OutputDataset("klaviyo", f"lists/{name}" if name else model) for name in names]
        sources = [InputDataset(namespace, name) for name in inputs.get(model, ())]
        events += [
            RunEvent(
                eventTime=datetime.fromtimestamp(time, UTC).isoformat(),
                producer=_PRODUCER,
                eventType=state,
                run=lineage_run,
                job=Job(namespace, f"reverse_etl.{model}"),
                inputs=sources,
                outputs=outputs,
            )
            for time, state in ((span.start, RunState.START), (span.end, last))
        ]
    return sorted(events, key=lambda event: str(event.eventTime))


def _find_lists(model: Span) -> list[Span]:
    return [child for child in model.children.values() if "reverse_etl.list" in child.attributes]


def _is_stopped(model: Span, *, has_failed: bool) -> bool:
    """Return whether a model or one of its lists stopped.

    A run that failed has no results: what had not ended then, or not begun, stopped.
    """
    if "reverse_etl.stopped" in model.attributes:
        return bool(model.attributes["reverse_etl.stopped"])
    ends = [listed.attributes.get("reverse_etl.stopped", 1) for listed in _find_lists(model)]
    return has_failed and (not ends or any(ends))
