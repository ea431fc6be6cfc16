"""Statements of a list's members, as they were read, beside the rows that were applied to it.

A row's person is on the list where a member has its identity, its e-mail or an id of it. Who has only its phone may be somebody else,
and is neither that row's person nor a stranger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.domain.batched import batched
from reverse_etl.domain.identifiers import PERSONAL_IDENTIFIERS, IdentifierType
from reverse_etl.state.sql.pending import insert_uncertain_sql
from reverse_etl.warehouse.model_tables import (
    FIRST_SENT_COLUMN,
    IDENTIFIER_COLUMNS,
    KEY_COLUMNS,
    ModelTables,
    same_key_sql,
)
from reverse_etl.warehouse.statement import Statement, quote_literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.warehouse.dialect import Dialect

ROWS_PER_STATEMENT = 1_000
_PROFILE_ID_COLUMN = IDENTIFIER_COLUMNS[IdentifierType.PROFILE_ID]
_MEMBER_COLUMNS = (*IDENTIFIER_COLUMNS.values(), "retl_joined_at", "retl_joined_late")


def create_members(dialect: Dialect, tables: ModelTables) -> Statement:
    """Make the scratch table of a list's members, empty: identifiers, when they joined, and that with a minute's grace."""
    columns = ", ".join(f"{name} VARCHAR" for name in _MEMBER_COLUMNS)
    return dialect.replace_empty_temp_table(_members_table(tables), columns)


def insert_members(
    dialect: Dialect, tables: ModelTables, rows: Sequence[tuple[str | None, ...]]
) -> tuple[Statement, ...]:
    """Put members into it, each with the columns of `create_members`: a statement for every thousand."""
    placeholders = f"({', '.join('?' for _ in _MEMBER_COLUMNS)})"
    return tuple(
        Statement.insert(
            dialect.temp_table(_members_table(tables)),
            f"INSERT INTO {dialect.temp_table(_members_table(tables))} VALUES {', '.join([placeholders] * len(part))}",
            tuple(value for row in part for value in row),
        )
        for part in batched(rows, ROWS_PER_STATEMENT)
    )


def compare_members(dialect: Dialect, tables: ModelTables, list_id: str) -> tuple[Statement, ...]:
    """Find out which rows have their person on the list (`matched`), which do not (`missing`), and who is of no row (`others`).

    A row that is uncertain is not missing: whether it was applied is not known.
    """
    list_condition = f"retl_list_id = {dialect.quote_literal(list_id)}"
    sent_rows = "\n  UNION ".join(
        f"SELECT retl_identity, {', '.join(IDENTIFIER_COLUMNS.values())} FROM {dialect.state_table(table)} WHERE {list_condition}"
        for table in (tables.snapshot, tables.deltas)
    )
    is_phone_identity = f"r.retl_identity = {quote_literal(IdentifierType.PHONE + ':')} || r.{IDENTIFIER_COLUMNS[IdentifierType.PHONE]}"
    matches = "\n  UNION ".join(
        f"SELECT r.retl_identity, m.{_PROFILE_ID_COLUMN}, m.retl_joined_at, m.retl_joined_late, "
        f"{'TRUE' if kind in PERSONAL_IDENTIFIERS else is_phone_identity} AS retl_sure\n"
        f"  FROM rows_sent AS r JOIN {dialect.temp_table(_members_table(tables))} AS m ON r.{column} = m.{column}"
        for kind, column in IDENTIFIER_COLUMNS.items()
    )
    identity_cases = " ".join(
        f"WHEN m.{IDENTIFIER_COLUMNS[kind]} IS NOT NULL THEN {quote_literal(kind + ':')} || m.{IDENTIFIER_COLUMNS[kind]}"
        for kind in tables.identifiers
    )
    member_identity = f"CASE {identity_cases} ELSE {quote_literal(IdentifierType.PROFILE_ID + ':')} || m.{_PROFILE_ID_COLUMN} END"
    matched, deltas = dialect.temp_table(_matched_table(tables)), dialect.state_table(tables.deltas)
    return (
        Statement.create(
            dialect.temp_table(_matched_table(tables)),
            f"{dialect.replace_temp_table_sql(_matched_table(tables))} AS\nWITH rows_sent AS (\n  {sent_rows}\n)\n  {matches}",
        ),
        Statement.create(
            dialect.temp_table(_missing_table(tables)),
            f"{dialect.replace_temp_table_sql(_missing_table(tables))} AS\n"
            f"SELECT s.retl_list_id, s.retl_identity FROM {dialect.state_table(tables.snapshot)} AS s WHERE s.{list_condition}\n"
            f"AND NOT EXISTS (SELECT 1 FROM {matched} AS t WHERE t.retl_sure AND t.retl_identity = s.retl_identity)\n"
            f"AND NOT EXISTS (SELECT 1 FROM {deltas} AS d WHERE {same_key_sql('d', 's')})",
        ),
        Statement.create(
            dialect.temp_table(_unmanaged_table(tables)),
            f"{dialect.replace_temp_table_sql(_unmanaged_table(tables))} AS\n"
            f"SELECT CAST({member_identity} AS VARCHAR) AS retl_identity, m.* FROM {dialect.temp_table(_members_table(tables))} AS m\n"
            f"WHERE NOT EXISTS (SELECT 1 FROM {matched} AS t WHERE t.{_PROFILE_ID_COLUMN} = m.{_PROFILE_ID_COLUMN})\n"
            f"QUALIFY ROW_NUMBER() OVER (PARTITION BY {member_identity} ORDER BY m.retl_joined_at, m.{_PROFILE_ID_COLUMN}) = 1",
        ),
    )


def select_comparison_counts(dialect: Dialect, tables: ModelTables, list_id: str) -> Statement:
    """Return one row: rows applied, rows uncertain, members, rows missing, members of no row, rows whose person was there before."""
    matched = dialect.temp_table(_matched_table(tables))
    was_member_before = (
        f"t.retl_sure AND t.retl_identity = s.retl_identity AND t.retl_joined_late < s.{FIRST_SENT_COLUMN}"
    )
    sources = (
        f"FROM {dialect.state_table(tables.snapshot)} WHERE retl_list_id = ?",
        f"FROM {dialect.state_table(tables.deltas)} WHERE retl_list_id = ?",
        f"FROM (SELECT DISTINCT {_PROFILE_ID_COLUMN} FROM {dialect.temp_table(_members_table(tables))}) AS m",
        f"FROM {dialect.temp_table(_missing_table(tables))}",
        f"FROM {dialect.temp_table(_unmanaged_table(tables))}",
        f"FROM {dialect.state_table(tables.snapshot)} AS s WHERE s.retl_list_id = ? AND EXISTS (SELECT 1 FROM {matched} AS t WHERE {was_member_before})",
    )
    return Statement.read(
        "SELECT " + ",\n  ".join(f"(SELECT COUNT(*) {source})" for source in sources),
        (list_id, list_id, list_id),
    )


def select_missing_sample(dialect: Dialect, tables: ModelTables, size: int) -> Statement:
    """Return (identity) of the first rows that are missing."""
    return Statement.read(
        f"SELECT retl_identity FROM {dialect.temp_table(_missing_table(tables))} ORDER BY retl_identity LIMIT {size}"
    )


def select_unmanaged_sample(dialect: Dialect, tables: ModelTables, size: int) -> Statement:
    """Return (identity) of the first members that are of no row."""
    return Statement.read(
        f"SELECT retl_identity FROM {dialect.temp_table(_unmanaged_table(tables))} ORDER BY retl_identity LIMIT {size}"
    )


def select_unmatched_but_present(
    dialect: Dialect, tables: ModelTables, list_key: tuple[str, str, str, str]
) -> Statement:
    """Return (identity) of the removals that found nobody, of an account, project, model and list, whose person is on it now."""
    matches = "\nUNION ".join(
        f"SELECT g.identity FROM unmatched AS g JOIN {dialect.temp_table(_unmanaged_table(tables))} AS o "
        f"ON g.identity = {quote_literal(kind + ':')} || o.{column}"
        for kind, column in IDENTIFIER_COLUMNS.items()
    )
    return Statement.read(
        f"WITH unmatched AS (\n  SELECT identity FROM {dialect.state_table('unmatched_removals')} "
        f"WHERE account_id = ? AND project = ? AND model = ? AND list_id = ?\n)\n{matches}\nORDER BY 1",
        list_key,
    )


def mark_missing_uncertain(dialect: Dialect, tables: ModelTables) -> Statement:
    """Make the rows uncertain that are missing: the next run sends those again that are still desired."""
    missing = (
        f"SELECT 1 FROM {dialect.temp_table(_missing_table(tables))} AS m WHERE {same_key_sql('m', 's')}"
    )
    return Statement.insert(
        dialect.state_table(tables.deltas), insert_uncertain_sql(dialect, tables, f"EXISTS ({missing})")
    )


def adopt_members(dialect: Dialect, tables: ModelTables, list_id: str) -> tuple[Statement, ...]:
    """Let whoever is on the list count as put there by this job. To be run in one transaction, after `compare_members`.

    Rows whose person was there before count as first sent when they joined. Whoever is of no row becomes one, with no value that Klaviyo
    was given.
    """
    join_times = (
        f"SELECT retl_identity, MIN(retl_joined_at) AS retl_since FROM {dialect.temp_table(_matched_table(tables))} "
        f"WHERE retl_sure GROUP BY retl_identity"
    )
    columns = ", ".join((*KEY_COLUMNS, *IDENTIFIER_COLUMNS.values(), FIRST_SENT_COLUMN))
    values = ", ".join(f"o.{name}" for name in (*IDENTIFIER_COLUMNS.values(), "retl_joined_at"))
    snapshot, unmanaged = dialect.state_table(tables.snapshot), dialect.temp_table(_unmanaged_table(tables))
    return (
        *(
            Statement.change(
                dialect.state_table(table),
                f"UPDATE {dialect.state_table(table)} AS t SET {FIRST_SENT_COLUMN} = LEAST(t.{FIRST_SENT_COLUMN}, h.retl_since)\n"
                f"FROM (\n  {join_times}\n) AS h WHERE t.retl_list_id = ? AND t.retl_identity = h.retl_identity",
                (list_id,),
            )
            for table in (tables.snapshot, tables.deltas)
        ),
        Statement.insert(
            snapshot,
            f"INSERT INTO {snapshot} ({columns})\nSELECT ?, o.retl_identity, {values} FROM {unmanaged} AS o\n"
            f"WHERE NOT EXISTS (SELECT 1 FROM {snapshot} AS s WHERE s.retl_list_id = ? AND s.retl_identity = o.retl_identity)",
            (list_id, list_id),
        ),
    )


def temp_table_names(tables: ModelTables) -> tuple[str, ...]:
    """Return the names of the scratch tables of a list's members."""
    return (_members_table(tables), _matched_table(tables), _missing_table(tables), _unmanaged_table(tables))


def _members_table(tables: ModelTables) -> str:
    return f"members_{tables.table_key}"


def _matched_table(tables: ModelTables) -> str:
    return f"met_{tables.table_key}"


def _missing_table(tables: ModelTables) -> str:
    return f"missing_{tables.table_key}"


def _unmanaged_table(tables: ModelTables) -> str:
    return f"others_{tables.table_key}"
