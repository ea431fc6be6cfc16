"""Rules of Snowflake for every statement, which a stand-in on DuckDB can't show."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import pytest
import sqlglot
from sqlglot import exp

from reverse_etl.domain.columns import Column, ColumnKind
from reverse_etl.planning.sql import conflicts
from reverse_etl.warehouse.duckdb.dialect import DuckDBDialect
from reverse_etl.warehouse.snowflake import inline_parameters
from reverse_etl.warehouse.snowflake.dialect import SnowflakeDialect
from reverse_etl.warehouse.statement import Statement, TableName
from tests.warehouse.model_tables import vip
from tests.warehouse.statement_cases import cases, grouped_cases

if TYPE_CHECKING:
    from reverse_etl.warehouse.dialect import Dialect

PLACE = '"SHOP"."REVERSE_ETL"'
DIALECT = SnowflakeDialect(PLACE, PLACE)
BEFORE_THE_FIRST_RUN = SnowflakeDialect('"SHOP"."MARTS"', '"SHOP"."MARTS"', persistent=False)

T = TableName("t", temporary=True)

CASES = dict(cases(DIALECT))
GROUPS = grouped_cases(DIALECT)
GROUPS_BEFORE_THE_FIRST_RUN = grouped_cases(BEFORE_THE_FIRST_RUN)


@cache
def parsed(name: str) -> exp.Expr:
    """Return a statement as Snowflake reads it."""
    return sqlglot.parse_one(CASES[name].text, dialect="snowflake")


@pytest.mark.parametrize("group", GROUPS)
def test_our_names_are_upper_case_where_they_are_quoted(group: str) -> None:
    """Unquoted retl_email is RETL_EMAIL to Snowflake, so "retl_email" would be another column."""
    for name in GROUPS[group]:
        assert '"retl_' not in CASES[name].text
        for table in parsed(name).find_all(exp.Table):
            assert table.name == table.name.upper() or not table.this.args.get("quoted"), (name, table)


@pytest.mark.parametrize("group", GROUPS)
def test_in_and_exists_are_only_among_the_ands_of_a_where(group: str) -> None:
    """Elsewhere Snowflake may say: Unsupported subquery type cannot be evaluated."""
    for condition in (
        condition for name in GROUPS[group] for condition in parsed(name).find_all(exp.In, exp.Exists)
    ):
        if isinstance(condition, exp.In) and not condition.args.get("query"):
            continue
        around = condition.parent
        while isinstance(around, exp.And | exp.Not | exp.Paren):
            around = around.parent
        assert isinstance(around, exp.Where), condition.sql()


@pytest.mark.parametrize("group", GROUPS)
def test_a_table_is_transient_or_temporary_and_has_no_collation(group: str) -> None:
    """A permanent table would be charged for seven days of fail-safe. A day of history costs cents.

    A database's default collation would make ids equal that differ in case.
    """
    for name, statement in GROUPS[group].items():
        created = parsed(name)
        if isinstance(created, exp.Create) and created.kind == "TABLE":
            table = created.find(exp.Table)
            assert table is not None, name
            words = statement.text.split('"', 1)[0]
            is_temporary = table.name.startswith("TEMP_")
            assert ("TEMPORARY" if is_temporary else "TRANSIENT") in words, name
            assert is_temporary or "DATA_RETENTION_TIME_IN_DAYS = 1" in statement.text, name
            assert "DEFAULT_DDL_COLLATION = ''" in statement.text, name


def test_a_state_table_that_is_rebuilt_keeps_its_grants() -> None:
    """A role that may read the state can still read it after a column changed its type."""
    replaced = DIALECT.replace_state_table("snapshot_x", "SELECT 1", repeatable=True)
    assert " COPY GRANTS AS\n" in replaced.text
    assert (
        "COPY GRANTS" not in BEFORE_THE_FIRST_RUN.replace_state_table("x", "SELECT 1", repeatable=True).text
    )


def test_staged_text_has_no_collation() -> None:
    """Neither identifiers, which regular expressions look at, nor other texts, which are compared by case."""
    assert DIALECT.stored_column_sql(Column("A", ColumnKind.TEXT, "VARCHAR")) == (
        """(CAST("A" AS VARCHAR) COLLATE '') AS "A\""""
    )
    staged = CASES["staging/stage_rows 1.1"].text
    assert """(CAST("MAIL" AS VARCHAR) COLLATE '')""" in staged
    assert """CAST("MAIL" AS VARCHAR)""" not in staged.replace("""(CAST("MAIL" AS VARCHAR) COLLATE '')""", "")


