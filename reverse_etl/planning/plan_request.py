"""The input of a plan, checked: what a command or a saved plan asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.planning.named_models import require_known_allowances, require_known_models

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from reverse_etl.config.target import Target
    from reverse_etl.models.model import Model, ProjectModel
    from reverse_etl.models.project_models import ProjectModels
    from reverse_etl.planning.plan_options import PlanOptions


@dataclass(frozen=True)
class PlanRequest:
    """The input of a plan: the selected models in the order of the run, and all models of the project."""

    target: Target
    selected: tuple[Model, ...]
    project_models: tuple[ProjectModel, ...]
    options: PlanOptions


def build_request(
    target: Target,
    models: ProjectModels,
    options: PlanOptions,
    select: Sequence[str] = (),
    exclude: Sequence[str] = (),
) -> PlanRequest:
    """Return what a command asks for.

    Raises UsageError if a selector or an option names no model, and ModelError if a selected one does not
    compile.
    """
    require_known_options(options, models.all)
    return PlanRequest(target, models.select(select, exclude), models.all, options)


def require_known_options(options: PlanOptions, models: Collection[ProjectModel]) -> None:
    """Raise UsageError if an option names no model."""
    require_known_models(options.rekey, models, "--rekey")
    require_known_allowances(options.allow, models)
