"""Statements that rename, merge and delete the rows of whole models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.state.sql.templates import render
from reverse_etl.state.tables import IN_SCOPE_SQL, in_scope_sql
from reverse_etl.warehouse.statement import Statement

if TYPE_CHECKING:
    from reverse_etl.warehouse.dialect import Dialect
    from reverse_etl.warehouse.model_tables import ModelTables


def rename_in_runs(
    dialect: Dialect, table: str, scope_key: tuple[str, str], old_name: str, new_name: str
) -> Statement:
    """Rename a model in a table whose rows belong to runs."""
    name, runs = dialect.state_table(table), dialect.state_table("runs")
    own_runs = f"SELECT run_id FROM {runs} WHERE {IN_SCOPE_SQL}"
    return Statement.change(
        name,
        f"UPDATE {name} SET model = ? WHERE model = ? AND run_id IN ({own_runs})",
        (new_name, old_name, *scope_key),
    )


def merge_rows(tables: ModelTables, other: ModelTables) -> tuple[Statement, ...]:
    """Give a model the rows of another one that it does not have, without the values that Klaviyo was given."""
    state_table = tables.dialect.state_table
    return (
        Statement.insert(
            state_table(tables.snapshot), *render("model_changes:merge_snapshot", tables, other=other)
        ),
        Statement.insert(
            state_table(tables.deltas), *render("model_changes:merge_deltas", tables, other=other)
        ),
    )


def merge_consents(
    dialect: Dialect, scope_key: tuple[str, str], old_name: str, new_name: str
) -> tuple[Statement, ...]:
    """Give a model the consents of another one that it has not asked for itself."""
    name, own_row = dialect.state_table("consents"), f"{IN_SCOPE_SQL} AND model = ?"
    key = "list_id || '|' || identity"
    return (
        Statement.change(
            name,
            f"DELETE FROM {name} WHERE {own_row}\nAND {key} IN (SELECT {key} FROM {name} WHERE {own_row})",
            (*scope_key, old_name, *scope_key, new_name),
        ),
        Statement.change(
            name, f"UPDATE {name} SET model = ? WHERE {own_row}", (new_name, *scope_key, old_name)
        ),
    )


def renumber_journal(dialect: Dialect, scope_key: tuple[str, str], old_name: str, new_name: str) -> Statement:
    """Give a model's rows of the journal numbers after those that another one has in the same run.

    A row's key stays one when both get the same name.
    """
    name = dialect.state_table("journal")
    last = f"SELECT run_id, MAX(ABS(seq)) AS last_seq FROM {name} WHERE {IN_SCOPE_SQL} AND model = ? GROUP BY run_id"
    return Statement.change(
        name,
        f"UPDATE {name} AS j SET seq = j.seq + SIGN(j.seq) * m.last_seq\nFROM ({last}) AS m\n"
        f"WHERE m.run_id = j.run_id AND {in_scope_sql('j')} AND j.model = ?",
        (*scope_key, new_name, *scope_key, old_name),
    )


def delete_rows(dialect: Dialect, table: str, list_id: str | None) -> Statement:
    """Delete the rows of one of a model's tables, or those of one list."""
    name = dialect.state_table(table)
    if list_id is None:
        return Statement.change(name, f"DELETE FROM {name}")
    return Statement.change(name, f"DELETE FROM {name} WHERE retl_list_id = ?", (list_id,))


def drop_table(dialect: Dialect, table: str) -> Statement:
    """Drop one of a model's tables."""
    name = dialect.state_table(table)
    return Statement.drop(name, f"DROP TABLE IF EXISTS {name}")
