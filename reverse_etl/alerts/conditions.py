"""Finds what is wrong after a run, and which message it needs. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from reverse_etl.config.notify import AlertKind
from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.delivery.results import collect_figures, needs_attention
from reverse_etl.errors import (
    GuardRefused,
    IncompleteFile,
    KeyRefused,
    KlaviyoError,
    ModelError,
    UnusableReply,
    UsageError,
    WarehouseError,
    WarehouseUnavailable,
)
from reverse_etl.state.runs import StopCause

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from reverse_etl.delivery.results import ListResult, RunResult

_WORST_FIRST: Final = (AlertKind.FAILED, AlertKind.STOPPED, AlertKind.ATTENTION)
_FAILED_EXIT_CODE: Final = 4


class Cause(StrEnum):
    """The code of what is wrong, for programs. Later versions may add codes."""

    GUARD = StopCause.GUARD.value
    DBT_GATE = StopCause.DBT_GATE.value
    PLAN_DIFFERS = StopCause.PLAN_DIFFERS.value
    UNFINISHED = StopCause.UNFINISHED.value  # the list stopped, and the next run goes on with it
    LIST_FAILED = "list_failed"  # Klaviyo failed or refused while the list was sent
    KLAVIYO_UNREACHABLE = "klaviyo_unreachable"  # no answer, or none that proves anything
    KLAVIYO_REFUSED = "klaviyo_refused"
    KLAVIYO_KEY = "klaviyo_key"  # refused, or without a scope that the run needs
    WAREHOUSE_UNAVAILABLE = "warehouse_unavailable"  # out of reach or busy
    WAREHOUSE = "warehouse"
    MODEL = "model"  # it does not compile, or does not fit its config
    CONFIGURATION = "configuration"
    INCOMPLETE_FILE = "incomplete_file"  # of another program, such as dbt's artifacts
    INTERNAL = "internal"
    REJECTED_ROWS = "rejected_rows"
    OPTED_OUT = "opted_out"
    HELD_ROWS = "held_rows"
    UNPROVED_ROWS = "unproved_rows"  # accepted or unknown: a later run finds out


# The first class that an error is an instance of decides.
_CAUSES: Final = (
    (KeyRefused, Cause.KLAVIYO_KEY),
    (UnusableReply, Cause.KLAVIYO_REFUSED),
    (KlaviyoError, Cause.KLAVIYO_UNREACHABLE),
    (WarehouseUnavailable, Cause.WAREHOUSE_UNAVAILABLE),
    (WarehouseError, Cause.WAREHOUSE),
    (ModelError, Cause.MODEL),
    (UsageError, Cause.CONFIGURATION),
    (IncompleteFile, Cause.INCOMPLETE_FILE),
)
_CAUSES_BY_OUTCOME: Final = {
    Outcome.REJECTED: Cause.REJECTED_ROWS,
    Outcome.OPTED_OUT: Cause.OPTED_OUT,
    Outcome.HELD: Cause.HELD_ROWS,
    Outcome.UNKNOWN: Cause.UNPROVED_ROWS,
    Outcome.ACCEPTED: Cause.UNPROVED_ROWS,
}


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
    """Something that is wrong after a run, why, and the list's name and its rows by outcome.

    `is_new` is false for rows that an earlier run has reported: they need attention no more, and are no
    recovery either.
    """

    subject: Subject
    list_name: str = ""
    figures: Mapping[str, int] = field(default_factory=dict)
    is_new: bool = True
    causes: tuple[Cause, ...] = ()


@dataclass(frozen=True)
class RunEnd:
    """How a run ended. `models` are those of which the end is known.

    `run_id` is "" if the state has no record of the run. `has_result` is false if it raised an error.
    """

    run_id: str
    exit_code: int
    conditions: tuple[Condition, ...]
    models: frozenset[str]
    has_result: bool = True


@dataclass(frozen=True)
class Reported:
    """The conditions that were reported before, and those whose message could not be sent."""

    sent: frozenset[Subject] = frozenset()
    unsent: frozenset[Subject] = frozenset()


@dataclass(frozen=True)
class MessageDecision:
    """The kind of message to send, if any, the conditions that it names, and those that then last."""

    kind: AlertKind | None
    conditions: tuple[Condition, ...]
    new: frozenset[Subject]
    lasting: frozenset[Subject]


def end_of_result(result: RunResult, *, strict: bool) -> RunEnd:
    """Return how a run ended that has a result."""
    of_lists = [
        condition
        for list_result in result.lists
        if (condition := _find_condition(list_result, strict=strict)) is not None
    ]
    held = {name for problem in result.gate_problems for name in problem.models}
    return RunEnd(
        result.run_id,
        result.exit_code,
        (
            *of_lists,
            *(Condition(Subject(AlertKind.STOPPED, name), causes=(Cause.DBT_GATE,)) for name in sorted(held)),
        ),
        frozenset({list_result.model for list_result in result.lists} | held),
    )


def end_of_error(error: Exception, models: Collection[str]) -> RunEnd:
    """Return how a run of these models ended that raised an error."""
    match error:
        case GuardRefused():
            named = {name for problem in error.problems for name in problem.models}
            end = _end_of_all(AlertKind.STOPPED, Cause(error.cause), error.exit_code, named or models)
            return replace(end, run_id=error.run_id)
        case _:
            exit_code: int = getattr(error, "exit_code", _FAILED_EXIT_CODE)
            cause = next((cause for kind, cause in _CAUSES if isinstance(error, kind)), Cause.INTERNAL)
            return _end_of_all(AlertKind.FAILED, cause, exit_code, models)


def decide_message(
    end: RunEnd, reported: Reported, kinds: Collection[AlertKind], known_models: Collection[str]
) -> MessageDecision:
    """Return the message of a run's end, compared with the conditions that were reported before.

    A condition is reported once, as long as it lasts. One of a model that the run did not include lasts, as
    long as there is such a model; all last after an error. Only the given kinds are reported.
    """
    conditions = tuple(condition for condition in end.conditions if condition.subject.kind in kinds)
    current = {condition.subject for condition in conditions}
    new = {condition.subject for condition in conditions if condition.is_new} | (current & reported.unsent)
    elsewhere = {
        subject
        for subject in reported.sent
        if not end.has_result
        or (subject.model and subject.model not in end.models and subject.model in known_models)
    }
    lasting = frozenset(current & reported.sent | elsewhere)
    new -= reported.sent
    if new:
        named = tuple(condition for condition in conditions if condition.is_new or condition.subject in new)
        return MessageDecision(_find_worst(new), named, frozenset(new), lasting)
    has_recovered = bool(reported.sent) and not lasting and AlertKind.RECOVERED in kinds
    return MessageDecision(AlertKind.RECOVERED if has_recovered else None, (), frozenset(), lasting)


def _end_of_all(kind: AlertKind, cause: Cause, exit_code: int, models: Collection[str]) -> RunEnd:
    conditions = tuple(Condition(Subject(kind, name), causes=(cause,)) for name in sorted(models) or [""])
    return RunEnd("", exit_code, conditions, frozenset(models), has_result=False)


def _find_condition(result: ListResult, *, strict: bool) -> Condition | None:
    list_name = result.list_plan.list_ref.name
    figures = {name: rows for name, rows in collect_figures(result).items() if rows}
    if result.failed:
        subject = Subject(AlertKind.FAILED, result.model, list_name)
        return Condition(subject, list_name, figures, causes=(Cause.LIST_FAILED,))
    if result.list_plan.stop_reason:
        subject = Subject(AlertKind.STOPPED, result.model)
        return Condition(subject, list_name, figures, causes=(Cause.GUARD,))
    if needs_attention(result, strict=True):
        subject = Subject(AlertKind.ATTENTION, result.model, list_name)
        is_new = needs_attention(result, strict=strict)
        causes = _find_causes(result, known_rows_too=strict or not is_new)
        return Condition(subject, list_name, figures, is_new, causes)
    return None


def _find_causes(result: ListResult, *, known_rows_too: bool) -> tuple[Cause, ...]:
    """Return why rows of a list need attention, each once, with or without the rows rejected before."""
    list_plan = result.list_plan
    of_checks = (
        Cause.OPTED_OUT if rejected.reason.is_opt_out else Cause.REJECTED_ROWS
        for rejected in list_plan.check_rejections
        if known_rows_too or rejected.new_rows
    )
    of_rows = (cause for outcome, cause in _CAUSES_BY_OUTCOME.items() if result.outcomes.get(outcome))
    held = (Cause.HELD_ROWS,) if list_plan.held_at_plan else ()
    unfinished = (Cause.UNFINISHED,) if result.stop_reason else ()
    return tuple(dict.fromkeys((*of_checks, *of_rows, *held, *unfinished)))


def _find_worst(subjects: Iterable[Subject]) -> AlertKind:
    kinds = {subject.kind for subject in subjects}
    return next(kind for kind in _WORST_FIRST if kind in kinds)
