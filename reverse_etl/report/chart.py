"""The small pictures of a report, as coordinates: a list's bar and line, the bars of the runs. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reverse_etl.report.counts import HELD, REJECTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.report.facts import Former, Listed

STEP, HALF, GAP = 22.0, 46.0, 6.0  # of the chart of runs: a run's width, a side's height, between bars
_LEAST: Final = 2.0  # per cent of a bar, or units of a side: what is there can be seen
LINE_WIDTH, LINE_HEIGHT = 72.0, 20.0
_EDGE: Final = 2.0
_LEAST_SPAN: Final = 0.1  # of a line's greatest value


@dataclass(frozen=True)
class Part:
    """A part of a list's bar: what it counts, how many rows, and its width in per cent of the bar."""

    kind: str
    rows: int
    width: float


@dataclass(frozen=True)
class Bar:
    """A run in the chart: from where it stands, how high its rows applied rise, and those removed hang."""

    left: float
    up: float
    down: float
    run: Former


def parts(one: Listed) -> tuple[Part, ...]:
    """Return a list's bar: rows that were right already, were applied, wait, and are rejected.

    What is there is seen, however little it is; the widths are 100 together, but for a list of no rows.
    """
    counted = {
        "right": one.sum("unchanged"),
        "sent": one.sum("applied"),
        "wait": one.sum("accepted", "unknown", "not_sent", *HELD),
        "stop": one.sum(*REJECTED),
    }
    rows = sum(counted.values())
    wide = {kind: max(100 * some / rows, _LEAST) for kind, some in counted.items() if some}
    whole = sum(wide.values())
    return tuple(Part(kind, counted[kind], round(100 * width / whole, 2)) for kind, width in wide.items())


def bars(runs: Sequence[Former]) -> tuple[Bar, ...]:
    """Return the chart of some runs, in their order; nothing where none applied or removed a row.

    Heights go by square roots, so that a quiet day is seen beside a first load.
    """
    ups = [math.sqrt(run.sum("applied")) for run in runs]
    downs = [math.sqrt(run.sum("removed")) for run in runs]
    most = max([*ups, *downs])
    if not most:
        return ()
    return tuple(
        Bar(round(STEP * nth, 1), _height(up / most), _height(down / most), run)
        for nth, (run, up, down) in enumerate(zip(runs, ups, downs, strict=True))
    )


def line(values: Sequence[int]) -> str:
    """Return the points of a line through these values; '' for fewer than two.

    The height of the line stands for at least a tenth of the greatest value: a list that lost a few rows must
    not look as if it had lost most of them.
    """
    if len(values) < 2:  # noqa: PLR2004 - no line
        return ""
    span = max(max(values) - min(values), max(values) * _LEAST_SPAN)
    middle = (max(values) + min(values)) / 2
    step = (LINE_WIDTH - 2 * _EDGE) / (len(values) - 1)
    rise = LINE_HEIGHT - 2 * _EDGE
    shares = [0.5 + (value - middle) / span if span else 0.5 for value in values]
    return " ".join(
        f"{_EDGE + step * nth:.1f},{LINE_HEIGHT - _EDGE - rise * share:.1f}"
        for nth, share in enumerate(shares)
    )


def rows_of(one: Listed, runs: Sequence[Former]) -> tuple[int, ...]:
    """Return how many rows a list was to have in each of these runs that drove it."""
    at = (one.place.model, one.place.list_id)
    return tuple(
        each.sum("desired")
        for run in runs
        for each in run.lists
        if (each.place.model, each.place.list_id) == at
    )


def _height(share: float) -> float:
    return round(max(share * HALF, _LEAST), 1) if share else 0.0
