"""Diffs a staged model against its snapshot, inside the warehouse. Fetches only counts and a sample."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from reverse_etl.domain.deltas import Op
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.planning.conflicts import ConflictReport, resolve_conflicts, resolve_shared_identifiers
from reverse_etl.planning.lists import ListRef
from reverse_etl.planning.orphans import max_rows
from reverse_etl.planning.plan import Change, CheckRejection, ListPlan, ModelPlan, PlanOptions
from reverse_etl.planning.row_keys import is_rekeyed
from reverse_etl.planning.sql import conflicts as sql_claimed
from reverse_etl.planning.sql import diff as sql
from reverse_etl.planning.sql import staging
from reverse_etl.planning.sql.diff import DiffOptions
from reverse_etl.planning.sql.digest import select_digest
from reverse_etl.state.sql import rejections, snapshot
from reverse_etl.warehouse.dialect import RESERVED_PREFIX
from reverse_etl.warehouse.model_tables import IDENTIFIER_COLUMNS, ModelTables

if TYPE_CHECKING:
    from reverse_etl.domain.columns import Column
    from reverse_etl.planning.stage import StagedModel
    from reverse_etl.state import State
    from reverse_etl.warehouse.interface import Warehouse


def plan_model(
    warehouse: Warehouse, state: State, staged: StagedModel, refs: Sequence[ListRef], options: PlanOptions
) -> ModelPlan:
    """Return the plan of one model; its deltas are in a temporary table. Changes no persistent table.

    Raises UsageError if the model's identifiers changed since the last run and `options.rekey` does not name
    the model.
    """
    model, tables = staged.model, staged.tables
    warehouse.set_query_tag(model=model.name)
    rekeyed = is_rekeyed(model, state.models().get(model.name), allowed=model.name in options.rekey)
    result = _run_diff(warehouse, state, staged, refs, options, rekeyed=rekeyed)
    removes = model.config.surface.remove is not None
    op_counts = _hold_removals(warehouse, tables, hold_shared=removes)
    list_counts = _Counts(
        op_counts=op_counts,
        removes_by_identifier=_count_removes_by_identifier(warehouse, tables)
        if removes and any(Op.REMOVE in ops for ops in op_counts.values())
        else {},
        snapshot_rows=result.snapshot_rows,
        rows=_count_staged_rows(warehouse, state, staged),
        sample=_fetch_sample(warehouse, staged, result, options.sample_size)
        if op_counts and options.sample_size
        else {},
        deferred=result.deferred,
    )
    managed_ids = {ref.id for ref in refs}
    max_rows_by_list = max_rows(result.snapshot_rows, result.uncertain_rows)
    conflicts = result.conflicts
    omitted_identifiers = {
        kind: conflicts.omitted_identifiers.get(kind, 0) + result.claimed.get(kind, 0)
        for kind in tables.identifiers
    }
    return ModelPlan(
        model=model,
        tables=tables,
        lists=(*(_list_plan(ref, list_counts) for ref in refs), *_plans_without_list(list_counts.rows)),
        staged_rows=staged.rows,
        duplicate_rows=conflicts.duplicate_rows,
        omitted_identifiers={
            kind: omitted_rows for kind, omitted_rows in omitted_identifiers.items() if omitted_rows
        },
        orphaned_rows=tuple(
            (list_id, rows) for list_id, rows in max_rows_by_list.items() if list_id not in managed_ids
        ),
        rekeyed=rekeyed,
        has_deferred_removals=any({Op.HELD, Op.DEFERRED} & ops.keys() for ops in op_counts.values()),
        digest=_compute_digest(warehouse, staged) if options.with_digest else "",
    )


def _compute_digest(warehouse: Warehouse, staged: StagedModel) -> str:
    """Return the digest of what the model would send: rows, values, property names and column types."""
    ((rows, digest),) = warehouse.fetch(select_digest(warehouse.dialect, staged.tables))
    names = [(payload_column.column, payload_column.property) for payload_column in staged.model.payload]
    return seal_text(int(rows), str(digest), staged.tables.payload, names)


def seal_text(rows: int, digest: str, columns: Sequence[Column], names: Sequence[tuple[str, str]]) -> str:
    """Return the digest of a model in a plan; `names` are pairs of (column, property).

    Saved plans contain this digest, so its text is written out here and changes only with their version.
    """
    kinds = [(column.name, column.kind.value, column.type) for column in columns]
    return hashlib.sha256(orjson.dumps([rows, digest, kinds, [*names]])).hexdigest()


@dataclass(frozen=True)
class _DiffResult:
    """The result of the diff, besides the deltas.

    `stored_columns` are the snapshot's columns, empty before the first run; `snapshot_rows` counts its rows
    by list, and `uncertain_rows` the uncertain ones. `claimed` counts, by identifier type, the rows that omit
    an identifier which belongs to another row's profile at Klaviyo. `deferred` counts, by list, the upserts
    that exceed `--limit`.
    """

    stored_columns: Mapping[str, Column]
    snapshot_rows: Mapping[str, int]
    uncertain_rows: Mapping[str, int]
    diff_options: DiffOptions
    conflicts: ConflictReport
    claimed: Mapping[IdentifierType, int]
    deferred: Mapping[str, int]


def _run_diff(  # noqa: PLR0913 - what a plan is made of
    warehouse: Warehouse,
    state: State,
    staged: StagedModel,
    refs: Sequence[ListRef],
    options: PlanOptions,
    *,
    rekeyed: bool,
) -> _DiffResult:
    """Compute the deltas into a temporary table."""
    dialect, tables = warehouse.dialect, staged.tables
    for statement in staging.replace_list_ids(dialect, tables, {ref.row_value: ref.id for ref in refs}):
        warehouse.execute(statement)
    stored_columns = warehouse.state_columns(tables.snapshot)
    snapshot_rows, uncertain_rows = _count_known_rows(warehouse, tables) if stored_columns else ({}, {})
    diff_options = DiffOptions(
        full_refresh=options.full_refresh,
        rekeyed=rekeyed,
        stale_list_ids=tuple(ref.id for ref in refs if ref.needs_resend),
    )
    snapshot_total = sum(snapshot_rows.get(ref.id, 0) for ref in refs)
    may_match = not uncertain_rows and diff_options == DiffOptions() and staged.rows == snapshot_total
    if stored_columns and may_match and _matches_snapshot(warehouse, state, staged, stored_columns):
        # Shared identifiers are reported in every run, even if nothing is sent.
        conflicts = resolve_shared_identifiers(warehouse, staged)
        warehouse.execute(sql.create_empty_plan(dialect, tables))
        return _DiffResult(stored_columns, snapshot_rows, uncertain_rows, diff_options, conflicts, {}, {})
    conflicts = resolve_conflicts(warehouse, staged)
    _compute_deltas(warehouse, staged, stored_columns, diff_options)
    claimed = _omit_claimed(warehouse, tables, rekeyed=rekeyed) if stored_columns else {}
    if claimed:  # without the omitted identifier a row may equal one that Klaviyo refused before
        _compute_deltas(warehouse, staged, stored_columns, diff_options)
    deferred = _limit_upserts(warehouse, tables, options.limit) if options.limit is not None else {}
    return _DiffResult(
        stored_columns, snapshot_rows, uncertain_rows, diff_options, conflicts, claimed, deferred
    )


def _matches_snapshot(
    warehouse: Warehouse, state: State, staged: StagedModel, stored_columns: Mapping[str, Column]
) -> bool:
    """Return whether the staged rows equal the snapshot, so that there is nothing to send.

    The caller has checked that both have the same number of rows; then identities are unique too. Returns
    False if the model has rejected rows: one of them may be in the snapshot as well.
    """
    has_rejected = any(rejection.model == staged.model.name for rejection in state.rejections.current())
    return not has_rejected and not warehouse.fetch(
        sql.select_first_difference(warehouse.dialect, staged.tables, stored_columns)
    )


def _compute_deltas(
    warehouse: Warehouse, staged: StagedModel, stored_columns: Mapping[str, Column], diff_options: DiffOptions
) -> None:
    """Compute the deltas of all rows except those that Klaviyo refused before and that are unchanged."""
    if stored_columns and staged.tables.append_only:
        warehouse.execute(sql.mark_changed_rows(warehouse.dialect, staged.tables, stored_columns))
    if stored_columns and _has_current_columns(warehouse, staged.tables, staged.tables.rejected):
        mark_rejected = staging.mark_still_rejected(warehouse.dialect, staged.tables, staged.model.checksum)
        warehouse.execute(mark_rejected)
    for statement in sql.compute_deltas(warehouse.dialect, staged.tables, stored_columns, diff_options):
        warehouse.execute(statement)


_RowCounts = Mapping[str | None, tuple[int, tuple[CheckRejection, ...]]]


def _omit_claimed(warehouse: Warehouse, tables: ModelTables, *, rekeyed: bool) -> dict[IdentifierType, int]:
    """Omit from upserts each identifier that belongs to another desired row's profile at Klaviyo.

    Returns the number of rows by omitted identifier type.
    """
    omitted: dict[IdentifierType, int] = {}
    if tables.secondary_identifiers and any(
        _count_upserts(ops) for ops in _count_planned_rows(warehouse, tables).values()
    ):
        for kind in tables.secondary_identifiers:
            warehouse.execute(sql_claimed.collect_claimed(warehouse.dialect, tables, kind, rekeyed=rekeyed))
            omitted[kind] = warehouse.fetch(sql_claimed.count_claimed(warehouse.dialect, tables, kind))[0][0]
            if omitted[kind]:
                warehouse.execute(sql_claimed.omit_claimed(warehouse.dialect, tables, kind))
    return {kind: rows for kind, rows in omitted.items() if rows}


def _has_current_columns(warehouse: Warehouse, tables: ModelTables, table: str) -> bool:
    """Return whether a state table has the model's current columns; if not, none of its rows can match."""
    stored_types = {name.lower(): column.type for name, column in warehouse.state_columns(table).items()}
    return all(
        stored_types.get(column.name.lower()) == warehouse.dialect.storage_type(column)
        for column in tables.payload
    )


