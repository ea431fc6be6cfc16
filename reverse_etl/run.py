"""The flow of a run: recover earlier runs, plan, guard, deliver, record the outcome of every row."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from reverse_etl.dbt.gate import format_warning
from reverse_etl.delivery.consents.confirm_consents import settle_earlier_consents
from reverse_etl.delivery.deliver import count_idle_list, deliver_model
from reverse_etl.delivery.list_creation import create_missing_lists
from reverse_etl.delivery.recovery import recover_earlier_runs
from reverse_etl.delivery.results import (
    ListResult,
    RunResult,
    add_gate_problems,
    collect_shown_figures,
    compute_exit_code,
)
from reverse_etl.delivery.row_comparisons import record_comparisons
from reverse_etl.delivery.submission import defer_blocked_lists, mark_submitting, restore_checksums
from reverse_etl.domain.progress import Progress, ProgressHandler, Warned
from reverse_etl.errors import GuardRefused, UnusableReply
from reverse_etl.models.model import Model
from reverse_etl.planning import planner as planning
from reverse_etl.planning.plan_drift import (
    find_plan_drift,
    needs_nothing,
    require_same_account,
    require_same_models,
)
from reverse_etl.planning.project_gate import collect_warnings
from reverse_etl.state import RunState, read_shared_tables
from reverse_etl.state.model_changes import forget_list
from reverse_etl.state.restored_state import hold_removals
from reverse_etl.state.runs import COMPARED_ROWS, RefusedRun, StopCause, encode_counts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from reverse_etl.connections import Connections
    from reverse_etl.delivery.context import DeliveryContext
    from reverse_etl.delivery.outcomes import OutcomeCounter
    from reverse_etl.delivery.run_options import RunOptions
    from reverse_etl.errors import Problem
    from reverse_etl.planning.plan import ModelPlan, Plan
    from reverse_etl.planning.plan_request import PlanRequest
    from reverse_etl.planning.project_gate import ProjectGate
    from reverse_etl.planning.saved_plan import SavedPlan
    from reverse_etl.report.dbt_artifacts import RunArtifacts


def run_project(
    connections: Connections,
    dbt_gate: ProjectGate,
    artifacts: RunArtifacts,
    request: PlanRequest,
    options: RunOptions,
) -> RunResult:
    """Run the models that the dbt gate lets pass, and write the artifacts, whatever becomes of the run.

    Raises GuardRefused if the gate stops all models, or one of a saved plan, and everything that `run_models`
    raises.
    """
    with artifacts:
        if options.saved_plan:
            require_same_models(options.saved_plan, request.selected)
        refusals = _ask_gate(dbt_gate, request.selected, options)
        held = {name for problem in refusals for name in problem.models}
        others = tuple(model for model in request.selected if model.name not in held)
        if refusals and (options.saved_plan or not others):
            raise GuardRefused(*refusals).with_cause(StopCause.DBT_GATE)
        request.target.destination.require_key()
        with connections.delivery_context(
            options.on_progress, options.on_request, dry_run=False, attempt=options.attempt
        ) as context:
            if options.saved_plan:
                require_same_account(options.saved_plan, context.state.scope.account)
            artifacts.result = run_models(context, replace(request, selected=others), options, refusals)
        return artifacts.result


def _ask_gate(dbt_gate: ProjectGate, models: Sequence[Model], options: RunOptions) -> tuple[Problem, ...]:
    """Return why the dbt gate holds models back, and report its warnings."""
    verdict = dbt_gate.check_and_remember(models, options.gate)
    for warning in collect_warnings(models, verdict):
        options.on_progress(Warned(format_warning(warning)))
    return verdict.refusals


def run_models(
    context: DeliveryContext,
    request: PlanRequest,
    options: RunOptions,
    gate_problems: tuple[Problem, ...] = (),
) -> RunResult:
    """Plan the selected models and deliver the plan; with `options.saved_plan`, deliver only that exact plan.

    `gate_problems` are why the dbt gate holds other models back: the run's end is recorded with them.

    A guard that trips stops its lists. Raises GuardRefused before the first write if guards stop all lists;
    with a saved plan, if any guard trips or the plan differs from the saved one.
    """
    context.warehouse.set_query_tag(run=context.run_id)
    with context.state.hold_lease(options.lease_timeout):
        context.klaviyo.check_before_writes(context.state.require_lease)
        read_shared_tables(context.state)
        models = [model for model in request.project_models if isinstance(model, Model)]
        blocked_lists = recover_earlier_runs(context, models)
        settle_earlier_consents(context, models)
        context = replace(context, blocked_lists=blocked_lists, has_open_imports=bool(blocked_lists.reasons))
        plan = planning.build_plan(
            context.warehouse, context.state, context.klaviyo, request, _with_heartbeat(context)
        )
        cause, problems = _find_refusals(context, plan, options.saved_plan)
        if problems:
            refusal = _record_refusal(context, request, cause, problems)
            options.attempt.is_recorded = True
            refusal.was_applied = cause is StopCause.PLAN_DIFFERS and needs_nothing(plan)
            raise refusal
        plan = create_missing_lists(context, plan)
        _block_lists_with_fault(context, plan)
        context = replace(
            context,
            klaviyo_time=_server_now(context),
            model_plans=plan.models,
            project_models=request.project_models,
            unselected_models=plan.unselected_models,
        )
        defer_blocked_lists(context, plan)
        previous_records = context.state.models.records()
        hold_removals(
            context.state,
            {list_id: hold for list_id, hold in plan.removal_holds.items() if hold.is_lasting},
        )
        mark_submitting(context, request.target, plan, previous_records)
        options.attempt.is_recorded = True
        _record_last_run(context)
        context.state.responses.prune(previous_records.values())
        context.state.journal.prune()
        _claim_lists(context, plan)
        _forget_deleted_lists(context, plan)
        results, settled = _deliver_models(context, plan)
        exit_code = compute_exit_code(results, strict=options.strict)
        result = add_gate_problems(RunResult(context.run_id, plan, results, exit_code), gate_problems)
        restore_checksums(context, result, previous_records)
        _record_result(context, request, result, settled=settled)
        return result


def _record_refusal(
    context: DeliveryContext, request: PlanRequest, cause: StopCause, problems: Sequence[Problem]
) -> GuardRefused:
    """Record a run that sends nothing, and return the error to raise."""
    reasons = [f"{problem.summary} At {problem.where}." for problem in problems]
    context.state.runs.record_refused_run(
        RefusedRun(context.run_id, request.target.destination_id, reasons, cause)
    )
    return GuardRefused(*problems).with_cause(cause)


def _find_refusals(
    context: DeliveryContext, plan: Plan, saved_plan: SavedPlan | None
) -> tuple[StopCause, tuple[Problem, ...]]:
    """Return why nothing at all may be sent; a saved plan is applied as a whole or not."""
    run_lists = context.state.runs.run_lists() if saved_plan else ()
    if saved_plan and (plan_drift := find_plan_drift(saved_plan, plan, run_lists)):
        return StopCause.PLAN_DIFFERS, plan_drift
    return StopCause.GUARD, plan.problems if saved_plan or plan.is_stopped else ()


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
    changed the profile that they concern.
    """
    counters = deliver_model(context, model_plan, earlier_counters)
    if plan.has_upserts:
        context.state.mark_unsent_uncertain(context.run_id, model_plan.model.name, model_plan.tables)
    context.state.delete_unsent(context.run_id, model_plan.model.name, model_plan.tables)
    return counters


