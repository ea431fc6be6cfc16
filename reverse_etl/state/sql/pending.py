"""The deltas of a run, read while it sends them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.domain.columns import Column, ColumnKind
from reverse_etl.domain.deltas import Op
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.state.sql.deltas import RunDeltas, deltas_table
from reverse_etl.state.sql.templates import render
from reverse_etl.warehouse.model_tables import (
    FIRST_SENT_COLUMN,
    IDENTIFIER_COLUMNS,
    ModelTables,
)
from reverse_etl.warehouse.statement import Statement, quote_identifier

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def select_seq_ranges(tables: ModelTables, run_id: str) -> Statement:
    """Return (list id, whether they are removes, first seq, last seq) of a run's deltas."""
    return Statement.read(
        f"SELECT retl_list_id, retl_op = '{Op.REMOVE}' AS retl_removes, MIN(retl_seq), MAX(retl_seq) "
        f"FROM {deltas_table(tables)}\n"
        f"WHERE retl_run_id = ? GROUP BY retl_list_id, retl_op = '{Op.REMOVE}' ORDER BY 3",
        (run_id,),
    )


def select_upserts(tables: ModelTables, run_id: str, list_id: str, seq_range: range) -> Statement:
    """Return (seq, the model's identifiers, the payload) of one list's upserts in a range, by seq; decimals as text."""
    identifiers = (IDENTIFIER_COLUMNS[kind] for kind in tables.identifiers)
    columns = ", ".join((*identifiers, *(_read_column_sql(column) for column in tables.payload)))
    condition = f"retl_op IN ('{Op.ADD}', '{Op.UPDATE}')"
    return _select_deltas(tables, columns, condition, (run_id, list_id), seq_range)


def select_upserts_with_op(tables: ModelTables, run_id: str, list_id: str, seq_range: range) -> Statement:
    """Return (seq, op, the model's identifiers, the payload) of one list's upserts in a range, by seq."""
    identifiers = (IDENTIFIER_COLUMNS[kind] for kind in tables.identifiers)
    columns = ", ".join(("retl_op", *identifiers, *(_read_column_sql(column) for column in tables.payload)))
    condition = f"retl_op IN ('{Op.ADD}', '{Op.UPDATE}')"
    return _select_deltas(tables, columns, condition, (run_id, list_id), seq_range)


def select_upserts_with_uncertainty(
    tables: ModelTables, run_id: str, list_id: str, seq_range: range
) -> Statement:
    """Return (seq, whether it may have been sent before, the model's identifiers, the payload) of upserts in a range, by seq."""
    identifiers = (IDENTIFIER_COLUMNS[kind] for kind in tables.identifiers)
    values = (*identifiers, *(_read_column_sql(column) for column in tables.payload))
    condition = f"retl_op IN ('{Op.ADD}', '{Op.UPDATE}')"
    columns = ", ".join(("retl_uncertain", *values))
    return _select_deltas(tables, columns, condition, (run_id, list_id), seq_range)


def select_removes(tables: ModelTables, run_id: str, list_id: str, seq_range: range) -> Statement:
    """Return (seq, identity, the four identifiers, first sent, in snapshot, uncertain) of one list's removes in a range, by seq."""
    identifiers = ", ".join(IDENTIFIER_COLUMNS.values())
    columns = f"retl_identity, {identifiers}, {FIRST_SENT_COLUMN}, retl_in_snapshot, retl_uncertain"
    return _select_deltas(tables, columns, f"retl_op = '{Op.REMOVE}'", (run_id, list_id), seq_range)


def select_changed_contacts(tables: ModelTables, run_id: str, list_id: str, seq_range: range) -> Statement:
    """Return (seq, identity, e-mail, phone) of the rows in a range that are sent with another e-mail or phone than before, by seq.

    An uncertain row that is not in the snapshot may be at Klaviyo with any.
    """
    contacts = [IDENTIFIER_COLUMNS[kind] for kind in (IdentifierType.EMAIL, IdentifierType.PHONE)]
    is_changed = " OR ".join(
        f"(d.{column} IS NOT NULL AND d.{column} IS DISTINCT FROM s.{column})" for column in contacts
    )
    return Statement.read(
        f"SELECT d.retl_seq, d.retl_identity, {', '.join(f'd.{column}' for column in contacts)} FROM {deltas_table(tables)} AS d\n"
        f"LEFT JOIN {tables.dialect.state_table(tables.snapshot)} AS s ON d.retl_list_id = s.retl_list_id AND d.retl_identity = s.retl_identity\n"
        f"WHERE d.retl_run_id = ? AND d.retl_list_id = ? AND (d.retl_op = '{Op.UPDATE}' OR (d.retl_op = '{Op.ADD}' AND d.retl_uncertain))\n"
        f"AND ({is_changed})\nAND d.retl_seq BETWEEN ? AND ? ORDER BY d.retl_seq",
        (run_id, list_id, seq_range.start, seq_range.stop - 1),
    )


