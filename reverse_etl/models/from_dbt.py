"""Compile dbt models that have `meta.reverse_etl` in their YAML, with the columns listed there."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from reverse_etl.dbt.meta import META_KEY
from reverse_etl.errors import Problem, UsageError
from reverse_etl.formatting import format_location
from reverse_etl.models.column_binding import bind_columns
from reverse_etl.models.config import ConfigInput, validate_config
from reverse_etl.models.model import BrokenModel, Model, Traits, compute_checksum, list_names
from reverse_etl.models.parsed_query import Finding, Query
from reverse_etl.models.request_config import find_model_surface
from reverse_etl.parsing.yaml_document import YamlDocument, format_key_path, read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reverse_etl.dbt.meta import MetaColumn, MetaNode
    from reverse_etl.domain.engine import Engine
    from reverse_etl.models.model import ProjectModel

_UNQUOTED_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")
_META_PATH: Final = "meta.reverse_etl"
_COLUMNS_HINT: Final = "List them under columns: in dbt's YAML. Only listed columns are sent."


def compile_meta_node(
    meta_node: MetaNode, engine: Engine, project_dir: Path, *, parse: bool = True
) -> ProjectModel | None:
    """Return the model of a dbt model: a SELECT of the columns that its YAML lists, in that order.

    It is broken if it has problems. Return None if it is disabled. Without `parse` it is what its settings
    say of it, as of a broken model.
    """
    settings = meta_node.settings
    if isinstance(settings, dict) and settings.get("enabled") is False:
        return None
    compiler = _MetaNodeCompiler(meta_node, engine, project_dir, [])
    config_input = compiler.read_config()
    model = compiler.compile_model(config_input) if parse else None
    return model or compiler.break_model(config_input)


@dataclass(frozen=True)
class _MetaNodeCompiler:
    """Compiles one dbt model, and collects its problems."""

    meta_node: MetaNode
    engine: Engine
    project_dir: Path
    problems: list[Problem]
    documents: dict[str, YamlDocument | None] = field(default_factory=dict)

    def break_model(self, config_input: ConfigInput | None) -> BrokenModel:
        """Return the broken model, with what is certain about it."""
        path = Path(self.meta_node.path)
        if config_input is None:
            return BrokenModel(self.meta_node.name, path, tuple(self.problems))
        list_target = config_input.list_target()
        traits = Traits(
            config_input.surface.name,
            tuple(config_input.tags),
            list_names(list_target),
            (self.meta_node.unique_id,),
        )
        aspect = config_input.configure(config_input.surface).list_aspect
        return BrokenModel(self.meta_node.name, path, tuple(self.problems), traits, list_target, aspect)

    def read_config(self) -> ConfigInput | None:
        """Return the settings, or None if they have problems."""
        settings = self.meta_node.settings
        if not isinstance(settings, dict):
            self.add_problem(
                f"{_META_PATH} is not a mapping.",
                "Write the same keys as in config(), one per line.",
            )
            return None
        config_values = {str(key): value for key, value in settings.items()}
        if self.meta_node.description and "description" not in config_values:
            config_values["description"] = self.meta_node.description
        config_input, config_problems = validate_config(
            config_values, mapping_name=_META_PATH, locate=self.locate
        )
        self.problems.extend(config_problems)
        return config_input

    def compile_model(self, config_input: ConfigInput | None) -> Model | None:
        """Return the model, or None if it has problems."""
        if config_input is None and not isinstance(self.meta_node.settings, dict):
            return None
        query = self.build_query()
        if config_input is None or query is None:
            return None
        surface, surface_problems = find_model_surface(
            config_input, query.columns, self.project_dir, self.locate
        )
        self.problems.extend(surface_problems)
        if surface is None:
            return None
        bound_config = bind_columns(config_input, surface, query.columns)
        self.add_findings((*query.findings, *bound_config.findings))
        if query.findings or bound_config.findings:
            return None
        return Model(
            name=self.meta_node.name,
            path=Path(self.meta_node.path),
            sql=query.sql,
            rendered=None,
            sql_start=0,
            config=bound_config.config,
            columns=tuple(column.name for column in query.columns),
            payload=bound_config.payload,
            reads=(self.meta_node.unique_id,),
            checksum=compute_checksum(query.sql, bound_config.config),
            warnings=self._to_problems(bound_config.warnings),
            hints=self._to_problems(bound_config.hints),
        )

    def _to_problems(self, findings: Iterable[Finding]) -> tuple[Problem, ...]:
        return tuple(Problem(finding.summary, self.locate(()), finding.hint) for finding in findings)

    def build_query(self) -> Query | None:
        from reverse_etl.models.query import read_query

        name = self.meta_node.dbt_name
        if not self.meta_node.relation:
            hint = "Materialize it as a view or a table in dbt."
            self.add_problem(f"{name} is ephemeral in dbt, so the warehouse has no table for it.", hint)
            return None
        if not self.meta_node.columns:
            self.add_problem(
                f"dbt's YAML lists no columns for {name}, so there is nothing to send.", _COLUMNS_HINT
            )
            return None
        names = ",\n    ".join(_quote_column(column, self.engine) for column in self.meta_node.columns)
        query = read_query(f"select\n    {names}\nfrom {self.meta_node.relation}", self.engine)
        if isinstance(query, Finding):
            self.add_findings([query])
            return None
        pairs = zip(query.columns, self.meta_node.columns, strict=True)
        return replace(
            query,
            columns=tuple(
                replace(output_column, quoted=_is_case_sensitive(meta_column))
                for output_column, meta_column in pairs
            ),
        )

    def add_findings(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            self.add_problem(finding.summary, finding.hint)

    def add_problem(self, summary: str, hint: str) -> None:
        self.problems.append(Problem(summary, self.locate(()), hint))

    def locate(self, keys: tuple[str | int, ...]) -> str:
        """Return the location of a key of the settings in the YAML, or of the dbt model's file."""
        key_path = format_key_path((*_META_PATH.split("."), *keys))
        key_name = f"{self.meta_node.resource_type} {self.meta_node.dbt_name}, {key_path}"
        document = self.read_document()
        if document is None:
            return f"{format_location(self.project_dir / self.meta_node.path)} {key_name}"
        base_path = _find_settings_path(document, self.meta_node)
        line = document.locate_line((*base_path, *keys)) if base_path else format_location(document.path)
        return f"{line} {key_name}"

    def read_document(self) -> YamlDocument | None:
        if not self.meta_node.patch_path:
            return None
        if self.meta_node.patch_path not in self.documents:
            try:
                document = read_yaml(self.project_dir / self.meta_node.patch_path)
            except UsageError:  # dbt could read the file, but it may have changed since
                document = None
            self.documents[self.meta_node.patch_path] = document
        return self.documents[self.meta_node.patch_path]


