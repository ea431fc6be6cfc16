"""Stages models: runs each model once in the warehouse and stores its rows, canonical and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from reverse_etl.domain.list_target import ListColumn
from reverse_etl.domain.null_rules import OnNull, clears
from reverse_etl.domain.timestamps import localize
from reverse_etl.errors import ModelError, ReverseEtlError, SessionLost, WarehouseError, WarehouseUnavailable
from reverse_etl.klaviyo.profile_changes import is_clearable
from reverse_etl.planning.row_comparison import ComparisonChooser, RowComparison, find_type_problem
from reverse_etl.planning.sql import staging
from reverse_etl.planning.sql.staging import StagedPart
from reverse_etl.surfaces import column_rules
from reverse_etl.surfaces.interface import DiffKind
from reverse_etl.warehouse.model_tables import ModelTables
from reverse_etl.warehouse.sql_advice import suggest_fix
from reverse_etl.warehouse.statement import Sql

if TYPE_CHECKING:
    from datetime import datetime

    from reverse_etl.domain.columns import Column
    from reverse_etl.models.model import Model
    from reverse_etl.planning.event_facts import EventPlan
    from reverse_etl.warehouse.dialect import Dialect
    from reverse_etl.warehouse.interface import Warehouse
    from reverse_etl.warehouse.statement import Statement


StagedCounts = Mapping[tuple[str | None, str | None], int]  # rows by list name and problem


@dataclass(frozen=True)
class StagedModel:
    """A model whose rows are in a temporary table, ready for the diff.

    `rows` counts the rows that the model returned. `list_names` are the distinct values of its list column.
    `counts` are the rows by list name and problem, None once they may have changed.
    `comparison` is how the rows of a model with `updated_at` are compared, and `query` what it stages.
    `events` is what is known so far of a model of events.
    `has_withheld` is whether people are withheld, so that no row of theirs is sent or removed.
    """

    model: Model
    tables: ModelTables
    rows: int
    list_names: tuple[str, ...]
    events: EventPlan | None = None
    has_withheld: bool = False
    counts: StagedCounts | None = None
    comparison: RowComparison | None = None
    query: staging.Staging = field(kw_only=True, repr=False)

    @property
    def has_only_keys(self) -> bool:
        """Return whether the rows to compare are still to be found and staged in full."""
        comparison = self.comparison
        return comparison is not None and not comparison.is_full and comparison.compared_rows is None

    @property
    def may_send_again(self) -> bool:
        """Return whether a row may be sent again although an earlier request may have carried it out."""
        surface = self.model.config.surface
        return not (self.tables.append_only or surface.upsert.once or surface.deletes_people)


def stage_model(
    warehouse: Warehouse, model: Model, table_key: str, now: datetime, chooser: ComparisonChooser
) -> StagedModel:
    """Stage one model, or only its identifiers, as `chooser` says; times after `now` are in the future.

    Call it inside `warehouse.staging()`. Raises ModelError if the columns differ from the compiled model's.
    """
    warehouse.set_query_tag(model=model.name)
    columns = read_checked_columns(warehouse, model)
    target = model.config.list_target
    list_column = columns[target.column.lower()].name if isinstance(target, ListColumn) else None
    identifiers = {kind: columns[name.lower()] for kind, name in model.config.identifiers.items()}
    payload = tuple(columns[payload_column.column.lower()] for payload_column in model.payload)
    surface = model.config.surface
    rules = surface.columns.null_rules
    tables = ModelTables(
        warehouse.dialect,
        table_key,
        tuple(identifiers),
        payload,
        many_lists=list_column is not None,
        key=tuple(columns[name] for name in surface.columns.key),
        append_only=surface.diff is DiffKind.APPEND_ONLY,
        sends_nulls=bool(surface.columns.key) and surface.diff is DiffKind.STATE,
        clear_columns=tuple(
            columns[part.column.lower()]
            for part in model.payload
            if clears(rules.find_rule(part.column)) and is_clearable(part.property)
        ),
        not_null_columns=tuple(
            columns[part.column.lower()]
            for part in model.payload
            if rules.find_rule(part.column) is OnNull.REJECT
        ),
        keeps_without_profile=surface.upsert.changes_known_people,
        keeps_updated_at=bool(surface.columns.updated_at),
    )
    past_times = tuple(
        staging.PastTimeCheck(columns[time.column], time.required, localize(now, time.timezone))
        for time in surface.columns.past_times
        if time.column in columns
    )
    checked_times = {time.column for time in surface.columns.past_times}
    required = tuple(columns[name] for name in surface.columns.required if name not in checked_times)
    updated_at = columns.get(surface.columns.updated_at.lower())
    comparison = chooser.choose(model, table_key, columns)
    part = StagedPart.KEYS if comparison and not comparison.is_full else StagedPart.ALL
    query = staging.Staging(
        tables, Sql(model.query), identifiers, list_column, past_times, required, updated_at, part
    )
    run_model(warehouse, model, staging.stage_rows(query))
    counts = count_staged_rows(warehouse, tables)
    names = tuple(sorted({name for name, _ in counts if name is not None})) if list_column else ("",)
    return StagedModel(
        model, tables, sum(counts.values()), names, counts=counts, comparison=comparison, query=query
    )


def count_staged_rows(warehouse: Warehouse, tables: ModelTables) -> StagedCounts:
    """Return the number of staged rows by list name and problem; each is None if a row has none."""
    rows = warehouse.fetch(staging.count_staged_rows(tables))
    return {(name, problem): int(number) for name, problem, number in rows}


def read_checked_columns(warehouse: Warehouse, model: Model) -> dict[str, Column]:
    """Return a model's output columns by lower-case name, without running the model.

    Raises ModelError if the warehouse rejects the SQL, or a column's type does not fit its name, and
    SessionLost and WarehouseUnavailable, which say nothing of the SQL.
    """
    try:
        columns = {column.name.lower(): column for column in warehouse.describe(model.query)}
    except (SessionLost, WarehouseUnavailable):
        raise
    except ReverseEtlError as error:
        raise ModelError.of(
            f"The warehouse can't run this model. {error.problems[0].summary}",
            where=locate_error(warehouse.dialect, model, str(error.__cause__)),
            hint=f"{suggest_fix(warehouse.dialect.advice, model.reads, error.problems[0].summary)}"
            f"Show the compiled SQL: reverse-etl compile --select {model.name}",
            models=(model.name,),
        ) from error
    surface = model.config.surface
    column_problems = (
        *(
            surface.columns.find_problem(
                payload_column.property, columns[payload_column.column.lower()], warehouse.dialect.engine
            )
            for payload_column in model.payload
        ),
        *(column_rules.find_key_column_problem(columns[name]) for name in surface.columns.key),
        *(
            find_type_problem(columns[name.lower()])
            for name in (surface.columns.updated_at,)
            if name.lower() in columns
        ),
    )
    if problems := [
        replace(problem, where=f"{model.path}", models=(model.name,))
        for problem in column_problems
        if problem
    ]:
        raise ModelError(*problems)
    return columns


def run_model(warehouse: Warehouse, model: Model, statement: Statement) -> None:
    """Run a model. Raises a WarehouseError that names the model, for example if a cast fails."""
    try:
        warehouse.execute(statement)
    except WarehouseError as error:
        raise WarehouseError.of(
            f"The warehouse failed while it ran this model. {error.problems[0].summary}",
            where=f"{model.path}",
            hint=f"Show the compiled SQL: reverse-etl compile --select {model.name}",
            models=(model.name,),
        ) from error


def locate_error(dialect: Dialect, model: Model, message: str) -> str:
    """Return the file, line and column that the warehouse's error message points at.

    Returns only the file if the message has no position inside the model's SQL.
    """
    position = dialect.error_position(message, model.query)
    return model.locate_line(*position) if position else f"{model.path}"
