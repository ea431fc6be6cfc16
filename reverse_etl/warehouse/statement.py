"""SQL as a value: a statement with its bound parameters, and what a dialect says about names."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from reverse_etl.domain.columns import Column, ColumnKind
from reverse_etl.domain.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Iterable

RESERVED_PREFIX = "retl_"  # begins our columns in tables that hold a model's columns too


class StatementKind(StrEnum):
    """What a statement does, as far as an adapter needs to know."""

    READ = "read"  # changes nothing
    CREATE = "create"  # makes a table or a schema
    INSERT = "insert"  # adds rows and changes none
    CHANGE = "change"  # updates, deletes or merges rows, or alters a table
    DROP = "drop"  # drops a table
    SESSION = "session"  # begins or ends a transaction, or sets something of the session


@dataclass(frozen=True)
class TableName:
    """The full name of a table as SQL writes it; a `temporary` table is gone with its session."""

    sql: str
    temporary: bool

    def __str__(self) -> str:
        """Return the name as SQL writes it."""
        return self.sql


@dataclass(frozen=True)
class Statement:
    """One SQL statement with `?` for each parameter, in order, and what adapters must know of it.

    Adapters decide by `kind`, by the `table` that is written and by `repeatable`, and never read the text.
    `table` is None where no table is written. A statement is `repeatable` if running it twice has the same
    effect as running it once. The constructors by kind set all three.
    """

    text: str
    parameters: tuple[Any, ...] = ()
    kind: StatementKind = field(kw_only=True)
    table: TableName | None = field(kw_only=True)
    repeatable: bool = field(kw_only=True)

    @classmethod
    def read(cls, text: str, parameters: tuple[Any, ...] = ()) -> Statement:
        """Return a statement that only reads."""
        return cls(text, parameters, kind=StatementKind.READ, table=None, repeatable=True)

    @classmethod
    def create(
        cls, table: TableName, text: str, parameters: tuple[Any, ...] = (), *, repeatable: bool = True
    ) -> Statement:
        """Return a statement that creates or replaces a table; not repeatable if it reads the table itself."""
        return cls(text, parameters, kind=StatementKind.CREATE, table=table, repeatable=repeatable)

    @classmethod
    def insert(cls, table: TableName, text: str, parameters: tuple[Any, ...] = ()) -> Statement:
        """Return an INSERT; repeated, it would add its rows twice."""
        return cls(text, parameters, kind=StatementKind.INSERT, table=table, repeatable=False)

    @classmethod
    def change(
        cls, table: TableName, text: str, parameters: tuple[Any, ...] = (), *, repeatable: bool = True
    ) -> Statement:
        """Return an UPDATE, DELETE, MERGE or ALTER."""
        return cls(text, parameters, kind=StatementKind.CHANGE, table=table, repeatable=repeatable)

    @classmethod
    def drop(cls, table: TableName, text: str) -> Statement:
        """Return a statement that drops a table."""
        return cls(text, kind=StatementKind.DROP, table=table, repeatable=True)

    @classmethod
    def session(cls, text: str) -> Statement:
        """Return a statement for the session: of its transaction or its settings."""
        return cls(text, kind=StatementKind.SESSION, table=None, repeatable=True)

    @property
    def changes_what_lasts(self) -> bool:
        """Return whether the statement changes something that outlives the session."""
        match self.kind:
            case StatementKind.READ | StatementKind.SESSION:
                return False
            case StatementKind.CREATE | StatementKind.INSERT | StatementKind.CHANGE | StatementKind.DROP:
                return self.table is None or not self.table.temporary

    @property
    def excerpt(self) -> str:
        """Return as much of it as an error shows."""
        return self.text.strip().split("\n", 1)[0][:80]


@dataclass(frozen=True)
class Dialect:
    """An engine, and the prefixes of the two places our tables lie in.

    `state_schema` holds what outlives a run; `temp_schema` holds what one session needs and is gone with it. Where not
    `persistent`, the state itself is of this session only: a plan before the first run.

    Snowflake folds unquoted names to upper case, so there our own names are upper-case where they are
    quoted. Its temporary tables hide tables of the same name, so scratch tables begin with TEMP_, which no
    state table does.
    """

    engine: Engine
    state_schema: str
    temp_schema: str
    persistent: bool = True

    def state_table(self, table: str) -> TableName:
        """Return the full name of a state table."""
        upper_name = table.upper() if self.persistent else f"TEMP_STATE_{table.upper()}"
        name = f"{self.state_schema}.{quote_identifier(upper_name if self._folds_case else table)}"
        return TableName(name, temporary=not self.persistent)

    def temp_table(self, table: str) -> TableName:
        """Return the full name of a scratch table."""
        name = (
            f"{self.temp_schema}.{quote_identifier(f'TEMP_{table.upper()}' if self._folds_case else table)}"
        )
        return TableName(name, temporary=True)

    def create_state_table(self, table: str, columns: str) -> Statement:
        """Return a statement that creates a state table where it is missing."""
        table_kind, name = self._state_table_kind, self.state_table(table)
        return Statement.create(
            name, f"CREATE {table_kind}TABLE IF NOT EXISTS {name} ({columns}){self._retention_sql}"
        )

    def replace_state_table(self, table: str, select: str, *, repeatable: bool) -> Statement:
        """Return a statement that puts the rows of a query in a state table's place at once.

        The query may read the table itself; the statement is then not repeatable.
        """
        table_kind, name = self._state_table_kind, self.state_table(table)
        return Statement.create(
            name,
            f"CREATE OR REPLACE {table_kind}TABLE {name}{self._retention_sql} AS\n{select}",
            repeatable=repeatable,
        )

    def create_temp_table_sql(self, table: str) -> str:
        """Return the beginning of a statement that creates a scratch table."""
        return f"CREATE {'TEMPORARY ' if self._folds_case else ''}TABLE {self.temp_table(table)}"

    def replace_temp_table_sql(self, table: str) -> str:
        """Return the beginning of a statement that puts a scratch table in the place of one of that name."""
        return f"CREATE OR REPLACE {'TEMPORARY ' if self._folds_case else ''}TABLE {self.temp_table(table)}"

    def quote_column(self, column: str) -> str:
        """Return a column of one of our tables as a delimited identifier."""
        return quote_identifier(
            column.upper() if self._folds_case and column.startswith(RESERVED_PREFIX) else column
        )

    def quote_columns(self, columns: Iterable[str], prefix: str = "") -> str:
        """Return columns of our tables, comma-separated, each with an optional table prefix such as `d.`."""
        return ", ".join(prefix + self.quote_column(column) for column in columns)

    def quote_literal(self, text: str) -> str:
        """Return any text as a literal: Snowflake reads a backslash in one as an escape ("String constants")."""
        return quote_literal(text.replace("\\", "\\\\") if self._folds_case else text)

    def varchar_sql(self, expression: str) -> str:
        """Return an expression of literals as a text that any other fits into.

        On Snowflake a table made from a query has columns as wide as the query's literals, and later refuses
        what is longer.
        """
        return f"CAST({expression} AS VARCHAR)" if self._folds_case else expression

    def comparable_sql(self, value: str, column: Column) -> str:
        """Return a column's value as it can be compared: on Snowflake the text of what is semi-structured."""
        return f"TO_JSON({value})" if self._folds_case and column.kind is ColumnKind.JSON else value

    def storage_type(self, column: Column) -> str:
        """Return the type in which a column is kept: on Snowflake VARIANT for all that is semi-structured."""
        return "VARIANT" if self._folds_case and column.kind is ColumnKind.JSON else column.type

    @property
    def has_transactional_ddl(self) -> bool:
        """Return whether creating tables can be part of a transaction; on Snowflake each one commits."""
        return self.engine is Engine.DUCKDB

    @property
    def _folds_case(self) -> bool:
        return self.engine is Engine.SNOWFLAKE

    @property
    def _state_table_kind(self) -> str:
        return "" if not self._folds_case else "TRANSIENT " if self.persistent else "TEMPORARY "

    @property
    def _retention_sql(self) -> str:
        """Return what keeps Snowflake from storing, and charging for, a table's older versions."""
        return " DATA_RETENTION_TIME_IN_DAYS = 0" if self._folds_case else ""


def quote_identifier(name: str) -> str:
    """Return `name` as a delimited identifier (SQL:2023 part 2, <delimited identifier>)."""
    return '"' + name.replace('"', '""') + '"'


def quote_literal(text: str) -> str:
    """Return a text without backslashes as a literal of any dialect; see `Dialect.quote_literal` for others."""
    return "'" + text.replace("'", "''") + "'"
