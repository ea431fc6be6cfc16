"""Send one model's events: new ones many a request, those that may be stored already alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from reverse_etl.delivery.concurrency import map_concurrently
from reverse_etl.delivery.events.event_batch import PreparedEvents, SentEvents, send_prepared
from reverse_etl.delivery.row_exceptions import make_unencodable_exception
from reverse_etl.domain.deltas import Op
from reverse_etl.domain.receipts import Receipt, ReceiptState
from reverse_etl.domain.timestamps import parse_timestamp
from reverse_etl.klaviyo.event_encoding import EventEncoder
from reverse_etl.klaviyo.events import EncodedEvent, EventBatch, EventPacker
from reverse_etl.klaviyo.serialize import EncodingError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reverse_etl.delivery.list_delivery import ListDelivery
    from reverse_etl.surfaces.operations import SendEvents

_READ_ROWS: Final = 10_000  # at a time from the warehouse
_ALONE_ROWS: Final = 50  # events that one thread sends one after the other


def send_events(delivery: ListDelivery, operation: SendEvents) -> None:
    """Send a model's new events. A failed request stops the model, whose counter says why."""
    sender = _EventSender(delivery, operation, _make_encoder(delivery))
    for sent in map_concurrently(delivery.context, sender.send, sender.prepare_events()):
        sender.record(sent)


def _make_encoder(delivery: ListDelivery) -> EventEncoder:
    rules = delivery.surface.event_rules
    record = delivery.context.state.models.records()[delivery.model_name]
    assert rules is not None and record.live_since is not None  # noqa: PT018, S101 - stored before the first write
    live_since = parse_timestamp(record.live_since)
    return EventEncoder(
        delivery.model_plan.tables.identifiers,
        delivery.payload,
        rules.metric,
        lambda time: rules.is_backfilled(time, live_since),
    )


@dataclass
class _EventSender:
    """Sends the events of one model. `alone` are those that wait to be sent alone."""

    delivery: ListDelivery
    operation: SendEvents
    encoder: EventEncoder
    done: int = 0
    alone: list[tuple[int, EncodedEvent]] = field(default_factory=list)

    def prepare_events(self) -> Iterator[PreparedEvents]:
        """Yield the events until the model stops, and record the rows that can't be sent.

        Each receipt is stored before its request is sent: after a kill, a row without a receipt was not sent.
        """
        packer = EventPacker(self.operation.max_rows, self.operation.max_bytes)
        for seq, uncertain, event in self._encode_events():
            if self.delivery.counter.stopped:
                return
            if uncertain:
                self.alone.append((seq, event))
                yield from self._prepare_alone(_ALONE_ROWS)
            elif (batch := packer.add(seq, event)) is not None:
                yield self._prepare_together(batch)
        if self.delivery.counter.stopped:
            return
        yield from self._prepare_alone(1)
        if (batch := packer.flush()) is not None:
            yield self._prepare_together(batch)

    def _prepare_alone(self, min_rows: int) -> Iterator[PreparedEvents]:
        """Yield the events to be sent alone, if there are enough of them."""
        if len(self.alone) >= min_rows:
            seqs, events = zip(*self.alone, strict=True)
            self.alone = []
            yield PreparedEvents(EventBatch(seqs, events), alone=True)

    def _prepare_together(self, batch: EventBatch) -> PreparedEvents:
        intent = Receipt("", Op.ADD, batch.seqs[0], batch.seqs[-1], ReceiptState.UNKNOWN, len(batch))
        self.delivery.receipt_buffer.add((intent,))
        self.delivery.receipt_buffer.flush()
        return PreparedEvents(batch)

    def _encode_events(self) -> Iterator[tuple[int, bool, EncodedEvent]]:
        """Yield the number of each event, whether an earlier request may have stored it, and the event."""
        pending_rows = self.delivery.pending_rows
        for rows in pending_rows.read_upserts_with_uncertainty(self.delivery.list_id, _READ_ROWS):
            for seq, uncertain, *values in rows:
                match self.encoder.encode(values):
                    case EncodingError() as error:
                        self._reject(seq, error)
                    case EncodedEvent() as event:
                        yield seq, bool(uncertain), event

    def _reject(self, seq: int, error: EncodingError) -> None:
        self.delivery.record((), (make_unencodable_exception(seq, error),))

    def send(self, prepared: PreparedEvents) -> SentEvents:
        """Send events; in a thread of its own."""
        return send_prepared(self.delivery.context.klaviyo, prepared, self.delivery.refusals)

    def record(self, sent: SentEvents) -> None:
        """Record and count what came of some events."""
        if sent.stop_reason:
            self.delivery.counter.fail(sent.stop_reason)
        self.delivery.record(sent.receipts, sent.row_exceptions)
        self.done += sum(receipt.rows for receipt in sent.receipts) + len(sent.row_exceptions)
        self.delivery.report_progress(Op.ADD, self.done)
