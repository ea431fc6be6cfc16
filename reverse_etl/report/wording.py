"""The sentences of a report: how a run and its lists ended, for readers who do not know the program. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from reverse_etl.domain.deltas import Op
from reverse_etl.domain.receipts import ReceiptState
from reverse_etl.domain.timestamps import parse_timestamp
from reverse_etl.formatting import format_count
from reverse_etl.report.counts import HELD_COUNTS, REJECTED_COUNTS
from reverse_etl.report.figures import HELD_MEANING
from reverse_etl.state import RunState
from reverse_etl.state.runs import StopCause

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.report.facts import ListProof, ListSummary, Report, ReportedRun
    from reverse_etl.state import RunRecord

EXIT_MISTAKE, EXIT_STOPPED, EXIT_FAILED = 2, 3, 4  # exit codes: see _EXIT_CODE_MEANINGS
_MAX_NAMED_LISTS = 3  # lists that a sentence names
_MINUTE, _HOUR = 60, 3600
_EXIT_CODE_MEANINGS: Final = {
    0: "all rows are applied, or nothing changed",
    1: "finished, but some rows need attention",
    3: "a guard stopped at least one list, or the dbt gate a model, before anything of it was sent",
    4: "at least one list failed; it is safe to run again",
}
_NOT_READ: Final = "not read: nothing that the skipped models read has changed."
_LATER_NOTES: Final[Mapping[str, tuple[str, ...]]] = {
    RunState.UNSETTLED: ("The next run collects the pending results first.",),
    RunState.RECOVERED: ("A later run has collected the results that were pending.",),
}


class Severity(StrEnum):
    """How serious a status is: all well, results pending, attention needed, or failed."""

    OK = "ok"
    PENDING = "pending"
    WARNING = "warning"
    ERROR = "error"


class RunEnding(StrEnum):
    """How a run ended: by its state, otherwise by its exit code."""

    SUBMITTING = "submitting"
    UNSETTLED = "unsettled"
    RECOVERED = "recovered"
    REFUSED = "refused"
    PLAN_DIFFERS = "plan_differs"
    FAILED_BEFORE_SENDING = "failed_before_sending"
    DONE = "done"
    ALL_REJECTED = "all_rejected"
    NEEDS_ATTENTION = "needs_attention"
    GUARD_STOPPED = "guard_stopped"
    GATE_HELD = "gate_held"
    FAILED = "failed"


_ENDINGS: Final[Mapping[RunEnding, tuple[Severity, str]]] = {
    RunEnding.SUBMITTING: (Severity.PENDING, "not finished"),
    RunEnding.UNSETTLED: (Severity.PENDING, "results pending"),
    RunEnding.RECOVERED: (Severity.PENDING, "completed by a later run"),
    RunEnding.REFUSED: (Severity.ERROR, "stopped by a guard"),
    RunEnding.PLAN_DIFFERS: (Severity.ERROR, "the saved plan no longer fits"),
    RunEnding.FAILED_BEFORE_SENDING: (Severity.ERROR, "failed before it sent a row"),
    RunEnding.DONE: (Severity.OK, "done"),
    RunEnding.ALL_REJECTED: (Severity.WARNING, "all rows rejected"),
    RunEnding.NEEDS_ATTENTION: (Severity.WARNING, "rows need attention"),
    RunEnding.GUARD_STOPPED: (Severity.ERROR, "a guard stopped a list"),
    RunEnding.GATE_HELD: (Severity.ERROR, "the dbt gate held models back"),
    RunEnding.FAILED: (Severity.ERROR, "a list failed"),
}


_REFUSALS: Final[Mapping[RunEnding, str]] = {
    RunEnding.REFUSED: "a guard stopped this run",
    RunEnding.PLAN_DIFFERS: "the saved plan no longer fits",
    RunEnding.GATE_HELD: "the dbt gate held all models back",
}


@dataclass(frozen=True)
class RunSummary:
    """The summary of a run: a headline, and the sentences that explain it."""

    severity: Severity
    headline: str
    details: tuple[str, ...]


def summarize_run(report: Report) -> RunSummary:
    """Return the summary of a run."""
    run, destination = report.run, "the sandbox" if report.sandbox else "Klaviyo"
    match run.state:
        case RunState.REFUSED if run.failed_before_sending:
            lasts = run.exit_code == EXIT_MISTAKE
            advice = "A run before they are corrected fails again." if lasts else "It is safe to run again."
            details = (f"Code: {run.stop_cause}. The reasons are below.", advice)
            return RunSummary(Severity.ERROR, "This run failed before it sent a row.", details)
        case RunState.REFUSED:
            headline = f"Nothing was sent: {_REFUSALS[_find_refusal(run)]}."
            detail = f"This run changed nothing in {destination}. The reasons are below."
            return RunSummary(Severity.ERROR, headline, (detail,))
        case RunState.SUBMITTING:
            details = (
                "It is still running, or it was interrupted.",
                *((report.interruption.describe(),) if report.interruption else ()),
                "The next run first checks what this one sent, and continues from there.",
                "It is safe to run again.",
            )
            return RunSummary(Severity.PENDING, "This run has not finished.", details)
        case RunState.RECOVERED if run.exit_code is None:
            detail = "A later run checked what this one had sent and continued from there. No row is lost."
            return RunSummary(Severity.WARNING, "This run was interrupted.", (detail,))
    return _summarize_ended_run(report, destination)


def _find_refusal(run: RunRecord) -> RunEnding:
    """Return how a run ended that was refused."""
    if run.failed_before_sending:
        return RunEnding.FAILED_BEFORE_SENDING
    endings: dict[str, RunEnding] = {
        StopCause.PLAN_DIFFERS: RunEnding.PLAN_DIFFERS,
        StopCause.DBT_GATE: RunEnding.GATE_HELD,
    }
    return endings.get(run.stop_cause, RunEnding.REFUSED)


def _summarize_ended_run(report: Report, destination: str) -> RunSummary:
    """Return the summary of a run that ended."""
    run, sentences = (
        report.run,
        (*_stopped_sentences(report), *_change_sentences(report), *_follow_up_sentences(report)),
    )
    later_notes = _LATER_NOTES.get(run.state, ())
    if run.exit_code in {EXIT_STOPPED, EXIT_FAILED}:
        stopped_count = sum(bool(summary.stop_cause) for summary in report.lists)
        if report.refusal_reasons and not stopped_count:
            return RunSummary(Severity.ERROR, "Not all models were sent.", (*later_notes, *sentences))
        how = "stopped by a guard" if run.exit_code == EXIT_STOPPED else "stopped early"
        headline = f"{stopped_count} of {count_lists(report.lists)} {how}."
        return RunSummary(Severity.ERROR, headline, (*later_notes, *sentences))
    if later_notes:
        return RunSummary(
            Severity.PENDING,
            f"This run ended before {destination} had processed everything.",
            (*later_notes, *sentences),
        )
    if run.exit_code:
        return RunSummary(Severity.WARNING, "This run finished, but some rows need attention.", sentences)
    if rejected_lists := [summary.label.text for summary in report.lists if summary.is_all_rejected]:
        headline = f"All rows of {_join_names(rejected_lists)} are rejected."
        return RunSummary(Severity.WARNING, headline, sentences)
    return RunSummary(Severity.OK, _success_headline(report, destination), sentences)


def count_lists(lists: Sequence[ListSummary]) -> str:
    """Return how many lists there are; models of surfaces without lists are called so."""
    of_models = sum(bool(summary.label.surface) for summary in lists)
    if of_models == len(lists):
        return format_count(of_models, "model")
    return f"{len(lists):,} lists and models" if of_models else format_count(len(lists), "list")


def describe_rows(lists: Sequence[ListSummary]) -> str:
    """Return what a row of these lists is, and how people are counted."""
    if all(summary.label.surface for summary in lists):
        return "A row is one row of a model."
    is_mixed = any(summary.label.surface for summary in lists)
    others = ", and without a list one row of the model" if is_mixed else ""
    return f"A row is one person on one list{others}: a person on three lists counts three times."


def _success_headline(report: Report, destination: str) -> str:
    if not report.lists:
        return "There was no list to update."
    if report.sum_counts("deferred"):
        return f"All rows that --limit allowed are in {destination}."
    if not report.sum_counts("adds", "updates", "removes", "left_in_place"):
        return "Nothing changed, so nothing was sent."
    return f"All changes are in {destination}."


def _stopped_sentences(report: Report) -> list[str]:
    guarded = [summary.label.text for summary in report.lists if summary.stop_cause is StopCause.GUARD]
    stopped = [
        summary.label.text for summary in report.lists if summary.stop_cause not in {None, StopCause.GUARD}
    ]
    held = "The dbt gate held models back: nothing of them was sent. The reasons are below."
    guard = (
        f"Stopped by a guard before anything was sent: {_join_names(guarded)}. The next run stops there too, "
        "unless the rows change or you allow it. The reasons are below."
    )
    early = (
        f"Stopped early: {_join_names(stopped)}. The reasons are below; the next run continues from there."
    )
    happened = ((held, report.refusal_reasons), (guard, guarded), (early, stopped))
    return [sentence for sentence, names in happened if names]


def _join_names(names: Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    others_text = f" and {len(names) - _MAX_NAMED_LISTS} more" if len(names) > _MAX_NAMED_LISTS else ""
    return f"{', '.join(names[:_MAX_NAMED_LISTS])}{others_text}"


def _change_sentences(report: Report) -> list[str]:
    """Return sentences with the rows changed on all lists, those that needed none, and those not read."""
    applied, removed = report.sum_counts("applied"), report.sum_counts("removed")
    change_texts = [
        *([f"{format_count(applied, 'row was', 'rows were')} added or updated"] if applied else []),
        *([f"{format_count(removed, 'row was', 'rows were')} removed"] if removed else []),
    ]
    skipped = sum(summary.sum_counts("unchanged") for summary in report.lists if summary.skipped)
    unchanged = report.sum_counts("unchanged") - skipped
    return [
        *([f"{' and '.join(change_texts)}."] if change_texts else []),
        *([f"{format_count(unchanged, 'row was', 'rows were')} already up to date."] if unchanged else []),
        *([f"{format_count(skipped, 'row was', 'rows were')} {_NOT_READ}"] if skipped else []),
    ]


def _follow_up_sentences(report: Report) -> list[str]:
    """Return a sentence for each kind of row that was neither applied nor removed."""
    rejected = report.sum_counts(*REJECTED_COUNTS)
    follow_ups = [
        (rejected, _rejected_text(report, rejected)),
        (
            report.sum_counts(*HELD_COUNTS),
            f"held: {HELD_MEANING}.",
        ),
        (report.sum_counts("opted_out"), "not subscribed: these people opted out."),
        (report.sum_counts("pending"), "pending: taken by Klaviyo, which does not show it yet."),
        (report.sum_counts("accepted"), "accepted, but not finished when the run ended."),
        (report.sum_counts("unknown"), "unknown: their outcome was not known when the run ended."),
        (report.sum_counts("not_sent") - report.sum_counts("deferred"), "not sent."),
        (report.sum_counts("deferred"), "left for a later run by --limit."),
        (
            report.sum_counts("unmanaged"),
            "unmanaged and left on the list: added to the list by someone else.",
        ),
        (
            report.sum_counts("replaced"),
            "replaced: another row is the same person with a new e-mail, phone or id, so the person stays.",
        ),
        (report.sum_counts("not_found"), "not found on the list, so not removed."),
    ]
    return [f"{format_count(rows, 'row')} {text}" for rows, text in follow_ups if rows]


def _rejected_text(report: Report, rejected_rows: int) -> str:
    """Return how many rejected rows are new, and where the reasons are, if the state still has them."""
    if not report.rejections_match_run:
        return "rejected. Later runs have replaced the reasons."
    return f"rejected{_newly_rejected_suffix(report, rejected_rows)}. The reasons are below."


def _newly_rejected_suffix(report: Report, rejected_rows: int) -> str:
    """Return how many of the rejected rows are new."""
    new_rows = sum(
        rejection.rejected.new_rows
        for rejection in report.rejections
        if not rejection.rejected.reason.is_opt_out
    )
    if not new_rows:
        return ", none of them new"
    return f" ({'all' if new_rows >= rejected_rows else f'{new_rows:,}'} new)"


def describe_exit_code(run: RunRecord) -> str:
    """Return what a run's exit code means, or why the run has none."""
    if run.exit_code is None:
        return "none: the run was interrupted" if run.state == RunState.RECOVERED else "none yet"
    if run.state == RunState.REFUSED:
        if run.failed_before_sending:
            return f"{run.exit_code}: the run {run.describe_refusal()}"
        ending = _find_refusal(run)
        if ending is RunEnding.REFUSED:
            return f"{run.exit_code}: a guard stopped the run before it sent anything"
        return f"{run.exit_code}: {_REFUSALS[ending]}, so nothing was sent"
    return f"{run.exit_code}: {_EXIT_CODE_MEANINGS.get(run.exit_code, 'see the command line')}"


