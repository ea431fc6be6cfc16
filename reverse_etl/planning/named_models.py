"""Checks the models that flags name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.errors import Problem, UsageError
from reverse_etl.models.model import Model
from reverse_etl.parsing.suggestions import did_you_mean
from reverse_etl.planning.violations import Allowances, Guard

if TYPE_CHECKING:
    from collections.abc import Collection

    from reverse_etl.models.model import ProjectModel
    from reverse_etl.surfaces.interface import Surface


def require_known_allowances(allowances: Allowances, project_models: Collection[ProjectModel]) -> None:
    """Raise UsageError if a flag that lets models pass a guard names a model that the project lacks.

    And if the guard never stops a model of that kind: somebody meant another model, or another flag.
    """
    surfaces = {model.name: model.config.surface for model in project_models if isinstance(model, Model)}
    problems = []
    for guard, names in allowances.by_guard().items():
        require_known_models(names, project_models, guard.flag)
        for name in sorted(names):
            if name in surfaces and (reason := _why_never_stopped(guard, surfaces[name])):
                hint = f"Name another model, or remove {guard.flag} {name}."
                problems.append(Problem(f"The model {name} {reason}.", guard.flag, hint))
    if problems:
        raise UsageError(*problems)


def _why_never_stopped(guard: Guard, surface: Surface) -> str:
    """Return why a guard never stops a model of a surface, "" if it may: the predicate of a sentence."""
    match guard:
        case Guard.DELETES if not surface.deletes_people:
            return f"deletes nobody: its surface is {surface.name}"
        case Guard.RESUBSCRIBE if not surface.asks_for_consent:
            return f"subscribes nobody: its surface is {surface.name}"
        case Guard.REQUEST if not surface.described_by_model:
            return f"describes no requests: its surface is {surface.name}"
        case Guard.CLEARS if surface.clear is None:
            return "clears no values: it has neither on_null='clear' nor 'unset'"
        case _:
            return ""


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
