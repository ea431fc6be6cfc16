"""The warehouses that the job runs in."""

from __future__ import annotations

from enum import StrEnum


class Engine(StrEnum):
    """A warehouse's engine; the values are dbt's adapter types and sqlglot's dialects alike."""

    DUCKDB = "duckdb"
    SNOWFLAKE = "snowflake"
