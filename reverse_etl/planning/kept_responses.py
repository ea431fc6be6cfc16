"""Let a model read the responses that other models keep, and nothing else of the state."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reverse_etl.models.model import Model
from reverse_etl.models.relations import response_relation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reverse_etl.models.model import ProjectModel
    from reverse_etl.state import State


def with_responses(state: State, model: Model, project_models: Iterable[ProjectModel]) -> Model:
    """Return the model with the query of each `source('reverse_etl', ...)` that it reads.

    A query has the name by which the model's SQL calls it. So the SQL names no table of the state, and can
    neither read nor change another one.
    """
    if not model.response_reads:
        return model
    queries = (
        f"{response_relation(other.name)} AS ("
        f"{state.responses.view_sql(other.name, other.config.surface.columns.key)})"
        for other in project_models
        if isinstance(other, Model) and other.name in model.response_reads
    )
    return replace(model, responses_sql=", ".join(queries))
