"""Statements of the diff: the changes that make each list equal to its model.

The diff reads the valid staged rows, the snapshot and the uncertain rows (deltas of earlier runs that may or may not be applied).
It compares columns with IS DISTINCT FROM: no hash, no collision, no confusion of NULL and ''. A desired NULL is not a change, except in a
model whose requests print it, and in a column whose values are cleared. An uncertain identity that is desired is sent again; one that is not is removed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from reverse_etl.domain.deltas import Op
from reverse_etl.domain.rejections import RowProblem
from reverse_etl.warehouse.dialect import NarrowRows, NumberedRows
from reverse_etl.warehouse.model_tables import (
    CLEARED_COLUMN,
    FIRST_SENT_COLUMN,
    IDENTIFIER_COLUMNS,
    KEY_COLUMNS,
    ModelTables,
)
from reverse_etl.warehouse.sql_template import render_sql
from reverse_etl.warehouse.statement import Sql, Statement, quote_identifier
from reverse_etl.warehouse.type_changes import current_value_sql, is_retyped

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from reverse_etl.domain.columns import Column


@dataclass(frozen=True)
class DiffOptions:
    """The options of the diff: every row again, or identities by today's identifiers.

    All rows of the lists `stale_list_ids` are uncertain: a full refresh sends them again, or another model has
    sent to these lists since.
    """

    full_refresh: bool = False
    rekeyed: bool = False
    stale_list_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """How one column of a desired row d is compared with the known row k.

    `label` is the column's name as a list of names shows it. `has_new_value` is whether it differs and is not NULL.
    """

    column: Sql
    label: str
    is_changed: Sql
    has_new_value: Sql


@dataclass(frozen=True)
class ModelDiff:
    """The diff of one model: its tables, the columns of its snapshot (none before its first run) and the options."""

    tables: ModelTables
    stored_columns: Mapping[str, Column]
    options: DiffOptions = DiffOptions()

    # Columns of every known row, besides its key.
    person_columns = (*IDENTIFIER_COLUMNS.values(), FIRST_SENT_COLUMN)

    @cached_property
    def stored_values(self) -> dict[Sql, Sql]:
        """Return the values of a row s of the snapshot by column: the payload in its current types, then `retyped_values`."""
        current_values = {
            quote_identifier(column.name): Sql(
                current_value_sql(self.tables.dialect, column, stored_column, "s.")
            )
            for column, stored_column in self._column_pairs()
        }
        return current_values | self.retyped_values

    @cached_property
    def retyped_columns(self) -> tuple[Column, ...]:
        """Return the stored payload columns whose type has changed."""
        return tuple(
            stored_column
            for column, stored_column in self._column_pairs()
            if stored_column is not None and is_retyped(self.tables.dialect, column, stored_column)
        )

    @cached_property
    def retyped_values(self) -> dict[Sql, Sql]:
        """Return the values of these columns in a row s of the snapshot, in their stored types, by new names."""
        return {
            Sql(f"retl_stored_{number}"): Sql(f"s.{quote_identifier(column.name)}")
            for number, column in enumerate(self.retyped_columns)
        }

    @property
    def knows_cleared(self) -> bool:
        """Return whether the snapshot says which values are cleared; it does from the model's first run with a value to clear on."""
        return CLEARED_COLUMN in {name.lower() for name in self.stored_columns}

    @property
    def sends_known_rows(self) -> bool:
        """Return whether rows are sent again that were proved applied."""
        return self.options.full_refresh or bool(self.options.stale_list_ids)

    @property
    def empty_columns(self) -> dict[Sql, Sql]:
        """Return the columns of the known rows with their types, for a model without a snapshot."""
        person_columns = dict.fromkeys((*KEY_COLUMNS, *self.person_columns), Sql("VARCHAR"))
        payload = {
            quote_identifier(column.name): Sql(self.tables.dialect.storage_type(column))
            for column in self.tables.payload
        }
        return (
            person_columns | payload | ({CLEARED_COLUMN: Sql("VARCHAR")} if self.tables.clear_columns else {})
        )

    @cached_property
    def comparisons(self) -> tuple[Comparison, ...]:
        """Return how each column is compared that may differ between a desired row and a known one."""
        identifiers = [
            (IDENTIFIER_COLUMNS[kind], kind.value, None) for kind in self.tables.compared_identifiers
        ]
        payload = [(quote_identifier(column.name), column.name, column) for column in self.tables.payload]
        return tuple(self._compare(*column) for column in (*identifiers, *payload))

    def identity(self, alias: str) -> Sql:
        """Return a stored row's identity, by the model's current identifiers if these changed."""
        if self.options.rekeyed:
            return self.tables.rekeyed_identity_sql(alias)
        return Sql(f"{alias}.retl_identity")

    def is_owned_list(self, list_id: str) -> Sql:
        """Return the condition that a list is one that the model manages."""
        lists = self.tables.dialect.temp_table(self.tables.lists)
        if self.tables.many_lists:
            return Sql(f"{list_id} IN (SELECT retl_list_id FROM {lists})")
        return Sql(self.tables.dialect.equals_only_value_sql(list_id, "retl_list_id", lists))

    def _compare(self, name: Sql, label: str, column: Column | None) -> Comparison:
        desired, known = f"d.{name}", f"k.{name}"
        if column is not None:
            comparable = self.tables.dialect.comparable_sql
            desired, known = comparable(desired, column), comparable(known, column)
        differs = f"{desired} IS DISTINCT FROM {known}"
        has_new_value = f"d.{name} IS NOT NULL AND {differs}"
        null_is_value = self.tables.sends_nulls or name in self.tables.clear_marks
        is_changed = differs if null_is_value else has_new_value
        return Comparison(name, f", {label}", Sql(f"({is_changed})"), Sql(f"({has_new_value})"))

    def _column_pairs(self) -> Iterator[tuple[Column, Column | None]]:
        """Yield each payload column with its stored column; names match case-insensitively."""
        columns_by_lowercase = {name.lower(): column for name, column in self.stored_columns.items()}
        return ((column, columns_by_lowercase.get(column.name.lower())) for column in self.tables.payload)


