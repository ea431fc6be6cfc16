"""The figures of a list, by the names and in the order in which a report shows them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reverse_etl.report.counts import HELD, REJECTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.report.facts import Former, Listed, Report


@dataclass(frozen=True)
class Figure:
    """One figure: its heading, what it means, and the counts that it adds up.

    A `rare` one is shown where there are any; `tone` says that there had better be none.
    """

    heading: str
    meaning: str
    counts: tuple[str, ...]
    rare: bool = False
    tone: str = ""

    def of(self, one: Listed | Former | Report) -> int:
        """Return the figure of a list, or of all lists of a run together."""
        return one.sum(*self.counts)


PLAN: Final = (
    Figure("rows", "wanted on the list, and fit to be sent", ("desired",)),
    Figure("before", "sent by earlier runs", ("known",)),
    Figure("adds", "new, to be put on the list", ("adds",)),
    Figure("updates", "already there, with a value that changed", ("updates",)),
    Figure("removes", "no longer wanted, to be taken off", ("removes",)),
    Figure("deferred", "left for another run by --limit", ("deferred",), rare=True),
    Figure("unchanged", "already right: nothing to send", ("unchanged",)),
)
ENDS: Final = (
    Figure("applied", "added or updated, and proved to be so", ("applied",)),
    Figure("removed", "taken off the list; their consent stays as it is", ("removed",)),
    Figure(
        "superseded", "an old row whose person is another wanted row now: stays", ("superseded",), rare=True
    ),
    Figure("kept", "on the list before this job sent them, so they are left there", ("kept",), rare=True),
    Figure("gone", "to be taken off, but nobody was found", ("gone",), rare=True),
    Figure("forgotten", "left the model; profiles are never deleted", ("forgotten",), rare=True),
    Figure("rejected", "not sent as they are, or refused: see the reasons below", REJECTED, tone="look"),
    Figure("held", "not taken off: a rejected row may be the same person", HELD, tone="look"),
    Figure(
        "accepted",
        "taken by Klaviyo, and not finished when the run ended",
        ("accepted",),
        rare=True,
        tone="look",
    ),
    Figure(
        "unknown",
        "nobody could say when the run ended: the next run finds out",
        ("unknown",),
        rare=True,
        tone="look",
    ),
    Figure("not sent", "left for the next run", ("not_sent",), rare=True, tone="look"),
)


def shown(figures: Sequence[Figure], lists: Sequence[Listed]) -> tuple[Figure, ...]:
    """Return the figures to show of these lists: the rare ones only where there are any."""
    return tuple(figure for figure in figures if not figure.rare or any(map(figure.of, lists)))
