"""The result of a run: its lists, their outcomes, and the exit code."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.errors import FailureReason, GuardRefused
from reverse_etl.state.runs import StopCause

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.errors import FailureCause, Problem
    from reverse_etl.planning.list_plan import ListPlan
    from reverse_etl.planning.plan import Plan

_ATTENTION_OUTCOMES: Final = frozenset(
    {Outcome.REJECTED, Outcome.OPTED_OUT, Outcome.UNKNOWN, Outcome.ACCEPTED, Outcome.HELD}
)


@dataclass(frozen=True)
class ListResult:
    """The result of one list: its plan and the outcomes of its rows.

    `stop_reason` is why it stopped, or empty; `failed` is whether that was a failure.
    """

    model: str
    list_plan: ListPlan
    outcomes: dict[Outcome, int]
    stop_reason: str
    failed: bool

    @property
    def failure_cause(self) -> FailureCause | None:
        """Return why the list failed, None if it did not, or for a reason that has no code."""
        reason = self.stop_reason
        return reason.cause if self.failed and isinstance(reason, FailureReason) else None

    @property
    def stop_cause(self) -> StopCause | None:
        """Return why the list stopped, None if it did not."""
        if self.list_plan.stop_reason:
            return StopCause.GUARD
        if self.failed:
            return StopCause.FAILURE
        return StopCause.UNFINISHED if self.stop_reason else None


@dataclass(frozen=True)
class RunResult:
    """The result of a run.

    `exit_code` is 0, 1 (rows need attention), 3 (a guard stopped a list, or the dbt gate a model) or 4 (a
    list failed). `gate_problems` are why the dbt gate held models back: the plan does not have them.
    """

    run_id: str
    plan: Plan
    lists: tuple[ListResult, ...]
    exit_code: int
    gate_problems: tuple[Problem, ...] = ()


def add_gate_problems(result: RunResult, problems: tuple[Problem, ...]) -> RunResult:
    """Return a result with the reasons why the dbt gate held back other models of the run."""
    if not problems:
        return result
    exit_code = max(result.exit_code, GuardRefused.exit_code)
    return replace(result, gate_problems=problems, exit_code=exit_code)


def compute_exit_code(results: Sequence[ListResult], *, strict: bool) -> int:
    """Return 4 if a list failed, 3 if a guard stopped one, 1 if rows need attention, otherwise 0.

    Rows need attention if they were newly rejected or found to have opted out, are unknown, accepted or held,
    or were not sent because their list stopped. Rows deferred by a limit don't. `strict` counts all
    rejections, not only new ones.
    """
    if any(result.failed for result in results):
        return 4
    if any(result.list_plan.stop_reason for result in results):
        return 3
    return int(any(needs_attention(result, strict=strict) for result in results))


def needs_attention(result: ListResult, *, strict: bool) -> bool:
    """Return whether rows of a list need attention; see `compute_exit_code`."""
    rejected_rows = sum(
        rejection.rows if strict else rejection.new_rows for rejection in result.list_plan.check_rejections
    )
    return bool(
        rejected_rows
        or result.list_plan.held_at_plan
        or result.stop_reason
        or _ATTENTION_OUTCOMES & result.outcomes.keys()
    )


def collect_figures(result: ListResult) -> dict[str, int]:
    """Return the figures of a list's plan and the counts of its outcomes, by name."""
    outcome_counts = {outcome.value: result.outcomes.get(outcome, 0) for outcome in Outcome}
    return {**result.list_plan.figures(), **outcome_counts}


def collect_shown_figures(result: ListResult) -> dict[str, int]:
    """Return the figures of a list, with all people who opted out together, and not as rejected rows."""
    figures, known = collect_figures(result), result.list_plan.opted_out_before
    return figures | {
        "rejected_by_check": figures["rejected_by_check"] - known,
        "opted_out": figures["opted_out"] + known,
    }
