"""The flow of a run: recover earlier runs, plan, guard, deliver, record the outcome of every row."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reverse_etl.delivery.confirm_consents import settle_earlier_consents
from reverse_etl.delivery.deliver import count_idle_list, deliver_model
from reverse_etl.delivery.list_creation import create_list
from reverse_etl.delivery.outcomes import Outcome, OutcomeCounter
from reverse_etl.delivery.recovery import recover_earlier_runs
from reverse_etl.delivery.results import ListResult, RunResult, collect_figures, compute_exit_code
from reverse_etl.domain.events import Event, EventHandler, ListCreated, Warned
from reverse_etl.domain.timestamps import format_timestamp, parse_timestamp
from reverse_etl.errors import GuardRefused, KeyRefused, KlaviyoError, UnusableReply
from reverse_etl.models.model import Model
from reverse_etl.planning import planner as planning
from reverse_etl.planning.lists import AmbiguousList
from reverse_etl.planning.plan_drift import find_plan_drift
from reverse_etl.planning.sql import planned_rows, staging
from reverse_etl.state import ModelRecord, ModelSubmission, RunState
from reverse_etl.state.model_changes import forget_list
from reverse_etl.state.old_state import hold_removals
from reverse_etl.state.sql import deltas

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from reverse_etl.config.target import Target
    from reverse_etl.dbt.gate import GateOptions
    from reverse_etl.delivery.context import DeliveryContext
    from reverse_etl.errors import Problem
    from reverse_etl.klaviyo.messages import RequestHook
    from reverse_etl.planning.lists import ListRef
    from reverse_etl.planning.plan import ListPlan, ModelPlan, Plan
    from reverse_etl.planning.planner import PlanRequest
    from reverse_etl.planning.saved_plan import SavedPlan


@dataclass(frozen=True)
class RunOptions:
    """The options of a run, apart from those of its plan.

    `lease_timeout` is how many seconds the run waits while another run holds the lease.
    """

    strict: bool
    gate: GateOptions
    on_event: EventHandler
    on_request: RequestHook | None
    saved_plan: SavedPlan | None = None
    lease_timeout: float = 0.0


def run_models(context: DeliveryContext, request: PlanRequest, options: RunOptions) -> RunResult:
    """Plan the selected models and deliver the plan; with `options.saved_plan`, deliver only that exact plan.

    A guard that trips stops its lists. Raises GuardRefused before the first write if guards stop all lists;
    with a saved plan, if any guard trips or the plan differs from the saved one.
    """
    context.warehouse.set_query_tag(run=context.run_id)
    with context.state.hold_lease(options.lease_timeout):
        models = [model for model in request.project_models if isinstance(model, Model)]
        blocked_lists = recover_earlier_runs(context, models)
        settle_earlier_consents(context, models)
        context = replace(context, blocked_lists=blocked_lists, has_open_imports=bool(blocked_lists.reasons))
        plan = planning.build_plan(
            context.warehouse, context.state, context.klaviyo, request, _with_heartbeat(context)
        )
        if problems := _find_refusals(plan, options.saved_plan):
            reasons = [f"{problem.summary} At {problem.where}." for problem in problems]
            context.state.runs.record_refused_run(
                context.run_id, request.target.destination_id, reasons, GuardRefused.exit_code
            )
            raise GuardRefused(*problems)
        plan = _create_missing_lists(context, plan)
        _block_lists_with_fault(context, plan)
        context = replace(context, klaviyo_time=_server_now(context), model_plans=plan.models)
        _defer_blocked_lists(context, plan)
        previous_records = context.state.models()
        hold_removals(
            context.state,
            {list_id: hold.reason for list_id, hold in plan.removal_holds.items() if hold.lasting},
        )
        _mark_submitting(context, request.target, plan, previous_records)
        _record_last_run(context)
        _claim_lists(context, plan)
        _forget_deleted_lists(context, plan)
        results, settled = _deliver_models(context, plan)
        result = RunResult(context.run_id, plan, results, compute_exit_code(results, strict=options.strict))
        _restore_checksums(context, result, previous_records)
        _record_end(context, result, settled=settled)
        return result


def _find_refusals(plan: Plan, saved_plan: SavedPlan | None) -> tuple[Problem, ...]:
    """Return why nothing at all may be sent; a saved plan is applied as a whole or not."""
    if saved_plan and (plan_drift := find_plan_drift(saved_plan, plan)):
        return plan_drift
    return plan.problems if saved_plan or plan.is_stopped else ()


def _deliver_models(context: DeliveryContext, plan: Plan) -> tuple[tuple[ListResult, ...], bool]:
    """Deliver the models in order. Return the results of their lists, and whether no import is still open."""
    results: list[ListResult] = []
    counters: list[OutcomeCounter] = []
    first_counters = {
        model_plan.model.name: deliver_model(context, model_plan.only_removes)
        for model_plan in plan.models
        if model_plan.removes_first and not model_plan.is_empty
    }
    for model_plan in plan.models:
        first = first_counters.get(model_plan.model.name)
        model_counters = (
            tuple(count_idle_list(list_plan) for list_plan in model_plan.lists)
            if model_plan.is_empty
            else _deliver_model(context, plan, model_plan.without_removes if first else model_plan, counters)
        )
        for counter, first_counter in zip(model_counters, first or (), strict=False):
            counter.merge(first_counter)
        counters += model_counters
        results += [
            ListResult(
                model_plan.model.name, list_plan, dict(counter.counts), counter.stop_reason, counter.failed
            )
            for list_plan, counter in zip(model_plan.lists, model_counters, strict=True)
        ]
    return tuple(results), not any(counter.has_open_jobs for counter in counters)


def _deliver_model(
    context: DeliveryContext, plan: Plan, model_plan: ModelPlan, earlier_counters: Sequence[OutcomeCounter]
) -> tuple[OutcomeCounter, ...]:
    """Deliver one model, and delete the deltas that were not sent.

    If the run upserts rows of any model, the unsent removals become uncertain first: an upsert may have
    changed the profile that they speak of.
    """
    counters = deliver_model(context, model_plan, earlier_counters)
    if plan.has_upserts:
        context.state.mark_unsent_uncertain(context.run_id, model_plan.model.name, model_plan.tables)
    context.state.delete_unsent(context.run_id, model_plan.model.name, model_plan.tables)
    return counters


def _with_heartbeat(context: DeliveryContext) -> EventHandler:
    """Return an event handler that also renews the lease, so that long staging does not lose it."""

    def handle_event(event: Event) -> None:
        context.state.renew_lease_if_due()
        context.on_event(event)

    return handle_event


def _server_now(context: DeliveryContext) -> datetime:
    """Return Klaviyo's current time.

    The run starts here and not at its first request: a member who joined while models were staged was not
    added by this run.
    """
    with suppress(UnusableReply):  # any cheap request, whatever its content: every reply carries the time
        next(context.klaviyo.get_jobs_since(context.klaviyo.server_time), None)
    return context.klaviyo.server_time


def _create_missing_lists(context: DeliveryContext, plan: Plan) -> Plan:
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
                created[placeholder] = _create_list(context, model_plan, ref)
            ref = replace(created[placeholder], row_value=ref.row_value)
            if not ref.is_new:
                created_ids[placeholder] = ref.id
        list_plans.append(replace(list_plan, list_ref=ref))
    if created_ids:
        context.warehouse.execute(planned_rows.set_created_list_ids(tables, created_ids))
        for statement in staging.replace_list_ids(
            tables,
            {
                list_plan.list_ref.row_value: list_plan.list_ref.id
                for list_plan in list_plans
                if list_plan.list_ref.id
            },
        ):
            context.warehouse.execute(statement)
    return replace(model_plan, lists=tuple(list_plans))


def _create_list(context: DeliveryContext, model_plan: ModelPlan, ref: ListRef) -> ListRef:
    """Return the created list, or the same placeholder with the reason why it was not created."""
    try:
        created = create_list(ref, model_plan.model, context.state, context.klaviyo, context.clock)
    except KeyRefused:
        raise
    except (KlaviyoError, AmbiguousList) as error:
        return replace(ref, fault=f"The list could not be created. {error} Nothing was sent to it.")
    context.on_event(ListCreated(created.name, created.id))
    return created


def _block_lists_with_fault(context: DeliveryContext, plan: Plan) -> None:
    """Send nothing to lists that could not be looked up or created; others are delivered."""
    for model_plan, list_plan in plan.list_plans():
        if list_plan.list_ref.fault:
            context.blocked_lists.add(model_plan.model.name, list_plan.list_ref.id, list_plan.list_ref.fault)


def _find_blocked_list_ids(context: DeliveryContext, model_plan: ModelPlan) -> list[str]:
    list_ids = (list_plan.list_ref.id for list_plan in model_plan.lists)
    return [id_ for id_ in list_ids if context.blocked_lists.find_reason(model_plan.model.name, id_)]


def _defer_blocked_lists(context: DeliveryContext, plan: Plan) -> None:
    """Keep the plan from taking the place of rows whose import by an earlier run has not ended."""
    for model_plan in plan.models:
        if list_ids := _find_blocked_list_ids(context, model_plan):
            context.warehouse.execute(deltas.defer_lists(model_plan.tables, list_ids))


def _mark_submitting(
    context: DeliveryContext, target: Target, plan: Plan, previous_records: Mapping[str, ModelRecord]
) -> None:
    """Store the plan's deltas as uncertain before the first of them is sent."""
    submissions = []
    for model_plan in plan.models:
        model_record = _build_record(context, model_plan, previous_records.get(model_plan.model.name))
        has_deferred = model_plan.has_deferred_removals or bool(_find_blocked_list_ids(context, model_plan))
        stale_list_ids = [
            list_plan.list_ref.id for list_plan in model_plan.lists if list_plan.list_ref.needs_resend
        ]
        submissions.append(
            ModelSubmission(
                model_record,
                model_plan.tables,
                model_plan.rekeyed,
                plan.previous_owners(model_plan),
                stale_list_ids,
                has_deferred and plan.has_upserts,
                prunes_events=model_plan.events is not None,
            )
        )
    context.state.mark_submitting(
        context.run_id, target.destination_id, format_timestamp(context.klaviyo_time), submissions
    )
    for model_plan in plan.models:
        context.state.rejections.record_check_rejections(
            context.run_id, model_plan.model.name, model_plan.tables, model_plan.stopped_list_ids
        )
        context.state.prune_without_profile(model_plan.tables)


