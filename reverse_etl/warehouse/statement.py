"""SQL as a value: a statement with its bound parameters, and what a dialect says about names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reverse_etl.domain.columns import Column, Kind
from reverse_etl.domain.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Iterable

OURS = "retl_"  # begins our columns in tables that hold a model's columns too


@dataclass(frozen=True)
class Statement:
    """One SQL statement with `?` for each parameter, in order."""

    text: str
    parameters: tuple[Any, ...] = ()

    @property
    def first_line(self) -> str:
        """Return the line that says what is done, and to which table."""
        return self.text.strip().split("\n", 1)[0]

    @property
    def opening(self) -> str:
        """Return as much of it as an error shows."""
        return self.first_line[:80]


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

    def kept(self, table: str) -> str:
        """Return the full name of a state table."""
        folded = table.upper() if self.lasting else f"TEMP_STATE_{table.upper()}"
        return f"{self.state}.{quote(folded if self._folds else table)}"

    def passing(self, table: str) -> str:
        """Return the full name of a scratch table."""
        return f"{self.scratch}.{quote(f'TEMP_{table.upper()}' if self._folds else table)}"

    def create_kept(self, table: str, columns: str) -> Statement:
        """Return a statement that creates a state table where it is missing."""
        kind = self._kept_kind
        return Statement(f"CREATE {kind}TABLE IF NOT EXISTS {self.kept(table)} ({columns}){self._no_history}")

    def recreate_kept(self, table: str, select: str) -> Statement:
        """Return a statement that puts the rows of a query, which may read the table itself, in its place at once."""
        kind = self._kept_kind
        return Statement(f"CREATE OR REPLACE {kind}TABLE {self.kept(table)}{self._no_history} AS\n{select}")

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
