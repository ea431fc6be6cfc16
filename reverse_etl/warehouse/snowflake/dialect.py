"""Snowflake's SQL."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.domain.columns import Column, ColumnKind
from reverse_etl.domain.deltas import Op
from reverse_etl.domain.engine import Engine
from reverse_etl.warehouse.dialect import RESERVED_PREFIX, ColumnChange, Dialect, NumberedRows, RowChanges
from reverse_etl.warehouse.model_tables import KEY_COLUMNS
from reverse_etl.warehouse.snowflake.advice import SNOWFLAKE_ADVICE
from reverse_etl.warehouse.snowflake.types import DECFLOAT
from reverse_etl.warehouse.statement import Statement, TableName, quote_identifier, quote_literal
from reverse_etl.warehouse.type_changes import alter_column, current_value_sql, is_retyped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.domain.identifiers import CodePoints
    from reverse_etl.warehouse.sql_advice import SqlAdvice

_POSITION = re.compile(r"error line (?P<line>\d+) at position (?P<column>\d+)")
_LINES_BEFORE_QUERY = 1  # when a query is described
_ROWS_PER_PART = 10_000  # rows whose digests make one text, which has at most 16 MB


@dataclass(frozen=True)
class SnowflakeDialect(Dialect):
    """Unquoted names are folded to upper case, so our own names are upper-case where they are quoted.

    Temporary tables hide tables of the same name, so their names begin with TEMP_, which no state table does.
    """

    @property
    def engine(self) -> Engine:
        """Return Snowflake."""
        return Engine.SNOWFLAKE

    def plain_text_sql(self, value: str) -> str:
        """Return a value as text without a collation."""
        return f"(CAST({value} AS VARCHAR) COLLATE '')"

    def state_table(self, table: str) -> TableName:
        """Return the full name of a state table."""
        upper_name = table.upper() if self.persistent else f"TEMP_STATE_{table.upper()}"
        name = f"{self.state_schema}.{quote_identifier(upper_name)}"
        return TableName(name, temporary=not self.persistent)

    def temp_table(self, table: str) -> TableName:
        """Return the full name of a temporary table."""
        return TableName(f"{self.temp_schema}.{quote_identifier(f'TEMP_{table.upper()}')}", temporary=True)

    def quote_column(self, column: str) -> str:
        """Return a column of one of our tables as a delimited identifier."""
        return quote_identifier(column.upper() if column.startswith(RESERVED_PREFIX) else column)

    def create_state_table(self, table: str, columns: str) -> Statement:
        """Return a statement that creates a state table if it is missing."""
        name = self.state_table(table)
        text = f"CREATE {self._table_kind} TABLE IF NOT EXISTS {name} ({columns}){self._state_options}"
        return Statement.create(name, text)

    def replace_state_table(self, table: str, select: str, *, repeatable: bool) -> Statement:
        """Return a statement that replaces a state table by a query; its readers keep their grants."""
        name = self.state_table(table)
        copy_grants = " COPY GRANTS" if self.persistent else ""
        options = f"{self._state_options}{copy_grants}"
        text = f"CREATE OR REPLACE {self._table_kind} TABLE {name}{options} AS\n{select}"
        return Statement.create(name, text, repeatable=repeatable)

    def create_temp_table_sql(self, table: str) -> str:
        """Return the beginning of a statement that creates a temporary table of a query."""
        return f"CREATE TEMPORARY TABLE {self.temp_table(table)}{_NO_COLLATION_SQL}"

    def replace_temp_table_sql(self, table: str) -> str:
        """Return the beginning of a statement that creates or replaces one."""
        return f"CREATE OR REPLACE TEMPORARY TABLE {self.temp_table(table)}{_NO_COLLATION_SQL}"

    def replace_empty_temp_table(self, table: str, columns: str) -> Statement:
        """Return a statement that creates or replaces a temporary table without rows."""
        name = self.temp_table(table)
        text = f"CREATE OR REPLACE TEMPORARY TABLE {name} ({columns}){_NO_COLLATION_SQL}"
        return Statement.create(name, text)

    def change_columns(
        self, table: str, stored_columns: Mapping[str, Column], changes: Sequence[ColumnChange]
    ) -> tuple[Statement, ...]:
        """Return an ALTER TABLE for each new column, or a new table if any column changed.

        Few types can be changed ("ALTER TABLE ... ALTER COLUMN"), and a detour by a new column would be
        committed step by step.
        """
        changed = any(
            change.stored_column
            and (
                change.stored_column.name != change.column.name
                or is_retyped(self, change.column, change.stored_column)
            )
            for change in changes
        )
        if changed:
            return (self._rebuild_table(table, stored_columns, changes),)
        return tuple(alter_column(self, table, change) for change in changes if change.stored_column is None)

    def _rebuild_table(
        self, table: str, stored_columns: Mapping[str, Column], changes: Sequence[ColumnChange]
    ) -> Statement:
        changes_by_name = {(change.stored_column or change.column).name: change for change in changes}
        names = (*stored_columns, *(name for name in changes_by_name if name not in stored_columns))
        values = ", ".join(
            self._current_column_sql(changes_by_name[name])
            if name in changes_by_name
            else self.quote_column(name)
            for name in names
        )
        return self.replace_state_table(
            table, f"SELECT {values} FROM {self.state_table(table)}", repeatable=False
        )

    def _current_column_sql(self, change: ColumnChange) -> str:
        value = current_value_sql(self, change.column, change.stored_column, "")
        return f"{value} AS {quote_identifier(change.column.name)}"

    def change_rows(self, changes: RowChanges) -> tuple[Statement, ...]:
        """Return a MERGE for each part: it rewrites a table once."""
        columns, values = ", ".join(changes.columns), ", ".join(f"t.{name}" for name in changes.columns)
        updates = ", ".join(f"{name} = t.{name}" for name in changes.columns if name not in KEY_COLUMNS)
        return tuple(
            Statement.change(
                changes.table,
                f"MERGE INTO {changes.table} AS s USING (\n{rows}\n) AS t "
                f"ON t.retl_list_id = s.retl_list_id AND t.retl_identity = s.retl_identity\n"
                f"WHEN MATCHED AND t.retl_op = '{Op.REMOVE}' THEN DELETE\n"
                f"WHEN MATCHED THEN UPDATE SET {updates}\n"
                f"WHEN NOT MATCHED AND t.retl_op <> '{Op.REMOVE}' THEN INSERT ({columns}) VALUES ({values})",
                parameters,
            )
            for rows, parameters in changes.parts
        )

    def quote_literal(self, text: str) -> str:
        """Return any text as a literal; a backslash in one is an escape ("String constants")."""
        return quote_literal(text.replace("\\", "\\\\"))

    def concat_sql(self, values: Sequence[str]) -> str:
        """Return texts with | between them; one NULL would make all of CONCAT_WS NULL."""
        not_null = ", ".join(f"COALESCE({value}, '')" for value in values)
        return f"CONCAT_WS('|', {not_null})"

    def matches_sql(self, text: str, pattern: str) -> str:
        """Return whether a regular expression matches some part of a text."""
        return f"(REGEXP_INSTR({text}, {self.quote_literal(pattern)}) > 0)"

    def fully_matches_sql(self, text: str, pattern: str) -> str:
        """Return whether a regular expression matches a whole text."""
        return f"REGEXP_LIKE({text}, {self.quote_literal(pattern)})"

    def has_character_sql(self, text: str, characters: CodePoints) -> str:
        """Return whether a text has a character of some ranges."""
        return f"(REGEXP_INSTR({_without_nul_sql(text)}, CONCAT('[', {_ranges_sql(characters)}, ']')) > 0)"

    def remove_characters_sql(self, text: str, characters: CodePoints, *, ends_only: bool = False) -> str:
        """Return a text without the characters of some ranges, or without those at its ends."""
        ranges = _ranges_sql(characters)
        pattern = f"'^[', {ranges}, ']+|[', {ranges}, ']+$'" if ends_only else f"'[', {ranges}, ']'"
        return f"REGEXP_REPLACE({_without_nul_sql(text)}, CONCAT({pattern}), '')"

    def storage_type(self, column: Column) -> str:
        """Return the column's own type; VARIANT for everything semi-structured."""
        return "VARIANT" if column.kind is ColumnKind.JSON else column.type

    def stored_column_sql(self, column: Column) -> str:
        """Return a payload column in a type that the state's tables can hold on their own."""
        name = quote_identifier(column.name)
        match column.kind:
            case ColumnKind.TEXT:
                return f"{self.plain_text_sql(name)} AS {name}"
            case ColumnKind.JSON if column.type == "VARIANT":  # a JSON null is not a value
                return f"CASE WHEN TO_JSON({name}) <> 'null' THEN {name} END AS {name}"
            case ColumnKind.JSON:
                return f"CAST({_semi_structured_sql(name, column)} AS VARIANT) AS {name}"
            case _:
                return name

    def is_null_sql(self, column: Column) -> str:
        """Return whether a payload column is NULL or the null of JSON."""
        name = quote_identifier(column.name)
        if column.kind is not ColumnKind.JSON:
            return f"{name} IS NULL"
        return f"COALESCE(TO_JSON(TO_VARIANT({name})) = 'null', TRUE)"

    def is_infinite_time_sql(self, column: Column) -> str | None:
        """Return whether a date or time is outside of the years that the connector can return."""
        if column.kind not in {ColumnKind.DATE, ColumnKind.TIMESTAMP, ColumnKind.TIMESTAMP_TZ}:
            return None
        return f"YEAR({quote_identifier(column.name)}) NOT BETWEEN 1 AND 9999"

    def sha256_sql(self, text: str) -> str:
        """Return the hash of a text."""
        return f"SHA2({text}, 256)"

    def json_text_sql(self, text: str) -> str:
        """Return a text as a string of JSON."""
        return f"TO_JSON(TO_VARIANT({text}))"

    def comparable_sql(self, value: str, column: Column) -> str:
        """Return the value, as text if it is semi-structured."""
        return f"TO_JSON({value})" if column.kind is ColumnKind.JSON else value

    def try_cast_sql(self, value: str, column: Column, stored_column: Column) -> str:
        """Return a value of a stored column in the type of a column; TRY_CAST takes only text."""
        del stored_column
        text = f"CAST({value} AS VARCHAR)"
        match column.kind:
            case ColumnKind.JSON:
                return f"TRY_PARSE_JSON({text})"
            case ColumnKind.TEXT:
                return text
            case ColumnKind.BINARY:
                return f"TRY_TO_BINARY({text}, 'HEX')"
            case ColumnKind.DECIMAL if column.type == DECFLOAT:
                return f"TRY_TO_DECFLOAT({text})"
            case _:
                return f"TRY_CAST({text} AS {column.type})"

    def equals_only_value_sql(self, value: str, column: str, table: TableName) -> str:
        """Return a condition with IN, which can be used to skip parts of a table."""
        return f"{value} IN (SELECT {column} FROM {table})"

    def repeated_keys_sql(self, key: str, rows: str) -> str:
        """Return nothing: all rows are grouped."""
        del key, rows
        return ""

    def fingerprint_sql(self, value: str) -> str:
        """Return the value itself."""
        return value

    def number_rows(self, rows: NumberedRows) -> tuple[Statement, ...]:
        """Return one statement, so that the query's tables are read once; its window has the order."""
        text = (
            f"{self.replace_temp_table_sql(rows.table)} AS\n"
            f"SELECT ROW_NUMBER() OVER (ORDER BY {rows.order}) AS retl_seq, *\n"
            f"FROM (\n{rows.rows}\n) AS retl_rows"
        )
        return (Statement.create(self.temp_table(rows.table), text),)

    def select_digest_sql(self, values: Sequence[str], rows: str, row_number: str) -> str:
        """Return a query that joins the digests in order, part by part: no number has 128 bits."""
        pairs = ", ".join(f"'{number}', {value}" for number, value in enumerate(values))
        digest = f"MD5(TO_JSON(OBJECT_CONSTRUCT_KEEP_NULL({pairs})))"
        part = f"FLOOR({row_number} / {_ROWS_PER_PART})"
        return (
            "SELECT COALESCE(SUM(retl_rows), 0), "
            "MD5(COALESCE(LISTAGG(retl_digest, '') WITHIN GROUP (ORDER BY retl_part), ''))\n"
            f"FROM (\nSELECT {part} AS retl_part, COUNT(*) AS retl_rows,\n"
            f"  MD5(LISTAGG({digest}, '') WITHIN GROUP (ORDER BY {row_number})) AS retl_digest\n{rows}\n"
            f"GROUP BY {part}\n) AS retl_parts"
        )

    def document_rows_sql(self, columns: int) -> str:
        """Return a query of the elements of the document; the null of JSON is NULL as a VARCHAR."""
        values = ", ".join(f"CAST(r.VALUE[{number}] AS VARCHAR)" for number in range(columns))
        return f"SELECT {values} FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?))) AS r"

    @property
    def advice(self) -> SqlAdvice:
        """Return the advice for SQL that the warehouse refuses."""
        return SNOWFLAKE_ADVICE

    def error_position(self, message: str, query: str) -> tuple[int, int | None] | None:
        """Return the position of an error that counts lines from 1 and columns from 0."""
        del query
        match = _POSITION.search(message)
        return match and (int(match["line"]) - _LINES_BEFORE_QUERY, int(match["column"]) + 1)

    @property
    def _table_kind(self) -> str:
        return "TRANSIENT" if self.persistent else "TEMPORARY"

    @property
    def _state_options(self) -> str:
        return (_RETENTION_SQL if self.persistent else "") + _NO_COLLATION_SQL


