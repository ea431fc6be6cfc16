"""The rejections: which rows are not sent as they are, and since when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.state.sql import rejections as sql
from reverse_etl.state.sql import schema

if TYPE_CHECKING:
    from reverse_etl.state.tables import StateTables
    from reverse_etl.warehouse.model_tables import ModelTables


@dataclass(frozen=True)
class Rejection:
    """The rows of a list that are not sent as they are for one reason, with the commonest detail.

    `example` is the identity of one of them; None where none has one. `new_rows` of them were first seen by
    the run that was asked about.
    """

    model: str
    list_id: str
    source: str
    code: str
    field: str
    detail: str
    rows: int
    example: str | None
    new_rows: int = 0


@dataclass(frozen=True)
class Rejections:
    """The rejections of one owner's models."""

    state_tables: StateTables

    def current(self, run_id: str = "") -> tuple[Rejection, ...]:
        """Return what is rejected now, reason by reason; `new` are the rows that a run saw first."""
        records = self.state_tables.fetch(
            sql.select_current_rejections(self.state_tables.dialect, self.state_tables.scope.key, run_id)
        )
        return tuple(
            Rejection(model, list_id, source, code, field, detail, int(rows), example, int(new_rows))
            for model, list_id, source, code, field, detail, rows, example, new_rows in records
        )

    def record_check_rejections(self, run_id: str, model: str, tables: ModelTables) -> None:
        """Keep which rows of a model the warehouse's checks reject now, and end the other rejections.

        Each with the run that first saw it. Only for a model that has its tables.
        """
        dialect, scope_key = self.state_tables.dialect, self.state_tables.scope.key
        self.state_tables.execute(sql.collect_check_rejections(dialect, scope_key, tables, run_id, model))
        self.state_tables.commit(
            (
                *sql.replace_check_rejections(dialect, scope_key, tables, model),
                *sql.delete_changed_rejections(dialect, scope_key, tables, model),
            )
        )
        self.state_tables.execute(*schema.drop_temp_tables(dialect, ("checks_" + tables.table_key,)))

    def clear_klaviyo_rejections(self, model: str) -> int:
        """End the rejections that Klaviyo made of a model's rows, so that the next run sends them again.

        Returns how many.
        """
        table_key = self.state_tables.scope.table_key(model)
        if not self.state_tables.warehouse.state_columns(f"snapshot_{table_key}"):
            return 0
        rows = sum(
            rejection.rows
            for rejection in self.current()
            if rejection.model == model and rejection.source == "klaviyo"
        )
        self.state_tables.commit(
            sql.delete_klaviyo_rejections(
                self.state_tables.dialect, self.state_tables.scope.key, model, f"rejected_{table_key}"
            )
        )
        return rows
