"""The tables of the state: a documented contract with a version (docs/state.md).

Times are ISO 8601 text in UTC. A model's own tables are created when it is first sent, and follow its columns: new ones are added,
dropped ones keep their values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.warehouse.dialect import ColumnChange
from reverse_etl.warehouse.model_tables import CLEARED_COLUMN, UPDATED_COLUMN
from reverse_etl.warehouse.statement import Statement, quote_identifier

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.domain.columns import Column
    from reverse_etl.warehouse.dialect import Dialect
    from reverse_etl.warehouse.model_tables import ModelTables
    from reverse_etl.warehouse.statement import Sql

STATE_VERSION = 6

SHARED_TABLES: Mapping[str, str] = {
    "meta": "version BIGINT, migrating_to BIGINT, backup VARCHAR",
    "models": "account_id VARCHAR, project VARCHAR, model VARCHAR, table_key VARCHAR, surface VARCHAR, identifiers VARCHAR, "
    "checksum VARCHAR, live_since VARCHAR, pruned_before VARCHAR",
    "targets": "project VARCHAR, destination_id VARCHAR, account_id VARCHAR",
    "runs": "run_id VARCHAR, account_id VARCHAR, project VARCHAR, state VARCHAR, started_at VARCHAR, "
    "klaviyo_time VARCHAR, ended_at VARCHAR, exit_code BIGINT",
    "run_lists": "run_id VARCHAR, model VARCHAR, list_id VARCHAR, list_name VARCHAR, counts VARCHAR, "
    "stop_cause VARCHAR, reason VARCHAR",
    "receipts": "run_id VARCHAR, model VARCHAR, list_id VARCHAR, op VARCHAR, first_seq BIGINT, last_seq BIGINT, "
    "row_count BIGINT, state VARCHAR, job_id VARCHAR, recorded_at VARCHAR, detail VARCHAR, may_have_duplicate BOOLEAN",
    "row_exceptions": "run_id VARCHAR, model VARCHAR, seq BIGINT, kind VARCHAR, code VARCHAR, field VARCHAR, detail VARCHAR",
    "rejections": "account_id VARCHAR, project VARCHAR, model VARCHAR, list_id VARCHAR, row_key VARCHAR, source VARCHAR, "
    "code VARCHAR, field VARCHAR, detail VARCHAR, first_run_id VARCHAR, row_count BIGINT",
    "omissions": "account_id VARCHAR, project VARCHAR, model VARCHAR, list_id VARCHAR, row_key VARCHAR, identifier VARCHAR, "
    "code VARCHAR, digest VARCHAR, run_id VARCHAR",
    "unmatched_removals": "account_id VARCHAR, project VARCHAR, model VARCHAR, list_id VARCHAR, identity VARCHAR, run_id VARCHAR, "
    "recorded_at VARCHAR",
    "own_suppressions": "account_id VARCHAR, project VARCHAR, model VARCHAR, identity VARCHAR, requested_at VARCHAR, suppressed_at VARCHAR",
    "withheld": "account_id VARCHAR, project VARCHAR, model VARCHAR, person VARCHAR, digest VARCHAR, profile_id VARCHAR, state VARCHAR, "
    "recorded_at VARCHAR",
    "lists": "account_id VARCHAR, project VARCHAR, list_id VARCHAR, name VARCHAR, model VARCHAR, aspect VARCHAR, state VARCHAR, "
    "recorded_at VARCHAR",
    "removal_holds": "account_id VARCHAR, project VARCHAR, list_id VARCHAR, state VARCHAR, cause VARCHAR, reason VARCHAR, "
    "recorded_at VARCHAR",
    "consents": "account_id VARCHAR, project VARCHAR, model VARCHAR, list_id VARCHAR, identity VARCHAR, run_id VARCHAR, state VARCHAR, "
    "sent_at VARCHAR, consented_at VARCHAR",
    "responses": "account_id VARCHAR, project VARCHAR, model VARCHAR, run_id VARCHAR, row_key VARCHAR, responded_at VARCHAR, "
    "method VARCHAR, path VARCHAR, status BIGINT, body VARCHAR, body_is_cut BOOLEAN",
    "journal": "account_id VARCHAR, project VARCHAR, model VARCHAR, list_id VARCHAR, run_id VARCHAR, seq BIGINT, identity VARCHAR, "
    "email VARCHAR, phone_e164 VARCHAR, external_id VARCHAR, klaviyo_profile_id VARCHAR, op VARCHAR, outcome VARCHAR, code VARCHAR, "
    "recorded_at VARCHAR, pii VARCHAR, changes VARCHAR",
    "row_outcomes": "run_id VARCHAR, model VARCHAR, first_seq BIGINT, last_seq BIGINT, outcome VARCHAR",
    "comparisons": "account_id VARCHAR, project VARCHAR, model VARCHAR, checksum VARCHAR, compared_at VARCHAR, settled_at VARCHAR, "
    "evidence VARCHAR",
    "lease": "account_id VARCHAR, project VARCHAR, owner VARCHAR, expires_at VARCHAR",
}

_ROW_TYPES = (
    "retl_list_id VARCHAR, retl_identity VARCHAR, retl_email VARCHAR, retl_phone_e164 VARCHAR, "
    "retl_external_id VARCHAR, retl_klaviyo_profile_id VARCHAR, retl_first_sent_at VARCHAR"
)
_DELTA_TYPES = (
    "retl_run_id VARCHAR, retl_seq BIGINT, retl_op VARCHAR, retl_in_snapshot BOOLEAN, retl_uncertain BOOLEAN"
)


def shared_tables_with(*columns: str, without: str = "") -> tuple[str, ...]:
    """Return the shared tables that have all these columns, and not the other one.

    Code that treats every table of a kind asks here, so that no later table is left out.

    >>> shared_tables_with("model", "identity")
    ('unmatched_removals', 'own_suppressions', 'consents', 'journal')
    """
    names = {table: column_names(table) for table in SHARED_TABLES}
    return tuple(table for table, known in names.items() if {*columns} <= {*known} and without not in known)


def column_names(table: str) -> tuple[str, ...]:
    """Return the names of a shared table's columns, in their order."""
    return tuple(part.split()[0] for part in SHARED_TABLES[table].split(", "))


