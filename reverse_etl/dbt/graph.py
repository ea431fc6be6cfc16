"""dbt's graph of nodes and tests, read from the manifest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from reverse_etl.dbt.artifacts import MANIFEST_VERSIONS, read_artifact

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_TESTS: Final = frozenset({"test", "unit_test"})
_BUILT: Final = frozenset({"model", "seed", "snapshot"})
_RECORDING_MACRO: Final = "macro.reverse_etl.record_results"
_NO_TABLE: Final = frozenset({"view", "ephemeral"})


@dataclass(frozen=True)
class Node:
    """A node of dbt's graph. Texts are empty if the manifest has no value.

    `source_name` is the name of the source that a source table belongs to. `path` is relative to the
    project's folder. `attached_node` is the node that a generic test tests. `relation` is the node's name in
    the warehouse. `custom_schema` is the schema in the node's own config.
    """

    unique_id: str
    resource_type: str
    name: str
    package: str = ""
    path: str = ""
    source_name: str = ""
    version: str = ""
    tags: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    attached_node: str = ""
    materialized: str = ""
    relation: str = ""
    database: str = ""
    schema: str = ""
    custom_schema: str = ""

    @property
    def ephemeral(self) -> bool:
        """Return whether dbt does not build the node, but inlines its SQL into its children."""
        return self.materialized == "ephemeral"

    @property
    def is_test(self) -> bool:
        """Return whether the node tests others."""
        return self.resource_type in _TESTS

    @property
    def is_built(self) -> bool:
        """Return whether dbt builds a relation for the node."""
        return self.resource_type in _BUILT and not self.ephemeral


@dataclass(frozen=True)
class Graph:
    """Nodes by unique id. Methods return each id once, in a fixed order.

    `records_results` is whether the project has the dbt package of reverse-etl.
    """

    nodes: Mapping[str, Node] = field(default_factory=dict, repr=False)
    records_results: bool = False

    def ancestors(self, unique_id: str) -> tuple[str, ...]:
        """Return all ancestors of a node, the nearest first."""
        ancestor_ids: dict[str, None] = {}
        waiting = [*self._declared_parents(unique_id)]
        while waiting:
            here = waiting.pop(0)
            if here not in ancestor_ids:
                ancestor_ids[here] = None
                waiting += self._declared_parents(here)
        return tuple(ancestor_ids)

    def parents(self, unique_id: str) -> tuple[str, ...]:
        """Return the parents of a node, and the parents of ephemeral parents, which dbt does not build."""
        parent_ids: dict[str, None] = {}
        for parent in self._declared_parents(unique_id):
            parent_ids[parent] = None
            if parent in self.nodes and self.nodes[parent].ephemeral:
                parent_ids.update(dict.fromkeys(self.parents(parent)))
        return tuple(parent_ids)

    def find_tests(self, unique_ids: Iterable[str]) -> tuple[str, ...]:
        """Return the tests of these nodes: attached to one of them, or unattached and reading one."""
        wanted = set(unique_ids)
        return tuple(
            node.unique_id
            for node in self.nodes.values()
            if node.is_test and wanted & ({node.attached_node} if node.attached_node else {*node.parents})
        )

    def tables_behind(self, unique_id: str) -> tuple[str, ...]:
        """Return the tables whose rows a node shows: itself, or those behind a view, through other views."""
        node = self.nodes.get(unique_id)
        if node is None or node.materialized not in _NO_TABLE:
            return (unique_id,)
        table_ids: dict[str, None] = {}
        for parent in node.parents:
            table_ids.update(dict.fromkeys(self.tables_behind(parent)))
        return tuple(table_ids)

    def tested_relation(self, unique_id: str) -> str:
        """Return the relation that a node's results are about: its own, or that a generic test tests."""
        node = self.nodes.get(unique_id)
        if node is not None and node.attached_node:
            node = self.nodes.get(node.attached_node)
        return node.relation if node else ""

    def descendants(self, origins: Iterable[str]) -> frozenset[str]:
        """Return these nodes and all of their descendants."""
        children: dict[str, list[str]] = {}
        for node in self.nodes.values():
            for parent in node.parents:
                children.setdefault(parent, []).append(node.unique_id)
        descendant_ids: set[str] = set()
        waiting = [*origins]
        while waiting:
            here = waiting.pop()
            if here not in descendant_ids:
                descendant_ids.add(here)
                waiting += children.get(here, ())
        return frozenset(descendant_ids)

    def _declared_parents(self, unique_id: str) -> tuple[str, ...]:
        node = self.nodes.get(unique_id)
        return node.parents if node else ()


def read_graph(manifest_path: Path) -> Graph:
    """Return the graph of a manifest. Raises ModelError, and IncompleteFile where it is cut off."""
    content = read_artifact(
        manifest_path, "dbt's manifest", "nodes", MANIFEST_VERSIONS, refresh_command="dbt parse"
    )
    sections = (content["nodes"], content.get("sources"), content.get("unit_tests"))
    nodes_by_id = {str(key): node for section in sections if section for key, node in section.items()}
    parent_map = content.get("parent_map") or {}
    nodes = {key: _parse_node(key, node, parent_map.get(key)) for key, node in nodes_by_id.items()}
    return Graph(nodes, _RECORDING_MACRO in (content.get("macros") or {}))


def _parse_node(unique_id: str, node: Mapping[str, Any], parents: Iterable[str] | None) -> Node:
    config = node.get("config") or {}
    depends_on = node.get("depends_on") or {}
    version = node.get("version")
    return Node(
        unique_id=unique_id,
        resource_type=str(node.get("resource_type") or unique_id.partition(".")[0]),
        name=str(node.get("name") or ""),
        package=str(node.get("package_name") or ""),
        path=str(node.get("original_file_path") or ""),
        source_name=str(node.get("source_name") or ""),
        version="" if version is None else str(version),
        tags=tuple(dict.fromkeys(str(tag) for tag in (*_read_tags(node), *_read_tags(config)))),
        parents=tuple(str(parent) for parent in (parents or depends_on.get("nodes") or ())),
        attached_node=str(node.get("attached_node") or ""),
        materialized=str(config.get("materialized") or ""),
        relation=str(node.get("relation_name") or ""),
        database=str(node.get("database") or ""),
        schema=str(node.get("schema") or ""),
        custom_schema=str(config.get("schema") or ""),
    )


def _read_tags(holder: Mapping[str, Any]) -> list[Any]:
    tags = holder.get("tags") or []
    return [tags] if isinstance(tags, str) else list(tags)
