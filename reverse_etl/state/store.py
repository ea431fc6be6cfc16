"""The state of one project: the moves of its rows, and access to everything else that is stored."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from reverse_etl.domain.batched import batched
from reverse_etl.domain.identifiers import KEY_TYPE, IdentifierType
from reverse_etl.domain.rejections import RejectionSource
from reverse_etl.domain.timestamps import format_timestamp, parse_timestamp
from reverse_etl.state.comparisons import Comparisons
from reverse_etl.state.consents import Consents
from reverse_etl.state.ensure_tables import ensure_tables
from reverse_etl.state.journal import Journal
from reverse_etl.state.lease import Lease
from reverse_etl.state.lists import ListRegistry
from reverse_etl.state.model_record import ModelRecord, models_query
from reverse_etl.state.omissions import Omissions
from reverse_etl.state.own_suppressions import OwnSuppressions
from reverse_etl.state.receipts import Receipts
from reverse_etl.state.rejections import Rejections
from reverse_etl.state.removal_holds import RemovalHolds
from reverse_etl.state.responses import Responses
from reverse_etl.state.runs import Runs
from reverse_etl.state.seq_ranges import SeqRanges
from reverse_etl.state.snapshot_matches import SnapshotMatches
from reverse_etl.state.sql import deltas, members, rejections, schema, snapshot, without_profile
from reverse_etl.state.sql.deltas import RunDeltas
from reverse_etl.state.tables import ROWS_PER_STATEMENT, StateTables
from reverse_etl.state.withheld import Withheld
from reverse_etl.surfaces.catalog import find_surface
from reverse_etl.warehouse.dialect import RESERVED_PREFIX
from reverse_etl.warehouse.model_tables import CLEARED_COLUMN, MODEL_TABLES, UPDATED_COLUMN, ModelTables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from reverse_etl.clock import Clock
    from reverse_etl.config.journal import JournalSettings
    from reverse_etl.domain.columns import Column
    from reverse_etl.domain.receipts import Receipt, RowException
    from reverse_etl.state.last_run_file import LastRunFile
    from reverse_etl.state.model_record import ModelSubmission
    from reverse_etl.state.sql.members import ListComparison
    from reverse_etl.state.tables import StateScope
    from reverse_etl.surfaces.interface import Surface
    from reverse_etl.warehouse.interface import Warehouse
    from reverse_etl.warehouse.statement import Statement

_KEPT_SCRATCH_ROWS: Final = 100_000  # smaller scratch tables are left to the end of the session


class State:
    """The state of one project towards one Klaviyo account. One thread uses it; tasks of `run_each` may read.

    Its own methods move rows. In the order of a run: `mark_submitting`, `record_receipts`, `apply_receipts`,
    `mark_unsent_uncertain` and `delete_unsent`. After a list was compared: `mark_missing_uncertain` and
    `adopt_members`.
    """

    def __init__(
        self,
        warehouse: Warehouse,
        scope: StateScope,
        clock: Clock,
        last_run_file: LastRunFile | None = None,
        journal: JournalSettings | None = None,
    ) -> None:
        self.tables = StateTables(warehouse, scope, clock)
        self.scope, self.clock, self.last_run_file = scope, clock, last_run_file
        self._lease = Lease(self.tables)
        self.lists = ListRegistry(self.tables)
        self.runs = Runs(self.tables)
        self.rejections = Rejections(self.tables)
        self.omissions = Omissions(self.tables)
        self.own_suppressions = OwnSuppressions(self.tables)
        self.withheld = Withheld(self.tables)
        self.receipts = Receipts(self.tables)
        self._seq_ranges = SeqRanges(self.tables)
        self.removal_holds = RemovalHolds(self.tables)
        self.comparisons = Comparisons(self.tables)
        self.consents = Consents(self.tables)
        self.responses = Responses(self.tables)
        self.journal = Journal(self.tables, journal)
        self.snapshot_matches = SnapshotMatches(self.tables)

    def hold_lease(self, timeout: float = 0.0) -> AbstractContextManager[None]:
        """Hold the lease of this account and project inside the context; see `Lease.hold`."""
        return self._lease.hold(timeout)

    def renew_lease_if_due(self) -> None:
        """Renew the lease if it is due; cheap to call often. See `Lease.renew_if_due`."""
        self._lease.renew_if_due()

    def renew_lease_or_raise(self) -> None:
        """Renew the lease now. Raises WarehouseError if another run holds it."""
        self._lease.renew_or_raise()

    def require_lease(self) -> None:
        """Raise WarehouseError unless the lease is held for sure; asks nothing. See `Lease.require_held`."""
        self._lease.require_held()

    def models(self) -> dict[str, ModelRecord]:
        """Return every model that was ever sent, by name."""
        rows = self.tables.fetch_shared(models_query(self.tables))
        return {record.name: record for record in map(ModelRecord.from_row, rows)}

    def table_keys(
        self, models: Iterable[str], records: Mapping[str, ModelRecord] | None = None
    ) -> dict[str, str]:
        """Return the end of the names of each model's tables: as stored, or a new one.

        `records` are those of `models()`, if the caller has read them.
        """
        records = self.models() if records is None else records
        taken = {record.table_key for record in records.values()}
        return {
            model: records[model].table_key if model in records else self.scope.new_table_key(model, taken)
            for model in models
        }

    def stored_tables(self, model_record: ModelRecord) -> tuple[str, ...]:
        """Return the names of the model's own tables that exist."""
        names = (f"{name}_{model_record.table_key}" for name in MODEL_TABLES)
        return tuple(name for name in names if self.tables.columns(name))

    def other_projects(self) -> tuple[str, ...]:
        """Return the other projects that ever sent a model to this account; to any if it is not known."""
        account = {"account_id": self.scope.account} if self.scope.account else {}
        rows = self.tables.read("models", "DISTINCT project", "project", **account)
        return tuple(project for (project,) in rows if project != self.scope.project)

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
        for record in self.models().values() if identities else ():
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

    def mark_submitting(
        self, run_id: str, destination_id: str, klaviyo_time: str, submissions: Sequence[ModelSubmission]
    ) -> None:
        """Mark a run as submitting, with its deltas, before its first row is sent."""
        self._lease.renew_or_raise()  # a run that lost the lease while planning must not send
        for submission in submissions:
            ensure_tables(self.tables, submission.tables, writes_deltas=submission.writes_deltas)
        statements = [*self.runs.start(run_id, destination_id, klaviyo_time)]
        statements += self._replace_models([submission.model for submission in submissions])
        for submission in submissions:
            statements += self._store_deltas(submission, run_id, klaviyo_time)
            statements += submission.statements
            if submission.prunes_events and submission.model.pruned_before is not None:
                pruned_before = parse_timestamp(submission.model.pruned_before)
                statements.append(snapshot.prune_events(submission.tables, pruned_before))
            self._seq_ranges.remember(run_id, submission.tables, submission.last_seq)
        self.tables.commit(statements)

    def record_model(self, model_record: ModelRecord) -> None:
        """Replace what is kept of a model that was sent before. May be repeated."""
        self.tables.commit(self._replace_models([model_record]))

    def _store_deltas(
        self, submission: ModelSubmission, run_id: str, klaviyo_time: str
    ) -> Iterator[Statement]:
        """Yield the statements that make a planned model's deltas those of a run."""
        tables = submission.tables
        run = RunDeltas(tables, run_id, submission.model.name)
        if submission.rekeyed:
            yield from deltas.update_identities(tables)
        if submission.has_deltas:
            _, uncertain_rows = self.count_rows_by_list(tables)
            if uncertain_rows:
                yield deltas.clear_superseded(tables)
            for seq_range in self._seq_ranges.split(submission.last_seq):
                yield deltas.insert_deltas(run, klaviyo_time, seq_range)
        if submission.stale_list_ids:
            yield deltas.mark_uncertain(tables, submission.stale_list_ids)
        if submission.has_deferred_removals:
            yield deltas.mark_deferred_uncertain(tables)
        previous_owners = submission.previous_owners
        table_keys = self.table_keys(previous_owners) if previous_owners else {}
        for previous_owner, table_key in table_keys.items():
            list_ids = previous_owners[previous_owner]
            if self.load_payload(table_key) is not None:
                yield deltas.inherit_first_sent(run, table_key, list_ids)

    def record_receipts(
        self,
        run_id: str,
        model: str,
        receipts: Sequence[Receipt],
        row_exceptions: Sequence[RowException],
        unmatched_removals: Sequence[tuple[str, str]] = (),
    ) -> None:
        """Store a group of receipts and keep the lease; see `Receipts.record`."""
        if not (receipts or row_exceptions or unmatched_removals):
            return
        self._lease.renew_if_due()
        self.receipts.record(run_id, model, receipts, row_exceptions, unmatched_removals)

    def apply_receipts(self, run_id: str, model: str, tables: ModelTables, checksum: str) -> None:
        """Move what receipts prove into the snapshot, and refused rows into the rejections.

        One transaction. May be repeated: a row that was moved is no longer a delta.
        """
        state_tables = self.tables
        payload = self.load_common_payload(tables.table_key)
        tables = replace(tables, payload=payload, clear_columns=payload if tables.clear_columns else ())
        looked_up_at = self.tables.now()
        run = RunDeltas(tables, run_id, model)
        state_tables.execute(*snapshot.collect_applied(run))
        last_seq = self._seq_ranges.find_last(run)
        seq_ranges = self._seq_ranges.split(last_seq)
        state_tables.commit(
            (
                *self.journal.insert(run),
                *(
                    without_profile.record_without_profile(run, looked_up_at)
                    if tables.keeps_without_profile
                    else ()
                ),
                *snapshot.apply_to_snapshot(run, seq_ranges),
                *self._record_refused_rows(run, checksum),
            )
        )
        if last_seq > _KEPT_SCRATCH_ROWS:
            state_tables.execute(*schema.drop_temp_tables(tables.dialect, (tables.applied, tables.replaced)))

    def _record_refused_rows(self, run: RunDeltas, checksum: str) -> Iterator[Statement]:
        """Yield the statements that record the rows that Klaviyo refused, and forget those that it accepted.

        There are none if it refused nothing, now and before.
        """
        has_row_exceptions = self.receipts.has_row_exceptions(run.run_id, run.model)
        if has_row_exceptions or self.rejections.exist(run.model, RejectionSource.KLAVIYO):
            model_rejections = rejections.ModelRejections(run.tables, *self.scope.key, run.model)
            yield from rejections.record_klaviyo_rejections(model_rejections, run)
            yield from snapshot.store_refused_rows(run, checksum)
        if has_row_exceptions:
            yield self.receipts.delete_row_exceptions(run.stored, run.run_id, run.model)

    def prune_without_profile(self, tables: ModelTables) -> None:
        """Forget the rows without a profile that left the model. May be repeated."""
        if tables.keeps_without_profile:
            self.tables.execute(without_profile.prune_without_profile(tables))

    def renumber_deltas(self, run_id: str, model: str, tables: ModelTables, seqs: Sequence[int]) -> range:
        """Give deltas new numbers after all others of the run, in their order, and return the range of these.

        So they have no receipt any more, and can be sent once more in the same run.
        """
        run = RunDeltas(tables, run_id, model)
        ((last,),) = self.tables.fetch(deltas.select_last_stored_seq(run))
        offset = int(last) + 1 - min(seqs)
        self._seq_ranges.remember(run_id, tables, max(seqs) + offset)
        self.tables.commit(
            deltas.renumber(run, part, offset) for part in batched(sorted(seqs), ROWS_PER_STATEMENT)
        )
        return range(int(last) + 1, max(seqs) + offset + 1)

    def mark_unsent_uncertain(
        self, run_id: str, model: str, tables: ModelTables, *, keeps_uncertain: bool = False
    ) -> None:
        """Make the rows uncertain whose removal this run did not send, before `delete_unsent`.

        For a run that sent other rows: these may have changed the profiles of the rows to remove. With
        `keeps_uncertain` also those that were uncertain before, as `delete_unsent` does.
        """
        if not self._has_deltas(run_id, tables):
            return
        run = RunDeltas(tables, run_id, model)
        self.tables.execute(deltas.mark_unsent_uncertain(run))
        if keeps_uncertain:
            self.tables.execute(deltas.keep_uncertain(run))

    def delete_unsent(self, run_id: str, model: str, tables: ModelTables) -> None:
        """Delete the deltas that this run knows it did not send; rows that were uncertain before stay so."""
        run = RunDeltas(tables, run_id, model)
        if self._has_deltas(run_id, tables):
            self.tables.execute(deltas.keep_uncertain(run), deltas.delete_unsent(run))
        if self.receipts.has_row_exceptions(run_id, model):
            self.tables.execute(self.receipts.delete_row_exceptions(run.stored, run_id, model))

    def _has_deltas(self, run_id: str, tables: ModelTables) -> bool:
        """Return whether a run has deltas of a model that no receipt took over yet."""
        statement = deltas.count_of_run(tables, run_id)
        ((rows,),) = self.tables.fetch_kept(statement, tables.deltas)
        return bool(rows)

    def backdate_first_sent(
        self, tables: ModelTables, list_id: str, first_sent_times: Mapping[str, datetime]
    ) -> None:
        """Count rows of a list as first sent at these times, if that was earlier. May be repeated."""
        rows = [
            (list_id, identity, format_timestamp(first_sent_at))
            for identity, first_sent_at in sorted(first_sent_times.items())
        ]
        for part in batched(rows, ROWS_PER_STATEMENT):
            self.tables.commit(deltas.backdate_first_sent(tables, part))

    def mark_missing_uncertain(self, comparison: ListComparison) -> None:
        """Make the rows uncertain that were compared with a list and are missing from it."""
        self.tables.execute(members.mark_missing_uncertain(comparison))

    def adopt_members(self, comparison: ListComparison) -> None:
        """Take ownership of all members of a compared list, and mark missing rows uncertain. Idempotent."""
        self.tables.commit((*members.adopt_members(comparison), members.mark_missing_uncertain(comparison)))

    def _replace_models(self, records: Sequence[ModelRecord]) -> Iterator[Statement]:
        """Yield the statements that store models as they are sent now; none for those that are stored so."""
        stored = self.models()
        changed = [record for record in records if stored.get(record.name) != record]
        for part in batched(changed, ROWS_PER_STATEMENT):
            names = [record.name for record in part]
            yield self.tables.delete("models", **self.tables.in_scope, model=names)
            yield from self.tables.insert("models", [(*self.scope.key, *record.to_row()) for record in part])

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
