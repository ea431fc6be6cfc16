"""Stages models: runs each model once in the warehouse and stores its rows, canonical and checked."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from reverse_etl.domain.list_target import ListColumn
from reverse_etl.domain.null_rules import OnNull, clears
from reverse_etl.domain.timestamps import localize
from reverse_etl.errors import ModelError, ReverseEtlError, SessionLost, WarehouseError, WarehouseUnavailable
from reverse_etl.klaviyo.profile_changes import is_clearable
from reverse_etl.planning.row_comparison import ComparisonChooser, RowComparison, find_type_problem
from reverse_etl.planning.sql import staging
from reverse_etl.planning.sql.model_query import PastTimeCheck, StagedPart, Staging
from reverse_etl.surfaces import column_rules
from reverse_etl.surfaces.interface import DiffKind
from reverse_etl.warehouse.model_tables import ModelTables
from reverse_etl.warehouse.sql_advice import suggest_fix
from reverse_etl.warehouse.statement import Sql

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from reverse_etl.domain.columns import Column
    from reverse_etl.domain.identifiers import IdentifierType
    from reverse_etl.models.model import Model
    from reverse_etl.planning.event_facts import EventPlan
    from reverse_etl.state.snapshot_matches import ModelSources, SnapshotMatch
    from reverse_etl.warehouse.dialect import Dialect
    from reverse_etl.warehouse.interface import Warehouse
    from reverse_etl.warehouse.statement import Statement


@dataclass(frozen=True)
class StagedCounts:
    """The numbers of staged rows.

    `rows` are by list name and problem; each is None if a row has none. `unchanged` are the valid rows of
    which the snapshot shows that they have nothing to send. `has_unique_keys`: no two valid rows of a list
    have one row key. `unshared` are secondary identifiers that no two valid rows share.
    """

    rows: Mapping[tuple[str | None, str | None], int]
    unchanged: int
    has_unique_keys: bool
    unshared: frozenset[IdentifierType]

    @property
    def valid(self) -> int:
        """Return the number of rows without a problem."""
        return sum(number for (_, problem), number in self.rows.items() if problem is None)


@dataclass(frozen=True)
class SentRows:
    """The rows of a model that are known to be at Klaviyo: the snapshot's of one list, with its columns."""

    list_id: str
    columns: Mapping[str, Column]


