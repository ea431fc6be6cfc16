"""The models that were ever sent: their records, the columns of their tables, and their numbers of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.domain.batched import batched
from reverse_etl.domain.identifiers import KEY_TYPE, IdentifierType
from reverse_etl.state.model_record import ModelRecord, models_query
from reverse_etl.state.sql import deltas, snapshot
from reverse_etl.state.sql.deltas import RunDeltas
from reverse_etl.state.tables import ROWS_PER_STATEMENT, StateTables, reading, require
from reverse_etl.surfaces.catalog import find_surface
from reverse_etl.warehouse.dialect import RESERVED_PREFIX
from reverse_etl.warehouse.model_tables import CLEARED_COLUMN, MODEL_TABLES, UPDATED_COLUMN, ModelTables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from reverse_etl.domain.columns import Column
    from reverse_etl.surfaces.interface import Surface
    from reverse_etl.warehouse.statement import Statement


class StoredModels:
    """Reads what the state has of models. Changes only their records."""

    def __init__(self, tables: StateTables) -> None:
        self.tables = tables

    @reading("models")
    def records(self) -> dict[str, ModelRecord]:
        """Return every model that was ever sent, by name."""
        rows = self.tables.fetch_shared(models_query(self.tables))
        return {record.name: record for record in map(ModelRecord.from_row, rows)}

    def table_keys(
        self, models: Iterable[str], records: Mapping[str, ModelRecord] | None = None
    ) -> dict[str, str]:
        """Return the end of the names of each model's tables: as stored, or a new one.

        `records` are those of `records()`, if the caller has read them.
        """
        records = self.records() if records is None else records
        taken = {record.table_key for record in records.values()}
        return {
            model: records[model].table_key
            if model in records
            else self.tables.scope.new_table_key(model, taken)
            for model in models
        }

    def stored_tables(self, model_record: ModelRecord) -> tuple[str, ...]:
        """Return the names of the model's own tables that exist."""
        names = (f"{name}_{model_record.table_key}" for name in MODEL_TABLES)
        return tuple(name for name in names if self.tables.columns(name))

    @reading("models")
    def other_projects(self) -> tuple[str, ...]:
        """Return the other projects that ever sent a model to this account; to any if it is not known."""
        account = {"account_id": self.tables.scope.account} if self.tables.scope.account else {}
        rows = self.tables.read("models", "DISTINCT project", "project", **account)
        return tuple(require(project) for (project,) in rows if project != self.tables.scope.project)

    def load_tables(self, model_record: ModelRecord) -> ModelTables | None:
        """Return a model's tables with the columns that are stored, or None if it has none."""
        columns = self._load_columns(model_record.table_key)
        payload = _select_payload(columns)
        identifier_types = tuple(
            IdentifierType(kind) for kind, _ in model_record.identifiers if kind != KEY_TYPE
        )
        return (
            None
            if not columns
            else ModelTables(
                self.tables.dialect,
                model_record.table_key,
                identifier_types,
                payload,
                many_lists=True,
                sends_nulls=any(kind == KEY_TYPE for kind, _ in model_record.identifiers),
                clear_columns=payload if CLEARED_COLUMN in columns else (),
                keeps_updated_at=UPDATED_COLUMN in columns,
                keeps_without_profile=bool(self.tables.columns(f"without_profile_{model_record.table_key}")),
                has_staged_rows=False,
            )
        )

    def rows_by_list(self, table_key: str) -> tuple[dict[str, int], dict[str, int]]:
        """Return how many rows of a model are applied, and how many uncertain, by list id."""
        if self.load_payload(table_key) is None:
            return {}, {}
        return self.count_rows_by_list(ModelTables(self.tables.dialect, table_key, (), (), many_lists=True))

    def count_rows_by_list(self, tables: ModelTables) -> tuple[dict[str, int], dict[str, int]]:
        """Return the same for a model that was sent before."""
        rows = self.tables.fetch_kept(snapshot.count_by_list(tables), tables.snapshot, tables.deltas)
        applied = {list_id: count for is_uncertain, list_id, count in rows if not is_uncertain}
        uncertain = {list_id: count for is_uncertain, list_id, count in rows if is_uncertain}
        return applied, uncertain

    def find_known(
        self, identities: Sequence[str], is_meant: Callable[[str, Surface], bool]
    ) -> frozenset[str]:
        """Return those identities that some models have rows of, on any list, selected or not.

        `is_meant` gets the name and the surface of a model.
        """
        known: set[str] = set()
        for record in self.records().values() if identities else ():
            surface = find_surface(record.surface)
            if surface is None or not is_meant(record.name, surface):
                continue
            if (tables := self.load_tables(record)) is not None:
                for part in batched(identities, ROWS_PER_STATEMENT):
                    rows = self.tables.fetch(snapshot.select_known(tables, part))
                    known |= {identity for (identity,) in rows}
        return frozenset(known)

    def unanswered_rows(self, run_id: str, model_record: ModelRecord) -> dict[str, int]:
        """Return how many rows of a run have no receipt, by list id: perhaps they were not sent."""
        if self.load_payload(model_record.table_key) is None:
            return {}
        dialect = self.tables.dialect
        tables = ModelTables(dialect, model_record.table_key, (), (), many_lists=True)
        statement = deltas.count_unanswered(RunDeltas(tables, run_id, model_record.name))
        return dict(self.tables.fetch(statement))

    def record_model(self, model_record: ModelRecord) -> None:
        """Replace what is kept of a model that was sent before. May be repeated."""
        self.tables.commit(self.replace_models([model_record]))

    def replace_models(self, records: Sequence[ModelRecord]) -> Iterator[Statement]:
        """Yield the statements that store models as they are sent now; none for those that are stored so."""
        stored = self.records()
        changed = [record for record in records if stored.get(record.name) != record]
        for part in batched(changed, ROWS_PER_STATEMENT):
            names = [record.name for record in part]
            yield self.tables.delete("models", **self.tables.in_scope, model=names)
            yield from self.tables.insert(
                "models", [(*self.tables.scope.key, *record.to_row()) for record in part]
            )

    def load_payload(self, table_key: str) -> tuple[Column, ...] | None:
        """Return a model's own columns as the snapshot has them; None if the model was never sent."""
        columns = self._load_columns(table_key)
        return _select_payload(columns) if columns else None

    def _load_columns(self, table_key: str) -> Mapping[str, Column]:
        """Return the columns of a model's snapshot; empty if the model was never sent."""
        return self.tables.columns(f"snapshot_{table_key}")

    def load_common_payload(self, table_key: str) -> tuple[Column, ...]:
        """Return the columns that snapshot and deltas have in the same type.

        A run may have been killed when only the deltas had a column's new type, and the column is gone now.
        """
        delta_columns = self.tables.columns(f"deltas_{table_key}")
        return tuple(
            column
            for column in self.load_payload(table_key) or ()
            if delta_columns.get(column.name) == column
        )


def _select_payload(columns: Mapping[str, Column]) -> tuple[Column, ...]:
    return tuple(column for name, column in columns.items() if not name.startswith(RESERVED_PREFIX))
