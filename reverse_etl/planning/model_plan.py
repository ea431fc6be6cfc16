"""Plans one model: diffs it in the warehouse, and fetches only counts, a digest and a sample."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from reverse_etl.domain.deltas import Op
from reverse_etl.domain.rejections import RejectedRows, RejectionReason, RejectionSource, RowProblem
from reverse_etl.planning.diff import DiffRequest, DiffResult, complete_diff
from reverse_etl.planning.list_plan import LEFT_IN_PLACE, Change, ListPlan
from reverse_etl.planning.lists import ListRef
from reverse_etl.planning.orphans import estimate_rows_by_list
from reverse_etl.planning.plan import ModelPlan
from reverse_etl.planning.planned_rows import RemovalProtection, hold_removals
from reverse_etl.planning.replacements import choose_sample
from reverse_etl.planning.sql import diff as sql
from reverse_etl.planning.sql import planned_rows, staging
from reverse_etl.planning.sql import without_profile as without_profile_sql
from reverse_etl.planning.stage import count_staged_rows
from reverse_etl.planning.violations import Guard
from reverse_etl.state.snapshot_matches import SnapshotMatch
from reverse_etl.state.sql import rejections
from reverse_etl.warehouse.dialect import RESERVED_PREFIX
from reverse_etl.warehouse.model_tables import IDENTIFIER_COLUMNS, ModelTables, split_column_marks

if TYPE_CHECKING:
    from reverse_etl.domain.columns import Column
    from reverse_etl.domain.identifiers import IdentifierType
    from reverse_etl.models.model import Model
    from reverse_etl.planning.plan_options import PlanOptions
    from reverse_etl.planning.planned_rows import PlannedCounts
    from reverse_etl.planning.stage import SkippedModel, StagedCounts, StagedModel
    from reverse_etl.state import State
    from reverse_etl.warehouse.interface import Warehouse

_FETCHED_TO_PAIR = 50  # rows of an operation among which adds and removes of the same people are looked for
_RowCounts = Mapping[str | None, tuple[int, tuple[RejectedRows, ...], int]]


def plan_model(
    warehouse: Warehouse, state: State, request: DiffRequest, diff_result: DiffResult
) -> ModelPlan:
    """Return the plan of one model from its diff, once all models are diffed. Changes no persistent table."""
    staged, refs, options = request.staged, request.refs, request.options
    model, tables = staged.model, staged.tables
    warehouse.set_query_tag(model=model.name)
    result = complete_diff(warehouse, state, request, diff_result)
    removes = model.config.surface.remove is not None
    held_list_ids = [ref.id for ref in refs if ref.removals_held] if removes else []
    counts = count_staged_rows(warehouse, tables) if result.counts is None else result.counts
    has_rejected = any(problem is not None for _, problem in counts.rows)
    protection = RemovalProtection(has_rejected, removes, held_list_ids)
    planned = hold_removals(warehouse, tables, result.planned, protection)
    clears = tables.clear_columns and planned.have(Op.ADD, Op.UPDATE)
    row_counts, rejections_differ = _count_rows(
        warehouse, state, staged, counts, with_example=bool(options.sample_size)
    )
    list_counts = _Counts(
        sends_removes=removes,
        op_counts=planned.by_list,
        removes_by_identifier=planned.removes_by_identifier if removes else {},
        snapshot_rows=result.snapshot_rows,
        uncertain_rows=result.uncertain_rows,
        rows=row_counts,
        sample=_fetch_sample(warehouse, staged, result, options.sample_size)
        if planned.by_list and options.sample_size
        else {},
        deferred=result.deferred,
        clears=_count_clears(warehouse, tables) if clears else {},
        without_profile=result.without_profile,
        adds_without_profile=_count_adds_without_profile(warehouse, tables),
        moved=_count_moved(warehouse, staged, result) if planned.have(Op.UPDATE) else {},
    )
    return ModelPlan(
        model=model,
        tables=tables,
        lists=(*(_list_plan(ref, list_counts) for ref in refs), *_plans_without_list(list_counts.rows)),
        staged_rows=staged.rows,
        duplicate_rows=result.conflicts.duplicate_rows,
        omitted_identifiers=result.omitted_identifiers,
        claimed_identifiers=result.claimed,
        orphaned_rows=_find_orphaned_rows(result, refs),
        rekeyed=request.rekeyed,
        kept_values=result.kept_values,
        has_deferred_removals=planned.have(Op.HELD, Op.DEFERRED),
        may_resubscribe=options.allow.allows(Guard.RESUBSCRIBE, model.name),
        digest=_compute_digest(warehouse, staged, planned) if options.with_digest else "",
        events=staged.events,
        has_deltas=bool(planned.by_list),
        last_seq=planned.last_seq,
        rejections_differ=rejections_differ,
        comparison=staged.comparison,
        snapshot_match=_match_snapshot(state, staged, result),
        read_reason=staged.read_reason,
    )


def plan_skipped_model(
    warehouse: Warehouse, skipped: SkippedModel, refs: Sequence[ListRef], options: PlanOptions
) -> ModelPlan:
    """Return the plan of a model that is not read: it sends nothing."""
    model, tables, match = skipped.model, skipped.tables, skipped.match
    warehouse.set_query_tag(model=model.name)
    warehouse.execute(planned_rows.create_empty_plan(tables))
    return ModelPlan(
        model,
        tables,
        tuple(
            ListPlan(ref, match.rows.get(ref.row_value or "", 0), match.snapshot_rows.get(ref.id, 0))
            for ref in refs
        ),
        staged_rows=sum(match.rows.values()),
        duplicate_rows=0,
        omitted_identifiers={},
        digest=_hash_plan(model, tables, 0, "") if options.with_digest else "",
        has_deltas=False,
        rejections_differ=False,
        snapshot_match=match,
        is_skipped=True,
    )


def _match_snapshot(state: State, staged: StagedModel, result: DiffResult) -> SnapshotMatch | None:
    """Return that all rows of a model equal the snapshot, and what it read; None if that is not known."""
    counts, comparison = result.counts, staged.comparison
    if staged.sources is None or counts is None or result.planned.by_list or not result.may_match:
        return None
    if result.kept_values or result.omitted_identifiers:  # other rows decided about these
        return None
    if comparison is not None and not comparison.is_full:
        return None
    if any(problem is not None for _, problem in counts.rows):
        return None
    if counts.valid != sum(result.snapshot_rows.values()):
        return None
    rows = {name or "": number for (name, _), number in counts.rows.items()}
    return SnapshotMatch("", state.tables.now(), staged.sources, rows, result.snapshot_rows)


def _find_orphaned_rows(result: DiffResult, refs: Sequence[ListRef]) -> tuple[tuple[str, int], ...]:
    """Return (list id, rows) of the lists that have rows of the model and are no longer its own."""
    owned_list_ids = {ref.id for ref in refs}
    rows_by_list = estimate_rows_by_list(result.snapshot_rows, result.uncertain_rows)
    return tuple((list_id, rows) for list_id, rows in rows_by_list.items() if list_id not in owned_list_ids)


def find_conflicting_properties(warehouse: Warehouse, tables: ModelTables) -> list[tuple[str, int, str]]:
    """Return (column, people, one identity): columns with several values in a person's rows."""
    if not tables.payload:
        return []
    (row,) = warehouse.fetch(staging.select_conflicting_properties(tables))
    pairs = zip(tables.payload_names, row[::2], row[1::2], strict=True)
    return [(column, int(people), str(example)) for column, people, example in pairs if people]


