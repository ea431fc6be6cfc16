"""Send one list's rows by requests that the model describes, and settle each row by the reply."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from reverse_etl.delivery.concurrency import map_concurrently
from reverse_etl.delivery.receipt_buffer import FLUSH_RECEIPTS
from reverse_etl.delivery.requests.request_bisect import SentRequest, send_request
from reverse_etl.delivery.row_exceptions import make_unencodable_exception
from reverse_etl.domain.columns import ColumnKind
from reverse_etl.domain.deltas import Op
from reverse_etl.domain.identifiers import split_row_key
from reverse_etl.domain.receipts import Receipt, ReceiptState, RowException, RowExceptionKind
from reverse_etl.errors import FailureReason
from reverse_etl.formatting import end_sentence, format_count
from reverse_etl.klaviyo.json_values import convert_decimal, convert_integer
from reverse_etl.klaviyo.serialize import EncodingError, ValueReader
from reverse_etl.state.sql.deltas import RunDeltas
from reverse_etl.surfaces.request_template import (
    PreparedRequest,
    RequestMode,
    UnpreparedRow,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reverse_etl.delivery.list_delivery import ListDelivery
    from reverse_etl.domain.columns import Column
    from reverse_etl.klaviyo.batching import Batch
    from reverse_etl.klaviyo.kept_responses import KeptResponse
    from reverse_etl.surfaces.operations import SendRequests

_READ_ROWS: Final = 10_000  # at a time from the warehouse
_ALIKE_REFUSALS: Final = 20  # that are the first of a list: then the model or the account is at fault


def send_requests(delivery: ListDelivery, operation: SendRequests) -> None:
    """Send one list's upserts, or its removes. A failed request stops the list, whose counter says why."""
    sender = _RequestSender(delivery, operation)
    for sent in map_concurrently(delivery.context, sender.send, sender.prepare_requests()):
        sender.record(sent)
    sender.finish()


