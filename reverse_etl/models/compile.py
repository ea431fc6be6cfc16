"""Compile and check the models of a project, from files only, before anything is read or sent."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from reverse_etl.dbt.project import read_dbt_project
from reverse_etl.domain.list_target import ListById, NamedList
from reverse_etl.errors import ModelError, Problem
from reverse_etl.formatting import format_location
from reverse_etl.models.compile_file import compile_file
from reverse_etl.models.context import ModelContext
from reverse_etl.models.discovery import find_model_files, no_models_error
from reverse_etl.models.from_dbt import compile_meta_node
from reverse_etl.models.model import BrokenModel, Model, shared_list_problem
from reverse_etl.models.relations import JOURNAL, STATE_SOURCE, load_relations
from reverse_etl.parsing.suggestions import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from reverse_etl.config.target import Target
    from reverse_etl.models.model import ProjectModel
    from reverse_etl.surfaces.interface import ListAspect


@dataclass(frozen=True)
class Compilation:
    """The enabled models of a project, sorted by name, with those that do not compile.

    `shared_lists` has a problem for each list that two models name; it names both.
    """

    models: tuple[ProjectModel, ...]
    shared_lists: tuple[Problem, ...] = ()

    def require(self, models: Sequence[ProjectModel]) -> tuple[Model, ...]:
        """Return models that are going to be used. Raises ModelError if one does not compile.

        A list that one of them shares with another model of the project is such a problem, too.
        """
        names = {model.name for model in models}
        problems = [
            *(
                replace(problem, models=problem.models or (model.name,))
                for model in models
                if isinstance(model, BrokenModel)
                for problem in model.problems
            ),
            *(problem for problem in self.shared_lists if not names.isdisjoint(problem.models)),
        ]
        if problems:
            raise ModelError(*dict.fromkeys(problems))
        return tuple(model for model in models if isinstance(model, Model))


def compile_models(
    project_dir: Path,
    target: Target,
    *,
    vars: Mapping[str, Any],  # noqa: A002 - dbt's word
    environ: Mapping[str, str],
    dbt_artifacts: Sequence[Path] = (),
) -> tuple[Model, ...]:
    """Return the enabled models of a project, sorted by name. Raises ModelError with all problems."""
    compilation = compile_project(
        project_dir, target, vars=vars, environ=environ, dbt_artifacts=dbt_artifacts
    )
    return compilation.require(compilation.models)


def compile_project(  # noqa: PLR0913 - dbt's flags
    project_dir: Path,
    target: Target,
    *,
    vars: Mapping[str, Any],  # noqa: A002 - dbt's word
    environ: Mapping[str, str],
    dbt_artifacts: Sequence[Path] = (),
    parse: bool = True,
) -> Compilation:
    """Compile the models of a project: SQL files, and dbt models with `meta`.

    Reads only files, not the warehouse. `vars` are the values of --vars, which override dbt_project.yml.
    Without `parse`, no SQL is parsed, and models have only the traits that their settings say. Raises
    ModelError if the project has no models, or if dbt's manifest cannot be used.
    """
    dbt_project = read_dbt_project(
        project_dir, environ=environ, cli_vars=vars, artifact_folders=dbt_artifacts
    )
    relations = load_relations(target, dbt_project.manifest_path if dbt_project else None)
    variables = {**(dbt_project.variables if dbt_project else {}), **vars}
    paths = find_model_files(project_dir)
    if not paths and not relations.meta_nodes:
        raise no_models_error(project_dir)
    compiled = [
        compile_file(project_dir, path, ModelContext(target, relations, variables, environ), parse=parse)
        for path in paths
    ]
    compiled += [
        compile_meta_node(meta_node, target.output.type, project_dir, parse=parse)
        for meta_node in relations.meta_nodes
    ]
    models = sorted((model for model in compiled if model is not None), key=lambda model: model.name)
    models = _break_readers_of_state(models, has_journal=target.destination.journal is not None)
    return Compilation(tuple(_break_duplicates(models)), tuple(_find_shared_lists(models)))


def list_model_files(project_dir: Path) -> tuple[ProjectModel, ...]:
    """Return the models of which there is a file, without compiling them: only name and path are known."""
    return tuple(
        BrokenModel(path.stem, path.relative_to(project_dir), ()) for path in find_model_files(project_dir)
    )


def _break_readers_of_state(models: Sequence[ProjectModel], *, has_journal: bool) -> list[ProjectModel]:
    """Return the models. Those are broken that read responses which no model keeps, or a journal that is off.

    Such a model may itself keep responses that others read, so that they are broken, too.
    """
    known = {model.name: model for model in models}
    keeping = {model.name for model in models if isinstance(model, Model) and model.keeps_responses}
    readable = sorted(keeping | ({JOURNAL} if has_journal else set()))
    checked = [_break_reader_of_state(model, known, readable) for model in models]
    if checked == [*models]:
        return checked
    return _break_readers_of_state(checked, has_journal=has_journal)


def _break_reader_of_state(
    model: ProjectModel, known: Mapping[str, ProjectModel], keeping: Sequence[str]
) -> ProjectModel:
    reads = model.state_reads if isinstance(model, Model) else {}
    problems = tuple(
        _state_read_problem(known.get(name), name, where, keeping)
        for name, where in reads.items()
        if name not in keeping
    )
    if not problems:
        return model
    return BrokenModel(model.name, model.path, problems, model.traits, model.list_target, model.list_aspect)


def _state_read_problem(model: ProjectModel | None, name: str, where: str, keeping: Sequence[str]) -> Problem:
    call = f"source('{STATE_SOURCE}', '{name}')"
    match model:
        case Model():
            hint = "Write responses=True in its config(); its surface has to be request."
            return Problem(f"{call}: the model {name} keeps no responses.", where, hint)
        case BrokenModel():
            return Problem(f"{call}: the model {name} does not compile.", where, "Correct that model first.")
        case None if name == JOURNAL:
            return Problem(
                f"{call}: the destination keeps no journal.", where, "Add journal: 90d to the destination."
            )
        case None:
            return Problem(f"{call}: there is no model {name}.", where, did_you_mean(name, keeping))


def _break_duplicates(models: Sequence[ProjectModel]) -> Iterator[ProjectModel]:
    """Yield the models. Those with the same name, compared without case, are broken."""
    models_by_name: dict[str, list[ProjectModel]] = defaultdict(list)
    for model in models:
        models_by_name[model.name.casefold()].append(model)
    for model in models:
        same_name = models_by_name[model.name.casefold()]
        if len(same_name) == 1:
            yield model
            continue
        problem = Problem(
            f"{len(same_name)} models have the name {same_name[0].name}.",
            " and ".join(format_location(path) for path in sorted(other.path for other in same_name)),
            "Rename one: a model has the name of its file.",
        )
        yield BrokenModel(
            model.name, model.path, (problem,), model.traits, model.list_target, model.list_aspect
        )


def _find_shared_lists(models: Iterable[ProjectModel]) -> Iterator[Problem]:
    """Yield a problem for each list that two models name.

    A list named in two ways, such as name and id, is found later, when lists are looked up.
    """
    owners: dict[tuple[ListAspect, NamedList | ListById], ProjectModel] = {}
    for model in models:
        match model.list_target:
            case NamedList() | ListById() as list_target:
                owner = owners.setdefault((model.list_aspect, list_target), model)
                if owner is not model:
                    yield shared_list_problem(str(list_target), owner, model)
            case _:
                pass
