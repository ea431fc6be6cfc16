"""Events, requests and problems as entries of the JSON log: their names and keys are those of docs/cli.md.

Each is written out, so that a class or field of another name changes no entry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

from reverse_etl.domain.events import (
    Event,
    ListCreated,
    ListDone,
    ListRead,
    Recovering,
    Removing,
    Sending,
    Settling,
    Staged,
)

if TYPE_CHECKING:
    from reverse_etl.errors import Problem
    from reverse_etl.klaviyo.messages import Exchange


def event_entry(event: Event) -> tuple[str, dict[str, Any]]:  # noqa: PLR0911 - one per kind of event
    """Return the name of an event in the log, and its content."""
    match event:
        case Staged():
            return "Staged", {"model": event.model, "rows": event.rows, "seconds": event.seconds}
        case Recovering():
            return "Recovering", {"runs": event.runs, "jobs": event.jobs}
        case ListCreated():
            return "ListCreated", {"name": event.name, "list_id": event.list_id}
        case Sending():
            return "Sending", _of_list(event) | {"rows": event.rows, "of": event.of}
        case Settling():
            return "Settling", _of_list(event) | {"jobs": event.jobs}
        case Removing():
            return "Removing", _of_list(event) | {"rows": event.rows, "of": event.of}
        case ListRead():
            return "ListRead", _of_list(event) | {"members": event.members}
        case ListDone():
            return "ListDone", _of_list(event) | {"counts": dict(event.counts), "reason": event.reason}
        case _:
            assert_never(event)


def request_entry(exchange: Exchange) -> tuple[str, dict[str, Any]]:
    """Return the name of a finished request in the log, and its content."""
    return "Exchange", {
        "method": exchange.method,
        "path": exchange.path,
        "status": exchange.status,
        "fault": exchange.fault,
        "seconds": exchange.seconds,
        "attempt": exchange.attempt,
    }


def problem_document(problem: Problem) -> dict[str, str]:
    """Return a problem as plain values."""
    return {"what": problem.what, "where": problem.where, "advice": problem.advice}


def _of_list(event: Sending | Settling | Removing | ListRead | ListDone) -> dict[str, Any]:
    return {"model": event.model, "list": event.list}
