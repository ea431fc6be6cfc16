"""Progress, requests and problems as entries of the JSON log: their names and keys are those of docs/cli.md.

Each is written out, so that a class or field of another name changes no entry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

from reverse_etl.domain.progress import (
    ClearProgress,
    JobProgress,
    ListCreated,
    ListDone,
    ListRead,
    ModelStaged,
    Progress,
    RecoveryStarted,
    RemoveProgress,
    SendProgress,
    StateMigrated,
    Warned,
)

if TYPE_CHECKING:
    from reverse_etl.errors import Problem
    from reverse_etl.klaviyo.messages import RequestLogEntry


def progress_entry(progress: Progress) -> tuple[str, dict[str, Any]]:  # noqa: C901, PLR0911 - one per kind of progress
    """Return the name of a kind of progress in the log, and its content."""
    match progress:
        case Warned():
            return "warning", {"text": progress.text}
        case StateMigrated():
            return "state_migrated", {
                "old_version": progress.old_version,
                "new_version": progress.new_version,
                "backup": progress.backup,
            }
        case ModelStaged():
            return "model_staged", {
                "model": progress.model,
                "rows": progress.rows,
                "seconds": progress.seconds,
            }
        case RecoveryStarted():
            return "recovery_started", {"runs": progress.runs, "open_jobs": progress.open_jobs}
        case ListCreated():
            return "list_created", {"list": progress.name, "list_id": progress.list_id}
        case SendProgress():
            return "send_progress", _of_list(progress) | {"rows": progress.rows, "total": progress.total}
        case JobProgress():
            return "job_progress", _of_list(progress) | {"open_jobs": progress.open_jobs}
        case ClearProgress():
            return "clear_progress", _of_list(progress) | {"rows": progress.rows, "total": progress.total}
        case RemoveProgress():
            return "remove_progress", _of_list(progress) | {"rows": progress.rows, "total": progress.total}
        case ListRead():
            return "list_read", _of_list(progress) | {"members": progress.members}
        case ListDone():
            return "list_done", _of_list(progress) | {
                "counts": dict(progress.counts),
                "stop_reason": progress.stop_reason,
            }
        case _:
            assert_never(progress)


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
    progress: SendProgress | JobProgress | ClearProgress | RemoveProgress | ListRead | ListDone,
) -> dict[str, Any]:
    return {"model": progress.model, "list": progress.list}