def _compute_digest(warehouse: Warehouse, staged: StagedModel, planned: PlannedCounts) -> str:
    """Return the digest of what the model would send: rows, values, property names and column types.

    The warehouse is not asked about a model with nothing to send.
    """
    rows, digest = 0, ""
    if planned.by_list:
        ((rows, digest),) = warehouse.fetch(planned_rows.select_digest(staged.tables))
    return _hash_plan(staged.model, staged.tables, int(rows), str(digest))


def _hash_plan(model: Model, tables: ModelTables, rows: int, digest: str) -> str:
    names = [(payload_column.column, payload_column.property) for payload_column in model.payload]
    return hash_plan_parts(rows, digest, tables.payload, names)


def hash_plan_parts(
    rows: int, digest: str, columns: Sequence[Column], names: Sequence[tuple[str, str]]
) -> str:
    """Return the digest of a model in a plan; `names` are pairs of (column, property).

    Saved plans contain this digest, so its text is written out here and changes only with their version.
    """
    kinds = [(column.name, column.kind.value, column.type) for column in columns]
    return hashlib.sha256(orjson.dumps([rows, digest, kinds, [*names]])).hexdigest()


def _count_moved(warehouse: Warehouse, staged: StagedModel, result: DiffResult) -> dict[str, int]:
    """Return, by list, the number of known rows whose time moved, for a surface that watches one."""
    names = {past_time.column for past_time in staged.model.config.surface.columns.past_times}
    return dict(warehouse.fetch(sql.count_moved(result.diff, names))) if names else {}


