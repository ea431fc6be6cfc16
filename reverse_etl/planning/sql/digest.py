"""The seal of a plan: a digest that says whether two plans would send the same rows with the same values.

An engine's own hash may change with its version, and text that is put together by hand may come out alike for rows that differ. So a
row is written as JSON, and digested with MD5, which is meant to tell accidents and not forgers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.domain.engine import Engine
from reverse_etl.warehouse.model_tables import (
    FIRST_SENT_COLUMN,
    IDENTIFIER_COLUMNS,
    KEY_COLUMNS,
    desired_rows_sql,
    same_row_sql,
)
from reverse_etl.warehouse.statement import Dialect, Statement, quote_identifier

if TYPE_CHECKING:
    from reverse_etl.warehouse.model_tables import ModelTables

_ROWS_PER_PART = 10_000  # rows whose digests make one text on Snowflake, where a text has at most 16 MB


def select_digest(dialect: Dialect, tables: ModelTables) -> Statement:
    """Return one row, (rows, digest), of all that a plan says of a model: what it sends, removes, holds and leaves.

    DuckDB folds the digests into one number as they pass, in whatever order and in no memory to speak of. Snowflake has no such number
    of 128 bits, and there rows are put together in the order of the plan, part by part.
    """
    identifiers = (f"COALESCE(p.{name}, d.{name})" for name in IDENTIFIER_COLUMNS.values())
    values = [*(f"p.{name}" for name in ("retl_op", *KEY_COLUMNS, FIRST_SENT_COLUMN)), *identifiers]
    values += [f"d.{quote_identifier(name)}" for name in tables.payload_names]
    rows = (
        f"FROM {dialect.temp_table(tables.planned)} AS p LEFT JOIN (\n{desired_rows_sql(dialect, tables)}\n"
        f") AS d ON {same_row_sql(tables, 'd', 'p')}"
    )
    if dialect.engine is Engine.DUCKDB:
        digest = f"MD5_NUMBER(CAST(JSON_ARRAY({', '.join(values)}) AS VARCHAR))"
        return Statement.read(
            f"SELECT COUNT(*) AS retl_rows, CAST(COALESCE(BIT_XOR({digest}), 0) AS VARCHAR) AS retl_digest\n{rows}"
        )
    pairs = ", ".join(f"'{number}', {value}" for number, value in enumerate(values))
    digest = f"MD5(TO_JSON(OBJECT_CONSTRUCT_KEEP_NULL({pairs})))"
    return Statement.read(
        f"SELECT COALESCE(SUM(retl_rows), 0), MD5(COALESCE(LISTAGG(retl_digest, '') WITHIN GROUP (ORDER BY retl_part), ''))\n"
        f"FROM (\nSELECT FLOOR(p.retl_seq / {_ROWS_PER_PART}) AS retl_part, COUNT(*) AS retl_rows,\n"
        f"  MD5(LISTAGG({digest}, '') WITHIN GROUP (ORDER BY p.retl_seq)) AS retl_digest\n{rows}\n"
        f"GROUP BY FLOOR(p.retl_seq / {_ROWS_PER_PART})\n) AS retl_parts"
    )
