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
    def database_is_a_file(self) -> bool:
        """Return whether the database is a file; the state is then a second file beside it."""
        match self:
            case Engine.DUCKDB:
                return True
            case Engine.SNOWFLAKE:
                return False
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