def _count_clears(warehouse: Warehouse, tables: ModelTables) -> dict[str, tuple[int, int]]:
    """Return, by list, the rows with values to clear, and those of them that are uncertain."""
    rows = warehouse.fetch(planned_rows.count_clears_by_list(tables))
    return {list_id: (int(clears), int(uncertain)) for list_id, clears, uncertain in rows}


def _count_adds_without_profile(warehouse: Warehouse, tables: ModelTables) -> dict[str, int]:
    """Return, by list, the adds of people that Klaviyo did not know when they were looked up before."""
    if not (tables.keeps_without_profile and warehouse.state_columns(tables.without_profile)):
        return {}
    return dict(warehouse.fetch(without_profile_sql.count_adds_without_profile(tables)))


def _count_rows(
    warehouse: Warehouse, state: State, staged: StagedModel, counts: StagedCounts, *, with_example: bool
) -> tuple[_RowCounts, bool]:
    """Return, by value of the list column, the valid rows, the rejections and the withheld rows.

    And whether the rows that checks reject may differ from those that are stored.
    """
    valid_rows: dict[str | None, int] = {}
    withheld: dict[str | None, int] = {}
    has_rejected = False
    for (name, problem), rows in counts.rows.items():
        if problem is None:
            valid_rows[name] = rows
        elif problem == RowProblem.WITHHELD:
            withheld[name] = rows
        else:
            has_rejected = True
    rejected: dict[str | None, list[RejectedRows]] = defaultdict(list)
    checked_rows, differ = 0, False
    if has_rejected:
        for name, of_reason, differs in _read_rejections(warehouse, state, staged, with_example=with_example):
            rejected[name].append(of_reason)
            checked_rows += of_reason.rows if of_reason.reason.code != RowProblem.STILL_REJECTED else 0
            differ = differ or differs
    row_counts = {
        name: (valid_rows.get(name, 0), tuple(rejected.get(name, ())), withheld.get(name, 0))
        for name in {**valid_rows, **rejected, **withheld}
    }
    return row_counts, differ or checked_rows != state.rejections.count_checked(staged.model.name)


def _read_rejections(
    warehouse: Warehouse, state: State, staged: StagedModel, *, with_example: bool
) -> Iterator[tuple[str | None, RejectedRows, bool]]:
    """Yield the rejected rows by list and reason, after the list's name in the rows.

    Last comes whether the rows may differ from those that are stored.
    """
    kinds = staged.tables.identifiers if with_example else ()
    names = staged.model.names_by_column  # a warehouse may fold the case of a column
    model = rejections.ModelRejections(staged.tables, *state.scope.key, staged.model.name)
    for row in warehouse.fetch(rejections.count_check_rejections(model, with_example=with_example)):
        name, problem, column, refusal, rows, new_rows, example, changed_rows, *values = row
        detail = ", ".join(names.get(part.lower(), part) for part in (column or "").split(", "))
        reason = RejectionReason(RejectionSource.CHECK, problem, field=refusal or "", detail=detail)
        identifiers = {kind.value: value for kind, value in zip(kinds, values, strict=True) if value}
        yield name, RejectedRows(reason, int(rows), int(new_rows), example, identifiers), bool(changed_rows)


