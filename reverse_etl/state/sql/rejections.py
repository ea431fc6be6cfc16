"""Statements of the rejections: rows that are not sent as they are, and since when.

Rows that a check rejects are found again in each run. Rows that Klaviyo refused stay rejected, with the row stored as it
was, until the row, its model or its config changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.domain.rejections import NAMING_A_COLUMN, RejectionSource, RowProblem
from reverse_etl.state.sql.templates import render
from reverse_etl.state.tables import IN_SCOPE_SQL
from reverse_etl.warehouse.model_tables import IDENTIFIER_COLUMNS, NO_IDENTITY_PREFIX
from reverse_etl.warehouse.statement import Sql, Statement

if TYPE_CHECKING:
    from reverse_etl.state.sql.deltas import RunDeltas
    from reverse_etl.warehouse.model_tables import ModelTables
    from reverse_etl.warehouse.statement import TableName

REJECTION_GROUPS = ("model", "list_id", "source", "code", "field")
REJECTION_COLUMNS = (
    *REJECTION_GROUPS,
    "MODE(detail)",
    "SUM(row_count)",
    f"MIN(CASE WHEN row_key NOT LIKE '{NO_IDENTITY_PREFIX}%' THEN row_key END)",
    "SUM(CASE WHEN first_run_id = ? THEN row_count ELSE 0 END)",
)


@dataclass(frozen=True)
class ModelRejections:
    """The rejections of one model, which an account and a project own.

    Those of the lists `kept_list_ids` stay as they are.
    """

    tables: ModelTables
    account: str
    project: str
    name: str
    kept_list_ids: tuple[str, ...] = ()

    @property
    def stored(self) -> TableName:
        """Return the table of all models' rejections."""
        return self.tables.dialect.state_table("rejections")

    @property
    def checks(self) -> str:
        """Return the scratch table of the rows that the checks reject now."""
        return f"checks_{self.tables.table_key}"


def count_check_rejections(model: ModelRejections, *, with_example: bool = False) -> Statement:
    """Count the staged rows that are not sent.

    Return (list name, problem, column or columns or NULL, code of Klaviyo's earlier refusal or NULL, rows, new rows, identity of one row or
    NULL, changed ones); no run reported the new ones, and of the changed ones the stored rejection differs. With an example, the identifiers
    of that row follow, '' for NULL, in the order of the model's; to read them for all rows costs a run that shows no rows too much.
    """
    text = _render(
        "count_check_rejections",
        model,
        still_rejected=RowProblem.STILL_REJECTED,
        identifiers=[IDENTIFIER_COLUMNS[kind] for kind in model.tables.identifiers] if with_example else [],
        naming_column=(*NAMING_A_COLUMN, RowProblem.DUPLICATE, RowProblem.CHANGED),
    )
    return Statement.read(*text)


def collect_check_rejections(model: ModelRejections, run_id: str) -> Statement:
    """Collect the rows that the checks reject now, each with the first run that saw and reported it."""
    text = _render("collect_check_rejections", model, run_id=run_id, still_rejected=RowProblem.STILL_REJECTED)
    return Statement.create(model.tables.dialect.temp_table(model.checks), *text)


def replace_check_rejections(model: ModelRejections) -> tuple[Statement, ...]:
    """Replace the model's earlier rejections by checks by those that were collected."""
    return (
        Statement.change(model.stored, *_render("rejections:delete_check_rejections", model)),
        Statement.insert(model.stored, *_render("rejections:insert_check_rejections", model)),
    )


def delete_changed_rejections(model: ModelRejections) -> tuple[Statement, ...]:
    """End the rejections by Klaviyo whose row is no longer staged as it was refused."""
    return (
        Statement.change(
            _rejected_rows(model),
            *_render("rejections:delete_changed_rows", model, still_rejected=RowProblem.STILL_REJECTED),
        ),
        Statement.change(model.stored, *_render("rejections:delete_ended_rejections", model)),
    )


def record_klaviyo_rejections(model: ModelRejections, run: RunDeltas) -> tuple[Statement, ...]:
    """Store each row that Klaviyo refused in this run, and end the rejections of the rows that it accepted."""
    return (
        Statement.change(model.stored, *_render("rejections:delete_accepted_rejections", model)),
        Statement.change(model.stored, *_render("rejections:delete_repeated_rejections", model, run=run)),
        Statement.insert(model.stored, *_render("rejections:insert_klaviyo_rejections", model, run=run)),
    )


def delete_klaviyo_rejections(model: ModelRejections) -> tuple[Statement, ...]:
    """End every rejection that Klaviyo made of a model's rows."""
    rejected = _rejected_rows(model)
    return (
        Statement.change(rejected, f"DELETE FROM {rejected}"),
        _delete_by_source(model, RejectionSource.KLAVIYO),
    )


def _delete_by_source(model: ModelRejections, source: RejectionSource) -> Statement:
    return Statement.change(
        model.stored,
        f"DELETE FROM {model.stored} WHERE {IN_SCOPE_SQL} AND model = ? AND source = ?",
        (model.account, model.project, model.name, source.value),
    )


def _rejected_rows(model: ModelRejections) -> TableName:
    return model.tables.dialect.state_table(model.tables.rejected)


def _render(template: str, model: ModelRejections, **values: object) -> tuple[Sql, tuple[object, ...]]:
    return render(template, model.tables, model=model, **values)
