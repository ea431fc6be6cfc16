"""The text and the JSON of a message: figures and codes alone, no row and no text of another program."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from reverse_etl.config.notify import AlertKind
from reverse_etl.formatting import escape_unsafe

if TYPE_CHECKING:
    from reverse_etl.alerts.conditions import Condition, RunEnd
    from reverse_etl.alerts.decisions import MessageDecision

_TITLES: Final = {
    AlertKind.FAILED: "failed",
    AlertKind.STOPPED: "was stopped",
    AlertKind.ATTENTION: "needs attention",
    AlertKind.RECOVERED: "has recovered",
}
_LINES: Final = {
    AlertKind.FAILED: "failed",
    AlertKind.STOPPED: "stopped, nothing of it was sent",
    AlertKind.ATTENTION: "has rows that need attention",
}
_ENDED: Final = {
    AlertKind.FAILED: "no longer fails",
    AlertKind.STOPPED: "is no longer stopped",
    AlertKind.ATTENTION: "has no such rows any more",
}
_LASTING: Final = {
    AlertKind.FAILED: "still failed",
    AlertKind.STOPPED: "still stopped",
    AlertKind.ATTENTION: "still has rows that were reported",
}
_MARKUP: Final = re.compile(r"[@<\]]")  # begins <!channel> and @everyone, or is inside of [text](address)
_MAX_LINES: Final = 20  # of one message
# Figures that say nothing of what to look at.
_UNREMARKABLE: Final = frozenset({"rows", "snapshot_rows", "adds", "updates", "removes", "unchanged"})


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
    title = f"reverse-etl: the run of {profile}/{target} {_TITLES[kind]}{' in part' if is_part else ''}"
    lines = [
        _describe_condition(condition, _LINES[condition.subject.kind]) for condition in decision.conditions
    ]
    lines += [_describe_condition(condition, _ENDED[condition.subject.kind]) for condition in decision.ended]
    if is_part:
        lines += [
            _describe_condition(condition, _LASTING[condition.subject.kind]) for condition in decision.lasting
        ]
    if len(lines) > _MAX_LINES:
        lines = [*lines[:_MAX_LINES], f"… and {len(lines) - _MAX_LINES:,} more"]
    run = f"run {end.run_id}, exit code {end.exit_code}" if end.run_id else f"exit code {end.exit_code}"
    advice = [] if kind is AlertKind.RECOVERED else ["To see why: reverse-etl status"]
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
        },
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
    }
    return Message(AlertKind.TEST, escape_unsafe(title), "Alerts of runs arrive here.", document)


def _break_markup(text: str) -> str:
    """Return a text in which a chat finds no mention of people and no link, however a list is named."""
    return _MARKUP.sub(lambda match: f"{match[0]}\u200b", text)


def _describe_condition(condition: Condition, what: str) -> str:
    subject = condition.subject
    name = subject.list_name or subject.model or "The run"
    model = f" (model {subject.model})" if subject.list_name else ""
    figures = ", ".join(
        f"{rows:,} {figure.replace('_', ' ')}"
        for figure, rows in condition.figures.items()
        if figure not in _UNREMARKABLE
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
