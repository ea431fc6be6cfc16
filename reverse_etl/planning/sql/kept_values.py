"""Statements that take values from the plan's clears which another row or model has for the same person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.domain.deltas import Op
from reverse_etl.warehouse.model_tables import CLEARED_COLUMN, ONLY_CLEARS_COLUMN
from reverse_etl.warehouse.sql_template import render_sql
from reverse_etl.warehouse.statement import Statement, quote_identifier

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.warehouse.model_tables import ModelTables
    from reverse_etl.warehouse.statement import Sql, TableName


@dataclass(frozen=True)
class ValueSource:
    """Rows of the same people, and their columns that have the values to clear, by their mark.

    `is_own` says that these are the staged rows of the model itself: a row does not keep its own values.
    """

    model: str
    rows: TableName | Sql
    identifier_columns: Sequence[Sql]
    values_by_mark: Mapping[Sql, Sequence[Sql]]
    is_own: bool


def collect_kept_values(tables: ModelTables, sources: Sequence[ValueSource]) -> Statement:
    """Collect the values to keep into a temporary table: (number of the delta, model, marks of the columns)."""
    return Statement.create(
        tables.dialect.temp_table(tables.kept_values),
        *render_sql("planning/sql/collect_kept_values", tables.dialect, tables=tables, sources=sources),
    )


def count_kept_values(tables: ModelTables) -> Statement:
    """Return (model, and for each column that may be cleared the rows that keep its value)."""
    counts = ", ".join(
        f"COUNT(DISTINCT CASE WHEN POSITION({mark} IN retl_kept) > 0 THEN retl_seq END)"
        for mark in tables.clear_marks.values()
    )
    kept = tables.dialect.temp_table(tables.kept_values)
    return Statement.read(f"SELECT retl_model, {counts} FROM {kept} GROUP BY retl_model ORDER BY retl_model")


def keep_value(tables: ModelTables, column: str) -> Statement:
    """Take a column from the clears of the rows that keep its value."""
    planned, kept = (tables.dialect.temp_table(name) for name in (tables.planned, tables.kept_values))
    mark = tables.clear_marks[quote_identifier(column)]
    return Statement.change(
        planned,
        f"UPDATE {planned} SET {CLEARED_COLUMN} = NULLIF(REPLACE({CLEARED_COLUMN}, {mark}, ''), '')\n"
        f"WHERE retl_seq IN (SELECT retl_seq FROM {kept} WHERE POSITION({mark} IN retl_kept) > 0)",
    )


def delete_rows_without_change(tables: ModelTables) -> Statement:
    """Delete the rows from the plan that were to be sent for clears alone, and have none left."""
    planned = tables.dialect.temp_table(tables.planned)
    return Statement.change(
        planned,
        f"DELETE FROM {planned} WHERE retl_op = '{Op.UPDATE}' AND {ONLY_CLEARS_COLUMN} "
        f"AND {CLEARED_COLUMN} IS NULL",
    )
