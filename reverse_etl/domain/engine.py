"""The warehouses that reverse-etl runs in."""

from __future__ import annotations

from enum import StrEnum
from typing import assert_never


class Engine(StrEnum):
    """A warehouse's engine; the values are dbt's adapter types and sqlglot's dialects alike.

    What is asked of an engine without a session is answered here; a `Dialect` answers for its SQL.
    """

    DUCKDB = "duckdb"
    SNOWFLAKE = "snowflake"

    @property
    def folds_to_upper_case(self) -> bool:
        """Return whether a name without quotes means that name in upper case."""
        match self:
            case Engine.DUCKDB:
                return False
            case Engine.SNOWFLAKE:
                return True
            case _:
                assert_never(self)

    @property
    def database_is_a_file(self) -> bool:
        """Return whether dbt builds in a file, beside which the state is a file of its own."""
        match self:
            case Engine.DUCKDB:
                return True
            case Engine.SNOWFLAKE:
                return False
            case _:
                assert_never(self)

    @property
    def default_schema(self) -> str:
        """Return the schema in which dbt builds if an output names none; "" if it has to name one."""
        match self:
            case Engine.DUCKDB:
                return "main"
            case Engine.SNOWFLAKE:
                return ""
            case _:
                assert_never(self)