def find_run_ending(reported_run: ReportedRun) -> RunEnding:
    """Return how a run ended."""
    run = reported_run.run
    match run.state:
        case RunState.SUBMITTING:
            return RunEnding.SUBMITTING
        case RunState.UNSETTLED:
            return RunEnding.UNSETTLED
        case RunState.RECOVERED:
            return RunEnding.RECOVERED
        case RunState.REFUSED:
            return _find_refusal(run)
        case RunState.ENDED:
            return _find_ending_by_exit_code(reported_run)


def _find_ending_by_exit_code(reported_run: ReportedRun) -> RunEnding:
    exit_code = reported_run.run.exit_code or 0
    if exit_code == 0:
        all_rejected = any(summary.is_all_rejected for summary in reported_run.lists)
        return RunEnding.ALL_REJECTED if all_rejected else RunEnding.DONE
    if exit_code == EXIT_STOPPED and not any(summary.stop_cause for summary in reported_run.lists):
        return RunEnding.GATE_HELD
    endings = {1: RunEnding.NEEDS_ATTENTION, EXIT_STOPPED: RunEnding.GUARD_STOPPED}
    return endings.get(exit_code, RunEnding.FAILED)


def describe_run_ending(reported_run: ReportedRun) -> tuple[Severity, str]:
    """Return the status of a run in a word or two."""
    return _ENDINGS[find_run_ending(reported_run)]


