"""The tables of the state: a documented contract with a version (docs/state.md).

Times are ISO 8601 text in UTC. A model's own tables are made when it is first sent, and follow its columns: new ones are added,
dropped ones keep their values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.warehouse.statement import Statement, quote_identifier
from reverse_etl.warehouse.type_changes import current_value_sql

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.domain.columns import Column
    from reverse_etl.warehouse.dialect import Dialect
    from reverse_etl.warehouse.model_tables import ModelTables

STATE_VERSION = 2

SHARED_TABLES: Mapping[str, str] = {
    "meta": "version BIGINT, migrating_to BIGINT, backup VARCHAR",
    "models": "account_id VARCHAR, project VARCHAR, model VARCHAR, table_key VARCHAR, surface VARCHAR, identifiers VARCHAR, checksum VARCHAR",
    "targets": "project VARCHAR, destination_id VARCHAR, account_id VARCHAR",
    "runs": "run_id VARCHAR, account_id VARCHAR, project VARCHAR, state VARCHAR, started_at VARCHAR, "
    "klaviyo_time VARCHAR, ended_at VARCHAR, exit_code BIGINT",
    "run_lists": "run_id VARCHAR, model VARCHAR, list_id VARCHAR, list_name VARCHAR, counts VARCHAR, reason VARCHAR",
    "receipts": "run_id VARCHAR, model VARCHAR, list_id VARCHAR, op VARCHAR, first_seq BIGINT, last_seq BIGINT, "
    "row_count BIGINT, state VARCHAR, job_id VARCHAR, recorded_at VARCHAR, detail VARCHAR, may_have_duplicate BOOLEAN",
    "row_exceptions": "run_id VARCHAR, model VARCHAR, seq BIGINT, kind VARCHAR, code VARCHAR, field VARCHAR, detail VARCHAR",
    "rejections": "account_id VARCHAR, project VARCHAR, model VARCHAR, list_id VARCHAR, row_key VARCHAR, source VARCHAR, "
    "code VARCHAR, field VARCHAR, detail VARCHAR, first_run_id VARCHAR, row_count BIGINT",
    "unmatched_removals": "account_id VARCHAR, project VARCHAR, model VARCHAR, list_id VARCHAR, identity VARCHAR, run_id VARCHAR, "
    "recorded_at VARCHAR",
    "lists": "account_id VARCHAR, project VARCHAR, list_id VARCHAR, name VARCHAR, model VARCHAR, state VARCHAR, recorded_at VARCHAR",
    "lease": "account_id VARCHAR, project VARCHAR, owner VARCHAR, expires_at VARCHAR",
}

_ROW_TYPES = (
    "retl_list_id VARCHAR, retl_identity VARCHAR, retl_email VARCHAR, retl_phone_e164 VARCHAR, "
    "retl_external_id VARCHAR, retl_klaviyo_profile_id VARCHAR, retl_first_sent_at VARCHAR"
)
_DELTA_TYPES = (
    "retl_run_id VARCHAR, retl_seq BIGINT, retl_op VARCHAR, retl_in_snapshot BOOLEAN, retl_uncertain BOOLEAN"
)


def create_shared_tables(dialect: Dialect) -> tuple[Statement, ...]:
    """Create the tables that all models share, where they are missing, and note the version."""
    tables = tuple(dialect.create_state_table(name, columns) for name, columns in SHARED_TABLES.items())
    if not dialect.has_transactional_ddl:
        # Each CREATE commits, so the table that says that all others are there comes last, in one piece.
        select = (
            f"SELECT CAST({STATE_VERSION} AS BIGINT) AS version, CAST(NULL AS BIGINT) AS migrating_to, "
            "CAST(NULL AS VARCHAR) AS backup"
        )
        return (*tables[1:], dialect.replace_state_table("meta", select, repeatable=True))
    meta = dialect.state_table("meta")
    version = Statement.insert(
        meta, f"INSERT INTO {meta} SELECT {STATE_VERSION}, NULL, NULL WHERE NOT EXISTS (SELECT 1 FROM {meta})"
    )
    return (*tables, version)


def create_model_tables(dialect: Dialect, tables: ModelTables) -> tuple[Statement, ...]:
    """Create a model's own tables, where they are missing.

    The snapshot last: a model has all of them, or no snapshot and was never sent.
    """
    payload = "".join(
        f", {quote_identifier(column.name)} {dialect.storage_type(column)}" for column in tables.payload
    )
    return (
        dialect.create_state_table(tables.deltas, f"{_DELTA_TYPES}, {_ROW_TYPES}{payload}"),
        dialect.create_state_table(tables.rejected, f"retl_checksum VARCHAR, {_ROW_TYPES}{payload}"),
        dialect.create_state_table(tables.snapshot, f"{_ROW_TYPES}{payload}"),
    )


def migrate_columns(
    dialect: Dialect, tables: ModelTables, table: str, stored_columns: Mapping[str, Column]
) -> tuple[Statement, ...]:
    """Bring one of a model's tables to today's columns: add the new ones, retype the changed ones, keep the dropped ones."""
    columns_by_lowercase = {name.lower(): column for name, column in stored_columns.items()}
    pairs = [(column, columns_by_lowercase.get(column.name.lower())) for column in tables.payload]
    if not dialect.can_retype_columns and any(
        before and (before.name, before.type) != (column.name, dialect.storage_type(column))
        for column, before in pairs
    ):
        return (_rebuild_table(dialect, table, stored_columns, pairs),)
    name = dialect.state_table(table)
    statements: list[str] = []
    for column, stored_column in pairs:
        if stored_column is None:
            statements.append(
                f"ALTER TABLE {name} ADD COLUMN {quote_identifier(column.name)} {dialect.storage_type(column)}"
            )
        elif stored_column.type != dialect.storage_type(column):
            converted = current_value_sql(dialect, column, stored_column, "")
            statements.append(
                f"ALTER TABLE {name} ALTER COLUMN {quote_identifier(stored_column.name)} TYPE {column.type} USING {converted}"
            )
    return tuple(Statement.change(name, text, repeatable=False) for text in statements)


def _rebuild_table(
    dialect: Dialect,
    table: str,
    stored_columns: Mapping[str, Column],
    pairs: Sequence[tuple[Column, Column | None]],
) -> Statement:
    """Put a table with today's columns in the place of the old one, where one changed its type or its name's case.

    For dialects that can't retype a column; a detour by a new column would be committed step by step.
    """
    columns_by_name = {
        stored_column.name if stored_column else column.name: (column, stored_column)
        for column, stored_column in pairs
    }
    values = [
        f"{current_value_sql(dialect, *columns_by_name[name], '')} AS {quote_identifier(columns_by_name[name][0].name)}"
        if name in columns_by_name
        else dialect.quote_column(name)
        for name in (*stored_columns, *(name for name in columns_by_name if name not in stored_columns))
    ]
    select = f"SELECT {', '.join(values)} FROM {dialect.state_table(table)}"
    return dialect.replace_state_table(table, select, repeatable=False)


def drop_temp_tables(dialect: Dialect, names: Sequence[str]) -> tuple[Statement, ...]:
    """Drop scratch tables."""
    tables = (dialect.temp_table(name) for name in names)
    return tuple(Statement.drop(table, f"DROP TABLE IF EXISTS {table}") for table in tables)
