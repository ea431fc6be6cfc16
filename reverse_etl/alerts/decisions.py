"""Decides which message the end of a run needs, by what was reported before. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from reverse_etl.alerts.conditions import LIST_FAILURES, Cause, Condition, Subject
from reverse_etl.config.notify import AlertKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from reverse_etl.alerts.conditions import RunEnd

_WORST_FIRST: Final = (AlertKind.FAILED, AlertKind.STOPPED, AlertKind.ATTENTION)


@dataclass(frozen=True)
class ReportedCause:
    """A cause of a condition: what is reported once, as long as it lasts.

    `cause` is None in the records of earlier versions, which did not have it: any cause.
    """

    subject: Subject
    cause: Cause | None = None

    def covers(self, other: ReportedCause) -> bool:
        """Return whether this one has reported the other. A stop of a whole model is one of its lists."""
        mine, others = self.subject, other.subject
        return (
            (mine.kind, mine.model) == (others.kind, others.model)
            and mine.list_name in {"", others.list_name}
            and self.cause in {None, other.cause}
        )

    def is_replaced_by(self, other: ReportedCause) -> bool:
        """Return whether the other one is now why the same model or list fails or is stopped.

        It has one such cause at a time, since the first ends it. Rows may need attention for several.
        """
        mine, others = self.subject, other.subject
        return (
            mine.kind is not AlertKind.ATTENTION
            and (mine.kind, mine.model) == (others.kind, others.model)
            and (mine.list_name == others.list_name or not (mine.list_name and others.list_name))
            and self.cause is not other.cause
        )


@dataclass(frozen=True)
class Reported:
    """Causes that were sent, and those that could not be; and how many removals each list held last."""

    sent: frozenset[ReportedCause] = frozenset()
    unsent: frozenset[ReportedCause] = frozenset()
    held_rows: Mapping[Subject, int] = field(default_factory=dict)


@dataclass(frozen=True)
class MessageDecision:
    """The kind of message to send, if any, and what it names; and what to record if it is sent or not.

    `conditions` are new or found again. `ended` were reported before, and `lasting` are the others of these.
    """

    kind: AlertKind | None
    conditions: tuple[Condition, ...]
    ended: tuple[Condition, ...]
    lasting: tuple[Condition, ...]
    if_sent: Reported
    if_unsent: Reported


def decide_message(
    end: RunEnd, reported: Reported, kinds: Collection[AlertKind], known_models: Collection[str]
) -> MessageDecision:
    """Return the message of a run's end, compared with what was reported before.

    A cause is reported once, as long as it lasts, and again if this run counts new rows of it. One of a model
    that the run did not look at lasts, as long as there is such a model; all last after an error, except the
    one that the error replaces. Only the given kinds are reported.
    """
    conditions = tuple(condition for condition in end.conditions if condition.subject.kind in kinds)
    current = frozenset(
        ReportedCause(condition.subject, cause) for condition in conditions for cause in condition.causes
    )
    standing = frozenset(cause for cause in current if _is_covered(cause, reported.sent))
    due = frozenset(cause for condition in conditions for cause in _find_due_causes(condition, reported))
    gone = frozenset(before for before in reported.sent if not any(before.covers(cause) for cause in current))
    replaced = frozenset(before for before in gone if any(before.is_replaced_by(cause) for cause in current))
    unseen = frozenset(before for before in gone - replaced if not _was_seen(before, end, known_models))
    ended = gone - replaced - unseen if AlertKind.RECOVERED in kinds else frozenset()
    lasting = standing | unseen
    waiting = frozenset(
        before
        for before in reported.unsent
        if not any(before.covers(cause) for cause in current) and not _was_seen(before, end, known_models)
    )
    held_rows = {
        **{cause.subject: rows for cause in unseen if (rows := reported.held_rows.get(cause.subject))},
        **{condition.subject: rows for condition in conditions if (rows := condition.held_rows)},
    }
    return MessageDecision(
        _find_worst(due) if due else AlertKind.RECOVERED if ended else None,
        _name_conditions(conditions, due) if due else (),
        _to_conditions(ended),
        _add_figures(_to_conditions(lasting - due), conditions),
        Reported(lasting | due, waiting, held_rows),
        Reported(standing | gone, waiting | due, held_rows),
    )


def _find_due_causes(condition: Condition, reported: Reported) -> Iterable[ReportedCause]:
    """Return the causes of a condition that a message has to name."""
    held_before = reported.held_rows.get(condition.subject, condition.held_rows)
    for name in condition.causes:
        cause = ReportedCause(condition.subject, name)
        is_new = name not in condition.known_causes and not _is_covered(cause, reported.sent)
        has_new_rows = name in condition.new_row_causes or (
            name is Cause.HELD_ROWS and condition.held_rows > held_before
        )
        if is_new or has_new_rows or _is_covered(cause, reported.unsent):
            yield cause


def _was_seen(before: ReportedCause, end: RunEnd, known_models: Collection[str]) -> bool:
    """Return whether the run shows that something has ended that it does not report."""
    subject = before.subject
    if not end.has_result:
        return False
    if subject.model and subject.model not in end.models:
        return subject.model not in known_models
    is_of_rows = subject.kind is AlertKind.ATTENTION or before.cause in LIST_FAILURES
    return not (is_of_rows and (subject.model, subject.list_name) in end.unfinished)


def _is_covered(cause: ReportedCause, reported: Iterable[ReportedCause]) -> bool:
    return any(before.covers(cause) for before in reported)


def _name_conditions(
    conditions: Iterable[Condition], due: Collection[ReportedCause]
) -> tuple[Condition, ...]:
    """Return the conditions to name: those about rows only for what is due, others as long as they last."""
    named = (
        replace(
            condition,
            causes=tuple(
                cause
                for cause in condition.causes
                if ReportedCause(condition.subject, cause) in due
                or (condition.subject.kind is not AlertKind.ATTENTION and cause not in condition.known_causes)
            ),
        )
        for condition in conditions
    )
    return tuple(condition for condition in named if condition.causes)


def _to_conditions(causes: Iterable[ReportedCause]) -> tuple[Condition, ...]:
    by_subject: dict[Subject, list[Cause]] = {}
    for reported in sorted(causes, key=lambda reported: (reported.subject, reported.cause or "")):
        by_subject.setdefault(reported.subject, []).extend([reported.cause] if reported.cause else [])
    return tuple(Condition(subject, tuple(names)) for subject, names in by_subject.items())


def _add_figures(lasting: Iterable[Condition], current: Iterable[Condition]) -> tuple[Condition, ...]:
    """Return what lasts with the figures of this run, if it looked at the model or list."""
    figures = {
        condition.subject: {name: rows for name, rows in condition.figures.items() if rows}
        for condition in current
    }
    return tuple(
        replace(condition, figures=figures.get(condition.subject, condition.figures)) for condition in lasting
    )


def _find_worst(causes: Iterable[ReportedCause]) -> AlertKind:
    kinds = {cause.subject.kind for cause in causes}
    return next(kind for kind in _WORST_FIRST if kind in kinds)
