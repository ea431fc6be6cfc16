"""Rows in a state table, as the state puts them there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reverse_etl.state.sql import ledger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.warehouse.interface import Warehouse


def insert(warehouse: Warehouse, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows, each statement committed by itself unless inside a transaction."""
    for statement in ledger.insert_rows(warehouse.dialect, table, rows):
        warehouse.execute(statement)
