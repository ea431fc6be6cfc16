"""Statements about the lists that a guard stops: their deltas, and the removals that share a person with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.domain.deltas import Op
from reverse_etl.warehouse.sql_template import render_sql
from reverse_etl.warehouse.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.warehouse.model_tables import ModelTables


def count_resent(tables: ModelTables) -> Statement:
    """Return (list id, op, rows) of the planned rows that are uncertain: earlier runs sent them, or were asked to."""
    return Statement.read(
        f"SELECT retl_list_id, retl_op, COUNT(*) FROM {tables.dialect.temp_table(tables.planned)} "
        f"WHERE retl_uncertain GROUP BY retl_list_id, retl_op ORDER BY retl_list_id, retl_op"
    )


def keep_back(tables: ModelTables, list_ids: Sequence[str]) -> tuple[Statement, ...]:
    """Take the upserts of these lists out of the plan, and defer their removes."""
    planned, placeholders = tables.dialect.temp_table(tables.planned), ", ".join("?" for _ in list_ids)
    of_lists = f"retl_list_id IN ({placeholders})"
    return (
        Statement.change(
            planned,
            f"DELETE FROM {planned} WHERE {of_lists} AND retl_op IN ('{Op.ADD}', '{Op.UPDATE}')",
            (*list_ids,),
        ),
        Statement.change(
            planned,
            f"UPDATE {planned} SET retl_op = '{Op.DEFERRED}' WHERE {of_lists} AND retl_op = '{Op.REMOVE}'",
            (*list_ids,),
        ),
    )


def select_held(tables: ModelTables, identities: Sequence[str]) -> Statement:
    """Return (list id, identity) of the held removals among these identities, at least one."""
    planned, placeholders = tables.dialect.temp_table(tables.planned), ", ".join("?" for _ in identities)
    return Statement.read(
        f"SELECT retl_list_id, retl_identity FROM {planned} "
        f"WHERE retl_op = '{Op.HELD}' AND retl_identity IN ({placeholders})",
        (*identities,),
    )


def hold_removals_of_people(
    tables: ModelTables, stopped: ModelTables, list_ids: Sequence[str], *, has_snapshot: bool
) -> Statement:
    """Hold the removals of a model whose person is on one of the stopped lists, or is to be.

    A stopped list has the people of its staged rows, rejected ones included, and of its snapshot.
    """
    values = {"tables": tables, "stopped": stopped, "list_ids": list_ids, "has_snapshot": has_snapshot}
    return Statement.change(
        tables.dialect.temp_table(tables.planned),
        *render_sql("planning/sql/hold_removals_of_people", tables.dialect, **values),
    )
