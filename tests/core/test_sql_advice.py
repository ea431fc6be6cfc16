"""Advice for SQL that a warehouse refuses."""

from __future__ import annotations

import duckdb
import pytest

from reverse_etl.warehouse.duckdb.advice import DUCKDB_ADVICE
from reverse_etl.warehouse.snowflake.advice import SNOWFLAKE_ADVICE
from reverse_etl.warehouse.sql_advice import SqlAdvice, suggest_fix


def test_functions_are_listed_for_the_warehouse_that_lacks_them() -> None:
    """DuckDB itself says which functions it has; advice against one of them would be wrong."""
    rows = duckdb.connect().execute("SELECT DISTINCT function_name FROM duckdb_functions()").fetchall()
    names = {name for (name,) in rows}
    assert DUCKDB_ADVICE.foreign_functions.keys() & names == set()
    assert SNOWFLAKE_ADVICE.foreign_functions.keys() <= names


@pytest.mark.parametrize("name", DUCKDB_ADVICE.foreign_functions)
def test_duckdbs_own_message_leads_to_the_advice(name: str) -> None:
    """The message is DuckDB's, as it is today."""
    with pytest.raises(duckdb.CatalogException) as error:
        duckdb.connect().execute(f"SELECT {name}(1)")
    suggested = suggest_fix(DUCKDB_ADVICE, (), f"DuckDB: {error.value}")
    assert suggested.startswith(f"{name} is a function of Snowflake. In DuckDB, write ")


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("STRFTIME", "to_char(time, format)"),
        ("LIST_VALUE", "array_construct(...)"),
        ("NOW", "current_timestamp()"),
    ],
)
def test_snowflakes_message_leads_to_the_advice(name: str, advice: str) -> None:
    """Snowflake names the function in upper case."""
    message = f"Snowflake: 002140 (42601): SQL compilation error: Unknown function {name}."
    expected = f"{name} is a function of DuckDB. In Snowflake, write {advice}"
    assert suggest_fix(SNOWFLAKE_ADVICE, (), message).startswith(expected)


@pytest.mark.parametrize(
    ("advice", "message"),
    [
        (DUCKDB_ADVICE, "Catalog Error: Table with name people does not exist!"),
        (
            SNOWFLAKE_ADVICE,
            "SQL compilation error: Object 'SHOP.MAIN.PEOPLE' does not exist or not authorized.",
        ),
    ],
)
def test_a_ref_that_is_not_built_names_the_command(advice: SqlAdvice, message: str) -> None:
    """Dbt parse knows the node; only dbt build makes the table."""
    expected = "dbt has not built people in this target yet: dbt build --select people. "
    assert suggest_fix(advice, ("model.shop.people",), message) == expected
    assert suggest_fix(advice, ("model.shop.others",), message) == ""


@pytest.mark.parametrize("selected", ["email", "E-Mail", "e_mail"])
def test_a_column_whose_name_needs_quotes_is_named_with_them(selected: str) -> None:
    """The message is DuckDB's, as it is today."""
    with pytest.raises(duckdb.BinderException) as error:
        duckdb.connect().execute(f"SELECT {selected} FROM (SELECT 'x' AS \"E-Mail\", 1 AS other)")
    assert '"E-Mail" as email' in suggest_fix(DUCKDB_ADVICE, (), f"DuckDB: {error.value}")
    with pytest.raises(duckdb.BinderException) as error:
        duckdb.connect().execute("SELECT surname FROM (SELECT 'x' AS \"E-Mail\", 1 AS surnames)")
    assert suggest_fix(DUCKDB_ADVICE, (), f"DuckDB: {error.value}") == ""
