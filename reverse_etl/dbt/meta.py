"""Find dbt models with `meta.reverse_etl`, which are sent without a model file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

META_KEY: Final = "reverse_etl"
_RESOURCE_TYPES: Final = ("model", "seed", "snapshot")


@dataclass(frozen=True)
class MetaColumn:
    """A column that a dbt model's YAML lists. `quoted` is its `quote: true`."""

    name: str
    quoted: bool


@dataclass(frozen=True)
class MetaNode:
    """A dbt model (or seed, or snapshot) with `meta: {reverse_etl: ...}`.

    `settings` is that value, unchecked. `path` is the SQL file and `patch_path` the YAML file, or "", both
    relative to the project's folder. `relation` is the name in the warehouse, or "" without a table.
    """

    name: str
    unique_id: str
    resource_type: str
    relation: str
    settings: Any = field(repr=False)
    columns: tuple[MetaColumn, ...]
    path: str
    patch_path: str
    dbt_name: str
    version: str = ""
    description: str = ""


def find_meta_nodes(nodes: Iterable[Mapping[str, Any]], project: str) -> tuple[MetaNode, ...]:
    """Return the project's nodes with `meta.reverse_etl`, sorted by name; nodes of packages are ignored.

    The latest version of a model has the model's name. An older version with the same settings, which it has
    if they are written above the versions, is left out. One with its own settings is `<name>_v<version>`.
    """
    own = [
        node
        for node in nodes
        if node.get("package_name") == project and node.get("resource_type") in _RESOURCE_TYPES
    ]
    nodes_with_settings = [node for node in own if _meta_settings(node) is not None]
    latest = {str(node.get("name")): _meta_settings(node) for node in nodes_with_settings if _is_latest(node)}
    selected = [
        node
        for node in nodes_with_settings
        if _is_latest(node) or _meta_settings(node) != latest.get(str(node.get("name")))
    ]
    return tuple(sorted((_to_meta_node(node) for node in selected), key=lambda meta_node: meta_node.name))


def _meta_settings(node: Mapping[str, Any]) -> Any:
    for meta in ((node.get("config") or {}).get("meta"), node.get("meta")):
        if isinstance(meta, dict) and META_KEY in meta:
            return meta[META_KEY] if meta[META_KEY] is not None else {}
    return None


def _is_latest(node: Mapping[str, Any]) -> bool:
    version, latest = node.get("version"), node.get("latest_version")
    return version is None or latest is None or str(version) == str(latest)


def _to_meta_node(node: Mapping[str, Any]) -> MetaNode:
    name = str(node.get("name"))
    version = "" if node.get("version") is None else str(node.get("version"))
    ephemeral = (node.get("config") or {}).get("materialized") == "ephemeral"
    return MetaNode(
        name=name if _is_latest(node) else f"{name}_v{version}",
        unique_id=str(node.get("unique_id")),
        resource_type=str(node.get("resource_type")),
        relation="" if ephemeral else str(node.get("relation_name") or ""),
        settings=_meta_settings(node),
        columns=tuple(
            MetaColumn(str(column.get("name") or key), bool(column.get("quote")))
            for key, column in (node.get("columns") or {}).items()
        ),
        path=str(node.get("original_file_path") or ""),
        patch_path=str(node.get("patch_path") or "").rpartition("://")[2],
        dbt_name=name,
        version=version,
        description=str(node.get("description") or ""),
    )
