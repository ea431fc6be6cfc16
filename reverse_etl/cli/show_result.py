"""What a run did, on stdout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.cli import show
from reverse_etl.phrases import counted
from reverse_etl.run import counts

if TYPE_CHECKING:
    from reverse_etl.run import ListResult, RunResult

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


def why(result: RunResult) -> str:
    """Return why a run that finished wants a look, '' where it does not."""
    new = sum(rejected.new for one in result.lists for rejected in one.plan.rejected)
    ends = [counts(one) for one in result.lists]
    parts = [
        (new + sum(row["rejected"] for row in ends), "newly rejected"),
        (sum(row["held"] + row["held_back"] for row in ends), "held"),
        (sum(row["accepted"] for row in ends), "accepted and not yet applied"),
        (sum(row["unknown"] for row in ends), "unknown"),
        (sum(row["not_sent"] - row["deferred"] for row in ends), "left unsent"),
    ]
    said = ", ".join(f"{counted(rows, 'row')} {what}" for rows, what in parts if rows)
    return f"{said}. For reasons: reverse-etl status" if said else ""


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
