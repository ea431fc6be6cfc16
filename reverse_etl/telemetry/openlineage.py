"""Sends the lineage of a run's models, with OpenLineage's library and variables.

Importing this module needs the extra `openlineage`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.uuid import generate_new_uuid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.telemetry.timeline import Span

_PRODUCER: Final = "reverse-etl"
_STOPPED_EXIT_CODES: Final = range(2, 256)


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
    has_failed = run.attributes["reverse_etl.exit_code"] in _STOPPED_EXIT_CODES
    events: list[Any] = []
    for span in run.children.values():
        model = str(span.attributes["reverse_etl.model"])
        lists = [child for child in span.children.values() if "reverse_etl.list" in child.attributes]
        is_stopped = has_failed and (not lists or any(one.attributes["reverse_etl.stopped"] for one in lists))
        last = RunState.FAIL if is_stopped else RunState.COMPLETE
        lineage_run = Run(runId=str(generate_new_uuid()))
        names = [str(one.attributes["reverse_etl.list"]) for one in lists]
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
