"""Import the upserts of lists that share nobody, and follow the jobs to their end.

The imports of all these lists run at the same time. Klaviyo takes seconds to minutes for an import of any
size, so that a hundred lists, one after another, would wait a hundred times.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from reverse_etl.delivery.address_changes import prepare_address_changes
from reverse_etl.delivery.imports.changed_contacts import omit_contacts_of_others
from reverse_etl.delivery.imports.job_polling import poll_jobs, wait_for_open_jobs, warn_of_unknown_rows
from reverse_etl.delivery.imports.refused_identifiers import note_refused_identifiers, record_omissions
from reverse_etl.delivery.imports.submit_imports import submit_imports
from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.receipts import Receipt, ReceiptState
from reverse_etl.errors import FailureReason, KlaviyoError
from reverse_etl.formatting import format_count

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reverse_etl.delivery.list_delivery import ListDelivery
    from reverse_etl.surfaces.operations import ImportRows


def import_rows(deliveries: Sequence[ListDelivery], operation: ImportRows) -> None:
    """Import the upserts of each list. A failure stops its list; the list's counter holds the reason.

    Rows that Klaviyo refused for an identifier are then sent without it. Every pass takes one away from them.
    """
    for delivery in deliveries:
        omit_contacts_of_others(delivery)
        prepare_address_changes(delivery)
    seqs_by_list: dict[str, range | None] = {delivery.list_id: None for delivery in deliveries}
    waiting = [*deliveries]
    while waiting:
        accepted: dict[str, list[Receipt]] = {}
        reply_lost = []
        for delivery in waiting:
            list_id = delivery.list_id
            accepted[list_id], lost = submit_imports(delivery, operation, seqs_by_list[list_id])
            reply_lost += [delivery] if lost else []
        waiting[0].receipt_buffer.flush()
        _poll_imports(waiting, accepted)
        for delivery in reply_lost:
            _wait_for_unidentified_jobs(delivery)
        waiting[0].receipt_buffer.flush()
        seqs_by_list = {}
        for delivery in waiting:
            if (seqs := _omit_identifiers(delivery)) is not None:
                seqs_by_list[delivery.list_id] = seqs
        waiting = [delivery for delivery in waiting if delivery.list_id in seqs_by_list]


def _omit_identifiers(delivery: ListDelivery) -> range | None:
    """Record the refused identifiers, and return the new numbers of their rows; None if none is sent again.

    The rows count as not sent until then.
    """
    omissions, delivery.omissions[:] = [*delivery.omissions], ()
    context, model_plan = delivery.context, delivery.model_plan
    record_omissions(context, delivery.pending_rows, model_plan.model.name, omissions)
    if not omissions or delivery.counter.stopped:
        return None
    seqs = sorted({omission.seq for omission in omissions})
    delivery.counter.forget(Outcome.UNKNOWN, len(seqs))
    return context.state.renumber_deltas(context.run_id, model_plan.model.name, model_plan.tables, seqs)


def _poll_imports(deliveries: Sequence[ListDelivery], accepted: Mapping[str, Sequence[Receipt]]) -> None:
    """Follow the imports of all lists to their end."""
    context, pending_rows = deliveries[0].context, deliveries[0].pending_rows
    by_list = {delivery.list_id: delivery for delivery in deliveries}
    receipts = [receipt for list_receipts in accepted.values() for receipt in list_receipts]
    open_seqs = {receipt.first_seq: receipt.list_id for receipt in receipts}
    statuses: dict[str, set[str]] = {list_id: set() for list_id in by_list}

    def report_progress(jobs: int) -> None:
        del jobs  # of all lists together
        open_jobs = Counter(open_seqs.values())
        for list_id, list_receipts in accepted.items():
            if list_receipts:
                by_list[list_id].report_open_jobs(open_jobs[list_id])

    try:
        for result in poll_jobs(
            context, receipts, context.klaviyo_time, pending_rows.read_sent_rows, report_progress
        ):
            delivery = by_list[result.receipt.list_id]
            if result.receipt.state is ReceiptState.ACCEPTED:
                statuses[result.receipt.list_id].add(result.job_status)
                continue
            del open_seqs[result.receipt.first_seq]
            row_exceptions = note_refused_identifiers(delivery, result.row_exceptions)
            delivery.record((result.receipt,), row_exceptions)
            warn_of_unknown_rows(context, delivery.list_plan.list_ref.label, result)
            if result.stop_reason:
                delivery.counter.fail(result.stop_reason)
    except KlaviyoError as error:
        for list_id in {*open_seqs.values()}:
            by_list[list_id].counter.fail(FailureReason.of(error))
    for list_id, delivery in by_list.items():
        open_receipts = [receipt for receipt in accepted[list_id] if receipt.first_seq in open_seqs]
        _halt_unfinished(delivery, open_receipts, statuses[list_id])


def _halt_unfinished(
    delivery: ListDelivery, open_receipts: Sequence[Receipt], statuses: Iterable[str]
) -> None:
    if open_receipts:
        delivery.counter.add(Outcome.ACCEPTED, sum(receipt.rows for receipt in open_receipts))
        delivery.counter.halt(
            f"{format_count(len(open_receipts), 'import job')} had not ended "
            f"after {format_count(round(delivery.context.job_timeout_seconds / 60), 'minute')} "
            f"(status: {', '.join(map(repr, sorted(statuses))) or 'not known'}). "
            "The next run settles them."
        )


def _wait_for_unidentified_jobs(delivery: ListDelivery) -> None:
    """After a lost reply, wait for imports without a receipt."""
    try:
        ended = wait_for_open_jobs(
            delivery.context, delivery.context.klaviyo_time, on_open_jobs=delivery.report_open_jobs
        )
    except KlaviyoError as error:
        delivery.counter.has_unidentified_job = True
        delivery.counter.fail(FailureReason.of(error))
        return
    if not ended:
        delivery.counter.has_unidentified_job = True
        delivery.counter.halt(
            "An import whose reply was lost may still be running. The next run waits for it."
        )