@pytest.mark.parametrize("group", GROUPS_BEFORE_THE_FIRST_RUN)
def test_before_the_first_run_only_temporary_tables_are_created(group: str) -> None:
    """A plan makes nothing that outlives it, and its tables hide none of the warehouse's."""
    for name, statement in GROUPS_BEFORE_THE_FIRST_RUN[group].items():
        if statement.text.startswith("CREATE"):
            created = ("CREATE TEMPORARY TABLE", "CREATE OR REPLACE TEMPORARY TABLE")
            assert statement.text.startswith(created), name
        assert not re.search(r'"SHOP"\."MARTS"\."(?!TEMP_)', statement.text), name


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith(("staging", "diff"))])
def test_a_literal_does_not_make_a_narrow_column(name: str) -> None:
    """A table made from a query has columns as wide as its literals, and refuses longer values."""
    created = parsed(name)
    if isinstance(created, exp.Create) and created.expression:
        query = created.expression
        for projection in query.selects:
            value = projection.this if isinstance(projection, exp.Alias) else projection
            assert not isinstance(value, exp.Literal) or not value.is_string, projection.sql()
            if isinstance(value, exp.Case):
                texts = [
                    literal
                    for literal in value.find_all(exp.Literal)
                    if literal.is_string and "problem" in projection.alias
                ]
                assert not texts, projection.sql()


@pytest.mark.parametrize(
    ("type_", "kept"),
    [
        ("VARIANT", """CASE WHEN TO_JSON("A") <> 'null' THEN "A" END AS "A\""""),
        ("OBJECT", 'CAST("A" AS VARIANT) AS "A"'),
        ("ARRAY", 'CAST("A" AS VARIANT) AS "A"'),
        ("MAP", 'CAST("A" AS VARIANT) AS "A"'),
        ("GEOGRAPHY", 'CAST(ST_ASGEOJSON("A") AS VARIANT) AS "A"'),
        ("GEOMETRY", 'CAST(ST_ASGEOJSON("A") AS VARIANT) AS "A"'),
        ("VECTOR", 'CAST(CAST("A" AS ARRAY) AS VARIANT) AS "A"'),
    ],
)
def test_semi_structured_values_are_stored_as_variant(type_: str, kept: str) -> None:
    """One type in our tables for what reaches Klaviyo as JSON, whichever way the warehouse holds it."""
    column = Column("A", ColumnKind.JSON, type_)
    assert DIALECT.stored_column_sql(column) == kept
    assert DIALECT.storage_type(column) == "VARIANT"


@pytest.mark.parametrize("group", GROUPS)
def test_a_statement_that_creates_can_do_without_bound_values(group: str) -> None:
    """Each mark is replaced by one text."""
    for name, statement in GROUPS[group].items():
        if statement.text.startswith("CREATE"):
            written_out = inline_parameters(statement, DIALECT)
            assert "?" not in written_out.text, name
            assert written_out.parameters == (), name
            sqlglot.parse_one(written_out.text, dialect="snowflake")


def test_a_value_cannot_break_out_of_its_literal() -> None:
    """Neither by a quote nor by a backslash, which Snowflake reads as an escape."""
    told = inline_parameters(
        Statement.create(T, "CREATE TABLE t AS SELECT ?, ?", ("a\\", "' OR '1'='1")), DIALECT
    )
    assert told.text == r"CREATE TABLE t AS SELECT 'a\\', ''' OR ''1''=''1'"


@pytest.mark.parametrize("quoted", ['"Is VIP?"', '"it\'s ?"', '"a ""?"" b"', "'?'", "'it''s \"?'"])
def test_a_question_mark_inside_quotes_is_not_a_parameter(quoted: str) -> None:
    """A payload column's name is between marks where the rejections are gathered."""
    told = inline_parameters(
        Statement.create(T, f"CREATE TABLE t AS SELECT ?, {quoted}, ?", ("a?", "b")), DIALECT
    )
    assert told.text == f"CREATE TABLE t AS SELECT 'a?', {quoted}, 'b'"


@pytest.mark.parametrize("dialect", [DIALECT, DuckDBDialect(PLACE, PLACE)])
@pytest.mark.parametrize("name", ["a\\", "a\\' OR 1 = 1 --", "it's", "\\\\n"])
def test_a_columns_name_stays_inside_the_text_that_names_it(dialect: Dialect, name: str) -> None:
    """Duplicates are reported with the names of the columns that differ; a quoted name may be anything."""
    shape = replace(vip(dialect), payload=(Column(name, ColumnKind.TEXT, "VARCHAR"),))
    *_, insert = conflicts.resolve_duplicates(shape)
    parsed = sqlglot.parse_one(insert.text, dialect=dialect.engine.value)
    assert f", {name}" in {literal.this for literal in parsed.find_all(exp.Literal)}
