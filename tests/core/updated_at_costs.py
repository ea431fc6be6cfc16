"""The costs of nights of a wide model, compared as a whole or by `updated_at`, in copies of its table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.core.costs import Cost, count

if TYPE_CHECKING:
    from tests.core.world import World

ROWS: Final = 1_000
WIDTH: Final = 20
_NAMES: Final = [f"value_{number}" for number in range(WIDTH - 3)]


def measure_updated_at(world: World) -> dict[str, tuple[Cost, Cost]]:
    """Return the costs of nights without and with `updated_at`: nothing, or 0.1 % of the rows, changed."""
    idle, changed = zip(*(_measure(world, name) for name in ("", "changed")), strict=True)
    return {"nothing changed": idle, "0.1 % changed": changed}


def copies(values: int) -> float:
    """Return `values` as a number of copies of the table."""
    return round(values / (ROWS * WIDTH), 1)


def _measure(world: World, updated_at: str) -> tuple[Cost, Cost]:
    columns = ["email", "first_name", *_NAMES, *([updated_at] if updated_at else [])]
    settings = {"surface": "profiles", "identifiers": {"email": "email"}, "updated_at": updated_at}
    world.model("wide", f"select {', '.join(columns)} from wide", **settings)
    _fill(world, night=0)
    world.run()
    idle = count(world.run)
    _fill(world, night=1)
    changed = count(world.run)
    return idle, changed


def _fill(world: World, night: int) -> None:
    """Make the people of a night: each renames one, and its time says so."""
    values = ", ".join(f"'{name} of ' || i AS {name}" for name in _NAMES)
    of_night = f"if(i = 500, {night}, 0)"
    world.sql(
        "CREATE OR REPLACE TABLE wide AS SELECT i || '@example.com' AS email, "
        f"'Ann' || {of_night} AS first_name, {values}, {of_night} AS changed FROM range({ROWS}) AS r(i)"
    )
