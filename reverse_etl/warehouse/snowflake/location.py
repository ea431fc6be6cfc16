"""Where a session's tables lie: the output's database and schema, and the schema of the state."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reverse_etl.errors import UsageError, WarehouseError
from reverse_etl.warehouse.snowflake.errors import MISSING, REFUSED
from reverse_etl.warehouse.statement import Statement, StatementKind, literal, quote

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reverse_etl.warehouse.interface import Row


@dataclass(frozen=True)
class Place:
    """The database, its schema that dbt builds in, and that of the state, as they are written in SQL."""

    database: str
    schema: str
    state_schema: str

    @property
    def home(self) -> str:
        """Return the full name of the schema that dbt builds in."""
        return f"{self.database}.{self.schema}"

    @property
    def state(self) -> str:
        """Return the full name of the state's schema."""
        return f"{self.database}.{self.state_schema}"

    @property
    def look(self) -> Statement:
        """Return what shows the state's schema, and perhaps others: LIKE takes _ for any character."""
        return Statement.read(f"SHOW SCHEMAS LIKE {literal(self._bare)} IN DATABASE {self.database}")

    def shown(self, rows: list[Row]) -> bool:
        """Return whether the state's schema is among what `look` found; a row is (created on, name, ...)."""
        return any(row[1] == self._bare for row in rows)

    @property
    def make(self) -> Statement:
        """Return what makes the state's schema."""
        return Statement(
            f"CREATE TRANSIENT SCHEMA IF NOT EXISTS {self.state} DATA_RETENTION_TIME_IN_DAYS = 0",
            kind=StatementKind.CREATE,
            table=None,
            repeatable=True,
        )

    def not_made(self, error: WarehouseError) -> WarehouseError:
        """Return what to say when `make` failed; where a grant is missing, which."""
        if getattr(error.__cause__, "errno", None) not in REFUSED | MISSING:
            return error
        return WarehouseError.of(
            f"The role may not create the schema {self.state}, in which the job keeps its state.",
            where=self.make.opening,
            advice="Let an owner of the database run: "
            f"GRANT CREATE SCHEMA ON DATABASE {self.database} TO ROLE <role>. "
            f"Or: CREATE TRANSIENT SCHEMA {self.state}; "
            f"GRANT USAGE, CREATE TABLE ON SCHEMA {self.state} TO ROLE <role>.",
        )

    @property
    def _bare(self) -> str:
        return self.state_schema[1:-1].replace('""', '"')


def place_of(
    settings: Mapping[str, Any], state_schema: str, fetch: Callable[[Statement], list[Row]]
) -> Place:
    """Return where an output's tables lie: as it says, else where the user or the named connection begins.

    Raises UsageError where that is nowhere, and where the state would lie among dbt's tables: a model of dbt
    may be called `lists` or `runs`, as tables of the state are.
    """
    database, schema = str(settings.get("database") or ""), str(settings.get("schema") or "")
    if not database or not schema:
        ((current_database, current_schema),) = fetch(
            Statement.read("SELECT CURRENT_DATABASE(), CURRENT_SCHEMA()")
        )
        database, schema = database or quote(current_database or ""), schema or quote(current_schema or "")
    if '""' in (database, schema):
        raise UsageError.of(
            "The snowflake output has no database or no schema.",
            where="profiles.yml",
            advice="Give it `database` and `schema`, as dbt needs them.",
        )
    place = Place(identifier(database), identifier(schema), identifier(state_schema))
    if place.state == place.home:
        raise UsageError.of(
            f"state_schema is {place.state_schema}, in which dbt builds.",
            where="profiles.yml",
            advice="Give the state a schema of its own, or leave state_schema out.",
        )
    return place


def identifier(name: str) -> str:
    """Return a name of profiles.yml as SQL: folded to upper case as Snowflake does, or as it is quoted.

    >>> identifier("analytics"), identifier('"Mixed"'), identifier("with-dash")
    ('"ANALYTICS"', '"Mixed"', '"with-dash"')
    """
    if name.startswith('"') and name.endswith('"'):
        return name
    return quote(name.upper() if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_$]*", name) else name)
