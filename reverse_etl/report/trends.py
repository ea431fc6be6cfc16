"""The rows of each list over the runs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reverse_etl.report import chart

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.report.facts import ListSummary, ReportedRun


@dataclass(frozen=True)
class ListTrend:
    """A list as its newest run left it, that run, and the line of its rows over all runs, oldest first."""

    newest: ListSummary
    run: ReportedRun
    points: str


@dataclass(frozen=True)
class ListHistory:
    """A list over the runs that included it, newest first, each with this list alone."""

    trend: ListTrend
    runs: tuple[ReportedRun, ...]

    @property
    def rows(self) -> tuple[int, ...]:
        """Return the valid rows of each run, oldest first."""
        return tuple(run.lists[0].sum_counts("rows") for run in reversed(self.runs))


def collect_list_histories(runs: Sequence[ReportedRun]) -> tuple[ListHistory, ...]:
    """Return the history of each list, by name; `runs` are newest first."""
    return tuple(
        ListHistory(
            trend,
            tuple(
                replace(run, lists=(summary,))
                for run in runs
                for summary in run.lists
                if summary.label.key == trend.newest.label.key
            ),
        )
        for trend in collect_trends(runs)
    )


def collect_trends(runs: Sequence[ReportedRun]) -> tuple[ListTrend, ...]:
    """Return each list with its newest run, by name; `runs` are newest first."""
    newest: dict[tuple[str, str], tuple[ListSummary, ReportedRun]] = {}
    for run in runs:
        for summary in run.lists:
            newest.setdefault(summary.label.key, (summary, run))
    oldest_first = [*reversed(runs)]
    trends = [
        ListTrend(summary, run, chart.compute_line_points(chart.collect_row_history(summary, oldest_first)))
        for summary, run in newest.values()
    ]
    return tuple(sorted(trends, key=lambda trend: (trend.newest.label.text, trend.newest.label.model)))
