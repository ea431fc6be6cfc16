"""SQL as a value: a statement with its bound parameters, and what a dialect says about names."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from reverse_etl.domain.columns import Column, Kind
from reverse_etl.domain.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Iterable

OURS = "retl_"  # begins our columns in tables that hold a model's columns too


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
    def opening(self) -> str:
        """Return as much of it as an error shows."""
        return self.text.strip().split("\n", 1)[0][:80]


@dataclass(frozen=True)
class Dialect:
    """An engine, and the prefixes of the two places our tables lie in.

    `state` holds what outlives a run; `scratch` holds what one session needs and is gone with it. Where not
    `lasting`, the state itself is of this session only: a plan before the first run.

    Snowflake folds unquoted names to upper case, so there our own names are upper-case where they are
    quoted. Its temporary tables hide tables of the same name, so scratch tables begin with TEMP_, which no
    state table does.
    """

    engine: Engine
    state: str
    scratch: str
    lasting: bool = True

    def kept(self, table: str) -> TableName:
        """Return the full name of a state table."""
        folded = table.upper() if self.lasting else f"TEMP_STATE_{table.upper()}"
        name = f"{self.state}.{quote(folded if self._folds else table)}"
        return TableName(name, temporary=not self.lasting)

    def passing(self, table: str) -> TableName:
        """Return the full name of a scratch table."""
        name = f"{self.scratch}.{quote(f'TEMP_{table.upper()}' if self._folds else table)}"
        return TableName(name, temporary=True)

    def create_kept(self, table: str, columns: str) -> Statement:
        """Return a statement that creates a state table where it is missing."""
        kind, name = self._kept_kind, self.kept(table)
        return Statement.create(
            name, f"CREATE {kind}TABLE IF NOT EXISTS {name} ({columns}){self._no_history}"
        )

    def recreate_kept(self, table: str, select: str, *, repeatable: bool) -> Statement:
        """Return a statement that puts the rows of a query in a state table's place at once.

        The query may read the table itself; the statement is then not repeatable.
        """
        kind, name = self._kept_kind, self.kept(table)
        return Statement.create(
            name,
            f"CREATE OR REPLACE {kind}TABLE {name}{self._no_history} AS\n{select}",
            repeatable=repeatable,
        )

    def create_passing(self, table: str) -> str:
        """Return the beginning of a statement that creates a scratch table."""
        return f"CREATE {'TEMPORARY ' if self._folds else ''}TABLE {self.passing(table)}"

    def recreate_passing(self, table: str) -> str:
        """Return the beginning of a statement that puts a scratch table in the place of one of that name."""
        return f"CREATE OR REPLACE {'TEMPORARY ' if self._folds else ''}TABLE {self.passing(table)}"

    def name(self, column: str) -> str:
        """Return a column of one of our tables as a delimited identifier."""
        return quote(column.upper() if self._folds and column.startswith(OURS) else column)

    def names(self, columns: Iterable[str], prefix: str = "") -> str:
        """Return columns of our tables, comma-separated, each with an optional table prefix such as `d.`."""
        return ", ".join(prefix + self.name(column) for column in columns)

    def literal(self, text: str) -> str:
        """Return any text as a literal: Snowflake reads a backslash in one as an escape ("String constants")."""
        return literal(text.replace("\\", "\\\\") if self._folds else text)

    def text(self, expression: str) -> str:
        """Return an expression of literals as a text that any other fits into.

        On Snowflake a table made from a query has columns as wide as the query's literals, and later refuses
        what is longer.
        """
        return f"CAST({expression} AS VARCHAR)" if self._folds else expression

    def comparable(self, value: str, column: Column) -> str:
        """Return a column's value as it can be compared: on Snowflake the text of what is semi-structured."""
        return f"TO_JSON({value})" if self._folds and column.kind is Kind.JSON else value

    def kept_type(self, column: Column) -> str:
        """Return the type in which a column is kept: on Snowflake VARIANT for all that is semi-structured."""
        return "VARIANT" if self._folds and column.kind is Kind.JSON else column.type

    @property
    def creates_in_transactions(self) -> bool:
        """Return whether creating tables can be part of a transaction; on Snowflake each one commits."""
        return self.engine is Engine.DUCKDB

    @property
    def _folds(self) -> bool:
        return self.engine is Engine.SNOWFLAKE

    @property
    def _kept_kind(self) -> str:
        return "" if not self._folds else "TRANSIENT " if self.lasting else "TEMPORARY "

    @property
    def _no_history(self) -> str:
        """Return what keeps Snowflake from storing, and charging for, a table's older versions."""
        return " DATA_RETENTION_TIME_IN_DAYS = 0" if self._folds else ""


def quote(name: str) -> str:
    """Return `name` as a delimited identifier (SQL:2023 part 2, <delimited identifier>)."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text without backslashes as a literal of any dialect; see `Dialect.literal` for others."""
    return "'" + text.replace("'", "''") + "'"