@dataclass(frozen=True)
class StagedModel:
    """A model whose rows are in a temporary table, ready for the diff.

    `rows` counts the rows that the model returned. `list_names` are the distinct values of its list column.
    `counts` are the numbers of the rows, None once they may have changed. `comparison` is how the rows of a
    model with `updated_at` are compared, and `query` what it stages. `sent_list_id` is the list with
    whose sent rows the others were compared: equal rows have no payload; None if all are staged in full.
    `events` is what is known so far of a model of events.
    `sources` is what it read, if that shows whether it changes; `read_reason` why it was not skipped.
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
    sent_list_id: str | None = None
    sources: ModelSources | None = None
    read_reason: str = ""
    query: Staging = field(kw_only=True, repr=False)

    @property
    def has_only_keys(self) -> bool:
        """Return whether the rows to compare are still to be found and staged in full."""
        comparison = self.comparison
        return comparison is not None and not comparison.is_full and comparison.compared_rows is None

    @property
    def has_list_ids(self) -> bool:
        """Return whether the ids of its lists are stored already: the rows to compare are found by them."""
        return self.comparison is not None and self.comparison.compared_rows is not None

    @property
    def may_send_again(self) -> bool:
        """Return whether a row may be sent again although an earlier request may have carried it out."""
        surface = self.model.config.surface
        return not (self.tables.append_only or surface.upsert.once or surface.deletes_people)


@dataclass(frozen=True)
class SkippedModel:
    """A model that is not read: its rows are those of the snapshot, as an earlier comparison found.

    It has no tables of staged rows: `tables` raises if a statement names one.
    """

    model: Model
    tables: ModelTables
    match: SnapshotMatch

    @property
    def list_names(self) -> tuple[str, ...]:
        """Return the distinct values of its list column, as in `StagedModel`."""
        return tuple(sorted(self.match.rows)) if self.tables.many_lists else ("",)


# A model of a plan. Only code that has ruled out `SkippedModel` may read staged rows.
PlannableModel = StagedModel | SkippedModel


@dataclass(frozen=True)
class StageRequest:
    """A model to stage into the tables of a key; times after `now` are in the future.

    The payload of rows that equal `sent_rows` is left out: see `StagedModel.sent_list_id`.
    """

    model: Model
    table_key: str
    now: datetime
    sent_rows: SentRows | None = None


def stage_model(warehouse: Warehouse, request: StageRequest, chooser: ComparisonChooser) -> StagedModel:
    """Stage one model, or only its identifiers, as `chooser` says.

    Call it inside `warehouse.staging()`. Raises ModelError if the columns differ from the compiled model's.
    """
    query, comparison = build_query(warehouse, request, chooser)
    run_model(warehouse, request.model, staging.stage_rows(query))
    counts = count_staged_rows(warehouse, query.tables, marks_unchanged=query.sent_list_id is not None)
    names = {name for name, _ in counts.rows if name is not None}
    return StagedModel(
        request.model,
        query.tables,
        sum(counts.rows.values()),
        tuple(sorted(names)) if query.list_column else ("",),
        counts=counts,
        comparison=comparison,
        sent_list_id=query.sent_list_id,
        query=query,
    )


def build_query(
    warehouse: Warehouse, request: StageRequest, chooser: ComparisonChooser
) -> tuple[Staging, RowComparison | None]:
    """Return what staging a model runs, and how its rows are compared."""
    model, sent_rows = request.model, request.sent_rows
    warehouse.set_query_tag(model=model.name)
    columns = read_checked_columns(warehouse, model)
    tables = _model_tables(warehouse.dialect, request, columns)
    surface = model.config.surface
    past_times = tuple(
        PastTimeCheck(columns[time.column], time.required, localize(request.now, time.timezone))
        for time in surface.columns.past_times
        if time.column in columns
    )
    checked_times = {time.column for time in surface.columns.past_times}
    required = tuple(columns[name] for name in surface.columns.required if name not in checked_times)
    comparison = chooser.choose(model, request.table_key, columns)
    list_id = sent_rows.list_id if sent_rows is not None and tables.fit(sent_rows.columns) else None
    target = model.config.list_target
    query = Staging(
        tables,
        Sql(model.query),
        {kind: columns[name.lower()] for kind, name in model.config.identifiers.items()},
        list_column=columns[target.column.lower()].name if isinstance(target, ListColumn) else None,
        past_times=past_times,
        required=required,
        updated_at=columns.get(surface.columns.updated_at.lower()),
        part=StagedPart.KEYS if comparison and not comparison.is_full else StagedPart.ALL,
        sent_list_id=list_id,
    )
    return query, comparison


def _model_tables(dialect: Dialect, request: StageRequest, columns: Mapping[str, Column]) -> ModelTables:
    """Return the tables of a model with these columns, by lower-case name."""
    model, surface = request.model, request.model.config.surface
    rules = surface.columns.null_rules
    return ModelTables(
        dialect,
        request.table_key,
        tuple(model.config.identifiers),
        tuple(columns[part.column.lower()] for part in model.payload),
        many_lists=isinstance(model.config.list_target, ListColumn),
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


def count_staged_rows(
    warehouse: Warehouse, tables: ModelTables, *, marks_unchanged: bool = False
) -> StagedCounts:
    """Return the numbers of staged rows, in one pass over them."""
    rows: dict[tuple[str | None, str | None], int] = {}
    unchanged, has_unique_keys = 0, True
    shared = (
        {*tables.secondary_identifiers} if tables.many_lists else set()
    )  # a person may be on several lists
    for name, problem, number, unchanged_rows, keys, *values in warehouse.fetch(
        staging.count_staged_rows(tables, marks_unchanged=marks_unchanged)
    ):
        rows[name, problem] = int(number)
        if problem is None:
            unchanged += int(unchanged_rows)
            has_unique_keys = has_unique_keys and keys == number
            counts = zip(tables.secondary_identifiers, values[::2], values[1::2], strict=True)
            shared |= {kind for kind, carriers, distinct in counts if carriers != distinct}
    return StagedCounts(rows, unchanged, has_unique_keys, frozenset(tables.secondary_identifiers) - shared)


def restore_values(warehouse: Warehouse, staged: StagedModel) -> StagedModel:
    """Return the model with all of its rows staged in full."""
    if staged.sent_list_id is None:
        return staged
    if staged.counts is None or staged.counts.unchanged:
        warehouse.execute(staging.restore_values(staged.tables, staged.sent_list_id))
    return replace(staged, sent_list_id=None)


def clears_values(model: Model) -> bool:
    """Return whether a NULL in some column of a model clears the value that was sent before."""
    rules = model.config.surface.columns.null_rules
    return any(clears(rules.find_rule(part.column)) and is_clearable(part.property) for part in model.payload)


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
