"""Rows that are rejected, or sent without an identifier, once they are staged: no staged row changes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.sandbox import Fault, FaultKind
from reverse_etl.warehouse.duckdb.adapter import DuckDB
from reverse_etl.warehouse.snowflake import Snowflake
from reverse_etl.warehouse.statement import StatementKind
from tests.core.rows import BY_EMAIL, SELECT, become, clubs_model, people, person

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from reverse_etl.planning.plan import Plan
    from reverse_etl.warehouse.statement import Statement
    from tests.core.world import World

PACKAGE = Path(__file__).parents[2] / "reverse_etl"
# They make the staged table, or change which rows it has or their values.
WRITERS = {
    "planning/sql/delete_completed.sql.j2",
    "planning/sql/delete_duplicates.sql.j2",
    "planning/sql/insert_completed.sql.j2",
    "planning/sql/insert_distinct_rows.sql.j2",
    "planning/sql/conflicts.py",
    "planning/sql/events.py",
    "planning/sql/model_query.py",
    "planning/sql/row_comparison.py",
    "planning/sql/staging.py",
    "state/withheld.py",
    "warehouse/model_tables.py",
}


def prepare(world: World) -> None:
    """Let two models have sent what they may, and have rows of every kind that is left out in each night."""
    world.new_list("Tea")
    world.new_list("Others")
    world.new_profile(email="zed@example.com")
    world.new_profile(email="other@example.com", external_id="c-zed")
    clubs_model(world, min_rows=0, max_rejected=1.0)
    twins = f"{SELECT} where customer_id = 'c-twin'"
    world.model(
        "twins",
        twins,
        list="Others",
        identifiers=BY_EMAIL,
        on_shared_identifier="reject",
        min_rows=0,
        max_rejected=1.0,
    )
    world.fault(Fault(FaultKind.INVALID_ROWS, pattern="^bad@", times=None))
    others = [
        *people("bad", "x", "zed", club="Tea"),
        *people("twin1", "twin2", club="Tea", customer_id="c-twin"),
        person("nobody", email=None, customer_id="c-x", club="Tea"),
        person("lost", club="Nowhere"),
    ]
    become(world, [person("ann", club="Tea"), *others])
    world.run()
    claimed = person("bob", customer_id="c-ann", club="Tea")
    become(world, [person("ann", customer_id=None, club="Tea"), claimed, *others])
    world.wait(600.0)
    world.run()
    world.wait(600.0)


def left_out(plan: Plan) -> dict[str, Any]:
    """Return, by model, the rows without an identifier, and the rejected ones by problem."""
    return {
        model.model.name: (
            dict(model.omitted_identifiers),
            sorted(
                (rejected.reason.code, rejected.rows)
                for list_plan in model.lists
                for rejected in list_plan.check_rejections
            ),
        )
        for model in plan.models
    }


def record_statements(monkeypatch: pytest.MonkeyPatch) -> list[Statement]:
    """Return the list to which each statement of a warehouse will be added."""
    recorded: list[Statement] = []
    for warehouse in (DuckDB, Snowflake):
        for name in ("execute", "fetch"):
            run = getattr(warehouse, name)

            def record(session: Any, statement: Statement, run: Any = run) -> Any:
                recorded.append(statement)
                return run(session, statement)

            monkeypatch.setattr(warehouse, name, record)
    return recorded


def test_no_staged_row_is_changed_in_an_idle_night(
    make_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With rows that share an identifier, or whose identifier others have, and rejected ones."""
    world = make_world(conflicts="refuse", create_lists=False)
    prepare(world)
    statements = record_statements(monkeypatch)
    result = world.run()
    assert left_out(result.plan) == {
        "clubs": (
            {IdentifierType.EXTERNAL_ID: 3},
            [("identity_is_another_rows_identifier", 1), ("still_rejected", 1), ("unknown_list", 1)],
        ),
        "twins": ({}, [("shared_identifier", 2)]),
    }
    assert [list_plan.upserts for model in result.plan.models for list_plan in model.lists] == [0, 0, 0]
    assert world.state("SELECT identifier FROM omissions") == [("external_id",)]
    written = [
        (statement.kind, statement.text)
        for statement in statements
        if statement.table is not None and '"staged_' in statement.table.sql.lower().replace("temp_", "")
    ]
    assert {kind for kind, _ in written} == {StatementKind.CREATE}
    assert len(written) == 2


def test_only_writers_name_the_staged_table() -> None:
    """All others read `staged_rows`, where no rejected row counts as valid."""
    files = [file for suffix in ("py", "j2") for file in PACKAGE.rglob(f"*.{suffix}")]
    naming = {str(file.relative_to(PACKAGE)) for file in files if "staged_table" in file.read_text("utf-8")}
    assert naming == WRITERS
