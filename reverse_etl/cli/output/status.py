"""The JSON document of `status`; docs/cli.md describes its keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reverse_etl.domain.identifiers import mask_identity
from reverse_etl.report.document import reason_document, run_document

if TYPE_CHECKING:
    from reverse_etl.domain.rejections import RejectedRows
    from reverse_etl.report.status import Interruption, ListStatus, Status
    from reverse_etl.state import RunList


def status_document(status: Status, *, show_values: bool) -> dict[str, Any]:
    """Return where each list stands as plain values; identities are masked unless they may be shown."""
    return {
        "account": status.account,
        "lists": [_list(one, show_values=show_values) for one in status.lists],
        "runs": [run_document(run) for run in status.runs],
        "refusal_reasons": list(status.refusal_reasons),
        "interruption": _interruption(status.interruption) if status.interruption else None,
        "notes": list(status.notes),
    }


def _interruption(interruption: Interruption) -> dict[str, Any]:
    return {
        "run_id": interruption.run_id,
        "answered": dict(interruption.answered),
        "unanswered": interruption.unanswered,
    }


def _list(one: ListStatus, *, show_values: bool) -> dict[str, Any]:
    return {
        "model": one.model,
        "list_id": one.list_id,
        "list": one.list_name,
        "applied": one.applied,
        "rejected": one.rejected,
        "held": one.held,
        "uncertain": one.uncertain,
        "last_run": _last(one.last_run) if one.last_run else None,
        "rejections": [_rejected_rows(rejected, show_values=show_values) for rejected in one.rejections],
        "note": one.note,
    }


def _last(one: RunList) -> dict[str, Any]:
    return {
        "run_id": one.run_id,
        "started_at": one.started_at,
        "model": one.model,
        "list_id": one.list_id,
        "list": one.list_name,
        "counts": dict(one.counts),
        "stop_reason": one.reason,
    }


def _rejected_rows(rejected: RejectedRows, *, show_values: bool) -> dict[str, Any]:
    example = rejected.example
    return {
        **reason_document(rejected.reason),
        "rows": rejected.rows,
        "example": example if show_values else example and mask_identity(example),
    }
