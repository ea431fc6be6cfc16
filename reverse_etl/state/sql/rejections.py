"""Statements of the rejections: rows that are not sent as they are, and since when.

Source `check` are rows that the warehouse's own checks reject; they are found anew in every run. Source `klaviyo` are rows that
Klaviyo refused; they stand, with the row kept as it was, until the row, its model or its config changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.domain.rejections import RowProblem
from reverse_etl.warehouse.model_tables import IDENTIFIER_COLUMNS, ModelTables
from reverse_etl.warehouse.statement import Statement, TableName, quote_literal

if TYPE_CHECKING:
    from reverse_etl.warehouse.dialect import Dialect

ScopeKey = tuple[str, str]  # account, project
_OF_MODEL = "account_id = ? AND project = ? AND model = ?"
NO_IDENTITY_PREFIX = "row:"  # begins the key of a row that has no identity


def select_current_rejections(dialect: Dialect, scope_key: ScopeKey, run_id: str) -> Statement:
    """Return (model, list id, source, code, field, commonest detail, rows, an identity or NULL, rows that a run saw first).

    Of each reason for which rows stand rejected now.
    """
    return Statement.read(
        f"SELECT model, list_id, source, code, field, MODE(detail), SUM(row_count), "
        f"MIN(CASE WHEN row_key NOT LIKE '{NO_IDENTITY_PREFIX}%' THEN row_key END), "
        f"SUM(CASE WHEN first_run_id = ? THEN row_count ELSE 0 END)\n"
        f"FROM {dialect.state_table('rejections')} WHERE account_id = ? AND project = ?\n"
        f"GROUP BY model, list_id, source, code, field ORDER BY model, list_id, source, code, field",
        (run_id, *scope_key),
    )


def count_check_rejections(
    dialect: Dialect, scope_key: ScopeKey, tables: ModelTables, model: str
) -> Statement:
    """Return (list name, problem, rows, of them new) of the staged rows that will not be sent: new is what no run told."""
    return Statement.read(
        f"SELECT s.retl_list, s.retl_problem, COUNT(*), "
        f"SUM(CASE WHEN s.retl_problem <> {quote_literal(RowProblem.STILL_REJECTED)} AND r.row_key IS NULL THEN 1 ELSE 0 END)\n"
        f"FROM {dialect.temp_table(tables.staged)} AS s\n"
        f"LEFT JOIN {dialect.temp_table(tables.lists)} AS l ON s.retl_list = l.retl_list\n"
        f"LEFT JOIN (SELECT DISTINCT list_id, row_key, code FROM {dialect.state_table('rejections')} "
        f"WHERE {_OF_MODEL} AND {_reported_check_sql(dialect)}) AS r\n"
        f"ON r.list_id = COALESCE(l.retl_list_id, '') AND r.row_key = {_row_key_sql(dialect, tables)} AND r.code = s.retl_problem\n"
        f"WHERE s.retl_problem IS NOT NULL GROUP BY s.retl_list, s.retl_problem ORDER BY s.retl_list, s.retl_problem",
        (*scope_key, model),
    )


def collect_check_rejections(
    dialect: Dialect, scope_key: ScopeKey, tables: ModelTables, run_id: str, model: str
) -> Statement:
    """Gather the rows that the checks reject now, each with the run that first saw it and told so."""
    return Statement.create(
        dialect.temp_table("checks_" + tables.table_key),
        f"{dialect.replace_temp_table_sql('checks_' + tables.table_key)} AS\n"
        f"SELECT COALESCE(l.retl_list_id, '') AS list_id, {_row_key_sql(dialect, tables)} AS row_key, s.retl_problem AS code, "
        f"MAX(COALESCE(s.retl_detail, '')) AS detail, MIN(COALESCE(r.first_run_id, ?)) AS first_run_id, "
        f"COUNT(*) AS row_count\n"
        f"FROM {dialect.temp_table(tables.staged)} AS s\n"
        f"LEFT JOIN {dialect.temp_table(tables.lists)} AS l ON s.retl_list = l.retl_list\n"
        f"LEFT JOIN (SELECT list_id, row_key, code, first_run_id FROM {dialect.state_table('rejections')} "
        f"WHERE {_OF_MODEL} AND {_reported_check_sql(dialect)}) AS r\n"
        f"ON r.list_id = COALESCE(l.retl_list_id, '') AND r.row_key = {_row_key_sql(dialect, tables)} AND r.code = s.retl_problem\n"
        f"WHERE s.retl_problem IS NOT NULL AND s.retl_problem <> {quote_literal(RowProblem.STILL_REJECTED)}\n"
        f"GROUP BY 1, 2, 3",
        (run_id, *scope_key, model),
    )


def replace_check_rejections(
    dialect: Dialect, scope_key: ScopeKey, tables: ModelTables, model: str
) -> tuple[Statement, ...]:
    """Put what was gathered in the place of the model's earlier rejections by checks."""
    table = dialect.state_table("rejections")
    return (
        Statement.change(
            table, f"DELETE FROM {table} WHERE {_OF_MODEL} AND source = 'check'", (*scope_key, model)
        ),
        Statement.insert(
            table,
            f"INSERT INTO {table} SELECT ?, ?, ?, list_id, row_key, 'check', code, '', detail, first_run_id, row_count "
            f"FROM {dialect.temp_table('checks_' + tables.table_key)}",
            (*scope_key, model),
        ),
    )


