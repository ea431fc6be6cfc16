"""Create a list exactly once, even if a reply is lost or the process is killed between two requests.

Klaviyo creates two lists for two requests: names are not unique, and a new list may be listed only later.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reverse_etl.domain.progress import ListCreated
from reverse_etl.errors import FailureReason, KeyRefused, KlaviyoError, ReplyLost
from reverse_etl.planning.lists import AmbiguousList, ListRef, creation_started_at, pick_list
from reverse_etl.planning.sql import planned_rows, staging

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from reverse_etl.clock import Clock
    from reverse_etl.delivery.context import DeliveryContext
    from reverse_etl.klaviyo.api import Klaviyo
    from reverse_etl.klaviyo.lists import KlaviyoList
    from reverse_etl.models.model import Model
    from reverse_etl.planning.list_plan import ListPlan
    from reverse_etl.planning.plan import ModelPlan, Plan
    from reverse_etl.state import State

LISTING_DELAY_SECONDS = 60.0  # a list that is not listed this long after its request was not created
POLL_SECONDS = 5.0


def create_missing_lists(context: DeliveryContext, plan: Plan) -> Plan:
    """Create the missing lists, and put their ids into the plan and its deltas."""
    created: dict[str, ListRef] = {}  # by placeholder: two models may share a list, which is created once
    return replace(
        plan, models=tuple(_create_model_lists(context, model_plan, created) for model_plan in plan.models)
    )


def _create_model_lists(
    context: DeliveryContext, model_plan: ModelPlan, created: dict[str, ListRef]
) -> ModelPlan:
    tables = model_plan.tables
    list_plans: list[ListPlan] = []
    created_ids: dict[str, str] = {}
    for list_plan in model_plan.lists:
        ref, placeholder = list_plan.list_ref, list_plan.list_ref.id
        if ref.is_new and not list_plan.stop_reason and not ref.fault:
            context.state.renew_lease_or_raise()  # the lease may have expired during planning
            if placeholder not in created:
                created[placeholder] = _try_create(context, model_plan, ref)
            ref = replace(created[placeholder], row_value=ref.row_value)
            if not ref.is_new:
                created_ids[placeholder] = ref.id
        list_plans.append(replace(list_plan, list_ref=ref))
    if created_ids:
        context.warehouse.execute(planned_rows.set_created_list_ids(tables, created_ids))
        refs = [list_plan.list_ref for list_plan in list_plans if list_plan.list_ref.id]
        statement = staging.replace_list_ids(tables, [(ref.row_value, ref.id) for ref in refs])
        context.warehouse.execute(statement)
    return replace(model_plan, lists=tuple(list_plans))


def _try_create(context: DeliveryContext, model_plan: ModelPlan, ref: ListRef) -> ListRef:
    """Return the created list, or the same placeholder with the reason why it was not created."""
    try:
        created = create_list(ref, model_plan.model, context.state, context.klaviyo, context.clock)
    except KeyRefused:
        raise
    except (KlaviyoError, AmbiguousList) as error:
        fault = f"The list could not be created. {error} Nothing was sent to it."
        if isinstance(error, KlaviyoError):
            fault = FailureReason.because(error.failure_cause, fault)
        return replace(ref, fault=fault)
    context.on_progress(ListCreated(created.name, created.id))
    return created


def create_list(ref: ListRef, model: Model, state: State, klaviyo: Klaviyo, clock: Clock) -> ListRef:
    """Create a list and register the model as its owner.

    Commits the intent first. If an earlier run left an intent, or the reply is lost, looks up the name until
    a new list would be listed, and takes the list it finds. Raises ReplyLost if the reply was lost and no
    list appears, UsageError if several lists could be the new one.
    """

    def find_list(started_at: datetime | None) -> KlaviyoList | None:
        candidates = klaviyo.find_lists(ref.name)
        return pick_list(candidates, started_at, ref.name, model=model.name, where=f"model {model.name}")

    earlier_start = creation_started_at(state.lists.registered(), ref.name)
    age = (klaviyo.server_time - earlier_start).total_seconds() if earlier_start else LISTING_DELAY_SECONDS
    created = _wait_for_list(lambda: find_list(earlier_start), LISTING_DELAY_SECONDS - age, clock)
    if created is None:
        started_at = klaviyo.server_time  # as of the last look-up, so before the request
        state.lists.record_intent(ref.name, model.name, started_at)
        try:
            created = klaviyo.create_list(ref.name)
        except ReplyLost:
            created = _wait_for_list(lambda: find_list(started_at), LISTING_DELAY_SECONDS, clock)
            if created is None:
                raise
    state.lists.claim([(created.id, ref.name, model.name, model.list_aspect)])
    return ListRef(ref.row_value, ref.name, created.id)


def _wait_for_list(
    find_list: Callable[[], KlaviyoList | None], seconds: float, clock: Clock
) -> KlaviyoList | None:
    """Return the list that `find_list` finds, polling for up to `seconds`; None if there is none."""
    end = clock.monotonic() + seconds
    while (klaviyo_list := find_list()) is None and clock.monotonic() < end:
        clock.sleep(POLL_SECONDS)
    return klaviyo_list