# The database may have a default collation that ignores case: list ids and external ids would collide.
_NO_COLLATION_SQL = " DEFAULT_DDL_COLLATION = ''"
_RETENTION_SQL = " DATA_RETENTION_TIME_IN_DAYS = 1"  # for a day a dropped or damaged table can be restored


def _ranges_sql(characters: CodePoints) -> str:
    """Return ranges as arguments of CONCAT, for a regular expression, which has no escape for a code point.

    A literal has one for four digits ("String constants"); what needs more is written with CHAR.
    """
    short, long = [], []
    for first, last in characters:
        ends = [first or 1] if first == last else [first or 1, last]
        if last <= _LAST_OF_FOUR_DIGITS:
            short.append("-".join(f"\\u{end:04x}" for end in ends))
        else:
            long.append(", '-', ".join(f"CHAR({end})" for end in ends))
    return ", ".join([f"'{''.join(short)}'", *long])


_LAST_OF_FOUR_DIGITS = 0xFFFF


def _without_nul_sql(text: str) -> str:
    """Return a text in which NUL is the replacement character: no regular expression is asked for NUL."""
    return f"REPLACE({text}, CHAR(0), CHAR(65533))"


def _semi_structured_sql(name: str, column: Column) -> str:
    """Return a column as a value that VARIANT takes: only objects and arrays are cast to it."""
    match column.type:
        case "GEOGRAPHY" | "GEOMETRY":
            return f"ST_ASGEOJSON({name})"
        case "VECTOR":
            return f"CAST({name} AS ARRAY)"
        case _:
            return name
