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
    """Return the state of each list as plain values; identities are masked unless they may be shown."""
    return {
        "account": status.account,
        "lists": [_list(list_status, show_values=show_values) for list_status in status.lists],
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


def _list(list_status: ListStatus, *, show_values: bool) -> dict[str, Any]:
    return {
        "model": list_status.model,
        "list_id": list_status.list_id,
        "list": list_status.list_name,
        "applied": list_status.applied,
        "pending": list_status.pending,
        "opted_out": list_status.opted_out,
        "rejected": list_status.rejected,
        "held": list_status.held,
        "uncertain": list_status.uncertain,
        "last_run": _last(list_status.last_run) if list_status.last_run else None,
        "rejections": [
            _rejected_rows(rejected, show_values=show_values) for rejected in list_status.rejections
        ],
        "note": list_status.note,
    }


def _last(run_list: RunList) -> dict[str, Any]:
    return {
        "run_id": run_list.run_id,
        "started_at": run_list.started_at,
        "model": run_list.model,
        "list_id": run_list.list_id,
        "list": run_list.list_name,
        "counts": dict(run_list.counts),
        **({"skipped": run_list.skipped.to_json()} if run_list.skipped else {}),
        "stop_cause": run_list.stop_cause,
        "stop_reason": run_list.reason,
    }


def _rejected_rows(rejected: RejectedRows, *, show_values: bool) -> dict[str, Any]:
    example = rejected.example
    return {
        **reason_document(rejected.reason),
        "rows": rejected.rows,
        "example": example if show_values else example and mask_identity(example),
    }
