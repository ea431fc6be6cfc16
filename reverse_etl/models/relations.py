"""Resolve `ref` and `source`: by dbt's manifest, or without one by names in the target's schema."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from reverse_etl.dbt.artifacts import MANIFEST_VERSIONS, read_artifact
from reverse_etl.dbt.meta import MetaNode, find_meta_nodes
from reverse_etl.errors import ModelError
from reverse_etl.formatting import format_location
from reverse_etl.parsing.jinja import ContextError
from reverse_etl.parsing.suggestions import find_nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from reverse_etl.config.target import Output, Target
    from reverse_etl.domain.engine import Engine

STATE_SOURCE: Final = "reverse_etl"  # the source of kept responses and of the journal
JOURNAL: Final = "journal"  # the table of that source that is the journal, unless a model has this name
_REFERABLE: Final = ("model", "seed", "snapshot")
_UNQUOTED_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")


@dataclass(frozen=True)
class Relation:
    """A table or view in the warehouse. `text` is its quoted name in SQL, `unique_id` is dbt's."""

    text: str
    unique_id: str
    database: str
    schema: str
    identifier: str

    @property
    def name(self) -> str:
        """Return the bare name, as in dbt's relations."""
        return self.identifier

    def __str__(self) -> str:
        return self.text


def state_relation(table: str) -> Relation:
    """Return the kept responses of a model, or the journal: a name that a query replaces when a model is run.

    It is not a table, so that models read nothing else of the state. dbt knows nothing of it.
    """
    name = f"reverse_etl_responses_{table}"
    doubled = name.replace('"', '""')
    return Relation(f'"{doubled}"', "", "", "", name)


class Relations(Protocol):
    """Looks up relations. A failed lookup raises ContextError with a hint."""

    def ref(self, name: str, package: str | None, version: str | None) -> Relation:
        """Return the relation that dbt's `ref` returns."""
        ...

    def source(self, source: str, table: str) -> Relation:
        """Return the relation that dbt's `source` returns."""
        ...

    def has_source(self, source: str, table: str) -> bool:
        """Return whether dbt has a source with this table."""
        ...

    @property
    def macros(self) -> frozenset[str]:
        """Return the names of dbt's macros and packages, which models cannot use."""
        ...

    @property
    def schemas(self) -> frozenset[str]:
        """Return the schemas that `ref` can lead to."""
        ...

    @property
    def meta_nodes(self) -> tuple[MetaNode, ...]:
        """Return the dbt models with `meta.reverse_etl`, sorted by name."""
        ...


@dataclass(frozen=True)
class SchemaRelations:
    """Relations without a manifest: each name is taken to exist in the target's database and schema."""

    output: Output

    @property
    def macros(self) -> frozenset[str]:
        """Return an empty set: macros are known from the manifest only."""
        return frozenset()

    @property
    def schemas(self) -> frozenset[str]:
        """Return the target's schema."""
        return frozenset({self.output.schema})

    @property
    def meta_nodes(self) -> tuple[MetaNode, ...]:
        """Return an empty tuple: dbt models are known from the manifest only."""
        return ()

    def ref(self, name: str, package: str | None, version: str | None) -> Relation:  # noqa: ARG002
        """Return the relation `name`, or `<name>_v<version>`, in the target's schema."""
        identifier = f"{name}_v{version}" if version else name
        return self._build_relation(self.output.schema, identifier, identifier)

    def source(self, source: str, table: str) -> Relation:
        """Return the table in the schema that has the source's name."""
        return self._build_relation(source, table, f"{source}.{table}")

    def has_source(self, source: str, table: str) -> bool:  # noqa: ARG002
        """Return False: dbt's sources are known from the manifest only."""
        return False

    def _build_relation(self, schema: str, identifier: str, unique_id: str) -> Relation:
        parts = [part for part in (self.output.database, schema, identifier) if part]
        text = ".".join(quote_name(part, self.output.type) for part in parts)
        return Relation(text, unique_id, self.output.database, schema, identifier)


def quote_name(name: str, engine: Engine) -> str:
    """Return a name in quotes, as dbt does; without quotes if the engine folds names and it needs none."""
    if engine.folds_to_upper_case and _UNQUOTED_NAME.fullmatch(name):
        return name
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


