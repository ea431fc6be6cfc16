"""Finds the values that a model would clear although another row or model has one for the same person.

A profile has each property once. Such a value is not cleared, and the plan says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.formatting import format_count
from reverse_etl.klaviyo.profile_changes import same_value_names
from reverse_etl.models.model import Model
from reverse_etl.planning.sql import kept_values as sql
from reverse_etl.planning.sql import planned_rows
from reverse_etl.planning.sql.kept_values import ValueSource
from reverse_etl.surfaces.catalog import find_surface
from reverse_etl.surfaces.interface import OtherColumns
from reverse_etl.warehouse.model_tables import IDENTIFIER_COLUMNS
from reverse_etl.warehouse.statement import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reverse_etl.models.model import ProjectModel
    from reverse_etl.planning.stage import StagedModel
    from reverse_etl.state import State
    from reverse_etl.warehouse.interface import Warehouse
    from reverse_etl.warehouse.model_tables import ModelTables
    from reverse_etl.warehouse.statement import Sql, TableName


@dataclass(frozen=True)
class KeptValue:
    """A column whose value is kept for some rows, because rows of a model have one for the same people."""

    column: str
    model: str
    rows: int

    def describe(self) -> str:
        """Return a sentence for people."""
        return (
            f"{self.column} is not cleared for {format_count(self.rows, 'row')}: the model {self.model} has "
            "a value for the same person. Let one model alone select the column."
        )


@dataclass(frozen=True)
class ProfileColumns:
    """Rows with attributes of people: those of a table of the state, or staged rows if `table` is None."""

    model: str
    table: TableName | None
    tables: ModelTables
    properties: Mapping[str, Sql]


def find_profile_columns(
    state: State, staged_models: Sequence[StagedModel], project_models: Sequence[ProjectModel]
) -> tuple[ProfileColumns, ...]:
    """Return the tables that may have values for the people of a model; none if no model clears values.

    A model that is not selected, or was not read because it is unchanged, has the rows that it sent before.
    """
    if not any(staged.tables.clear_columns for staged in staged_models):
        return ()
    selected = {staged.model.name for staged in staged_models}
    others = {model.name: model for model in project_models if model.name not in selected}
    return (
        *(
            _profile_columns(staged.model, staged.tables, table)
            for staged in staged_models
            if staged.model.config.surface.columns.others is OtherColumns.PROFILE_FIELDS
            for table in _tables_with_values(staged)
        ),
        *_find_sent_columns(state, others),
    )


def keep_values(
    warehouse: Warehouse, staged: StagedModel, profile_columns: Sequence[ProfileColumns]
) -> tuple[KeptValue, ...]:
    """Take values from the plan's clears that others have, and return which.

    A row that has nothing else to send leaves the plan.
    """
    tables = staged.tables
    if not tables.clear_columns or not warehouse.fetch(planned_rows.count_clears_by_list(tables)):
        return ()
    sources = [
        source for columns in profile_columns if (source := _value_source(staged, columns)) is not None
    ]
    if not sources:
        return ()
    warehouse.execute(sql.collect_kept_values(tables, sources))
    kept = [
        KeptValue(column.name, model, int(rows))
        for model, *counts in warehouse.fetch(sql.count_kept_values(tables))
        for column, rows in zip(tables.clear_columns, counts, strict=True)
        if rows
    ]
    for name in dict.fromkeys(kept_value.column for kept_value in kept):
        warehouse.execute(sql.keep_value(tables, name))
    if kept:
        warehouse.execute(sql.delete_rows_without_change(tables))
    return tuple(kept)


def _tables_with_values(staged: StagedModel) -> Iterator[str | None]:
    """Yield the tables with the values of a staged model, the snapshot among them if not all were read."""
    yield None
    if staged.comparison is not None and not staged.comparison.is_full:
        yield staged.tables.snapshot


def _find_sent_columns(state: State, models: Mapping[str, ProjectModel]) -> Iterator[ProfileColumns]:
    for record in state.models.records().values():
        surface = find_surface(record.surface)
        if record.name not in models or surface is None:
            continue
        sends_fields = surface.columns.others is OtherColumns.PROFILE_FIELDS
        if sends_fields and (tables := state.models.load_tables(record)) is not None:
            for table in (tables.snapshot, tables.deltas):
                yield _profile_columns(models[record.name], tables, table)


def _profile_columns(model: ProjectModel, tables: ModelTables, table: str | None) -> ProfileColumns:
    """Return the columns of a table of the state, or of the staged rows."""
    properties = model.names_by_column if isinstance(model, Model) else {}
    return ProfileColumns(
        model.name,
        None if table is None else tables.dialect.state_table(table),
        tables,
        {
            properties.get(column.name.lower(), column.name.lower()): quote_identifier(column.name)
            for column in tables.payload
        },
    )


def _value_source(staged: StagedModel, columns: ProfileColumns) -> ValueSource | None:
    """Return where a table may have values that a model clears, None if it has none of them."""
    tables, is_own = staged.tables, columns.model == staged.model.name
    if is_own and not tables.many_lists and not tables.secondary_identifiers:
        return None  # a person has one row
    properties = staged.model.names_by_column
    values_by_mark = {
        mark: [columns.properties[name] for name in names]
        for (column, mark) in zip(tables.clear_columns, tables.clear_marks.values(), strict=True)
        if (names := same_value_names(properties[column.name.lower()], columns.properties))
    }
    kinds = [kind for kind in tables.identifiers if kind in columns.tables.identifiers]
    if not values_by_mark or not kinds:
        return None
    identifier_columns = tuple(IDENTIFIER_COLUMNS[kind] for kind in kinds)
    rows = columns.table or columns.tables.staged_rows  # the marks of all models are made by now
    return ValueSource(columns.model, rows, identifier_columns, values_by_mark, is_own)
