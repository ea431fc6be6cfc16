"""The figures of a list, with their headings and meanings, in the order of the report's columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reverse_etl.report.counts import HELD_COUNTS, REJECTED_COUNTS, sum_counts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.report.facts import ListSummary, Report, ReportedRun


HELD_MEANING: Final = "somebody else may be concerned, such as a rejected row of the same person"


@dataclass(frozen=True)
class Figure:
    """One figure: its heading, its meaning, and the counts it is the sum of.

    A `hidden_if_zero` figure is shown only if it is not 0 for some list; `severity` marks values other than
    0.
    """

    heading: str
    meaning: str
    counts: tuple[str, ...]
    hidden_if_zero: bool = False
    severity: str = ""

    def sum_for(self, summary: ListSummary | ReportedRun | Report) -> int:
        """Return the figure for a list, or for all lists of a run."""
        return summary.sum_counts(*self.counts)


_WITHOUT_PROFILE: Final = Figure(
    "without profile", "people that Klaviyo did not know lately", ("without_profile",), hidden_if_zero=True
)
_PLANNED_CHANGES: Final = (
    Figure("snapshot rows", "rows applied by earlier runs", ("snapshot_rows",)),
    Figure("adds", "new rows, to add", ("adds",)),
    Figure("updates", "rows with a changed value, to update", ("updates",)),
    Figure("clears", "of these, rows with values to clear", ("clears",), hidden_if_zero=True),
    Figure("removes", "rows that left the model, to remove", ("removes",)),
    _WITHOUT_PROFILE,
    Figure("deferred", "left for a later run by --limit", ("deferred",), hidden_if_zero=True),
)
_WITHHELD: Final = Figure(
    "withheld", "the person's deletion was asked for", ("withheld",), hidden_if_zero=True
)
_LEFT_IN_PLACE: Final = Figure(
    "left in place",
    "left the model; nothing is sent, and Klaviyo keeps what it has",
    ("left_in_place",),
    hidden_if_zero=True,
)
_UNCHANGED: Final = Figure("unchanged", "already up to date, nothing to send", ("unchanged",))
PLAN_FIGURES: Final = (
    Figure("rows", "rows of the model that passed all checks", ("rows",)),
    *_PLANNED_CHANGES,
    _WITHHELD,
    _UNCHANGED,
)
OUTCOME_FIGURES: Final = (
    Figure("applied", "added or updated, with proof", ("applied",)),
    Figure(
        "unverified",
        "taken by Klaviyo, whose reply does not show the effect",
        ("unverified",),
        hidden_if_zero=True,
    ),
    Figure(
        "no profile",
        "nobody in Klaviyo has this identifier; the next run looks again",
        ("no_profile",),
        hidden_if_zero=True,
    ),
    Figure(
        "pending",
        "taken by Klaviyo, but not shown yet: people may have to confirm it",
        ("pending",),
        hidden_if_zero=True,
    ),
    Figure(
        "opted out",
        "not subscribed: the person opted out, complained or was suppressed",
        ("opted_out",),
        hidden_if_zero=True,
        severity="warning",
    ),
    Figure("removed", "removed from the list, or unsubscribed by a model of consent", ("removed",)),
    Figure(
        "replaced",
        "not removed: another row is the same person, such as one with a new e-mail",
        ("replaced",),
        hidden_if_zero=True,
    ),
    Figure("unmanaged", "left as they are: added by someone else", ("unmanaged",), hidden_if_zero=True),
    Figure("not found", "to remove, but not found on the list", ("not_found",), hidden_if_zero=True),
    _LEFT_IN_PLACE,
    Figure(
        "readmitted", "left a model of deletions; others may send them", ("readmitted",), hidden_if_zero=True
    ),
    Figure(
        "rejected",
        "failed a check or refused by Klaviyo",
        REJECTED_COUNTS,
        severity="warning",
    ),
    Figure(
        "held",
        f"kept back: {HELD_MEANING}",
        HELD_COUNTS,
        severity="warning",
    ),
    Figure(
        "accepted",
        "accepted by Klaviyo, but not finished when the run ended",
        ("accepted",),
        hidden_if_zero=True,
        severity="warning",
    ),
    Figure(
        "unknown",
        "outcome not known when the run ended; the next run checks",
        ("unknown",),
        hidden_if_zero=True,
        severity="warning",
    ),
    Figure(
        "not sent",
        "not sent; the next run sends them",
        ("not_sent",),
        hidden_if_zero=True,
        severity="warning",
    ),
)
# The columns of the tables of `plan` and of `run`. A plan has what is held and rejected before it is sent.
PLAN_COLUMNS: Final = (
    Figure(
        "staged",
        "rows that the model returned; equal rows count once",
        ("rows", "withheld", "rejected_by_check", "opted_out"),
    ),
    Figure("valid", "of these, rows that passed all checks", ("rows",)),
    *_PLANNED_CHANGES,
    _LEFT_IN_PLACE,
    Figure("held", f"kept back: {HELD_MEANING}", ("held_at_plan",)),
    Figure("rejected", "failed a check", ("rejected_by_check",)),
    Figure("opted out", "not subscribed: the person opted out earlier", ("opted_out",), hidden_if_zero=True),
    _WITHHELD,
    _UNCHANGED,
)
RESULT_COLUMNS: Final = (_UNCHANGED, _WITHOUT_PROFILE, *OUTCOME_FIGURES, _WITHHELD)


def figure_table(
    figures: Sequence[Figure], lists: Sequence[Mapping[str, int]]
) -> tuple[tuple[str, ...], tuple[tuple[int, ...], ...]]:
    """Return the headings, and the figures of lists by their counts; rare ones only if some list has any."""
    shown = [
        figure
        for figure in figures
        if not figure.hidden_if_zero or any(sum_counts(counts, figure.counts) for counts in lists)
    ]
    headings = tuple(figure.heading for figure in shown)
    return headings, tuple(tuple(sum_counts(counts, figure.counts) for figure in shown) for counts in lists)


def select_figures(figures: Sequence[Figure], summaries: Sequence[ListSummary]) -> tuple[Figure, ...]:
    """Return the figures to show for these lists; rare ones only if some list has any."""
    return tuple(
        figure for figure in figures if not figure.hidden_if_zero or any(map(figure.sum_for, summaries))
    )
