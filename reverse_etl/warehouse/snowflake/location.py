"""The location of a session's tables: the output's database and schema, and the schema of the state."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reverse_etl.config.target import STATE_SCHEMA
from reverse_etl.errors import UsageError, WarehouseError
from reverse_etl.warehouse.snowflake.errors import MISSING_OBJECT_CODES, NO_PRIVILEGE_CODES
from reverse_etl.warehouse.statement import Statement, StatementKind, quote_identifier, quote_literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reverse_etl.config.target import WarehouseOptions
    from reverse_etl.warehouse.interface import Row


@dataclass(frozen=True)
class SnowflakeLocation:
    """The database and schema that dbt builds in, and those of the state, as SQL writes them."""

    database: str
    schema: str
    state_database: str
    state_schema: str

    @property
    def full_schema(self) -> str:
        """Return the full name of the schema that dbt builds in."""
        return f"{self.database}.{self.schema}"

    @property
    def full_state_schema(self) -> str:
        """Return the full name of the state's schema."""
        return f"{self.state_database}.{self.state_schema}"

    def show_schemas(self, database: str) -> Statement:
        """Return the statement that shows a schema of the state's name; _ in LIKE may match others too."""
        return Statement.read(
            f"SHOW SCHEMAS LIKE {quote_literal(self._unquoted_state_schema)} IN DATABASE {database}"
        )

    def has_state_schema(self, rows: list[Row]) -> bool:
        """Return whether the state's schema is among the rows of `show_schemas`: (created on, name, ...)."""
        return any(row[1] == self._unquoted_state_schema for row in rows)

    @property
    def create_state_schema(self) -> Statement:
        """Return the statement that creates the state's schema."""
        return Statement(
            f"CREATE TRANSIENT SCHEMA IF NOT EXISTS {self.full_state_schema} "
            f"DATA_RETENTION_TIME_IN_DAYS = 1 DEFAULT_DDL_COLLATION = ''",
            kind=StatementKind.CREATE,
            table=None,
            repeatable=True,
        )

    def creation_error(self, error: WarehouseError) -> WarehouseError:
        """Return the error to raise if `create_state_schema` failed; it names the missing grant."""
        if getattr(error.__cause__, "errno", None) not in NO_PRIVILEGE_CODES | MISSING_OBJECT_CODES:
            return error
        return WarehouseError.of(
            f"The role may not create the schema of the state, {self.full_state_schema}.",
            where=self.create_state_schema.excerpt,
            hint="Let an owner of the database run: "
            f"GRANT CREATE SCHEMA ON DATABASE {self.state_database} TO ROLE <role>. "
            f"Or: CREATE TRANSIENT SCHEMA {self.full_state_schema}; "
            f"GRANT USAGE, CREATE TABLE ON SCHEMA {self.full_state_schema} TO ROLE <role>.",
        )

    def left_behind_error(self, old: str) -> UsageError:
        """Return the error to raise if a state is in the output's database, and none in `state_database`."""
        return UsageError.of(
            f"The state is in {old}, and state_database asks for {self.full_state_schema}.",
            where="profiles.yml",
            hint=f"Move it between two runs: ALTER SCHEMA {old} RENAME TO {self.full_state_schema}. "
            "Or remove state_database.",
        )

    @property
    def _unquoted_state_schema(self) -> str:
        return self.state_schema[1:-1].replace('""', '"')


def resolve_location(
    settings: Mapping[str, Any], options: WarehouseOptions, fetch: Callable[[Statement], list[Row]]
) -> SnowflakeLocation:
    """Return the location of an output's tables: from the output, or the default of the user or connection.

    Raises UsageError if there is none, or if the state would be in the schema of dbt's tables: a dbt model
    may be named `lists` or `runs`, like tables of the state.
    """
    database, schema = str(settings.get("database") or ""), str(settings.get("schema") or "")
    if not database or not schema:
        ((current_database, current_schema),) = fetch(
            Statement.read("SELECT CURRENT_DATABASE(), CURRENT_SCHEMA()")
        )
        database, schema = (
            database or quote_identifier(current_database or ""),
            schema or quote_identifier(current_schema or ""),
        )
    if '""' in (database, schema):
        raise UsageError.of(
            "The snowflake output has no database or no schema.",
            where="profiles.yml",
            hint="Give it `database` and `schema`, as dbt needs them.",
        )
    location = SnowflakeLocation(
        database=to_sql_identifier(database),
        schema=to_sql_identifier(schema),
        state_database=to_sql_identifier(options.state_database or database),
        state_schema=to_sql_identifier(options.state_schema or STATE_SCHEMA),
    )
    if location.full_state_schema == location.full_schema:
        raise UsageError.of(
            f"state_schema is {location.state_schema}, in which dbt builds.",
            where="profiles.yml",
            hint="Give the state a schema of its own, or leave state_schema out.",
        )
    return location


def to_sql_identifier(name: str) -> str:
    """Return a name of profiles.yml as SQL: in upper case, as Snowflake folds it, or as it is quoted.

    >>> to_sql_identifier("analytics"), to_sql_identifier('"Mixed"'), to_sql_identifier("with-dash")
    ('"ANALYTICS"', '"Mixed"', '"with-dash"')
    """
    if name.startswith('"') and name.endswith('"'):
        return name
    return quote_identifier(name.upper() if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_$]*", name) else name)
