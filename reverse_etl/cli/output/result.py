"""What a run did, on stdout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.cli.output import tables as show
from reverse_etl.delivery.results import counts
from reverse_etl.formatting import counted

if TYPE_CHECKING:
    from reverse_etl.delivery.results import ListResult, RunResult

_HEADINGS = (
    "unchanged",
    "applied",
    "removed",
    "superseded",
    "forgotten",
    "kept",
    "gone",
    "rejected",
    "held",
    "accepted",
    "unknown",
    "not sent",
)
_ALWAYS = {"unchanged", "applied", "removed", "rejected", "held"}  # the others are shown where there are any


def show_result(result: RunResult) -> None:
    """Print what a run did: a line per list."""
    ends = [_ends(one) for one in result.lists]
    shown = [name for name in _HEADINGS if name in _ALWAYS or any(row[name] for row in ends)]
    rows = [
        (one.plan.list.name or "(profiles)", one.model, *(row[name] for name in shown))
        for one, row in zip(result.lists, ends, strict=True)
    ]
    show.table(("list", "model", *shown), rows, words=2)


def to_look_at(result: RunResult) -> list[str]:
    """Return what there is to know of rows neither applied nor removed: a line for each sort of them."""
    new = sum(rejected.new for one in result.lists for rejected in one.plan.rejected)
    if not result.lists:
        return []
    of_lists = [counts(one) for one in result.lists]
    sums = {name: sum(each[name] for each in of_lists) for name in of_lists[0]}
    told = [
        (new + sums["rejected"], "newly rejected. For reasons: reverse-etl status"),
        (sums["rejected_by_checks"] - new, "rejected, as before. For reasons: reverse-etl status"),
        (
            sums["held"] + sums["held_back"],
            "held: a rejected row may be the same person. Mend that row, or take it out of the model.",
        ),
        (sums["accepted"], "accepted and not yet applied: the next run settles that."),
        (sums["unknown"], "unknown: the next run settles that."),
        (sums["not_sent"] - sums["deferred"], "left unsent: the next run goes on."),
        (sums["kept"], "kept: members before this job sent them. To let models decide: reverse-etl adopt"),
        (sums["gone"], "gone: nobody was found, so nobody was removed."),
    ]
    return [f"{counted(rows, 'row')} {what}" for rows, what in told if rows]


def _ends(one: ListResult) -> dict[str, int]:
    ends = counts(one)
    return {
        "unchanged": one.plan.unchanged,
        "applied": ends["applied"],
        "removed": ends["removed"],
        "superseded": ends["superseded"],
        "forgotten": ends["forgotten"],
        "kept": ends["kept"],
        "gone": ends["gone"],
        "rejected": ends["rejected"] + ends["rejected_by_checks"],
        "held": ends["held"] + ends["held_back"],
        "accepted": ends["accepted"],
        "unknown": ends["unknown"],
        "not sent": ends["not_sent"],
    }
