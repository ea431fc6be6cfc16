"""Encode a list's upserts, batch them, and start their imports concurrently."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import takewhile
from typing import TYPE_CHECKING

from reverse_etl.delivery.concurrency import map_concurrently
from reverse_etl.delivery.import_bisect import AbortList, RetryBatches, bisect_rejected
from reverse_etl.domain.deltas import Op
from reverse_etl.domain.events import SendProgress
from reverse_etl.domain.receipts import (
    Receipt,
    ReceiptState,
    RowException,
    RowExceptionKind,
    as_unknown,
)
from reverse_etl.domain.rejections import UNENCODABLE
from reverse_etl.errors import KlaviyoError, ReplyLost
from reverse_etl.formatting import end_sentence
from reverse_etl.klaviyo.batching import Batch, pack_rows
from reverse_etl.klaviyo.imports import ImportAccepted, RequestRefused, RowError, RowsRefused
from reverse_etl.klaviyo.serialize import EncodingError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reverse_etl.delivery.list_delivery import ListDelivery
    from reverse_etl.klaviyo.api import Klaviyo
    from reverse_etl.surfaces.operations import ImportRows

READ_ROWS = 10_000  # at a time from the warehouse


@dataclass(frozen=True)
class SubmittedBatch:
    """The result of one batch.

    `reply_lost`: an import without a receipt may exist. `stop_reason`: why the list stops, or empty.
    """

    receipts: tuple[Receipt, ...]
    row_exceptions: tuple[RowException, ...]
    reply_lost: bool = False
    stop_reason: str = ""


def submit_imports(delivery: ListDelivery, operation: ImportRows) -> tuple[list[Receipt], bool]:
    """Start the imports of one list's upserts.

    Returns the receipts of the imports that Klaviyo accepted, and whether an import without a receipt may
    exist. Rows are sent in the order of their numbers. A failure stops the list; its counter holds the
    reason.
    """
    accepted: list[Receipt] = []
    reply_lost = False
    list_id = delivery.list_plan.list_ref.id
    unencodable: list[RowException] = []
    batches = pack_rows(
        _encode_rows(delivery, operation, unencodable),
        operation.envelope(list_id),
        max_rows=operation.max_rows,
        max_bytes=operation.max_bytes,
    )
    batches_to_send = takewhile(lambda _: not delivery.counter.stopped, batches)
    for submitted in map_concurrently(
        delivery.context,
        lambda batch: submit_batch(delivery.context.klaviyo, batch, list_id),
        batches_to_send,
    ):
        reply_lost = reply_lost or submitted.reply_lost
        if submitted.stop_reason:
            delivery.counter.fail(submitted.stop_reason)
        batch_exceptions = (
            as_unknown(submitted.row_exceptions) if submitted.reply_lost else submitted.row_exceptions
        )
        row_exceptions, unencodable[:] = (*unencodable, *batch_exceptions), ()
        delivery.record(submitted.receipts, row_exceptions)
        accepted += [receipt for receipt in submitted.receipts if receipt.state is ReceiptState.ACCEPTED]
        taken = sum(receipt.rows for receipt in accepted)
        delivery.context.on_event(
            SendProgress(
                delivery.model_plan.model.name,
                delivery.list_plan.list_ref.name,
                taken,
                delivery.list_plan.upserts,
            )
        )
    delivery.record((), unencodable)
    return accepted, reply_lost


def submit_batch(klaviyo: Klaviyo, batch: Batch, list_id: str) -> SubmittedBatch:
    """Start the import of one batch, and take it apart as long as Klaviyo refuses it for single rows.

    Never raises KlaviyoError.
    """
    receipts: list[Receipt] = []
    errors_by_seq: dict[int, RowError] = {}
    waiting, rounds, reply_lost, size = [batch], 0, False, len(batch)

    def stopped_result(
        piece: Batch,
        why: str,
        *,
        outcome_unknown: bool,
        exception_kind: RowExceptionKind = RowExceptionKind.REJECTED,
    ) -> SubmittedBatch:
        """Return what came of it all when a piece is the last, which Klaviyo has perhaps carried out."""
        state = ReceiptState.UNKNOWN if outcome_unknown else ReceiptState.NOT_SENT
        last = _receipt(piece, list_id, state, detail=why)
        return SubmittedBatch(
            (*receipts, last, *_unsent_receipts(waiting, list_id)),
            _row_exceptions(errors_by_seq, exception_kind),
            reply_lost,
            why,
        )

    while waiting:
        piece = waiting.pop(0)
        try:
            reply = klaviyo.start_import(piece.body)
        except ReplyLost as error:
            reply_lost = True
            return stopped_result(piece, str(error), outcome_unknown=True)
        except KlaviyoError as error:
            return stopped_result(piece, str(error), outcome_unknown=False)
        reply_lost = reply_lost or reply.earlier_reply_lost
        match reply:
            case ImportAccepted(job):
                accepted = _receipt(piece, list_id, ReceiptState.ACCEPTED, job=job)
                receipts.append(replace(accepted, may_have_duplicate=reply_lost))
            case RequestRefused(request_error):
                return stopped_result(
                    piece, _describe_request_error(request_error), outcome_unknown=reply.earlier_reply_lost
                )
            case RowsRefused(errors):
                rounds += 1
                match bisect_rejected(piece, errors, rounds, size):
                    case RetryBatches(pieces, rejected):
                        errors_by_seq |= rejected
                        waiting = [*pieces, *waiting]
                    case AbortList(why):
                        return stopped_result(
                            piece,
                            why,
                            outcome_unknown=reply.earlier_reply_lost,
                            exception_kind=RowExceptionKind.NOT_SENT,
                        )
    return SubmittedBatch(tuple(receipts), _row_exceptions(errors_by_seq), reply_lost)


def _encode_rows(
    delivery: ListDelivery, operation: ImportRows, unencodable: list[RowException]
) -> Iterator[tuple[int, bytes]]:
    properties = {part.column.lower(): part.property for part in delivery.model_plan.model.payload}
    payload = [(properties[column.name.lower()], column) for column in delivery.model_plan.tables.payload]
    encoder = operation.make_encoder(delivery.model_plan.tables.identifiers, payload)
    for rows in delivery.pending_rows.read_upserts(delivery.list_plan.list_ref.id, READ_ROWS):
        for row in rows:
            match encoder.encode(row[1:]):
                case bytes() as encoded:
                    yield row[0], encoded
                case EncodingError(field, reason):
                    unencodable.append(
                        RowException(row[0], RowExceptionKind.REJECTED, UNENCODABLE, field, reason)
                    )


def _receipt(
    batch: Batch, list_id: str, state: ReceiptState, *, job: str | None = None, detail: str = ""
) -> Receipt:
    return Receipt(list_id, Op.ADD, batch.seqs[0], batch.seqs[-1], state, len(batch), job, detail)


def _unsent_receipts(batches: Sequence[Batch], list_id: str) -> tuple[Receipt, ...]:
    return tuple(_receipt(batch, list_id, ReceiptState.NOT_SENT) for batch in batches)


def _row_exceptions(
    errors_by_seq: dict[int, RowError], kind: RowExceptionKind = RowExceptionKind.REJECTED
) -> tuple[RowException, ...]:
    return tuple(
        RowException(seq, kind, error.code, error.field, error.detail)
        for seq, error in sorted(errors_by_seq.items())
    )


def _describe_request_error(error: RowError) -> str:
    location = f" at {error.field}" if error.field else ""
    return f"Klaviyo refused the request ({error.code}{location}). {end_sentence(error.detail)}"