@dataclass
class _RequestSender:
    """Sends the rows of one list by one operation.

    `undecided` holds results as long as nothing was applied and all rows were refused for one reason: whether
    the rows or the model are at fault shows only later. `is_model_at_fault` is whether it was the model.
    """

    delivery: ListDelivery
    operation: SendRequests
    done: int = 0
    prepared: int = 0
    any_applied: bool = False
    undecided: list[SentRequest] = field(default_factory=list)
    responses: list[KeptResponse] = field(default_factory=list)
    is_model_at_fault: bool = False

    def prepare_requests(self) -> Iterator[PreparedRequest]:
        """Yield the requests until the list stops, and record the rows that can't be sent.

        If a request of the model may not be repeated, each receipt is stored before its request is sent:
        after a kill, a row without a receipt was not sent.
        """
        for item in self._prepare_rows():
            match item:
                case UnpreparedRow(seq, error):
                    self._reject(seq, error)
                case PreparedRequest():
                    if self.delivery.counter.stopped or self._reaches_limit():
                        return
                    if self.delivery.surface.records_intent:
                        self._record_intent(item.batch)
                    yield item

    def _reaches_limit(self) -> bool:
        """Stop the list after the most requests of a run; the plan can't count those of grouped rows."""
        limit = self.delivery.surface.max_requests
        if self.operation.template.mode is RequestMode.GROUPED and self.prepared == limit:
            self.delivery.counter.halt(
                f"{format_count(self.prepared, 'request')} were sent, and max_requests is {limit:,}. "
                "The next run continues."
            )
            return True
        self.prepared += 1
        return False

    def _reject(self, seq: int, error: EncodingError) -> None:
        self.delivery.record((), (make_unencodable_exception(seq, error),))

    def _record_intent(self, batch: Batch) -> None:
        list_id, op = self.delivery.list_id, self.operation.op
        intent = Receipt(list_id, op, batch.seqs[0], batch.seqs[-1], ReceiptState.UNKNOWN, len(batch))
        self.delivery.receipt_buffer.add((intent,))
        self.delivery.receipt_buffer.flush()

    def _prepare_rows(self) -> Iterator[PreparedRequest | UnpreparedRow]:
        operation = self.operation
        rows = self._read_removes() if operation.removes else self._read_upserts()
        if operation.update is None:
            return operation.template.prepare((seq, values) for _, seq, values in rows)
        return (
            item for op, seq, values in rows for item in operation.template_for(op).prepare([(seq, values)])
        )

    def _read_upserts(self) -> Iterator[tuple[Op, int, dict[str, Any]]]:
        reader = ValueReader(self.delivery.payload)
        for rows in self.delivery.pending_rows.read_upserts_with_op(self.delivery.list_id, _READ_ROWS):
            for seq, op, *values in rows:
                match reader.read(values):
                    case EncodingError() as error:
                        self._reject(seq, error)
                    case read:
                        yield Op(op), seq, read

    def _read_removes(self) -> Iterator[tuple[Op, int, dict[str, Any]]]:
        names = self.delivery.surface.columns.key
        key = self.delivery.model_plan.tables.key
        for rows in self.delivery.pending_rows.read_removes(self.delivery.list_id, _READ_ROWS):
            for seq, identity, *_ in rows:
                values = map(_read_key_part, key, split_row_key(identity))
                yield Op.REMOVE, seq, dict(zip(names, values, strict=True))

    def send(self, request: PreparedRequest) -> SentRequest:
        """Send one request; in a thread of its own."""
        klaviyo = self.delivery.context.klaviyo
        return send_request(klaviyo, self.operation, request, self.delivery.list_id)

    def record(self, sent: SentRequest) -> None:
        """Record and count what came of a request."""
        self.any_applied = self.any_applied or any(
            receipt.state is ReceiptState.APPLIED and receipt.rows for receipt in sent.receipts
        )
        self.undecided.append(sent)
        self.responses += sent.responses
        if len(self.responses) >= FLUSH_RECEIPTS:
            self._store_responses()
        alike = self._find_common_refusal()
        if alike is None:
            self._record_undecided()
        elif self.is_model_at_fault or (self._has_enough_refusals() and self._has_several_groups()):
            self._stop_for(alike)

    def _has_enough_refusals(self) -> bool:
        return sum(len(sent.row_exceptions) for sent in self.undecided) >= _ALIKE_REFUSALS

    def _has_several_groups(self) -> bool:
        """Return whether the refusals are of more than one group, whose path may be at fault alone."""
        grouped = self.operation.template.mode is RequestMode.GROUPED
        return not grouped or len({sent.path for sent in self.undecided}) > 1

    def finish(self) -> None:
        """Record the refusals that are too few to tell whose fault they are, and the last replies."""
        self._record_undecided()
        self._store_responses()

    def _store_responses(self) -> None:
        """Store the kept replies, in groups as receipts are: a killed run loses at most the last group."""
        context, model_plan = self.delivery.context, self.delivery.model_plan
        run = RunDeltas(model_plan.tables, context.run_id, model_plan.model.name)
        context.state.responses.record(run, self.responses)
        self.responses.clear()

    def _find_common_refusal(self) -> RowException | None:
        """Return one of the refusals if nothing but refusals for one reason came so far."""
        exceptions = [exception for sent in self.undecided for exception in sent.row_exceptions]
        only_refused = not self.any_applied and not any(sent.stop_reason for sent in self.undecided)
        if (
            not exceptions
            or not only_refused
            or len({(exception.code, exception.field) for exception in exceptions}) > 1
        ):
            return None
        return exceptions[0]

    def _stop_for(self, refusal: RowException) -> None:
        """Stop the list, since the model or the account is at fault, and reject no row."""
        self.is_model_at_fault = True
        rows = sum(len(sent.row_exceptions) for sent in self.undecided)
        where = f"{refusal.code} at {refusal.field}" if refusal.field else refusal.code
        reason = (
            f"Klaviyo refused all of the first {format_count(rows, 'row')} for the same reason, so the cause "
            f"is the model or the account ({where}). {end_sentence(refusal.detail)}"
        )
        self.delivery.counter.fail(FailureReason.refusal(reason))
        for sent in self.undecided:
            receipts = [replace(receipt, state=ReceiptState.NOT_SENT) for receipt in sent.receipts]
            not_sent = [
                replace(exception, kind=RowExceptionKind.NOT_SENT) for exception in sent.row_exceptions
            ]
            self.delivery.record(receipts, not_sent)
        self.undecided.clear()

    def _record_undecided(self) -> None:
        for sent in self.undecided:
            if sent.stop_reason:
                self.delivery.counter.fail(sent.stop_reason)
            self.delivery.record(sent.receipts, sent.row_exceptions)
            self.done += sum(receipt.rows for receipt in sent.receipts) + len(sent.row_exceptions)
        if self.undecided:
            self.delivery.report_progress(self.operation.op, self.done)
        self.undecided.clear()


def _read_key_part(column: Column, text: str) -> Any:
    """Return a part of a row key as the request for new rows has it: of a column of numbers, a number."""
    if column.kind not in {ColumnKind.INTEGER, ColumnKind.DECIMAL}:
        return text
    try:
        return convert_decimal(text) if column.kind is ColumnKind.DECIMAL else convert_integer(int(text))
    except (ArithmeticError, ValueError):  # the key was stored when the column held texts
        return text
