"""The rejections: which rows are not sent as they are, and since when."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reverse_etl.domain.identifiers import mask_identity
from reverse_etl.domain.rejections import (
    RejectedRow,
    RejectedRows,
    RejectionReason,
    RejectionSource,
    RowProblem,
)
from reverse_etl.state.omissions import Omissions
from reverse_etl.state.shared_query import SharedQuery
from reverse_etl.state.sql import rejections as sql
from reverse_etl.state.sql import schema
from reverse_etl.state.sql.deltas import mark_rejected_uncertain
from reverse_etl.state.tables import IN_SCOPE_SQL, reading, require
from reverse_etl.warehouse.model_tables import NO_IDENTITY_PREFIX
from reverse_etl.warehouse.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from reverse_etl.state.tables import StateTables
    from reverse_etl.warehouse.model_tables import ModelTables

_BATCH_ROWS = 10_000


@dataclass(frozen=True)
class Rejections:
    """The rejections of the models of one account and project."""

    state_tables: StateTables

    @property
    def shared_query(self) -> SharedQuery:
        """Return the query that counts the current rejections."""
        return self._query("")

    def _query(self, run_id: str) -> SharedQuery:
        groups = ", ".join(sql.REJECTION_GROUPS)
        table = self.state_tables.dialect.state_table("rejections")
        return SharedQuery(
            ("rejections",),
            sql.REJECTION_COLUMNS,
            f"FROM {table} WHERE {IN_SCOPE_SQL}\nGROUP BY {groups}",
            groups,
            (run_id, *self.state_tables.scope.key),
            integers=(6, 8),
        )

    @reading("rejections")
    def by_list(self, run_id: str = "") -> Mapping[tuple[str, str], Sequence[RejectedRows]]:
        """Return the current rejections by model and list id; `new_rows` are those that a run saw first."""
        rejections: dict[tuple[str, str], list[RejectedRows]] = {}
        for (
            model,
            list_id,
            source,
            code,
            field,
            detail,
            rows,
            example,
            new_rows,
        ) in self.state_tables.fetch_shared(self._query(run_id)):
            reason = _to_reason(source, code, field, detail)
            if example is not None:
                mask_identity(example)  # it has a type
            rejected = RejectedRows(reason, int(rows), int(new_rows), example)
            rejections.setdefault((model, require(list_id)), []).append(rejected)
        return rejections

    def exist(self, model: str, source: RejectionSource | None = None) -> bool:
        """Return whether a model has rejections, by a source or by any."""
        return any(
            source in {None, rejected.reason.source}
            for (name, _), entries in self.by_list().items()
            if name == model
            for rejected in entries
        )

    def count_checked(self, model: str) -> int:
        """Return the number of rows of a model that checks rejected when its rejections were last stored."""
        return sum(
            rejected.rows
            for (name, _), entries in self.by_list().items()
            if name == model
            for rejected in entries
            if rejected.reason.source is RejectionSource.CHECK
        )

    @reading("rejections")
    def of_rows(self, model: str, row_keys: Sequence[str]) -> Mapping[tuple[str, str], RejectionReason]:
        """Return, by list id and row key, why Klaviyo refused these rows of a model."""
        if not row_keys:
            return {}
        rows = self.state_tables.read(
            "rejections",
            "list_id, row_key, source, code, field, detail",
            "list_id, row_key",
            **self.state_tables.in_scope,
            model=model,
            row_key=[*row_keys],
            source=RejectionSource.KLAVIYO.value,
        )
        return {
            (list_id, row_key): _to_reason(source, code, field, detail)
            for list_id, row_key, source, code, field, detail in rows
        }

    def rows(self, models: Collection[str] | None = None) -> Iterator[RejectedRow]:
        """Yield the rejected rows, of all models or of some, by model, list and row key.

        Reads in batches: the number of rows has no bound.
        """
        names = () if models is None else tuple(models)
        if models is not None and not names:
            return
        of_models = f" AND model IN ({', '.join('?' for _ in names)})" if names else ""
        table = self.state_tables.dialect.state_table("rejections")
        statement = Statement.read(
            "SELECT model, list_id, row_key, row_count, source, code, field, detail, first_run_id\n"
            f"FROM {table} WHERE {IN_SCOPE_SQL}{of_models}\n"
            "ORDER BY model, list_id, row_key, source, code, field",
            (*self.state_tables.scope.key, *names),
        )
        for batch in self.state_tables.warehouse.stream(statement, _BATCH_ROWS):
            for model, list_id, row_key, rows, source, code, field, detail, run_id in batch:
                with reading("rejections"):
                    identity = None if row_key.startswith(NO_IDENTITY_PREFIX) else row_key
                    if identity is not None:
                        mask_identity(identity)  # it has a type
                    reason = _to_reason(source, code, field, detail)
                    row = RejectedRow(model, list_id, identity, int(rows), reason, run_id)
                yield row

    def record_check_rejections(
        self,
        run_id: str,
        model: str,
        tables: ModelTables,
        kept_list_ids: Sequence[str] = (),
        *,
        differ: bool = True,
    ) -> None:
        """Store which rows of a model the checks reject now, each with the run that first saw it.

        Ends all other rejections of the model, except on the lists `kept_list_ids`: a guard stopped them, and
        the run did not report their rows. Only for a model that has its tables. Nothing changes if the rows
        that checks reject now do not `differ` from those that are stored, and Klaviyo refused none before.
        """
        if differ or self.exist(model, RejectionSource.KLAVIYO):
            self._replace_rejections(run_id, model, tables, kept_list_ids)
        Omissions(self.state_tables).delete_ended(model, tables)

    def _replace_rejections(
        self, run_id: str, model: str, tables: ModelTables, kept_list_ids: Sequence[str]
    ) -> None:
        rejections = replace(self._of_model(tables, model), kept_list_ids=tuple(kept_list_ids))
        self.state_tables.execute(sql.collect_check_rejections(rejections, run_id))
        self.state_tables.commit(
            (*sql.replace_check_rejections(rejections), *sql.delete_changed_rejections(rejections))
        )
        self.state_tables.execute(*schema.drop_temp_tables(tables.dialect, (rejections.checks,)))

    def clear_klaviyo_rejections(self, model: str, tables: ModelTables, *, resend: bool) -> int:
        """End the rejections that Klaviyo made of a model's rows, so that the next run sends them again.

        Returns how many. With `resend`, a row that was applied before becomes uncertain until it is applied.
        """
        rows = sum(
            rejected.rows
            for (rejected_model, _), rejections in self.by_list().items()
            for rejected in rejections
            if rejected_model == model and rejected.reason.source is RejectionSource.KLAVIYO
        )
        self.state_tables.commit(
            (
                *((mark_rejected_uncertain(tables),) if resend else ()),
                *sql.delete_klaviyo_rejections(self._of_model(tables, model)),
            )
        )
        Omissions(self.state_tables).clear(model)
        return rows

    def _of_model(self, tables: ModelTables, model: str) -> sql.ModelRejections:
        return sql.ModelRejections(tables, *self.state_tables.scope.key, model)


def _to_reason(source: str, code: str, field: str, detail: str) -> RejectionReason:
    """Return a stored reason. Raises ValueError if no run writes it."""
    kind = RejectionSource(source)
    return RejectionReason(
        kind, RowProblem(code) if kind is RejectionSource.CHECK else require(code), field, require(detail)
    )
