"""Let a model read the responses that other models keep, and the journal, and nothing else of the state."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reverse_etl.models.model import Model
from reverse_etl.models.relations import state_relation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from reverse_etl.models.model import ProjectModel
    from reverse_etl.state import State


def add_state_sources(
    open_state: Callable[[], State], models: Sequence[Model], project_models: Sequence[ProjectModel]
) -> list[Model]:
    """Return the models with what they read of the state; opens it only if one of them reads any."""
    if not any(model.state_reads for model in models):
        return [*models]
    state = open_state()
    return [with_state_sources(state, model, project_models) for model in models]


def with_state_sources(state: State, model: Model, project_models: Iterable[ProjectModel]) -> Model:
    """Return the model with the query of each `source('reverse_etl', ...)` that it reads.

    A query has the name by which the model's SQL calls it. So the SQL names no table of the state, and can
    neither read nor change another one.
    """
    if not model.state_reads:
        return model
    keys = {
        other.name: other.config.surface.columns.key
        for other in project_models
        if isinstance(other, Model) and other.keeps_responses
    }
    queries = (
        f"{state_relation(name)} AS ("
        f"{state.responses.view_sql(name, keys[name]) if name in keys else state.journal.view_sql()})"
        for name in sorted(model.state_reads)
    )
    return replace(model, state_sources_sql=", ".join(queries))
