"""The tables of the state: a documented contract with a version (docs/state.md).

Times are ISO 8601 text in UTC. A model's own tables are made when it is first sent, and follow its columns: new ones are added,
dropped ones keep their values.
"""

from __future__ import annotations

from collections.abc import Mapping

from reverse_etl.columns import Column
from reverse_etl.engines import Engine
from reverse_etl.sql.diff import as_today
from reverse_etl.sql.shape import Shape
from reverse_etl.sql.text import Dialect, Statement, quote

VERSION = 1

SHARED_TABLES: Mapping[str, str] = {
    "meta": "version BIGINT",
    "models": "account_id VARCHAR, project VARCHAR, model VARCHAR, table_key VARCHAR, surface VARCHAR, identifiers VARCHAR, checksum VARCHAR",
    "targets": "project VARCHAR, target VARCHAR, account_id VARCHAR",
    "runs": "run_id VARCHAR, account_id VARCHAR, project VARCHAR, state VARCHAR, started_at VARCHAR, "
    "klaviyo_time VARCHAR, ended_at VARCHAR, exit_code BIGINT",
    "run_lists": "run_id VARCHAR, model VARCHAR, list_id VARCHAR, list_name VARCHAR, counts VARCHAR, reason VARCHAR",
    "receipts": "run_id VARCHAR, model VARCHAR, list_id VARCHAR, op VARCHAR, first_seq BIGINT, last_seq BIGINT, "
    "state VARCHAR, job_id VARCHAR, noted_at VARCHAR, detail VARCHAR",
    "refusals": "run_id VARCHAR, model VARCHAR, seq BIGINT, kind VARCHAR, code VARCHAR, field VARCHAR, detail VARCHAR",
    "rejections": "account_id VARCHAR, project VARCHAR, model VARCHAR, list_id VARCHAR, row_key VARCHAR, source VARCHAR, "
    "code VARCHAR, field VARCHAR, detail VARCHAR, first_run_id VARCHAR, row_count BIGINT",
    "gone": "account_id VARCHAR, project VARCHAR, model VARCHAR, list_id VARCHAR, identity VARCHAR, run_id VARCHAR, noted_at VARCHAR",
    "lists": "account_id VARCHAR, project VARCHAR, list_id VARCHAR, name VARCHAR, model VARCHAR, state VARCHAR, noted_at VARCHAR",
    "lease": "account_id VARCHAR, project VARCHAR, owner VARCHAR, expires_at VARCHAR",
}

_ROW_TYPES = (
    "retl_list_id VARCHAR, retl_identity VARCHAR, retl_email VARCHAR, retl_phone_e164 VARCHAR, "
    "retl_external_id VARCHAR, retl_klaviyo_profile_id VARCHAR, retl_first_sent_at VARCHAR"
)
_DELTA_TYPES = (
    "retl_run_id VARCHAR, retl_seq BIGINT, retl_op VARCHAR, retl_in_snapshot BOOLEAN, retl_uncertain BOOLEAN"
)


def create_shared(dialect: Dialect) -> tuple[Statement, ...]:
    """Create the tables that all models share, where they are missing, and note the version."""
    tables = tuple(
        Statement(f"CREATE TABLE IF NOT EXISTS {dialect.kept(name)} ({columns})")
        for name, columns in SHARED_TABLES.items()
    )
    meta = dialect.kept("meta")
    version = Statement(f"INSERT INTO {meta} SELECT {VERSION} WHERE NOT EXISTS (SELECT 1 FROM {meta})")
    return (*tables, version)


def version(dialect: Dialect) -> Statement:
    """Return the version of the state."""
    return Statement(f"SELECT MAX(version) FROM {dialect.kept('meta')}")


def create_model(dialect: Dialect, shape: Shape) -> tuple[Statement, ...]:
    """Create a model's own tables, where they are missing."""
    payload = "".join(f", {quote(column.name)} {column.type}" for column in shape.payload)
    return (
        Statement(f"CREATE TABLE IF NOT EXISTS {dialect.kept(shape.snapshot)} ({_ROW_TYPES}{payload})"),
        Statement(
            f"CREATE TABLE IF NOT EXISTS {dialect.kept(shape.deltas)} ({_DELTA_TYPES}, {_ROW_TYPES}{payload})"
        ),
        Statement(
            f"CREATE TABLE IF NOT EXISTS {dialect.kept(shape.rejected)} (retl_checksum VARCHAR, {_ROW_TYPES}{payload})"
        ),
    )


def follow_columns(
    dialect: Dialect, shape: Shape, table: str, kept: Mapping[str, Column]
) -> tuple[Statement, ...]:
    """Bring one of a model's tables to today's columns: add the new ones, retype the changed ones, keep the dropped ones."""
    folded = {name.lower(): column for name, column in kept.items()}
    statements: list[Statement] = []
    for column in shape.payload:
        before = folded.get(column.name.lower())
        if before is None:
            statements.append(
                Statement(f"ALTER TABLE {dialect.kept(table)} ADD COLUMN {quote(column.name)} {column.type}")
            )
        elif before.type != column.type:
            statements += _retype(dialect, table, before, column)
    return tuple(statements)


def _retype(dialect: Dialect, table: str, before: Column, column: Column) -> tuple[Statement, ...]:
    name = dialect.kept(table)
    match dialect.engine:
        case Engine.DUCKDB:
            return (
                Statement(
                    f"ALTER TABLE {name} ALTER COLUMN {quote(before.name)} TYPE {column.type} USING {as_today(column, before, '')}"
                ),
            )
        case Engine.SNOWFLAKE:
            # Snowflake can't change a column to another kind of type in place ("ALTER TABLE ... ALTER COLUMN").
            passing = quote("retl_retyped")
            return (
                Statement(f"ALTER TABLE {name} ADD COLUMN {passing} {column.type}"),
                Statement(f"UPDATE {name} SET {passing} = {as_today(column, before, '')}"),
                Statement(f"ALTER TABLE {name} DROP COLUMN {quote(before.name)}"),
                Statement(f"ALTER TABLE {name} RENAME COLUMN {passing} TO {quote(column.name)}"),
            )
