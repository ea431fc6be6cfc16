"""Tables and rows, as the planning and the state write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reverse_etl.clock import SystemClock
from reverse_etl.state.tables import StateScope, StateTables
from reverse_etl.warehouse.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.warehouse.interface import Warehouse


def insert(warehouse: Warehouse, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows, each statement committed by itself unless inside a transaction."""
    tables = StateTables(warehouse, StateScope("", ""), SystemClock())
    tables.execute(*tables.insert(table, rows))


def create_scratch(warehouse: Warehouse, table: str, select: str) -> Statement:
    """Return the statement that makes a scratch table of a query, in place of one of that name."""
    text = f"{warehouse.dialect.replace_temp_table_sql(table)} AS {select}"
    return Statement.create(warehouse.dialect.temp_table(table), text)
