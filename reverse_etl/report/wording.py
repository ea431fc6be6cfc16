"""What a run came to, in words that anybody understands. Pure."""

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
    0: "all rows are applied, or there was nothing to do",
    1: "finished, with rows to look at",
    3: "a guard refused the run before its first write",
    4: "a list failed; it is safe to run again",
}
_ENDED: Final = {
    "submitting": "not ended",
    RunEnd.UNSETTLED: "ended, not settled yet",
    RunEnd.RECOVERED: "settled by a later run",
    RunEnd.REFUSED: "refused by a guard",
}
_CODES: Final = {0: "all done", 1: "rows to look at", 4: "a list failed"}
_SINCE: Final[Mapping[str, tuple[str, ...]]] = {
    RunEnd.UNSETTLED: ("The next run settles first what was not finished.",),
    RunEnd.RECOVERED: ("A later run has settled since what was not finished.",),
}


class Tone(StrEnum):
    """How a run or a list stands: well, waiting for something, worth a look, or failed."""

    GOOD = "good"
    OPEN = "open"
    LOOK = "look"
    BAD = "bad"


@dataclass(frozen=True)
class Verdict:
    """What a run came to: one sentence, and the sentences that go with it."""

    tone: Tone
    said: str
    more: tuple[str, ...]


def verdict(report: Report) -> Verdict:
    """Return what a run came to."""
    run, where = report.run, "the sandbox" if report.sandbox else "Klaviyo"
    match run.state:
        case RunEnd.REFUSED:
            said = "Nothing was sent: this run was refused before its first write."
            more = f"This run changed nothing at {where}: why it was refused stands below."
            return Verdict(Tone.BAD, said, (more,))
        case "submitting":
            more = "It is still going on, or was stopped under way. The next run settles first what it sent."
            return Verdict(Tone.OPEN, "This run has not ended.", (more, "Run it again: nothing is lost."))
        case RunEnd.RECOVERED if run.exit_code is None:
            more = "A later run found out what had come of it and went on from there, so nothing is lost."
            return Verdict(Tone.LOOK, "This run was cut off before its end.", (more,))
    return _ended(report, where)


def _ended(report: Report, where: str) -> Verdict:
    """Return what a run came to that reached its end."""
    run, told = report.run, (*_stopped(report), *_done(report), *_to_look_at(report))
    since = _SINCE.get(run.state, ())
    if run.exit_code == FAILED:
        stopped = sum(bool(one.reason) for one in report.lists)
        said = f"{stopped} of {counted(len(report.lists), 'list')} stopped before the end."
        return Verdict(Tone.BAD, said, (*since, *told))
    if since:
        return Verdict(Tone.OPEN, f"This run ended before {where} had finished.", (*since, *told))
    if run.exit_code:
        return Verdict(Tone.LOOK, "This run reached its end, and left something to look at.", told)
    return Verdict(Tone.GOOD, _all_well(report, where), told)


def _all_well(report: Report, where: str) -> str:
    if not report.lists:
        return "There was no list to bring up to date."
    if report.sum("deferred"):
        return f"What --limit let through has arrived at {where}."
    if not report.sum("adds", "updates", "removes"):
        return "Nothing had changed, so nothing was sent."
    return f"Every change has arrived at {where}."


def _stopped(report: Report) -> list[str]:
    names = [one.place.label for one in report.lists if one.reason]
    if not names:
        return []
    listed = ", ".join(names[:_NAMED])
    others = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return [f"Stopped: {listed}{others}. Why stands below; the next run goes on from there."]


def _done(report: Report) -> list[str]:
    """Return what was done of all lists together."""
    applied, removed = report.sum("applied"), report.sum("removed")
    done = [
        *([f"{counted(applied, 'row was', 'rows were')} added or updated"] if applied else []),
        *([f"{counted(removed, 'row was', 'rows were')} taken off"] if removed else []),
    ]
    right = report.sum("unchanged")
    return [
        *([f"{' and '.join(done)}."] if done else []),
        *([f"{counted(right, 'row was', 'rows were')} right already."] if right else []),
    ]


def _to_look_at(report: Report) -> list[str]:
    """Return a sentence for each sort of rows that are neither as they should be nor taken off."""
    rejected = report.sum(*REJECTED)
    told = [
        (rejected, f"rejected{_how_new(report, rejected)}: why stands below."),
        (report.sum(*HELD), "held: nobody was taken off who may be the person of a rejected row."),
        (report.sum("accepted"), "accepted, and not finished when the run ended."),
        (report.sum("unknown"), "unknown when the run ended."),
        (report.sum("not_sent") - report.sum("deferred"), "not sent."),
        (report.sum("deferred"), "left for another run by --limit."),
        (report.sum("kept"), "left on their list: members before this job sent them."),
        (report.sum("gone"), "to be taken off, and nobody was found."),
    ]
    return [f"{counted(rows, 'row')} {what}" for rows, what in told if rows]


def _how_new(report: Report, rejected: int) -> str:
    """Return how many of the rejected rows are new, where that is kept."""
    if not report.own_rejections:
        return ""
    new = sum(one.new for one in report.rejections)
    if not new:
        return ", as before"
    return f" ({'all' if new >= rejected else f'{new:,}'} new)"


def meaning(run: PastRun) -> str:
    """Return what a run's exit code says; of one without, why it has none."""
    if run.exit_code is None:
        return "none: it was cut off" if run.state == RunEnd.RECOVERED else "none yet"
    return f"{run.exit_code}: {_MEANS.get(run.exit_code, 'see the command line')}"


def ending(run: PastRun) -> tuple[Tone, str]:
    """Return in a word or two how a run ended."""
    if run.state == RunEnd.REFUSED:
        return Tone.BAD, _ENDED[run.state]
    if run.state in _ENDED:
        return Tone.OPEN, _ENDED[run.state]
    tone = {0: Tone.GOOD, 1: Tone.LOOK}.get(run.exit_code or 0, Tone.BAD)
    return tone, _CODES.get(run.exit_code or 0, "failed")


def standing(report: Report, one: Listed) -> tuple[Tone, str]:
    """Return in a word or two how a list stands after the run."""
    if one.reason:
        return Tone.BAD, "stopped"
    if one.sum("accepted", "unknown"):
        return Tone.OPEN, "not settled"
    if one.sum(*HELD):
        return Tone.LOOK, "rows held"
    if _newly_rejected(report, one):
        return Tone.LOOK, "rows rejected"
    return Tone.GOOD, "done" if one.sum("adds", "updates", "removes") else "as it was"


def _newly_rejected(report: Report, one: Listed) -> bool:
    """Return whether rows of a list were rejected that were not before.

    Where that is not kept, whether any were, in a run that left something to look at.
    """
    if not one.sum(*REJECTED) or not report.own_rejections:
        return bool(one.sum(*REJECTED) and report.run.exit_code)
    at = (one.place.model, one.place.list_id)
    return any(each.new for each in report.rejections if (each.place.model, each.place.list_id) == at)


def when(text: str) -> str:
    """Return a kept moment as people write it.

    >>> when("2026-11-02T19:22:06.984Z")
    '2 Nov 2026, 19:22:06 UTC'
    """
    at = read(text)
    return f"{at.day} {at:%b %Y, %H:%M:%S} UTC"


def lasted(run: PastRun) -> str:
    """Return how long a run took from its first write to its end; '' where nobody knows.

    Of a run that a later one settled, when it ended itself is not kept.
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
    """Return what a sort of requests was for."""
    if proof.op == Op.ADD:
        return "adds and updates"
    return "forgotten: nothing is asked of Klaviyo" if proof.place.profiles else "removals"
