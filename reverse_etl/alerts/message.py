"""The text and the JSON of a message: figures and codes alone, no row and no text of another program."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from reverse_etl.alerts.conditions import Cause
from reverse_etl.config.notify import AlertKind
from reverse_etl.formatting import escape_unsafe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.alerts.conditions import Condition, RunEnd
    from reverse_etl.alerts.decisions import MessageDecision

_TITLES: Final = {
    AlertKind.FAILED: "failed",
    AlertKind.STOPPED: "was stopped",
    AlertKind.ATTENTION: "needs attention",
    AlertKind.RECOVERED: "has recovered",
}
# By the kind of a condition. A saved plan that no longer fits has words of its own.
_LINES: Final[Mapping[AlertKind | Cause, str]] = {
    AlertKind.FAILED: "failed",
    AlertKind.STOPPED: "stopped, nothing of it was sent",
    AlertKind.ATTENTION: "has rows that need attention",
    Cause.PLAN_DIFFERS: "no longer fits, nothing of it was sent",
}
_ENDED: Final[Mapping[AlertKind | Cause, str]] = {
    AlertKind.FAILED: "no longer failing",
    AlertKind.STOPPED: "no longer stopped",
    AlertKind.ATTENTION: "has no such rows any more",
    Cause.PLAN_DIFFERS: "was followed by another run",
}
_LASTING: Final[Mapping[AlertKind | Cause, str]] = {
    AlertKind.FAILED: "still failed",
    AlertKind.STOPPED: "still stopped",
    AlertKind.ATTENTION: "still has rows that were reported",
}
_MARKUP: Final = re.compile(r"[@<\]]")  # begins <!channel> and @everyone, or is inside of [text](address)
_MAX_LINES: Final = 20  # of one message
_MAX_NAMES: Final = 10  # in one line
_STATUS_ADVICE: Final = "To see why: reverse-etl status"
_LOG_ADVICE: Final = "To see why: the log of the run"
_ADVICE: Final = {
    Cause.STATE_DAMAGED: "Run nothing before the state is restored. To see why: the log of the run",
    Cause.MODEL: "To see why: reverse-etl debug, or the log of the run",
    Cause.PLAN_DIFFERS: "To see what a run would send now: reverse-etl plan",
    Cause.DBT_GATE: _LOG_ADVICE,
}
_FIGURE_NAMES: Final = {"newly_rejected": "new rejections"}
# Figures that say nothing of what to look at.
_UNREMARKABLE: Final = frozenset({"rows", "snapshot_rows", "unchanged"})
_PLANNED: Final = frozenset({"adds", "updates", "removes"})  # only what a stop kept back is remarkable


@dataclass(frozen=True)
class Message:
    """A message for people (`title`, `body`) and for programs (`document`)."""

    kind: AlertKind
    title: str
    body: str
    document: dict[str, Any]


def build_message(decision: MessageDecision, end: RunEnd, profile: str, target: str) -> Message:
    """Return the message about the end of a run. The decision has a kind."""
    kind = decision.kind
    assert kind is not None  # noqa: S101 - the caller sends no message without one
    is_part = kind is AlertKind.RECOVERED and decision.lasting
    part = f" in part: {_count_ended(decision)}" if is_part else ""
    title = f"reverse-etl: the run of {profile}/{target} {_TITLES[kind]}{part}"
    lines = _describe_conditions(decision.conditions, _LINES)
    lines += _describe_conditions(decision.ended, _ENDED)
    if is_part:
        lines += _describe_conditions(decision.lasting, _LASTING)
    if len(lines) > _MAX_LINES:
        lines = [*lines[:_MAX_LINES], f"… and {len(lines) - _MAX_LINES:,} more"]
    not_sent = end.not_sent if decision.conditions else ()
    if not_sent:
        lines.append(f"Not sent, without a fault of their own: {_join_names(not_sent)}")
    run = f"run {end.run_id}, exit code {end.exit_code}" if end.run_id else f"exit code {end.exit_code}"
    advice = [] if kind is AlertKind.RECOVERED else [_find_advice(decision.conditions, end)]
    return Message(
        kind,
        _break_markup(escape_unsafe(title)),
        "\n".join(_break_markup(escape_unsafe(line)) for line in (*lines, run, *advice)),
        {
            "kind": kind.value,
            "title": title,
            "profile": profile,
            "target": target,
            "run_id": end.run_id or None,
            "exit_code": end.exit_code,
            "conditions": [_condition_document(condition) for condition in decision.conditions],
            "ended": [_cause_document(condition) for condition in decision.ended],
            "lasting": [_cause_document(condition) for condition in decision.lasting],
            "not_sent": list(not_sent),
        },
    )


def _count_ended(decision: MessageDecision) -> str:
    """Return how much of what was reported has ended, and how much lasts: each cause of a list counts."""
    ended, lasting = (
        sum(max(len(condition.causes), 1) for condition in conditions)
        for conditions in (decision.ended, decision.lasting)
    )
    return (
        f"{ended:,} of {ended + lasting:,} problems {'has' if ended == 1 else 'have'} ended, "
        f"{lasting:,} {'lasts' if lasting == 1 else 'last'}"
    )


def build_test_message(profile: str, target: str) -> Message:
    """Return a message that shows that messages arrive."""
    title = f"reverse-etl: a test message of {profile}/{target}"
    document: dict[str, Any] = {
        "kind": AlertKind.TEST.value,
        "title": title,
        "profile": profile,
        "target": target,
        "run_id": None,
        "exit_code": 0,
        "conditions": [],
        "ended": [],
        "lasting": [],
        "not_sent": [],
    }
    return Message(AlertKind.TEST, escape_unsafe(title), "Alerts of runs arrive here.", document)


def _break_markup(text: str) -> str:
    """Return a text in which a chat finds no mention of people and no link, however a list is named."""
    return _MARKUP.sub(lambda match: f"{match[0]}\u200b", text)


def _find_advice(conditions: Sequence[Condition], end: RunEnd) -> str:
    """Return what to do first: `status` knows why, if the state has the run."""
    usual = _STATUS_ADVICE if end.run_id else _LOG_ADVICE
    causes = [cause for condition in conditions for cause in condition.causes]
    return next((advice for cause in causes if (advice := _ADVICE.get(cause))), usual)


def _describe_conditions(
    conditions: Sequence[Condition], words: Mapping[AlertKind | Cause, str]
) -> list[str]:
    """Return a line for each condition; models that fail as a whole for the same reason share one."""
    models: dict[tuple[AlertKind, tuple[Cause, ...]], list[str]] = {}
    for condition in conditions:
        if _is_of_model(condition):
            models.setdefault((condition.subject.kind, condition.causes), []).append(condition.subject.model)
    lines = []
    for condition in conditions:
        key = condition.subject.kind, condition.causes
        names = models.pop(key, []) if _is_of_model(condition) else []
        if names or not _is_of_model(condition):
            lines.append(_describe_condition(condition, _join_names(names), words))
    return lines


def _is_of_model(condition: Condition) -> bool:
    return bool(condition.subject.model and not condition.subject.list_name and not condition.figures)


def _join_names(names: Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    more = f" and {len(names) - _MAX_NAMES:,} more" if len(names) > _MAX_NAMES else ""
    return f"{', '.join(names[:_MAX_NAMES])}{more}"


def _describe_condition(condition: Condition, models: str, words: Mapping[AlertKind | Cause, str]) -> str:
    subject = condition.subject
    name, what = subject.list_name or models or subject.model or "The run", words[subject.kind]
    if Cause.PLAN_DIFFERS in condition.causes and not subject.model:
        name, what = "The saved plan", words.get(Cause.PLAN_DIFFERS, what)
    model = f" (model {subject.model})" if subject.list_name else ""
    hidden = _UNREMARKABLE if subject.kind is AlertKind.STOPPED else _UNREMARKABLE | _PLANNED
    figures = ", ".join(
        f"{rows:,} {_FIGURE_NAMES.get(figure) or figure.replace('_', ' ')}"
        for figure, rows in condition.figures.items()
        if figure not in hidden
    )
    facts = [f"cause: {', '.join(condition.causes)}"] if condition.causes else []
    facts += [f"rows: {figures}"] if figures else []
    return f"{name}{model}: {what}" + (f" ({'; '.join(facts)})" if facts else "")


def _condition_document(condition: Condition) -> dict[str, Any]:
    return {**_cause_document(condition), "figures": dict(condition.figures)}


def _cause_document(condition: Condition) -> dict[str, Any]:
    subject = condition.subject
    return {
        "kind": subject.kind.value,
        "model": subject.model or None,
        "list": subject.list_name or None,
        "causes": [cause.value for cause in condition.causes],
    }
