"""The supported warehouses."""

from __future__ import annotations

from enum import StrEnum
from typing import assert_never


class Engine(StrEnum):
    """A warehouse engine. The values are both dbt's adapter types and sqlglot's dialect names.

    The properties are facts that need no session; `Dialect` knows the SQL of an engine.
    """

    DUCKDB = "duckdb"
    SNOWFLAKE = "snowflake"

    @property
    def folds_to_upper_case(self) -> bool:
        """Return whether the engine reads an unquoted name as upper case."""
        match self:
            case Engine.DUCKDB:
                return False
            case Engine.SNOWFLAKE:
                return True
            case _:
                assert_never(self)

    @property
    def aggregate_order_hint(self) -> str:
        """Return how to give the values of an array or string aggregate an order."""
        match self:
            case Engine.DUCKDB:
                return "Add ORDER BY a unique key inside its parentheses."
            case Engine.SNOWFLAKE:
                return "Add WITHIN GROUP (ORDER BY a unique key)."
            case _:
                assert_never(self)

    @property
    def default_schema(self) -> str:
        """Return the schema in which dbt builds if an output names none; "" if a name is required."""
        match self:
            case Engine.DUCKDB:
                return "main"
            case Engine.SNOWFLAKE:
                return ""
            case _:
                assert_never(self)

    @property
    def zoned_time_hint(self) -> str:
        """Return how to say in which time zone a timestamp is."""
        match self:
            case Engine.DUCKDB:
                return "Say in which zone it is: ordered_at AT TIME ZONE 'UTC' AS time."
            case Engine.SNOWFLAKE:
                sql = "CONVERT_TIMEZONE('UTC', 'UTC', ordered_at)::TIMESTAMP_TZ"
                return f"Say in which zone it is: {sql} AS time."
            case _:
                assert_never(self)
