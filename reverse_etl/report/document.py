"""A report as plain values: what `report --json` prints, and docs/cli.md explains. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reverse_etl.report.counts import REJECTED
from reverse_etl.report.wording import verdict

if TYPE_CHECKING:
    from reverse_etl.report.facts import Former, Gone, Listed, Place, Proof, Rejected, Report
    from reverse_etl.report.wording import Verdict
    from reverse_etl.state import KeptReceipt, PastRun


def document(report: Report) -> dict[str, Any]:
    """Return a report as plain values. Masks nothing: see `hide`."""
    return {
        "made": report.made,
        "project": report.project,
        "target": report.target,
        "account": report.account,
        "sandbox": report.sandbox,
        **run_document(report.run),
        "verdict": _verdict(verdict(report)),
        "later_runs": report.later,
        "lists": [_listed(one) for one in report.lists],
        "refused": list(report.refused),
        "proofs": [_proof(one) for one in report.proofs],
        "rejections": [_rejected(one) for one in report.rejections],
        "own_rejections": report.own_rejections,
        "gone": [_gone(one) for one in report.gone],
        "gone_rows": report.gone_rows,
        "runs_before": [_former(one) for one in report.before],
        "earlier_runs": report.earlier,
        "notes": list(report.notes),
    }


def run_document(run: PastRun) -> dict[str, Any]:
    """Return a run as plain values, as `status --json` has it too."""
    return {
        "run_id": run.run_id,
        "state": run.state,
        "started": run.started,
        "ended": run.ended,
        "exit_code": run.exit_code,
    }


def _verdict(one: Verdict) -> dict[str, Any]:
    return {"tone": one.tone.value, "said": one.said, "more": list(one.more)}


def _place(place: Place) -> dict[str, str]:
    return {"model": place.model, "list": place.name, "list_id": place.list_id}


def _rejected(one: Rejected) -> dict[str, Any]:
    return {
        **_place(one.place),
        "source": one.source,
        "code": one.code,
        "field": one.field,
        "detail": one.detail,
        "rows": one.rows,
        "new": one.new,
        "example": one.example,
    }


def _gone(one: Gone) -> dict[str, Any]:
    return {**_place(one.place), "identity": one.identity, "at": one.at}


def _listed(one: Listed) -> dict[str, Any]:
    return {**_place(one.place), **one.counts, "stopped": one.reason}


def _proof(proof: Proof) -> dict[str, Any]:
    return {
        **_place(proof.place),
        "op": proof.op,
        "receipts": proof.receipts,
        "rows_by_state": dict(proof.rows),
        "shown": [_receipt(one) for one in proof.shown],
        "left_out": proof.left_out,
    }


def _receipt(one: KeptReceipt) -> dict[str, Any]:
    return {"job": one.job, "rows": one.rows, "state": one.state, "at": one.at, "detail": one.detail}


def _former(one: Former) -> dict[str, Any]:
    sums = {"applied": one.sum("applied"), "removed": one.sum("removed"), "rejected": one.sum(*REJECTED)}
    return {**run_document(one.run), "list_count": len(one.lists), **sums}
