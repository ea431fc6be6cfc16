"""The statements and rows that a run costs a warehouse: counts, which no busy machine changes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.core.costs import measure

if TYPE_CHECKING:
    from tests.core.world import World

PAGE = Path(__file__).parents[2] / "benchmarks" / "cost.md"


def test_a_run_costs_what_the_page_of_costs_says(world: World) -> None:
    """After a change of a figure, `make bench-cost` writes the page again: read its diff."""
    lines = PAGE.read_text("utf-8").splitlines()
    cells = [[cell.strip() for cell in line.split("|")[1:3]] for line in lines if line.startswith("| ")]
    figures = {name: f"{figure:g}" for name, figure in measure(world).figures.items()}
    assert figures == {name: today for name, today in cells if name in figures}
