"""Statements for conflicting rows: several rows of one identity on a list, or several that share a secondary identifier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.domain.rejections import RowProblem
from reverse_etl.planning.sql.staging import comparable_values_sql
from reverse_etl.warehouse.dialect import RESERVED_PREFIX, Dialect
from reverse_etl.warehouse.model_tables import IDENTIFIER_COLUMNS, ModelTables, join_columns, omit_flag_column
from reverse_etl.warehouse.statement import Statement, quote_literal

if TYPE_CHECKING:
    from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.domain.deltas import Op
from reverse_etl.domain.identifiers import PERSONAL_IDENTIFIERS


def collect_duplicates(dialect: Dialect, tables: ModelTables) -> Statement:
    """Collect the identities that several rows of one list have."""
    list_name = "" if tables.many_lists else "CAST('' AS VARCHAR) AS "
    key = "retl_list, retl_identity" if tables.many_lists else "retl_identity"
    valid_rows = f"FROM {dialect.temp_table(tables.staged)} WHERE retl_problem IS NULL"
    return Statement.create(
        dialect.temp_table("twins_" + tables.table_key),
        f"{dialect.create_temp_table_sql('twins_' + tables.table_key)} AS\n"
        f"SELECT {list_name}retl_list, retl_identity, COUNT(*) AS retl_rows\n"
        f"{valid_rows}{dialect.repeated_keys_sql(key, valid_rows)}\nGROUP BY {key} HAVING COUNT(*) > 1",
    )


def resolve_duplicates(dialect: Dialect, tables: ModelTables) -> tuple[Statement, ...]:
    """Merge rows of one identity that are equal in every column, and reject those that differ, naming the columns."""
    staged, duplicates, distinct = (
        dialect.temp_table(name)
        for name in (tables.staged, "twins_" + tables.table_key, "distinct_" + tables.table_key)
    )
    columns = ("retl_list", "retl_identity", *IDENTIFIER_COLUMNS.values(), *tables.payload_columns)
    omit_columns = "".join(f", {omit_flag_column(kind)}" for kind in tables.secondary_identifiers)
    omit_values = ", FALSE" * len(tables.secondary_identifiers)
    differing_columns = ", ".join(
        f"CASE WHEN COUNT(DISTINCT {value}) > 1 OR COUNT({value}) NOT IN (0, COUNT(*)) "
        f"THEN {dialect.quote_literal(', ' + name.removeprefix(RESERVED_PREFIX))} ELSE '' END"
        for name, value in comparable_values_sql(dialect, tables, "").items()
    )
    same_identity = "s.retl_list = t.retl_list AND s.retl_identity = t.retl_identity"
    return (
        Statement.create(
            dialect.temp_table("distinct_" + tables.table_key),
            f"{dialect.create_temp_table_sql('distinct_' + tables.table_key)} AS SELECT DISTINCT {join_columns(columns, 's')}\n"
            f"FROM {staged} AS s JOIN {duplicates} AS t ON {same_identity} WHERE s.retl_problem IS NULL",
        ),
        Statement.change(
            staged,
            f"DELETE FROM {staged} AS s WHERE s.retl_problem IS NULL\n"
            f"AND EXISTS (SELECT 1 FROM {duplicates} AS t WHERE {same_identity})",
        ),
        Statement.insert(
            staged,
            f"INSERT INTO {staged} (retl_problem, retl_detail, {join_columns(columns)}{omit_columns})\n"
            f"SELECT CASE WHEN t.retl_rows > 1 THEN {quote_literal(RowProblem.DUPLICATE)} END, "
            f"CASE WHEN t.retl_rows > 1 THEN SUBSTR(t.retl_differing, 3) END, {join_columns(columns, 's')}{omit_values}\n"
            f"FROM {distinct} AS s JOIN (\n"
            f"  SELECT retl_list, retl_identity, COUNT(*) AS retl_rows, CONCAT({differing_columns}) AS retl_differing\n"
            f"  FROM {distinct} GROUP BY retl_list, retl_identity\n) AS t ON {same_identity}",
        ),
    )


def collect_shared(dialect: Dialect, tables: ModelTables, kind: IdentifierType) -> Statement:
    """Collect the values of one identifier that belong to several identities.

    `retl_owner` is 1 if the value is itself a row's identity; `retl_shared` is 1 if several other rows carry it.
    """
    column = IDENTIFIER_COLUMNS[kind]
    other_identity = (
        f"CASE WHEN retl_identity <> {quote_literal(kind + ':')} || {column} THEN retl_identity END"
    )
    valid_rows = (
        f"FROM {dialect.temp_table(tables.staged)} WHERE retl_problem IS NULL AND {column} IS NOT NULL"
    )
    # Few values are on several rows: a cheap count finds them before identities are compared.
    return Statement.create(
        dialect.temp_table(f"shared_{kind}_{tables.table_key}"),
        f"{dialect.create_temp_table_sql(f'shared_{kind}_{tables.table_key}')} AS\n"
        f"SELECT {column} AS retl_value,\n"
        f"  MAX(CASE WHEN retl_identity = {quote_literal(kind + ':')} || {column} THEN 1 ELSE 0 END) AS retl_owner,\n"
        f"  CASE WHEN MIN({other_identity}) <> MAX({other_identity}) THEN 1 ELSE 0 END AS retl_shared\n"
        f"{valid_rows} AND {column} IN (SELECT {column} {valid_rows} GROUP BY {column} HAVING COUNT(*) > 1)\n"
        f"GROUP BY {column} HAVING MIN(retl_identity) <> MAX(retl_identity)",
    )


def reject_identity_conflicts(dialect: Dialect, tables: ModelTables, kind: IdentifierType) -> Statement:
    """Reject each row whose identity is another row's secondary identifier."""
    column = IDENTIFIER_COLUMNS[kind]
    table = dialect.temp_table(tables.staged)
    return Statement.change(
        table,
        f"UPDATE {table} SET retl_problem = {quote_literal(RowProblem.IDENTITY_IS_ANOTHER_ROWS_IDENTIFIER)}, "
        f"retl_detail = {quote_literal(kind)}\n"
        f"WHERE retl_problem IS NULL AND retl_identity = {quote_literal(kind + ':')} || {column}\n"
        f"AND {column} IN (SELECT retl_value FROM {dialect.temp_table(f'shared_{kind}_{tables.table_key}')} WHERE retl_owner = 1)",
    )


