"""Creates the tables of a model in the state, or brings them to the model's columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.state.sql import schema

if TYPE_CHECKING:
    from reverse_etl.state.tables import StateTables
    from reverse_etl.warehouse.model_tables import ModelTables


def ensure_tables(state_tables: StateTables, tables: ModelTables) -> None:
    """Create a model's tables, or bring them to its columns. Not in a transaction; may be repeated.

    The snapshot comes last: if it has all columns, the others have them.
    """
    stored_columns = state_tables.columns(tables.snapshot)
    is_current = stored_columns and not schema.migrate_columns(tables, tables.snapshot, stored_columns)
    if is_current and not tables.keeps_without_profile:
        return
    optional = (tables.without_profile,) if tables.keeps_without_profile else ()
    names = (*optional, tables.deltas, tables.rejected, tables.snapshot)
    if not all(map(state_tables.columns, names)):
        state_tables.execute(*schema.create_model_tables(tables))
    for name in names:
        if changes := schema.migrate_columns(tables, name, state_tables.columns(name)):
            state_tables.execute(*changes)
            state_tables.forget_kept()
