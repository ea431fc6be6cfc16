"""Creates the tables of a model in the state, or brings them to the model's columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.state.sql import schema

if TYPE_CHECKING:
    from reverse_etl.state.tables import StateTables
    from reverse_etl.warehouse.model_tables import ModelTables


def ensure_tables(state_tables: StateTables, tables: ModelTables, *, writes_deltas: bool = True) -> None:
    """Create a model's tables, or bring them to its columns. Not in a transaction; may be repeated.

    Without `writes_deltas` only the snapshot has to fit. The snapshot has new columns last. If it has them
    already, after a kill and a change back, the deltas have them last. So deltas and snapshot agree only if
    the other tables agree with them.
    """
    has_current_snapshot = _is_current(state_tables, tables, tables.snapshot)
    is_current = has_current_snapshot and (
        not writes_deltas or _is_current(state_tables, tables, tables.deltas)
    )
    if is_current and not tables.keeps_without_profile:
        return
    optional = (tables.without_profile,) if tables.keeps_without_profile else ()
    others = (*optional, tables.rejected)
    names = (
        (*others, tables.deltas, tables.snapshot)
        if has_current_snapshot
        else (tables.deltas, *others, tables.snapshot)
    )
    if not all(map(state_tables.columns, names)):
        state_tables.execute(*schema.create_model_tables(tables))
    for name in names:
        if changes := schema.migrate_columns(tables, name, state_tables.columns(name)):
            state_tables.execute(*changes)


def _is_current(state_tables: StateTables, tables: ModelTables, name: str) -> bool:
    """Return whether a table exists with the columns of the model."""
    columns = state_tables.columns(name)
    return bool(columns) and not schema.migrate_columns(tables, name, columns)
