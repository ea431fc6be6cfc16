"""The counts that the state keeps of a list in a run. None that is missing is read as 0 in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reverse_etl.errors import WarehouseError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

REJECTED_COUNTS: Final = ("rejected_by_checks", "rejected")
HELD_COUNTS: Final = ("held_back", "held")


def sum_counts(counts: Mapping[str, int], names: Iterable[str]) -> int:
    """Return the rows of some counts together.

    Raises WarehouseError for a count that is not kept.
    """
    return sum(_count(counts, name) for name in names)


def _count(counts: Mapping[str, int], name: str) -> int:
    if name in counts:
        return counts[name]
    if name == "deferred" and "desired" in counts:  # kept before there was --limit: it deferred nothing
        return 0
    if name == "unchanged":  # kept by as old runs, which leave it to be worked out
        return _count(counts, "desired") - sum_counts(counts, ("adds", "updates", "deferred"))
    raise WarehouseError.of(
        f"The state has no count of {name} for a list of a run.",
        where=f"the table run_lists, column counts: {', '.join(counts) or 'empty'}",
        hint="Another version of reverse_etl may have written it: read it with that one.",
    )
