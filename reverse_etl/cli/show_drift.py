"""How lists differ from what was applied to them, on stdout."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from reverse_etl.cli import show
from reverse_etl.identifiers import mask, split_identity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reverse_etl.reconcile.drift import Drift

_HEADINGS = {
    "rows": "applied",
    "unsettled": "unsettled",
    "members": "members",
    "missing": "missing",
    "others": "others",
    "before": "there before",
    "found": "given up",
}
_ALWAYS = {"rows", "members", "missing", "others"}  # the rest is shown where there is any


def drift_document(found: Sequence[Drift], *, show_values: bool) -> list[dict[str, Any]]:
    """Return what was found as plain values; identities are masked unless they may be shown."""
    return [asdict(one if show_values else _masked(one)) for one in found]


def show_drift(found: Sequence[Drift], *, show_values: bool) -> None:
    """Print a line per list, and then who is behind the figures."""
    there = [one for one in found if not one.deleted]
    names = [name for name in _HEADINGS if name in _ALWAYS or any(getattr(one, name) for one in there)]
    rows = [(one.list_name, one.model, *(getattr(one, name) for name in names)) for one in there]
    if there:
        show.table(("list", "model", *(_HEADINGS[name] for name in names)), rows, words=2)
    for one in found:
        for line in _details(one, show_values=show_values):
            show.line(f"{one.list_name}: {line}")


def _details(one: Drift, *, show_values: bool) -> Iterator[str]:
    def such(rows: int, sample: Sequence[str]) -> str:
        who = ", ".join(split_identity(each)[1] if show_values else mask(each) for each in sample)
        return f"{'such as ' if rows > len(sample) else ''}{who}"

    if one.deleted:
        yield f"{one.list_id} is no longer in Klaviyo. See what a run would do: reverse-etl plan"
    for rows, sample, what in (
        (one.missing, one.missing_sample, "missing: applied, and not on the list now"),
        (one.others, one.others_sample, "others: on the list, and of no row of the model"),
        (one.found, one.found_sample, "given up: a removal found nobody, and they are on the list now"),
    ):
        if rows:
            yield f"{rows:,} {what}: {such(rows, sample)}"


def _masked(one: Drift) -> Drift:
    return replace(
        one,
        missing_sample=tuple(map(mask, one.missing_sample)),
        others_sample=tuple(map(mask, one.others_sample)),
        found_sample=tuple(map(mask, one.found_sample)),
    )
