"""What a run did: its lists, their outcomes, and the exit code that follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.delivery.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.planning.plan import ListPlan, Plan


@dataclass(frozen=True)
class ListResult:
    """What a run made of one list: the plan, and how its rows ended.

    Why it stopped ('' where it did not), and whether that was a failure.
    """

    model: str
    list_plan: ListPlan
    outcomes: dict[Outcome, int]
    stop_reason: str
    failed: bool


@dataclass(frozen=True)
class RunResult:
    """What a run did. `exit_code` as the command line's: 0, 1 (rows to look at) or 4 (a list failed)."""

    run_id: str
    plan: Plan
    lists: tuple[ListResult, ...]
    exit_code: int


def compute_exit_code(results: Sequence[ListResult], *, strict: bool) -> int:
    """Return 4 if a list failed, 1 if rows need a look, else 0.

    A look need rows newly rejected, unknown, accepted or held, and those that a list left unsent when it
    stopped, but not those that a limit kept back. `strict` counts all rejections.
    """
    if any(result.failed for result in results):
        return 4
    attention_outcomes = {Outcome.REJECTED, Outcome.UNKNOWN, Outcome.ACCEPTED, Outcome.HELD}
    for result in results:
        rejected_rows = sum(
            rejection.rows if strict else rejection.new_rows
            for rejection in result.list_plan.check_rejections
        )
        if (
            rejected_rows
            or result.list_plan.held_at_plan
            or result.stop_reason
            or attention_outcomes & result.outcomes.keys()
        ):
            return 1
    return 0


def collect_figures(result: ListResult) -> dict[str, int]:
    """Return what a list was to become and what came of it, as whole numbers by name."""
    outcome_counts = {outcome.value: result.outcomes.get(outcome, 0) for outcome in Outcome}
    return {**result.list_plan.figures(), **outcome_counts}
