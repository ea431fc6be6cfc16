"""The state of one project: how its rows move, and where the rest of what is remembered is found."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reverse_etl.domain.batched import batched
from reverse_etl.domain.identifiers import KEY_TYPE, IdentifierType
from reverse_etl.domain.timestamps import format_timestamp
from reverse_etl.state.lease import Lease
from reverse_etl.state.lists import ListRegistry
from reverse_etl.state.model_record import MODEL_COLUMNS, ModelRecord
from reverse_etl.state.receipts import Receipts
from reverse_etl.state.rejections import Rejections
from reverse_etl.state.runs import Runs
from reverse_etl.state.sql import members, rejections, schema
from reverse_etl.state.sql import pending as deltas
from reverse_etl.state.sql import snapshot as takeover
from reverse_etl.state.tables import ROWS_PER_STATEMENT, StateTables
from reverse_etl.warehouse.dialect import RESERVED_PREFIX
from reverse_etl.warehouse.model_tables import ModelTables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from reverse_etl.clock import Clock
    from reverse_etl.domain.columns import Column
    from reverse_etl.domain.receipts import Receipt, RowException
    from reverse_etl.state.model_record import ModelSubmission
    from reverse_etl.state.tables import StateScope
    from reverse_etl.warehouse.interface import Warehouse
    from reverse_etl.warehouse.statement import Statement


class State:
    """The state of one project towards one Klaviyo account. One thread speaks to it.

    Its own methods move rows, in the order of a run: `mark_submitting`, `record_receipts`, `apply_receipts`,
    `mark_unsent_uncertain` and `delete_unsent`; and what was read of a list, `mark_missing_uncertain` and
    `adopt_members`.
    """

    def __init__(self, warehouse: Warehouse, scope: StateScope, clock: Clock) -> None:
        self._state_tables = StateTables(warehouse, scope, clock)
        self._lease = Lease(self._state_tables)
        self.scope = scope
        self.clock = clock
        self.lists = ListRegistry(self._state_tables)
        self.runs = Runs(self._state_tables)
        self.rejections = Rejections(self._state_tables)
        self.receipts = Receipts(self._state_tables)

    def hold_lease(self) -> AbstractContextManager[None]:
        """Let one run at a time work on this account and project; see `Lease.hold`."""
        return self._lease.hold()

    def renew_lease_if_due(self) -> None:
        """Keep the lease for another while, as often as is liked; see `Lease.renew_if_due`."""
        self._lease.renew_if_due()

    def renew_lease_or_raise(self) -> None:
        """Keep the lease for another while, now. Raises WarehouseError when another run has it."""
        self._lease.renew_or_raise()

    def models(self) -> dict[str, ModelRecord]:
        """Return every model that was ever sent, by name."""
        rows = self._state_tables.read("models", MODEL_COLUMNS, "model", **self._state_tables.own)
        return {name: ModelRecord.from_row(name, *values) for name, *values in rows}

    def other_projects(self) -> tuple[str, ...]:
        """Return the other projects that ever sent a model to this account; to any if it is not known."""
        account = {"account_id": self.scope.account} if self.scope.account else {}
        rows = self._state_tables.read("models", "DISTINCT project", "project", **account)
        return tuple(project for (project,) in rows if project != self.scope.project)

    def load_tables(self, model_record: ModelRecord) -> ModelTables | None:
        """Return the shape of a model's tables as they are kept, or None where it has none."""
        payload = self._load_payload(model_record.table_key)
        identifier_types = tuple(
            IdentifierType(kind) for kind, _ in model_record.identifiers if kind != KEY_TYPE
        )
        return (
            None
            if payload is None
            else ModelTables(
                self._state_tables.dialect,
                model_record.table_key,
                identifier_types,
                payload,
                many_lists=True,
            )
        )

    def rows_by_list(self, table_key: str) -> tuple[dict[str, int], dict[str, int]]:
        """Return how many rows of a model are applied, and how many uncertain, by list id."""
        if self._load_payload(table_key) is None:
            return {}, {}
        dialect = self._state_tables.dialect
        tables = ModelTables(dialect, table_key, (), (), many_lists=True)
        return (
            dict(self._state_tables.fetch(takeover.count_snapshot_by_list(dialect, tables))),
            dict(self._state_tables.fetch(takeover.count_uncertain_by_list(dialect, tables))),
        )

    def mark_submitting(
        self, run_id: str, destination_id: str, klaviyo_time: str, submissions: Sequence[ModelSubmission]
    ) -> None:
        """Mark a run as submitting, with its deltas, before its first write."""
        dialect = self._state_tables.dialect
        self._lease.renew_or_raise()  # a run that lost the lease while planning must not send
        for submission in submissions:
            self._ensure_tables(submission.tables)
        statements = [*self.runs.start(run_id, destination_id, klaviyo_time)]
        for submission in submissions:
            statements += self.replace_model(submission.model)
            if submission.rekeyed:
                statements += deltas.update_identities(dialect, submission.tables)
            statements.append(deltas.clear_superseded(dialect, submission.tables))
            statements += (
                deltas.insert_deltas(dialect, submission.tables, run_id, klaviyo_time, seq_range)
                for seq_range in self._split_seq_range(deltas.select_last_seq(dialect, submission.tables))
            )
            if submission.stale_list_ids:
                statements.append(
                    deltas.mark_uncertain(dialect, submission.tables, submission.stale_list_ids)
                )
            if submission.has_deferred_removals:
                statements.append(deltas.mark_deferred_uncertain(dialect, submission.tables))
            statements += (
                deltas.inherit_first_sent(
                    dialect, submission.tables, run_id, self.scope.table_key(previous_owner), list_ids
                )
                for previous_owner, list_ids in submission.previous_owners.items()
                if self._load_payload(self.scope.table_key(previous_owner)) is not None
            )
        self._state_tables.commit(statements)

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
        """Take what receipts prove into the snapshot, and refused rows into the rejections, at once.

        May be repeated: what was taken over is no longer a delta.
        """
        dialect, state_tables = self._state_tables.dialect, self._state_tables
        tables = replace(tables, payload=self._load_common_payload(tables.table_key))
        state_tables.execute(*takeover.collect_applied(dialect, tables, run_id, model))
        seq_ranges = self._split_seq_range(takeover.select_last_applied_seq(dialect, tables))
        state_tables.commit(
            (
                *rejections.record_klaviyo_rejections(dialect, self.scope.key, tables, run_id, model),
                *takeover.apply_to_snapshot(dialect, tables, run_id, model, checksum, seq_ranges),
                self.receipts.delete_row_exceptions(dialect.state_table(tables.deltas), run_id, model),
            )
        )
        state_tables.execute(*schema.drop_temp_tables(dialect, (tables.applied, tables.replaced)))

    def mark_unsent_uncertain(self, run_id: str, model: str, tables: ModelTables) -> None:
        """Make the rows uncertain whose removal this run did not send, before they are forgotten as unsent.

        For a run that sent other rows: these may have made other people of those who were to leave.
        """
        self._state_tables.execute(
            deltas.mark_unsent_uncertain(self._state_tables.dialect, tables, run_id, model)
        )

    def delete_unsent(self, run_id: str, model: str, tables: ModelTables) -> None:
        """Drop the deltas that this run knows it did not send; rows that were in doubt before stay so."""
        dialect = self._state_tables.dialect
        self._state_tables.execute(
            deltas.keep_uncertain(dialect, tables, run_id, model),
            deltas.delete_unsent(dialect, tables, run_id, model),
            self.receipts.delete_row_exceptions(dialect.state_table(tables.deltas), run_id, model),
        )

    def forget_unknown(self, model: str) -> int:
        """Forget that a model's uncertain adds and updates may have been applied; returns how many."""
        table_key = self.scope.table_key(model)
        if self._load_payload(table_key) is None:
            return 0
        tables = ModelTables(self._state_tables.dialect, table_key, (), (), many_lists=True)
        ((rows,),) = self._state_tables.fetch(deltas.count_uncertain_upserts(tables))
        self._state_tables.execute(deltas.delete_uncertain_upserts(tables))
        return int(rows)

    def backdate_first_sent(
        self, tables: ModelTables, list_id: str, first_sent_times: Mapping[str, datetime]
    ) -> None:
        """Let rows of a list count as first sent at the latest at these times. May be repeated."""
        rows = [
            (list_id, identity, format_timestamp(first_sent_at))
            for identity, first_sent_at in sorted(first_sent_times.items())
        ]
        for part in batched(rows, ROWS_PER_STATEMENT):
            self._state_tables.commit(deltas.backdate_first_sent(self._state_tables.dialect, tables, part))

    def mark_missing_uncertain(self, tables: ModelTables) -> None:
        """Make the rows uncertain that were compared with a list and found missing from it."""
        self._state_tables.execute(members.mark_missing_uncertain(self._state_tables.dialect, tables))

    def adopt_members(self, tables: ModelTables, list_id: str) -> None:
        """Take ownership of all members of a compared list, and mark missing rows uncertain. Idempotent."""
        dialect = self._state_tables.dialect
        self._state_tables.commit(
            (
                *members.adopt_members(dialect, tables, list_id),
                members.mark_missing_uncertain(dialect, tables),
            )
        )

    def replace_model(self, model_record: ModelRecord) -> tuple[Statement, ...]:
        """Return the statements that store a model as it is sent now."""
        row = (*self.scope.key, *model_record.to_row())
        return (
            self._state_tables.delete("models", **self._state_tables.own, model=model_record.name),
            *self._state_tables.insert("models", [row]),
        )

    def _load_payload(self, table_key: str) -> tuple[Column, ...] | None:
        """Return a model's own columns as the snapshot keeps them; None when it was never sent."""
        columns = self._state_tables.warehouse.state_columns(f"snapshot_{table_key}")
        payload = tuple(column for name, column in columns.items() if not name.startswith(RESERVED_PREFIX))
        return payload if columns else None

    def _load_common_payload(self, table_key: str) -> tuple[Column, ...]:
        """Return the columns that snapshot and deltas keep alike.

        A run may have died when only the deltas had got a column's new type, and the model lost the column.
        """
        delta_columns = self._state_tables.warehouse.state_columns(f"deltas_{table_key}")
        return tuple(
            column
            for column in self._load_payload(table_key) or ()
            if delta_columns.get(column.name) == column
        )

    def _split_seq_range(self, select_last_seq: Statement) -> Sequence[range | None]:
        """Return the parts in which wide rows are moved: no more at once than the warehouse sorts well."""
        max_rows = self._state_tables.warehouse.max_sort_rows
        if max_rows is None:
            return (None,)
        ((last,),) = self._state_tables.fetch(select_last_seq)
        return [range(first, first + max_rows) for first in range(1, last + 1, max_rows)]

    def _ensure_tables(self, tables: ModelTables) -> None:
        dialect, state_tables = self._state_tables.dialect, self._state_tables
        state_tables.execute(*schema.create_model_tables(dialect, tables))
        # The snapshot last, as it is made: whatever columns it has, the others have too.
        for table in (tables.deltas, tables.rejected, tables.snapshot):
            state_tables.execute(
                *schema.migrate_columns(dialect, tables, table, state_tables.warehouse.state_columns(table))
            )
