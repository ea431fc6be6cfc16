"""Statements of the plan's deltas after the diff: removals that wait, limits, counts and ids of new lists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.domain.deltas import Op
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.warehouse.model_tables import (
    CLEARED_COLUMN,
    FIRST_SENT_COLUMN,
    IDENTIFIER_COLUMNS,
    KEY_COLUMNS,
    ModelTables,
)
from reverse_etl.warehouse.sql_template import render_sql
from reverse_etl.warehouse.statement import Sql, Statement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.warehouse.statement import TableName


def create_empty_plan(tables: ModelTables) -> Statement:
    """Create an empty plan table, for a model that has nothing to send."""
    types = {"retl_seq": "BIGINT"} | dict.fromkeys(
        ("retl_in_snapshot", "retl_uncertain", "retl_only_clears"), "BOOLEAN"
    )
    names = (*tables.delta_columns, *KEY_COLUMNS, *IDENTIFIER_COLUMNS.values(), FIRST_SENT_COLUMN)
    columns = ", ".join(f"{name} {types.get(name, 'VARCHAR')}" for name in names)
    return tables.dialect.replace_empty_temp_table(tables.planned, columns)


def apply_limit(tables: ModelTables, limit: int) -> tuple[Statement, ...]:
    """Keep only the first `limit` upserts of the plan, and defer all removes."""
    planned, upserts = tables.dialect.temp_table(tables.planned), f"retl_op <> '{Op.REMOVE}'"
    return (
        Statement.change(
            planned,
            f"DELETE FROM {planned} WHERE {upserts} AND retl_seq NOT IN (\n"
            f"  SELECT retl_seq FROM {planned} WHERE {upserts} ORDER BY retl_seq LIMIT {limit})",
        ),
        Statement.change(
            planned, f"UPDATE {planned} SET retl_op = '{Op.DEFERRED}' WHERE retl_op = '{Op.REMOVE}'"
        ),
    )


def cancel_rejected_removals(tables: ModelTables) -> Statement:
    """Cancel the removal of an identity that has a rejected row on that list: it is still desired."""
    return _change_planned("planned_rows:cancel_rejected_removals", tables)


def hold_shared_removals(tables: ModelTables) -> Statement:
    """Hold each removal that shares an identifier with a rejected row of the model, on every list."""
    return _change_planned("planned_rows:hold_shared_removals", tables)


def hold_unknown_removals(tables: ModelTables) -> Statement:
    """Hold each removal that an earlier run may have sent, for models whose removals must not be repeated."""
    return _change_planned("planned_rows:hold_unknown_removals", tables)


def hold_list_removals(tables: ModelTables, list_ids: Sequence[str]) -> Statement:
    """Hold all removals of these lists."""
    planned, placeholders = tables.dialect.temp_table(tables.planned), ", ".join("?" for _ in list_ids)
    return Statement.change(
        planned,
        f"UPDATE {planned} SET retl_op = '{Op.HELD}' "
        f"WHERE retl_op = '{Op.REMOVE}' AND retl_list_id IN ({placeholders})",
        (*list_ids,),
    )


def count_planned_by_list(tables: ModelTables) -> Statement:
    """Return (list id, op, rows, last number, rows without e-mail and phone, rows that carry each identifier) of the deltas.

    Only deltas that remove a row have identifiers.
    """
    email, phone = IDENTIFIER_COLUMNS[IdentifierType.EMAIL], IDENTIFIER_COLUMNS[IdentifierType.PHONE]
    identifier_counts = ", ".join(f"COUNT({column})" for column in IDENTIFIER_COLUMNS.values())
    return Statement.read(
        f"SELECT retl_list_id, retl_op, COUNT(*), MAX(retl_seq), COUNT(*) - COUNT(COALESCE({email}, {phone})), {identifier_counts} "
        f"FROM {tables.dialect.temp_table(tables.planned)} GROUP BY retl_list_id, retl_op ORDER BY retl_list_id, retl_op"
    )


def count_clears_by_list(tables: ModelTables) -> Statement:
    """Return (list id, rows, uncertain ones) of the rows with values to clear."""
    return Statement.read(
        f"SELECT retl_list_id, COUNT(*), COUNT(CASE WHEN retl_uncertain THEN 1 END) FROM {tables.dialect.temp_table(tables.planned)} "
        f"WHERE {CLEARED_COLUMN} IS NOT NULL GROUP BY retl_list_id ORDER BY retl_list_id"
    )


def select_adds(tables: ModelTables, limit: int) -> Statement:
    """Return (number, list id, the four identifiers) of the first rows to add, as they are sent."""
    columns = [*tables.sent_identifiers_sql("s").values()]
    text = render_sql(
        "planning/sql/planned_rows:select_adds", tables.dialect, tables=tables, columns=columns, limit=limit
    )
    return Statement.read(*text)


@dataclass(frozen=True)
class SentPeople:
    """A table of the rows that a model sent, and those columns of identifiers that it has."""

    table: TableName
    identifier_columns: Sequence[Sql]


def count_sent_adds(tables: ModelTables, sources: Sequence[SentPeople], after: int) -> Statement:
    """Return (list id, rows) of the adds with a number above `after` whose person is in one of the tables."""
    return Statement.read(
        *render_sql(
            "planning/sql/planned_rows:count_sent_adds",
            tables.dialect,
            tables=tables,
            sources=sources,
            after=after,
            identifiers=tables.sent_identifiers_sql("s"),
        )
    )


def set_created_list_ids(tables: ModelTables, ids: Mapping[str, str]) -> Statement:
    """Replace the placeholders of new lists by their ids in the deltas.

    The table is created again, since an UPDATE of every row may hold all rows in memory.
    """
    columns = (*tables.delta_columns, Sql("retl_identity"), *IDENTIFIER_COLUMNS.values(), FIRST_SENT_COLUMN)
    return Statement.create(
        tables.dialect.temp_table(tables.planned),
        *render_sql(
            "planning/sql/planned_rows:set_created_list_ids",
            tables.dialect,
            tables=tables,
            ids=ids,
            columns=columns,
        ),
        repeatable=False,
    )


def select_digest(tables: ModelTables) -> Statement:
    """Return one row, (rows, digest), of all deltas of a model: sent, removed, held and deferred.

    Equal digests mean that two plans would send the same rows with the same values. The hash function of an engine
    may change with its version, and joined text may be equal for different rows. So each row is encoded as JSON and
    hashed with MD5. The digest detects accidental changes; it is not a protection against forgery.
    """
    identifiers = (f"COALESCE(p.{name}, d.{name})" for name in IDENTIFIER_COLUMNS.values())
    values = [*(f"p.{name}" for name in ("retl_op", *KEY_COLUMNS, FIRST_SENT_COLUMN)), *identifiers]
    values += [f"d.{column}" for column in tables.payload_columns]
    values += [f"p.{CLEARED_COLUMN}"] if tables.clear_columns else []
    rows, _ = render_sql("planning/sql/planned_rows:digest_rows", tables.dialect, tables=tables)
    return Statement.read(tables.dialect.select_digest_sql(values, rows, "p.retl_seq"))


def _change_planned(template: str, tables: ModelTables) -> Statement:
    planned = tables.dialect.temp_table(tables.planned)
    return Statement.change(planned, *render_sql(f"planning/sql/{template}", tables.dialect, tables=tables))
