"""What the job remembers between runs, and what it promises of it.

- A snapshot per model: the rows last applied, with the values that Klaviyo was last given.
- The deltas of which nobody knows yet whether they were applied: uncertain from a run's first write until a
  receipt proves them.
- Runs, receipts, rejections, the registry of lists, and the lease.

Everything is kept by Klaviyo account and project, and a model's rows by list id. What belongs together
changes in one transaction: a process may be killed between any two statements, and the next run goes on
from what was committed.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import socket
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from reverse_etl.errors import UsageError, WarehouseError
from reverse_etl.identifiers import IdentifierType
from reverse_etl.moments import moment, read, written
from reverse_etl.receipts import Receipt, ReceiptState, Refusal
from reverse_etl.sql import diff, ledger, rejections, schema, takeover
from reverse_etl.sql.shape import Shape

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from reverse_etl.clock import Clock
    from reverse_etl.columns import Column
    from reverse_etl.sql.text import Statement
    from reverse_etl.warehouse import Row, Warehouse

LEASE_SECONDS = 600.0
BEAT_SECONDS = 60.0


@dataclass(frozen=True)
class Owner:
    """Whose state is meant: a Klaviyo account, and a project that sends to it."""

    account: str
    project: str


@dataclass(frozen=True)
class SentModel:
    """A model as it was last sent. `identifiers` is the mapping of types to columns, in order."""

    name: str
    table_key: str
    surface: str
    identifiers: tuple[tuple[str, str], ...]
    checksum: str


@dataclass(frozen=True)
class KnownList:
    """A list in the registry.

    `id` is empty while the list is only intended: its creation was begun and never confirmed.
    """

    id: str
    name: str
    model: str
    at: str


class RunEnd(StrEnum):
    """How a run ended: settled; with an import that may still be under way.

    Or dead, and settled by a later run.
    """

    ENDED = "ended"
    UNSETTLED = "unsettled"
    RECOVERED = "recovered"


@dataclass(frozen=True)
class OpenReceipt:
    """A receipt of an earlier run whose import job had not ended."""

    run_id: str
    model: str
    receipt: Receipt
    begun: datetime


@dataclass(frozen=True)
class Rejection:
    """Rows of one identity that are not sent as they are: how many, and since which run.

    `row_key` is their identity, or a digest where they have none.
    """

    model: str
    list_id: str
    row_key: str
    source: str
    code: str
    field: str
    detail: str
    first_run: str
    rows: int


@dataclass(frozen=True)
class PastRun:
    """A run as the state keeps it."""

    run_id: str
    state: str
    started: str
    ended: str | None
    exit_code: int | None


@dataclass(frozen=True)
class PastList:
    """What a run did to a list: counts as `run.counts` names them, and why it stopped, if it did."""

    run_id: str
    started: str
    model: str
    list_id: str
    list_name: str
    counts: Mapping[str, int]
    reason: str


class State:
    """The state of one project towards one Klaviyo account. One thread speaks to it."""

    def __init__(self, warehouse: Warehouse, owner: Owner, clock: Clock) -> None:
        self._warehouse = warehouse
        self._dialect = warehouse.dialect
        self._clock = clock
        self._holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._beaten = float("-inf")
        self.owner = owner

    @contextmanager
    def lease(self) -> Iterator[None]:
        """Let one run at a time work on this account and project.

        Raises WarehouseError while another run holds it. What a dead run held is taken over when it has
        expired, or at once where the warehouse itself lets only one process in.
        """
        if self._warehouse.exclusive:
            self._commit(ledger.take_lease(self._dialect, *self._key, self._holder, self._lease_end()))
        else:
            self._claim_lease()
        try:
            yield
        finally:
            self._warehouse.execute(ledger.drop_lease(self._dialect, *self._key, self._holder))

    def _claim_lease(self) -> None:
        """Take the lease where several processes may try at once.

        Of two that claim it together, both lose rather than win.
        """
        now = moment(self._clock.now())
        self._warehouse.execute(
            ledger.claim_lease(self._dialect, *self._key, self._holder, self._lease_end(), now)
        )
        others = [
            row for row in self._fetch(ledger.lease(self._dialect, *self._key)) if row[0] != self._holder
        ]
        if others:
            self._warehouse.execute(ledger.drop_lease(self._dialect, *self._key, self._holder))
            raise WarehouseError.of(
                f"Another run of this project is under way: {others[0][0]}. "
                f"It holds the lease until {others[0][1]}.",
                advice="Wait for it. If it died, its lease ends by itself at that time.",
            )

    def heartbeat(self) -> None:
        """Keep the lease for another while. Cheap to call often: it is written once a minute.

        Raises WarehouseError when the lease had expired and another run has it now.
        """
        if self._clock.monotonic() - self._beaten >= BEAT_SECONDS:
            self._beat()

    def _beat(self) -> None:
        self._beaten = self._clock.monotonic()
        self._warehouse.execute(
            ledger.extend_lease(self._dialect, *self._key, self._holder, self._lease_end())
        )
        if not self._warehouse.exclusive:
            owners = [owner for owner, _ in self._fetch(ledger.lease(self._dialect, *self._key))]
            if {*owners} != {self._holder}:
                raise WarehouseError.of(
                    f"This run lost its lease to another: {', '.join(owners) or 'nobody'}.",
                    advice="Let that run end, then run again: what this one sent is settled then.",
                )

    def table_key(self, model: str) -> str:
        """Return the end of the names of a model's tables.

        The same in every run, another for another account or project.
        """
        digest = hashlib.sha256("\0".join((*self._key, model)).encode()).hexdigest()[:8]
        return f"{re.sub('[^a-z0-9]+', '_', model.lower())}_{digest}"

    def models(self) -> dict[str, SentModel]:
        """Return every model that was ever sent, by name."""
        rows = self._fetch(ledger.models(self._dialect, *self._key))
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

    def kept_shape(self, sent: SentModel) -> Shape | None:
        """Return the shape of a model's tables as they are kept, or None where it has none."""
        columns = self.deltas_columns(sent.table_key)
        payload = tuple(column for name, column in columns.items() if not name.startswith("retl_"))
        kinds = tuple(IdentifierType(kind) for kind, _ in sent.identifiers)
        return Shape(sent.table_key, kinds, payload, many_lists=True) if columns else None

    def deltas_columns(self, table_key: str) -> Mapping[str, Column]:
        """Return the columns of a model's deltas; empty when it was never sent."""
        return self._warehouse.kept_columns(f"deltas_{table_key}")

    def lists(self) -> tuple[KnownList, ...]:
        """Return the registry of lists."""
        rows = self._fetch(ledger.lists(self._dialect, *self._key))
        return tuple(KnownList(list_id or "", name, model, at) for list_id, name, model, _, at in rows)

    def intend_list(self, name: str, model: str) -> None:
        """Commit that a list of this name is about to be created, so that a lost reply can't lead to two."""
        row = (None, name, model, "intended", moment(self._clock.now()))
        self._commit(ledger.add_list(self._dialect, *self._key, row))

    def own_list(self, list_id: str, name: str, model: str) -> None:
        """Note that a model drives a list."""
        known = {entry.id: entry for entry in self.lists()}.get(list_id)
        if known is None or (known.name, known.model) != (name, model):
            self._commit(
                ledger.add_list(
                    self._dialect, *self._key, (list_id, name, model, "owned", moment(self._clock.now()))
                )
            )

    def begin(
        self, run_id: str, target: str, klaviyo_time: str, begun: Sequence[tuple[SentModel, Shape, bool]]
    ) -> None:
        """Mark a run as submitting, with its deltas, before its first write.

        (model, its shape, whether it is keyed anew).
        """
        self._beat()  # whoever lost the lease while planning must not send
        for _, shape, _ in begun:
            self._make_tables(shape)
        with self._warehouse.transaction():
            self._all(ledger.set_account(self._dialect, self.owner.project, target, self.owner.account))
            self._warehouse.execute(
                ledger.add_run(self._dialect, run_id, *self._key, moment(self._clock.now()), klaviyo_time)
            )
            for sent, shape, rekeyed in begun:
                identifiers = json.dumps(sent.identifiers)
                row = (sent.name, sent.table_key, sent.surface, identifiers, sent.checksum)
                self._all(ledger.set_model(self._dialect, *self._key, row))
                if rekeyed:
                    self._all(takeover.rekey(self._dialect, shape))
                self._all(takeover.begin(self._dialect, shape, run_id, klaviyo_time))

    def record(
        self,
        run_id: str,
        model: str,
        receipts: Sequence[Receipt],
        refusals: Sequence[Refusal],
        gone: Sequence[tuple[str, str]] = (),
    ) -> None:
        """Keep a group of receipts, in place of earlier ones of the same ranges, with their refusals.

        `gone` are the (list id, identity) of the removals for whom nobody was found, for a reconciliation.
        """
        if not receipts and not refusals:
            return
        self.heartbeat()
        at = moment(self._clock.now())
        with self._warehouse.transaction():
            if receipts:
                first_seqs = tuple(receipt.first_seq for receipt in receipts)
                self._warehouse.execute(ledger.delete_receipts(self._dialect, run_id, model, first_seqs))
            self._warehouse.append(
                "receipts", [_receipt_row(run_id, model, receipt, at) for receipt in receipts]
            )
            self._warehouse.append(
                "refusals",
                [(run_id, model, r.seq, r.kind.value, r.code, r.field, r.detail) for r in refusals],
            )
            self._warehouse.append(
                "gone", [(*self._key, model, list_id, identity, run_id, at) for list_id, identity in gone]
            )

    def open_receipts(self) -> tuple[OpenReceipt, ...]:
        """Return the receipts of earlier runs whose import job had not ended."""
        return tuple(
            OpenReceipt(
                run_id,
                model,
                Receipt(list_id, op, first, last, ReceiptState.ACCEPTED, rows, job),
                read(begun),
            )
            for run_id, model, list_id, op, first, last, rows, job, begun in self._fetch(
                ledger.open_receipts(self._dialect, *self._key)
            )
        )

    def dead_runs(self) -> dict[str, datetime]:
        """Return the runs that left something open, with Klaviyo's time at their beginning."""
        return {run_id: read(at) for run_id, at in self._fetch(ledger.dead_runs(self._dialect, *self._key))}

    def advance(self, run_id: str, model: str, shape: Shape, checksum: str) -> None:
        """Take what receipts prove into the snapshot, and refused rows into the rejections, at once.

        May be repeated: what was taken over is no longer a delta.
        """
        shape = replace(shape, payload=_payload(self.deltas_columns(shape.key)))
        self._all(takeover.take(self._dialect, shape, run_id, model))
        with self._warehouse.transaction():
            self._all(rejections.keep_refused(self._dialect, self._key, shape, run_id, model))
            self._all(takeover.advance(self._dialect, shape, run_id, model, checksum))
            self._all(ledger.drop_refusals(self._dialect, shape.deltas, run_id, model))
        self._all(takeover.drop_scratch(self._dialect, takeover.gathered(shape)))

    def forget_unsent(self, run_id: str, model: str, shape: Shape) -> None:
        """Drop the deltas that this run knows it did not send."""
        self._warehouse.execute(takeover.forget_unsent(self._dialect, shape, run_id, model))

    def inherit(self, shape: Shape, list_id: str, since: Mapping[str, datetime]) -> None:
        """Let rows of a list count as first sent at the latest at these times. May be repeated."""
        rows = [(list_id, identity, written(when)) for identity, when in sorted(since.items())]
        for start in range(0, len(rows), 1000):
            self._commit(takeover.inherit(self._dialect, shape, rows[start : start + 1000]))

    def note_checks(self, run_id: str, model: str, shape: Shape) -> None:
        """Keep which rows of a model the warehouse's checks reject now, and end the other rejections.

        Each with the run that first saw it.
        """
        self._warehouse.execute(rejections.gather_checks(self._dialect, self._key, shape, run_id, model))
        with self._warehouse.transaction():
            self._all(rejections.replace_checks(self._dialect, self._key, shape, model))
            if self.deltas_columns(shape.key):
                self._all(rejections.end_changed(self._dialect, self._key, shape, model))
        self._all(takeover.drop_scratch(self._dialect, ("checks_" + shape.key,)))

    def note_lists(self, run_id: str, rows: Sequence[tuple[str, str, str, str, str]]) -> None:
        """Keep what a run did: (model, list id, list name, counts as JSON, reason) for each list."""
        self._warehouse.append("run_lists", [(run_id, *row) for row in rows])

    def retry(self, model: str) -> int:
        """End the rejections that Klaviyo made of a model's rows, so that the next run sends them again.

        Returns how many.
        """
        key = self.table_key(model)
        if not self.deltas_columns(key):
            return 0
        rows = sum(r.rows for r in self.rejections() if r.model == model and r.source == "klaviyo")
        with self._warehouse.transaction():
            self._all(rejections.end_all(self._dialect, self._key, model, f"rejected_{key}"))
        return rows

    def end(self, run_id: str, end: RunEnd, exit_code: int | None = None) -> None:
        """Note how a run ended."""
        self._warehouse.execute(
            ledger.end_run(self._dialect, run_id, end.value, moment(self._clock.now()), exit_code)
        )

    def rejections(self) -> tuple[Rejection, ...]:
        """Return every standing rejection."""
        return tuple(Rejection(*row) for row in self._fetch(rejections.standing(self._dialect, self._key)))

    def runs(self) -> tuple[PastRun, ...]:
        """Return the runs that sent or could have sent, newest first."""
        return tuple(PastRun(*row) for row in self._fetch(ledger.runs(self._dialect, *self._key)))

    def run_lists(self) -> tuple[PastList, ...]:
        """Return what each run did to each list, newest run first."""
        rows = self._fetch(ledger.run_lists(self._dialect, *self._key))
        return tuple(
            PastList(run, at, model, list_id, name, json.loads(counts), reason)
            for run, at, model, list_id, name, counts, reason in rows
        )

    def rows_by_list(self, table_key: str) -> tuple[dict[str, int], dict[str, int]]:
        """Return how many rows of a model are applied, and how many uncertain, by list id."""
        if not self.deltas_columns(table_key):
            return {}, {}
        shape = Shape(table_key, (), (), many_lists=True)
        return (
            dict(self._fetch(diff.snapshot_counts(self._dialect, shape))),
            dict(self._fetch(diff.uncertain_counts(self._dialect, shape))),
        )

    @property
    def _key(self) -> tuple[str, str]:
        return (self.owner.account, self.owner.project)

    def _make_tables(self, shape: Shape) -> None:
        self._all(schema.create_model(self._dialect, shape))
        for table in (shape.snapshot, shape.deltas, shape.rejected):
            self._all(schema.follow_columns(self._dialect, shape, table, self._warehouse.kept_columns(table)))

    def _lease_end(self) -> str:
        return moment(self._clock.now() + LEASE_SECONDS)

    def _fetch(self, statement: Statement) -> list[Row]:
        return self._warehouse.fetch(statement)

    def _all(self, statements: Sequence[Statement]) -> None:
        for statement in statements:
            self._warehouse.execute(statement)

    def _commit(self, statements: Sequence[Statement]) -> None:
        with self._warehouse.transaction():
            self._all(statements)