def describe_list_state(report: Report, summary: ListSummary) -> tuple[Severity, str]:
    """Return the status of a list after the run in a word or two."""
    if summary.stop_cause:
        return Severity.ERROR, "stopped"
    if summary.sum_counts("accepted", "unknown"):
        return Severity.PENDING, "results pending"
    if summary.sum_counts(*HELD_COUNTS):
        return Severity.WARNING, "rows held"
    if summary.is_all_rejected:
        return Severity.WARNING, "all rows rejected"
    if _has_new_rejections(report, summary):
        return Severity.WARNING, "rows rejected"
    return Severity.OK, describe_change(summary)


def describe_change(summary: ListSummary) -> str:
    """Return in a word whether a list that did not stop changed."""
    if summary.skipped:
        return "skipped"
    changes = sum(summary.counts.get(name, 0) for name in ("adds", "updates", "removes", "left_in_place"))
    return "updated" if changes else "unchanged"


def _has_new_rejections(report: Report, summary: ListSummary) -> bool:
    """Return whether this run rejected rows of a list that earlier runs had not rejected.

    If the state no longer has that figure: whether the list has rejected rows and the run needed attention.
    """
    if not summary.sum_counts(*REJECTED_COUNTS) or not report.rejections_match_run:
        return bool(summary.sum_counts(*REJECTED_COUNTS) and report.run.exit_code)
    list_key = (summary.label.model, summary.label.list_id)
    return any(
        rejection.rejected.new_rows
        for rejection in report.rejections
        if (rejection.label.model, rejection.label.list_id) == list_key
        and not rejection.rejected.reason.is_opt_out
    )


