"""The statements, rows and requests that a run costs: counts, which no busy machine changes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from reverse_etl.planning.sql import staging
from tests.core.costs import measure, work_through
from tests.core.rows import become, members_model, people
from tests.core.updated_at_costs import copies, measure_updated_at

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from reverse_etl.warehouse.model_tables import ModelTables
    from reverse_etl.warehouse.statement import Statement
    from tests.core.world import World

PAGE = Path(__file__).parents[2] / "benchmarks" / "cost.md"


def test_a_run_costs_what_the_page_of_costs_says(world: World) -> None:
    """After a change of a figure, `make bench-cost` writes the page again: read its diff."""
    lines = PAGE.read_text("utf-8").splitlines()
    cells = [[cell.strip() for cell in line.split("|")[1:3]] for line in lines if line.startswith("| ")]
    measured = measure(world).figures
    assert [line for line in work_through(measured) if line not in lines] == []
    figures = {name: f"{figure:g}" for name, figure in measured.items()}
    assert figures == {name: today for name, today in cells if name in figures}


def test_an_idle_run_with_updated_at_reads_less_than_the_table(world: World) -> None:
    """It reads the keys, in the model and in the snapshot, and updated_at."""
    without, with_it = measure_updated_at(world)["nothing changed"]
    assert copies(with_it.read) <= 0.7
    assert with_it.read < without.read


def test_a_first_load_takes_two_requests_an_import_and_six_more(make_world: Callable[..., World]) -> None:
    """As docs/klaviyo.md says of 100,000 rows."""
    world = make_world(job_seconds=0.0)
    members_model(world)
    become(world, people("ann"))
    world.run()
    requests = Counter(f"{entry.method} {entry.path}" for entry in world.sandbox.log())
    jobs = "/api/profile-bulk-import-jobs"
    (errors,) = [request for request in requests if request.endswith("/import-errors")]
    assert requests == {
        "GET /api/accounts": 1,
        "GET /api/lists": 2,
        "POST /api/lists": 1,
        f"GET {jobs}": 1 + 1,
        f"POST {jobs}": 1,
        errors: 1,
    }


def test_a_first_load_counts_the_staged_rows_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    statements: list[Statement] = []
    count = staging.count_staged_rows

    def count_and_note(tables: ModelTables, *, marks_unchanged: bool) -> Statement:
        statements.append(count(tables, marks_unchanged=marks_unchanged))
        return statements[-1]

    monkeypatch.setattr(staging, "count_staged_rows", count_and_note)
    members_model(world)
    become(world, people("ann", "bo"))
    world.run()
    assert len(statements) == 1
