"""Renders the statements that are files beside this module."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reverse_etl.warehouse.sql_template import render_sql

if TYPE_CHECKING:
    from reverse_etl.warehouse.model_tables import ModelTables
    from reverse_etl.warehouse.statement import Sql


def render(template: str, tables: ModelTables, **values: object) -> tuple[Sql, tuple[Any, ...]]:
    """Return the text and the parameters of a template, to which the model's tables are `tables`."""
    return render_sql(f"state/sql/{template}", tables.dialect, tables=tables, **values)