ManifestNode = dict[str, Any]


@dataclass(frozen=True)
class Manifest:
    """The relations in the manifest.json of dbt's last command.

    `unreadable` holds, by name in lower case, what each database is that no model can read.
    """

    project: str
    nodes: Mapping[str, Sequence[ManifestNode]] = field(repr=False)
    sources: Mapping[tuple[str, str], ManifestNode] = field(repr=False)
    disabled: frozenset[str] = field(repr=False)
    macros: frozenset[str] = field(repr=False)
    meta_nodes: tuple[MetaNode, ...] = field(default=(), repr=False)
    unreadable: Mapping[str, str] = field(default_factory=dict)

    @property
    def schemas(self) -> frozenset[str]:
        """Return the schemas of dbt's models, seeds and snapshots."""
        schemas = (node.get("schema") for nodes in self.nodes.values() for node in nodes)
        return frozenset(str(schema) for schema in schemas if schema)

    def ref(self, name: str, package: str | None, version: str | None) -> Relation:
        """Return the model, seed or snapshot `name`.

        The project's own node comes before those of packages, and the latest version before others.
        """
        call = f"ref('{name}')" if package is None else f"ref('{package}', '{name}')"
        nodes = [node for node in self.nodes.get(name, ()) if package in (None, node.get("package_name"))]
        if not nodes:
            raise self._unknown_node_error(call, name, package)
        own = [node for node in nodes if node.get("package_name") == self.project] or nodes
        candidates = [node for node in own if _has_version(node, version)]
        if not candidates:
            versions = ", ".join(str(node.get("version")) for node in own if node.get("version") is not None)
            raise ContextError(
                f"{call}: dbt's manifest has no version {version} of {name}.",
                f"Available: {versions}." if versions else f"It has no versions: write ref('{name}').",
            )
        if len(candidates) > 1:
            packages = ", ".join(sorted(str(node.get("package_name")) for node in candidates))
            raise ContextError(
                f"{call}: several packages have a model {name}: {packages}.",
                f"Name the package: ref('{candidates[0].get('package_name')}', '{name}').",
            )
        return _to_relation(candidates[0], call, self.unreadable)

    def source(self, source: str, table: str) -> Relation:
        """Return the relation of a source's table."""
        call = f"source('{source}', '{table}')"
        node = self.sources.get((source, table))
        if node is None:
            source_names = [".".join(pair) for pair in self.sources]
            raise ContextError(
                f"{call}: dbt's manifest has no such source.",
                _missing_node_hint(f"{source}.{table}", source_names),
            )
        return _to_relation(node, call, self.unreadable)

    def has_source(self, source: str, table: str) -> bool:
        """Return whether dbt has a source with this table."""
        return (source, table) in self.sources

    def _unknown_node_error(self, call: str, name: str, package: str | None) -> ContextError:
        if name in self.disabled:
            return ContextError(
                f"{call}: {name} is disabled in dbt.",
                "Enable it in dbt and run: dbt build",
            )
        where = f"package {package} in dbt's manifest" if package else "dbt's manifest"
        return ContextError(
            f"{call}: {where} has no model, seed or snapshot with that name.",
            _missing_node_hint(name, self.nodes),
        )


def load_relations(target: Target, manifest_path: Path | None) -> Relations:
    """Return the relations of the manifest, or of the target's schema if there is no manifest.

    Raises ModelError if the manifest cannot be read or was written for another warehouse.
    """
    if manifest_path is None:
        return SchemaRelations(target.output)
    content = _read_manifest(manifest_path)
    metadata = content.get("metadata") or {}
    adapter = metadata.get("adapter_type")
    if adapter and adapter != target.output.type:
        raise ModelError.of(
            f"dbt's manifest was written for {adapter}, but target {target.name} is {target.output.type}.",
            where=format_location(manifest_path),
            hint=f"Run: dbt build --target {target.name}",
        )
    relations = replace(
        _parse_manifest(content, str(metadata.get("project_name") or "")),
        unreadable=target.output.unreadable_databases,
    )
    _check_database(relations, target, manifest_path)
    return relations


