"""The rows whose person Klaviyo does not know, of a model that creates nobody. They are looked at again later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.state.sql.snapshot import delete_applied_rows
from reverse_etl.state.sql.templates import render
from reverse_etl.warehouse.statement import Statement

if TYPE_CHECKING:
    from reverse_etl.state.sql.deltas import RunDeltas
    from reverse_etl.warehouse.model_tables import ModelTables


def record_without_profile(run: RunDeltas, looked_up_at: str) -> tuple[Statement, ...]:
    """Store the rows of a run whose person was not found, and forget that they were applied before.

    Run it in one transaction, after `collect_applied` and before `apply_to_snapshot`.
    """
    tables, state_table = run.tables, run.tables.dialect.state_table
    without_profile, snapshot, deltas = (
        state_table(name) for name in (tables.without_profile, tables.snapshot, tables.deltas)
    )
    return (
        delete_applied_rows(tables, without_profile),
        Statement.change(
            without_profile,
            *render("without_profile:delete_without_profile", tables, run=run, table=tables.without_profile),
        ),
        Statement.insert(
            without_profile,
            *render("without_profile:insert_without_profile", tables, run=run, looked_up_at=looked_up_at),
        ),
        Statement.change(
            snapshot,
            *render("without_profile:delete_without_profile", tables, run=run, table=tables.snapshot),
        ),
        Statement.change(deltas, *render("without_profile:delete_deltas_without_profile", tables, run=run)),
    )


def prune_without_profile(tables: ModelTables) -> Statement:
    """Forget the rows that left the model."""
    without_profile = tables.dialect.state_table(tables.without_profile)
    return Statement.change(without_profile, *render("without_profile:prune_without_profile", tables))
