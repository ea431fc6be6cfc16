"""Chooses the adapter of a target's warehouse."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from reverse_etl.config.target import NO_WAREHOUSE_OPTIONS, WarehouseOptions
from reverse_etl.domain.engine import Engine
from reverse_etl.warehouse.duckdb.adapter import DuckDB
from reverse_etl.warehouse.snowflake import Snowflake

if TYPE_CHECKING:
    from reverse_etl.config.target import Output
    from reverse_etl.warehouse.interface import Warehouse


def open_warehouse(
    output: Output, *, read_only: bool, options: WarehouseOptions = NO_WAREHOUSE_OPTIONS
) -> Warehouse:
    """Open a session with a target's warehouse; with `read_only`, it can change nothing that lasts.

    On Snowflake the state is in a schema of its own, on DuckDB in a file of its own; see `options`.

    Raises UsageError for an output that can't be used, WarehouseError if the warehouse does not answer.
    """
    match output.type:
        case Engine.DUCKDB:
            return DuckDB(
                output.settings,
                read_only=read_only,
                locations=output.locations,
                state_path=options.state_path,
            )
        case Engine.SNOWFLAKE:
            return Snowflake(output.settings, read_only=read_only, options=options)
        case _:
            assert_never(output.type)