def _build_record(
    context: DeliveryContext, model_plan: ModelPlan, previous: ModelRecord | None
) -> ModelRecord:
    """Return what the state keeps of a model that is sent now.

    While rows wait behind `--limit` or a guard, it keeps the previous checksum: the updates of these rows are
    still those of a model that has changed.
    """
    config, checksum = model_plan.model.config, model_plan.model.checksum
    if any(list_plan.deferred or list_plan.stop_reason for list_plan in model_plan.lists):
        checksum = previous.checksum if previous else ""
    live_since, pruned_before = _find_event_times(context, model_plan, previous)
    return ModelRecord(
        model_plan.model.name,
        model_plan.tables.table_key,
        config.surface.name,
        config.row_key,
        checksum,
        live_since,
        pruned_before,
    )


def _find_event_times(
    context: DeliveryContext, model_plan: ModelPlan, previous: ModelRecord | None
) -> tuple[str | None, str | None]:
    """Return since when a model of events is live, and before which time its keys are forgotten.

    The first run that a guard does not stop is the one that makes the model live.
    """
    events, rules = model_plan.events, model_plan.model.config.surface.event_rules
    if events is None or rules is None:
        return None, None
    live_since, pruned_before = (previous.live_since, previous.pruned_before) if previous else (None, None)
    if any(list_plan.stop_reason for list_plan in model_plan.lists):
        return live_since, pruned_before
    forgotten_before = parse_timestamp(pruned_before) if pruned_before else None
    return (
        format_timestamp(events.live_since or context.klaviyo_time),
        format_timestamp(rules.find_cutoff(context.klaviyo_time, forgotten_before)),
    )


