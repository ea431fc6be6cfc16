"""Statements that bring the shared tables of a state from one version to the next.

A version's changes are written out here as they were when it came, and stay: a later version adds its own.
`lease`, and `version` and `migrating_to` in `meta`, are the same in every version: by them programs of
different versions know of each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.warehouse.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.warehouse.dialect import Dialect


@dataclass(frozen=True)
class TableChange:
    """A shared table as a version has it: its columns in order, each with its value in terms of the old ones.

    `old_name` is the table's name before; '' where it is the same.
    """

    name: str
    columns: Mapping[str, str]
    old_name: str = ""

    def is_pending(self, old_columns: Sequence[str]) -> bool:
        """Return whether it is still to be made; `old_columns` are those of the table of the old name."""
        return bool(old_columns) and (bool(self.old_name) or [*old_columns] != [*self.columns])


def _unchanged(*names: str) -> dict[str, str]:
    return {name: name for name in names}


TABLES_BY_VERSION: Mapping[int, Sequence[str]] = {
    1: (
        "models",
        "targets",
        "runs",
        "run_lists",
        "receipts",
        "refusals",
        "rejections",
        "gone",
        "lists",
        "lease",
        "meta",
    ),
    2: (
        "models",
        "targets",
        "runs",
        "run_lists",
        "receipts",
        "row_exceptions",
        "rejections",
        "unmatched_removals",
        "lists",
        "lease",
        "meta",
    ),
}
CHANGES_BY_VERSION: Mapping[int, Sequence[TableChange]] = {
    2: (
        TableChange(
            "receipts",
            {
                **_unchanged("run_id", "model", "list_id", "op", "first_seq", "last_seq", "row_count"),
                **_unchanged("state", "job_id"),
                "recorded_at": "noted_at",
                "detail": "detail",
            },
        ),
        TableChange(
            "row_exceptions",
            _unchanged("run_id", "model", "seq", "kind", "code", "field", "detail"),
            old_name="refusals",
        ),
        TableChange(
            "unmatched_removals",
            {
                **_unchanged("account_id", "project", "model", "list_id", "identity", "run_id"),
                "recorded_at": "noted_at",
            },
            old_name="gone",
        ),
        TableChange(
            "lists",
            {
                **_unchanged("account_id", "project", "list_id", "name", "model", "state"),
                "recorded_at": "noted_at",
            },
        ),
    ),
}


def select_meta(dialect: Dialect, columns: Sequence[str]) -> Statement:
    """Return (version, version that it is being migrated to or NULL, copy or NULL).

    `columns` are those of `meta`: in version 1 it has the version alone.
    """
    names = ("version", "migrating_to", "backup")
    values = ", ".join(f"MAX({name})" if name in columns else "NULL" for name in names)
    return Statement.read(f"SELECT {values} FROM {dialect.state_table('meta')}")


def select_scopes(dialect: Dialect) -> Statement:
    """Return (account, project) of everybody whose state lies here."""
    queries = " UNION ".join(
        f"SELECT account_id, project FROM {dialect.state_table(table)}"
        for table in ("models", "runs", "lists", "targets", "lease")
    )
    return Statement.read(f"{queries} ORDER BY 1, 2")


def select_table_keys(dialect: Dialect) -> Statement:
    """Return (table key) of every model that was ever sent."""
    return Statement.read(f"SELECT table_key FROM {dialect.state_table('models')} ORDER BY table_key")


def mark_migrating(dialect: Dialect, version: int, backup: str | None) -> Statement:
    """Note that the state is being migrated to a version, and where its copy lies."""
    backup_text = "NULL" if backup is None else dialect.quote_literal(backup)
    select = (
        f"SELECT version, CAST({version} AS BIGINT) AS migrating_to, CAST({backup_text} AS VARCHAR) AS backup "
        f"FROM {dialect.state_table('meta')}"
    )
    return dialect.replace_state_table("meta", select, repeatable=False)


def change_table(dialect: Dialect, change: TableChange) -> tuple[Statement, ...]:
    """Put a table of the new version in the place of the old one."""
    old_table = dialect.state_table(change.old_name or change.name)
    values = ", ".join(
        value if value == name else f"{value} AS {name}" for name, value in change.columns.items()
    )
    replaced = dialect.replace_state_table(
        change.name, f"SELECT {values} FROM {old_table}", repeatable=bool(change.old_name)
    )
    if not change.old_name:
        return (replaced,)
    return (replaced, Statement.drop(old_table, f"DROP TABLE IF EXISTS {old_table}"))


def raise_version(dialect: Dialect, version: int) -> Statement:
    """Note that the state is of a version now."""
    table = dialect.state_table("meta")
    return Statement.change(table, f"UPDATE {table} SET version = {version}, migrating_to = NULL")
