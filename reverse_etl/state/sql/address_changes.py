"""Statements about rows without ids whose member gets another address: from then on the profile id says who it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.state.sql.deltas import deltas_table
from reverse_etl.state.sql.templates import render
from reverse_etl.warehouse.model_tables import FIRST_SENT_COLUMN, IDENTIFIER_COLUMNS
from reverse_etl.warehouse.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.warehouse.model_tables import ModelTables

# `changes` are (identity, profile id, identity by profile id), at least one.
_PROFILE_COLUMN = IDENTIFIER_COLUMNS[IdentifierType.PROFILE_ID]


def select_changed(tables: ModelTables, run_id: str, changes: Sequence[tuple[str, str, str]]) -> Statement:
    """Return (identity, 1 if it is of an applied row that this run would not send or remove, otherwise 0) of the model's rows."""
    return Statement.read(*render("address_changes:select_changed", tables, run_id=run_id, changes=changes))


def name_members(
    tables: ModelTables, run_id: str, changes: Sequence[tuple[str, str, str]]
) -> tuple[Statement, ...]:
    """Let the rows of these identities be rows of the profile ids: no model has such a row, so that the diff removes it.

    A row that is desired by its address is new for the diff. Rows that this run sends stay what they are. Run it in one
    transaction; may be repeated.
    """
    contacts = [
        column for kind, column in IDENTIFIER_COLUMNS.items() if kind is not IdentifierType.PROFILE_ID
    ]
    insert = render(
        "address_changes:insert_members",
        tables,
        run_id=run_id,
        changes=changes,
        profile_column=_PROFILE_COLUMN,
        columns=(*contacts, FIRST_SENT_COLUMN),
    )
    renames = (
        Statement.change(
            tables.dialect.state_table(table),
            *render(
                "address_changes:name_by_profile",
                tables,
                table=table,
                profile_column=_PROFILE_COLUMN,
                changes=changes,
                is_deltas=table == tables.deltas,
            ),
        )
        for table in (tables.deltas, tables.snapshot)
    )
    return (Statement.insert(deltas_table(tables), *insert), *renames, forget_rows(tables, changes))


def forget_rows(tables: ModelTables, changes: Sequence[tuple[str, str, str]]) -> Statement:
    """Forget the applied rows of these identities, so that those which are desired are new for the diff."""
    snapshot = tables.dialect.state_table(tables.snapshot)
    return Statement.change(snapshot, *render("address_changes:forget_rows", tables, changes=changes))
