"""Converts a report to the JSON document of `report --json`. docs/cli.md explains its keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reverse_etl.report.counts import REJECTED_COUNTS
from reverse_etl.report.wording import summarize_run

if TYPE_CHECKING:
    from reverse_etl.domain.rejections import RejectionReason
    from reverse_etl.report.facts import (
        ListLabel,
        ListProof,
        ListSummary,
        RejectionSummary,
        RemovalNotFound,
        Report,
        ReportedRun,
    )
    from reverse_etl.report.wording import RunSummary
    from reverse_etl.state import RunRecord, StoredReceipt


def report_document(report: Report) -> dict[str, Any]:
    """Return a report as JSON values. Masks nothing: see `mask_report`."""
    return {
        "generated_at": report.generated_at,
        "project": report.project,
        "target": report.target,
        "account": report.account,
        "sandbox": report.sandbox,
        **run_document(report.run),
        "summary": _summary_document(summarize_run(report)),
        "later_run_count": report.later_run_count,
        "lists": [list_document(fact) for fact in report.lists],
        "refusal_reasons": list(report.refusal_reasons),
        "proofs": [_proof_document(fact) for fact in report.proofs],
        "rejections": [_rejection_document(fact) for fact in report.rejections],
        "rejections_match_run": report.rejections_match_run,
        "removals_not_found": [_removal_document(fact) for fact in report.removals_not_found],
        "removal_not_found_count": report.removal_not_found_count,
        "previous_runs": [_run_document(fact) for fact in report.previous_runs],
        "previous_run_count": report.previous_run_count,
        "notes": list(report.notes),
    }


def run_document(run: RunRecord) -> dict[str, Any]:
    """Return a run as JSON values; `status --json` uses it too."""
    return {
        "run_id": run.run_id,
        "state": run.state,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "exit_code": run.exit_code,
        "stop_cause": run.stop_cause or None,
    }


def _summary_document(summary: RunSummary) -> dict[str, Any]:
    return {
        "severity": summary.severity.value,
        "headline": summary.headline,
        "details": list(summary.details),
    }


def _label_document(label: ListLabel) -> dict[str, str]:
    return {"model": label.model, "list": label.name, "list_id": label.list_id}


def reason_document(reason: RejectionReason) -> dict[str, str]:
    """Return why rows are rejected, as `status` and `report` give it in JSON."""
    return {
        "source": reason.source.value,
        "code": reason.code,
        "field": reason.field,
        "detail": reason.detail,
    }


def _rejection_document(rejection: RejectionSummary) -> dict[str, Any]:
    return {
        **_label_document(rejection.label),
        **reason_document(rejection.rejected.reason),
        "rows": rejection.rejected.rows,
        "new_rows": rejection.rejected.new_rows,
        "example": rejection.rejected.example,
    }


def _removal_document(removal: RemovalNotFound) -> dict[str, Any]:
    return {
        **_label_document(removal.label),
        "identity": removal.identity,
        "recorded_at": removal.recorded_at,
    }


def list_document(summary: ListSummary) -> dict[str, Any]:
    """Return what a run did to a list as JSON values; `history --json` uses it too."""
    return {
        **_label_document(summary.label),
        **summary.counts,
        **({"skipped": summary.skipped.to_json()} if summary.skipped else {}),
        "stop_cause": summary.stop_cause,
        "stop_reason": summary.reason,
    }


def _proof_document(proof: ListProof) -> dict[str, Any]:
    return {
        **_label_document(proof.label),
        "op": proof.op,
        "receipt_count": proof.receipt_count,
        "rows_by_state": dict(proof.rows_by_state),
        "shown_receipts": [_receipt_document(receipt) for receipt in proof.shown_receipts],
        "hidden_receipt_count": proof.hidden_receipt_count,
    }


def _receipt_document(receipt: StoredReceipt) -> dict[str, Any]:
    return {
        "job_id": receipt.job_id,
        "rows": receipt.rows,
        "state": receipt.state,
        "recorded_at": receipt.recorded_at,
        "may_have_duplicate": receipt.may_have_duplicate,
        "detail": receipt.detail,
    }


def _run_document(reported_run: ReportedRun) -> dict[str, Any]:
    totals = {
        "applied": reported_run.sum_counts("applied"),
        "removed": reported_run.sum_counts("removed"),
        "rejected": reported_run.sum_counts(*REJECTED_COUNTS),
    }
    return {**run_document(reported_run.run), "list_count": len(reported_run.lists), **totals}
