"""The digest of a plan: equal digests mean that two plans would send the same rows with the same values.

The hash function of an engine may change with its version, and joined text may be equal for different rows. So each row is
encoded as JSON and hashed with MD5. The digest detects accidental changes; it is no protection against forgery.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.warehouse.model_tables import (
    FIRST_SENT_COLUMN,
    IDENTIFIER_COLUMNS,
    KEY_COLUMNS,
)
from reverse_etl.warehouse.statement import Statement

if TYPE_CHECKING:
    from reverse_etl.warehouse.dialect import Dialect
    from reverse_etl.warehouse.model_tables import ModelTables


def select_digest(dialect: Dialect, tables: ModelTables) -> Statement:
    """Return one row, (rows, digest), of all deltas of a model: sent, removed, held and deferred."""
    identifiers = (f"COALESCE(p.{name}, d.{name})" for name in IDENTIFIER_COLUMNS.values())
    values = [*(f"p.{name}" for name in ("retl_op", *KEY_COLUMNS, FIRST_SENT_COLUMN)), *identifiers]
    values += [f"d.{column}" for column in tables.payload_columns]
    rows = (
        f"FROM {dialect.temp_table(tables.planned)} AS p LEFT JOIN (\n{tables.desired_rows_sql()}\n"
        f") AS d ON {tables.same_row_sql('d', 'p')}"
    )
    return Statement.read(dialect.select_digest_sql(values, rows, "p.retl_seq"))
