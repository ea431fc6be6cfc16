"""Deliver one model's plan, list by list.

The jobs of a list end before the next list starts, so that a person is in at most one unfinished import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from reverse_etl.delivery.add_members import add_members
from reverse_etl.delivery.change_suppressions import change_suppressions
from reverse_etl.delivery.clear_values import clear_values
from reverse_etl.delivery.imports import submit_imports
from reverse_etl.delivery.job_polling import poll_jobs, wait_for_open_jobs
from reverse_etl.delivery.list_delivery import ListDelivery
from reverse_etl.delivery.outcomes import Outcome, OutcomeCounter
from reverse_etl.delivery.pending_rows import PendingRows
from reverse_etl.delivery.receipt_buffer import ReceiptBuffer
from reverse_etl.delivery.recovery import warn_of_unknown_rows
from reverse_etl.delivery.refused_identifiers import omit_refused_identifiers
from reverse_etl.delivery.remove_members import leave_rows_in_place, remove_members
from reverse_etl.delivery.send_events import send_events
from reverse_etl.delivery.send_requests import send_requests
from reverse_etl.delivery.update_profiles import update_profiles
from reverse_etl.domain.events import JobProgress, ListDone
from reverse_etl.domain.receipts import Receipt, ReceiptState
from reverse_etl.errors import KlaviyoError
from reverse_etl.formatting import format_count
from reverse_etl.surfaces.interface import Blocking
from reverse_etl.surfaces.operations import (
    AddToList,
    ChangeSuppressions,
    ClearValues,
    ImportRows,
    RemoveFromList,
    SendEvents,
    SendRequests,
    UpdateProfiles,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reverse_etl.delivery.context import DeliveryContext
    from reverse_etl.planning.plan import ListPlan, ModelPlan
    from reverse_etl.surfaces.operations import Operation


def deliver_model(
    context: DeliveryContext, model_plan: ModelPlan, earlier_counters: Sequence[OutcomeCounter] = ()
) -> tuple[OutcomeCounter, ...]:
    """Send a model's deltas, apply the proved ones to the snapshot, and return a counter per list.

    Upserts are sent first, then values are cleared, then rows are removed, unless the list stopped.
    `earlier_counters` are those of the models before. While an import that blocks people is unfinished, other
    lists that block people wait, because the same person may be in both.
    """
    context.warehouse.set_query_tag(model=model_plan.model.name)
    receipt_buffer = ReceiptBuffer(context, model_plan.model.name)
    pending_rows = PendingRows(context.warehouse, model_plan.tables, context.run_id, model_plan.model.name)
    counters: list[OutcomeCounter] = []
    blocks_people = model_plan.model.config.surface.blocking is Blocking.PEOPLE
    with context.warehouse.sending(), receipt_buffer:
        for list_plan in model_plan.lists:
            counter = OutcomeCounter(blocks_people=blocks_people)
            blocked_reason = context.blocked_lists.find_reason(model_plan.model.name, list_plan.list_ref.id)
            if list_plan.stop_reason:
                counter.halt(list_plan.stop_reason)
            elif blocked_reason is not None:
                counter.fail(blocked_reason)
            elif blocks_people and any(
                earlier.has_open_jobs and earlier.blocks_people for earlier in (*earlier_counters, *counters)
            ):
                counter.halt(
                    "Imports of another list are unfinished, and a person may be in one at a time. "
                    "The next run continues."
                )
            else:
                _deliver_list(
                    ListDelivery(context, model_plan, list_plan, pending_rows, receipt_buffer, counter)
                )
            _count_unsent(list_plan, counter)
            counts = {str(outcome): rows for outcome, rows in counter.counts.items()}
            context.on_event(
                ListDone(model_plan.model.name, list_plan.list_ref.name, counts, counter.stop_reason)
            )
            counters.append(counter)
    context.state.apply_receipts(
        context.run_id, model_plan.model.name, model_plan.tables, model_plan.model.checksum
    )
    return tuple(counters)


def count_idle_list(list_plan: ListPlan) -> OutcomeCounter:
    """Return the counter of a list whose model has nothing to send; a guard may have stopped the list."""
    counter = OutcomeCounter()
    if list_plan.stop_reason:
        counter.halt(list_plan.stop_reason)
    _count_unsent(list_plan, counter)
    return counter


def _deliver_list(delivery: ListDelivery) -> None:
    surface = delivery.model_plan.model.config.surface
    if delivery.list_plan.upserts:
        _send(delivery, surface.upsert)
    if delivery.list_plan.clears and surface.clear is not None:
        _send(delivery, surface.clear)
    if delivery.list_plan.removes and not delivery.counter.stopped:
        delivery.receipt_buffer.flush()
        if surface.remove is None:
            leave_rows_in_place(delivery)
        else:
            _send(delivery, surface.remove)


def _send(delivery: ListDelivery, operation: Operation) -> None:
    """Send the rows of one list with the sender of the operation."""
    match operation:
        case ImportRows():
            _import_rows(delivery, operation)
        case UpdateProfiles():
            update_profiles(delivery, operation)
        case ClearValues():
            clear_values(delivery, operation)
        case AddToList():
            add_members(delivery, operation)
        case RemoveFromList():
            remove_members(delivery, operation)
        case SendRequests():
            send_requests(delivery, operation)
        case ChangeSuppressions():
            change_suppressions(delivery, operation)
        case SendEvents():
            send_events(delivery, operation)
        case _:
            assert_never(operation)


def _import_rows(delivery: ListDelivery, operation: ImportRows) -> None:
    """Import the upserts and follow their jobs to the end."""
    accepted, reply_lost = submit_imports(delivery, operation)
    delivery.receipt_buffer.flush()
    _poll_imports(delivery, accepted)
    if reply_lost:
        _wait_for_unidentified_jobs(delivery)


def _poll_imports(delivery: ListDelivery, accepted: Sequence[Receipt]) -> None:
    """Follow the imports to their end."""
    finished_seqs: set[int] = set()
    statuses: set[str] = set()
    try:
        for result in poll_jobs(
            delivery.context,
            accepted,
            delivery.context.klaviyo_time,
            delivery.pending_rows.read_sent_rows,
            _progress_callback(delivery),
        ):
            if result.receipt.state is ReceiptState.ACCEPTED:
                statuses.add(result.job_status)
                continue
            finished_seqs.add(result.receipt.first_seq)
            row_exceptions = omit_refused_identifiers(
                delivery.context,
                delivery.pending_rows,
                delivery.model_plan.model.name,
                result.row_exceptions,
            )
            delivery.record((result.receipt,), row_exceptions)
            warn_of_unknown_rows(delivery.context, delivery.list_plan.list_ref.label, result)
            if result.stop_reason:
                delivery.counter.fail(result.stop_reason)
    except KlaviyoError as error:
        delivery.counter.fail(str(error))
    open_receipts = [receipt for receipt in accepted if receipt.first_seq not in finished_seqs]
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
            delivery.context, delivery.context.klaviyo_time, on_progress=_progress_callback(delivery)
        )
    except KlaviyoError as error:
        delivery.counter.has_unidentified_job = True
        delivery.counter.fail(str(error))
        return
    if not ended:
        delivery.counter.has_unidentified_job = True
        delivery.counter.halt(
            "An import whose reply was lost may still be running. The next run waits for it."
        )


def _progress_callback(delivery: ListDelivery) -> Callable[[int], None]:
    def report_progress(jobs: int) -> None:
        delivery.context.on_event(
            JobProgress(delivery.model_plan.model.name, delivery.list_plan.list_ref.name, jobs)
        )

    return report_progress


def _count_unsent(list_plan: ListPlan, counter: OutcomeCounter) -> None:
    """Count what a limit kept back, and what was planned and never drawn from the warehouse.

    So every planned row is in one count.
    """
    counter.add(
        Outcome.NOT_SENT,
        list_plan.upserts + list_plan.removes + list_plan.deferred - sum(counter.counts.values()),
    )
