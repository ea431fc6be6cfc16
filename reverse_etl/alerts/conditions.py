"""Finds what is wrong after a run. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from reverse_etl.config.notify import AlertKind
from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.delivery.results import collect_figures
from reverse_etl.errors import FailureCause, GuardRefused, ReverseEtlError, RunFailure
from reverse_etl.state.runs import StopCause

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from reverse_etl.delivery.results import ListResult, RunResult
    from reverse_etl.domain.rejections import RejectedRows
    from reverse_etl.errors import Problem

_FAILED_EXIT_CODE: Final = 4


class Cause(StrEnum):
    """The code of what is wrong, for programs. Later versions may add codes."""

    GUARD = StopCause.GUARD.value
    DBT_GATE = StopCause.DBT_GATE.value
    PLAN_DIFFERS = StopCause.PLAN_DIFFERS.value
    UNFINISHED = StopCause.UNFINISHED.value  # the list stopped, and the next run goes on with it
    LIST_FAILED = "list_failed"  # while it was sent, for a reason that has no code
    LIST_MISSING = FailureCause.LIST_MISSING.value
    KLAVIYO_UNREACHABLE = FailureCause.KLAVIYO_UNREACHABLE.value
    KLAVIYO_TIMEOUT = FailureCause.KLAVIYO_TIMEOUT.value
    KLAVIYO_RATE_LIMIT = FailureCause.KLAVIYO_RATE_LIMIT.value
    KLAVIYO_ERROR = FailureCause.KLAVIYO_ERROR.value
    KLAVIYO_REFUSED = FailureCause.KLAVIYO_REFUSED.value
    KLAVIYO_KEY = FailureCause.KLAVIYO_KEY.value
    WAREHOUSE_UNAVAILABLE = RunFailure.WAREHOUSE_UNAVAILABLE.value
    WAREHOUSE = FailureCause.WAREHOUSE.value
    STATE_DAMAGED = RunFailure.STATE_DAMAGED.value
    MODEL = RunFailure.MODEL.value
    CONFIGURATION = RunFailure.CONFIGURATION.value
    INCOMPLETE_FILE = RunFailure.INCOMPLETE_FILE.value
    INTERNAL = RunFailure.INTERNAL.value
    REJECTED_ROWS = "rejected_rows"
    OPTED_OUT = "opted_out"
    HELD_ROWS = "held_rows"
    UNPROVED_ROWS = "unproved_rows"  # accepted or unknown: a later run finds out


LIST_FAILURES: Final = frozenset({Cause.LIST_FAILED, *(Cause(cause) for cause in FailureCause)})
_CAUSES_BY_OUTCOME: Final = {
    Outcome.REJECTED: Cause.REJECTED_ROWS,
    Outcome.OPTED_OUT: Cause.OPTED_OUT,
    Outcome.HELD: Cause.HELD_ROWS,
    Outcome.UNKNOWN: Cause.UNPROVED_ROWS,
    Outcome.ACCEPTED: Cause.UNPROVED_ROWS,
}
_REJECTED_FIGURES: Final = frozenset({"rejected_by_check", Outcome.REJECTED.value})
# Later runs count such rows no more, or among those that were rejected before.
_COUNTED_ONCE: Final = frozenset({Cause.REJECTED_ROWS, Cause.OPTED_OUT})


@dataclass(frozen=True, order=True)
class Subject:
    """The subject of a condition: its kind, and the model and list.

    `model` is "" if the models of the run are not known. `list_name` is "" for a surface without lists, and
    where a model is stopped or fails as a whole.
    """

    kind: AlertKind
    model: str = ""
    list_name: str = ""


@dataclass(frozen=True)
class Condition:
    """Something that is wrong after a run, why, and the rows of the list by outcome.

    `known_causes` are those of rows that an earlier run has counted: they need attention no more, and are no
    recovery either. `new_row_causes` are those of rows that this run counts first. Held removals are counted
    by each run: `held_rows` shows whether they are more.
    """

    subject: Subject
    causes: tuple[Cause, ...]
    figures: Mapping[str, int] = field(default_factory=dict)
    known_causes: frozenset[Cause] = frozenset()
    new_row_causes: frozenset[Cause] = frozenset()
    held_rows: int = 0


@dataclass(frozen=True)
class RunEnd:
    """How a run ended. `models` are those that it looked at.

    `run_id` is "" if the state has no record of the run. `has_result` is false if it raised an error: then
    `not_sent` are the models that are well, of which nothing was sent either. `unfinished` are (model, list)
    of the lists that were not sent to the end: not all about their rows is known.
    """

    run_id: str
    exit_code: int
    conditions: tuple[Condition, ...]
    models: frozenset[str]
    has_result: bool = True
    unfinished: frozenset[tuple[str, str]] = frozenset()
    not_sent: tuple[str, ...] = ()


def end_of_result(result: RunResult, *, strict: bool) -> RunEnd:
    """Return how a run ended that has a result. The models that the dbt gate held were not looked at."""
    removes_nobody = {
        model_plan.model.name
        for model_plan in result.plan.models
        if model_plan.model.config.surface.remove is None
    }
    of_lists = (
        condition
        for list_result in result.lists
        for condition in (
            _find_stop(list_result),
            _find_attention(list_result, strict=strict, removes=list_result.model not in removes_nobody),
        )
        if condition is not None
    )
    held = {name for problem in result.gate_problems for name in problem.models}
    of_gate = (Condition(Subject(AlertKind.STOPPED, name), (Cause.DBT_GATE,)) for name in sorted(held))
    return RunEnd(
        result.run_id,
        result.exit_code,
        (*of_lists, *of_gate),
        frozenset(list_result.model for list_result in result.lists),
        unfinished=frozenset(
            (list_result.model, list_result.list_plan.list_ref.name)
            for list_result in result.lists
            if list_result.stop_cause is not None
        ),
    )


def end_of_error(error: Exception, models: Collection[str]) -> RunEnd:
    """Return how a run of these models ended that raised an error. It concerns the models that it names.

    An error that names none concerns all of them. A saved plan that no longer fits is wrong itself, and no
    model; if it was applied already, nothing is.
    """
    exit_code: int = getattr(error, "exit_code", _FAILED_EXIT_CODE)
    problems = error.problems if isinstance(error, ReverseEtlError) else ()
    concerned = _find_concerned(problems, models) or {""}
    kind, run_id = AlertKind.FAILED, error.run_id if isinstance(error, ReverseEtlError) else ""
    if isinstance(error, GuardRefused):
        kind = AlertKind.STOPPED
        if error.cause == StopCause.PLAN_DIFFERS:
            concerned = set() if error.was_applied else {""}
    conditions = tuple(
        Condition(Subject(kind, name), (_cause_of_error(error),)) for name in sorted(concerned)
    )
    not_sent = {*models} - concerned if concerned - {""} else set()
    return RunEnd(
        run_id,
        exit_code,
        conditions,
        frozenset(models),
        has_result=False,
        not_sent=tuple(sorted(not_sent)),
    )


def _find_concerned(problems: Sequence[Problem], models: Collection[str]) -> set[str]:
    """Return the models of the run that problems name; all if they name none, or one of them names none."""
    named = {name for problem in problems for name in problem.models}
    if not all(problem.models for problem in problems):
        return {*models}
    return named.intersection(models) or named or {*models}


def _cause_of_error(error: Exception) -> Cause:
    return Cause(error.cause_code) if isinstance(error, ReverseEtlError) else Cause.INTERNAL


def _find_stop(result: ListResult) -> Condition | None:
    """Return that a list failed, or that a guard stopped it."""
    match result.stop_cause:
        case StopCause.FAILURE:
            kind, cause = AlertKind.FAILED, Cause(result.failure_cause or Cause.LIST_FAILED)
        case StopCause.GUARD:
            kind, cause = AlertKind.STOPPED, Cause.GUARD
        case _:
            return None
    return Condition(_subject(kind, result), (cause,), _remarkable_figures(result))


def _find_attention(result: ListResult, *, strict: bool, removes: bool) -> Condition | None:
    """Return that rows of a list need attention, or were rejected before.

    A list that failed has such rows, too: the next run counts them no more. It counts those that a guard
    stopped again. Rows that are held since their people are on a stopped list end with that stop, and those
    of a surface that `removes` nobody would change nothing: neither is reported.
    """
    if result.stop_cause is StopCause.GUARD:
        return None
    rejections = [(_cause_of(rejected), rejected) for rejected in result.list_plan.check_rejections]
    of_checks = {cause for cause, rejected in rejections if rejected.rows}
    of_outcomes = {cause for outcome, cause in _CAUSES_BY_OUTCOME.items() if result.outcomes.get(outcome)}
    held_rows = result.outcomes.get(Outcome.HELD, 0)
    if removes:
        held_rows += result.list_plan.held_at_plan - result.list_plan.held_by_stops
    held = {Cause.HELD_ROWS} if held_rows else set()
    unfinished = {Cause.UNFINISHED} if result.stop_cause is StopCause.UNFINISHED else set()
    found = of_checks | of_outcomes | held | unfinished
    if not found:
        return None
    new_rows = {cause for cause, rejected in rejections if rejected.new_rows} | (_COUNTED_ONCE & of_outcomes)
    known = set() if strict else of_checks - new_rows
    return Condition(
        _subject(AlertKind.ATTENTION, result),
        tuple(cause for cause in Cause if cause in found),
        _remarkable_figures(result),
        frozenset(known),
        frozenset(new_rows),
        held_rows,
    )


def _cause_of(rejected: RejectedRows) -> Cause:
    return Cause.OPTED_OUT if rejected.reason.is_opt_out else Cause.REJECTED_ROWS


def _subject(kind: AlertKind, result: ListResult) -> Subject:
    return Subject(kind, result.model, result.list_plan.list_ref.name)


def _remarkable_figures(result: ListResult) -> dict[str, int]:
    """Return the figures of a list that are not 0; with rejected rows also how many are new, even if none."""
    figures = {name: rows for name, rows in collect_figures(result).items() if rows}
    newly_rejected = result.outcomes.get(Outcome.REJECTED, 0) + sum(
        rejected.new_rows for rejected in result.list_plan.check_rejections if not rejected.reason.is_opt_out
    )
    return figures | ({"newly_rejected": newly_rejected} if not _REJECTED_FIGURES.isdisjoint(figures) else {})
