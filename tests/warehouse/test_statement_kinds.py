"""Statements do what they say of themselves: adapters go by it and read no text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlglot
from sqlglot import exp

from reverse_etl.warehouse.duckdb.adapter import DIALECT as DUCKDB
from reverse_etl.warehouse.snowflake.dialect import SnowflakeDialect
from reverse_etl.warehouse.statement import Statement, StatementKind, TableName
from tests.warehouse.statement_cases import grouped_cases

if TYPE_CHECKING:
    from reverse_etl.warehouse.dialect import Dialect

STATE, MARTS = '"SHOP"."REVERSE_ETL"', '"SHOP"."MARTS"'
DIALECTS = {
    "DuckDB": DUCKDB,
    "Snowflake": SnowflakeDialect(STATE, STATE),
    "Snowflake before the first run": SnowflakeDialect(MARTS, MARTS, persistent=False),
}
GROUPS = [
    pytest.param(dialect, statements, id=f"{name}: {group}")
    for name, dialect in DIALECTS.items()
    for group, statements in grouped_cases(dialect).items()
]
KINDS = {
    exp.Select: StatementKind.READ,
    exp.SetOperation: StatementKind.READ,
    exp.Create: StatementKind.CREATE,
    exp.Insert: StatementKind.INSERT,
    exp.Update: StatementKind.CHANGE,
    exp.Delete: StatementKind.CHANGE,
    exp.Merge: StatementKind.CHANGE,
    exp.Alter: StatementKind.ALTER,
    exp.Drop: StatementKind.DROP,
}
TEMPORARY = {"memory", "TEMP"}  # the database of DuckDB's scratch tables, and how Snowflake's begin


def parsed(dialect: Dialect, statement: Statement) -> exp.Expr:
    """Return what a statement's text says."""
    return sqlglot.parse_one(statement.text, dialect=dialect.engine.value)


def written(statement: exp.Expr) -> exp.Table:
    """Return the table that a parsed statement writes."""
    if isinstance(statement, exp.Drop):
        (table,) = statement.args["tables"]
    else:
        table = statement.this.this if isinstance(statement.this, exp.Schema) else statement.this
    assert isinstance(table, exp.Table)
    return table


def name_of(table: exp.Table) -> list[str]:
    """Return the parts of a table's name."""
    return [part.name for part in table.parts]


@pytest.mark.parametrize(("dialect", "statements"), GROUPS)
def test_a_statement_says_what_its_text_does(dialect: Dialect, statements: dict[str, Statement]) -> None:
    """Its kind, its table, and that it is repeatable unless it would do more the second time."""
    for name, statement in statements.items():
        tree = parsed(dialect, statement)
        kind = next(kind for type_, kind in KINDS.items() if isinstance(tree, type_))
        assert (name, statement.kind) == (name, kind)
        assert (name, statement.repeatable) == (name, not does_more(tree))
        if kind is StatementKind.READ:
            assert (name, statement.table) == (name, None)
            continue
        table = written(tree)
        assert statement.table is not None, name
        named = exp.to_table(statement.table.sql, dialect=dialect.engine.value)
        assert (name, name_of(table)) == (name, name_of(named))
        temporary = bool(TEMPORARY & {table.catalog, table.name.split("_")[0]})
        assert (name, statement.table.temporary) == (name, temporary)


def does_more(statement: exp.Expr) -> bool:
    """Return whether a statement would do more the second time.

    An INSERT, a table that is made from itself, and a column that is added or retyped.
    """
    own = isinstance(statement, exp.Create) and statement.expression is not None
    sources = [name_of(table) for table in statement.expression.find_all(exp.Table)] if own else []
    return isinstance(statement, exp.Insert | exp.Alter) or (own and name_of(written(statement)) in sources)


TABLES = {"temporary": TableName('"A"', temporary=True), "lasting": TableName('"A"', temporary=False)}


@pytest.mark.parametrize("kind", StatementKind)
@pytest.mark.parametrize("table", [*TABLES, None])
def test_only_statements_on_temporary_tables_change_nothing_permanent(
    kind: StatementKind, table: str | None
) -> None:
    """Also a statement that names no table, as one that makes a schema."""
    statement = Statement("", kind=kind, table=TABLES[table] if table else None, repeatable=False)
    writes = kind not in {StatementKind.READ, StatementKind.SESSION}
    assert statement.changes_what_lasts == (writes and table != "temporary")
