"""The rows whose person Klaviyo does not know, of a model that creates nobody. They are looked at again later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.state.sql.templates import render
from reverse_etl.warehouse.statement import Statement

if TYPE_CHECKING:
    from reverse_etl.state.sql.deltas import RunDeltas
    from reverse_etl.warehouse.model_tables import ModelTables


def record_missing(run: RunDeltas, looked_up_at: str) -> tuple[Statement, ...]:
    """Store the rows of a run whose person was not found, and forget that they were applied before.

    Run it in one transaction, after `collect_applied` and before `apply_to_snapshot`.
    """
    tables, state_table = run.tables, run.tables.dialect.state_table
    missing, snapshot, deltas = (
        state_table(name) for name in (tables.missing, tables.snapshot, tables.deltas)
    )
    return (
        Statement.change(missing, *render("delete_found_rows", tables)),
        Statement.change(missing, *render("delete_missing_rows", tables, run=run, table=tables.missing)),
        Statement.insert(missing, *render("insert_missing_rows", tables, run=run, looked_up_at=looked_up_at)),
        Statement.change(snapshot, *render("delete_missing_rows", tables, run=run, table=tables.snapshot)),
        Statement.change(deltas, *render("delete_missing_deltas", tables, run=run)),
    )


def prune_missing(tables: ModelTables) -> Statement:
    """Forget the rows that left the model."""
    missing = tables.dialect.state_table(tables.missing)
    return Statement.change(missing, *render("prune_missing", tables))
