"""Ends of runs, records of what was reported, and the decision that follows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reverse_etl.alerts.conditions import (
    Cause,
    Condition,
    RunEnd,
    Subject,
    end_of_error,
    end_of_result,
)
from reverse_etl.alerts.decisions import MessageDecision, Reported, ReportedCause, decide_message
from reverse_etl.config.notify import ALERT_KINDS, AlertKind
from reverse_etl.delivery.results import ListResult, RunResult
from reverse_etl.domain.rejections import (
    OPTED_OUT,
    RejectedRows,
    RejectionReason,
    RejectionSource,
    RowProblem,
)
from reverse_etl.errors import (
    GuardRefused,
    Problem,
)
from reverse_etl.planning.list_plan import ListPlan
from reverse_etl.planning.lists import ListRef
from reverse_etl.planning.plan import Plan
from reverse_etl.state.runs import StopCause

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.delivery.outcomes import Outcome

FAILED, STOPPED, ATTENTION, RECOVERED = ALERT_KINDS
KNOWN = frozenset({"vip", "other"})
VIP = Subject(STOPPED, "vip")
ROWS = Subject(ATTENTION, "vip", "VIP")
OTHER = Subject(ATTENTION, "other", "Other")
OTHERS = Subject(STOPPED, "other")
RUN = Subject(FAILED, "vip")
GONE = Subject(STOPPED, "gone")
CAUSES: dict[AlertKind, Cause] = {
    STOPPED: Cause.GUARD,
    ATTENTION: Cause.REJECTED_ROWS,
    FAILED: Cause.WAREHOUSE,
}


def condition_of(subject: Subject, *, is_known: bool = False) -> Condition:
    """Return a condition with the usual cause of its kind."""
    cause = CAUSES[subject.kind]
    return Condition(subject, (cause,), known_causes=frozenset({cause} if is_known else ()))


def sent(*subjects: Subject) -> Reported:
    """Return a record of these subjects with the usual causes of their kinds."""
    return Reported(frozenset(ReportedCause(subject, CAUSES[subject.kind]) for subject in subjects))


def ended(
    *subjects: Subject, models: str = "vip other", has_result: bool = True, is_known: bool = False
) -> RunEnd:
    """Return the end of a run of these models."""
    conditions = tuple(condition_of(subject, is_known=is_known) for subject in subjects)
    return RunEnd("r1", 3, conditions, frozenset(models.split()), has_result)


def decide(end: RunEnd, reported: Reported) -> MessageDecision:
    return decide_message(end, reported, ALERT_KINDS, KNOWN)


def names(conditions: Sequence[Condition]) -> list[str]:
    """Return the causes that a message names."""
    return [cause.value for condition in conditions for cause in condition.causes]


def list_result(
    outcomes: dict[Outcome, int] | None = None,
    *,
    rejected: Sequence[tuple[int, int]] = (),
    opted_out: Sequence[tuple[int, int]] = (),
    held: tuple[int, int] = (0, 0),
    guard: str = "",
    **ending: Any,
) -> ListResult:
    """Return the result of a list; `rejected` and `opted_out` are (rows, new rows) of a reason.

    `held` are the removals that the plan holds, and those of them that stopped lists hold.
    """
    malformed = RejectionReason(RejectionSource.CHECK, RowProblem.EMAIL_MALFORMED)
    opt_out = RejectionReason(RejectionSource.CHECK, RowProblem.STILL_REJECTED, field=OPTED_OUT)
    list_plan = ListPlan(
        ListRef("l1", "VIP", "VIP"),
        rows=9,
        snapshot_rows=9,
        held_at_plan=held[0],
        held_by_stops=held[1],
        check_rejections=tuple(
            RejectedRows(reason, rows, new)
            for reason, figures in ((malformed, rejected), (opt_out, opted_out))
            for rows, new in figures
        ),
        stop_reason=guard,
    )
    return ListResult("vip", list_plan, outcomes or {}, **{"stop_reason": "", "failed": False, **ending})


def run_of(*results: ListResult, strict: bool = False) -> RunEnd:
    return end_of_result(RunResult("r1", Plan((), lists_looked_up=True), results, 1), strict=strict)


def gate(*, all_models: bool) -> RunEnd:
    """Return the end of a run in which the dbt gate holds `vip` back."""
    problem = Problem("dbt's model failed.", models=("vip",))
    if all_models:
        return end_of_error(GuardRefused(problem).with_cause(StopCause.DBT_GATE), KNOWN)
    return end_of_result(RunResult("r1", Plan((), lists_looked_up=True), (), 3, (problem,)), strict=False)
