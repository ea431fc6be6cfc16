"""Statements of rows that are events: those that are too old, and those that are to be sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.klaviyo.event_encoding import METRIC, TIME
from reverse_etl.warehouse.model_tables import ModelTables, timestamp_sql
from reverse_etl.warehouse.sql_template import render_sql
from reverse_etl.warehouse.statement import Sql, Statement, quote_identifier

if TYPE_CHECKING:
    from datetime import datetime

    from reverse_etl.domain.columns import Column


def count_old_events(tables: ModelTables, cutoff: datetime) -> Statement:
    """Return how many staged rows are of a time before the cutoff."""
    return Statement.read(f"SELECT COUNT(*) FROM {tables.staged_rows} WHERE {_is_before(tables, cutoff)}")


def delete_old_events(tables: ModelTables, cutoff: datetime) -> Statement:
    """Delete the staged rows of a time before the cutoff: they are not rows of the model."""
    staged = tables.dialect.temp_table(tables.staged_table)
    return Statement.change(staged, f"DELETE FROM {staged} WHERE {_is_before(tables, cutoff)}")


def count_planned_events(tables: ModelTables, live_since: datetime) -> Statement:
    """Return one row: how many events are to be sent, how many of them lie before a time, and the oldest time."""
    time = tables.find_column(TIME)
    return Statement.read(
        *render_sql(
            "planning/sql/events:planned_events",
            tables.dialect,
            tables=tables,
            time=_column_sql(time),
            live_since=timestamp_sql(tables.dialect, time, live_since),
        )
    )


def count_busy_days(tables: ModelTables, limit: int) -> Statement:
    """Return one row: on how many days a person has too many events, one to be sent among them, and the most."""
    return Statement.read(
        *render_sql(
            "planning/sql/events:count_busy_days",
            tables.dialect,
            tables=tables,
            time=_column_sql(tables.find_column(TIME)),
            limit=limit,
        )
    )


def select_metrics(tables: ModelTables) -> Statement:
    """Return the distinct metrics of the valid rows."""
    metric = _column_sql(tables.find_column(METRIC))
    return Statement.read(
        f"SELECT DISTINCT {metric} FROM {tables.staged_rows} "
        f"WHERE retl_problem IS NULL AND {metric} IS NOT NULL ORDER BY {metric}"
    )


def _is_before(tables: ModelTables, cutoff: datetime) -> str:
    time = tables.find_column(TIME)
    return f"{_column_sql(time)} < {timestamp_sql(tables.dialect, time, cutoff)}"


def _column_sql(column: Column) -> Sql:
    return quote_identifier(column.name)
