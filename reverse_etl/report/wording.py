"""The sentences of a report: how a run and its lists ended, for readers who do not know the program. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from reverse_etl.domain.deltas import Op
from reverse_etl.domain.timestamps import read
from reverse_etl.formatting import counted
from reverse_etl.report.counts import HELD, REJECTED
from reverse_etl.state import RunEnd

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.report.facts import Listed, Proof, Report
    from reverse_etl.state import PastRun

FAILED = 4  # an exit code: see _MEANS
_NAMED = 3  # lists that a sentence names
_MINUTE, _HOUR = 60, 3600
_MEANS: Final = {
    0: "all rows are applied, or nothing changed",
    1: "finished, but some rows need attention",
    3: "a guard stopped the run before it sent anything",
    4: "at least one list failed; it is safe to run again",
}
_ENDED: Final = {
    "submitting": "not finished",
    RunEnd.UNSETTLED: "results pending",
    RunEnd.RECOVERED: "completed by a later run",
    RunEnd.REFUSED: "stopped by a guard",
}
_CODES: Final = {0: "done", 1: "rows need attention", 4: "a list failed"}
_SINCE: Final[Mapping[str, tuple[str, ...]]] = {
    RunEnd.UNSETTLED: ("The next run collects the pending results first.",),
    RunEnd.RECOVERED: ("A later run has collected the results that were pending.",),
}


class Tone(StrEnum):
    """How serious a status is: all well, results pending, attention needed, or failed."""

    GOOD = "good"
    OPEN = "open"
    LOOK = "look"
    BAD = "bad"


@dataclass(frozen=True)
class Verdict:
    """The summary of a run: one sentence, and the sentences that explain it."""

    tone: Tone
    said: str
    more: tuple[str, ...]


def verdict(report: Report) -> Verdict:
    """Return the summary of a run."""
    run, where = report.run, "the sandbox" if report.sandbox else "Klaviyo"
    match run.state:
        case RunEnd.REFUSED:
            said = "Nothing was sent: a guard stopped this run."
            more = f"This run changed nothing in {where}. The reasons are below."
            return Verdict(Tone.BAD, said, (more,))
        case "submitting":
            more = "It is still running, or it was interrupted. The next run first checks what this one sent."
            return Verdict(Tone.OPEN, "This run has not finished.", (more, "It is safe to run again."))
        case RunEnd.RECOVERED if run.exit_code is None:
            more = "A later run checked what this one had sent and continued from there. No row is lost."
            return Verdict(Tone.LOOK, "This run was interrupted.", (more,))
    return _ended(report, where)


def _ended(report: Report, where: str) -> Verdict:
    """Return the summary of a run that ended."""
    run, told = report.run, (*_stopped(report), *_done(report), *_to_look_at(report))
    since = _SINCE.get(run.state, ())
    if run.exit_code == FAILED:
        stopped = sum(bool(one.reason) for one in report.lists)
        said = f"{stopped} of {counted(len(report.lists), 'list')} stopped early."
        return Verdict(Tone.BAD, said, (*since, *told))
    if since:
        return Verdict(Tone.OPEN, f"This run ended before {where} had processed everything.", (*since, *told))
    if run.exit_code:
        return Verdict(Tone.LOOK, "This run finished, but some rows need attention.", told)
    return Verdict(Tone.GOOD, _all_well(report, where), told)


def _all_well(report: Report, where: str) -> str:
    if not report.lists:
        return "There was no list to update."
    if report.sum("deferred"):
        return f"All rows that --limit allowed are in {where}."
    if not report.sum("adds", "updates", "removes"):
        return "Nothing changed, so nothing was sent."
    return f"All changes are in {where}."


def _stopped(report: Report) -> list[str]:
    names = [one.place.label for one in report.lists if one.reason]
    if not names:
        return []
    listed = ", ".join(names[:_NAMED])
    others = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return [f"Stopped early: {listed}{others}. The reasons are below; the next run continues from there."]


def _done(report: Report) -> list[str]:
    """Return sentences with the rows changed on all lists, and those that needed no change."""
    applied, removed = report.sum("applied"), report.sum("removed")
    done = [
        *([f"{counted(applied, 'row was', 'rows were')} added or updated"] if applied else []),
        *([f"{counted(removed, 'row was', 'rows were')} removed"] if removed else []),
    ]
    right = report.sum("unchanged")
    return [
        *([f"{' and '.join(done)}."] if done else []),
        *([f"{counted(right, 'row was', 'rows were')} already up to date."] if right else []),
    ]


def _to_look_at(report: Report) -> list[str]:
    """Return a sentence for each kind of row that was neither applied nor removed."""
    rejected = report.sum(*REJECTED)
    told = [
        (rejected, f"rejected{_how_new(report, rejected)}. The reasons are below."),
        (report.sum(*HELD), "held: not removed, since a rejected row may be the same person."),
        (report.sum("accepted"), "accepted, but not finished when the run ended."),
        (report.sum("unknown"), "unknown: their outcome was not known when the run ended."),
        (report.sum("not_sent") - report.sum("deferred"), "not sent."),
        (report.sum("deferred"), "left for a later run by --limit."),
        (report.sum("kept"), "kept: added to the list by someone else."),
        (report.sum("gone"), "not found on the list, so not removed."),
    ]
    return [f"{counted(rows, 'row')} {what}" for rows, what in told if rows]


def _how_new(report: Report, rejected: int) -> str:
    """Return how many of the rejected rows are new, if the state still has that figure."""
    if not report.own_rejections:
        return ""
    new = sum(one.new for one in report.rejections)
    if not new:
        return ", none of them new"
    return f" ({'all' if new >= rejected else f'{new:,}'} new)"


def meaning(run: PastRun) -> str:
    """Return what a run's exit code means, or why the run has none."""
    if run.exit_code is None:
        return "none: the run was interrupted" if run.state == RunEnd.RECOVERED else "none yet"
    return f"{run.exit_code}: {_MEANS.get(run.exit_code, 'see the command line')}"


