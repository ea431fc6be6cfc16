"""SQL as a value: a statement with its bound parameters, and the facts that adapters need."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class StatementKind(StrEnum):
    """The kind of a statement, as far as an adapter needs to know."""

    READ = "read"  # changes nothing
    CREATE = "create"  # makes a table or a schema
    INSERT = "insert"  # adds rows and changes none
    CHANGE = "change"  # updates, deletes or merges rows
    ALTER = "alter"  # changes the columns of a table
    DROP = "drop"  # drops a table
    SESSION = "session"  # begins or ends a transaction, or sets something of the session


class Sql(str):
    """Text that is SQL: written by this program, or quoted. `+`, `%` and `format` turn it into plain text."""

    __slots__ = ()


@dataclass(frozen=True)
class TableName:
    """The full name of a table as SQL writes it; a `temporary` table ends with its session."""

    sql: str
    temporary: bool

    def __str__(self) -> str:
        """Return the name as SQL writes it."""
        return self.sql


@dataclass(frozen=True)
class Statement:
    """One SQL statement with `?` for each parameter, in order, and the facts that adapters need.

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
        """Return an UPDATE, DELETE or MERGE."""
        return cls(text, parameters, kind=StatementKind.CHANGE, table=table, repeatable=repeatable)

    @classmethod
    def alter(cls, table: TableName, text: str) -> Statement:
        """Return a statement that adds or retypes a column."""
        return cls(text, kind=StatementKind.ALTER, table=table, repeatable=False)

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
            case (
                StatementKind.CREATE
                | StatementKind.INSERT
                | StatementKind.CHANGE
                | StatementKind.ALTER
                | StatementKind.DROP
            ):
                return self.table is None or not self.table.temporary

    @property
    def changes_columns(self) -> bool:
        """Return whether the table has other columns afterwards, or is another or none."""
        return self.kind in {StatementKind.CREATE, StatementKind.ALTER, StatementKind.DROP}

    @property
    def excerpt(self) -> str:
        """Return the beginning of the statement, for error messages."""
        return self.text.strip().split("\n", 1)[0][:80]


def quote_identifier(name: str) -> Sql:
    """Return `name` as a delimited identifier (SQL:2023 part 2, <delimited identifier>)."""
    return Sql('"' + name.replace('"', '""') + '"')


def quote_literal(text: str) -> Sql:
    """Return a text without backslashes as a literal of any dialect; see `Dialect.quote_literal` for others."""
    return Sql("'" + text.replace("'", "''") + "'")
