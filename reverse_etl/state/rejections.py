"""The rejections: which rows are not sent as they are, and since when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.domain.rejections import RejectedRows, RejectionReason, RejectionSource
from reverse_etl.state.sql import rejections as sql
from reverse_etl.state.sql import schema

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.state.tables import StateTables
    from reverse_etl.warehouse.model_tables import ModelTables


@dataclass(frozen=True)
class Rejections:
    """The rejections of the models of one account and project."""

    state_tables: StateTables

    def by_list(self, run_id: str = "") -> Mapping[tuple[str, str], Sequence[RejectedRows]]:
        """Return the current rejections by model and list id; `new_rows` are those that a run saw first."""
        rejections: dict[tuple[str, str], list[RejectedRows]] = {}
        for model, list_id, source, code, field, detail, rows, example, new_rows in self.state_tables.fetch(
            sql.select_current_rejections(self.state_tables.dialect, self.state_tables.scope.key, run_id)
        ):
            reason = RejectionReason(RejectionSource(source), code, field, detail)
            rejected = RejectedRows(reason, int(rows), int(new_rows), example)
            rejections.setdefault((model, list_id), []).append(rejected)
        return rejections

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
            rejected.rows
            for (rejected_model, _), rejections in self.by_list().items()
            for rejected in rejections
            if rejected_model == model and rejected.reason.source is RejectionSource.KLAVIYO
        )
        self.state_tables.commit(
            sql.delete_klaviyo_rejections(
                self.state_tables.dialect, self.state_tables.scope.key, model, f"rejected_{table_key}"
            )
        )
        return rows