def select_first_difference(diff: ModelDiff) -> Statement:
    """Return a row if the valid staged rows differ from the snapshot; the query stops at the first difference.

    If it returns none, and the snapshot has as many rows as were staged, identities are unique: the snapshot has each identity once.
    Rows may still share secondary identifiers, as the snapshot's rows may.
    """
    return Statement.read(*_render("diff:first_difference", diff))


def mark_unknown_rows(diff: ModelDiff) -> Statement:
    """Reject the uncertain rows, for models whose requests must not be repeated."""
    return diff.tables.mark_rows(*_render("diff:mark_unknown_rows", diff, problem=RowProblem.UNKNOWN_OUTCOME))


def mark_changed_rows(diff: ModelDiff) -> Statement:
    """Reject the rows of known keys with another value than the one that was sent, naming the columns: for models that only append.

    No value was sent of a column that the model did not have then, or that was NULL: the row counts as unchanged.
    """
    return diff.tables.mark_rows(*_render("diff:mark_changed_rows", diff, problem=RowProblem.CHANGED))


def count_moved(diff: ModelDiff, names: Collection[str]) -> Statement:
    """Return (list id, rows) of the known rows of which one of these columns has another value than the one that was sent."""
    columns = [column for column in diff.tables.payload if column.name.lower() in names]
    labels = {f", {column.name}" for column in columns}
    comparisons = [comparison for comparison in diff.comparisons if comparison.label in labels]
    return Statement.read(*_render("diff:count_moved", diff, comparisons=comparisons))


def compute_deltas(diff: ModelDiff) -> tuple[Statement, ...]:
    """Compute the plan's deltas, numbered from 1: by list, upserts before removes, then by identity in binary order.

    A row to remove counts as in the snapshot only if no earlier run may have removed it already.

    Deltas are narrow, since numbering wide rows takes many times as long: the values of upserts stay in the staged rows, and only
    removes carry identifiers.
    """
    tables = diff.tables
    return tables.dialect.number_rows(
        NumberedRows(
            table=tables.planned,
            rows=_render("changed_rows", diff, is_narrow=False)[0],
            order=_order_sql(tables),
            narrow=NarrowRows(
                tables.changed,
                rows=_render("changed_rows", diff, is_narrow=True)[0],
                widened_rows=_render("widened_rows", diff)[0],
            ),
        )
    )


def compute_marked_deltas(tables: ModelTables, list_id: str) -> tuple[Statement, ...]:
    """Compute the same deltas, few of them, of rows that were compared with those of a list as they were staged.

    Only while no identifier is left out of a row: that may undo its change.
    """
    rows, _ = render_sql("planning/sql/diff:marked_changes", tables.dialect, tables=tables, list_id=list_id)
    return tables.dialect.number_rows(NumberedRows(tables.planned, rows, _order_sql(tables)))


def _order_sql(tables: ModelTables) -> Sql:
    by_list = "retl_list_id, " if tables.many_lists else ""
    return Sql(f"{by_list}CASE WHEN retl_op = '{Op.REMOVE}' THEN 1 ELSE 0 END, retl_identity")


def select_sample(diff: ModelDiff, per_op: int) -> Statement:
    """Return the first deltas of each list and op: (list id, op, identity), then identifiers and payload after, then before.

    Then come the values of `diff.retyped_columns`, in their stored types, and the marks of the columns to clear if any may be.
    """
    columns = (*IDENTIFIER_COLUMNS.values(), *diff.tables.payload_columns)
    return Statement.read(*_render("sample", diff, columns=columns, per_op=per_op))


def _render(name: str, diff: ModelDiff, **values: object) -> tuple[Sql, tuple[object, ...]]:
    return render_sql(f"planning/sql/{name}", diff.tables.dialect, diff=diff, tables=diff.tables, **values)
