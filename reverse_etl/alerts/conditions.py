"""Finds what is wrong after a run, and which message it needs. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from reverse_etl.config.notify import AlertKind
from reverse_etl.delivery.results import collect_figures, needs_attention
from reverse_etl.errors import GuardRefused

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from reverse_etl.delivery.results import ListResult, RunResult

_WORST_FIRST: Final = (AlertKind.FAILED, AlertKind.STOPPED, AlertKind.ATTENTION)
_FAILED_EXIT_CODE: Final = 4


@dataclass(frozen=True, order=True)
class Subject:
    """The subject of a condition: its kind, and the model and list; "" for the whole run and for no list."""

    kind: AlertKind
    model: str = ""
    list_name: str = ""


@dataclass(frozen=True)
class Condition:
    """Something that is wrong after a run, with the rows of the list by outcome."""

    subject: Subject
    figures: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class RunEnd:
    """How a run ended. `run_id` is "" if it did not begin; `models` are those that it included."""

    run_id: str
    exit_code: int
    conditions: tuple[Condition, ...]
    models: frozenset[str]

    @property
    def began(self) -> bool:
        """Return whether the run came to its end, so that its models are known to be well or not."""
        return bool(self.run_id)


@dataclass(frozen=True)
class MessageDecision:
    """Which kind of message to send, if any, and the conditions that are reported afterwards."""

    kind: AlertKind | None
    reported: frozenset[Subject]


def end_of_result(result: RunResult, *, strict: bool) -> RunEnd:
    """Return how a run ended that has a result."""
    of_lists = [
        Condition(Subject(kind, one.model, one.list_plan.list_ref.name), _count_rows(one))
        for one in result.lists
        if (kind := _find_kind(one, strict=strict)) is not None
    ]
    held = {name for problem in result.gate_problems for name in problem.models}
    return RunEnd(
        result.run_id,
        result.exit_code,
        (*of_lists, *(Condition(Subject(AlertKind.STOPPED, name)) for name in sorted(held))),
        frozenset({one.model for one in result.lists} | held),
    )


def end_of_error(error: Exception) -> RunEnd:
    """Return how a run ended that raised an error."""
    match error:
        case GuardRefused():
            models = sorted({name for problem in error.problems for name in problem.models}) or [""]
            conditions = tuple(Condition(Subject(AlertKind.STOPPED, name)) for name in models)
            return RunEnd("", error.exit_code, conditions, frozenset())
        case _:
            return RunEnd("", _exit_code(error), (Condition(Subject(AlertKind.FAILED)),), frozenset())


def decide_message(
    end: RunEnd, reported: Collection[Subject], kinds: Collection[AlertKind]
) -> MessageDecision:
    """Return the message of a run's end, compared with the conditions that were reported before.

    A condition is reported once, as long as it lasts. One of a model that the run did not include lasts;
    all do if the run did not come to its end. Only the given kinds are reported.
    """
    current = frozenset(condition.subject for condition in end.conditions if condition.subject.kind in kinds)
    lasting = frozenset(
        subject
        for subject in reported
        if not end.began or (subject.model and subject.model not in end.models)
    )
    standing = current | lasting
    if new := current - frozenset(reported):
        return MessageDecision(_find_worst(new), standing)
    is_well = bool(reported) and not standing
    return MessageDecision(
        AlertKind.RECOVERED if is_well and AlertKind.RECOVERED in kinds else None, standing
    )


def _find_kind(result: ListResult, *, strict: bool) -> AlertKind | None:
    if result.failed:
        return AlertKind.FAILED
    if result.list_plan.stop_reason:
        return AlertKind.STOPPED
    return AlertKind.ATTENTION if needs_attention(result, strict=strict) else None


def _count_rows(result: ListResult) -> Mapping[str, int]:
    return {name: rows for name, rows in collect_figures(result).items() if rows}


def _exit_code(error: Exception) -> int:
    exit_code: int = getattr(error, "exit_code", _FAILED_EXIT_CODE)
    return exit_code


def _find_worst(subjects: Iterable[Subject]) -> AlertKind:
    found = {subject.kind for subject in subjects}
    return next(kind for kind in _WORST_FIRST if kind in found)
