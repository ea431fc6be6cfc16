"""Events, requests and problems as entries of the JSON log: their names and keys are those of docs/cli.md.

Each is written out, so that a class or field of another name changes no entry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

from reverse_etl.domain.events import (
    Event,
    JobProgress,
    ListCreated,
    ListDone,
    ListRead,
    ModelStaged,
    RecoveryStarted,
    RemoveProgress,
    SendProgress,
    StateMigrated,
    Warned,
)

if TYPE_CHECKING:
    from reverse_etl.errors import Problem
    from reverse_etl.klaviyo.messages import RequestLogEntry


def event_entry(event: Event) -> tuple[str, dict[str, Any]]:  # noqa: C901, PLR0911 - one per kind of event
    """Return the name of an event in the log, and its content."""
    match event:
        case Warned():
            return "warning", {"text": event.text}
        case StateMigrated():
            return "StateMigrated", {
                "old_version": event.old_version,
                "new_version": event.new_version,
                "backup": event.backup,
            }
        case ModelStaged():
            return "Staged", {"model": event.model, "rows": event.rows, "seconds": event.seconds}
        case RecoveryStarted():
            return "Recovering", {"runs": event.runs, "jobs": event.open_jobs}
        case ListCreated():
            return "ListCreated", {"name": event.name, "list_id": event.list_id}
        case SendProgress():
            return "Sending", _of_list(event) | {"rows": event.rows, "of": event.total}
        case JobProgress():
            return "Settling", _of_list(event) | {"jobs": event.open_jobs}
        case RemoveProgress():
            return "Removing", _of_list(event) | {"rows": event.rows, "of": event.total}
        case ListRead():
            return "ListRead", _of_list(event) | {"members": event.members}
        case ListDone():
            return "ListDone", _of_list(event) | {"counts": dict(event.counts), "reason": event.stop_reason}
        case _:
            assert_never(event)


def request_entry(exchange: RequestLogEntry) -> tuple[str, dict[str, Any]]:
    """Return the name of a finished request in the log, and its content."""
    return "Exchange", {
        "method": exchange.method,
        "path": exchange.path,
        "status": exchange.status,
        "fault": exchange.error,
        "seconds": exchange.seconds,
        "attempt": exchange.attempt,
    }


def problem_document(problem: Problem) -> dict[str, str]:
    """Return a problem as plain values."""
    return {"what": problem.summary, "where": problem.where, "advice": problem.hint}


def _of_list(event: SendProgress | JobProgress | RemoveProgress | ListRead | ListDone) -> dict[str, Any]:
    return {"model": event.model, "list": event.list}
