"""The input of a plan, checked: what a command or a saved plan asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.domain.identifiers import KEY_TYPE
from reverse_etl.errors import Problem, UsageError
from reverse_etl.models.model import Model
from reverse_etl.parsing.suggestions import did_you_mean
from reverse_etl.planning.violations import Allowances, Guard

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from reverse_etl.config.target import Target
    from reverse_etl.models.model import ProjectModel
    from reverse_etl.models.project_models import ProjectModels
    from reverse_etl.planning.plan_options import PlanOptions
    from reverse_etl.state import ModelRecord
    from reverse_etl.surfaces.interface import Surface


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
    """Raise UsageError if an option names a model that the project lacks, or one that it never affects."""
    require_known_models(options.rekey, models, "--rekey")
    require_known_allowances(options.allow, models)


def require_known_allowances(allowances: Allowances, project_models: Collection[ProjectModel]) -> None:
    """Raise UsageError if a flag that lets models pass a guard names a model that the project lacks.

    Also if the guard never stops a model of that surface: another model or another flag was meant.
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


def is_rekeyed(model: Model, model_record: ModelRecord | None, *, allowed: bool) -> bool:
    """Return whether a model's identifiers changed since its last run.

    Raises UsageError if they did, unless that is `allowed`; and always if the columns of the row key changed.
    """
    current = model.config.row_key
    if model_record is None or model_record.identifiers == current:
        return False
    previous = ", ".join(f"{kind}: {name}" for kind, name in model_record.identifiers)
    if KEY_TYPE in {kind for kind, _ in (*current, *model_record.identifiers)}:
        raise UsageError.of(
            f"The row key of this model changed. Its rows were sent with {previous}.",
            where=f"{model.path} (model {model.name})",
            models=(model.name,),
            hint="Restore the key, or rename the model: then all of its rows are new.",
        )
    if not allowed:
        raise UsageError.of(
            f"The identifiers of this model changed. Its rows were sent with {previous}.",
            where=f"{model.path} (model {model.name})",
            models=(model.name,),
            hint=f"Restore them, or show what the change means: reverse-etl plan --rekey {model.name}",
        )
    return True
