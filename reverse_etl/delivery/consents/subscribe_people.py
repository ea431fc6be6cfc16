"""Subscribe the people of one list, and confirm by later reads what came of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from reverse_etl.delivery.concurrency import map_concurrently
from reverse_etl.delivery.consents.confirm_consents import PendingList, make_reader
from reverse_etl.delivery.consents.subscribe_batch import (
    IGNORED_WITHIN,
    SubscribedBatch,
    SubscriptionRow,
    subscribe_batch,
)
from reverse_etl.delivery.known_people import find_staged_people
from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.batched import batched
from reverse_etl.domain.deltas import Op
from reverse_etl.domain.receipts import Receipt, ReceiptState, RowException, RowExceptionKind
from reverse_etl.errors import FailureReason, KlaviyoError
from reverse_etl.formatting import format_count
from reverse_etl.klaviyo.consents import Subscriber
from reverse_etl.klaviyo.filters import batch_values
from reverse_etl.state.consents import ConsentState, SentConsent
from reverse_etl.state.people import find_suppressing_models
from reverse_etl.surfaces.operations import CONSENTED_AT, DATE_OF_BIRTH

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reverse_etl.delivery.consents.consent_reader import ConsentReader
    from reverse_etl.delivery.list_delivery import ListDelivery
    from reverse_etl.surfaces.interface import Surface
    from reverse_etl.surfaces.operations import SubscribePeople

_READ_ROWS: Final = 10_000  # at a time from the warehouse
_OUTCOMES: Final = {
    ConsentState.PENDING: Outcome.PENDING,
    ConsentState.CONFIRMED: Outcome.APPLIED,
    ConsentState.OPTED_OUT: Outcome.OPTED_OUT,
    ConsentState.EXPIRED: Outcome.PENDING,
}


def subscribe_people(delivery: ListDelivery, operation: SubscribePeople) -> None:
    """Subscribe one list's new and changed rows. A failed request stops the list; its counter says why."""
    reader = make_reader(delivery.context, operation, delivery.model_name, delivery.list_id)
    sender = _SubscriptionSender(delivery, operation, reader)
    for batch in map_concurrently(delivery.context, sender.send, sender.prepare_batches()):
        sender.record(batch)
    sender.confirm()


