"""Diffs a staged model against its snapshot, inside the warehouse."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from reverse_etl.domain.deltas import Op
from reverse_etl.domain.rejections import RejectionSource
from reverse_etl.planning.conflicts import (
    ConflictReport,
    count_marks,
    resolve_conflicts,
    resolve_shared_identifiers,
)
from reverse_etl.planning.kept_values import keep_values
from reverse_etl.planning.planned_rows import (
    PlannedCounts,
    apply_limit,
    count_planned_rows,
    skip_without_profile,
)
from reverse_etl.planning.sql import conflicts as conflicts_sql
from reverse_etl.planning.sql import diff as sql
from reverse_etl.planning.sql import planned_rows as planned_sql
from reverse_etl.planning.sql import staging
from reverse_etl.planning.sql.diff import DiffOptions, ModelDiff
from reverse_etl.planning.stage import count_staged_rows, restore_values
from reverse_etl.planning.violations import Guard

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reverse_etl.domain.identifiers import IdentifierType
    from reverse_etl.planning.kept_values import KeptValue, ProfileColumns
    from reverse_etl.planning.lists import ListRef
    from reverse_etl.planning.plan_options import PlanOptions
    from reverse_etl.planning.stage import StagedCounts, StagedModel
    from reverse_etl.state import State
    from reverse_etl.warehouse.interface import Warehouse
    from reverse_etl.warehouse.model_tables import ModelTables
    from reverse_etl.warehouse.statement import Statement


FEW_DELTAS: Final = 100_000  # sorted in memory, with all of their columns


@dataclass(frozen=True)
class DiffRequest:
    """A staged model to diff, and its lists.

    `rekeyed` says that the model's identifiers changed since its last run. `profile_columns` are the tables
    whose values keep those of the same people from being cleared.
    """

    staged: StagedModel
    refs: Sequence[ListRef]
    options: PlanOptions
    rekeyed: bool
    profile_columns: Sequence[ProfileColumns] = ()


@dataclass(frozen=True)
class DiffResult:
    """The result of the diff, besides the deltas.

    `snapshot_rows` counts the snapshot's rows by list, and `uncertain_rows` the uncertain ones. `claimed`
    counts, by identifier type, the rows that omit an identifier which belongs to another row's profile at
    Klaviyo. `deferred` counts, by list, the upserts that exceed `--limit`. `kept_values` are not cleared.
    `without_profile` counts, by list, the rows whose person Klaviyo did not know lately. `counts` are those
    of the staged rows, None if the diff rejected or removed some. `may_match` is whether nothing but the
    rows themselves asks for deltas. `planned` counts the deltas by list and operation.
    """

    diff: ModelDiff
    snapshot_rows: Mapping[str, int]
    uncertain_rows: Mapping[str, int]
    conflicts: ConflictReport
    claimed: Mapping[IdentifierType, int]
    deferred: Mapping[str, int]
    kept_values: tuple[KeptValue, ...] = ()
    without_profile: Mapping[str, int] = field(default_factory=dict)
    counts: StagedCounts | None = None
    may_match: bool = False
    planned: PlannedCounts = field(default_factory=PlannedCounts)

    @property
    def omitted_identifiers(self) -> dict[IdentifierType, int]:
        """Return, by type, the number of rows that are sent without an identifier."""
        omitted = {
            kind: self.conflicts.omitted_identifiers.get(kind, 0) + self.claimed.get(kind, 0)
            for kind in self.diff.tables.identifiers
        }
        return {kind: rows for kind, rows in omitted.items() if rows}


def run_diff(warehouse: Warehouse, state: State, request: DiffRequest) -> DiffResult:
    """Compute the deltas of a model into a temporary table, and settle which of its staged rows are valid.

    Reads no rows of other models. `complete_diff` does, once `run_diff` has returned for all of them.
    """
    staged, refs, options = request.staged, request.refs, request.options
    tables = staged.tables
    warehouse.set_query_tag(model=staged.model.name)
    if not staged.has_list_ids:
        warehouse.execute(staging.replace_list_ids(tables, [(ref.row_value, ref.id) for ref in refs]))
    stored_columns = state.tables.columns(tables.snapshot)
    snapshot_rows, uncertain_rows = state.models.count_rows_by_list(tables) if stored_columns else ({}, {})
    diff_options = DiffOptions(
        full_refresh=options.full_refresh and staged.may_send_again,
        rekeyed=request.rekeyed,
        stale_list_ids=tuple(ref.id for ref in refs if ref.needs_resend),
    )
    diff = ModelDiff(tables, stored_columns, diff_options)
    # Whether the counts of the staged rows are still those of the rows that are compared.
    may_match = bool(stored_columns) and not uncertain_rows and diff_options == DiffOptions()
    if not (may_match and [ref.id for ref in refs] == [staged.sent_list_id]):
        staged = restore_values(warehouse, staged)
    counts = _count_staged_rows(warehouse, staged) if may_match else None
    result = DiffResult(
        diff, snapshot_rows, uncertain_rows, ConflictReport(), {}, {}, counts=counts, may_match=may_match
    )
    snapshot_total = sum(snapshot_rows.get(ref.id, 0) for ref in refs)
    if counts is not None and _matches_snapshot(state, staged, diff, snapshot_total, counts):
        # Shared identifiers are reported in every run, even if nothing is sent.
        conflicts = resolve_shared_identifiers(warehouse, staged, counts)
        warehouse.execute(planned_sql.create_empty_plan(tables))
        return replace(result, conflicts=conflicts, counts=None if conflicts.changed_rows else counts)
    known_counts = counts or staged.counts
    if known_counts is None or not known_counts.has_unique_keys:
        staged = restore_values(warehouse, staged)
    conflicts = resolve_conflicts(warehouse, staged, known_counts)
    few = counts is not None and max(counts.valid, snapshot_total) - counts.unchanged <= FEW_DELTAS
    if not few or conflicts.changed_rows or conflicts.omitted_identifiers:
        # All rows are diffed. Those that are marked unchanged have no values, and the diff passes them over.
        staged = replace(staged, sent_list_id=None)
    claimed, planned, rejects = _find_deltas(warehouse, state, replace(request, staged=staged), diff)
    return replace(
        result,
        conflicts=conflicts,
        claimed=claimed,
        planned=planned,
        counts=None if conflicts.changed_rows or rejects else counts or _known_counts(staged),
    )


def _find_deltas(
    warehouse: Warehouse, state: State, request: DiffRequest, diff: ModelDiff
) -> tuple[dict[IdentifierType, int], PlannedCounts, bool]:
    """Compute the deltas of a model.

    Return the rows by claimed identifier, the counts of the deltas, and whether staged rows may have been
    rejected.
    """
    staged, tables, stored_columns = request.staged, diff.tables, diff.stored_columns
    if stored_columns and tables.secondary_identifiers and state.omissions.exist(staged.model.name):
        staged = replace(staged, sent_list_id=None)
        warehouse.execute(state.omissions.mark_staged_rows(staged.model.name, tables))
    tries_again = request.options.allow.allows(Guard.RESUBSCRIBE, staged.model.name)
    rejects = _compute_deltas(state, staged, diff, refused_too=tries_again)
    planned = count_planned_rows(warehouse, tables)
    claimed: dict[IdentifierType, int] = {}
    if stored_columns and planned.have(Op.ADD, Op.UPDATE):
        claimed = _omit_claimed(warehouse, tables, rekeyed=request.rekeyed)
    if claimed:  # without the omitted identifier a row may equal one that Klaviyo refused before
        staged = replace(staged, sent_list_id=None)
        _compute_deltas(state, staged, diff, refused_too=tries_again)
    if staged.has_withheld:
        for statement in state.withheld.cancel_removals(tables):
            warehouse.execute(statement)
    if staged.model.config.surface.deletes_people:
        warehouse.execute(state.withheld.cancel_readmissions(staged.model.name, tables))
    return claimed, planned, rejects


def complete_diff(warehouse: Warehouse, state: State, request: DiffRequest, result: DiffResult) -> DiffResult:
    """Take from the deltas what is not sent for the sake of other models' rows, or of `--limit`."""
    if not result.planned.by_list:
        return result
    staged, options = request.staged, request.options
    tables = staged.tables
    kept_values = keep_values(warehouse, staged, request.profile_columns)
    without_profile = skip_without_profile(warehouse, state, tables) if not options.full_refresh else {}
    deferred = apply_limit(warehouse, tables, options.limit) if options.limit is not None else {}
    may_have_changed = bool(result.claimed) or options.limit is not None or _changes_deltas(staged)
    return replace(
        result,
        deferred=deferred,
        kept_values=kept_values,
        without_profile=without_profile,
        planned=count_planned_rows(warehouse, tables) if may_have_changed else result.planned,
    )


