"""Statements of the tables that all models share: runs, receipts, row exceptions, the registry of lists, and the lease."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reverse_etl.domain.batched import batched
from reverse_etl.warehouse.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.warehouse.dialect import Dialect

ROWS_PER_STATEMENT = 1_000  # short enough to be sent and parsed at once, and few statements for many rows


def insert_rows(dialect: Dialect, table: str, rows: Sequence[tuple[Any, ...]]) -> tuple[Statement, ...]:
    """Insert rows, each of all the columns of a shared table in their order: a statement for every thousand, none for no rows."""
    placeholders = f"({', '.join('?' for _ in rows[0])})" if rows else ""
    return tuple(
        Statement.insert(
            dialect.state_table(table),
            f"INSERT INTO {dialect.state_table(table)} VALUES {', '.join([placeholders] * len(part))}",
            tuple(value for row in part for value in row),
        )
        for part in batched(rows, ROWS_PER_STATEMENT)
    )


def select_models(dialect: Dialect, account: str, project: str) -> Statement:
    """Return (model, table key, surface, identifiers, checksum) of every model that was ever sent."""
    return Statement.read(
        f"SELECT model, table_key, surface, identifiers, checksum FROM {dialect.state_table('models')} "
        f"WHERE account_id = ? AND project = ? ORDER BY model",
        (account, project),
    )


def select_other_projects(dialect: Dialect, account: str, project: str) -> Statement:
    """Return the names of the other projects of an account, of any account for '', that ever sent a model."""
    return Statement.read(
        f"SELECT DISTINCT project FROM {dialect.state_table('models')} "
        f"WHERE project <> ? AND (account_id = ? OR ? = '') ORDER BY project",
        (project, account, account),
    )


def replace_model(
    dialect: Dialect, account: str, project: str, row: tuple[str, str, str, str, str]
) -> tuple[Statement, ...]:
    """Note a model as it is sent now: (model, table key, surface, identifiers, checksum)."""
    table = dialect.state_table("models")
    return (
        Statement.change(
            table,
            f"DELETE FROM {table} WHERE account_id = ? AND project = ? AND model = ?",
            (account, project, row[0]),
        ),
        Statement.insert(
            table, f"INSERT INTO {table} VALUES (?, ?, ?, ?, ?, ?, ?)", (account, project, *row)
        ),
    )


def select_last_account(dialect: Dialect, project: str, destination_id: str) -> Statement:
    """Return the account that a target's last run was sent to."""
    return Statement.read(
        f"SELECT account_id FROM {dialect.state_table('targets')} WHERE project = ? AND destination_id = ?",
        (project, destination_id),
    )


def replace_account(
    dialect: Dialect, project: str, destination_id: str, account: str
) -> tuple[Statement, ...]:
    """Note the account of a target."""
    table = dialect.state_table("targets")
    return (
        Statement.change(
            table, f"DELETE FROM {table} WHERE project = ? AND destination_id = ?", (project, destination_id)
        ),
        Statement.insert(table, f"INSERT INTO {table} VALUES (?, ?, ?)", (project, destination_id, account)),
    )


def insert_run(  # noqa: PLR0913, PLR0917 - a row of the runs
    dialect: Dialect, run_id: str, account: str, project: str, started_at: str, klaviyo_time: str
) -> Statement:
    """Mark a run as `submitting`: from here on its deltas may have been sent."""
    table = dialect.state_table("runs")
    return Statement.insert(
        table,
        f"INSERT INTO {table} VALUES (?, ?, ?, 'submitting', ?, ?, NULL, NULL)",
        (run_id, account, project, started_at, klaviyo_time),
    )


def update_ended_run(
    dialect: Dialect, run_id: str, state: str, ended_at: str, exit_code: int | None
) -> Statement:
    """Mark a run as `changes`, `unsettled` (an import may still be under way) or `recovered` (settled by a later run).

    With None, the exit code stays: NULL for a run that died.
    """
    changes = {"state": state, "ended_at": ended_at} | ({} if exit_code is None else {"exit_code": exit_code})
    table = dialect.state_table("runs")
    return Statement.change(
        table,
        f"UPDATE {table} SET {', '.join(f'{name} = ?' for name in changes)} WHERE run_id = ?",
        (*changes.values(), run_id),
    )