@dataclass(frozen=True)
class _Counts:
    """The counts of a model: by list id, except `rows`, which is by value of the list column."""

    op_counts: Mapping[str, Mapping[str, int]]
    removes_by_identifier: Mapping[str, tuple[int, Mapping[IdentifierType, int]]]
    snapshot_rows: Mapping[str, int]
    uncertain_rows: Mapping[str, int]
    rows: _RowCounts
    sample: Mapping[str, Sequence[Change]]
    deferred: Mapping[str, int]
    clears: Mapping[str, tuple[int, int]]
    without_profile: Mapping[str, int]
    adds_without_profile: Mapping[str, int]
    moved: Mapping[str, int]
    sends_removes: bool


def _list_plan(ref: ListRef, list_counts: _Counts) -> ListPlan:
    ops = list_counts.op_counts.get(ref.id, {})
    clears, exempt_clears = list_counts.clears.get(ref.id, (0, 0))
    row_counts = {} if ref.row_value is None else list_counts.rows
    rows, rejected, withheld = row_counts.get(ref.row_value, (0, (), 0))
    removes_without_contact, removes_by_identifier = list_counts.removes_by_identifier.get(ref.id, (0, {}))
    return ListPlan(
        list_ref=ref,
        rows=rows,
        snapshot_rows=list_counts.snapshot_rows.get(ref.id, 0),
        uncertain_rows=list_counts.uncertain_rows.get(ref.id, 0),
        adds=ops.get(Op.ADD, 0),
        updates=ops.get(Op.UPDATE, 0),
        held_at_plan=ops.get(Op.HELD, 0),
        deferred=list_counts.deferred.get(ref.id, 0),
        moved=list_counts.moved.get(ref.id, 0),
        removes_by_identifier=removes_by_identifier,
        removes_without_contact=removes_without_contact,
        check_rejections=rejected,
        withheld=withheld,
        sample=tuple(list_counts.sample.get(ref.id, ())),
        without_profile=list_counts.without_profile.get(ref.id, 0),
        exempt_adds=list_counts.adds_without_profile.get(ref.id, 0),
        clears=clears,
        exempt_clears=exempt_clears,
    ).count_leaving(ops.get(Op.REMOVE, 0), sends_removes=list_counts.sends_removes)


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
            withheld=rows[None][2],
            has_no_list=True,
        ),
    )


def _fetch_sample(
    warehouse: Warehouse, staged: StagedModel, result: DiffResult, size: int
) -> dict[str, list[Change]]:
    """Return the sample by list id, with property names: a warehouse may fold the case of column names."""
    tables = staged.tables
    has_other_identifiers = len(tables.identifiers) > 1
    fetched = max(size, _FETCHED_TO_PAIR) if has_other_identifiers else size
    rows = warehouse.fetch(sql.select_sample(result.diff, fetched))
    changes: dict[str, list[Change]] = defaultdict(list)
    properties = staged.model.names_by_column
    names = (*IDENTIFIER_COLUMNS.values(), *(properties[name.lower()] for name in tables.payload_names))
    shown_ops = {} if staged.model.config.surface.remove else {Op.REMOVE: LEFT_IN_PLACE}
    retyped = [properties[column.name.lower()] for column in result.diff.retyped_columns]
    for list_id, op, identity, *values in rows:
        marks = values.pop() if tables.clear_columns else ""
        cleared = {properties[column] for column in split_column_marks(marks or "")}
        after = dict(zip(names, values, strict=False))
        before = dict(zip(names, values[len(names) :], strict=False))
        stored_values = before | dict(zip(retyped, values[2 * len(names) :], strict=True))
        own = before if op in {Op.REMOVE, Op.HELD} else after
        identifiers = {kind.value: own[name] for kind, name in IDENTIFIER_COLUMNS.items() if own[name]}
        if op == Op.UPDATE:
            changed = [
                name
                for name in names
                if name in cleared or (after[name] is not None and after[name] != before[name])
            ]
            before, after = _select_values(stored_values, changed), _select_values(after, changed)
        else:
            before, after = {}, {}
        changes[str(list_id)].append(
            Change(shown_ops.get(op, str(op)), str(identity), before, after, identifiers)
        )
    return {list_id: choose_sample(list_changes, size) for list_id, list_changes in changes.items()}


def _select_values(values: Mapping[str, object], names: Sequence[str]) -> dict[str, object]:
    """Return the named values of a row, without the reserved prefix."""
    return {name.removeprefix(RESERVED_PREFIX): values[name] for name in names}
