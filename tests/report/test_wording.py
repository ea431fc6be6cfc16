"""The words for how a run and its lists ended."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from reverse_etl.errors import RunFailure
from reverse_etl.report.facts import ListLabel, ReportedRun
from reverse_etl.report.wording import (
    Severity,
    describe_exit_code,
    describe_list_state,
    describe_run_ending,
    format_run_duration,
    summarize_run,
)
from reverse_etl.state.runs import StopCause
from reverse_etl.state.snapshot_matches import LastComparison
from tests.report.cases import (
    KINDS,
    RUN,
    TEA,
    changed,
    listed,
    ran,
    report,
)

if TYPE_CHECKING:
    from reverse_etl.report.facts import ListSummary
    from reverse_etl.state.runs import RunRecord


@pytest.mark.parametrize(
    ("one", "run", "told"),
    [
        (changed(), RUN, "updated"),
        (listed(unchanged=3), RUN, "unchanged"),
        (replace(listed(unchanged=3), skipped=LastComparison("r1", "2026-03-01")), RUN, "skipped"),
        (changed(rejected_by_check=2), RUN, "updated"),
        (changed(rejected_by_check=2), ran("ended", 1), "rows rejected"),
        (listed(rejected_by_check=2), RUN, "all rows rejected"),
        (listed(rows=2, rejected_by_klaviyo=2), RUN, "all rows rejected"),
        (changed(held_at_plan=2), ran("ended", 1), "rows held"),
        (changed(accepted=2), ran("unsettled", 1), "results pending"),
        (
            replace(changed(unknown=1), stop_cause=StopCause.FAILURE, reason="No reply."),
            ran("ended", 4),
            "stopped",
        ),
    ],
)
def test_a_list_shows_its_worst_outcome(one: ListSummary, run: RunRecord, told: str) -> None:
    """Rejections of earlier runs are no news."""
    assert describe_list_state(report(one, run=run, rejections_match_run=False), one)[1] == told


def test_a_list_counts_its_own_new_rejections() -> None:
    tea, vip = changed(TEA, rejected_by_check=2), changed(rejected_by_check=2)
    known = replace(KINDS["some new rejections"], lists=(tea, vip))
    assert (describe_list_state(known, tea)[1], describe_list_state(known, vip)[1]) == (
        "updated",
        "rows rejected",
    )


@pytest.mark.parametrize(
    ("run", "how", "code"),
    [
        (RUN, "done", "0: all rows are applied, or nothing changed"),
        (ran("ended", 1), "rows need attention", "1: finished, but some rows need attention"),
        (ran("ended", 4), "a list failed", "4: at least one list failed; it is safe to run again"),
        (ran("refused", 3), "stopped by a guard", "3: a guard stopped the run before it sent anything"),
        (
            ran("refused", 3, stop_cause=StopCause.PLAN_DIFFERS),
            "the saved plan no longer fits",
            "3: the saved plan no longer fits, so nothing was sent",
        ),
        (
            ran("refused", 3, stop_cause=StopCause.DBT_GATE),
            "the dbt gate held models back",
            "3: the dbt gate held all models back, so nothing was sent",
        ),
        (
            ran("refused", 2, stop_cause=RunFailure.MODEL),
            "failed before it sent a row",
            "2: the run failed before it sent a row (model)",
        ),
        (ran("submitting", None), "not finished", "none yet"),
        (ran("recovered", None), "completed by a later run", "none: the run was interrupted"),
        (ran("unsettled", 1), "results pending", "1: finished, but some rows need attention"),
    ],
)
def test_an_exit_code_is_explained(run: RunRecord, how: str, code: str) -> None:
    assert (describe_run_ending(ReportedRun(run, ()))[1], describe_exit_code(run)) == (how, code)


@pytest.mark.parametrize(
    ("exit_code", "cause", "advice"),
    [
        (2, RunFailure.MODEL, "A run before they are corrected fails again."),
        (4, RunFailure.INCOMPLETE_FILE, "It is safe to run again."),
    ],
)
def test_a_run_that_failed_before_it_sent_says_whether_another_may_succeed(
    exit_code: int, cause: RunFailure, advice: str
) -> None:
    failed = replace(report(), run=ran("refused", exit_code, stop_cause=cause))
    assert summarize_run(failed).details[-1] == advice


def test_a_run_whose_rows_are_all_rejected_is_not_green() -> None:
    """Also if no rejection is new, so that the exit code is 0. Rows without a list do not count as one."""
    vip, no_list = listed(rejected_by_check=2), listed(ListLabel("clubs", "", ""), rejected_by_check=1)
    summary = summarize_run(report(vip, changed(TEA)))
    assert (summary.severity, summary.headline) == (
        Severity.WARNING,
        "All rows of VIP customers are rejected.",
    )
    assert describe_run_ending(ReportedRun(RUN, (vip,))) == (Severity.WARNING, "all rows rejected")
    assert summarize_run(report(no_list, changed(TEA))).severity is Severity.OK


@pytest.mark.parametrize(
    ("run", "told"),
    [
        (replace(RUN, ended_at="2026-03-01T05:00:41.400Z"), "under a second"),
        (replace(RUN, ended_at="2026-03-01T05:00:42.000Z"), "1 second"),
        (replace(RUN, ended_at="2026-03-01T05:01:40.900Z"), "60 seconds"),
        (RUN, "2 min 28 s"),
        (replace(RUN, ended_at="2026-03-01T08:05:50.000Z"), "3 h 5 min"),
        (ran("submitting", None, ended_at=None), ""),
        (ran("recovered", 1), ""),
        (ran("refused", 3), ""),
        (ran("refused", 2, stop_cause=RunFailure.MODEL), "2 min 28 s"),
    ],
)
def test_the_duration_of_a_run_is_shown_if_it_is_known(run: RunRecord, told: str) -> None:
    """When a run that was settled later ended itself is not kept."""
    assert format_run_duration(run) == told