def count_shared(dialect: Dialect, tables: ModelTables, kind: IdentifierType) -> Statement:
    """Return the number of rows with a shared secondary identifier."""
    return Statement.read(
        f"SELECT COUNT(*) FROM {dialect.temp_table(tables.staged)} WHERE {_carries_shared_sql(dialect, tables, kind)}"
    )


def omit_shared(dialect: Dialect, tables: ModelTables, kind: IdentifierType) -> Statement:
    """Omit a shared secondary identifier from all rows that carry it."""
    table = dialect.temp_table(tables.staged)
    return Statement.change(
        table,
        f"UPDATE {table} SET {omit_flag_column(kind)} = TRUE\nWHERE {_carries_shared_sql(dialect, tables, kind)}",
    )


def reject_shared(dialect: Dialect, tables: ModelTables, kind: IdentifierType) -> Statement:
    """Reject every row that carries a secondary identifier that several rows share."""
    table = dialect.temp_table(tables.staged)
    return Statement.change(
        table,
        f"UPDATE {table} SET retl_problem = {quote_literal(RowProblem.SHARED_IDENTIFIER)}, "
        f"retl_detail = {quote_literal(kind)}\nWHERE {_carries_shared_sql(dialect, tables, kind)}",
    )


def _carries_shared_sql(dialect: Dialect, tables: ModelTables, kind: IdentifierType) -> str:
    column = IDENTIFIER_COLUMNS[kind]
    return (
        f"retl_problem IS NULL AND retl_identity <> {quote_literal(kind + ':')} || {column}\n"
        f"AND {column} IN (SELECT retl_value FROM {dialect.temp_table(f'shared_{kind}_{tables.table_key}')} WHERE retl_shared = 1)"
    )


