"""Models: the SQL files of a project, compiled and checked before anything is read or sent."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from reverse_etl.dbt.project import FILE as DBT_PROJECT
from reverse_etl.dbt.project import read_dbt_project
from reverse_etl.domain.list_target import ListById, NamedList
from reverse_etl.errors import ModelError, Problem
from reverse_etl.formatting import at
from reverse_etl.models.config import Fitted, WrittenConfig, fit
from reverse_etl.models.context import ModelContext
from reverse_etl.models.from_dbt import marked_model
from reverse_etl.models.lint import lint
from reverse_etl.models.model import Model, both_drive, checksum
from reverse_etl.models.query import Finding, Query, read_query
from reverse_etl.models.relations import relations_of
from reverse_etl.parsing.jinja import Rendered, TemplateError, render_file
from reverse_etl.parsing.validation import check

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from reverse_etl.config.target import Target
    from reverse_etl.dbt.meta import Marked

_EXAMPLE: Final = "Write {{ config(surface='list_memberships', list='VIP customers') }} above the SELECT."


def models_folder(project_dir: Path) -> Path:
    """Return where models lie: in `reverse_etl` beside a dbt_project.yml, else in `models`."""
    return project_dir / ("reverse_etl" if (project_dir / DBT_PROJECT).is_file() else "models")


def find_models(project_dir: Path, marked: Sequence[Marked] = ()) -> tuple[Path, ...]:
    """Return the models' files, sorted by name.

    `marked` are the dbt models that are models too. Raises ModelError where there are neither, or for two of
    one name.
    """
    folder = models_folder(project_dir)
    paths = sorted(folder.rglob("*.sql"), key=lambda path: (path.stem, path))
    if not paths and not marked:
        raise ModelError.of(
            "There are no models.", where=at(folder), advice="Write one there, or run: reverse-etl init"
        )
    named: dict[str, list[tuple[str, Path]]] = defaultdict(list)
    for path in paths:
        named[path.stem.casefold()].append((path.stem, path))
    for each in marked:
        named[each.name.casefold()].append((each.name, project_dir / each.path))
    twice = [same for same in named.values() if len(same) > 1]
    if twice:
        raise ModelError(
            *(
                Problem(
                    f"{len(same)} models are called {same[0][0]}.",
                    " and ".join(at(path) for _, path in same),
                    "Rename one: a model is known by its file's name.",
                )
                for same in twice
            )
        )
    return tuple(paths)


def compile_models(
    project_dir: Path,
    target: Target,
    *,
    vars: Mapping[str, Any],  # noqa: A002 - dbt's word
    environ: Mapping[str, str],
) -> tuple[Model, ...]:
    """Return the enabled models of a project, sorted by name: its SQL files, and marked dbt models.

    Reads files only; the warehouse is not asked. `vars` are the command line's, over those of
    dbt_project.yml. Raises ModelError with everything that is wrong with any of them.
    """
    project = read_dbt_project(project_dir, environ=environ, cli_vars=vars)
    relations = relations_of(target, project.manifest if project else None)
    variables = {**(project.variables if project else {}), **vars}
    problems: list[Problem] = []
    models: list[Model] = []
    for path in find_models(project_dir, relations.marked):
        compiling = _Compiling(project_dir, path, ModelContext(target, relations, variables, environ), [])
        model = compiling.model()
        problems += compiling.problems
        if model is not None and model.config.enabled:
            models.append(model)
    for marked in relations.marked:
        model = marked_model(marked, target.output.type, project_dir, problems)
        if model is not None:
            models.append(model)
    models.sort(key=lambda model: model.name)
    problems += _driven_twice(models)
    if problems:
        raise ModelError(*problems)
    return tuple(models)


def _driven_twice(models: Iterable[Model]) -> Iterator[Problem]:
    """Yield the lists that two models name; two names of one list show when lists are looked up."""
    owners: dict[NamedList | ListById, Model] = {}
    for model in models:
        match model.config.target:
            case NamedList() | ListById() as target:
                owner = owners.setdefault(target, model)
                if owner is not model:
                    yield both_drive(str(target), owner, model)
            case _:
                pass


@dataclass(frozen=True)
class _Compiling:
    """One file on its way to a model; `problems` gathers what is wrong with it."""

    project_dir: Path
    path: Path
    context: ModelContext
    problems: list[Problem]

    def model(self) -> Model | None:
        """Return the model, or None when something is wrong with it or it is switched off."""
        try:
            source = self.path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError):
            self.add("The file cannot be read as UTF-8 text.")
            return None
        rendered = self.rendered(source)
        if any(settings.get("enabled") is False for _, settings in self.context.configs):
            return None
        notes = self.context.notes
        self.problems.extend(Problem(each.what, at(self.path, each.line), each.advice) for each in notes)
        written = self.written(source)
        if rendered is None or notes:
            return None
        query = self.query(rendered)
        if query is None or written is None:
            return None
        fitted = fit(written, query.columns) if not query.findings else None
        return self.fitted(query, fitted, rendered, source) if fitted else None

    def rendered(self, source: str) -> Rendered | None:
        try:
            return render_file(source, self.context.names())
        except TemplateError as error:
            what, advice = self.context.undefined(error.name) if error.name else (error.what, error.advice)
            if not self.context.notes:  # else it may be their consequence
                self.add(what, error.line, advice=advice)
            return None

    def written(self, source: str) -> WrittenConfig | None:
        match self.context.configs:
            case [(line, settings)]:
                place = _config_place(self.path, source, line)
                written, problems = check(WrittenConfig, settings, thing="config()", where=place)
                self.problems.extend(problems)
                return written
            case []:
                if not self.problems:
                    self.add("The model has no config().", 1, advice=_EXAMPLE)
            case [(first, _), (second, _), *_]:
                self.add(
                    f"config() is called twice, first on line {first}.", second, advice="Keep one of the two."
                )
        return None

    def query(self, rendered: Rendered) -> Query | None:
        match read_query(rendered.text, self.context.target.output.type):
            case Query() as query:
                findings = [*query.findings, *lint(query, self.context.target.output.type)]
                self.report(sorted(findings, key=lambda finding: finding.offset or 0), rendered)
                return query
            case Finding() as finding:
                self.report([finding], rendered)
                return None

    def fitted(self, query: Query, fitted: Fitted, rendered: Rendered, source: str) -> Model | None:
        place = _config_place(self.path, source, self.context.configs[0][0])
        for finding in fitted.findings:
            if finding.offset is None:
                self.problems.append(Problem(finding.what, place(()), finding.advice))
            else:
                self.report([finding], rendered)
        if self.problems:
            return None
        return Model(
            name=self.path.stem,
            path=self.path.relative_to(self.project_dir),
            sql=query.sql,
            rendered=rendered,
            start=query.start,
            config=fitted.config,
            columns=tuple(column.name for column in query.columns),
            payload=fitted.payload,
            reads=tuple(self.context.reads),
            checksum=checksum(query.sql, fitted.config),
        )

    def report(self, findings: Iterable[Finding], rendered: Rendered) -> None:
        for finding in findings:
            line, column = (None, None) if finding.offset is None else rendered.position(finding.offset)
            self.add(finding.what, line, column, advice=finding.advice)

    def add(self, what: str, line: int | None = None, column: int | None = None, *, advice: str = "") -> None:
        self.problems.append(Problem(what, at(self.path, line, column), advice))


def _config_place(path: Path, source: str, line: int | None) -> Callable[[tuple[str | int, ...]], str]:
    """Return where the keys of a `config()` call stand: found by their text, since Jinja does not say."""
    call = re.search(r"\bconfig\s*\(", source)
    start = call.start() if call else 0

    def place(keys: tuple[str | int, ...]) -> str:
        name = re.escape(str(keys[0])) if keys else ""
        found = (
            re.compile(rf"(?<![\w'\"])['\"]?({name})['\"]?\s*[=:]").search(source, start) if keys else None
        )
        if found is None:
            return at(path, line)
        before = source[: found.start(1)]
        return at(path, before.count("\n") + 1, len(before) - before.rfind("\n"))

    return place