def _restore_checksums(
    context: DeliveryContext, result: RunResult, previous_records: Mapping[str, ModelRecord]
) -> None:
    """Keep the previous checksum of models of which rows were not sent; see `_build_record`."""
    unsent_models = {
        list_result.model for list_result in result.lists if Outcome.NOT_SENT in list_result.outcomes
    }
    for model_plan in result.plan.models:
        previous = previous_records.get(model_plan.model.name)
        if (
            previous is not None
            and previous.name in unsent_models
            and previous.checksum != model_plan.model.checksum
        ):
            record = _build_record(context, model_plan, previous)
            context.state.record_model(replace(record, checksum=previous.checksum))


def _record_last_run(context: DeliveryContext) -> None:
    """Record this run outside of the state, so that an older state is recognized as such.

    Call it once the state has the run. Without the file nothing is held, so that a folder which cannot be
    written to, as in a container, gets no record and only a warning if it has an older one.
    """
    last_run_file = context.state.last_run_file
    if last_run_file is None:
        return
    try:
        last_run_file.write(context.run_id)
    except OSError as error:
        if last_run_file.path.exists():
            context.on_event(Warned(f"The record of the last run cannot be written: {error}."))


def _claim_lists(context: DeliveryContext, plan: Plan) -> None:
    """Record which model owns which list. Call it after the rows of stale lists are stored as uncertain."""
    context.state.lists.claim(
        [
            (
                list_plan.list_ref.id,
                list_plan.list_ref.name,
                model_plan.model.name,
                model_plan.model.list_aspect,
            )
            for model_plan, list_plan in plan.list_plans()
            if list_plan.list_ref.id and not list_plan.stop_reason and not list_plan.list_ref.is_new
        ]
    )


def _forget_deleted_lists(context: DeliveryContext, plan: Plan) -> None:
    """Forget the rows of lists that models owned before and that Klaviyo no longer has."""
    deleted = [orphan for orphan in plan.orphans if orphan.list_deleted]
    records = context.state.models() if deleted else {}
    for orphan in deleted:
        forget_list(context.state, records[orphan.model], orphan.list_id)


def _record_end(context: DeliveryContext, result: RunResult, *, settled: bool) -> None:
    rows = [
        (
            list_result.model,
            "" if list_result.list_plan.list_ref.is_new else list_result.list_plan.list_ref.id,
            list_result.list_plan.list_ref.name,
            json.dumps(collect_figures(list_result)),
            list_result.stop_reason,
        )
        for list_result in result.lists
    ]
    end = RunState.ENDED if settled else RunState.UNSETTLED
    context.state.runs.record_end(context.run_id, end, result.exit_code, rows)