def _hold_removals(
    warehouse: Warehouse, tables: ModelTables, *, hold_shared: bool
) -> dict[str, dict[str, int]]:
    """Cancel or hold the removals that rejected rows protect, and return the plan's counts."""
    counts = _count_planned_rows(warehouse, tables)
    if any(Op.REMOVE in ops for ops in counts.values()):
        warehouse.execute(sql.cancel_rejected_removals(warehouse.dialect, tables))
        if hold_shared:
            warehouse.execute(sql.hold_shared_removals(warehouse.dialect, tables))
        return _count_planned_rows(warehouse, tables)
    return counts


def _limit_upserts(warehouse: Warehouse, tables: ModelTables, limit: int) -> dict[str, int]:
    """Keep only the first `limit` upserts of the model; return the number of deferred ones by list."""
    before = _count_planned_rows(warehouse, tables)
    for statement in sql.limit_upserts(warehouse.dialect, tables, limit):
        warehouse.execute(statement)
    after = _count_planned_rows(warehouse, tables)
    return {list_id: _count_upserts(ops) - _count_upserts(after[list_id]) for list_id, ops in before.items()}


def _count_upserts(ops: Mapping[str, int]) -> int:
    return ops.get(Op.ADD, 0) + ops.get(Op.UPDATE, 0)