def _changes_deltas(staged: StagedModel) -> bool:
    """Return whether deltas of the model may be taken out of the plan once they are computed."""
    tables = staged.tables
    deletes_people = staged.model.config.surface.deletes_people
    withholds = staged.has_withheld or deletes_people
    return withholds or bool(tables.clear_columns) or tables.keeps_without_profile


def _count_staged_rows(warehouse: Warehouse, staged: StagedModel) -> StagedCounts:
    """Return the staged rows by list name and problem."""
    known = _known_counts(staged)
    if known is not None:
        return known
    return count_staged_rows(warehouse, staged.tables, marks_unchanged=staged.sent_list_id is not None)


def _known_counts(staged: StagedModel) -> StagedCounts | None:
    """Return the counts of staging if they still hold. Rows of many lists may have been rejected since."""
    return None if staged.tables.many_lists else staged.counts


def _matches_snapshot(
    state: State, staged: StagedModel, diff: ModelDiff, snapshot_rows: int, counts: StagedCounts
) -> bool:
    """Return whether the valid staged rows equal the snapshot, so that there is nothing to send.

    With equal numbers of rows identities are unique too, if each row of the snapshot is compared. If no row
    of a model with `updated_at` was to be compared, the snapshot has all of them. Returns False if Klaviyo
    refused rows of the model: one of them may be in the snapshot as well, and is found again only by the
    values that were refused.
    """
    if counts.valid != snapshot_rows or state.rejections.exist(staged.model.name, RejectionSource.KLAVIYO):
        return False
    if staged.comparison is not None and staged.comparison.compared_rows == 0:
        return True
    if staged.sent_list_id is not None:
        return counts.unchanged == counts.valid and counts.has_unique_keys
    return not state.tables.warehouse.fetch(sql.select_first_difference(diff))


