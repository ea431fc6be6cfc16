"""Finds the orphans of a plan, and which of them are new."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.errors import UnusableReply
from reverse_etl.planning.orphans import Orphan, estimate_rows_by_list
from reverse_etl.state.runs import last_lists_by_model
from reverse_etl.surfaces.catalog import find_surface

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from reverse_etl.klaviyo.api import Klaviyo
    from reverse_etl.models.model import ProjectModel
    from reverse_etl.planning.plan import ModelPlan
    from reverse_etl.state import RegisteredList, State
    from reverse_etl.surfaces.interface import ListAspect

_MAX_LOOKUPS = 20  # each takes a request, and a model may leave hundreds of lists


def find_orphans(
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
    for model_record in state.models.records().values():
        if model_record.name not in project_names:
            orphaned += [
                (model_record.name, *rows)
                for rows in estimate_rows_by_list(*state.models.rows_by_list(model_record.table_key)).items()
            ]
    names = {entry.id: entry.name for entry in registered_lists}
    unplanned_names = project_names - {model_plan.model.name for model_plan in model_plans}
    owners = {
        (entry.aspect, entry.id): entry.model for entry in registered_lists if entry.model in unplanned_names
    }
    owners |= {
        (model_plan.model.list_aspect, list_plan.list_ref.id): model_plan.model.name
        for model_plan in model_plans
        for list_plan in model_plan.lists
    }
    aspects = _find_aspects(state, project_models)
    for number, (model, list_id, rows) in enumerate(orphaned):
        lookup_client = klaviyo if number < _MAX_LOOKUPS else None
        if list_id:  # '' means a surface without lists
            yield Orphan(
                model,
                list_id,
                names.get(list_id, list_id),
                rows,
                model_deleted=model not in project_names,
                owner=owners.get((aspects[model], list_id), "") if model in aspects else "",
                list_deleted=lookup_client is not None and _is_deleted(lookup_client, list_id),
            )


def _is_deleted(klaviyo: Klaviyo, list_id: str) -> bool:
    """Return whether Klaviyo says that it has no such list."""
    try:
        return klaviyo.get_list(list_id) is None
    except UnusableReply:
        return False


def _find_aspects(state: State, project_models: Collection[ProjectModel]) -> dict[str, ListAspect]:
    """Return what each model's rows are of their list; of a deleted model by its surface."""
    surfaces = {record.name: find_surface(record.surface) for record in state.models.records().values()}
    aspects = {name: surface.list_aspect for name, surface in surfaces.items() if surface}
    return aspects | {model.name: model.list_aspect for model in project_models}


def describe_orphans(state: State, orphans: Sequence[Orphan]) -> tuple[tuple[str, ...], tuple[str, ...]]:
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