def _count_planned_rows(warehouse: Warehouse, tables: ModelTables) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    for list_id, op, rows in warehouse.fetch(sql.count_planned_by_list(warehouse.dialect, tables)):
        counts[list_id][op] = rows
    return counts


def _count_known_rows(warehouse: Warehouse, tables: ModelTables) -> tuple[dict[str, int], dict[str, int]]:
    """Return how many rows the snapshot has, and how many are uncertain, by list."""
    return (
        dict(warehouse.fetch(snapshot.count_snapshot_by_list(warehouse.dialect, tables))),
        dict(warehouse.fetch(snapshot.count_uncertain_by_list(warehouse.dialect, tables))),
    )


def _count_removes_by_identifier(
    warehouse: Warehouse, tables: ModelTables
) -> dict[str, tuple[int, dict[IdentifierType, int]]]:
    """Return, by list, the number of removes with neither e-mail nor phone, and with each identifier."""
    return {
        list_id: (
            rows_without_contact,
            {kind: rows for kind, rows in zip(IdentifierType, rows_by_identifier, strict=True) if rows},
        )
        for list_id, rows_without_contact, *rows_by_identifier in warehouse.fetch(
            sql.count_removes_by_identifier(warehouse.dialect, tables)
        )
    }


def _count_staged_rows(warehouse: Warehouse, state: State, staged: StagedModel) -> _RowCounts:
    """Return, by value of the list column, the number of valid rows and the rejections."""
    dialect, tables = warehouse.dialect, staged.tables
    valid_rows: dict[str | None, int] = {}
    has_rejected = False
    for name, problem, rows in warehouse.fetch(staging.count_staged_rows(dialect, tables)):
        has_rejected = has_rejected or problem is not None
        if problem is None:
            valid_rows[name] = rows
    rejected: dict[str | None, list[CheckRejection]] = defaultdict(list)
    if has_rejected:
        scope_key = (state.scope.account, state.scope.project)
        for name, problem, rows, new_rows in warehouse.fetch(
            rejections.count_check_rejections(dialect, scope_key, tables, staged.model.name)
        ):
            rejected[name].append(CheckRejection(problem, rows, int(new_rows)))
    return {
        name: (valid_rows.get(name, 0), tuple(rejected.get(name, ()))) for name in {**valid_rows, **rejected}
    }


