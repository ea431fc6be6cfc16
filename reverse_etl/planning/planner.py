"""Builds a plan: stages each selected model, resolves its lists and diffs it. Changes no persistent table."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from reverse_etl.domain.identifiers import UNIQUE_IDENTIFIERS, mask_identity
from reverse_etl.domain.progress import ModelStaged as StagedProgress
from reverse_etl.domain.progress import ProgressHandler, Warned
from reverse_etl.domain.timestamps import CLOCK_SKEW_TOLERANCE
from reverse_etl.errors import UsageError
from reverse_etl.formatting import format_count
from reverse_etl.models.key_guard import refuse_key
from reverse_etl.models.retired_requests import refuse_retired
from reverse_etl.planning.added_again import find_added_again
from reverse_etl.planning.complete_rows import complete_rows
from reverse_etl.planning.diff import DiffRequest, run_diff
from reverse_etl.planning.event_plan import EventPlanner, leave_out_old_events, require_usable_time
from reverse_etl.planning.kept_values import find_profile_columns
from reverse_etl.planning.model_lists import find_lists, refresh_lists
from reverse_etl.planning.model_plan import find_conflicting_properties, plan_model, plan_skipped_model
from reverse_etl.planning.new_profiles import ProfileForecaster
from reverse_etl.planning.orphan_search import describe_orphans, find_orphans
from reverse_etl.planning.orphans import rename_warning
from reverse_etl.planning.plan import ModelPlan, Plan
from reverse_etl.planning.plan_request import is_rekeyed
from reverse_etl.planning.removal_holds import describe_holds, find_removal_holds, hold_lists
from reverse_etl.planning.row_comparison import ComparisonChooser
from reverse_etl.planning.skipping import (
    NO_SKIPPING,
    Skipping,
    SkipRequest,
    collect_snapshot_matches,
    describe_skipped,
    find_changed_lists,
    plan_skipping,
)
from reverse_etl.planning.stage import SkippedModel, clears_values
from reverse_etl.planning.stager import Stager, stage_unselected
from reverse_etl.planning.stopped_lists import add_guard_facts, apply_guards
from reverse_etl.planning.unknown_lists import describe_unknown_lists
from reverse_etl.planning.withholding import withhold_people
from reverse_etl.state import read_shared_tables
from reverse_etl.surfaces.catalog import find_surface
from reverse_etl.surfaces.interface import Phase

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.klaviyo.api import Klaviyo
    from reverse_etl.models.model import Model
    from reverse_etl.planning.lists import ListRef
    from reverse_etl.planning.plan_request import PlanRequest
    from reverse_etl.planning.stage import PlannableModel
    from reverse_etl.state import ModelRecord, RegisteredList, State
    from reverse_etl.state.removal_holds import RemovalHold
    from reverse_etl.warehouse.interface import Warehouse


def build_plan(
    warehouse: Warehouse,
    state: State,
    klaviyo: Klaviyo | None,
    request: PlanRequest,
    on_progress: ProgressHandler,
) -> Plan:
    """Return the plan of the selected models in the order of their delivery: see `_delivery_order`.

    The deltas are in temporary tables of the warehouse session. `klaviyo` looks up the lists. Without it, the
    lists in the state are assumed to exist, and all others to be new.

    Raises ModelError if a model fails to run, UsageError if its lists are ambiguous or have another owner,
    WarehouseError and KlaviyoError.
    """
    read_shared_tables(state)
    refuse_key(request.selected, request.target.destination)
    refuse_retired(request.selected)
    stager = Stager(warehouse, state, request.project_models, _choose_comparisons(state, request))
    registered_lists = state.lists.registered()
    skipping = _plan_skipping(warehouse, state, request)
    models = sorted(request.selected, key=_delivery_order)
    staged_models = _stage_models(stager, request, models, skipping, on_progress)
    refs, removal_holds = _find_lists(stager, klaviyo, request, staged_models, on_progress)
    if changed := find_changed_lists(staged_models, refs):
        skipping = skipping.without(changed)
        models = [model for model in models if model.name in changed]
        restaged = _stage_models(stager, request, models, skipping, on_progress)
        staged_models = _replace_models(staged_models, restaged)
        refs, removal_holds = _find_lists(stager, klaviyo, request, staged_models, on_progress)
    staged_models = complete_rows(warehouse, state, staged_models, refs)
    model_plans = _plan_models(warehouse, state, staged_models, refs, request)
    unselected_models = stage_unselected(stager, model_plans, on_progress)
    model_plans = EventPlanner(warehouse, state, klaviyo, request.options).add_event_facts(model_plans)
    forecaster = ProfileForecaster(warehouse, state, klaviyo, on_progress)
    model_plans = forecaster.add_forecasts(model_plans, request.options.forecast_people)
    model_plans = find_added_again(state, model_plans)
    _warn_of_conflicting_properties(warehouse, model_plans, on_progress)
    _warn_of_kept_values(model_plans, on_progress)
    orphans = tuple(find_orphans(state, registered_lists, model_plans, request.project_models, klaviyo))
    notes, new_notes = describe_orphans(state, orphans)
    member_refs = _select_members(staged_models, refs)
    # A new name of the project says why nothing is known of lists.
    unknown = rename_warning(state) or _describe_unknown_lists(klaviyo, member_refs, registered_lists)
    list_names = {ref.id: ref.name for model_refs in refs.values() for ref in model_refs}
    warnings = (*describe_holds(list_names, removal_holds), *unknown, *describe_skipped(model_plans))
    plan = Plan(
        model_plans,
        lists_looked_up=klaviyo is not None,
        unfinished_runs=len(state.runs.unfinished()),
        notes=(*warnings, *notes),
        new_notes=(*warnings, *new_notes),
        orphans=orphans,
        removal_holds=removal_holds,
        account=state.scope.account,
        unselected_models=unselected_models,
    )
    plan = apply_guards(warehouse, plan, request.options.allow)
    return replace(plan, snapshot_matches=collect_snapshot_matches(skipping, plan.models))


def _delivery_order(model: Model) -> tuple[Phase, bool]:
    """Return the sort key of a model: its phase, then whether its rows have no id of a person.

    If a person has a new e-mail, a row with an id gives it to the profile that the person has. A row without
    one would create a second profile, so that its model is delivered later.
    """
    config = model.config
    has_id = any(kind in UNIQUE_IDENTIFIERS for kind in config.identifiers)
    return config.surface.phase, config.surface.phase is Phase.PEOPLE and not has_id


def _replace_models(
    models: Sequence[PlannableModel], replacements: Sequence[PlannableModel]
) -> list[PlannableModel]:
    """Return the models, those of the same name replaced."""
    by_name = {staged.model.name: staged for staged in replacements}
    return [by_name.get(staged.model.name, staged) for staged in models]


def _plan_skipping(warehouse: Warehouse, state: State, request: PlanRequest) -> Skipping:
    target = request.target
    if not target.destination.skip_unchanged:
        return NO_SKIPPING
    skip_request = SkipRequest(request.selected, request.project_models, request.options, target.output)
    return plan_skipping(warehouse, state, skip_request)


def _find_lists(
    stager: Stager,
    klaviyo: Klaviyo | None,
    request: PlanRequest,
    staged_models: Sequence[PlannableModel],
    on_progress: ProgressHandler,
) -> tuple[Mapping[str, tuple[ListRef, ...]], Mapping[str, RemovalHold]]:
    """Return the lists of each staged model, and why removals are held, by list id."""
    state, destination = stager.state, request.target.destination
    refs = find_lists(stager, destination, klaviyo, staged_models, on_progress)
    if request.options.full_refresh:
        refs = refresh_lists(refs, staged_models)
    removal_holds = find_removal_holds(state, klaviyo, refs, destination.shared_lists)
    return hold_lists(refs, removal_holds), removal_holds


def _describe_unknown_lists(
    klaviyo: Klaviyo | None,
    refs: Mapping[str, Sequence[ListRef]],
    registered_lists: Sequence[RegisteredList],
) -> tuple[str, ...]:
    return () if klaviyo is None else tuple(describe_unknown_lists(klaviyo, refs, registered_lists))


def _select_members(
    staged_models: Sequence[PlannableModel], refs: Mapping[str, Sequence[ListRef]]
) -> dict[str, Sequence[ListRef]]:
    """Return the lists of the models that own the members of their lists."""
    owners = {staged_model.model.name for staged_model in staged_models if staged_model.model.owns_members}
    return {name: model_refs for name, model_refs in refs.items() if name in owners}


def _plan_models(
    warehouse: Warehouse,
    state: State,
    staged_models: Sequence[PlannableModel],
    refs: Mapping[str, Sequence[ListRef]],
    request: PlanRequest,
) -> tuple[ModelPlan, ...]:
    """Return the plan of each staged model, with what the guards need to know of earlier runs.

    Raises UsageError if a model's identifiers changed since its last run, unless `--rekey` names it.
    """
    read_models = [staged for staged in staged_models if not isinstance(staged, SkippedModel)]
    profile_columns = find_profile_columns(state, read_models, request.project_models)
    records, options = state.models.records(), request.options
    requests = [
        DiffRequest(
            staged,
            refs[staged.model.name],
            options,
            is_rekeyed(
                staged.model, records.get(staged.model.name), allowed=staged.model.name in options.rekey
            ),
            profile_columns,
        )
        for staged in read_models
    ]
    diffs = warehouse.run_each([partial(run_diff, warehouse, state, diff) for diff in requests])
    diffed = {diff.staged.model.name: (diff, result) for diff, result in zip(requests, diffs, strict=True)}
    tasks = [
        partial(plan_skipped_model, warehouse, staged, refs[staged.model.name], options)
        if isinstance(staged, SkippedModel)
        else partial(plan_model, warehouse, state, *diffed[staged.model.name])
        for staged in staged_models
    ]
    return add_guard_facts(warehouse, state, [*warehouse.run_each(tasks)], options)


def _stage_models(
    stager: Stager,
    request: PlanRequest,
    models: Sequence[Model],
    skipping: Skipping,
    on_progress: ProgressHandler,
) -> list[PlannableModel]:
    """Return the models, skipped or staged."""
    warehouse, state, options = stager.warehouse, stager.state, request.options
    require_usable_time(options.live_since, request.selected, state.clock.now())
    records = state.models.records()
    _require_same_phases(models, records)
    table_keys = state.models.table_keys((model.name for model in models), records)
    now = datetime.fromtimestamp(state.clock.now(), UTC) + CLOCK_SKEW_TOLERANCE

    # Whether a value is kept from being cleared depends on the values of other rows, changed or not.
    leaves_out_values = not (
        options.full_refresh or options.full_comparison or any(map(clears_values, request.selected))
    )

    def stage(model: Model) -> tuple[PlannableModel, float]:
        started_at = state.clock.monotonic()
        if match := skipping.matches.get(model.name):
            return stager.skip(model, table_keys[model.name], now, match), 0.0
        sent_rows = stager.find_sent_rows(model, records.get(model.name)) if leaves_out_values else None
        staged = stager.stage(model, table_keys[model.name], now, sent_rows)
        staged = leave_out_old_events(warehouse, staged, records.get(model.name), state.clock.now())
        staged = replace(
            staged,
            sources=skipping.sources.get(model.name),
            read_reason=skipping.reasons.get(model.name, ""),
        )
        return staged, state.clock.monotonic() - started_at

    staged_models: list[PlannableModel] = []
    with warehouse.staging():
        for staged, seconds in warehouse.run_each([partial(stage, model) for model in models]):
            staged_models.append(staged)
            if not isinstance(staged, SkippedModel):
                on_progress(StagedProgress(staged.model.name, staged.rows, seconds))
    # If people are withheld no model is skipped: these are all models of the plan.
    read_models = [staged for staged in staged_models if not isinstance(staged, SkippedModel)]
    return _replace_models(staged_models, withhold_people(warehouse, state, read_models, records))


def _choose_comparisons(state: State, request: PlanRequest) -> ComparisonChooser:
    """Return what chooses how rows are compared; nothing is read if no model has `updated_at`."""
    has_updated_at = any(model.config.surface.columns.updated_at for model in request.selected)
    records = state.comparisons.load() if has_updated_at else {}
    full_comparison = request.options.full_refresh or request.options.full_comparison
    return ComparisonChooser(state, records, state.clock.now(), full_comparison)


def _require_same_phases(models: Sequence[Model], records: Mapping[str, ModelRecord]) -> None:
    """Raise UsageError if a model was sent with a surface of another phase.

    Its snapshot would hide rows that are still to be sent, for example if a model of profiles becomes one of
    suppressions.
    """
    for model in models:
        record, surface = records.get(model.name), model.config.surface
        earlier = find_surface(record.surface) if record else None
        if earlier is not None and earlier.phase is not surface.phase:
            raise UsageError.of(
                f"The model {model.name} was sent with the surface {earlier.name}, and its surface is "
                f"{surface.name} now: the rows sent then do not show that these were.",
                where=str(model.path),
                hint="Give the file another name: the state keeps its rows under the old one.",
            )


def _warn_of_conflicting_properties(
    warehouse: Warehouse, model_plans: Sequence[ModelPlan], on_progress: ProgressHandler
) -> None:
    """Warn if rows of one person on several lists have different values: a profile has each property once."""
    for model_plan in model_plans:
        if not (model_plan.tables.many_lists and any(list_plan.upserts for list_plan in model_plan.lists)):
            continue
        for column, people, example in find_conflicting_properties(warehouse, model_plan.tables):
            where = f"{model_plan.model.path} (model {model_plan.model.name})"
            people_text = format_count(people, "person has", "people have")
            text = (
                f"{where}: {people_text} rows with different values of {column} on different lists, for "
                f"example {mask_identity(example)}. A property belongs to the profile: the list that is sent "
                "last overwrites the others. Give each person one value, or each list its own column."
            )
            on_progress(Warned(text))


def _warn_of_kept_values(model_plans: Sequence[ModelPlan], on_progress: ProgressHandler) -> None:
    """Warn of values that are not cleared because another row or model has one."""
    for model_plan in model_plans:
        where = f"{model_plan.model.path} (model {model_plan.model.name})"
        for kept in model_plan.kept_values:
            on_progress(Warned(f"{where}: {kept.describe()}"))
