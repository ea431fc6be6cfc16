"""Statements that list, from the temporary tables of a plan, the rows that a run keeps back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.domain.deltas import Op
from reverse_etl.warehouse.model_tables import IDENTIFIER_COLUMNS
from reverse_etl.warehouse.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.domain.identifiers import IdentifierType
    from reverse_etl.warehouse.model_tables import ModelTables

_IDENTIFIERS = ", ".join(IDENTIFIER_COLUMNS.values())


def select_held_removals(tables: ModelTables) -> Statement:
    """Return (list id, identity, identifiers) of the removals that the plan holds."""
    planned = tables.dialect.temp_table(tables.planned)
    return Statement.read(
        f"SELECT retl_list_id, retl_identity, {_IDENTIFIERS} FROM {planned}\n"
        f"WHERE retl_op = '{Op.HELD}' ORDER BY 1, 2"
    )


def looked_up_rows(tables: ModelTables, list_id: str, *, deletes_people: bool) -> Statement:
    """Return the rows of a list whose people a run looks up: those that leave, or whose people are deleted.

    A guard may keep deletions out of the plan: they are the model's valid rows.
    """
    columns = f"retl_identity, {_IDENTIFIERS}"
    if deletes_people:
        return Statement.read(f"SELECT {columns} FROM {tables.staged_rows} AS s WHERE s.retl_problem IS NULL")
    planned = tables.dialect.temp_table(tables.planned)
    text = f"SELECT {columns} FROM {planned} WHERE retl_op = '{Op.REMOVE}' AND retl_list_id = ?"
    return Statement.read(text, (list_id,))


def select_looked_up(rows: Statement) -> Statement:
    """Return (identity, NULL, NULL, identifiers) of the rows whose people a run looks up."""
    text = f"SELECT retl_identity, NULL, NULL, {_IDENTIFIERS} FROM (\n{rows.text}\n) AS p ORDER BY 1"
    return Statement.read(text, rows.parameters)


def select_rejected_people(tables: ModelTables, kind: IdentifierType, values: Sequence[str]) -> Statement:
    """Return (value, identity, identifiers) of the rejected rows that have one of these identifiers."""
    column = IDENTIFIER_COLUMNS[kind]
    return Statement.read(
        f"SELECT DISTINCT {column}, retl_identity, {_IDENTIFIERS} FROM {tables.staged_rows}\n"
        f"WHERE retl_problem IS NOT NULL AND {column} IN ({_placeholders(values)}) ORDER BY 1, 2",
        tuple(values),
    )


def select_shared_values(tables: ModelTables, kind: IdentifierType, values: Sequence[str]) -> Statement:
    """Return those of the values of an identifier that several row keys of the model have."""
    column = IDENTIFIER_COLUMNS[kind]
    return Statement.read(
        f"SELECT {column} FROM {tables.staged_rows}\n"
        f"WHERE {column} IN ({_placeholders(values)}) "
        f"GROUP BY {column} HAVING MIN(retl_identity) <> MAX(retl_identity) ORDER BY 1",
        tuple(values),
    )


def select_people_on_lists(
    tables: ModelTables,
    list_ids: Sequence[str],
    kind: IdentifierType,
    values: Sequence[str],
    *,
    has_snapshot: bool,
) -> Statement:
    """Return (value, list id) of the people with one of the values who are, or are to be, on these lists."""
    column, lists, people = IDENTIFIER_COLUMNS[kind], _placeholders(list_ids), _placeholders(values)
    staged = (
        f"SELECT s.{column}, l.retl_list_id FROM {tables.staged_rows} AS s\n"
        f"JOIN {tables.dialect.temp_table(tables.lists)} AS l ON l.retl_list = s.retl_list\n"
        f"WHERE l.retl_list_id IN ({lists}) AND s.{column} IN ({people})"
    )
    sent = (
        f"\nUNION SELECT {column}, retl_list_id FROM {tables.dialect.state_table(tables.snapshot)}\n"
        f"WHERE retl_list_id IN ({lists}) AND {column} IN ({people})"
        if has_snapshot
        else ""
    )
    parameters = (*list_ids, *values)
    return Statement.read(f"{staged}{sent} ORDER BY 1, 2", parameters * (2 if has_snapshot else 1))


def select_omitting_rows(tables: ModelTables) -> Statement:
    """Return (list id, identity, identifiers, omit flags) of the rows that are sent without an identifier."""
    columns = (
        "l.retl_list_id",
        "s.retl_identity",
        *(f"s.{name}" for name in IDENTIFIER_COLUMNS.values()),
        *(flags := tables.omits_sql("s")),
    )
    return Statement.read(
        f"SELECT {', '.join(columns)} FROM {tables.staged_rows} AS s\n"
        f"JOIN {tables.dialect.temp_table(tables.lists)} AS l ON l.retl_list = s.retl_list\n"
        f"WHERE s.retl_problem IS NULL AND ({' OR '.join(flags) or 'FALSE'}) ORDER BY 1, 2"
    )


def _placeholders(values: Sequence[str]) -> str:
    return ", ".join("?" for _ in values)