def open_state(warehouse: Warehouse) -> None:
    """Create or check the tables that all models share.

    Raises UsageError when a newer version of the job wrote them.
    """
    dialect = warehouse.dialect
    if not warehouse.kept_columns("meta"):
        with warehouse.transaction() if dialect.creates_in_transactions else nullcontext():
            for statement in schema.create_shared(dialect):
                warehouse.execute(statement)
        return
    ((version,),) = warehouse.fetch(schema.version(dialect))
    if version > schema.VERSION:
        raise UsageError.of(
            f"The state was written by a newer reverse_etl: version {version}; "
            f"this one knows {schema.VERSION}.",
            where="table meta of the state",
            advice="Upgrade reverse_etl here.",
        )


def last_account(warehouse: Warehouse, project: str, target: str) -> str | None:
    """Return the Klaviyo account that a target's last run was sent to, for a plan without a key."""
    rows = warehouse.fetch(ledger.last_account(warehouse.dialect, project, target))
    return str(rows[0][0]) if rows else None


def _payload(columns: Mapping[str, Column]) -> tuple[Column, ...]:
    return tuple(column for name, column in columns.items() if not name.startswith("retl_"))


def _receipt_row(run_id: str, model: str, receipt: Receipt, at: str) -> tuple[object, ...]:
    r = receipt
    return (
        run_id,
        model,
        r.list_id,
        r.op,
        r.first_seq,
        r.last_seq,
        r.rows,
        r.state.value,
        r.job,
        at,
        r.detail,
    )
