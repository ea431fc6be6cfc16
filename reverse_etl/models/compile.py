"""Compile and check the models of a project, from files only, before anything is read or sent."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from reverse_etl.dbt.project import DBT_PROJECT_FILE as DBT_PROJECT
from reverse_etl.dbt.project import read_dbt_project
from reverse_etl.domain.list_target import ListById, NamedList
from reverse_etl.errors import ModelError, Problem
from reverse_etl.formatting import format_location
from reverse_etl.models.config import BoundConfig, ConfigInput, bind_columns
from reverse_etl.models.context import ModelContext
from reverse_etl.models.from_dbt import compile_meta_node
from reverse_etl.models.lint import lint_query
from reverse_etl.models.model import Model, compute_checksum, shared_list_problem
from reverse_etl.models.query import Finding, Query, read_query
from reverse_etl.models.relations import load_relations
from reverse_etl.models.unstable_aggregates import find_unstable_aggregates
from reverse_etl.parsing.jinja import RenderedFile, TemplateError, render_file
from reverse_etl.parsing.validation import validate_mapping
from reverse_etl.surfaces.catalog import EXAMPLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from reverse_etl.config.target import Target
    from reverse_etl.dbt.meta import MetaNode

_CONFIG_HINT: Final = (
    f"Write {{{{ config(surface='{EXAMPLE.name}', list='VIP customers') }}}} above the SELECT."
)


def models_folder(project_dir: Path) -> Path:
    """Return the folder of models: `reverse_etl` in a dbt project, `models` otherwise."""
    return project_dir / ("reverse_etl" if (project_dir / DBT_PROJECT).is_file() else "models")


def find_models(project_dir: Path, meta_nodes: Sequence[MetaNode] = ()) -> tuple[Path, ...]:
    """Return the SQL files of models, sorted by name.

    `meta_nodes` are the dbt models with `meta.reverse_etl`. Raises ModelError if there is neither a file nor
    a meta node, or if two have the same name.
    """
    folder = models_folder(project_dir)
    paths = sorted(folder.rglob("*.sql"), key=lambda path: (path.stem, path))
    if not paths and not meta_nodes:
        raise ModelError.of(
            "The project has no models.",
            where=format_location(folder),
            hint="Run: reverse-etl init. Or write a model in this folder.",
        )
    paths_by_name: dict[str, list[tuple[str, Path]]] = defaultdict(list)
    for path in paths:
        paths_by_name[path.stem.casefold()].append((path.stem, path))
    for meta_node in meta_nodes:
        paths_by_name[meta_node.name.casefold()].append((meta_node.name, project_dir / meta_node.path))
    duplicates = [same_name for same_name in paths_by_name.values() if len(same_name) > 1]
    if duplicates:
        raise ModelError(
            *(
                Problem(
                    f"{len(same_name)} models have the name {same_name[0][0]}.",
                    " and ".join(format_location(path) for _, path in same_name),
                    "Rename one: a model has the name of its file.",
                )
                for same_name in duplicates
            )
        )
    return tuple(paths)


def compile_models(
    project_dir: Path,
    target: Target,
    *,
    vars: Mapping[str, Any],  # noqa: A002 - dbt's word
    environ: Mapping[str, str],
    dbt_artifacts: Sequence[Path] = (),
) -> tuple[Model, ...]:
    """Return the enabled models of a project, sorted by name: SQL files, and dbt models with `meta`.

    Reads only files, not the warehouse. `vars` are the values of --vars, which override dbt_project.yml.
    Raises ModelError with the problems of all models.
    """
    dbt_project = read_dbt_project(
        project_dir, environ=environ, cli_vars=vars, artifact_folders=dbt_artifacts
    )
    relations = load_relations(target, dbt_project.manifest_path if dbt_project else None)
    variables = {**(dbt_project.variables if dbt_project else {}), **vars}
    problems: list[Problem] = []
    models: list[Model] = []
    for path in find_models(project_dir, relations.meta_nodes):
        compiler = _ModelCompiler(project_dir, path, ModelContext(target, relations, variables, environ), [])
        model = compiler.compile_model()
        problems += compiler.problems
        if model is not None and model.config.enabled:
            models.append(model)
    for meta_node in relations.meta_nodes:
        model = compile_meta_node(meta_node, target.output.type, project_dir, problems)
        if model is not None:
            models.append(model)
    models.sort(key=lambda model: model.name)
    problems += _find_shared_lists(models)
    if problems:
        raise ModelError(*problems)
    return tuple(models)


def _find_shared_lists(models: Iterable[Model]) -> Iterator[Problem]:
    """Yield a problem for each list that two models name.

    A list named in two ways, such as name and id, is found later, when lists are looked up.
    """
    owners: dict[NamedList | ListById, Model] = {}
    for model in models:
        match model.config.list_target:
            case NamedList() | ListById() as list_target:
                owner = owners.setdefault(list_target, model)
                if owner is not model:
                    yield shared_list_problem(str(list_target), owner, model)
            case _:
                pass


@dataclass(frozen=True)
class _ModelCompiler:
    """Compiles one file, and collects its problems."""

    project_dir: Path
    path: Path
    context: ModelContext
    problems: list[Problem]

    def compile_model(self) -> Model | None:
        """Return the model, or None if it has problems or is disabled."""
        try:
            source = self.path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError):
            self.add_problem("The file cannot be read as UTF-8 text.")
            return None
        rendered = self.render_source(source)
        if any(settings.get("enabled") is False for _, settings in self.context.configs):
            return None
        template_problems = self.context.template_problems
        self.problems.extend(
            Problem(
                template_problem.summary,
                format_location(self.path, template_problem.line),
                template_problem.hint,
            )
            for template_problem in template_problems
        )
        config_input = self.read_config(source)
        if rendered is None or template_problems:
            return None
        query = self.parse_query(rendered)
        if query is None or config_input is None:
            return None
        bound_config = bind_columns(config_input, query.columns) if not query.findings else None
        return self.build_model(query, bound_config, rendered, source) if bound_config else None

    def render_source(self, source: str) -> RenderedFile | None:
        try:
            return render_file(source, self.context.build_namespace())
        except TemplateError as error:
            summary, hint = (
                self.context.explain_undefined(error.undefined_name)
                if error.undefined_name
                else (error.summary, error.hint)
            )
            if not self.context.template_problems:  # this error may be a consequence of those
                self.add_problem(summary, error.line, hint=hint)
            return None

    def read_config(self, source: str) -> ConfigInput | None:
        match self.context.configs:
            case [(line, settings)]:
                locate = _config_locator(self.path, source, line)
                config_input, problems = validate_mapping(
                    ConfigInput, settings, mapping_name="config()", locate=locate
                )
                self.problems.extend(problems)
                return config_input
            case []:
                if not self.problems:
                    self.add_problem("The model has no config().", 1, hint=_CONFIG_HINT)
            case [(first, _), (second, _), *_]:
                self.add_problem(
                    f"config() is called twice, first on line {first}.", second, hint="Remove one of them."
                )
        return None

    def parse_query(self, rendered: RenderedFile) -> Query | None:
        match read_query(rendered.text, self.context.target.output.type):
            case Query() as query:
                findings = [*query.findings, *lint_query(query, self.context.target.output.type)]
                self.add_findings(sorted(findings, key=lambda finding: finding.offset or 0), rendered)
                return query
            case Finding() as finding:
                self.add_findings([finding], rendered)
                return None

    def build_model(
        self, query: Query, bound_config: BoundConfig, rendered: RenderedFile, source: str
    ) -> Model | None:
        locate = _config_locator(self.path, source, self.context.configs[0][0])
        for finding in bound_config.findings:
            if finding.offset is None:
                self.problems.append(Problem(finding.summary, locate(()), finding.hint))
            else:
                self.add_findings([finding], rendered)
        if self.problems:
            return None
        return Model(
            name=self.path.stem,
            path=self.path.relative_to(self.project_dir),
            sql=query.sql,
            rendered=rendered,
            sql_start=query.start,
            config=bound_config.config,
            columns=tuple(column.name for column in query.columns),
            payload=bound_config.payload,
            reads=tuple(self.context.reads),
            checksum=compute_checksum(query.sql, bound_config.config),
            warnings=tuple(
                self.to_problem(finding, rendered)
                for finding in (
                    *bound_config.warnings,
                    *find_unstable_aggregates(query, self.context.target.output.type),
                )
            ),
        )

    def add_findings(self, findings: Iterable[Finding], rendered: RenderedFile) -> None:
        self.problems.extend(self.to_problem(finding, rendered) for finding in findings)

    def to_problem(self, finding: Finding, rendered: RenderedFile) -> Problem:
        line, column = (None, None) if finding.offset is None else rendered.position(finding.offset)
        return Problem(finding.summary, format_location(self.path, line, column), finding.hint)

    def add_problem(
        self, summary: str, line: int | None = None, column: int | None = None, *, hint: str = ""
    ) -> None:
        self.problems.append(Problem(summary, format_location(self.path, line, column), hint))


def _config_locator(path: Path, source: str, line: int | None) -> Callable[[tuple[str | int, ...]], str]:
    """Return a function that locates a key of the `config()` call, by its text: Jinja keeps no positions."""
    call = re.search(r"\bconfig\s*\(", source)
    start = call.start() if call else 0

    def locate(keys: tuple[str | int, ...]) -> str:
        name = re.escape(str(keys[0])) if keys else ""
        match = (
            re.compile(rf"(?<![\w'\"])['\"]?({name})['\"]?\s*[=:]").search(source, start) if keys else None
        )
        if match is None:
            return format_location(path, line)
        before = source[: match.start(1)]
        return format_location(path, before.count("\n") + 1, len(before) - before.rfind("\n"))

    return locate