def insert_refused_run(  # noqa: PLR0913, PLR0917 - a row of the runs
    dialect: Dialect, run_id: str, account: str, project: str, refused_at: str, exit_code: int
) -> Statement:
    """Note a run that was `refused` before it wrote anything."""
    table = dialect.state_table("runs")
    return Statement.insert(
        table,
        f"INSERT INTO {table} VALUES (?, ?, ?, 'refused', ?, '', ?, ?)",
        (run_id, account, project, refused_at, refused_at, exit_code),
    )


def select_refusal_reasons(dialect: Dialect, run_id: str) -> Statement:
    """Return why a run was refused; no row where it was not."""
    return Statement.read(
        f"SELECT l.reason FROM {dialect.state_table('run_lists')} AS l JOIN {dialect.state_table('runs')} AS r ON l.run_id = r.run_id\n"
        f"WHERE l.run_id = ? AND r.state = 'refused' ORDER BY l.reason",
        (run_id,),
    )


def select_unfinished_runs(dialect: Dialect, account: str, project: str) -> Statement:
    """Return (run id, Klaviyo's time when it began) of the runs that began to write and left something open."""
    return Statement.read(
        f"SELECT run_id, klaviyo_time FROM {dialect.state_table('runs')} "
        f"WHERE account_id = ? AND project = ? AND state IN ('submitting', 'unsettled') ORDER BY started_at, run_id",
        (account, project),
    )


def select_run_windows(dialect: Dialect, account: str, project: str, list_id: str) -> Statement:
    """Return (Klaviyo's time when it began, ours then, ours when it ended) of the runs that may have put somebody on a list.

    None that left something open.
    """
    return Statement.read(
        f"SELECT r.klaviyo_time, r.started_at, r.ended_at FROM {dialect.state_table('runs')} AS r\n"
        f"WHERE r.account_id = ? AND r.project = ? AND r.state = 'ended' AND EXISTS (SELECT 1 FROM {dialect.state_table('receipts')} AS c\n"
        f"  WHERE c.run_id = r.run_id AND c.list_id = ? AND c.op = 'add' AND c.state IN ('applied', 'unknown'))\n"
        f"ORDER BY r.klaviyo_time, r.run_id",
        (account, project, list_id),
    )


def select_runs(dialect: Dialect, account: str, project: str) -> Statement:
    """Return (run id, state, started, ended, exit code) of every run, newest first."""
    return Statement.read(
        f"SELECT run_id, state, started_at, ended_at, exit_code FROM {dialect.state_table('runs')} "
        f"WHERE account_id = ? AND project = ? ORDER BY started_at DESC, run_id DESC",
        (account, project),
    )


def select_all_run_lists(dialect: Dialect, account: str, project: str) -> Statement:
    """Return (run id, started, model, list id, list name, counts as JSON, reason) of each run's lists, newest run first.

    Not of a run that was refused: it touched none.
    """
    return Statement.read(
        f"SELECT l.run_id, r.started_at, l.model, l.list_id, l.list_name, l.counts, l.reason "
        f"FROM {dialect.state_table('run_lists')} AS l JOIN {dialect.state_table('runs')} AS r ON l.run_id = r.run_id\n"
        f"WHERE r.account_id = ? AND r.project = ? AND r.state <> 'refused' "
        f"ORDER BY r.started_at DESC, r.run_id DESC, l.model, l.list_name",
        (account, project),
    )


def select_open_receipts(dialect: Dialect, account: str, project: str) -> Statement:
    """Return the receipts whose import job was accepted and not yet seen to end, each with its run's beginning."""
    return Statement.read(
        f"SELECT c.run_id, c.model, c.list_id, c.op, c.first_seq, c.last_seq, c.row_count, c.job_id, c.detail, c.may_have_duplicate, r.klaviyo_time "
        f"FROM {dialect.state_table('receipts')} AS c JOIN {dialect.state_table('runs')} AS r ON c.run_id = r.run_id\n"
        f"WHERE r.account_id = ? AND r.project = ? AND c.state = 'accepted' ORDER BY c.run_id, c.model, c.first_seq",
        (account, project),
    )


def delete_receipts(dialect: Dialect, run_id: str, model: str, first_seqs: tuple[int, ...]) -> Statement:
    """Drop receipts, to be written anew in their next state."""
    placeholders = ", ".join("?" for _ in first_seqs)
    table = dialect.state_table("receipts")
    return Statement.change(
        table,
        f"DELETE FROM {table} WHERE run_id = ? AND model = ? AND first_seq IN ({placeholders})",
        (run_id, model, *first_seqs),
    )


