"""Find the people that other models of the project have rows of: in the state, or among the rows of this run.

The state lacks rows that a guard or `--limit` keeps back, and rejected ones. They count, because their
models say what is to become of the people.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.domain.batched import batched
from reverse_etl.models.model import Model
from reverse_etl.planning.sql.staging import select_staged_identities
from reverse_etl.planning.stager import unsubscribes
from reverse_etl.state.people import find_own_on_list
from reverse_etl.state.tables import ROWS_PER_STATEMENT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reverse_etl.delivery.context import DeliveryContext
    from reverse_etl.planning.plan import ModelPlan
    from reverse_etl.planning.stage import StagedModel
    from reverse_etl.surfaces.interface import Surface


def find_staged_people(
    context: DeliveryContext, identities: Sequence[str], is_meant: Callable[[str, Surface], bool]
) -> dict[str, str]:
    """Return by identity a model that has a row of it now, whether or not the row is sent.

    These are the models of the run, and others that suppress or unsubscribe people. `is_meant` gets the
    name and the surface of a model.
    """
    models_by_identity: dict[str, str] = {}
    models: tuple[ModelPlan | StagedModel, ...] = (*context.model_plans, *context.unselected_models)
    for staged in models if identities else ():
        model = staged.model
        if staged.tables.has_staged_rows and is_meant(model.name, model.config.surface):
            for part in batched(identities, ROWS_PER_STATEMENT):
                statement = select_staged_identities(staged.tables, part)
                for (identity,) in context.warehouse.fetch(statement):
                    models_by_identity.setdefault(identity, model.name)
    return models_by_identity


def find_people(
    context: DeliveryContext, identities: Sequence[str], is_meant: Callable[[str, Surface], bool]
) -> frozenset[str]:
    """Return those identities that models of the project have rows of, in the state or in this run."""
    return context.state.models.find_known(identities, is_meant) | {
        *find_staged_people(context, identities, is_meant)
    }


def find_unsubscribing_models(
    context: DeliveryContext, list_id: str, identities: Sequence[str]
) -> dict[str, str]:
    """Return by identity a model that still has to unsubscribe its person from a list.

    The row left the model, or may have left it: the model is not part of this run and could not be read.
    """
    planned = {model_plan.model.name: model_plan for model_plan in context.model_plans}
    unselected = {staged.model.name: staged for staged in context.unselected_models}
    names = [entry.name for entry in context.state.lists.registered() if entry.id == list_id]
    models_by_identity: dict[str, str] = {}
    for model in context.project_models if identities else ():
        if isinstance(model, Model) and not unsubscribes(model.config.surface):
            continue
        waiting = find_own_on_list(context.state, model.name, list_id, identities)
        staged = planned.get(model.name) or unselected.get(model.name)
        if waiting and staged is not None:
            list_values = () if model.name in planned else ("", list_id, *dict.fromkeys(names))
            for part in batched(sorted(waiting), ROWS_PER_STATEMENT):
                statement = select_staged_identities(staged.tables, part, list_id, list_values)
                waiting -= {identity for (identity,) in context.warehouse.fetch(statement)}
        models_by_identity |= dict.fromkeys(waiting, model.name)
    return models_by_identity