def collect_claimed(
    dialect: Dialect, tables: ModelTables, kind: IdentifierType, *, rekeyed: bool
) -> Statement:
    """Collect the planned upserts whose secondary identifier belongs to another desired row's profile at Klaviyo.

    A stored row has the identifier, and a desired row has the stored row's identity, e-mail or id: also under a new identity, since
    Klaviyo updates the same profile. Rows on lists that the model no longer owns do not count: Klaviyo's data may have changed since.
    With `rekeyed`, stored rows are matched by the current identifiers.
    """
    column, staged = IDENTIFIER_COLUMNS[kind], dialect.temp_table(tables.staged)
    sent_value = tables.sent_identifiers_sql("s")[column]
    identity = tables.rekeyed_identity_sql() if rekeyed else "retl_identity"
    personal_columns = [
        IDENTIFIER_COLUMNS[personal_type]
        for personal_type in PERSONAL_IDENTIFIERS
        if personal_type in tables.identifiers and personal_type is not kind
    ]
    managed_lists = f"SELECT retl_list_id FROM {dialect.temp_table(tables.lists)}"
    known_rows = "\n  UNION ALL ".join(
        f"SELECT {', '.join((f'{identity} AS retl_identity', column, *personal_columns))} FROM {dialect.state_table(table)} "
        f"WHERE {column} IS NOT NULL AND retl_list_id IN ({managed_lists})"
        for table in (tables.snapshot, tables.deltas)
    )
    claims = "\nUNION ".join(
        f"SELECT s.retl_identity FROM asked AS s JOIN kept AS k ON k.{column} = s.{column} AND k.retl_identity <> s.retl_identity\n"
        f"  JOIN {staged} AS d ON d.{matching_column} = k.{matching_column} AND d.retl_identity <> s.retl_identity"
        for matching_column in ("retl_identity", *personal_columns)
    )
    return Statement.create(
        dialect.temp_table(_claimed_table(tables, kind)),
        f"{dialect.replace_temp_table_sql(_claimed_table(tables, kind))} AS\n"
        f"WITH asked AS (\n"
        f"  SELECT s.retl_identity, {sent_value} AS {column} FROM {staged} AS s\n"
        f"  JOIN {dialect.temp_table(tables.lists)} AS l ON s.retl_list = l.retl_list\n"
        f"  JOIN {dialect.temp_table(tables.planned)} AS p ON s.retl_identity = p.retl_identity AND l.retl_list_id = p.retl_list_id\n"
        f"  WHERE p.retl_op IN ('{Op.ADD}', '{Op.UPDATE}') AND s.retl_problem IS NULL\n"
        f"  AND s.retl_identity <> {quote_literal(kind + ':')} || s.{column}\n"
        f"),\nkept AS (\n  {known_rows}\n)\n{claims}",
    )


def count_claimed(dialect: Dialect, tables: ModelTables, kind: IdentifierType) -> Statement:
    """Return the number of identities to send without that identifier."""
    return Statement.read(f"SELECT COUNT(*) FROM {dialect.temp_table(_claimed_table(tables, kind))}")


def omit_claimed(dialect: Dialect, tables: ModelTables, kind: IdentifierType) -> Statement:
    """Omit the identifier from these rows."""
    table = dialect.temp_table(tables.staged)
    return Statement.change(
        table,
        f"UPDATE {table} SET {omit_flag_column(kind)} = TRUE\n"
        f"WHERE retl_problem IS NULL AND retl_identity IN (SELECT retl_identity FROM {dialect.temp_table(_claimed_table(tables, kind))})",
    )


def _claimed_table(tables: ModelTables, kind: IdentifierType) -> str:
    return f"claimed_{kind}_{tables.table_key}"
