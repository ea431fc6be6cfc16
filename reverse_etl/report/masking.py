"""Masks the e-mails and phones in a report, in every text that does not come from this program."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reverse_etl.domain.identifiers import mask_identity, mask_text
from reverse_etl.report.facts import RejectionSummary

if TYPE_CHECKING:
    from reverse_etl.report.facts import (
        ListLabel,
        ListProof,
        ListSummary,
        RemovalNotFound,
        Report,
        ReportedRun,
    )


def mask_report(report: Report) -> Report:
    """Return the report with every e-mail and phone masked."""
    return replace(
        report,
        lists=tuple(map(_mask_list, report.lists)),
        refusal_reasons=tuple(map(mask_text, report.refusal_reasons)),
        proofs=tuple(map(_mask_proof, report.proofs)),
        rejections=tuple(map(_mask_rejection, report.rejections)),
        removals_not_found=tuple(map(_mask_removal, report.removals_not_found)),
        previous_runs=tuple(map(mask_run, report.previous_runs)),
        notes=tuple(map(mask_text, report.notes)),
    )


def _mask_label(label: ListLabel) -> ListLabel:
    return replace(label, name=mask_text(label.name))


def _mask_list(summary: ListSummary) -> ListSummary:
    return replace(summary, label=_mask_label(summary.label), reason=mask_text(summary.reason))


def _mask_proof(proof: ListProof) -> ListProof:
    receipts = tuple(replace(receipt, detail=mask_text(receipt.detail)) for receipt in proof.shown_receipts)
    return replace(proof, label=_mask_label(proof.label), shown_receipts=receipts)


def _mask_rejection(rejection: RejectionSummary) -> RejectionSummary:
    rejected, reason = rejection.rejected, rejection.rejected.reason
    code, field, detail = map(mask_text, (reason.code, reason.field, reason.detail))
    masked = replace(
        rejected,
        reason=replace(reason, code=code, field=field, detail=detail),
        example=rejected.example and mask_identity(rejected.example),
    )
    return RejectionSummary(_mask_label(rejection.label), masked)


def _mask_removal(removal: RemovalNotFound) -> RemovalNotFound:
    return replace(removal, label=_mask_label(removal.label), identity=mask_identity(removal.identity))


def mask_run(reported_run: ReportedRun) -> ReportedRun:
    """Return the run with every e-mail and phone masked."""
    return replace(reported_run, lists=tuple(map(_mask_list, reported_run.lists)))
