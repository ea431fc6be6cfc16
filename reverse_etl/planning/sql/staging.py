"""Statements that stage a model: its rows in canonical form, each with the first check that it fails.

Scratch columns: `retl_list` (the list's name in the row, '' if the model has one list), `retl_identity`, one `retl_<type>` per
identifier, `retl_problem` and `retl_detail` (NULL for a good row), `retl_digest` (of a row without identity), `retl_unchanged` (whether the snapshot shows that it has nothing to send),
`retl_left_out` (whether its payload is NULL here, since it equals that of the snapshot's row), then the payload under its own names. Rows
that were compared with sent ones also have `retl_known` and `retl_first_sent_at` of these, unless they are unchanged.

Literals are cast to VARCHAR: a warehouse may make a column as wide as the query's literals, and then refuse longer texts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.domain.rejections import RowProblem
from reverse_etl.warehouse.model_tables import (
    IDENTIFIER_COLUMNS,
    ModelTables,
)
from reverse_etl.warehouse.sql_template import render_sql
from reverse_etl.warehouse.statement import Sql, Statement, quote_identifier

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.planning.sql.model_query import Staging


def stage_rows(staging: Staging) -> Statement:
    """Run the model once and store its rows, canonical and checked row by row."""
    tables = staging.tables
    return Statement.create(
        tables.dialect.temp_table(staging.target), *_render("stage_rows", tables, staging=staging)
    )


def mark_still_rejected(tables: ModelTables, checksum: str) -> Statement:
    """Reject the rows that Klaviyo refused before, if row, model and config are unchanged."""
    staged_values, rejected_values = comparable_values(tables, "s."), comparable_values(tables, "r.")
    staged_values |= {str(name): value for name, value in tables.sent_identifiers_sql("s").items()}
    pairs = [(staged_values[name], rejected_value) for name, rejected_value in rejected_values.items()]
    text = _render(
        "staging:mark_still_rejected",
        tables,
        problem=RowProblem.STILL_REJECTED,
        checksum=checksum,
        compared_values=pairs,
    )
    return tables.mark_rows(*text)


def reject_lists(tables: ModelTables, problems: Mapping[str, RowProblem]) -> Statement:
    """Reject the rows that name one of these lists, with its problem; they count as rows without a list."""
    return tables.refuse_lists(
        *_render("staging:reject_lists", tables, problems=dict(sorted(problems.items())))
    )


def select_conflicting_properties(tables: ModelTables) -> Statement:
    """Return one row: for each payload column, (people, an example) of those whose rows on several lists differ in it."""
    return Statement.read(
        *_render("staging:conflicting_properties", tables, columns=[*_numbered_payload(tables).values()])
    )


def _numbered_payload(tables: ModelTables) -> dict[str, tuple[Sql, Sql]]:
    """Return, by column, a short name of its number of values, and its value as it can be compared."""
    return {
        column.name: (
            Sql(f"retl_values_{number}"),
            Sql(tables.dialect.comparable_sql("s." + quote_identifier(column.name), column)),
        )
        for number, column in enumerate(tables.payload)
    }


def replace_list_ids(tables: ModelTables, lists: Sequence[tuple[str | None, str]]) -> Statement:
    """Store the id of each list beside its name in the rows, None if no row names it, for the diff to join."""
    if not lists:
        columns = "retl_list VARCHAR, retl_list_id VARCHAR"
        return tables.dialect.replace_empty_temp_table(tables.lists, columns)
    pairs = sorted(lists, key=lambda pair: (pair[0] or "", pair[1]))
    return Statement.create(
        tables.dialect.temp_table(tables.lists), *_render("staging:list_ids", tables, lists=pairs)
    )


def count_staged_rows(tables: ModelTables, *, marks_unchanged: bool) -> Statement:
    """Return (list name, problem or NULL, rows, unchanged rows, identities), then for each secondary identifier (rows, values).

    Identities and values are counted by fingerprints: a number as high as that of the rows proves that all of them differ.
    """
    counts = [
        "COUNT(*)",
        "COUNT(CASE WHEN retl_unchanged THEN 1 END)" if marks_unchanged else "0",
        f"COUNT(DISTINCT {tables.dialect.fingerprint_sql('retl_identity')})",
    ]
    for kind in tables.secondary_identifiers:
        column = IDENTIFIER_COLUMNS[kind]
        fingerprint = f"CASE WHEN {column} IS NOT NULL THEN {tables.dialect.fingerprint_sql(column)} END"
        counts += [f"COUNT({column})", f"COUNT(DISTINCT {fingerprint})"]
    list_name = "retl_list" if tables.many_lists else "'' AS retl_list"
    groups = "retl_list, retl_problem" if tables.many_lists else "retl_problem"
    return Statement.read(
        f"SELECT {list_name}, retl_problem, {', '.join(counts)}\n"
        f"FROM {tables.staged_rows} GROUP BY {groups} ORDER BY {groups}"
    )


def restore_values(tables: ModelTables, list_id: str) -> Statement:
    """Give the rows without payload their values from the snapshot's rows of the list that they were compared with.

    Then all rows are staged in full, and none counts as unchanged any more.
    """
    staged = tables.dialect.temp_table(tables.staged_table)
    snapshot = tables.dialect.state_table(tables.snapshot)
    values = "".join(
        f", {column} = CASE WHEN s.retl_left_out THEN k.{column} ELSE s.{column} END"
        for column in tables.payload_columns
    )
    return Statement.change(
        staged,
        f"UPDATE {staged} AS s SET retl_unchanged = FALSE, retl_left_out = FALSE{values}\nFROM {snapshot} AS k\n"
        "WHERE s.retl_unchanged AND k.retl_list_id = ? AND k.retl_identity = s.retl_identity",
        (list_id,),
    )


def comparable_values(tables: ModelTables, prefix: str) -> dict[str, Sql]:
    """Return, by name, the value of each identifier and payload column as it can be compared."""
    identifiers = {str(column): Sql(prefix + column) for column in tables.identifier_columns}
    payload = {
        column.name: Sql(tables.dialect.comparable_sql(prefix + quote_identifier(column.name), column))
        for column in tables.payload
    }
    return identifiers | payload


def select_staged_identities(
    tables: ModelTables,
    identities: Sequence[str],
    list_id: str | None = None,
    list_values: Sequence[str] = (),
) -> Statement:
    """Return those of some identities, at least one, that the model has staged rows of, rejected ones included.

    With a list id only those of that list. `list_values` are what rows may say of the list, for a model whose
    lists were not looked up.
    """
    on_list, parameters = "", tuple(list_values)
    if list_values:
        on_list = f" AND retl_list IN ({', '.join('?' for _ in list_values)})"
    elif list_id is not None:
        lists = tables.dialect.temp_table(tables.lists)
        on_list = f" AND retl_list IN (SELECT retl_list FROM {lists} WHERE retl_list_id = ?)"
        parameters = (list_id,)
    placeholders = ", ".join("?" for _ in identities)
    return Statement.read(
        f"SELECT DISTINCT retl_identity FROM {tables.staged_rows} "
        f"WHERE retl_identity IN ({placeholders}){on_list}",
        (*identities, *parameters),
    )


def _render(template: str, tables: ModelTables, **values: object) -> tuple[Sql, tuple[object, ...]]:
    return render_sql(f"planning/sql/{template}", tables.dialect, tables=tables, **values)