def create_shared_tables(dialect: Dialect) -> tuple[Statement, ...]:
    """Create the tables that all models share, if they are missing, and `meta` with the version.

    `meta` comes last, in one piece: where each CREATE commits, it says that all others are there.
    """
    tables = (dialect.create_state_table(name, columns) for name, columns in list(SHARED_TABLES.items())[1:])
    select = (
        f"SELECT CAST({STATE_VERSION} AS BIGINT) AS version, CAST(NULL AS BIGINT) AS migrating_to, "
        "CAST(NULL AS VARCHAR) AS backup"
    )
    return (*tables, dialect.replace_state_table("meta", select, repeatable=True))


def create_model_tables(tables: ModelTables) -> tuple[Statement, ...]:
    """Create a model's own tables, if they are missing.

    The snapshot comes last: a model without a snapshot was never sent.
    """
    dialect = tables.dialect
    payload = "".join(
        f", {quote_identifier(column.name)} {dialect.storage_type(column)}" for column in tables.payload
    )
    own = "".join(f", {column} VARCHAR" for column in _own_columns(tables))
    row = f"{_ROW_TYPES}{own}{payload}"
    without_profile = dialect.create_state_table(tables.without_profile, f"retl_looked_up_at VARCHAR, {row}")
    return (
        *((without_profile,) if tables.keeps_without_profile else ()),
        dialect.create_state_table(tables.deltas, f"{_DELTA_TYPES}, {row}"),
        dialect.create_state_table(tables.rejected, f"retl_checksum VARCHAR, {row}"),
        dialect.create_state_table(tables.snapshot, row),
    )


def migrate_columns(
    tables: ModelTables, table: str, stored_columns: Mapping[str, Column]
) -> tuple[Statement, ...]:
    """Bring one of a model's tables to today's columns: add new ones, convert changed ones, keep dropped ones.

    A model whose NULLs clear values gets the column that names the cleared ones, and one with `updated_at` the
    column that keeps it.
    """
    columns_by_lowercase = {name.lower(): column for name, column in stored_columns.items()}
    changes = tuple(
        ColumnChange(column, columns_by_lowercase.get(column.name.lower())) for column in tables.payload
    )
    name, dialect = tables.dialect.state_table(table), tables.dialect
    added = (
        Statement.alter(name, f"ALTER TABLE {name} ADD COLUMN {column} VARCHAR")
        for column in _own_columns(tables)
        if column not in columns_by_lowercase
    )
    return (*dialect.change_columns(table, stored_columns, changes), *added)


def _own_columns(tables: ModelTables) -> tuple[Sql, ...]:
    """Return the columns that only some models need, beside those that every row has."""
    cleared = (CLEARED_COLUMN,) if tables.clear_columns else ()
    return (*cleared, *((UPDATED_COLUMN,) if tables.keeps_updated_at else ()))


def drop_temp_tables(dialect: Dialect, names: Sequence[str]) -> tuple[Statement, ...]:
    """Drop temporary tables."""
    tables = (dialect.temp_table(name) for name in names)
    return tuple(Statement.drop(table, f"DROP TABLE IF EXISTS {table}") for table in tables)