@dataclass(frozen=True)
class _Counts:
    """The counts of a model: by list id, except `rows`, which is by value of the list column."""

    op_counts: Mapping[str, Mapping[str, int]]
    removes_by_identifier: Mapping[str, tuple[int, Mapping[IdentifierType, int]]]
    snapshot_rows: Mapping[str, int]
    rows: _RowCounts
    sample: Mapping[str, Sequence[Change]]
    deferred: Mapping[str, int]


def _list_plan(ref: ListRef, list_counts: _Counts) -> ListPlan:
    ops = list_counts.op_counts.get(ref.id, {})
    rows, rejected = list_counts.rows.get(ref.row_value, (0, ()))
    rows_without_contact, rows_by_identifier = list_counts.removes_by_identifier.get(ref.id, (0, {}))
    return ListPlan(
        list_ref=ref,
        rows=rows,
        snapshot_rows=list_counts.snapshot_rows.get(ref.id, 0),
        adds=ops.get(Op.ADD, 0),
        updates=ops.get(Op.UPDATE, 0),
        removes=ops.get(Op.REMOVE, 0),
        held_at_plan=ops.get(Op.HELD, 0),
        deferred=list_counts.deferred.get(ref.id, 0),
        rows_by_identifier=rows_by_identifier,
        rows_without_contact=rows_without_contact,
        check_rejections=rejected,
        sample=tuple(list_counts.sample.get(ref.id, ())),
    )


def _plans_without_list(rows: _RowCounts) -> tuple[ListPlan, ...]:
    """Return the plan of the rows that name no list, so that the counts include every row."""
    if None not in rows:
        return ()
    return (
        ListPlan(
            ListRef("", "(no list)", ""),
            rows=0,
            snapshot_rows=0,
            check_rejections=rows[None][1],
            has_no_list=True,
        ),
    )


def _fetch_sample(
    warehouse: Warehouse, staged: StagedModel, result: _DiffResult, size: int
) -> dict[str, list[Change]]:
    """Return the sample by list id, with property names: a warehouse may fold the case of column names."""
    tables, dialect = staged.tables, warehouse.dialect
    rows = warehouse.fetch(
        sql.select_sample(dialect, tables, result.stored_columns, size, result.diff_options)
    )
    changes: dict[str, list[Change]] = defaultdict(list)
    properties = {
        payload_column.column.lower(): payload_column.property for payload_column in staged.model.payload
    }
    names = (*IDENTIFIER_COLUMNS.values(), *(properties[name.lower()] for name in tables.payload_names))
    retyped = [
        properties[column.name.lower()]
        for column in sql.find_retyped_columns(dialect, tables, result.stored_columns)
    ]
    for list_id, op, identity, *values in rows:
        after = dict(zip(names, values, strict=False))
        before = dict(zip(names, values[len(names) :], strict=False))
        stored_values = before | dict(zip(retyped, values[2 * len(names) :], strict=True))
        if op == Op.UPDATE:
            changed = [name for name in names if after[name] is not None and after[name] != before[name]]
            before, after = _select_values(stored_values, changed), _select_values(after, changed)
        else:
            before, after = {}, {}
        changes[str(list_id)].append(Change(str(op), str(identity), before, after))
    return changes


def _select_values(values: Mapping[str, object], names: Sequence[str]) -> dict[str, object]:
    """Return the named values of a row, without the reserved prefix."""
    return {name.removeprefix(RESERVED_PREFIX): values[name] for name in names}
