"""The counts of a list in a run: one that is missing is not 0."""

from __future__ import annotations

import pytest

from reverse_etl.errors import WarehouseError
from reverse_etl.report.counts import sum_counts

OLD = {"rows": 5, "adds": 2, "updates": 1, "applied": 3}  # kept before there was --limit


def test_counts_are_summed() -> None:
    assert sum_counts(OLD, ("adds", "updates")) == 3


def test_runs_of_versions_without_a_limit_deferred_nothing() -> None:
    """Nor did they keep what was unchanged, which follows from the others."""
    assert sum_counts(OLD, ("deferred",)) == 0
    assert sum_counts(OLD, ("unchanged",)) == 2
    assert sum_counts(OLD | {"unchanged": 1, "deferred": 1}, ("unchanged", "deferred")) == 2


@pytest.mark.parametrize("counts", [{}, OLD])
@pytest.mark.parametrize("name", ["removed", "not_a_count"])
def test_a_count_that_is_missing_is_an_error(counts: dict[str, int], name: str) -> None:
    with pytest.raises(WarehouseError, match=f"no count {name!r} "):
        sum_counts(counts, (name,))


@pytest.mark.parametrize("name", ["deferred", "unchanged"])
def test_a_record_without_any_count_is_an_error(name: str) -> None:
    with pytest.raises(WarehouseError):
        sum_counts({}, (name,))
