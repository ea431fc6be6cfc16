"""Chooses the adapter of a target's warehouse, and the names of that warehouse's own tables.

Only the adapter that is chosen is imported, since its driver takes a part of each start.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple, assert_never

from reverse_etl.config.target import NO_WAREHOUSE_OPTIONS, WarehouseOptions
from reverse_etl.domain.engine import Engine
from reverse_etl.errors import UsageError
from reverse_etl.warehouse.statement import quote_literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from reverse_etl.config.target import Output, Target
    from reverse_etl.warehouse.interface import Warehouse


def _render_snowflake_task(target: Target, after: str | None) -> str:
    from reverse_etl.warehouse.snowflake.task import render_snowflake_task

    return render_snowflake_task(target, after)


# The schedulers of warehouses that can run reverse-etl. Each function returns the SQL of a job, which
# may follow a task that builds with dbt.
SCHEDULES: Final[Mapping[str, Callable[[Target, str | None], str]]] = {
    str(Engine.SNOWFLAKE): _render_snowflake_task
}


def open_warehouse(
    output: Output,
    *,
    read_only: bool,
    options: WarehouseOptions = NO_WAREHOUSE_OPTIONS,
    threads: int | None = None,
) -> Warehouse:
    """Open a session with a target's warehouse; with `read_only`, it can change nothing that lasts.

    On Snowflake the state is in a schema of its own, on DuckDB in a file of its own; see `options`.
    `threads` is how many tasks may run at the same time where statements of one session can; by default the
    output's.

    Raises UsageError for an output that can't be used, WarehouseError if the warehouse does not answer.
    """
    match output.type:
        case Engine.DUCKDB:
            from reverse_etl.warehouse.duckdb.adapter import DuckDB

            return DuckDB(
                output.settings,
                read_only=read_only,
                locations=output.locations,
                state_path=options.state_path,
            )
        case Engine.SNOWFLAKE:
            from reverse_etl.warehouse.snowflake import Snowflake

            return Snowflake(output.settings, read_only=read_only, options=options, threads=threads)
        case _:
            assert_never(output.type)


def move_state(output: Output, options: WarehouseOptions, source: str) -> str:
    """Move a state to the place where the target has it now; return that place.

    Raises UsageError if it can't be moved from there, WarehouseError if it is in use.
    """
    match output.type:
        case Engine.DUCKDB:
            from reverse_etl.warehouse.duckdb.state_move import move_state_file

            return str(move_state_file(output.settings, options.state_path, source))
        case Engine.SNOWFLAKE:
            raise UsageError.of(
                "Snowflake moves a state in one statement; a command can't do it better.",
                where=f"reverse-etl state move --from {source}",
                hint=f"Between two runs: ALTER SCHEMA {source} RENAME TO <state_database>.<state_schema>",
            )
        case _:
            assert_never(output.type)


def find_warehouse_file(output: Output) -> Path | None:
    """Return the file in which dbt builds, below the current folder; None if the warehouse is no file."""
    match output.type:
        case Engine.DUCKDB:
            from reverse_etl.config.duckdb_output import MEMORY, main_path
            from reverse_etl.warehouse.duckdb.state_file import warehouse_path

            is_file = main_path(output.settings) != MEMORY
            return warehouse_path(output.settings) if is_file else None
        case Engine.SNOWFLAKE:
            return None
        case _:
            assert_never(output.type)


class StateSource(NamedTuple):
    """Where dbt reads the state: the database and schema, and what dbt needs for it, '' for nothing."""

    database: str
    schema: str
    advice: str


def find_state_source(target: Target) -> StateSource:
    """Return where dbt reads a target's state; connects to nothing."""
    options = target.destination.warehouse_options
    match target.output.type:
        case Engine.DUCKDB:
            from reverse_etl.warehouse.duckdb.state_file import find_state_file

            path = find_state_file(target.output.settings, options.state_path).path
            attach = f"ATTACH IF NOT EXISTS {quote_literal(str(path))} AS reverse_etl_state (READ_ONLY)"
            return StateSource(
                "reverse_etl_state", "main", f"add to dbt_project.yml: on-run-start: {json.dumps(attach)}"
            )
        case Engine.SNOWFLAKE:
            return StateSource(options.state_database or "{{ target.database }}", target.state_schema, "")
        case _:
            assert_never(target.output.type)


def is_state_table(database: str, schema: str, target: Target) -> bool:
    """Return whether a table is of the state; names are in lower case, '' if they are not given."""
    match target.output.type:
        case Engine.DUCKDB:
            from reverse_etl.warehouse.duckdb import system_tables as duckdb_tables

            return duckdb_tables.is_state_table(database, schema)
        case Engine.SNOWFLAKE:
            from reverse_etl.warehouse.snowflake import system_tables as snowflake_tables

            return snowflake_tables.is_state_table(schema, target)
        case _:
            assert_never(target.output.type)


def is_catalog_table(database: str, schema: str, name: str, target: Target) -> bool:
    """Return whether a table is of the warehouse itself, such as a catalog."""
    match target.output.type:
        case Engine.DUCKDB:
            from reverse_etl.warehouse.duckdb import system_tables as duckdb_tables

            return duckdb_tables.is_catalog_table(database, schema, name, target)
        case Engine.SNOWFLAKE:
            from reverse_etl.warehouse.snowflake import system_tables as snowflake_tables

            return snowflake_tables.is_catalog_table(database)
        case _:
            assert_never(target.output.type)
