"""Statements for models with `updated_at`: they stage in full only the rows that may have changed.

First all rows are staged with their identifiers alone. Once the lists are known, the rows to compare are found, staged in full, and put
in the place of the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.domain.rejections import RowProblem
from reverse_etl.planning.sql.diff import ModelDiff
from reverse_etl.warehouse.model_tables import IDENTIFIER_COLUMNS, UPDATED_COLUMN, ModelTables
from reverse_etl.warehouse.sql_template import render_sql
from reverse_etl.warehouse.statement import Sql, Statement

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class StagedKeys:
    """The rows that were staged with their identifiers alone: whether their row keys are known to be unique, and none was rejected.

    `others_are_equal`: the rows that are not staged in full equal the snapshot's.
    """

    are_unique: bool = False
    are_valid: bool = False
    others_are_equal: bool = False


def collect_compared(
    tables: ModelTables, keys: StagedKeys, model: tuple[str, str, str], stale_list_ids: Sequence[str]
) -> Statement:
    """Collect the identities whose rows are to be staged in full; NULL if rows have none.

    `model` is its account, project and name. All rows of the lists `stale_list_ids` are sent again.
    """
    account, project, name = model
    open_tables = (
        tables.deltas,
        tables.rejected,
        *((tables.without_profile,) if tables.keeps_without_profile else ()),
    )
    text = _render(
        "row_comparison:compared_rows",
        tables,
        keys=keys,
        identifier_columns=_compared_columns(tables),
        open_tables=open_tables,
        stale_list_ids=stale_list_ids,
        account=account,
        project=project,
        model=name,
    )
    return Statement.create(tables.dialect.temp_table(tables.compared), *text)


def count_compared(tables: ModelTables) -> Statement:
    """Return the number of these identities."""
    return Statement.read(f"SELECT COUNT(*) FROM {tables.dialect.temp_table(tables.compared)}")


def replace_compared(tables: ModelTables, keys: StagedKeys) -> tuple[Statement, ...]:
    """Put the rows that were staged in full in the place of those without values.

    A row that the model no longer returned then was changed in between. It is rejected, so that nobody is removed whose row only has
    another identifier now.
    """
    names = (tables.staged_table, tables.lists, tables.compared)
    staged, lists, compared = map(tables.dialect.temp_table, names)
    problem = tables.dialect.quote_literal(RowProblem.CHANGED_WHILE_READ)
    of_lists = f"\nAND retl_list IN (SELECT retl_list FROM {lists})" if tables.many_lists else ""
    without_identity = (
        f"DELETE FROM {staged} WHERE retl_identity IS NULL AND retl_list IN (SELECT retl_list FROM {lists})"
    )
    return (
        *(() if keys.are_valid else (Statement.change(staged, without_identity),)),
        Statement.change(staged, *_render("row_comparison:delete_completed", tables)),
        Statement.change(
            staged,
            f"UPDATE {staged} SET retl_problem = {problem}\n"
            f"WHERE retl_problem IS NULL AND retl_identity IN (SELECT retl_identity FROM {compared}){of_lists}",
        ),
        Statement.insert(
            staged, *_render("row_comparison:insert_completed", tables, columns=_staged_columns(tables, keys))
        ),
    )


def count_completed(tables: ModelTables) -> Statement:
    """Return the number of rows that were staged in full."""
    return Statement.read(f"SELECT COUNT(*) FROM {tables.dialect.temp_table(tables.completed)}")


def select_hidden(tables: ModelTables, identities: Sequence[str]) -> Statement:
    """Return (list id) of these rows that are as they were when they were compared last: only a full comparison looks at them."""
    columns = _compared_columns(tables)
    text = _render("row_comparison:select_hidden", tables, identifier_columns=columns, identities=identities)
    return Statement.read(*text)


def keep_updated_at(tables: ModelTables) -> Statement:
    """Keep `updated_at` of the staged rows whose values are those of the snapshot, for the next comparison.

    Run it once the deltas of a run are stored, in one transaction with them.
    """
    text = _render("row_comparison:keep_updated_at", tables, diff=ModelDiff(tables, {}))
    return Statement.change(tables.dialect.state_table(tables.snapshot), *text)


def _compared_columns(tables: ModelTables) -> list[Sql]:
    return [IDENTIFIER_COLUMNS[kind] for kind in tables.compared_identifiers]


def _staged_columns(tables: ModelTables, keys: StagedKeys) -> tuple[Sql, ...]:
    own = map(
        Sql,
        (
            *("retl_list", "retl_identity", "retl_problem", "retl_detail"),
            *("retl_digest", "retl_unchanged", "retl_left_out"),
            *(("retl_known", "retl_first_sent_at") if keys.others_are_equal else ()),
        ),
    )
    return (*own, *tables.identifier_columns, UPDATED_COLUMN, *tables.payload_columns)


def _render(template: str, tables: ModelTables, **values: object) -> tuple[Sql, tuple[object, ...]]:
    return render_sql(f"planning/sql/{template}", tables.dialect, tables=tables, **values)