def ending(run: PastRun) -> tuple[Tone, str]:
    """Return the status of a run in a word or two."""
    if run.state == RunEnd.REFUSED:
        return Tone.BAD, _ENDED[run.state]
    if run.state in _ENDED:
        return Tone.OPEN, _ENDED[run.state]
    tone = {0: Tone.GOOD, 1: Tone.LOOK}.get(run.exit_code or 0, Tone.BAD)
    return tone, _CODES.get(run.exit_code or 0, "failed")


def standing(report: Report, one: Listed) -> tuple[Tone, str]:
    """Return the status of a list after the run in a word or two."""
    if one.reason:
        return Tone.BAD, "stopped"
    if one.sum("accepted", "unknown"):
        return Tone.OPEN, "results pending"
    if one.sum(*HELD):
        return Tone.LOOK, "rows held"
    if _newly_rejected(report, one):
        return Tone.LOOK, "rows rejected"
    return Tone.GOOD, "updated" if one.sum("adds", "updates", "removes") else "unchanged"


def _newly_rejected(report: Report, one: Listed) -> bool:
    """Return whether this run rejected rows of a list that earlier runs had not rejected.

    If the state no longer has that figure: whether the list has rejected rows and the run needed attention.
    """
    if not one.sum(*REJECTED) or not report.own_rejections:
        return bool(one.sum(*REJECTED) and report.run.exit_code)
    at = (one.place.model, one.place.list_id)
    return any(each.new for each in report.rejections if (each.place.model, each.place.list_id) == at)


def when(text: str) -> str:
    """Return a stored timestamp as people write it.

    >>> when("2026-11-02T19:22:06.984Z")
    '2 Nov 2026, 19:22:06 UTC'
    """
    at = read(text)
    return f"{at.day} {at:%b %Y, %H:%M:%S} UTC"


def lasted(run: PastRun) -> str:
    """Return how long a run took from its first write to its end; '' if unknown.

    For a run that a later one completed, the state holds the time of completion, not of the run's own end.
    """
    if run.ended is None or run.state in {RunEnd.RECOVERED, RunEnd.REFUSED}:
        return ""
    seconds = (read(run.ended) - read(run.started)).total_seconds()
    if seconds < 1:
        return "under a second"
    if seconds < _MINUTE:
        return counted(round(seconds), "second")
    if seconds < _HOUR:
        return f"{seconds // _MINUTE:.0f} min {seconds % _MINUTE:.0f} s"
    return f"{seconds // _HOUR:.0f} h {seconds % _HOUR // _MINUTE:.0f} min"


def operation(proof: Proof) -> str:
    """Return what a kind of request was for."""
    if proof.op == Op.ADD:
        return "adds and updates"
    return "left the model: nothing to send" if proof.place.profiles else "removals"
