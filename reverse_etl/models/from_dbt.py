"""Models without a file of ours: dbt models that are marked in their YAML, with the columns listed there."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from reverse_etl.dbt.meta import KEY
from reverse_etl.domain.engine import Engine
from reverse_etl.errors import Problem, UsageError
from reverse_etl.formatting import at
from reverse_etl.models.config import WrittenConfig, fit
from reverse_etl.models.model import Model, checksum
from reverse_etl.models.query import Finding, Query, read_query
from reverse_etl.parsing.validation import check
from reverse_etl.parsing.yaml_document import Document, dotted, read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reverse_etl.dbt.meta import Marked, MarkedColumn

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")
_KEYS: Final = "meta.reverse_etl"
_LIST: Final = "List them there, under columns: what is listed is sent, and nothing else."


def marked_model(
    marked: Marked, warehouse: Engine, project_dir: Path, problems: list[Problem]
) -> Model | None:
    """Return the model of a marked dbt model: a SELECT of the columns that its YAML lists, as it lists them.

    None where it is switched off, or where something is wrong with it: then `problems` has grown.
    """
    return _Reading(marked, warehouse, project_dir, problems).model()


@dataclass(frozen=True)
class _Reading:
    """One marked dbt model; `problems` gathers what is wrong with it."""

    marked: Marked
    warehouse: Engine
    project_dir: Path
    problems: list[Problem]
    documents: dict[str, Document | None] = field(default_factory=dict)

    def model(self) -> Model | None:
        settings = self.marked.settings
        if isinstance(settings, dict) and settings.get("enabled") is False:
            return None
        if not isinstance(settings, dict):
            self.add(
                f"{_KEYS} is not a mapping.", "Write the keys that config() takes in a model, one a line."
            )
            return None
        given = {str(key): value for key, value in settings.items()}
        if self.marked.description and "description" not in given:
            given["description"] = self.marked.description
        written, wrong = check(WrittenConfig, given, thing=_KEYS, where=self.place)
        self.problems.extend(wrong)
        query = self.query()
        if written is None or query is None:
            return None
        fitted = fit(written, query.columns)
        self.report((*query.findings, *fitted.findings))
        if query.findings or fitted.findings:
            return None
        return Model(
            name=self.marked.name,
            path=Path(self.marked.path),
            sql=query.sql,
            rendered=None,
            start=0,
            config=fitted.config,
            columns=tuple(column.name for column in query.columns),
            payload=fitted.payload,
            reads=(self.marked.unique_id,),
            checksum=checksum(query.sql, fitted.config),
        )

    def query(self) -> Query | None:
        name = self.marked.dbt_name
        if not self.marked.relation:
            advice = "Materialize it as a view or a table in dbt."
            self.add(f"{name} is ephemeral in dbt, so the warehouse has no table of it.", advice)
            return None
        if not self.marked.columns:
            self.add(f"dbt's YAML lists no columns of {name}, so nothing says what to send.", _LIST)
            return None
        names = ",\n    ".join(_quoted(column, self.warehouse) for column in self.marked.columns)
        found = read_query(f"select\n    {names}\nfrom {self.marked.relation}", self.warehouse)
        if isinstance(found, Finding):
            self.report([found])
            return None
        pairs = zip(found.columns, self.marked.columns, strict=True)
        return replace(found, columns=tuple(replace(one, quoted=_keeps_case(each)) for one, each in pairs))

    def report(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            self.add(finding.what, finding.advice)

    def add(self, what: str, advice: str) -> None:
        self.problems.append(Problem(what, self.place(()), advice))

    def place(self, keys: tuple[str | int, ...]) -> str:
        """Return where a key of the settings stands: in the YAML, else in the dbt model's own file."""
        named = f"{self.marked.kind} {self.marked.dbt_name}, {dotted((*_KEYS.split('.'), *keys))}"
        document = self.document()
        if document is None:
            return f"{at(self.project_dir / self.marked.path)} {named}"
        base = _settings_path(document, self.marked)
        return f"{document.where((*base, *keys)) if base else at(document.path)} {named}"

    def document(self) -> Document | None:
        if not self.marked.patch:
            return None
        if self.marked.patch not in self.documents:
            try:
                document = read_yaml(self.project_dir / self.marked.patch)
            except UsageError:  # dbt read it, and it may have changed since
                document = None
            self.documents[self.marked.patch] = document
        return self.documents[self.marked.patch]


def _quoted(column: MarkedColumn, warehouse: Engine) -> str:
    """Return a column's name, folded as it would be without quotes, in quotes: no name is taken for SQL."""
    fold = warehouse is Engine.SNOWFLAKE and not _keeps_case(column)
    doubled = (column.name.upper() if fold else column.name).replace('"', '""')
    return f'"{doubled}"'


def _keeps_case(column: MarkedColumn) -> bool:
    """Return whether a name means itself, letter by letter: dbt quotes it, or it is none without quotes."""
    return column.quoted or not _PLAIN.fullmatch(column.name)


def _settings_path(document: Document, marked: Marked) -> tuple[str | int, ...]:
    """Return the path of a dbt model's settings in its YAML, or of the model where they stand elsewhere."""
    section = f"{marked.kind}s"
    entries = document.content.get(section) if isinstance(document.content, dict) else None
    for index, entry in enumerate(entries or ()):
        if isinstance(entry, dict) and entry.get("name") == marked.dbt_name:
            here: tuple[str | int, ...] = (section, index)
            paths = [*_version_paths(entry, here, marked.version), here]
            metas = [(*path, *meta, KEY) for path in paths for meta in (("config", "meta"), ("meta",))]
            return next((path for path in metas if path in document.lines), here)
    return ()


def _version_paths(
    entry: Mapping[str, Any], here: tuple[str | int, ...], version: str
) -> list[tuple[str | int, ...]]:
    versions = enumerate(entry.get("versions") or ())
    return [(*here, "versions", index) for index, each in versions if str(each.get("v")) == version]
