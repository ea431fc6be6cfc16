"""The state of one project: how its rows move, and where the rest of what is remembered is found."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.domain.timestamps import written
from reverse_etl.state.lease import Lease
from reverse_etl.state.lists import Lists
from reverse_etl.state.model_record import SentModel
from reverse_etl.state.rejections import Rejections
from reverse_etl.state.run_history import Evidence
from reverse_etl.state.runs import Runs
from reverse_etl.state.sql import ledger, members, rejections, schema
from reverse_etl.state.sql import pending as deltas
from reverse_etl.state.sql import snapshot as takeover
from reverse_etl.state.tables import Tables
from reverse_etl.warehouse.model_tables import Shape
from reverse_etl.warehouse.statement import OURS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from reverse_etl.clock import Clock
    from reverse_etl.domain.columns import Column
    from reverse_etl.domain.receipts import Receipt, Refusal
    from reverse_etl.state.model_record import Begun
    from reverse_etl.state.tables import Owner
    from reverse_etl.warehouse.interface import Row, Warehouse
    from reverse_etl.warehouse.statement import Statement


class State:
    """The state of one project towards one Klaviyo account. One thread speaks to it.

    Its own methods move rows, in the order of a run: `begin`, `record`, `advance`, `doubt_unsent` and
    `forget_unsent`; and what was read of a list, `doubt_missing` and `adopt`.
    """

    def __init__(self, warehouse: Warehouse, owner: Owner, clock: Clock) -> None:
        self._tables = Tables(warehouse, owner, clock)
        self._lease = Lease(self._tables)
        self.owner = owner
        self.clock = clock
        self.lists = Lists(self._tables)
        self.runs = Runs(self._tables)
        self.rejections = Rejections(self._tables)
        self.evidence = Evidence(self._tables)

    def lease(self) -> AbstractContextManager[None]:
        """Let one run at a time work on this account and project; see `Lease.held`."""
        return self._lease.held()

    def heartbeat(self) -> None:
        """Keep the lease for another while, as often as is liked; see `Lease.beat`."""
        self._lease.beat()

    def still_leased(self) -> None:
        """Keep the lease for another while, now. Raises WarehouseError when another run has it."""
        self._lease.extend()

    def models(self) -> dict[str, SentModel]:
        """Return every model that was ever sent, by name."""
        rows = self._tables.fetch(ledger.models(self._tables.dialect, *self.owner.key))
        return {
            name: SentModel(
                name,
                key,
                surface,
                tuple((kind, column) for kind, column in json.loads(identifiers)),
                checksum,
            )
            for name, key, surface, identifiers, checksum in rows
        }

    def other_projects(self) -> tuple[str, ...]:
        """Return the other projects that ever sent a model to this account; to any, while it is not known."""
        rows = self._tables.fetch(
            ledger.other_projects(self._tables.dialect, self.owner.account, self.owner.project)
        )
        return tuple(project for (project,) in rows)

    def kept_shape(self, sent: SentModel) -> Shape | None:
        """Return the shape of a model's tables as they are kept, or None where it has none."""
        payload = self._kept_payload(sent.table_key)
        kinds = tuple(IdentifierType(kind) for kind, _ in sent.identifiers)
        return None if payload is None else Shape(sent.table_key, kinds, payload, many_lists=True)

    def rows_by_list(self, table_key: str) -> tuple[dict[str, int], dict[str, int]]:
        """Return how many rows of a model are applied, and how many uncertain, by list id."""
        if self._kept_payload(table_key) is None:
            return {}, {}
        shape, dialect = Shape(table_key, (), (), many_lists=True), self._tables.dialect
        return (
            dict(self._tables.fetch(takeover.snapshot_counts(dialect, shape))),
            dict(self._tables.fetch(takeover.uncertain_counts(dialect, shape))),
        )

    def begin(self, run_id: str, target: str, klaviyo_time: str, begun: Sequence[Begun]) -> None:
        """Mark a run as submitting, with its deltas, before its first write."""
        dialect, key = self._tables.dialect, self.owner.key
        self._lease.extend()  # whoever lost the lease while planning must not send
        for one in begun:
            self._make_tables(one.shape)
        statements = [
            *ledger.set_account(dialect, self.owner.project, target, self.owner.account),
            ledger.add_run(dialect, run_id, *key, self._tables.now(), klaviyo_time),
        ]
        for one in begun:
            statements += ledger.set_model(dialect, *key, _model_row(one.model))
            if one.rekeyed:
                statements += deltas.rekey(dialect, one.shape)
            statements.append(deltas.make_way(dialect, one.shape))
            statements += (
                deltas.begin(dialect, one.shape, run_id, klaviyo_time, seqs)
                for seqs in self._spans(deltas.last_seq(dialect, one.shape))
            )
            if one.doubted:
                statements.append(deltas.doubt(dialect, one.shape, one.doubted))
            if one.waiting:
                statements.append(deltas.doubt_waiting(dialect, one.shape))
            statements += (
                deltas.follow(dialect, one.shape, run_id, self.owner.table_key(former), lists)
                for former, lists in one.former.items()
                if self._kept_payload(self.owner.table_key(former)) is not None
            )
        self._tables.commit(statements)

    def record(
        self,
        run_id: str,
        model: str,
        receipts: Sequence[Receipt],
        refusals: Sequence[Refusal],
        gone: Sequence[tuple[str, str]] = (),
    ) -> None:
        """Keep a group of receipts, in place of earlier ones of the same ranges, and what came of it besides.

        Refusals and `gone` are added to what was kept, so that the same group is not to be recorded twice.
        `gone` are the (list id, identity) of the removals for whom nobody was found.
        """
        if not (receipts or refusals or gone):
            return
        self._lease.beat()
        dialect, at = self._tables.dialect, self._tables.now()
        first_seqs = tuple(receipt.first_seq for receipt in receipts)
        earlier = (ledger.delete_receipts(dialect, run_id, model, first_seqs),) if receipts else ()
        named = [(run_id, model, r.seq, r.kind.value, r.code, r.field, r.detail) for r in refusals]
        missed = [(*self.owner.key, model, list_id, identity, run_id, at) for list_id, identity in gone]
        self._tables.commit(
            (
                *earlier,
                *ledger.insert_rows(
                    dialect, "receipts", [_receipt_row(run_id, model, r, at) for r in receipts]
                ),
                *ledger.insert_rows(dialect, "refusals", named),
                *ledger.insert_rows(dialect, "gone", missed),
            )
        )

    def advance(self, run_id: str, model: str, shape: Shape, checksum: str) -> None:
        """Take what receipts prove into the snapshot, and refused rows into the rejections, at once.

        May be repeated: what was taken over is no longer a delta.
        """
        dialect, tables = self._tables.dialect, self._tables
        shape = replace(shape, payload=self._common_payload(shape.key))
        tables.run(*takeover.take(dialect, shape, run_id, model))
        spans = self._spans(takeover.last_taken(dialect, shape))
        tables.commit(
            (
                *rejections.keep_refused(dialect, self.owner.key, shape, run_id, model),
                *takeover.advance(dialect, shape, run_id, model, checksum, spans),
                *ledger.drop_refusals(dialect, shape.deltas, run_id, model),
            )
        )
        tables.run(*schema.drop_scratch(dialect, (shape.taken, shape.replaced)))

    def doubt_unsent(self, run_id: str, model: str, shape: Shape) -> None:
        """Make the rows uncertain whose removal this run did not send, before they are forgotten as unsent.

        For a run that sent other rows: these may have made other people of those who were to leave.
        """
        self._tables.run(deltas.doubt_unsent(self._tables.dialect, shape, run_id, model))

    def forget_unsent(self, run_id: str, model: str, shape: Shape) -> None:
        """Drop the deltas that this run knows it did not send; rows that were in doubt before stay so."""
        dialect = self._tables.dialect
        self._tables.run(
            deltas.keep_doubt(dialect, shape, run_id, model),
            deltas.forget_unsent(dialect, shape, run_id, model),
            *ledger.drop_refusals(dialect, shape.deltas, run_id, model),
        )

    def inherit(self, shape: Shape, list_id: str, since: Mapping[str, datetime]) -> None:
        """Let rows of a list count as first sent at the latest at these times. May be repeated."""
        rows = [(list_id, identity, written(when)) for identity, when in sorted(since.items())]
        for start in range(0, len(rows), ledger.ROWS_A_STATEMENT):
            part = rows[start : start + ledger.ROWS_A_STATEMENT]
            self._tables.commit(deltas.inherit(self._tables.dialect, shape, part))

    def doubt_missing(self, shape: Shape) -> None:
        """Make the rows uncertain that were compared with a list and found missing from it."""
        self._tables.run(members.doubt_missing(self._tables.dialect, shape))

    def adopt(self, shape: Shape, list_id: str) -> None:
        """Let everybody on a list that was compared count as put there by this job, and doubt who is missing.

        May be repeated.
        """
        dialect = self._tables.dialect
        self._tables.commit((*members.adopt(dialect, shape, list_id), members.doubt_missing(dialect, shape)))

    def _kept_payload(self, table_key: str) -> tuple[Column, ...] | None:
        """Return a model's own columns as the snapshot keeps them; None when it was never sent."""
        columns = self._tables.warehouse.kept_columns(f"snapshot_{table_key}")
        own = tuple(column for name, column in columns.items() if not name.startswith(OURS))
        return own if columns else None

    def _common_payload(self, table_key: str) -> tuple[Column, ...]:
        """Return the columns that snapshot and deltas keep alike.

        A run may have died when only the deltas had got a column's new type, and the model lost the column.
        """
        sent = self._tables.warehouse.kept_columns(f"deltas_{table_key}")
        return tuple(own for own in self._kept_payload(table_key) or () if sent.get(own.name) == own)

    def _spans(self, last_seq: Statement) -> Sequence[range | None]:
        """Return the parts in which wide rows are moved: no more at once than the warehouse sorts well."""
        widest = self._tables.warehouse.widest_sort
        if widest is None:
            return (None,)
        ((last,),) = self._tables.fetch(last_seq)
        return [range(first, first + widest) for first in range(1, last + 1, widest)]

    def _make_tables(self, shape: Shape) -> None:
        dialect, tables = self._tables.dialect, self._tables
        tables.run(*schema.create_model(dialect, shape))
        # The snapshot last, as it is made: whatever columns it has, the others have too.
        for table in (shape.deltas, shape.rejected, shape.snapshot):
            tables.run(*schema.follow_columns(dialect, shape, table, tables.warehouse.kept_columns(table)))


def _model_row(sent: SentModel) -> tuple[str, str, str, str, str]:
    return (sent.name, sent.table_key, sent.surface, json.dumps(sent.identifiers), sent.checksum)


def _receipt_row(run_id: str, model: str, receipt: Receipt, at: str) -> Row:
    r = receipt
    detail = (r.state.value, r.job, at, r.detail)
    return (run_id, model, r.list_id, r.op, r.first_seq, r.last_seq, r.rows, *detail)
