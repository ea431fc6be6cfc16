"""Encode a list's upserts, batch them, and start their imports concurrently."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from reverse_etl.delivery.concurrency import map_concurrently
from reverse_etl.delivery.imports.import_batch import submit_batch
from reverse_etl.delivery.imports.refused_identifiers import note_refused_identifiers
from reverse_etl.delivery.row_exceptions import make_unencodable_exception
from reverse_etl.domain.deltas import Op
from reverse_etl.domain.receipts import (
    Receipt,
    ReceiptState,
    RowException,
    as_unknown,
)
from reverse_etl.klaviyo.batching import pack_rows
from reverse_etl.klaviyo.serialize import EncodingError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reverse_etl.delivery.list_delivery import ListDelivery
    from reverse_etl.surfaces.operations import ImportRows, UpdateProfiles

READ_ROWS = 10_000  # at a time from the warehouse


def submit_imports(
    delivery: ListDelivery, operation: ImportRows, seqs: range | None = None
) -> tuple[list[Receipt], bool]:
    """Start the imports of one list's upserts, or of those in a range.

    Returns the receipts of the imports that Klaviyo accepted, and whether an import without a receipt may
    exist. Rows are sent in the order of their numbers. A failure stops the list; its counter holds the
    reason.
    """
    accepted: list[Receipt] = []
    reply_lost = False
    list_id = delivery.list_id
    unencodable: list[RowException] = []
    batches = pack_rows(
        encode_rows(delivery, operation, unencodable, seqs),
        operation.envelope(list_id),
        max_rows=operation.max_rows,
        max_bytes=operation.max_bytes,
    )
    batches_to_send = takewhile(lambda _: not delivery.counter.stopped, batches)
    for submitted in map_concurrently(
        delivery.context,
        lambda batch: submit_batch(delivery.context.klaviyo, batch, list_id, delivery.refusals),
        batches_to_send,
    ):
        reply_lost = reply_lost or submitted.reply_lost
        if submitted.stop_reason:
            delivery.counter.fail(submitted.stop_reason)
        batch_exceptions = (
            as_unknown(submitted.row_exceptions) if submitted.reply_lost else submitted.row_exceptions
        )
        batch_exceptions = note_refused_identifiers(delivery, batch_exceptions)
        row_exceptions, unencodable[:] = (*unencodable, *batch_exceptions), ()
        delivery.record(submitted.receipts, row_exceptions)
        accepted += [receipt for receipt in submitted.receipts if receipt.state is ReceiptState.ACCEPTED]
        delivery.report_progress(Op.ADD, sum(receipt.rows for receipt in accepted))
    delivery.record((), unencodable)
    return accepted, reply_lost


def encode_rows(
    delivery: ListDelivery,
    operation: ImportRows | UpdateProfiles,
    unencodable: list[RowException],
    seqs: range | None = None,
) -> Iterator[tuple[int, bytes]]:
    """Yield the number and the encoded profile of each upsert, and add those that can't be sent to a list."""
    encoder = operation.make_encoder(delivery.model_plan.tables.identifiers, delivery.payload)
    for rows in delivery.pending_rows.read_upserts(delivery.list_id, READ_ROWS, seqs):
        for row in rows:
            match encoder.encode(row[1:]):
                case bytes() as encoded:
                    yield row[0], encoded
                case EncodingError() as error:
                    unencodable.append(make_unencodable_exception(row[0], error))
