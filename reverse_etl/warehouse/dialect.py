"""The dialect of a warehouse's SQL: how names and types are written, and how engines differ.

Each adapter implements `Dialect` beside itself. Statements ask the dialect and never which engine it is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.domain.columns import Column
    from reverse_etl.domain.engine import Engine
    from reverse_etl.domain.identifiers import CodePoints
    from reverse_etl.warehouse.sql_advice import SqlAdvice
    from reverse_etl.warehouse.statement import Sql, Statement, TableName

RESERVED_PREFIX = "retl_"  # begins our columns in tables that hold a model's columns too


@dataclass(frozen=True)
class NumberedRows:
    """A query whose rows are to be numbered, and the temporary table that they go to.

    `rows` is the whole query, and `order` a list of expressions. `narrow` is None for few rows.
    """

    table: str
    rows: Sql
    order: Sql
    narrow: NarrowRows | None = None


@dataclass(frozen=True)
class NarrowRows:
    """The same rows with fewer columns, for an engine that sorts these cheaper.

    `rows` are put in `scratch_table`; `widened_rows` reads that table and adds the columns that it lacks.
    """

    scratch_table: str
    rows: Sql
    widened_rows: Sql


@dataclass(frozen=True)
class ColumnChange:
    """A column as it is today, and as a state table has it: None if it is to be added."""

    column: Column
    stored_column: Column | None


@dataclass(frozen=True)
class RowChanges:
    """Rows that replace those of the same list id and identity in a state table.

    `parts` are queries of `retl_op` and `columns`, with their parameters: small enough parts of all rows. A
    row whose `retl_op` is remove only deletes. The table `keys` has the list id and identity of every row.
    """

    table: TableName
    columns: tuple[Sql, ...]
    keys: TableName
    parts: tuple[tuple[Sql, tuple[Any, ...]], ...]


@dataclass(frozen=True)
class Dialect(ABC):
    """The SQL of one engine, with the schemas of our tables.

    `state_schema` holds the state; `temp_schema` holds the tables of one session, which end with it. If not
    `persistent`, the state ends with the session too: in a plan before the first run.
    """

    state_schema: str
    temp_schema: str
    persistent: bool = True

    @property
    @abstractmethod
    def engine(self) -> Engine:
        """Return the engine whose SQL this is."""

    # Names

    @abstractmethod
    def plain_text_sql(self, value: str) -> str:
        """Return a value as text without a collation, which could make different texts equal: Ann and ANN."""

    @abstractmethod
    def state_table(self, table: str) -> TableName:
        """Return the full name of a state table."""

    @abstractmethod
    def temp_table(self, table: str) -> TableName:
        """Return the full name of a temporary table."""

    @abstractmethod
    def quote_column(self, column: str) -> str:
        """Return a column of one of our tables as a delimited identifier."""

    # Tables

    @abstractmethod
    def create_state_table(self, table: str, columns: str) -> Statement:
        """Return a statement that creates a state table if it is missing."""

    @abstractmethod
    def replace_state_table(self, table: str, select: str, *, repeatable: bool) -> Statement:
        """Return a statement that replaces a state table by the rows of a query, at once.

        The query may read the table itself; the statement is then not repeatable.
        """

    @abstractmethod
    def create_temp_table_sql(self, table: str) -> str:
        """Return the beginning of a statement that creates a temporary table of a query; AS follows."""

    @abstractmethod
    def replace_temp_table_sql(self, table: str) -> str:
        """Return the beginning of a statement that creates or replaces one; AS follows."""

    @abstractmethod
    def replace_empty_temp_table(self, table: str, columns: str) -> Statement:
        """Return a statement that creates or replaces a temporary table without rows."""

    @abstractmethod
    def change_columns(
        self, table: str, stored_columns: Mapping[str, Column], changes: Sequence[ColumnChange]
    ) -> tuple[Statement, ...]:
        """Return the statements that add the new columns of a state table and convert the changed ones.

        Stored columns without a change stay as they are. `stored_columns` are in the table's order.
        """

    @abstractmethod
    def change_rows(self, changes: RowChanges) -> tuple[Statement, ...]:
        """Return the statements that replace and delete many rows of a state table, for one transaction."""

    # Values

    @abstractmethod
    def quote_literal(self, text: str) -> str:
        """Return any text as a literal."""

    @abstractmethod
    def concat_sql(self, values: Sequence[str]) -> str:
        """Return texts with | between them; a NULL among them does not make the whole NULL."""

    @abstractmethod
    def matches_sql(self, text: str, pattern: str) -> str:
        """Return whether a regular expression matches some part of a text."""

    @abstractmethod
    def fully_matches_sql(self, text: str, pattern: str) -> str:
        """Return whether a regular expression matches a whole text."""

    @abstractmethod
    def has_character_sql(self, text: str, characters: CodePoints) -> str:
        """Return whether a text has a character of some ranges."""

    @abstractmethod
    def remove_characters_sql(self, text: str, characters: CodePoints, *, ends_only: bool = False) -> str:
        """Return a text without the characters of some ranges, or without those at its ends."""

    # Columns and their types

    @abstractmethod
    def storage_type(self, column: Column) -> str:
        """Return the type in which a column is stored."""

    @abstractmethod
    def stored_column_sql(self, column: Column) -> str:
        """Return a payload column in a type that tables of the state can have."""

    @abstractmethod
    def is_infinite_time_sql(self, column: Column) -> str | None:
        """Return whether a column has a date or time that no client can return; None if its type has none."""

    @abstractmethod
    def sha256_sql(self, text: str) -> str:
        """Return the SHA-256 hash of a text in UTF-8, as 64 lower-case hexadecimal digits."""

    @abstractmethod
    def json_text_sql(self, text: str) -> str:
        """Return a text as a string of JSON, in quotes; NULL if it is NULL."""

    @abstractmethod
    def comparable_sql(self, value: str, column: Column) -> str:
        """Return a column's value as it can be compared with another."""

    @abstractmethod
    def try_cast_sql(self, value: str, column: Column, stored_column: Column) -> str:
        """Return a value of a stored column in the type of a column; NULL if that can't be done."""

    @abstractmethod
    def is_null_sql(self, column: Column) -> str:
        """Return whether a payload column has no value: NULL, or the null of JSON."""

    # Parts of large statements

    @abstractmethod
    def equals_only_value_sql(self, value: str, column: str, table: TableName) -> str:
        """Return the condition that a value is the column's value in a table of one row."""

    @abstractmethod
    def repeated_keys_sql(self, key: str, rows: str) -> str:
        """Return a condition that leaves out rows whose key occurs once; empty if all are better grouped.

        It begins with AND and continues `rows`, a FROM clause with a WHERE.
        """

    @abstractmethod
    def fingerprint_sql(self, value: str) -> str:
        """Return an expression by which different values are counted: the same for equal ones, and cheaper.

        Different values may share it, so that a count may be too low, and never too high.
        """

    @abstractmethod
    def number_rows(self, rows: NumberedRows) -> tuple[Statement, ...]:
        """Return the statements that create a table of a query's rows, numbered from 1 in `retl_seq`."""

    @abstractmethod
    def select_digest_sql(self, values: Sequence[str], rows: str, row_number: str) -> str:
        """Return a query of one row, (rows, digest), of `rows`, a FROM clause.

        `row_number` numbers the rows. Every value of a row is part of the digest.
        """

    @abstractmethod
    def document_rows_sql(self, columns: int) -> str:
        """Return a query of the rows of a JSON document, which is its only parameter.

        The document is an array of rows. A row is an array of `columns` texts or nulls.
        """

    # Messages

    @property
    @abstractmethod
    def advice(self) -> SqlAdvice:
        """Return the advice for SQL that the warehouse refuses."""

    @abstractmethod
    def error_position(self, message: str, query: str) -> tuple[int, int | None] | None:
        """Return the line and column, from 1, that an error of `Warehouse.describe` points at.

        They count in the `query` that `describe` got. The column is None if only the line is known.
        """