def delete_changed_rejections(
    dialect: Dialect, scope_key: ScopeKey, tables: ModelTables, model: str
) -> tuple[Statement, ...]:
    """End the rejections by Klaviyo whose row is no longer staged as it was refused."""
    rejected = dialect.state_table(tables.rejected)
    return (
        Statement.change(
            rejected,
            f"DELETE FROM {rejected} AS retl_r WHERE NOT EXISTS (\n"
            f"  SELECT 1 FROM {dialect.temp_table(tables.staged)} AS s JOIN {dialect.temp_table(tables.lists)} AS l "
            f"ON s.retl_list = l.retl_list\n"
            f"  WHERE s.retl_problem = {quote_literal(RowProblem.STILL_REJECTED)} AND s.retl_identity = retl_r.retl_identity "
            f"AND l.retl_list_id = retl_r.retl_list_id)",
        ),
        _delete_ended_rejections(dialect, scope_key, model, rejected),
    )


def record_klaviyo_rejections(
    dialect: Dialect, scope_key: ScopeKey, tables: ModelTables, run_id: str, model: str
) -> tuple[Statement, ...]:
    """Note each row that Klaviyo refused in this run, and end the rejections of the rows that it took."""
    table, deltas, row_exceptions = (
        dialect.state_table(name) for name in ("rejections", tables.deltas, "row_exceptions")
    )
    applied = dialect.temp_table(tables.applied)
    rejected_rows = (
        f"FROM {row_exceptions} AS f JOIN {deltas} AS d ON d.retl_seq = f.seq AND d.retl_run_id = f.run_id "
        f"WHERE f.run_id = ? AND f.model = ? AND f.kind = 'rejected'"
    )
    was_applied = f"EXISTS (SELECT 1 FROM {applied} AS t WHERE t.retl_list_id = retl_r.list_id AND t.retl_identity = retl_r.row_key)"
    was_rejected = f"EXISTS (SELECT 1 {rejected_rows} AND d.retl_list_id = retl_r.list_id AND d.retl_identity = retl_r.row_key)"
    delete_klaviyo = f"DELETE FROM {table} AS retl_r WHERE {_OF_MODEL} AND source = 'klaviyo' AND "
    return (
        Statement.change(table, f"{delete_klaviyo}{was_applied}", (*scope_key, model)),
        Statement.change(table, f"{delete_klaviyo}{was_rejected}", (*scope_key, model, run_id, model)),
        Statement.insert(
            table,
            f"INSERT INTO {table} SELECT ?, ?, ?, d.retl_list_id, d.retl_identity, 'klaviyo', f.code, f.field, f.detail, ?, 1 {rejected_rows}",
            (*scope_key, model, run_id, run_id, model),
        ),
    )


def delete_klaviyo_rejections(
    dialect: Dialect, scope_key: ScopeKey, model: str, rejected: str
) -> tuple[Statement, ...]:
    """End every rejection that Klaviyo made of a model's rows."""
    return (
        Statement.change(dialect.state_table(rejected), f"DELETE FROM {dialect.state_table(rejected)}"),
        Statement.change(
            dialect.state_table("rejections"),
            f"DELETE FROM {dialect.state_table('rejections')} WHERE {_OF_MODEL} AND source = 'klaviyo'",
            (*scope_key, model),
        ),
    )


def _delete_ended_rejections(
    dialect: Dialect, scope_key: ScopeKey, model: str, rejected: TableName
) -> Statement:
    table = dialect.state_table("rejections")
    return Statement.change(
        table,
        f"DELETE FROM {table} AS retl_x WHERE {_OF_MODEL} AND source = 'klaviyo' AND NOT EXISTS "
        f"(SELECT 1 FROM {rejected} AS r WHERE r.retl_list_id = retl_x.list_id AND r.retl_identity = retl_x.row_key)",
        (*scope_key, model),
    )


def _reported_check_sql(dialect: Dialect) -> str:
    """Return the condition that a rejection is of a check and was told: the run that first saw it came to its end."""
    ended = f"SELECT run_id FROM {dialect.state_table('runs')} WHERE exit_code IS NOT NULL"
    return f"source = 'check' AND first_run_id IN ({ended})"


def _row_key_sql(dialect: Dialect, tables: ModelTables) -> str:
    """Return a row's identity; a digest of its values where it has none. The digest may change with the engine: it only says 'new'."""
    values = [
        f"CAST(s.{column} AS VARCHAR)" for column in (*IDENTIFIER_COLUMNS.values(), *tables.payload_columns)
    ]
    return f"COALESCE(s.retl_identity, '{NO_IDENTITY_PREFIX}' || MD5({dialect.concat_sql(values)}))"
