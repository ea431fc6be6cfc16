"""DuckDB's SQL."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.domain.columns import Column, ColumnKind
from reverse_etl.domain.deltas import Op
from reverse_etl.domain.engine import Engine
from reverse_etl.warehouse.dialect import ColumnChange, Dialect, NumberedRows, RowChanges
from reverse_etl.warehouse.duckdb.advice import DUCKDB_ADVICE
from reverse_etl.warehouse.duckdb.infinite_times import is_infinite_time_sql
from reverse_etl.warehouse.statement import Statement, TableName, quote_identifier, quote_literal
from reverse_etl.warehouse.type_changes import alter_column, is_retyped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.domain.identifiers import CodePoints
    from reverse_etl.warehouse.sql_advice import SqlAdvice

_POSITION = re.compile(r"^LINE (?P<line>\d+): (?P<shown>.*)\n(?P<before> *)\^", re.MULTILINE)
_ELLIPSIS = "..."  # an error shows it in place of parts of a long line
_LINES_BEFORE_QUERY = 1  # in DESCRIBE


def _ranges_pattern(characters: CodePoints) -> str:
    """Return ranges for a bracket expression of RE2."""
    return "".join(
        f"\\x{{{first:x}}}" + (f"-\\x{{{last:x}}}" if last > first else "") for first, last in characters
    )


_JSON_SPACES = "CHR(32) || CHR(9) || CHR(10) || CHR(13)"  # RFC 8259, "ws"


@dataclass(frozen=True)
class DuckDBDialect(Dialect):
    """Names keep their case and are compared without it. Temporary tables lie in a database in memory."""

    @property
    def engine(self) -> Engine:
        """Return DuckDB."""
        return Engine.DUCKDB

    def plain_text_sql(self, value: str) -> str:
        """Return a value as text without a collation."""
        return f'(CAST({value} AS VARCHAR) COLLATE "binary")'

    def state_table(self, table: str) -> TableName:
        """Return the full name of a state table."""
        name = f"{self.state_schema}.{quote_identifier(table)}"
        return TableName(name, temporary=not self.persistent)

    def temp_table(self, table: str) -> TableName:
        """Return the full name of a temporary table."""
        return TableName(f"{self.temp_schema}.{quote_identifier(table)}", temporary=True)

    def quote_column(self, column: str) -> str:
        """Return a column of one of our tables as a delimited identifier."""
        return quote_identifier(column)

    def create_state_table(self, table: str, columns: str) -> Statement:
        """Return a statement that creates a state table if it is missing."""
        name = self.state_table(table)
        return Statement.create(name, f"CREATE TABLE IF NOT EXISTS {name} ({columns})")

    def replace_state_table(self, table: str, select: str, *, repeatable: bool) -> Statement:
        """Return a statement that replaces a state table by the rows of a query."""
        name = self.state_table(table)
        return Statement.create(name, f"CREATE OR REPLACE TABLE {name} AS\n{select}", repeatable=repeatable)

    def create_temp_table_sql(self, table: str) -> str:
        """Return the beginning of a statement that creates a temporary table of a query."""
        return f"CREATE TABLE {self.temp_table(table)}"

    def replace_temp_table_sql(self, table: str) -> str:
        """Return the beginning of a statement that creates or replaces one."""
        return f"CREATE OR REPLACE TABLE {self.temp_table(table)}"

    def replace_empty_temp_table(self, table: str, columns: str) -> Statement:
        """Return a statement that creates or replaces a temporary table without rows."""
        name = self.temp_table(table)
        return Statement.create(name, f"CREATE OR REPLACE TABLE {name} ({columns})")

    def change_columns(
        self, table: str, stored_columns: Mapping[str, Column], changes: Sequence[ColumnChange]
    ) -> tuple[Statement, ...]:
        """Return an ALTER TABLE for each new and each changed column."""
        del stored_columns
        return tuple(
            alter_column(self, table, change)
            for change in changes
            if change.stored_column is None or is_retyped(self, change.column, change.stored_column)
        )

    def change_rows(self, changes: RowChanges) -> tuple[Statement, ...]:
        """Return a DELETE, and an INSERT for each part: memory holds what a statement changes."""
        table, columns = changes.table, ", ".join(changes.columns)
        same_key = "t.retl_list_id = retl_s.retl_list_id AND t.retl_identity = retl_s.retl_identity"
        return (
            Statement.change(
                table,
                f"DELETE FROM {table} AS retl_s WHERE EXISTS (\n"
                f"  SELECT 1 FROM {changes.keys} AS t WHERE {same_key})",
            ),
            *(
                Statement.insert(
                    table,
                    f"INSERT INTO {table} ({columns}) SELECT {columns} FROM (\n{rows}\n) AS t "
                    f"WHERE retl_op <> '{Op.REMOVE}'",
                    parameters,
                )
                for rows, parameters in changes.parts
            ),
        )

    def quote_literal(self, text: str) -> str:
        """Return any text as a literal."""
        return quote_literal(text)

    def concat_sql(self, values: Sequence[str]) -> str:
        """Return texts with | between them; NULLs are left out."""
        return f"CONCAT_WS('|', {', '.join(values)})"

    def matches_sql(self, text: str, pattern: str) -> str:
        """Return whether a regular expression matches some part of a text."""
        return f"REGEXP_MATCHES({text}, {self.quote_literal(pattern)})"

    def fully_matches_sql(self, text: str, pattern: str) -> str:
        """Return whether a regular expression matches a whole text."""
        return f"REGEXP_FULL_MATCH({text}, {self.quote_literal(pattern)})"

    def has_character_sql(self, text: str, characters: CodePoints) -> str:
        """Return whether a text has a character of some ranges."""
        return self.matches_sql(text, f"[{_ranges_pattern(characters)}]")

    def remove_characters_sql(self, text: str, characters: CodePoints, *, ends_only: bool = False) -> str:
        """Return a text without the characters of some ranges, or without those at its ends."""
        ranges = _ranges_pattern(characters)
        pattern = f"^[{ranges}]+|[{ranges}]+$" if ends_only else f"[{ranges}]"
        return f"REGEXP_REPLACE({text}, {self.quote_literal(pattern)}, '', 'g')"

    def storage_type(self, column: Column) -> str:
        """Return the column's own type."""
        return column.type

    def stored_column_sql(self, column: Column) -> str:
        """Return a payload column; a type that is shown as text, such as an ENUM, becomes text."""
        name = quote_identifier(column.name)
        match column.kind:
            case ColumnKind.TEXT:
                return f"{self.plain_text_sql(name)} AS {name}"
            case ColumnKind.JSON:  # a JSON null is not a value
                text = f"TRIM(CAST({name} AS VARCHAR), {_JSON_SPACES})"
                return f"CASE WHEN {text} <> 'null' THEN {name} END AS {name}"
            case _:
                return name

    def is_null_sql(self, column: Column) -> str:
        """Return whether a payload column is NULL or the null of JSON."""
        name = quote_identifier(column.name)
        if column.kind is not ColumnKind.JSON:
            return f"{name} IS NULL"
        return f"COALESCE(TRIM(CAST({name} AS VARCHAR), {_JSON_SPACES}) = 'null', TRUE)"

    def is_infinite_time_sql(self, column: Column) -> str | None:
        """Return whether a value is or contains an infinite date or time; None if its type has none."""
        return is_infinite_time_sql(quote_identifier(column.name), column.type)

    def sha256_sql(self, text: str) -> str:
        """Return the hash of a text."""
        return f"sha256({text})"

    def json_text_sql(self, text: str) -> str:
        """Return a text as a string of JSON."""
        return f"CAST(to_json({text}) AS VARCHAR)"

    def comparable_sql(self, value: str, column: Column) -> str:
        """Return the value itself: values of every type can be compared."""
        del column
        return value

    def try_cast_sql(self, value: str, column: Column, stored_column: Column) -> str:
        """Return a value of a stored column in the type of a column; NULL if that can't be done."""
        if column.type.startswith("UNION"):
            return f"CAST(NULL AS {column.type})"  # a value that fits no member fails even in TRY_CAST
        if column.type == "BIGNUM" and stored_column.kind is ColumnKind.TEXT:
            return "CAST(NULL AS BIGNUM)"  # as does a text that is not a number, before DuckDB 2.0
        if column.kind is ColumnKind.NESTED or "BIGNUM" in {column.type, stored_column.type}:
            # TRY_CAST also fails for structs without a common field and for a BIGNUM.
            return f"TRY_CAST(CAST({value} AS VARCHAR) AS {column.type})"
        return f"TRY_CAST({value} AS {column.type})"

    def equals_only_value_sql(self, value: str, column: str, table: TableName) -> str:
        """Return a comparison: IN, even with one value, would search a set for every row."""
        return f"{value} = (SELECT MAX({column}) FROM {table})"

    def repeated_keys_sql(self, key: str, rows: str) -> str:
        """Return a condition on the key's hash: numbers are grouped faster than texts."""
        key_hash = f"HASH({key})"
        return f" AND {key_hash} IN (SELECT {key_hash} {rows} GROUP BY {key_hash} HAVING COUNT(*) > 1)"

    def fingerprint_sql(self, value: str) -> str:
        """Return the hash: numbers are counted faster than texts."""
        return f"HASH({value})"

    def number_rows(self, rows: NumberedRows) -> tuple[Statement, ...]:
        """Return statements that join narrow rows, widen the few that remain, and number them as they pass.

        A window without an order numbers rows in the order of its subquery. That is how DuckDB works and not
        a rule of SQL, so a test with many rows checks it. A window with an order is far slower and larger.
        """
        table, narrow = self.temp_table(rows.table), rows.narrow
        numbered_rows = narrow.widened_rows if narrow else rows.rows
        number_rows = Statement.create(
            table,
            f"{self.replace_temp_table_sql(rows.table)} AS\nSELECT ROW_NUMBER() OVER () AS retl_seq, *\n"
            f"FROM (SELECT * FROM (\n{numbered_rows}\n) ORDER BY {rows.order})",
        )
        if narrow is None:
            return (number_rows,)
        scratch_table = self.temp_table(narrow.scratch_table)
        return (
            Statement.create(
                scratch_table, f"{self.replace_temp_table_sql(narrow.scratch_table)} AS\n{narrow.rows}"
            ),
            number_rows,
            Statement.drop(scratch_table, f"DROP TABLE {scratch_table}"),
        )

    def select_digest_sql(self, values: Sequence[str], rows: str, row_number: str) -> str:
        """Return a query that combines the rows' digests as they pass, in any order and in little memory."""
        del row_number
        digest = f"MD5_NUMBER(CAST(JSON_ARRAY({', '.join(values)}) AS VARCHAR))"
        return (
            f"SELECT COUNT(*) AS retl_rows, CAST(COALESCE(BIT_XOR({digest}), 0) AS VARCHAR) AS retl_digest\n"
            f"{rows}"
        )

    def document_rows_sql(self, columns: int) -> str:
        """Return a query of the lists that the document is made of."""
        values = ", ".join(f"r.retl_row[{number}]" for number in range(1, columns + 1))
        return f"""SELECT {values} FROM (SELECT UNNEST(FROM_JSON(?, '[["VARCHAR"]]')) AS retl_row) AS r"""

    @property
    def advice(self) -> SqlAdvice:
        """Return the advice for SQL that the warehouse refuses."""
        return DUCKDB_ADVICE

    def error_position(self, message: str, query: str) -> tuple[int, int | None] | None:
        """Return the position of an error that shows the line, or some of it, and marks the place below."""
        match = _POSITION.search(message)
        if match is None:
            return None
        line = int(match["line"]) - _LINES_BEFORE_QUERY
        lines = query.split("\n")
        source_line = lines[line - 1] if 1 <= line <= len(lines) else ""
        caret_offset = len(match["before"]) - len(f"LINE {match['line']}: ")
        ellipsis_length = len(_ELLIPSIS) if match["shown"].startswith(_ELLIPSIS) else 0
        start = source_line.find(match["shown"][ellipsis_length:].removesuffix(_ELLIPSIS))
        return line, start + caret_offset - ellipsis_length + 1 if start >= 0 else None