def _with_heartbeat(context: DeliveryContext) -> ProgressHandler:
    """Return a progress handler that also renews the lease, so that long staging does not lose it."""

    def handle_progress(progress: Progress) -> None:
        context.state.renew_lease_if_due()
        context.on_progress(progress)

    return handle_progress


def _server_now(context: DeliveryContext) -> datetime:
    """Return Klaviyo's current time.

    The run starts here and not at its first request: a member who joined while models were staged was not
    added by this run.
    """
    with suppress(UnusableReply):  # any cheap request, whatever its content: every reply carries the time
        next(context.klaviyo.get_jobs_since(context.klaviyo.server_time), None)
    return context.klaviyo.server_time


def _block_lists_with_fault(context: DeliveryContext, plan: Plan) -> None:
    """Send nothing to lists that could not be looked up or created; others are delivered."""
    for model_plan, list_plan in plan.list_plans():
        if list_plan.list_ref.fault:
            context.blocked_lists.add(model_plan.model.name, list_plan.list_ref.id, list_plan.list_ref.fault)


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
            context.on_progress(Warned(f"The record of the last run cannot be written: {error}."))


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
    records = context.state.models.records() if deleted else {}
    for orphan in deleted:
        forget_list(context.state, records[orphan.model], orphan.list_id)


def _record_result(
    context: DeliveryContext, request: PlanRequest, result: RunResult, *, settled: bool
) -> None:
    """Record the comparisons of the run and its end, and then which models need not be read the next time.

    A run that is killed before that records no such models, so that the next run reads all.
    """
    if settled:
        record_comparisons(context.state, result)
    _record_end(context, result, settled=settled)
    if settled and request.target.destination.skip_unchanged:
        matches = {
            model: replace(match, run_id=match.run_id or context.run_id)
            for model, match in result.plan.snapshot_matches.items()
        }
        context.state.snapshot_matches.record(context.run_id, matches)


def _record_end(context: DeliveryContext, result: RunResult, *, settled: bool) -> None:
    skipped = {model_plan.model.name: model_plan.skipped for model_plan in result.plan.models}
    compared = {
        model_plan.model.name: {COMPARED_ROWS: model_plan.comparison.compared_rows or 0}
        for model_plan in result.plan.models
        if model_plan.comparison and not model_plan.comparison.is_full
    }
    rows: list[tuple[str | None, ...]] = [
        (
            list_result.model,
            "" if list_result.list_plan.list_ref.is_new else list_result.list_plan.list_ref.id,
            list_result.list_plan.list_ref.name,
            encode_counts(
                {**collect_shown_figures(list_result), **compared.get(list_result.model, {})},
                skipped.get(list_result.model),
            ),
            list_result.stop_cause,
            list_result.stop_reason,
        )
        for list_result in result.lists
    ]
    rows += [
        ("", "", "", "{}", StopCause.DBT_GATE.value, problem.summary) for problem in result.gate_problems
    ]
    end = RunState.ENDED if settled else RunState.UNSETTLED
    context.state.runs.record_end(context.run_id, end, result.exit_code, rows)
