"""What a run did, on stdout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reverse_etl.cli import show
from reverse_etl.run import counts

if TYPE_CHECKING:
    from reverse_etl.run import RunResult


def show_result(result: RunResult) -> None:
    """Print what a run did: a line per list."""
    headings = (
        "list",
        "model",
        "applied",
        "removed",
        "superseded",
        "gone",
        "rejected",
        "held",
        "accepted",
        "unknown",
        "not sent",
    )
    rows = []
    for one in result.lists:
        ends = counts(one)
        rows.append(
            (
                one.plan.list.name or "(profiles)",
                one.model,
                ends["applied"],
                ends["removed"],
                ends["superseded"],
                ends["gone"],
                ends["rejected"] + ends["rejected_by_checks"],
                ends["held"] + ends["held_back"],
                ends["accepted"],
                ends["unknown"],
                ends["not_sent"],
            )
        )
    show.table(headings, rows, words=2)
    for one in result.lists:
        if one.reason:
            show.line(f"{one.plan.list.name or one.model} stopped: {one.reason}")


def result_json(result: RunResult) -> dict[str, Any]:
    """Return what a run did as plain values."""
    return {
        "run_id": result.run_id,
        "exit_code": result.exit_code,
        "lists": [
            {
                "model": one.model,
                "list": one.plan.list.name,
                "list_id": one.plan.list.id,
                **counts(one),
                "stopped": one.reason,
            }
            for one in result.lists
        ],
    }
