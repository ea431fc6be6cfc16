"""A column whose type changed: its kept values in today's type, where Klaviyo would get the same for both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.domain.columns import Column, Kind
from reverse_etl.domain.engine import Engine
from reverse_etl.warehouse.statement import quote

if TYPE_CHECKING:
    from reverse_etl.warehouse.statement import Dialect


def as_today(dialect: Dialect, column: Column, kept: Column | None, table: str) -> str:
    """Return the snapshot's value of a column in the type that the model gives it today.

    A type that changed is compared as rendered: a value that would render otherwise in the new type is forgotten, and so sent again.
    """
    if kept is None:
        return f"CAST(NULL AS {dialect.kept_type(column)})"
    value = f"{table}{quote(kept.name)}"
    if not is_retyped(dialect, column, kept):
        return value
    before = rendered(dialect, value, kept)
    if column.kind is Kind.TEXT:
        return f"CASE WHEN {before} LIKE 's:%' THEN SUBSTR({before}, 3) END"
    cast = _try_cast(dialect, value, column, kept)
    return f"CASE WHEN {before} = {rendered(dialect, cast, column)} THEN {cast} END"


def is_retyped(dialect: Dialect, column: Column, kept: Column) -> bool:
    """Return whether a column is kept in another type than it has today."""
    return kept.type != dialect.kept_type(column)


def _try_cast(dialect: Dialect, value: str, column: Column, kept: Column) -> str:  # noqa: PLR0911 - one for each kind
    match dialect.engine:
        case Engine.DUCKDB if column.type.startswith("UNION"):
            return f"CAST(NULL AS {column.type})"  # what fits none of its members can't even be tried
        case Engine.DUCKDB if column.type == "BIGNUM" and kept.kind is Kind.TEXT:
            return "CAST(NULL AS BIGNUM)"  # nor can a text that is no number, before DuckDB 2.0
        case Engine.DUCKDB if column.kind is Kind.NESTED or "BIGNUM" in {column.type, kept.type}:
            # Structs without a common field can't be tried either; a BIGNUM's casts fail where they should be NULL.
            return f"TRY_CAST(CAST({value} AS VARCHAR) AS {column.type})"
        case Engine.DUCKDB:
            return f"TRY_CAST({value} AS {column.type})"
        case Engine.SNOWFLAKE if column.kind is Kind.JSON:
            return f"TRY_PARSE_JSON(CAST({value} AS VARCHAR))"
        case Engine.SNOWFLAKE if column.kind is Kind.TEXT:
            return f"CAST({value} AS VARCHAR)"
        case Engine.SNOWFLAKE if column.kind is Kind.BINARY:
            return f"TRY_TO_BINARY(CAST({value} AS VARCHAR), 'HEX')"
        case Engine.SNOWFLAKE:  # "TRY_CAST" takes only text there
            return f"TRY_CAST(CAST({value} AS VARCHAR) AS {column.type})"


def rendered(dialect: Dialect, value: str, column: Column) -> str:  # noqa: PLR0911 - one for each kind
    """Return an SQL text that is equal for two values exactly when Klaviyo is given the same JSON for both."""
    text = f"CAST({dialect.comparable(value, column)} AS VARCHAR)"
    number = f"'n:' || CAST(CAST({value} AS DOUBLE) AS VARCHAR)"
    match column.kind:
        case Kind.TEXT | Kind.DATE | Kind.TIME:
            return f"'s:' || {text}"
        case Kind.TIMESTAMP | Kind.TIMESTAMP_TZ:
            return f"'s:' || REPLACE({text}, ' ', 'T')"
        case Kind.INTEGER:
            return f"CASE WHEN {value} BETWEEN -9007199254740992 AND 9007199254740992 THEN {number} ELSE 's:' || {text} END"
        case Kind.DECIMAL:
            return f"CASE WHEN LENGTH(REPLACE(REPLACE({text}, '-', ''), '.', '')) <= 15 THEN {number} ELSE 's:' || {text} END"
        case Kind.FLOAT:
            return number
        case Kind.BOOLEAN:
            return f"'b:' || {text}"
        case Kind.NESTED if dialect.engine is Engine.DUCKDB:
            return f"'j:' || CAST(TO_JSON({value}) AS VARCHAR)"  # the text alone does not tell [1] from ['1']
        case Kind.BINARY | Kind.JSON | Kind.NESTED:
            return f"'j:' || {text}"
