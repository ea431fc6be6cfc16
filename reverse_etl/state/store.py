"""The state of one project: the moves of its rows, and access to everything else that is stored."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from reverse_etl.domain.batched import batched
from reverse_etl.domain.rejections import RejectionSource
from reverse_etl.domain.timestamps import format_timestamp, parse_timestamp
from reverse_etl.state.applied_rows import collect_applied_rows
from reverse_etl.state.comparisons import Comparisons
from reverse_etl.state.consents import Consents
from reverse_etl.state.ensure_tables import ensure_tables
from reverse_etl.state.journal import Journal
from reverse_etl.state.lease import Lease
from reverse_etl.state.lists import ListRegistry
from reverse_etl.state.omissions import Omissions
from reverse_etl.state.own_suppressions import OwnSuppressions
from reverse_etl.state.receipts import Receipts
from reverse_etl.state.rejections import Rejections
from reverse_etl.state.removal_holds import RemovalHolds
from reverse_etl.state.responses import Responses
from reverse_etl.state.runs import Runs
from reverse_etl.state.seq_ranges import SeqRanges
from reverse_etl.state.snapshot_matches import SnapshotMatches
from reverse_etl.state.sql import deltas, rejections, schema, snapshot, without_profile
from reverse_etl.state.sql.deltas import RunDeltas
from reverse_etl.state.stored_models import StoredModels
from reverse_etl.state.tables import ROWS_PER_STATEMENT, StateTables
from reverse_etl.state.withheld import Withheld

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from reverse_etl.clock import Clock
    from reverse_etl.config.journal import JournalSettings
    from reverse_etl.domain.receipts import Receipt, RowException
    from reverse_etl.state.last_run_file import LastRunFile
    from reverse_etl.state.model_record import ModelSubmission
    from reverse_etl.state.tables import StateScope
    from reverse_etl.warehouse.interface import Warehouse
    from reverse_etl.warehouse.model_tables import ModelTables
    from reverse_etl.warehouse.statement import Statement

_KEPT_SCRATCH_ROWS: Final = 100_000  # smaller scratch tables are left to the end of the session


class State:
    """The state of one project towards one Klaviyo account. One thread uses it; tasks of `run_each` may read.

    Its own methods move rows. In the order of a run: `mark_submitting`, `record_receipts`, `apply_receipts`,
    `mark_unsent_uncertain` and `delete_unsent`.
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
        self.models = StoredModels(self.tables)
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

    def mark_submitting(
        self, run_id: str, destination_id: str, klaviyo_time: str, submissions: Sequence[ModelSubmission]
    ) -> None:
        """Mark a run as submitting, with its deltas, before its first row is sent."""
        self._lease.renew_or_raise()  # a run that lost the lease while planning must not send
        for submission in submissions:
            ensure_tables(self.tables, submission.tables, writes_deltas=submission.writes_deltas)
        statements = [*self.runs.start(run_id, destination_id, klaviyo_time)]
        statements += self.models.replace_models([submission.model for submission in submissions])
        for submission in submissions:
            statements += self._store_deltas(submission, run_id, klaviyo_time)
            statements += submission.statements
            if submission.prunes_events and submission.model.pruned_before is not None:
                pruned_before = parse_timestamp(submission.model.pruned_before)
                statements.append(snapshot.prune_events(submission.tables, pruned_before))
            self._seq_ranges.remember(run_id, submission.tables, submission.last_seq)
        self.tables.commit(statements)

    def _store_deltas(
        self, submission: ModelSubmission, run_id: str, klaviyo_time: str
    ) -> Iterator[Statement]:
        """Yield the statements that make a planned model's deltas those of a run."""
        tables = submission.tables
        run = RunDeltas(tables, run_id, submission.model.name)
        if submission.rekeyed:
            yield from deltas.update_identities(tables)
        if submission.has_deltas:
            _, uncertain_rows = self.models.count_rows_by_list(tables)
            if uncertain_rows:
                yield deltas.clear_superseded(tables)
            for seq_range in self._seq_ranges.split(submission.last_seq):
                yield deltas.insert_deltas(run, klaviyo_time, seq_range)
        if submission.stale_list_ids:
            yield deltas.mark_uncertain(tables, submission.stale_list_ids)
        if submission.has_deferred_removals:
            yield deltas.mark_deferred_uncertain(tables)
        previous_owners = submission.previous_owners
        table_keys = self.models.table_keys(previous_owners) if previous_owners else {}
        for previous_owner, table_key in table_keys.items():
            list_ids = previous_owners[previous_owner]
            if self.models.load_payload(table_key) is not None:
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
        payload = self.models.load_common_payload(tables.table_key)
        tables = replace(tables, payload=payload, clear_columns=payload if tables.clear_columns else ())
        looked_up_at = self.tables.now()
        run = RunDeltas(tables, run_id, model)
        last_seq = self._seq_ranges.find_last(run)
        reads_all = self.journal.settings is not None or last_seq > _KEPT_SCRATCH_ROWS
        old_columns = collect_applied_rows(self.tables, run, reads_all=reads_all)
        self.tables.commit(
            (
                *self.journal.insert(run),
                *(
                    without_profile.record_without_profile(run, looked_up_at)
                    if tables.keeps_without_profile
                    else ()
                ),
                *snapshot.apply_to_snapshot(run, self._seq_ranges.split(last_seq), old_columns),
                *self._record_refused_rows(run, checksum),
            )
        )
        if last_seq > _KEPT_SCRATCH_ROWS:
            self.tables.execute(*schema.drop_temp_tables(tables.dialect, (tables.applied, tables.replaced)))

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
