"""The answer of `history`, as a table and as JSON; docs/cli.md describes its keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from reverse_etl.domain.identifiers import mask_text
from reverse_etl.report.counts import HELD_COUNTS, REJECTED_COUNTS
from reverse_etl.report.document import list_document, run_document
from reverse_etl.report.wording import (
    describe_change,
    describe_run_ending,
    find_run_ending,
    format_run_duration,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.report.facts import ListSummary, ReportedRun
    from reverse_etl.state import RunRecord

_FIGURES: Final = {
    "applied": ("applied", "unverified"),
    "removed": ("removed",),
    "rejected": REJECTED_COUNTS,
    "held": HELD_COUNTS,
    "not sent": ("not_sent", "accepted", "unknown"),
}


@dataclass(frozen=True)
class Table:
    """A table of the terminal: its headings and rows; the first `text_columns` columns are not numbers."""

    headings: Sequence[str]
    rows: Sequence[Sequence[Any]]
    text_columns: int


def run_rows(runs: Sequence[ReportedRun]) -> Table:
    """Return a table with a row for each run."""
    headings = ("run", "started (UTC)", "took", "result", "lists", *_FIGURES)
    rows = [
        (
            run.run.run_id,
            _short_time(run.run.started_at),
            format_run_duration(run.run),
            describe_run_ending(run)[1],
            len(run.lists),
            *(_sum(run, names) for names in _FIGURES.values()),
        )
        for run in runs
    ]
    return Table(headings, rows, text_columns=4)


def list_rows(runs: Sequence[ReportedRun]) -> Table:
    """Return a table with a row for each list of each run."""
    headings = ("run", "started (UTC)", "model", "list", "result", "rows", *_FIGURES)
    rows = [
        (
            run.run.run_id,
            _short_time(run.run.started_at),
            summary.label.model,
            summary.label.text,
            _describe_list(summary),
            summary.counts.get("rows", 0),
            *(_sum(summary, names) for names in _FIGURES.values()),
        )
        for run in runs
        for summary in run.lists
    ]
    return Table(headings, rows, text_columns=5)


def describe_failures(runs: Sequence[ReportedRun]) -> list[str]:
    """Return a line for each run that failed before it sent a row, with its first reason."""
    return [_describe_failure(run.run) for run in runs if run.run.failed_before_sending]


def _describe_failure(run: RunRecord) -> str:
    more = f" … and {len(run.reasons) - 1} more: reverse-etl report {run.run_id}"
    reasons = f"{mask_text(run.reasons[0])}{more if len(run.reasons) > 1 else ''}" if run.reasons else ""
    return f"Run {run.run_id} {run.describe_refusal()}: {reasons}"


def _describe_list(summary: ListSummary) -> str:
    return "stopped" if summary.stop_cause else describe_change(summary)


def _sum(summary: ReportedRun | ListSummary, names: Sequence[str]) -> int:
    """Return the sum of the counts that are stored: an earlier version stored fewer."""
    lists = summary.lists if hasattr(summary, "lists") else (summary,)
    return sum(summary.counts.get(name, 0) for summary in lists for name in names)


def _short_time(time: str) -> str:
    return time[:16].replace("T", " ")


def history_document(runs: Sequence[ReportedRun], *, run_count: int) -> dict[str, Any]:
    """Return runs as plain values; `run_count` counts also those that are not shown."""
    return {
        "run_count": run_count,
        "runs": [
            {
                **run_document(run.run),
                "result": find_run_ending(run),
                "reasons": [mask_text(reason) for reason in run.run.reasons],
                "lists": [list_document(summary) for summary in run.lists],
            }
            for run in runs
        ],
    }
