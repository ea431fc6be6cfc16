"""The small pictures of a report, as coordinates: a list's bar and line, the bars of the runs. Pure."""

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
_MIN_SIZE: Final = 2.0  # per cent of a bar, or units of a side: what is there can be seen
LINE_WIDTH, LINE_HEIGHT = 72.0, 20.0
_LINE_MARGIN: Final = 2.0
_LEAST_SPAN: Final = 0.1  # of a line's greatest value


@dataclass(frozen=True)
class BarSegment:
    """A part of a list's bar: what it counts, how many rows, and its width in per cent of the bar."""

    kind: str
    rows: int
    width: float


@dataclass(frozen=True)
class RunBar:
    """A run in the chart: from where it stands, how high its rows applied rise, and those removed hang."""

    x: float
    applied_height: float
    removed_height: float
    run: ReportedRun


def split_list_bar(summary: ListSummary) -> tuple[BarSegment, ...]:
    """Return a list's bar: rows that were right already, were applied, wait, and are rejected.

    What is there is seen, however little it is; the widths are 100 together, but for a list of no rows.
    """
    rows_by_kind = {
        "right": summary.sum_counts("unchanged"),
        "sent": summary.sum_counts("applied"),
        "wait": summary.sum_counts("accepted", "unknown", "not_sent", *HELD_COUNTS),
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
    """Return the chart of some runs, in their order; nothing where none applied or removed a row.

    Heights go by square roots, so that a quiet day is seen beside a first load.
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
    """Return the points of a line through these values; '' for fewer than two.

    The height of the line stands for at least a tenth of the greatest value: a list that lost a few rows must
    not look as if it had lost most of them.
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
    """Return how many rows a list was to have in each of these runs that drove it."""
    list_key = (summary.label.model, summary.label.list_id)
    return tuple(
        other_summary.sum_counts("desired")
        for run in runs
        for other_summary in run.lists
        if (other_summary.label.model, other_summary.label.list_id) == list_key
    )


def _scale_height(share: float) -> float:
    return round(max(share * HALF_HEIGHT, _MIN_SIZE), 1) if share else 0.0
