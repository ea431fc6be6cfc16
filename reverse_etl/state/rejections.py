"""The rejections: which rows are not sent as they are, and since when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.state.sql import rejections as sql
from reverse_etl.state.sql import schema

if TYPE_CHECKING:
    from reverse_etl.state.tables import Tables
    from reverse_etl.warehouse.model_tables import Shape


@dataclass(frozen=True)
class Rejection:
    """The rows of a list that are not sent as they are for one reason, with the commonest detail.

    `example` is the identity of one of them; None where none has one. `new` of them were first seen by the
    run that was asked about.
    """

    model: str
    list_id: str
    source: str
    code: str
    field: str
    detail: str
    rows: int
    example: str | None
    new: int = 0


@dataclass(frozen=True)
class Rejections:
    """The rejections of one owner's models."""

    tables: Tables

    def standing(self, run_id: str = "") -> tuple[Rejection, ...]:
        """Return what is rejected now, reason by reason; `new` are the rows that a run saw first."""
        found = self.tables.fetch(sql.standing(self.tables.dialect, self.tables.owner.key, run_id))
        return tuple(
            Rejection(model, list_id, source, code, field, detail, int(rows), example, int(new))
            for model, list_id, source, code, field, detail, rows, example, new in found
        )

    def note_checks(self, run_id: str, model: str, shape: Shape) -> None:
        """Keep which rows of a model the warehouse's checks reject now, and end the other rejections.

        Each with the run that first saw it. Only for a model that has its tables.
        """
        dialect, key = self.tables.dialect, self.tables.owner.key
        self.tables.run(sql.gather_checks(dialect, key, shape, run_id, model))
        self.tables.commit(
            (
                *sql.replace_checks(dialect, key, shape, model),
                *sql.end_changed(dialect, key, shape, model),
            )
        )
        self.tables.run(*schema.drop_scratch(dialect, ("checks_" + shape.key,)))

    def retry(self, model: str) -> int:
        """End the rejections that Klaviyo made of a model's rows, so that the next run sends them again.

        Returns how many.
        """
        key = self.tables.owner.table_key(model)
        if not self.tables.warehouse.kept_columns(f"snapshot_{key}"):
            return 0
        rows = sum(r.rows for r in self.standing() if r.model == model and r.source == "klaviyo")
        self.tables.commit(sql.end_all(self.tables.dialect, self.tables.owner.key, model, f"rejected_{key}"))
        return rows
