"""Deliver one model's plan, group of lists by group of lists. A sender is imported when rows need it.

The lists of a group share nobody. Their jobs end before the next group starts, so that a person is in at most
one unfinished import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, assert_never

from reverse_etl.delivery.imports.import_rows import import_rows
from reverse_etl.delivery.list_delivery import ListDelivery
from reverse_etl.delivery.list_groups import group_lists
from reverse_etl.delivery.members.add_members import add_members
from reverse_etl.delivery.members.remove_members import leave_rows_in_place, remove_members
from reverse_etl.delivery.outcomes import Outcome, OutcomeCounter
from reverse_etl.delivery.pending_rows import PendingRows
from reverse_etl.delivery.receipt_buffer import ReceiptBuffer
from reverse_etl.delivery.small_lists import blame_model_for_small_list
from reverse_etl.domain.progress import ListDone
from reverse_etl.state.people import erase_deleted
from reverse_etl.surfaces.interface import Blocking
from reverse_etl.surfaces.operations import (
    AddToList,
    ChangeSuppressions,
    ClearValues,
    DeleteProfiles,
    ImportRows,
    ReadmitPeople,
    RemoveFromList,
    SendEvents,
    SendRequests,
    SubscribePeople,
    UnsubscribePeople,
    UpdateProfiles,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reverse_etl.delivery.context import DeliveryContext
    from reverse_etl.planning.list_plan import ListPlan
    from reverse_etl.planning.plan import ModelPlan
    from reverse_etl.surfaces.operations import Operation

_Sent = TypeVar("_Sent")  # the class of one operation


def deliver_model(
    context: DeliveryContext, model_plan: ModelPlan, earlier_counters: Sequence[OutcomeCounter] = ()
) -> tuple[OutcomeCounter, ...]:
    """Send a model's deltas, apply the proved ones to the snapshot, and return a counter per list.

    Upserts are sent first, then values are cleared, then rows are removed, unless the list stopped.
    `earlier_counters` are those of the models before. While an import that blocks people is unfinished, lists
    of later groups that block people wait, because the same person may be in both.
    """
    context.warehouse.set_query_tag(model=model_plan.model.name)
    receipt_buffer = ReceiptBuffer(context, model_plan.model.name)
    pending_rows = PendingRows(context.warehouse, model_plan.tables, context.run_id, model_plan.model.name)
    blocks_people = model_plan.model.config.surface.blocking is Blocking.PEOPLE
    deliveries = [
        ListDelivery(
            context,
            model_plan,
            list_plan,
            pending_rows,
            receipt_buffer,
            OutcomeCounter(blocks_people=blocks_people),
        )
        for list_plan in model_plan.lists
    ]
    with context.warehouse.sending(), receipt_buffer:
        counters = [*earlier_counters]
        for group in group_lists(context, deliveries):
            _deliver_group(group, counters)
            counters += [delivery.counter for delivery in group]
    context.state.apply_receipts(
        context.run_id, model_plan.model.name, model_plan.tables, model_plan.model.checksum
    )
    if model_plan.model.config.surface.deletes_people:
        erase_deleted(context.state)
    return tuple(delivery.counter for delivery in deliveries)


def _deliver_group(group: Sequence[ListDelivery], earlier_counters: Sequence[OutcomeCounter]) -> None:
    """Deliver lists that share nobody: their imports run at the same time."""
    ready = [delivery for delivery in group if not _is_stopped(delivery, earlier_counters)]
    with_upserts = [delivery for delivery in ready if delivery.list_plan.upserts]
    _send(with_upserts, group[0].surface.upsert)
    for delivery in ready:
        blame_model_for_small_list(delivery)
        _clear_and_remove(delivery)
    for delivery in group:
        _count_unsent(delivery.list_plan, delivery.counter)
        counts = {str(outcome): rows for outcome, rows in delivery.counter.counts.items()}
        delivery.context.on_progress(
            ListDone(delivery.model_name, delivery.list_name, counts, delivery.counter.stop_reason)
        )


def _is_stopped(delivery: ListDelivery, earlier_counters: Sequence[OutcomeCounter]) -> bool:
    """Stop a list that a guard stops, that is blocked, or that waits for imports; return whether it is."""
    counter, list_plan = delivery.counter, delivery.list_plan
    blocked_reason = delivery.context.blocked_lists.find_reason(delivery.model_name, list_plan.list_ref.id)
    if list_plan.stop_reason:
        counter.halt(list_plan.stop_reason)
    elif blocked_reason is not None:
        counter.fail(blocked_reason)
    elif counter.blocks_people and any(
        earlier.has_open_jobs and earlier.blocks_people for earlier in earlier_counters
    ):
        counter.halt(
            "Imports of another list are unfinished, and a person may be in one at a time. "
            "The next run continues."
        )
    elif _may_be_made_anew(delivery, earlier_counters):
        counter.halt("Imports are unfinished, and could create deleted people again. The next run continues.")
    return counter.stopped


def _may_be_made_anew(delivery: ListDelivery, earlier_counters: Sequence[OutcomeCounter]) -> bool:
    """Return whether people are to be deleted while an import that may have them is unfinished."""
    deletes = delivery.surface.deletes_people
    has_open_imports = delivery.context.has_open_imports or any(
        earlier.has_open_jobs for earlier in earlier_counters
    )
    return deletes and has_open_imports


def count_idle_list(list_plan: ListPlan) -> OutcomeCounter:
    """Return the counter of a list whose model has nothing to send; a guard may have stopped the list."""
    counter = OutcomeCounter()
    if list_plan.stop_reason:
        counter.halt(list_plan.stop_reason)
    _count_unsent(list_plan, counter)
    return counter


def _clear_and_remove(delivery: ListDelivery) -> None:
    """Send the clears of a list, then its removes, unless it stopped."""
    surface = delivery.surface
    if delivery.list_plan.clears and surface.clear is not None:
        _send([delivery], surface.clear)
    if delivery.list_plan.leaving and not delivery.counter.stopped:
        delivery.receipt_buffer.flush()
        if surface.remove is None:
            leave_rows_in_place(delivery)
        else:
            _send([delivery], surface.remove)


def _send(deliveries: Sequence[ListDelivery], operation: Operation) -> None:  # noqa: C901, PLR0912 - a case for each
    """Send the rows of lists that share nobody, with the sender of the operation."""
    match operation:
        case ImportRows():
            import_rows(deliveries, operation)
        case UpdateProfiles():
            from reverse_etl.delivery.profiles.update_profiles import update_profiles

            _send_each(deliveries, update_profiles, operation)
        case ClearValues():
            from reverse_etl.delivery.profiles.clear_values import clear_values

            _send_each(deliveries, clear_values, operation)
        case AddToList():
            _send_each(deliveries, add_members, operation)
        case RemoveFromList():
            _send_each(deliveries, remove_members, operation)
        case SendRequests():
            from reverse_etl.delivery.requests.send_requests import send_requests

            _send_each(deliveries, send_requests, operation)
        case ChangeSuppressions():
            from reverse_etl.delivery.suppressions.change_suppressions import change_suppressions

            _send_each(deliveries, change_suppressions, operation)
        case SendEvents():
            from reverse_etl.delivery.events.send_events import send_events

            _send_each(deliveries, send_events, operation)
        case SubscribePeople():
            from reverse_etl.delivery.consents.subscribe_people import subscribe_people

            _send_each(deliveries, subscribe_people, operation)
        case UnsubscribePeople():
            from reverse_etl.delivery.consents.unsubscribe_people import unsubscribe_people

            _send_each(deliveries, unsubscribe_people, operation)
        case DeleteProfiles():
            from reverse_etl.delivery.profiles.delete_profiles import delete_profiles

            _send_each(deliveries, delete_profiles, operation)
        case ReadmitPeople():
            from reverse_etl.delivery.profiles.delete_profiles import readmit_people

            _send_each(deliveries, readmit_people, operation)
        case _:
            assert_never(operation)


def _send_each(
    deliveries: Sequence[ListDelivery], sender: Callable[[ListDelivery, _Sent], None], operation: _Sent
) -> None:
    for delivery in deliveries:
        sender(delivery, operation)


def _count_unsent(list_plan: ListPlan, counter: OutcomeCounter) -> None:
    """Count what a limit kept back, and what was planned and never drawn from the warehouse.

    So every planned row is in one count.
    """
    counter.add(
        Outcome.NOT_SENT,
        list_plan.upserts + list_plan.leaving + list_plan.deferred - sum(counter.counts.values()),
    )
