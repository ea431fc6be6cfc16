"""Reads the stored counts of a list in a run. A missing count is an error, never 0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reverse_etl.errors import WarehouseError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

REJECTED_COUNTS: Final = ("rejected_by_check", "rejected_by_klaviyo")
HELD_COUNTS: Final = ("held_at_plan", "held_at_lookup")


def sum_counts(counts: Mapping[str, int], names: Iterable[str]) -> int:
    """Return the sum of the named counts.

    Raises WarehouseError if one is missing.
    """
    return sum(_count(counts, name) for name in names)


def _count(counts: Mapping[str, int], name: str) -> int:
    if name in counts:
        return counts[name]
    if name == "deferred" and "rows" in counts:  # stored before --limit existed: nothing was deferred
        return 0
    if name == "unchanged":  # old runs do not store it
        return _count(counts, "rows") - sum_counts(counts, ("adds", "updates", "deferred"))
    raise WarehouseError.of(
        f"The state has no count {name!r} for a list of a run.",
        where=f"table run_lists, column counts: {', '.join(counts) or 'empty'}",
        hint="Another version of reverse-etl may have written the run. Read it with that version.",
    )
