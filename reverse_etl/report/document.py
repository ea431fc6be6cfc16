"""A report as plain values: what `report --json` prints, and docs/cli.md explains. Pure."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from reverse_etl.report.figures import REJECTED
from reverse_etl.report.wording import verdict

if TYPE_CHECKING:
    from reverse_etl.report.facts import Former, Listed, Place, Proof, Report


def document(report: Report) -> dict[str, Any]:
    """Return a report as plain values. Masks nothing: see `hide`."""
    return {
        "made": report.made,
        "project": report.project,
        "target": report.target,
        "account": report.account,
        "sandbox": report.sandbox,
        **asdict(report.run),
        "verdict": asdict(verdict(report)),
        "later_runs": report.later,
        "lists": [_listed(one) for one in report.lists],
        "refused": list(report.refused),
        "proofs": [_proof(one) for one in report.proofs],
        "rejections": [_at(one) for one in report.rejections],
        "own_rejections": report.own_rejections,
        "gone": [_at(one) for one in report.gone],
        "gone_rows": report.gone_rows,
        "runs_before": [_former(one) for one in report.before],
        "earlier_runs": report.earlier,
        "notes": list(report.notes),
    }


def _place(place: Place) -> dict[str, str]:
    return {"model": place.model, "list": place.name, "list_id": place.list_id}


def _at(one: Any) -> dict[str, Any]:
    """Return a fact of a list, with the list in the place of its `place`."""
    return _place(one.place) | {name: value for name, value in asdict(one).items() if name != "place"}


def _listed(one: Listed) -> dict[str, Any]:
    return {**_place(one.place), **one.counts, "stopped": one.reason}


def _proof(proof: Proof) -> dict[str, Any]:
    names = ("job", "rows", "state", "at", "detail")
    return {
        **_place(proof.place),
        "op": proof.op,
        "receipts": proof.receipts,
        "rows_by_state": dict(proof.rows),
        "shown": [{name: getattr(one, name) for name in names} for one in proof.shown],
        "left_out": proof.left_out,
    }


def _former(one: Former) -> dict[str, Any]:
    sums = {"applied": one.sum("applied"), "removed": one.sum("removed"), "rejected": one.sum(*REJECTED)}
    return {**asdict(one.run), "list_count": len(one.lists), **sums}
