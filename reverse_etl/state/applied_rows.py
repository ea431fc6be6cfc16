"""The deltas that receipts prove applied, and what is read of the rows that they replace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.state.sql import snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.state.sql.deltas import RunDeltas
    from reverse_etl.state.tables import StateTables
    from reverse_etl.warehouse.statement import Sql


def collect_applied_rows(state_tables: StateTables, run: RunDeltas, *, reads_all: bool) -> Sequence[Sql]:
    """Collect applied deltas, and the rows that they replace, in scratch tables.

    Returns the payload columns that are read of the replaced rows: those in which some delta has a NULL that
    is no value, so that the old value stays. With `reads_all`, all of them are read.
    """
    tables = run.tables
    state_tables.execute(snapshot.collect_applied(run))
    old_columns: Sequence[Sql] = tables.payload_columns
    if old_columns and tables.sends_nulls and not reads_all:
        old_columns = ()
    elif old_columns and not reads_all:
        ((*nulls,),) = state_tables.fetch(snapshot.count_nulls(run))
        old_columns = [column for column, rows in zip(old_columns, nulls, strict=True) if rows]
    state_tables.execute(snapshot.collect_replaced(tables, old_columns))
    return old_columns
