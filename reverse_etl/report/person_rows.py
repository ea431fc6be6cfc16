"""Statements that find one person in the temporary tables of a plan and in the tables of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.warehouse.model_tables import FIRST_SENT_COLUMN, IDENTIFIER_COLUMNS, KEY_COLUMNS
from reverse_etl.warehouse.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.domain.identifiers import IdentifierType
    from reverse_etl.warehouse.model_tables import ModelTables

MAX_ROWS = 20  # of one person in one table; a shared identifier may have more


def select_staged_rows(tables: ModelTables, values: Mapping[IdentifierType, str]) -> Statement:
    """Return (list id, identity, problem, detail, identifiers, omit flags, payload) of a model's rows."""
    columns = (
        "l.retl_list_id",
        *(f"s.{name}" for name in ("retl_identity", "retl_problem", "retl_detail")),
        *(f"s.{name}" for name in IDENTIFIER_COLUMNS.values()),
        *tables.omits_sql("s"),
        *(f"s.{name}" for name in tables.payload_columns),
    )
    staged, lists = tables.staged_rows, tables.dialect.temp_table(tables.lists)
    condition, parameters = _has_identifier("s.", values)
    return Statement.read(
        f"SELECT {', '.join(columns)}\n"
        f"FROM {staged} AS s LEFT JOIN {lists} AS l ON l.retl_list = s.retl_list\n"
        f"WHERE {condition} ORDER BY 1, 2 LIMIT {MAX_ROWS}",
        parameters,
    )


def select_staged_identifiers(tables: ModelTables, identities: Sequence[str]) -> Statement:
    """Return (list id, identity, identifiers) of the model's rows with these identities."""
    columns = ", ".join(f"s.{name}" for name in IDENTIFIER_COLUMNS.values())
    staged, lists = tables.staged_rows, tables.dialect.temp_table(tables.lists)
    return Statement.read(
        f"SELECT l.retl_list_id, s.retl_identity, {columns}\n"
        f"FROM {staged} AS s LEFT JOIN {lists} AS l ON l.retl_list = s.retl_list\n"
        f"WHERE s.retl_identity IN ({', '.join('?' for _ in identities)}) ORDER BY 1, 2 LIMIT {MAX_ROWS}",
        tuple(identities),
    )


def select_planned(tables: ModelTables, identities: Sequence[str]) -> Statement:
    """Return (list id, identity, op) of the plan's changes of these identities."""
    placeholders = ", ".join("?" for _ in identities)
    return Statement.read(
        f"SELECT retl_list_id, retl_identity, retl_op FROM {tables.dialect.temp_table(tables.planned)}\n"
        f"WHERE retl_identity IN ({placeholders}) ORDER BY 1, 2, 3",
        tuple(identities),
    )


def select_without_profile(tables: ModelTables, identities: Sequence[str]) -> Statement:
    """Return (list id, time) of these rows whose person Klaviyo did not know when it was last asked."""
    placeholders = ", ".join("?" for _ in identities)
    return Statement.read(
        f"SELECT retl_list_id, retl_looked_up_at FROM {tables.dialect.state_table(tables.without_profile)}\n"
        f"WHERE retl_identity IN ({placeholders}) ORDER BY 1, 2",
        tuple(identities),
    )


def select_sent_rows(tables: ModelTables, values: Mapping[IdentifierType, str]) -> Statement:
    """Return (list id, identity, identifiers, first sent, payload) of the rows of the snapshot."""
    condition, parameters = _has_identifier("", values)
    columns = (*KEY_COLUMNS, *IDENTIFIER_COLUMNS.values(), FIRST_SENT_COLUMN, *tables.payload_columns)
    return Statement.read(
        f"SELECT {', '.join(columns)} FROM {tables.dialect.state_table(tables.snapshot)}\n"
        f"WHERE {condition} ORDER BY 1, 2 LIMIT {MAX_ROWS}",
        parameters,
    )


def select_open_changes(tables: ModelTables, values: Mapping[IdentifierType, str]) -> Statement:
    """Return (list id, identity, run, number, op, identifiers) of the changes that are not proved."""
    condition, parameters = _has_identifier("", values)
    return Statement.read(
        f"SELECT retl_list_id, retl_identity, retl_run_id, retl_seq, retl_op, "
        f"{', '.join(IDENTIFIER_COLUMNS.values())}\n"
        f"FROM {tables.dialect.state_table(tables.deltas)} WHERE {condition} ORDER BY 3, 4 LIMIT {MAX_ROWS}",
        parameters,
    )


def _has_identifier(prefix: str, values: Mapping[IdentifierType, str]) -> tuple[str, tuple[str, ...]]:
    tests = " OR ".join(f"{prefix}{IDENTIFIER_COLUMNS[kind]} = ?" for kind in values)
    return f"({tests})", tuple(values.values())
