"""Statements that read what is kept of one run: its lists, its receipts, and whom nobody found.

Each gives few rows, whatever the run sent: sums, or the first so many.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.warehouse.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.warehouse.dialect import Dialect


def select_run_lists(dialect: Dialect, run_ids: Sequence[str]) -> Statement:
    """Return (run id, model, list id, list name, counts as JSON, reason) of the lists of some runs.

    Of a refused run only why, under no list.
    """
    placeholders = ", ".join("?" for _ in run_ids)
    return Statement.read(
        f"SELECT run_id, model, list_id, list_name, counts, reason FROM {dialect.state_table('run_lists')} "
        f"WHERE run_id IN ({placeholders}) ORDER BY run_id, model, list_name, list_id, reason",
        tuple(run_ids),
    )


def select_receipt_sums(dialect: Dialect, run_id: str) -> Statement:
    """Return (model, list id, op, state, receipts, rows) of a run."""
    return Statement.read(
        f"SELECT model, list_id, op, state, COUNT(*), SUM(row_count) FROM {dialect.state_table('receipts')} "
        f"WHERE run_id = ?\nGROUP BY model, list_id, op, state ORDER BY model, list_id, op, state",
        (run_id,),
    )


def select_receipts(dialect: Dialect, run_id: str, limit: int) -> Statement:
    """Return (model, list id, op, job, rows, state, at, detail) of the first receipts of each list and op, those not applied first."""
    return Statement.read(
        f"SELECT model, list_id, op, job_id, row_count, state, recorded_at, detail, may_have_duplicate FROM (\n"
        f"  SELECT model, list_id, op, job_id, row_count, state, recorded_at, detail, may_have_duplicate, ROW_NUMBER() OVER (\n"
        f"    PARTITION BY model, list_id, op ORDER BY CASE WHEN state = 'applied' THEN 1 ELSE 0 END, first_seq) AS nth\n"
        f"  FROM {dialect.state_table('receipts')} WHERE run_id = ?\n"
        f") AS c WHERE nth <= {limit} ORDER BY model, list_id, op, nth",
        (run_id,),
    )


def select_unmatched_removals(
    dialect: Dialect, scope_key: tuple[str, str], run_id: str, limit: int
) -> Statement:
    """Return (model, list id, identity, at, how many there are) of the first removals of a run for whom nobody was found."""
    return Statement.read(
        f"SELECT model, list_id, identity, recorded_at, COUNT(*) OVER () FROM {dialect.state_table('unmatched_removals')} "
        f"WHERE account_id = ? AND project = ? AND run_id = ?\nORDER BY model, list_id, identity LIMIT {limit}",
        (*scope_key, run_id),
    )
