"""Facts as they may be shown: e-mails and phones masked in every text that somebody else wrote. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reverse_etl.domain.identifiers import mask, masked

if TYPE_CHECKING:
    from reverse_etl.report.facts import Former, Gone, Listed, Place, Proof, Rejected, Report


def hide(report: Report) -> Report:
    """Return the same report without an e-mail or a phone in it."""
    return replace(
        report,
        lists=tuple(map(_listed, report.lists)),
        refused=tuple(map(masked, report.refused)),
        proofs=tuple(map(_proof, report.proofs)),
        rejections=tuple(map(_rejected, report.rejections)),
        gone=tuple(map(_gone, report.gone)),
        before=tuple(map(_former, report.before)),
        notes=tuple(map(masked, report.notes)),
    )


def _place(place: Place) -> Place:
    return replace(place, name=masked(place.name))


def _listed(one: Listed) -> Listed:
    return replace(one, place=_place(one.place), reason=masked(one.reason))


def _proof(proof: Proof) -> Proof:
    shown = tuple(replace(one, detail=masked(one.detail)) for one in proof.shown)
    return replace(proof, place=_place(proof.place), shown=shown)


def _rejected(one: Rejected) -> Rejected:
    return replace(
        one,
        place=_place(one.place),
        code=masked(one.code),
        field=masked(one.field),
        detail=masked(one.detail),
        example=one.example and mask(one.example),
    )


def _gone(one: Gone) -> Gone:
    return replace(one, place=_place(one.place), identity=mask(one.identity))


def _former(one: Former) -> Former:
    return replace(one, lists=tuple(map(_listed, one.lists)))