@dataclass
class _SubscriptionSender:
    """Subscribes the rows of one list.

    `accepted` counts those that Klaviyo accepted, and `future` those that wait for the time of their consent.
    `problem` is the first of the batches.
    """

    delivery: ListDelivery
    operation: SubscribePeople
    reader: ConsentReader
    accepted: int = 0
    future: int = 0
    recent: int = 0
    done: int = 0
    problem: str = ""

    def prepare_batches(self) -> Iterator[Sequence[SubscriptionRow]]:
        """Yield the rows of each read and request until the list stops."""
        for rows in self.delivery.pending_rows.read_upserts(self.delivery.list_id, _READ_ROWS):
            self.delivery.context.state.renew_lease_or_raise()  # who lost the lease must subscribe nobody
            ready = iter(self._mark_rows([*self._parse_rows(rows)]))
            for values in batch_values([str(row[1]) for row in rows]):
                for part in batched([next(ready) for _ in values], self.operation.max_rows):
                    if self.delivery.counter.stopped:
                        return
                    if allowed := self._leave_future_rows(part):
                        yield allowed

    def send(self, rows: Sequence[SubscriptionRow]) -> SubscribedBatch:
        """Subscribe the people of a batch; in a thread of its own."""
        may_resubscribe = self.delivery.model_plan.may_resubscribe
        resubscriptions = self.delivery.context.resubscriptions if may_resubscribe else None
        return subscribe_batch(self.reader, rows, self.delivery.refusals, resubscriptions)

    def record(self, batch: SubscribedBatch) -> None:
        """Record what came of a batch. Accepted rows are pending from here on, also after a kill."""
        list_id = self.delivery.list_id
        done = len(batch.accepted) + len(batch.subscribed)
        receipt = Receipt(
            list_id,
            Op.SUBSCRIBE,
            batch.rows[0].seq,
            batch.rows[-1].seq,
            ReceiptState.APPLIED if done else ReceiptState.NOT_SENT,
            done,
            detail=batch.stop_reason,
        )
        now = self.delivery.context.klaviyo.server_time
        sent = [
            SentConsent(list_id, row.identity, now, row.subscriber.consented_at) for row in batch.accepted
        ]
        self.delivery.record((), batch.row_exceptions)
        self.delivery.receipt_buffer.add((receipt,), sent_consents=sent)
        self.accepted += len(batch.accepted)
        counter = self.delivery.counter
        counter.add(Outcome.APPLIED, len(batch.subscribed))
        self.problem = self.problem or batch.problem
        self.recent += batch.recent
        if batch.stop_reason:
            counter.fail(batch.stop_reason)
        self.done += len(batch.rows)
        self.delivery.report_progress(Op.ADD, self.done)

    def confirm(self) -> None:
        """Wait until Klaviyo shows the accepted consents, and count them by what it shows."""
        context, model = self.delivery.context, self.delivery.model_name
        self.delivery.receipt_buffer.flush()
        if self.accepted:
            try:
                PendingList(context, model, self.reader).wait_and_settle()
            except KlaviyoError as error:
                self.delivery.counter.fail(FailureReason.of(error))
            counts = context.state.consents.count_by_state(context.run_id)
            key = model, self.delivery.list_id
            for state, rows in counts.get(key, {}).items():
                self.delivery.counter.add(_OUTCOMES[state], rows)
        if self.recent:
            waiting = format_count(self.recent, "person was", "people were")
            self.delivery.counter.halt(
                f"{waiting} subscribed less than 30 minutes ago, and Klaviyo would ignore another consent. "
                "The next run continues."
            )
        if self.future:
            waiting = format_count(self.future, "row has", "rows have")
            self.delivery.counter.halt(
                f"{waiting} a {CONSENTED_AT} in the future by Klaviyo's clock. The next run continues."
            )
        if self.problem:
            self.delivery.counter.fail(f"Not everybody was subscribed. {self.problem}")

    def _parse_rows(self, rows: Sequence[Sequence[Any]]) -> Iterator[SubscriptionRow]:
        names = [column.name.lower() for column in self.delivery.model_plan.tables.payload]
        for seq, identifier, *values in rows:
            columns = dict(zip(names, values, strict=True))
            yield SubscriptionRow(
                seq,
                f"{self.operation.channel.identifier}:{identifier}",
                Subscriber(
                    identifier,
                    _to_utc(columns.get(CONSENTED_AT), self.operation.timezone),
                    _to_date(columns),
                ),
            )

    def _mark_rows(self, rows: Sequence[SubscriptionRow]) -> Iterator[SubscriptionRow]:
        """Yield the rows with what the state knows of their people."""
        context = self.delivery.context
        self.delivery.receipt_buffer.flush()
        identities = [row.identity for row in rows]
        recent = context.state.consents.find_subscribed_since(
            identities, context.klaviyo.server_time - IGNORED_WITHIN
        )
        suppressed = {
            *find_suppressing_models(context.state, identities),
            *find_staged_people(context, identities, _suppresses),
        }
        return (
            replace(row, is_recent=row.identity in recent, is_suppressed=row.identity in suppressed)
            for row in rows
        )

    def _leave_future_rows(self, rows: Sequence[SubscriptionRow]) -> list[SubscriptionRow]:
        """Return the rows without those whose consent is in the future by Klaviyo's clock; they wait."""
        now = self.delivery.context.klaviyo.server_time
        future = [row for row in rows if row.subscriber.consented_at and row.subscriber.consented_at >= now]
        exceptions = [
            RowException(row.seq, RowExceptionKind.NOT_SENT, "future_time", CONSENTED_AT) for row in future
        ]
        self.delivery.record((), exceptions)
        self.future += len(future)
        return [row for row in rows if row not in future]


def _suppresses(name: str, surface: Surface) -> bool:
    """Return whether a model says who may not be mailed."""
    del name
    return surface.suppresses_people


def _to_utc(value: datetime | date | None, timezone: str) -> datetime | None:
    """Return the time of a consent in UTC; `timezone` is that of a value without a zone."""
    if value is None:
        return None
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)  # noqa: DTZ001 - the zone follows
    if value.tzinfo is None:
        value = value.replace(tzinfo=ZoneInfo(timezone or "UTC"))
    return value.astimezone(UTC)


def _to_date(columns: Mapping[str, Any]) -> str | None:
    value = columns.get(DATE_OF_BIRTH)
    return value.isoformat() if isinstance(value, date) else None
