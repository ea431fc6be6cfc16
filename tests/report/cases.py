"""Made-up facts: a report with something of everything, and one of every kind of run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reverse_etl.domain.rejections import OPTED_OUT, RejectedRows, RejectionReason, RejectionSource
from reverse_etl.errors import RunFailure
from reverse_etl.report.facts import (
    ListLabel,
    ListProof,
    ListSummary,
    RejectionSummary,
    RemovalNotFound,
    Report,
    ReportedRun,
)
from reverse_etl.report.figures import OUTCOME_FIGURES, PLAN_FIGURES
from reverse_etl.report.status import Interruption
from reverse_etl.state import RunRecord, RunState, StoredReceipt
from reverse_etl.state.runs import StopCause

VIP = ListLabel("vip", "Vip001", "VIP customers")
TEA = ListLabel("clubs", "Tea001", "Tea club")
EVERYBODY = ListLabel("everybody", "", "", surface="profiles")
RUN = RunRecord(
    "20260301T050000-a1b2c3", RunState.ENDED, "2026-03-01T05:00:41.000Z", "2026-03-01T05:03:09.000Z", 0
)
COUNTS = dict.fromkeys(
    [*(count for figure in (*PLAN_FIGURES, *OUTCOME_FIGURES) for count in figure.counts)], 0
)


def listed(place: ListLabel = VIP, reason: str = "", **counts: int) -> ListSummary:
    """Return what a run did to a list of which nothing is counted but this."""
    return ListSummary(place, COUNTS | counts, StopCause.FAILURE if reason else None, reason)


def changed(place: ListLabel = VIP, **counts: int) -> ListSummary:
    """Return what a run did to a list that had something of each."""
    usual = {
        "rows": 5_000,
        "snapshot_rows": 4_990,
        "adds": 30,
        "updates": 20,
        "removes": 10,
        "unchanged": 4_950,
    }
    return ListSummary(place, COUNTS | usual | {"applied": 50, "removed": 10} | counts, None, "")


def receipt(
    place: ListLabel = VIP, state: str = "applied", op: str = "add", detail: str = ""
) -> StoredReceipt:
    """Return a receipt of a list."""
    job = "job-1" if op == "add" else None
    return StoredReceipt(place.model, place.list_id, op, job, 50, state, "2026-03-01T05:01:09.123Z", detail)


def proof(place: ListLabel = VIP, op: str = "add", receipts: int = 1, **rows: int) -> ListProof:
    """Return the proof of a kind of request, by a receipt for each state."""
    shown = tuple(receipt(place, state, op) for state in rows)
    return ListProof(place, op, receipts, rows, shown, forgets=bool(place.surface))


def rejected(place: ListLabel = VIP, **changes: Any) -> RejectionSummary:
    """Return rows with malformed e-mails, one of two of them new."""
    reason = RejectionReason(RejectionSource.CHECK, "email_malformed")
    usual = RejectionSummary(place, RejectedRows(reason, 2, 1, "email:ann@@example.com"))
    return change_rejection(usual, **changes)


def change_rejection(summary: RejectionSummary, **changes: Any) -> RejectionSummary:
    """Return rejected rows with other values of their reason and counts."""
    reason = {name: changes.pop(name) for name in ("source", "code", "field", "detail") if name in changes}
    label = changes.pop("label", summary.label)
    rejected = replace(summary.rejected, reason=replace(summary.rejected.reason, **reason), **changes)
    return RejectionSummary(label, rejected)


def former(
    days: int, state: str = "ended", code: int | None = 0, lists: tuple[ListSummary, ...] = ()
) -> ReportedRun:
    """Return a run so many days before."""
    at = f"2026-02-{28 - days:02}T05:00:"
    return ReportedRun(
        RunRecord(
            f"202602{28 - days:02}T050000-d4e5f6", RunState(state), f"{at}41.000Z", f"{at}59.000Z", code
        ),
        lists,
    )


def report(*lists: ListSummary, **changes: Any) -> Report:
    """Return a report of a run that ended well, with these lists."""
    usual = Report(
        generated_at="2026-03-01T07:30:00.000Z",
        project="shop",
        target="prod",
        account="AbC123",
        sandbox=False,
        run=RUN,
        later_run_count=0,
        lists=lists,
        refusal_reasons=(),
        proofs=(),
        rejections=(),
        rejections_match_run=True,
        removals_not_found=(),
        removal_not_found_count=0,
        previous_runs=(),
        previous_run_count=0,
        notes=(),
    )
    return replace(usual, **changes)


def ran(state: str, code: int | None, **changes: Any) -> RunRecord:
    """Return a run that came to another end."""
    return replace(RUN, state=RunState(state), exit_code=code, **changes)


def everything() -> Report:
    """Return a report that has something in every part of the page."""
    stopped = replace(
        changed(TEA, not_sent=5, held_at_lookup=2, applied=45),
        stop_cause=StopCause.FAILURE,
        reason="Klaviyo refused the request.",
    )
    lists = (
        changed(EVERYBODY, removed=0, left_in_place=10),
        stopped,
        changed(rejected_by_klaviyo=1, rejected_by_check=2, not_found=60, replaced=1),
    )
    return report(
        *lists,
        run=ran("ended", 4),
        later_run_count=2,
        refusal_reasons=("10 of 20 rows would be removed (50 %); max_removes is 10 %. Nothing was sent.",),
        proofs=(
            proof(EVERYBODY, applied=50),
            proof(EVERYBODY, "remove", applied=10),
            proof(TEA, not_sent=5, applied=45),
            proof(receipts=1_000, unknown=50, accepted=100, applied=9_990_000),
            proof(op="remove", applied=10),
        ),
        rejections=(
            rejected(),
            rejected(
                source=RejectionSource.KLAVIYO,
                code="invalid",
                field="email",
                detail="No.",
                rows=1,
                new_rows=1,
            ),
            rejected(code="no_identifier", example=None, new_rows=0),
        ),
        removals_not_found=(RemovalNotFound(VIP, "email:bob@example.com", "2026-03-01T05:02:09.123Z"),),
        removal_not_found_count=60,
        previous_runs=(
            former(0, lists=lists),
            former(1, "refused", 3),
            former(2, "recovered", None),
            former(3, "unsettled", 1, (changed(), changed(TEA))),
            former(4, lists=(changed(rows=4_000, applied=100_000, adds=100_000),)),
        ),
        previous_run_count=412,
        notes=("The deleted model old has 7 rows on the list 'Old' (Old001).",),
    )


KINDS = {
    "everything": everything(),
    "changes": report(changed(), changed(TEA)),
    "a sandbox": report(changed(), sandbox=True),
    "nothing changed": report(listed(rows=5, snapshot_rows=5, unchanged=5)),
    "known rejections": report(
        listed(rows=5, unchanged=5, rejected_by_check=2), rejections=(rejected(new_rows=0),)
    ),
    "new rejections": report(
        changed(rejected_by_check=2), run=ran("ended", 1), rejections=(rejected(new_rows=2),)
    ),
    "some new rejections": report(
        changed(rejected_by_check=2), run=ran("ended", 1), rejections=(rejected(),)
    ),
    "an opt-out beside known rejections": report(
        changed(rejected_by_check=2, opted_out=1),
        run=ran("ended", 1),
        rejections=(
            rejected(new_rows=0),
            rejected(
                source=RejectionSource.KLAVIYO, code=OPTED_OUT, field="unsubscribed", rows=1, new_rows=1
            ),
        ),
    ),
    "older rejections": report(
        changed(rejected_by_check=2), run=ran("ended", 1), later_run_count=3, rejections_match_run=False
    ),
    "held": report(changed(held_at_lookup=1, held_at_plan=2), run=ran("ended", 1)),
    "a limit": report(changed(deferred=7, not_sent=7)),
    "no list": report(),
    "a refused run": report(run=ran("refused", 3), refusal_reasons=("Too few.",), rejections_match_run=False),
    "a failed run": report(
        run=ran("refused", 2, stop_cause=RunFailure.MODEL),
        refusal_reasons=("The model has no config(). At models/vip.sql:1.",),
        rejections_match_run=False,
    ),
    "an open run": report(
        run=ran("submitting", None, ended_at=None),
        proofs=(proof(applied=50),),
        interruption=Interruption(RUN.run_id, {"applied": 50}, 2_000),
    ),
    "an unsettled run": report(
        replace(
            changed(accepted=50, applied=0),
            stop_cause=StopCause.UNFINISHED,
            reason="1 import job had not ended.",
        ),
        run=ran("unsettled", 1),
        proofs=(proof(accepted=50),),
    ),
    "an unsettled run that failed": report(
        replace(changed(unknown=50, applied=0), stop_cause=StopCause.FAILURE, reason="No reply."),
        run=ran("unsettled", 4),
    ),
    "a guard": report(
        replace(changed(TEA, applied=0), stop_cause=StopCause.GUARD, reason="10 rows would be removed."),
        run=ran("ended", 3),
    ),
    "a settled run": report(changed(accepted=50, applied=0), run=ran("recovered", 1)),
    "a dead run": report(run=ran("recovered", None), later_run_count=1),
}