def delete_row_exceptions(dialect: Dialect, deltas: str, run_id: str, model: str) -> tuple[Statement, ...]:
    """Drop the row exceptions of a run's model that are taken over.

    A row that stays a delta keeps its exception: without it, its range's receipt would speak for it too.
    """
    return (
        Statement.change(
            dialect.state_table("row_exceptions"),
            f"DELETE FROM {dialect.state_table('row_exceptions')} WHERE run_id = ? AND model = ?\n"
            f"AND seq NOT IN (SELECT retl_seq FROM {dialect.state_table(deltas)} WHERE retl_run_id = ?)",
            (run_id, model, run_id),
        ),
    )


def select_lists(dialect: Dialect, account: str, project: str) -> Statement:
    """Return (list id, name, model, state, at) of the registry."""
    return Statement.read(
        f"SELECT list_id, name, model, state, recorded_at FROM {dialect.state_table('lists')} "
        f"WHERE account_id = ? AND project = ? ORDER BY name, list_id",
        (account, project),
    )


def replace_list(
    dialect: Dialect, account: str, project: str, row: tuple[str | None, str, str, str, str]
) -> tuple[Statement, ...]:
    """Note a list in the registry in place of what was known of that name or id: (list id, name, model, state, at)."""
    table = dialect.state_table("lists")
    return (
        Statement.change(
            table,
            f"DELETE FROM {table} WHERE account_id = ? AND project = ? AND (list_id = ? OR (list_id IS NULL AND name = ?))",
            (account, project, row[0], row[1]),
        ),
        Statement.insert(
            table, f"INSERT INTO {table} VALUES (?, ?, ?, ?, ?, ?, ?)", (account, project, *row)
        ),
    )


def select_lease(dialect: Dialect, account: str, project: str) -> Statement:
    """Return (owner, expires) of the lease."""
    return Statement.read(
        f"SELECT owner, expires_at FROM {dialect.state_table('lease')} WHERE account_id = ? AND project = ?",
        (account, project),
    )


def replace_lease(
    dialect: Dialect, account: str, project: str, holder: str, expires_at: str
) -> tuple[Statement, ...]:
    """Give the lease to `holder` until `expires_at`, whoever had it."""
    table = dialect.state_table("lease")
    return (
        Statement.change(
            table, f"DELETE FROM {table} WHERE account_id = ? AND project = ?", (account, project)
        ),
        Statement.insert(
            table, f"INSERT INTO {table} VALUES (?, ?, ?, ?)", (account, project, holder, expires_at)
        ),
    )


def renew_lease(dialect: Dialect, account: str, project: str, holder: str, expires_at: str) -> Statement:
    """Let the lease's owner keep it for longer."""
    table = dialect.state_table("lease")
    return Statement.change(
        table,
        f"UPDATE {table} SET expires_at = ? WHERE account_id = ? AND project = ? AND owner = ?",
        (expires_at, account, project, holder),
    )


def delete_lease(dialect: Dialect, account: str, project: str, holder: str) -> Statement:
    """Give the lease back."""
    table = dialect.state_table("lease")
    return Statement.change(
        table,
        f"DELETE FROM {table} WHERE account_id = ? AND project = ? AND owner = ?",
        (account, project, holder),
    )


def acquire_lease(  # noqa: PLR0913, PLR0917 - a row of the lease, and the time
    dialect: Dialect, account: str, project: str, holder: str, expires_at: str, now: str
) -> Statement:
    """Give the lease to `holder` if nobody has it or it has expired, by one statement.

    Two that run at the same moment may both insert their row: who claims looks afterwards whether it is alone.
    """
    table = dialect.state_table("lease")
    return Statement.change(
        table,
        f"MERGE INTO {table} AS l\n"
        f"USING (SELECT ? AS account_id, ? AS project, ? AS owner, ? AS expires_at, ? AS claimed_at) AS n\n"
        f"ON l.account_id = n.account_id AND l.project = n.project\n"
        f"WHEN MATCHED AND l.expires_at <= n.claimed_at THEN UPDATE SET owner = n.owner, expires_at = n.expires_at\n"
        f"WHEN NOT MATCHED THEN INSERT (account_id, project, owner, expires_at) "
        f"VALUES (n.account_id, n.project, n.owner, n.expires_at)",
        (account, project, holder, expires_at, now),
    )
