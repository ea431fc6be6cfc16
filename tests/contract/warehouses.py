"""A warehouse of each kind: its entry in profiles.yml, how dbt changes it, and the tables of the state."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb

from tests.contract.state_dump import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tests.contract.state_dump import Engine
    from tests.warehouse.snowflake_accounts import Server

DATABASE = "CONTRACT"  # a fixed name: a model's checksum depends on it
STATE_SCHEMA = "REVERSE_ETL"


@dataclass(frozen=True)
class Warehouse:
    """An empty warehouse.

    `sql` runs a statement in dbt's schema; `state` reads the tables of the state; `end_lease` lets the lease
    of a killed run expire.
    """

    engine: Engine
    output: Mapping[str, Any]
    sql: Callable[[str], object]
    state: Callable[[], dict[str, Table]]
    end_lease: Callable[[], object] = lambda: None  # on DuckDB the next run takes it over


def duckdb_warehouse(folder: Path) -> Warehouse:
    """Return a warehouse in the files `shop.duckdb` and `shop.reverse_etl.duckdb` of a folder."""

    def sql(text: str) -> None:
        with duckdb.connect(folder / "shop.duckdb") as connection:
            connection.execute(text)

    def state() -> dict[str, Table]:
        with duckdb.connect(folder / "shop.reverse_etl.duckdb", read_only=True) as connection:
            return duckdb_tables(connection)

    return Warehouse("duckdb", {"type": "duckdb", "path": "shop.duckdb", "threads": 1}, sql, state)


def duckdb_tables(connection: duckdb.DuckDBPyConnection) -> dict[str, Table]:
    """Return the tables of a DuckDB file."""
    columns = connection.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() "
        "WHERE database_name = current_database() ORDER BY table_name, column_index"
    ).fetchall()
    return _tables(columns, lambda name: connection.execute(f'SELECT * FROM "{name}"').fetchall())


@contextmanager
def snowflake_warehouse(server: Server, database: str = DATABASE) -> Iterator[Warehouse]:
    """Make a database on the stand-in for Snowflake, and drop it in the end."""
    place = server.place(STATE_SCHEMA, database)

    def state() -> dict[str, Table]:
        columns = place.ask(
            "SELECT table_name, column_name, data_type, numeric_precision, numeric_scale "
            f"FROM {database}.information_schema.columns WHERE table_schema = '{STATE_SCHEMA}' "
            "ORDER BY table_name, ordinal_position"
        )
        typed = [(table, name, _type(type_, *size)) for table, name, type_, *size in columns]
        return _tables(typed, lambda name: place.ask(f'SELECT * FROM {database}.{STATE_SCHEMA}."{name}"'))

    def end_lease() -> None:
        place.sql(f"UPDATE {database}.{STATE_SCHEMA}.LEASE SET expires_at = '2020-01-01T00:00:00.000Z'")

    try:
        yield Warehouse("snowflake", place.output, place.sql, state, end_lease)
    finally:
        place.close()


def _type(name: str, precision: int | None, scale: int | None) -> str:
    if name == "NUMBER":
        return f"NUMBER({precision},{scale})"
    return {"TEXT": "VARCHAR"}.get(name, name)


def _tables(
    columns: list[tuple[str, str, str]], rows: Callable[[str], list[tuple[Any, ...]]]
) -> dict[str, Table]:
    names = sorted({table for table, _, _ in columns})
    return {
        name: Table(tuple((column, type_) for table, column, type_ in columns if table == name), rows(name))
        for name in names
    }
