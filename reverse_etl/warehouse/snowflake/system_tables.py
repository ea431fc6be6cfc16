"""The tables of Snowflake that belong to the state or to the warehouse itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reverse_etl.config.target import Target


def is_state_table(schema: str, target: Target) -> bool:
    """Return whether a table is of the state; the schema is in lower case, '' if it is not given."""
    return schema == target.state_schema.strip('"').casefold()


def is_catalog_table(database: str) -> bool:
    """Return whether a table is of the warehouse itself."""
    return database == "snowflake"
