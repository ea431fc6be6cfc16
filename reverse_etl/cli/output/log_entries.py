"""Events, requests and problems as entries of the JSON log: their names and keys are those of docs/cli.md.

Each is written out, so that a class or field of another name changes no entry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

from reverse_etl.domain.events import (
    ClearProgress,
    JobProgress,
    ListCreated,
    ListDone,
    ListRead,
    ModelStaged,
    ProgressEvent,
    RecoveryStarted,
    RemoveProgress,
    SendProgress,
    StateMigrated,
    Warned,
)

if TYPE_CHECKING:
    from reverse_etl.errors import Problem
    from reverse_etl.klaviyo.messages import RequestLogEntry


def event_entry(event: ProgressEvent) -> tuple[str, dict[str, Any]]:  # noqa: C901, PLR0911 - one per kind of event
    """Return the name of an event in the log, and its content."""
    match event:
        case Warned():
            return "warning", {"text": event.text}
        case StateMigrated():
            return "state_migrated", {
                "old_version": event.old_version,
                "new_version": event.new_version,
                "backup": event.backup,
            }
        case ModelStaged():
            return "model_staged", {"model": event.model, "rows": event.rows, "seconds": event.seconds}
        case RecoveryStarted():
            return "recovery_started", {"runs": event.runs, "open_jobs": event.open_jobs}
        case ListCreated():
            return "list_created", {"list": event.name, "list_id": event.list_id}
        case SendProgress():
            return "send_progress", _of_list(event) | {"rows": event.rows, "total": event.total}
        case JobProgress():
            return "job_progress", _of_list(event) | {"open_jobs": event.open_jobs}
        case ClearProgress():
            return "clear_progress", _of_list(event) | {"rows": event.rows, "total": event.total}
        case RemoveProgress():
            return "remove_progress", _of_list(event) | {"rows": event.rows, "total": event.total}
        case ListRead():
            return "list_read", _of_list(event) | {"members": event.members}
        case ListDone():
            return "list_done", _of_list(event) | {
                "counts": dict(event.counts),
                "stop_reason": event.stop_reason,
            }
        case _:
            assert_never(event)


def request_entry(exchange: RequestLogEntry) -> tuple[str, dict[str, Any]]:
    """Return the name of a finished request in the log, and its content."""
    return "request", {
        "method": exchange.method,
        "path": exchange.path,
        "status": exchange.status,
        "error": exchange.error,
        "seconds": exchange.seconds,
        "attempt": exchange.attempt,
    }


def problem_document(problem: Problem) -> dict[str, str]:
    """Return a problem as plain values."""
    return {"summary": problem.summary, "where": problem.where, "hint": problem.hint}


def _of_list(
    event: SendProgress | JobProgress | ClearProgress | RemoveProgress | ListRead | ListDone,
) -> dict[str, Any]:
    return {"model": event.model, "list": event.list}