def select_possible_renames(tables: ModelTables, run_id: str, list_id: str, seq_range: range) -> Statement:
    """Return (seq, the four identifiers) of the upserts in a range that may give a profile another e-mail or phone, by seq.

    Not those of rows that were applied with the same ones, and that no other run may have sent since.
    """
    contacts = [IDENTIFIER_COLUMNS[kind] for kind in (IdentifierType.EMAIL, IdentifierType.PHONE)]
    is_changed = " OR ".join(f"d.{column} IS DISTINCT FROM s.{column}" for column in contacts)
    return Statement.read(
        f"SELECT d.retl_seq, {', '.join(f'd.{column}' for column in IDENTIFIER_COLUMNS.values())} FROM {deltas_table(tables)} AS d\n"
        f"LEFT JOIN {tables.dialect.state_table(tables.snapshot)} AS s ON d.retl_list_id = s.retl_list_id AND d.retl_identity = s.retl_identity\n"
        f"WHERE d.retl_run_id = ? AND d.retl_list_id = ? AND d.retl_op IN ('{Op.ADD}', '{Op.UPDATE}')\n"
        f"AND (d.retl_uncertain OR s.retl_identity IS NULL OR {is_changed})\nAND d.retl_seq BETWEEN ? AND ? ORDER BY d.retl_seq",
        (run_id, list_id, seq_range.start, seq_range.stop - 1),
    )


def select_clears(run: RunDeltas, list_id: str, seq_range: range) -> Statement:
    """Return (seq, marks of the columns to clear, the four identifiers) of the rows of one list whose import is proved, by seq."""
    first_seq, last_seq = seq_range.start, seq_range.stop - 1
    text = render(
        "pending_clears", run.tables, run=run, list_id=list_id, first_seq=first_seq, last_seq=last_seq
    )
    return Statement.read(*text)


def count_clears(run: RunDeltas, list_id: str) -> Statement:
    """Return the number of the rows of one list with values to clear whose import is proved."""
    return Statement.read(*render("pending_clears", run.tables, run=run, list_id=list_id, last_seq=None))


def _select_deltas(
    tables: ModelTables, columns: str, condition: str, run_and_list: tuple[str, str], seq_range: range
) -> Statement:
    return Statement.read(
        f"SELECT retl_seq, {columns} FROM {deltas_table(tables)}\n"
        f"WHERE retl_run_id = ? AND retl_list_id = ? AND {condition} AND retl_seq BETWEEN ? AND ? ORDER BY retl_seq",
        (*run_and_list, seq_range.start, seq_range.stop - 1),
    )


def _read_column_sql(column: Column) -> str:
    """Return a column as it is read for sending: clients are slow to build decimals, and a text holds as much."""
    name = quote_identifier(column.name)
    return f"CAST({name} AS VARCHAR) AS {name}" if column.kind is ColumnKind.DECIMAL else name


def select_delta_identifiers(tables: ModelTables, run_id: str, first_seq: int, last_seq: int) -> Statement:
    """Return (seq, the four identifiers) of a range of deltas, to match a job's errors to rows."""
    return Statement.read(
        f"SELECT retl_seq, {', '.join(IDENTIFIER_COLUMNS.values())} FROM {deltas_table(tables)}\n"
        f"WHERE retl_run_id = ? AND retl_seq BETWEEN ? AND ? ORDER BY retl_seq",
        (run_id, first_seq, last_seq),
    )


def select_meeting_lists(tables: ModelTables, run_id: str) -> Statement:
    """Return (list id) of the lists of which an upsert of a run shares an identifier with one of another list."""
    deltas = deltas_table(tables)
    upserts = f"retl_run_id = ? AND retl_op IN ('{Op.ADD}', '{Op.UPDATE}')"
    columns = tuple(IDENTIFIER_COLUMNS.values())
    shared = "\nUNION ".join(
        f"SELECT d.retl_list_id FROM {deltas} AS d JOIN (\n"
        f"  SELECT {column} FROM {deltas} WHERE {upserts} AND {column} IS NOT NULL\n"
        f"  GROUP BY {column} HAVING MIN(retl_list_id) <> MAX(retl_list_id)\n"
        f") AS s ON d.{column} = s.{column} WHERE {upserts}"
        for column in columns
    )
    return Statement.read(f"{shared} ORDER BY 1", (run_id,) * (2 * len(columns)))


def select_staged_rows(
    run: RunDeltas, list_id: str, values_by_kind: Mapping[IdentifierType, Sequence[str]]
) -> Statement:
    """Return (type, value, identity or NULL, list id, rejected) of the staged rows that have one of some identifiers, rejected rows included.

    A row also counts as rejected if Klaviyo refused it in this run, or if this run sent it to the list and it is not proved
    applied. A rejected row is found by what the model says, any other by what it is sent with.
    """
    values_by_column = {(kind, IDENTIFIER_COLUMNS[kind]): values for kind, values in values_by_kind.items()}
    text = render("staged_rows", run.tables, run=run, list_id=list_id, values_by_column=values_by_column)
    return Statement.read(*text)
