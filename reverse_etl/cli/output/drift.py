"""How lists differ from what was applied to them: as lines for people, as a document for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from reverse_etl.cli.output import tables as show
from reverse_etl.domain.identifiers import mask, split_identity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reverse_etl.reconcile.drift import Drift

_HEADINGS: Final = {
    "applied": "applied",
    "unsettled": "unsettled",
    "members": "members",
    "missing": "missing",
    "others": "others",
    "there_before": "there before",
    "given_up": "given up",
}
_ALWAYS: Final = {"applied", "members", "missing", "others"}  # the rest is shown where there is any


def _figures(one: Drift) -> dict[str, int]:
    return {
        "applied": one.applied,
        "unsettled": one.unsettled,
        "members": one.members,
        "missing": one.missing,
        "others": one.others,
        "there_before": one.there_before,
        "given_up": one.given_up,
    }


def drift_document(found: Sequence[Drift], *, show_values: bool) -> dict[str, Any]:
    """Return what was found as plain values; identities are masked unless they may be shown."""

    def named(sample: Sequence[str]) -> list[str]:
        return [each if show_values else mask(each) for each in sample]

    return {
        "lists": [
            {
                "model": one.model,
                "list": one.list_name,
                "list_id": one.list_id,
                "deleted": one.deleted,
                **(dict.fromkeys(_HEADINGS) if one.deleted else _figures(one)),
                "missing_sample": named(one.missing_sample),
                "others_sample": named(one.others_sample),
                "given_up_sample": named(one.given_up_sample),
            }
            for one in found
        ]
    }


def show_drift(found: Sequence[Drift], *, show_values: bool) -> None:
    """Print a line per list, and then who is behind the figures."""
    there = [one for one in found if not one.deleted]
    figures = [_figures(one) for one in there]
    shown = [name for name in _HEADINGS if name in _ALWAYS or any(each[name] for each in figures)]
    rows = [
        (one.list_name, one.model, *(each[name] for name in shown))
        for one, each in zip(there, figures, strict=True)
    ]
    if there:
        show.table(("list", "model", *(_HEADINGS[name] for name in shown)), rows, words=2)
    for one in found:
        for line in _details(one, show_values=show_values):
            show.line(f"{one.list_name}: {line}")


def _details(one: Drift, *, show_values: bool) -> Iterator[str]:
    def who(rows: int, sample: Sequence[str]) -> str:
        shown = ", ".join(split_identity(each)[1] if show_values else mask(each) for each in sample)
        return f"such as {shown}" if rows > len(sample) else shown

    if one.deleted:
        yield f"{one.list_id} is no longer in Klaviyo. See what a run would do: reverse-etl plan"
    if one.missing:
        yield f"{one.missing:,} applied and not on the list now: {who(one.missing, one.missing_sample)}"
    if one.others:
        yield f"{one.others:,} on the list for no row of {one.model}: {who(one.others, one.others_sample)}"
    if one.given_up:
        yield (
            f"{one.given_up:,} on the list though a removal found nobody: "
            f"{who(one.given_up, one.given_up_sample)}"
        )
