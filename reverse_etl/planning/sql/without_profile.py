"""Statements that leave rows out of the plan whose person Klaviyo does not know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.domain.deltas import Op
from reverse_etl.planning.sql.staging import comparable_values
from reverse_etl.warehouse.sql_template import render_sql
from reverse_etl.warehouse.statement import Statement

if TYPE_CHECKING:
    from reverse_etl.warehouse.model_tables import ModelTables


def skip_without_profile(tables: ModelTables, since: str) -> Statement:
    """Leave out the unchanged rows whose person was looked up since a time, and not found."""
    staged_values, stored_values = comparable_values(tables, "s."), comparable_values(tables, "m.")
    staged_values |= {str(name): value for name, value in tables.sent_identifiers_sql("s").items()}
    pairs = [(staged_values[name], value) for name, value in stored_values.items()]
    return Statement.change(
        tables.dialect.temp_table(tables.planned),
        *render_sql(
            "planning/sql/skip_without_profile",
            tables.dialect,
            tables=tables,
            since=since,
            compared_values=pairs,
        ),
    )


def count_adds_without_profile(tables: ModelTables) -> Statement:
    """Return (list id, rows) of the adds that are looked up again: nobody is added by most of them."""
    planned, without_profile = (
        tables.dialect.temp_table(tables.planned),
        tables.dialect.state_table(tables.without_profile),
    )
    return Statement.read(
        f"SELECT p.retl_list_id, COUNT(*) FROM {planned} AS p JOIN {without_profile} AS m "
        f"ON m.retl_list_id = p.retl_list_id AND m.retl_identity = p.retl_identity\n"
        f"WHERE p.retl_op = '{Op.ADD}' GROUP BY p.retl_list_id ORDER BY p.retl_list_id"
    )
