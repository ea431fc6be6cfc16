"""Settle unfinished runs before a new plan is made."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from reverse_etl.delivery.import_results import poll_jobs, wait_for_open_jobs
from reverse_etl.delivery.pending_rows import PendingRows
from reverse_etl.domain.events import RecoveryStarted
from reverse_etl.domain.receipts import ReceiptState
from reverse_etl.errors import KlaviyoError
from reverse_etl.state import OpenReceipt, RunState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reverse_etl.delivery.context import DeliveryContext
    from reverse_etl.models.model import Model


def recover_earlier_runs(context: DeliveryContext, models: Iterable[Model]) -> None:
    """Follow the jobs of unfinished runs to their end, and apply what they prove to the snapshot.

    Also waits for imports without a receipt: a run may have been killed before it wrote one. `models` are
    the project's: of those whose requests must not be repeated, a row without a receipt was not sent.
    Idempotent. Raises KlaviyoError if jobs have not ended within the job timeout.
    """
    open_receipts, unfinished = context.state.receipts.open_receipts(), context.state.runs.unfinished()
    if not open_receipts and not unfinished:
        return
    once_checksums = {model.name: model.checksum for model in models if model.config.surface.upsert.once}
    context.on_event(RecoveryStarted(len(unfinished), len(open_receipts)))
    by_model: dict[tuple[str, str], list[OpenReceipt]] = defaultdict(list)
    for entry in open_receipts:
        by_model[entry.run_id, entry.model].append(entry)
    for (run_id, model), entries in by_model.items():
        _record_job_results(context, run_id, model, entries)
    if unfinished and not wait_for_open_jobs(context, min(unfinished.values())):
        raise _open_jobs_error()
    for run_id in sorted({*unfinished, *(run_id for run_id, _ in by_model)}):
        for name, model_record in context.state.models().items():
            if (tables := context.state.load_tables(model_record)) is not None:
                context.state.apply_receipts(run_id, name, tables, model_record.checksum)
                if run_id in unfinished and model_record.checksum == once_checksums.get(name):
                    context.state.delete_unsent(run_id, name, tables)
    for run_id in unfinished:
        context.state.runs.record_end(run_id, RunState.RECOVERED)


def _record_job_results(
    context: DeliveryContext, run_id: str, model: str, entries: list[OpenReceipt]
) -> None:
    model_record = context.state.models().get(model)
    tables = context.state.load_tables(model_record) if model_record else None
    if tables is None:
        return
    receipts = [entry.receipt for entry in entries]
    since = min(entry.run_started_at for entry in entries)
    read_rows = PendingRows(context.warehouse, tables, run_id).read_sent_rows
    for result in poll_jobs(context, receipts, since, read_rows):
        if result.receipt.state is ReceiptState.ACCEPTED:
            raise _open_jobs_error()
        context.state.record_receipts(run_id, model, (result.receipt,), result.row_exceptions)


def _open_jobs_error() -> KlaviyoError:
    return KlaviyoError.of(
        "Klaviyo is still processing import jobs of an earlier run.",
        hint="Nothing was sent. Run again later.",
    )
