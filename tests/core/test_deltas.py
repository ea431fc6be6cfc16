"""How a list's rows are read for sending."""

from __future__ import annotations

import pytest

from reverse_etl.warehouse.duckdb import DuckDB


@pytest.mark.parametrize("widest", [1, 4, 25, 1000, None])
def test_every_row_is_sent_once_however_many_are_sorted_at_once(world, monkeypatch, widest):
    """Upserts and removes of two lists, which lie one after the other; requests are as full as ever."""
    monkeypatch.setattr(DuckDB, "widest_sort", widest)
    people = [{"email": f"p{i:02d}@example.com", "club": club} for i in range(25) for club in ("Tea", "Cake")]
    world.model("clubs", "select email, club from people", list_column="club", max_removes=1.0)
    world.people(people)
    world.run()
    assert world.emails("Tea") == world.emails("Cake") == sorted({row["email"] for row in people})
    assert len([entry for entry in world.writes() if entry.path.endswith("import-jobs")]) == 2
    world.people(people[:4])
    world.run()
    assert world.emails("Tea") == world.emails("Cake") == ["p00@example.com", "p01@example.com"]