def _quote_column(column: MetaColumn, engine: Engine) -> str:
    """Return a column's name in quotes, so that it is never read as SQL.

    A name that dbt does not quote is folded to the engine's case first.
    """
    fold = engine.folds_to_upper_case and not _is_case_sensitive(column)
    doubled = (column.name.upper() if fold else column.name).replace('"', '""')
    return f'"{doubled}"'


def _is_case_sensitive(column: MetaColumn) -> bool:
    """Return whether a name keeps its case: dbt quotes it, or it is not a valid unquoted name."""
    return column.quoted or not _UNQUOTED_NAME.fullmatch(column.name)


def _find_settings_path(document: YamlDocument, meta_node: MetaNode) -> tuple[str | int, ...]:
    """Return the path of a dbt model's settings in its YAML, or of the model if they are in another file."""
    section = f"{meta_node.resource_type}s"
    entries = document.content.get(section) if isinstance(document.content, dict) else None
    for index, entry in enumerate(entries or ()):
        if isinstance(entry, dict) and entry.get("name") == meta_node.dbt_name:
            entry_path: tuple[str | int, ...] = (section, index)
            paths = [*_version_paths(entry, entry_path, meta_node.version), entry_path]
            candidates = [
                (*path, *meta, META_KEY) for path in paths for meta in (("config", "meta"), ("meta",))
            ]
            return next((path for path in candidates if path in document.lines), entry_path)
    return ()


def _version_paths(
    entry: Mapping[str, Any], entry_path: tuple[str | int, ...], version: str
) -> list[tuple[str | int, ...]]:
    versions = enumerate(entry.get("versions") or ())
    return [
        (*entry_path, "versions", index)
        for index, version_entry in versions
        if str(version_entry.get("v")) == version
    ]
