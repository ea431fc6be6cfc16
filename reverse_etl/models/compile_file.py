"""Compile and check one SQL file of a model."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reverse_etl.errors import Problem
from reverse_etl.formatting import format_location
from reverse_etl.models.column_binding import BoundConfig, bind_columns
from reverse_etl.models.config import ConfigInput, validate_config
from reverse_etl.models.key_guard import contains_key, key_problem
from reverse_etl.models.model import BrokenModel, Model, Traits, compute_checksum, list_names
from reverse_etl.models.parsed_query import Finding, Query
from reverse_etl.models.request_config import find_model_surface
from reverse_etl.parsing.jinja import RenderedFile, TemplateError, render_file
from reverse_etl.surfaces.catalog import EXAMPLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from reverse_etl.models.context import ModelContext
    from reverse_etl.models.model import ProjectModel
    from reverse_etl.surfaces.interface import Surface

_CONFIG_HINT: Final = (
    f"Write {{{{ config(surface='{EXAMPLE.name}', list='VIP customers') }}}} above the SELECT."
)


def compile_file(
    project_dir: Path, path: Path, context: ModelContext, *, parse: bool = True
) -> ProjectModel | None:
    """Return the model of a file, which is broken if it has problems, or None if it is disabled.

    Without `parse` it is what `config()` and the template say of it, as of a broken model.
    """
    return _ModelCompiler(project_dir, path, context, []).compile(parse=parse)


@dataclass(frozen=True)
class _ModelCompiler:
    """Compiles one file, and collects its problems."""

    project_dir: Path
    path: Path
    context: ModelContext
    problems: list[Problem]

    def compile(self, *, parse: bool) -> ProjectModel | None:
        """Return the model, which is broken if it has problems, or None if it is disabled."""
        source = self.read_source()
        rendered = self.render_source(source) if source is not None else None
        if any(settings.get("enabled") is False for _, settings in self.context.configs):
            return None
        self.problems.extend(
            Problem(problem.summary, format_location(self.path, problem.line), problem.hint)
            for problem in self.context.template_problems
        )
        if source is None:
            return self.break_model(None, None)
        config_input = self.read_config(source)
        if rendered is None or self.context.template_problems:
            return self.break_model(config_input, None)
        model = self.compile_query(rendered, config_input, source) if parse else None
        return self.break_model(config_input, tuple(self.context.reads)) if model is None else model

    def break_model(self, config_input: ConfigInput | None, reads: tuple[str, ...] | None) -> BrokenModel:
        """Return the broken model, with what is certain about it: without `reads`, not what it reads."""
        path = self.path.relative_to(self.project_dir)
        if config_input is None:
            return BrokenModel(self.path.stem, path, tuple(self.problems))
        list_target = config_input.list_target()
        traits = Traits(config_input.surface.name, tuple(config_input.tags), list_names(list_target), reads)
        aspect = config_input.configure(config_input.surface).list_aspect
        return BrokenModel(self.path.stem, path, tuple(self.problems), traits, list_target, aspect)

    def read_source(self) -> str | None:
        try:
            return self.path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError):
            self.add_problem("The file cannot be read as UTF-8 text.")
            return None

    def compile_query(
        self, rendered: RenderedFile, config_input: ConfigInput | None, source: str
    ) -> Model | None:
        """Return the model, or None if it has problems."""
        query = self.parse_query(rendered)
        if query is None or config_input is None or query.findings:
            return None
        if self.refuse_key(f"{rendered.text}\n{self.context.configs}"):
            return None
        surface = self.find_surface(config_input, query, source)
        if surface is None or self.refuse_key(f"{surface.upsert}\n{surface.remove}"):
            return None
        model = self.build_model(query, bind_columns(config_input, surface, query.columns), rendered, source)
        return None if self.problems else model

    def find_surface(self, config_input: ConfigInput, query: Query, source: str) -> Surface | None:
        locate = _config_locator(self.path, source, self.context.configs[0][0])
        surface, problems = find_model_surface(config_input, query.columns, self.project_dir, locate)
        if not self.refuse_key(f"{problems}"):  # an error may quote a file that holds it
            self.problems.extend(problems)
        return surface

    def refuse_key(self, text: str) -> bool:
        """Return whether a text contains the private key, and add the problem."""
        if not contains_key(text, self.context.target.destination):
            return False
        self.problems.append(key_problem(format_location(self.path)))
        return True

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
                config_input, problems = validate_config(settings, mapping_name="config()", locate=locate)
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
        from reverse_etl.models.lint import lint_query
        from reverse_etl.models.query import read_query
        from reverse_etl.models.system_tables import find_system_tables

        match read_query(rendered.text, self.context.target.output.type):
            case Query() as query:
                target = self.context.target
                findings = [
                    *query.findings,
                    *lint_query(query, target.output.type),
                    *find_system_tables(query, target),
                ]
                self.add_findings(sorted(findings, key=lambda finding: finding.offset or 0), rendered)
                return query
            case Finding() as finding:
                self.add_findings([finding], rendered)
                return None

    def build_model(
        self, query: Query, bound_config: BoundConfig, rendered: RenderedFile, source: str
    ) -> Model | None:
        from reverse_etl.models.unstable_aggregates import find_unstable_aggregates

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
            state_reads={
                model: format_location(self.path, line) for model, line in self.context.state_reads.items()
            },
            warnings=tuple(
                self.to_problem(finding, rendered)
                for finding in (
                    *bound_config.warnings,
                    *find_unstable_aggregates(query, self.context.target.output.type),
                )
            ),
            hints=tuple(self.to_problem(finding, rendered) for finding in bound_config.hints),
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