def format_time(text: str) -> str:
    """Return a stored timestamp as people write it.

    >>> format_time("2026-11-02T19:22:06.984Z")
    '2 Nov 2026, 19:22:06 UTC'
    """
    timestamp = parse_timestamp(text)
    return f"{timestamp.day} {timestamp:%b %Y, %H:%M:%S} UTC"


def format_run_duration(run: RunRecord) -> str:
    """Return how long a run took from its first write to its end; '' if unknown.

    For a run that a later one completed, the state holds the time of completion, not of the run's own end.
    """
    has_times = run.state not in {RunState.RECOVERED, RunState.REFUSED} or run.failed_before_sending
    if run.ended_at is None or not has_times:
        return ""
    seconds = (parse_timestamp(run.ended_at) - parse_timestamp(run.started_at)).total_seconds()
    if seconds < 1:
        return "under a second"
    if seconds < _MINUTE:
        return format_count(round(seconds), "second")
    if seconds < _HOUR:
        return f"{seconds // _MINUTE:.0f} min {seconds % _MINUTE:.0f} s"
    return f"{seconds // _HOUR:.0f} h {seconds % _HOUR // _MINUTE:.0f} min"


def describe_operation(proof: ListProof) -> str:
    """Return what a kind of request was for."""
    if proof.op in {Op.ADD, Op.SUBSCRIBE}:
        return "adds and updates"
    return "rows that left the model: nothing is sent" if proof.forgets else "removals"


def describe_receipt_state(proof: ListProof, state: str) -> str:
    """Return the state of a receipt's rows in words; rows for which nothing is sent are left in place."""
    left_in_place = proof.forgets and proof.op == Op.REMOVE and state == ReceiptState.APPLIED
    return "left in place" if left_in_place else state.replace("_", " ")
