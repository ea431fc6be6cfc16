"""Computes the coordinates of a report's charts: a bar and a trend line per list, and a bar per run."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reverse_etl.report.counts import HELD_COUNTS, REJECTED_COUNTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.report.facts import ListSummary, ReportedRun

RUN_WIDTH, HALF_HEIGHT, BAR_GAP = (
    22.0,
    46.0,
    6.0,
)  # of the chart of runs: a run's width, a side's height, between bars
_MIN_SIZE: Final = 2.0  # per cent of a list's bar, or units of height: keeps small values visible
LINE_WIDTH, LINE_HEIGHT = 72.0, 20.0
_LINE_MARGIN: Final = 2.0
_LEAST_SPAN: Final = 0.1  # of the line's maximum


@dataclass(frozen=True)
class BarSegment:
    """A segment of a list's bar: its kind, its number of rows, and its width in per cent of the bar."""

    kind: str
    rows: int
    width: float


@dataclass(frozen=True)
class RunBar:
    """A run in the chart: its position, and the heights of its applied and removed rows."""

    x: float
    applied_height: float
    removed_height: float
    run: ReportedRun


def split_list_bar(summary: ListSummary) -> tuple[BarSegment, ...]:
    """Return the segments of a list's bar: rows up to date, applied, held or pending, and rejected.

    Those that a stopped list keeps back have a segment of their own.

    Every segment with rows has at least a visible width. The widths add up to 100, or there are no segments.
    """
    kept_back = ("not_sent", *HELD_COUNTS)
    rows_by_kind = {
        "right": summary.sum_counts("unchanged"),
        "sent": summary.sum_counts("applied"),
        "wait": summary.sum_counts("accepted", "unknown", *(() if summary.stop_cause else kept_back)),
        "halt": summary.sum_counts(*kept_back) if summary.stop_cause else 0,
        "stop": summary.sum_counts(*REJECTED_COUNTS),
    }
    rows = sum(rows_by_kind.values())
    widths = {kind: max(100 * count / rows, _MIN_SIZE) for kind, count in rows_by_kind.items() if count}
    total_width = sum(widths.values())
    return tuple(
        BarSegment(kind, rows_by_kind[kind], round(100 * width / total_width, 2))
        for kind, width in widths.items()
    )


def build_run_bars(runs: Sequence[ReportedRun]) -> tuple[RunBar, ...]:
    """Return the bars of runs, in their order; empty if no run applied or removed a row.

    Heights are proportional to square roots, so that a quiet day is visible beside a first load.
    """
    applied_roots = [math.sqrt(run.sum_counts("applied")) for run in runs]
    removed_roots = [math.sqrt(run.sum_counts("removed")) for run in runs]
    largest = max([*applied_roots, *removed_roots])
    if not largest:
        return ()
    return tuple(
        RunBar(
            round(RUN_WIDTH * nth, 1), _scale_height(applied / largest), _scale_height(removed / largest), run
        )
        for nth, (run, applied, removed) in enumerate(zip(runs, applied_roots, removed_roots, strict=True))
    )


def compute_line_points(values: Sequence[int]) -> str:
    """Return the points of a line through the values; '' for fewer than two values.

    The line's height spans at least a tenth of the maximum, so that a small loss does not look like a large
    one.
    """
    if len(values) < 2:  # noqa: PLR2004 - no line
        return ""
    span = max(max(values) - min(values), max(values) * _LEAST_SPAN)
    middle = (max(values) + min(values)) / 2
    step = (LINE_WIDTH - 2 * _LINE_MARGIN) / (len(values) - 1)
    height = LINE_HEIGHT - 2 * _LINE_MARGIN
    shares = [0.5 + (value - middle) / span if span else 0.5 for value in values]
    return " ".join(
        f"{_LINE_MARGIN + step * nth:.1f},{LINE_HEIGHT - _LINE_MARGIN - height * share:.1f}"
        for nth, share in enumerate(shares)
    )


def collect_row_history(summary: ListSummary, runs: Sequence[ReportedRun]) -> tuple[int, ...]:
    """Return the number of valid rows of a list in each of these runs that has the list."""
    list_key = (summary.label.model, summary.label.list_id)
    return tuple(
        other_summary.sum_counts("rows")
        for run in runs
        for other_summary in run.lists
        if (other_summary.label.model, other_summary.label.list_id) == list_key
    )


def _scale_height(share: float) -> float:
    return round(max(share * HALF_HEIGHT, _MIN_SIZE), 1) if share else 0.0
