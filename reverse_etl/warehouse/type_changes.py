"""Stored values of a column whose type changed, in its current type, if Klaviyo would get the same JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.domain.columns import Column, ColumnKind
from reverse_etl.warehouse.statement import Statement, quote_identifier

if TYPE_CHECKING:
    from reverse_etl.warehouse.dialect import ColumnChange, Dialect


def current_value_sql(dialect: Dialect, column: Column, stored_column: Column | None, prefix: str) -> str:
    """Return the snapshot's value of a column in the column's current type.

    If the type changed, a value that would be encoded differently in the new type becomes NULL, and so is sent again.
    """
    if stored_column is None:
        return f"CAST(NULL AS {dialect.storage_type(column)})"
    value = f"{prefix}{quote_identifier(stored_column.name)}"
    if not is_retyped(dialect, column, stored_column):
        return value
    stored_json = json_text_sql(dialect, value, stored_column)
    if column.kind is ColumnKind.TEXT:
        return f"CASE WHEN {stored_json} LIKE 's:%' THEN SUBSTR({stored_json}, 3) END"
    cast = dialect.try_cast_sql(value, column, stored_column)
    return f"CASE WHEN {stored_json} = {json_text_sql(dialect, cast, column)} THEN {cast} END"


def alter_column(dialect: Dialect, table: str, change: ColumnChange) -> Statement:
    """Return a statement that adds a column to a state table, or converts it to the type it has today."""
    name, column, stored_column = dialect.state_table(table), change.column, change.stored_column
    if stored_column is None:
        action = f"ADD COLUMN {quote_identifier(column.name)} {dialect.storage_type(column)}"
    else:
        converted = current_value_sql(dialect, column, stored_column, "")
        action = f"ALTER COLUMN {quote_identifier(stored_column.name)} TYPE {column.type} USING {converted}"
    return Statement.alter(name, f"ALTER TABLE {name} {action}")


def is_retyped(dialect: Dialect, column: Column, stored_column: Column) -> bool:
    """Return whether a column is stored in another type than its current one."""
    return stored_column.type != dialect.storage_type(column)


def json_text_sql(dialect: Dialect, value: str, column: Column) -> str:  # noqa: PLR0911 - one for each kind
    """Return an SQL text that is equal for two values exactly if Klaviyo gets the same JSON for both."""
    text = f"CAST({dialect.comparable_sql(value, column)} AS VARCHAR)"
    number = f"'n:' || CAST(CAST({value} AS DOUBLE) AS VARCHAR)"
    match column.kind:
        case ColumnKind.TEXT | ColumnKind.DATE | ColumnKind.TIME:
            return f"'s:' || {text}"
        case ColumnKind.TIMESTAMP | ColumnKind.TIMESTAMP_TZ:
            return f"'s:' || REPLACE({text}, ' ', 'T')"
        case ColumnKind.INTEGER:
            return f"CASE WHEN {value} BETWEEN -9007199254740992 AND 9007199254740992 THEN {number} ELSE 's:' || {text} END"
        case ColumnKind.DECIMAL:
            return f"CASE WHEN LENGTH(REPLACE(REPLACE({text}, '-', ''), '.', '')) <= 15 THEN {number} ELSE 's:' || {text} END"
        case ColumnKind.FLOAT:
            return number
        case ColumnKind.REAL:
            return f"'n:' || CAST(CAST({text} AS DOUBLE) AS VARCHAR)"
        case ColumnKind.BOOLEAN:
            return f"'b:' || {text}"
        case ColumnKind.NESTED:
            return f"'j:' || CAST(TO_JSON({value}) AS VARCHAR)"  # the text alone does not tell [1] from ['1']
        case ColumnKind.BINARY | ColumnKind.JSON:
            return f"'j:' || {text}"
