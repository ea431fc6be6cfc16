"""Builds a plan: stages each selected model, resolves its lists and diffs it. Changes no persistent table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reverse_etl.domain.events import EventHandler
from reverse_etl.domain.events import ModelStaged as StagedEvent
from reverse_etl.errors import Problem, UsageError
from reverse_etl.models.key_guard import refuse_key
from reverse_etl.parsing.suggestions import did_you_mean
from reverse_etl.planning import lists
from reverse_etl.planning.list_directory import ListDirectory
from reverse_etl.planning.model_plan import plan_model
from reverse_etl.planning.orphans import Orphan, max_rows, rename_warning
from reverse_etl.planning.plan import ModelPlan, Plan, PlanOptions
from reverse_etl.planning.stage import StagedModel, stage_model
from reverse_etl.planning.stopped_lists import add_guard_facts, apply_guards
from reverse_etl.state.runs import last_lists_by_model

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from reverse_etl.config.target import Target
    from reverse_etl.klaviyo.api import Klaviyo
    from reverse_etl.models.model import Model, ProjectModel
    from reverse_etl.planning.lists import ListRef
    from reverse_etl.planning.violations import Allowances
    from reverse_etl.state import RegisteredList, State
    from reverse_etl.warehouse.interface import Warehouse

_MAX_ORPHAN_LOOKUPS = 20  # each takes a request, and a model may leave hundreds of lists


@dataclass(frozen=True)
class PlanRequest:
    """The input of a plan: the selected models in the order of the run, and all models of the project."""

    target: Target
    selected: tuple[Model, ...]
    project_models: tuple[ProjectModel, ...]
    options: PlanOptions


def build_plan(
    warehouse: Warehouse, state: State, klaviyo: Klaviyo | None, request: PlanRequest, on_event: EventHandler
) -> Plan:
    """Return the plan of the selected models, by phase and then in the given order.

    The deltas are in temporary tables of the warehouse session. `klaviyo` looks up the lists. Without it, the
    lists in the state are assumed to exist, and all others to be new. `Plan.violations` are the guards that
    trip.

    Raises ModelError if a model fails to run, UsageError if its lists are ambiguous or have another owner,
    WarehouseError and KlaviyoError.
    """
    refuse_key(request.selected, request.target.destination)
    staged_models = _stage_models(warehouse, state, request, on_event)
    registered_lists = state.lists.registered()
    destination = request.target.destination
    refs = _resolve_all_lists(state, klaviyo, request, staged_models, registered_lists)
    lists.reject_multiple_owners(refs, registered_lists, request.project_models)
    if klaviyo is not None:
        new_lists = [
            (staged_model.model, ref)
            for staged_model in staged_models
            for ref in refs[staged_model.model.name]
            if ref.is_new
        ]
        lists.require_creation_allowed(new_lists, klaviyo, allowed=destination.create_lists)
    model_plans = add_guard_facts(
        warehouse,
        state,
        [
            plan_model(warehouse, state, staged_model, refs[staged_model.model.name], request.options)
            for staged_model in staged_models
        ],
        request.options,
    )
    orphans = tuple(_find_orphans(state, registered_lists, model_plans, request.project_models, klaviyo))
    notes, new_notes = _describe_orphans(state, orphans)
    rename_warnings = rename_warning(state)
    plan = Plan(
        model_plans,
        lists_looked_up=klaviyo is not None,
        unfinished_runs=len(state.runs.unfinished()),
        notes=(*rename_warnings, *notes),
        new_notes=(*rename_warnings, *new_notes),
        orphans=orphans,
        account=state.scope.account,
    )
    return apply_guards(warehouse, plan, request.options.allow)


def _stage_models(
    warehouse: Warehouse, state: State, request: PlanRequest, on_event: EventHandler
) -> list[StagedModel]:
    staged_models: list[StagedModel] = []
    with warehouse.staging():
        for model in sorted(request.selected, key=lambda model: model.config.surface.phase):
            started_at = state.clock.monotonic()
            staged_models.append(stage_model(warehouse, model, state.scope.table_key(model.name)))
            on_event(StagedEvent(model.name, staged_models[-1].rows, state.clock.monotonic() - started_at))
    return staged_models


def _resolve_all_lists(
    state: State,
    klaviyo: Klaviyo | None,
    request: PlanRequest,
    staged_models: Sequence[StagedModel],
    registered_lists: Sequence[RegisteredList],
) -> dict[str, tuple[ListRef, ...]]:
    """Return the lists of each model, by its name."""
    destination = request.target.destination
    last_lists = last_lists_by_model(state.runs.run_lists())
    ids_with_rows = {
        staged_model.model.name: {*applied, *uncertain}
        for staged_model in staged_models
        for applied, uncertain in [state.rows_by_list(staged_model.tables.table_key)]
    }
    directory = _look_up_lists(staged_models, destination.lists, registered_lists, ids_with_rows, klaviyo)
    return {
        staged_model.model.name: _annotate_history(
            lists.resolve_lists(
                staged_model.model,
                staged_model.list_names,
                destination.lists,
                registered_lists,
                directory,
                ids_with_rows[staged_model.model.name],
            ),
            staged_model,
            registered_lists,
            last_lists,
            refresh=request.options.full_refresh,
        )
        for staged_model in staged_models
    }


def _look_up_lists(
    staged_models: Sequence[StagedModel],
    list_ids_by_name: Mapping[str, str],
    registered_lists: Sequence[RegisteredList],
    ids_with_rows: Mapping[str, Collection[str]],
    klaviyo: Klaviyo | None,
) -> ListDirectory | None:
    """Look up the lists of all models together."""
    if klaviyo is None:
        return None
    names: set[str] = set()
    ids: set[str] = set()
    for staged_model in staged_models:
        model_names, model_ids = lists.collect_lookups(
            staged_model.model,
            staged_model.list_names,
            list_ids_by_name,
            registered_lists,
            ids_with_rows[staged_model.model.name],
        )
        names |= model_names
        ids |= model_ids
    directory = ListDirectory(klaviyo)
    directory.prefetch(names, ids)
    return directory


def _annotate_history(
    refs: Sequence[ListRef],
    staged_model: StagedModel,
    registered_lists: Sequence[RegisteredList],
    last_lists: Mapping[str, frozenset[str]],
    *,
    refresh: bool,
) -> tuple[ListRef, ...]:
    """Return the lists of a model with their history: the previous owner, and whether the model resumes it.

    `last_lists` holds, by model, the ids of the lists of its last run. With `refresh`, all rows are sent
    again, if they may be.
    """
    name = staged_model.model.name
    other_owners = {entry.id: entry.model for entry in registered_lists if entry.id and entry.model != name}
    last_list_ids = last_lists.get(name)
    return tuple(
        replace(
            ref,
            previous_model=other_owners.get(ref.id, ""),
            resumed=last_list_ids is not None
            and bool(ref.id)
            and not ref.is_new
            and ref.id not in last_list_ids,
            refresh=refresh and staged_model.may_send_again,
        )
        for ref in refs
    )


def _find_orphans(
    state: State,
    registered_lists: Sequence[RegisteredList],
    model_plans: Sequence[ModelPlan],
    project_models: Collection[ProjectModel],
    klaviyo: Klaviyo | None,
) -> Iterator[Orphan]:
    """Yield the lists that a model, or a deleted model, has rows on and no longer owns."""
    project_names = {model.name for model in project_models}
    orphaned = [
        (model_plan.model.name, list_id, rows)
        for model_plan in model_plans
        for list_id, rows in model_plan.orphaned_rows
    ]
    for model_record in state.models().values():
        if model_record.name not in project_names:
            orphaned += [
                (model_record.name, *rows)
                for rows in max_rows(*state.rows_by_list(model_record.table_key)).items()
            ]
    names = {entry.id: entry.name for entry in registered_lists}
    unplanned_names = project_names - {model_plan.model.name for model_plan in model_plans}
    owners = {entry.id: entry.model for entry in registered_lists if entry.model in unplanned_names}
    owners |= {
        list_plan.list_ref.id: model_plan.model.name
        for model_plan in model_plans
        for list_plan in model_plan.lists
    }
    for number, (model, list_id, rows) in enumerate(orphaned):
        lookup_client = klaviyo if number < _MAX_ORPHAN_LOOKUPS else None
        if list_id:  # '' means a surface without lists
            yield Orphan(
                model,
                list_id,
                names.get(list_id, list_id),
                rows,
                model_deleted=model not in project_names,
                owner=owners.get(list_id, ""),
                list_deleted=lookup_client is not None and lookup_client.get_list(list_id) is None,
            )


def _describe_orphans(state: State, orphans: Sequence[Orphan]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the notes on orphans, and those of them that are new: the list was still owned in the last run.

    A list that was deleted at Klaviyo gets a note only once.
    """
    if not orphans:
        return (), ()
    run_lists = state.runs.run_lists()
    last_lists = last_lists_by_model(run_lists)
    newest_run_id = run_lists[0].run_id if run_lists else ""
    newest_run_models = {entry.model for entry in run_lists if entry.run_id == newest_run_id}
    new_orphans = [
        entry
        for entry in orphans
        if entry.list_id in last_lists.get(entry.model, ())
        and (not entry.model_deleted or entry.model in newest_run_models)
    ]
    return (
        tuple(entry.describe() for entry in orphans if entry in new_orphans or not entry.list_deleted),
        tuple(entry.describe() for entry in new_orphans),
    )


def require_known_allowances(allowances: Allowances, project_models: Collection[ProjectModel]) -> None:
    """Raise UsageError if a flag that lets models pass a guard names a model that the project lacks."""
    for guard, names in allowances.by_guard().items():
        require_known_models(names, project_models, guard.flag)


def require_known_models(
    given_names: Collection[str], project_models: Collection[ProjectModel], flag: str
) -> None:
    """Raise UsageError if names given to a flag are not models of the project."""
    unknown = sorted(set(given_names) - {model.name for model in project_models})
    if unknown:
        names = sorted(model.name for model in project_models)
        raise UsageError(
            *(Problem(f"There is no model {name}.", flag, did_you_mean(name, names)) for name in unknown)
        )