def _read_manifest(path: Path) -> ManifestNode:
    content = read_artifact(path, "dbt's manifest", "nodes", MANIFEST_VERSIONS, refresh_command="dbt parse")
    if not isinstance(content["nodes"], dict):
        raise ModelError.of(
            "dbt's manifest has no nodes.", where=format_location(path), hint="Run: dbt parse"
        )
    return content


def _parse_manifest(content: ManifestNode, project: str) -> Manifest:
    nodes: dict[str, list[ManifestNode]] = defaultdict(list)
    for node in content["nodes"].values():
        if node.get("resource_type") in _REFERABLE:
            nodes[str(node.get("name"))].append(node)
    sources = {
        (str(node.get("source_name")), str(node.get("name"))): node
        for node in (content.get("sources") or {}).values()
    }
    disabled = {str(node.get("name")) for nodes in (content.get("disabled") or {}).values() for node in nodes}
    macros = {
        str(macro.get(key))
        for macro in (content.get("macros") or {}).values()
        for key in ("name", "package_name")
    }
    meta_nodes = find_meta_nodes(content["nodes"].values(), project)
    return Manifest(project, dict(nodes), sources, frozenset(disabled), frozenset(macros), meta_nodes)


def _check_database(manifest: Manifest, target: Target, path: Path) -> None:
    """Raise ModelError for the manifest of another target, whose names lead to the wrong tables."""
    target_database = target.output.database.casefold()
    databases = {
        str(node.get("database") or "").casefold(): str(node.get("database"))
        for nodes in manifest.nodes.values()
        for node in nodes
        if node.get("package_name") == manifest.project and node.get("database")
    }
    if target_database and databases and target_database not in databases:
        raise ModelError.of(
            f"dbt's manifest was written for another target: it uses database "
            f"{', '.join(databases.values())}, but target {target.name} reads {target.output.database}.",
            where=format_location(path),
            hint=f"Run: dbt build --target {target.name}",
        )


def _has_version(node: ManifestNode, version: str | None) -> bool:
    own, latest = node.get("version"), node.get("latest_version")
    if version is not None:
        return str(own) == version
    return own is None or latest is None or str(own) == str(latest)


def _to_relation(node: ManifestNode, call: str, unreadable: Mapping[str, str]) -> Relation:
    name = node.get("name")
    config = node.get("config") or {}
    if config.get("materialized") == "ephemeral":
        raise ContextError(
            f"{call}: {name} is ephemeral in dbt, so the warehouse has no table for it.",
            "Materialize it as a view or a table in dbt, or write its SQL here.",
        )
    if config.get("materialized") == "external" or _has_external_location(node):
        raise ContextError(
            f"{call}: {name} is a file in dbt, and models read no files.",
            "Let dbt build a table from it (materialized: table), and select from that with ref().",
        )
    if service := unreadable.get(str(node.get("database") or "").lower()):
        raise ContextError(
            f"{call}: dbt has {name} in {node['database']}, which is {service} and cannot be read.",
            "Let dbt build a table from it in the output's own file, and select from that with ref().",
        )
    text = node.get("relation_name")
    if not text:
        raise ContextError(f"{call}: dbt's manifest has no relation for {name}.", "Run: dbt build")
    return Relation(
        text=str(text),
        unique_id=str(node.get("unique_id")),
        database=str(node.get("database") or ""),
        schema=str(node.get("schema") or ""),
        identifier=str(node.get("alias") or node.get("identifier") or name),
    )


def _has_external_location(node: ManifestNode) -> bool:
    """Return whether dbt-duckdb reads a source from a file: its meta, or that of its source, says so."""
    config = node.get("config") or {}
    metas = (node.get("meta"), node.get("source_meta"), config.get("meta"), config)
    return any(isinstance(meta, dict) and meta.get("external_location") for meta in metas)


def _missing_node_hint(name: str, known_names: Iterable[str]) -> str:
    guess = find_nearest(name, known_names)
    suggestion = f"Did you mean {guess}? " if guess else ""
    return f"{suggestion}If it is new in dbt, run: dbt build"