def _compute_deltas(state: State, staged: StagedModel, diff: ModelDiff, *, refused_too: bool = False) -> bool:
    """Compute the deltas of all rows except those that Klaviyo refused before and that are unchanged.

    If `refused_too`, these are sent again. Returns whether staged rows may have been rejected.
    """
    warehouse = state.tables.warehouse
    rejects = False
    for statement in _mark_rejected(state, staged, diff, refused_too=refused_too):
        warehouse.execute(statement)
        rejects = True
    list_id = staged.sent_list_id
    deltas = sql.compute_deltas(diff) if list_id is None else sql.compute_marked_deltas(diff.tables, list_id)
    for statement in deltas:
        warehouse.execute(statement)
    remove = staged.model.config.surface.remove
    if diff.stored_columns and remove is not None and remove.once:
        warehouse.execute(planned_sql.hold_unknown_removals(diff.tables))
    return rejects


def _mark_rejected(
    state: State, staged: StagedModel, diff: ModelDiff, *, refused_too: bool
) -> Iterator[Statement]:
    """Yield the statements that reject staged rows for what was sent of them before.

    Each is built once the one before has run, since it reads the rows as that one left them.
    """
    if diff.stored_columns and staged.model.config.surface.upsert.once:
        yield sql.mark_unknown_rows(diff)
    if diff.stored_columns and diff.tables.append_only:
        yield sql.mark_changed_rows(diff)
    knows_refused = (
        diff.stored_columns
        and not refused_too
        and state.rejections.exist(staged.model.name, RejectionSource.KLAVIYO)
    )
    if knows_refused and diff.tables.fit(state.tables.columns(diff.tables.rejected)):
        yield staging.mark_still_rejected(diff.tables, staged.model.checksum)


def _omit_claimed(warehouse: Warehouse, tables: ModelTables, *, rekeyed: bool) -> dict[IdentifierType, int]:
    """Omit from upserts each identifier that belongs to another desired row's profile at Klaviyo.

    Returns the number of rows by omitted identifier type.
    """
    omitted: dict[IdentifierType, int] = {}
    for kind in tables.secondary_identifiers:
        identifier = conflicts_sql.SharedIdentifier(tables, kind)
        ((upserts,),) = warehouse.fetch(conflicts_sql.count_upserts_of_others(identifier, rekeyed=rekeyed))
        if not upserts:
            continue
        warehouse.execute(conflicts_sql.mark_claimed(identifier, rekeyed=rekeyed))
        omitted[kind] = count_marks(warehouse, tables).omitting_identities
    return {kind: rows for kind, rows in omitted.items() if rows}
