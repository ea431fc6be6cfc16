"""Rows that are rejected, or sent without an identifier, once they are staged: no staged row changes."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.domain.rejections import RowProblem
from reverse_etl.planning.sql.staging import reject_lists
from reverse_etl.sandbox import Fault, FaultKind
from reverse_etl.state import LEASE_SECONDS
from reverse_etl.warehouse.duckdb.adapter import DIALECT, DuckDB
from reverse_etl.warehouse.model_tables import ModelTables
from reverse_etl.warehouse.snowflake import Snowflake
from reverse_etl.warehouse.statement import StatementKind
from tests.core.killing import dies_at_statement
from tests.core.rows import BY_EMAIL, COLUMNS, SELECT, become, clubs_model, people, person

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reverse_etl.planning.plan import Plan
    from reverse_etl.warehouse.statement import Statement
    from tests.core.world import World

PACKAGE = Path(__file__).parents[2] / "reverse_etl"
# They make the staged table, or change which rows it has or their values.
WRITERS = {
    "planning/sql/conflicts.sql.j2: delete_duplicates",
    "planning/sql/conflicts.sql.j2: insert_distinct_rows",
    "planning/sql/row_comparison.sql.j2: delete_completed",
    "planning/sql/row_comparison.sql.j2: insert_completed",
    "planning/sql/conflicts.py",
    "planning/sql/events.py",
    "planning/sql/model_query.py",
    "planning/sql/row_comparison.py",
    "planning/sql/staging.py",
    "state/withheld.py",
    "warehouse/model_tables.py",
}


LEFT_OUT = {
    "clubs": (
        {IdentifierType.EXTERNAL_ID: 3},
        [("identity_is_another_rows_identifier", 1), ("still_rejected", 1), ("unknown_list", 1)],
    ),
    "twins": ({}, [("shared_identifier", 2)]),
}
OTHERS = [
    *people("bad", "x", "zed", club="Tea"),
    *people("twin1", "twin2", club="Tea", customer_id="c-twin"),
    person("nobody", email=None, customer_id="c-x", club="Tea"),
    person("lost", club="Nowhere"),
]


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
    become(world, [person("ann", club="Tea"), *OTHERS])
    world.run()
    live_a_day(world)
    world.wait(600.0)
    world.run()
    world.wait(600.0)


def live_a_day(world: World, *rows: dict[str, Any]) -> None:
    """Let Bob have the id with which Ann was sent, beside others and these rows."""
    claimed = person("bob", customer_id="c-ann", club="Tea")
    become(world, [person("ann", customer_id=None, club="Tea"), claimed, *OTHERS, *rows])


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
    assert left_out(result.plan) == LEFT_OUT
    assert [list_plan.upserts for model in result.plan.models for list_plan in model.lists] == [0, 0, 0]
    assert world.state("SELECT identifier FROM omissions") == [("external_id",)]
    written = [
        (statement.kind, statement.text)
        for statement in statements
        if statement.table is not None and '"staged_' in statement.table.sql.lower().replace("temp_", "")
    ]
    assert {kind for kind, _ in written} == {StatementKind.CREATE}
    assert len(written) == 2


def test_a_row_counts_once_and_a_rejected_one_keeps_its_problem() -> None:
    """However many marks it has, and although another row of its identity has some."""
    kinds = (IdentifierType.EMAIL, IdentifierType.PHONE)
    tables = ModelTables(DIALECT, "clubs", kinds, (), many_lists=True)
    columns = "retl_list, retl_identity, retl_problem, retl_detail, retl_omitted"
    marks = [
        "('Tea', 'a', NULL, NULL, 'phone_e164'), ('Tea', 'b', 'changed', 'tier', NULL)",
        "('Tea', 'a', NULL, NULL, 'phone_e164'), ('Tea', 'c', 'shared_identifier', 'phone_e164', NULL)",
    ]
    with closing(duckdb.connect()) as connection:
        connection.execute(
            f"CREATE TABLE {DIALECT.temp_table(tables.staged_table)} AS SELECT * FROM (VALUES "
            "('Tea', 'a', NULL, NULL), ('Tea', 'b', 'email_malformed', NULL), ('Tea', 'c', NULL, NULL), "
            "('Nowhere', 'a', NULL, NULL)) AS v(retl_list, retl_identity, retl_problem, retl_detail)"
        )
        for statement in (
            reject_lists(tables, {"Nowhere": RowProblem.UNKNOWN_LIST}),
            *(tables.mark_rows(f"SELECT * FROM (VALUES {rows}) AS v({columns})") for rows in marks),
        ):
            connection.execute(statement.text, statement.parameters)
        rows = connection.execute(
            "SELECT retl_list, retl_identity, retl_problem, retl_detail, retl_omits_phone_e164 "
            f"FROM {tables.staged_rows} ORDER BY retl_identity, retl_list NULLS FIRST"
        ).fetchall()
    assert rows == [
        (None, "a", "unknown_list", "Nowhere", False),
        ("Tea", "a", None, None, True),
        ("Tea", "b", "email_malformed", None, False),
        ("Tea", "c", "shared_identifier", "phone_e164", False),
    ]


def test_a_row_of_a_refused_list_stays_rejected_while_another_of_the_person_is_compared(
    make_world: Callable[..., World],
) -> None:
    """With `updated_at`: only the row of the usable list is staged again in full."""
    world = make_world(create_lists=False)
    world.new_list("Tea")
    select = "select email, customer_id, first_name, club, changed from people"
    config = {"identifiers": BY_EMAIL, "list_column": "club", "updated_at": "changed", "max_rejected": 1.0}
    world.model("clubs", select, min_rows=0, **config)
    for day in range(3):
        rows = [person("ann", first_name=f"Ann{day}", club=club, changed=day) for club in ("Tea", "Nowhere")]
        world.people([*rows, person("bo", club="Tea", changed=0)], columns=f"{COLUMNS}, changed BIGINT")
        plan = world.run().plan
        assert left_out(plan) == {"clubs": ({}, [("unknown_list", 1)])}
        assert plan.models[0].staged_rows == 3
        assert world.person("ann@example.com")["first_name"] == f"Ann{day}"


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_a_run_with_such_rows_may_be_killed_between_any_two_statements(
    make_world: Callable[..., World],
) -> None:
    """No row is sent that was rejected, and no identifier that was left out."""
    world = make_world(conflicts="refuse", create_lists=False)
    prepare(world)
    day, killed = 0, True
    while killed:
        day += 1
        live_a_day(world, person("today", first_name=f"N{day}", club="Tea"), person(f"p{day}", club="Tea"))
        killed = dies_at_statement(world, day)
        world.wait(LEASE_SECONDS + 600.0)
        result = world.run()
        world.wait(600.0)
        assert left_out(result.plan) == LEFT_OUT
        names = ("ann", "bob", "x", "zed", "twin1", "twin2", "today", f"p{day}")
        assert world.emails("Tea") == sorted(f"{name}@example.com" for name in names)
        assert world.emails("Others") == []
        ids = {name: world.person(f"{name}@example.com")["external_id"] for name in names}
        assert {name for name, value in ids.items() if value is None} == {"bob", "zed", "twin1", "twin2"}
        assert world.person("today@example.com")["first_name"] == f"N{day}"
        writes = len(world.writes())
        assert world.run().exit_code in {0, 1}
        assert len(world.writes()) == writes
    assert day > 30


def macros(text: str) -> Iterator[tuple[str, str]]:
    """Yield the macros of a template by name, and before them, without a name, the text outside of macros."""
    outside, *others = re.split(r"\{% macro (\w+)", text)
    yield "", outside
    for name, part in zip(others[::2], others[1::2], strict=True):
        yield f": {name}", part


def test_only_writers_name_the_staged_table() -> None:
    """All others read `staged_rows`, where no rejected row counts as valid."""
    texts = {
        file: file.read_text("utf-8") for suffix in ("py", "j2") for file in PACKAGE.rglob(f"*.{suffix}")
    }
    naming = {
        f"{file.relative_to(PACKAGE)}{macro}"
        for file, text in texts.items()
        for macro, part in macros(text)
        if "staged_table" in part
    }
    assert naming == WRITERS
