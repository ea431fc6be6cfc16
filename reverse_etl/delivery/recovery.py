"""Settle unfinished runs before a new plan is made."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from reverse_etl.delivery.blocked_lists import BlockedLists
from reverse_etl.delivery.imports.job_polling import poll_jobs, wait_for_open_jobs, warn_of_unknown_rows
from reverse_etl.delivery.imports.refused_identifiers import find_omissions, record_omissions
from reverse_etl.delivery.pending_rows import PendingRows
from reverse_etl.domain.progress import RecoveryStarted
from reverse_etl.domain.receipts import ReceiptState
from reverse_etl.errors import KeyRefused, KlaviyoError
from reverse_etl.state import OpenReceipt, RunState
from reverse_etl.state.people import erase_deleted
from reverse_etl.surfaces.catalog import find_surface
from reverse_etl.surfaces.interface import Blocking

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from reverse_etl.delivery.context import DeliveryContext
    from reverse_etl.delivery.imports.import_results import JobResult
    from reverse_etl.models.model import Model

_UNIDENTIFIED = (
    "An import of an earlier run whose reply was lost may still be running. Nothing was sent to this list. "
    "Run again later."
)


def recover_earlier_runs(context: DeliveryContext, models: Iterable[Model]) -> BlockedLists:
    """Follow the jobs of unfinished runs to their end, and apply what they prove to the snapshot.

    Also waits for imports without a receipt: a run may have been killed before it wrote one. `models` are
    the project's: of those that store receipts before they send, a row without a receipt was not sent, and
    neither was an unsubscription. Idempotent. Returns the lists whose imports have not ended in time, or
    cannot be read now.
    """
    blocked = BlockedLists()
    open_receipts, unfinished = context.state.receipts.open_receipts(), context.state.runs.unfinished()
    if not open_receipts and not unfinished:
        return blocked
    checksums = {model.name: model.checksum for model in models if model.config.surface.records_intent}
    context.on_progress(RecoveryStarted(len(unfinished), len(open_receipts)))
    by_model: dict[tuple[str, str], list[OpenReceipt]] = defaultdict(list)
    for entry in open_receipts:
        by_model[entry.run_id, entry.model].append(entry)
    open_runs = {
        run_id
        for (run_id, model), entries in by_model.items()
        if not _record_job_results(context, run_id, model, entries, blocked)
    }
    job_ids = frozenset(entry.receipt.job_id or "" for entry in open_receipts)
    open_runs |= _find_runs_with_unidentified_jobs(context, unfinished, job_ids, blocked)
    for run_id in sorted({*unfinished, *(run_id for run_id, _ in by_model)}):
        for name, model_record in context.state.models.records().items():
            if (tables := context.state.models.load_tables(model_record)) is not None:
                context.state.apply_receipts(run_id, name, tables, model_record.checksum)
                surface = find_surface(model_record.surface)
                if run_id in unfinished and model_record.checksum == checksums.get(name):
                    context.state.delete_unsent(run_id, name, tables)
                elif run_id in unfinished and surface is not None and surface.asks_for_consent:
                    context.state.mark_unsent_uncertain(run_id, name, tables, keeps_uncertain=True)
    erase_deleted(context.state)
    for run_id in unfinished.keys() - open_runs:
        context.state.runs.record_end(run_id, RunState.RECOVERED)
    return blocked


def _record_job_results(
    context: DeliveryContext,
    run_id: str,
    model: str,
    entries: list[OpenReceipt],
    blocked: BlockedLists,
) -> bool:
    """Record what the jobs of a run and model prove. Returns whether all of them have ended."""
    model_record = context.state.models.records().get(model)
    tables = context.state.models.load_tables(model_record) if model_record else None
    if tables is None:
        return True
    waiting = {entry.receipt.first_seq: entry.receipt for entry in entries}
    since = min(entry.run_started_at for entry in entries)
    pending_rows = PendingRows(context.warehouse, tables, run_id, model)
    reason = ""
    try:
        for result in poll_jobs(context, [*waiting.values()], since, pending_rows.read_sent_rows):
            if result.receipt.state is ReceiptState.ACCEPTED:
                reason = _describe_open_job(result)
                continue
            row_exceptions, omissions = find_omissions(pending_rows, result.row_exceptions)
            context.state.record_receipts(run_id, model, (result.receipt,), row_exceptions)
            record_omissions(context, pending_rows, model, omissions)
            warn_of_unknown_rows(context, model, result)
            del waiting[result.receipt.first_seq]
    except KeyRefused:
        raise
    except KlaviyoError as error:
        reason = f"{error} Nothing was sent to this list, since an import of an earlier run is open."
    for receipt in waiting.values():
        blocked.add(model, receipt.list_id, reason)
    return not waiting


def _find_runs_with_unidentified_jobs(
    context: DeliveryContext,
    unfinished: dict[str, datetime],
    known_job_ids: frozenset[str],
    blocked: BlockedLists,
) -> set[str]:
    """Return the runs whose imports without a receipt may still be running, and block their lists.

    These are the lists with uncertain rows, of surfaces whose imports block people.
    """
    open_runs = {
        run_id
        for run_id, started_at in sorted(unfinished.items(), key=lambda item: item[1])
        if not wait_for_open_jobs(context, started_at, known_job_ids)
    }
    for name, model_record in context.state.models.records().items() if open_runs else ():
        surface = find_surface(model_record.surface)
        if surface is not None and surface.blocking is not Blocking.PEOPLE:
            continue  # no import holds its rows
        _, uncertain = context.state.models.rows_by_list(model_record.table_key)
        for list_id in uncertain:
            blocked.add(name, list_id, _UNIDENTIFIED)
    return open_runs


def _describe_open_job(result: JobResult) -> str:
    return (
        f"Klaviyo is still processing import jobs of an earlier run (status: {result.job_status!r}). Nothing "
        "was sent to this list. Run again later: a day after such a job was created, its rows are sent again."
    )
