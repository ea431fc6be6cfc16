"""dbt models that say in their `meta` that they are themselves to be sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

KEY: Final = "reverse_etl"
_KINDS: Final = ("model", "seed", "snapshot")


@dataclass(frozen=True)
class MarkedColumn:
    """A column that a dbt model's YAML lists; `quoted` where it says `quote: true`."""

    name: str
    quoted: bool


@dataclass(frozen=True)
class Marked:
    """A dbt model (or seed, or snapshot) with `meta: {reverse_etl: ...}`.

    `settings` is what stands there, whatever it is. `path` is its file, `patch` its YAML's (empty where it
    has none), both from the project's folder. `relation` is its name in the warehouse, empty where it has no
    table.
    """

    name: str
    unique_id: str
    kind: str
    relation: str
    settings: Any = field(repr=False)
    columns: tuple[MarkedColumn, ...]
    path: str
    patch: str
    dbt_name: str
    version: str = ""
    description: str = ""


def marked_nodes(nodes: Iterable[Mapping[str, Any]], project: str) -> tuple[Marked, ...]:
    """Return the project's own nodes that are marked, by name; those of packages are left to their authors.

    Of a model with versions, the latest carries its name. An older one that has the same settings, as it has
    when they stand above the versions, is left out; one with settings of its own is `<name>_v<version>`.
    """
    own = [
        node for node in nodes if node.get("package_name") == project and node.get("resource_type") in _KINDS
    ]
    marked = [node for node in own if _settings(node) is not None]
    latest = {str(node.get("name")): _settings(node) for node in marked if _is_latest(node)}
    kept = [
        node for node in marked if _is_latest(node) or _settings(node) != latest.get(str(node.get("name")))
    ]
    return tuple(sorted((_marked(node) for node in kept), key=lambda each: each.name))


def _settings(node: Mapping[str, Any]) -> Any:
    for meta in ((node.get("config") or {}).get("meta"), node.get("meta")):
        if isinstance(meta, dict) and KEY in meta:
            return meta[KEY] if meta[KEY] is not None else {}
    return None


def _is_latest(node: Mapping[str, Any]) -> bool:
    version, latest = node.get("version"), node.get("latest_version")
    return version is None or latest is None or str(version) == str(latest)


def _marked(node: Mapping[str, Any]) -> Marked:
    name = str(node.get("name"))
    version = "" if node.get("version") is None else str(node.get("version"))
    ephemeral = (node.get("config") or {}).get("materialized") == "ephemeral"
    return Marked(
        name=name if _is_latest(node) else f"{name}_v{version}",
        unique_id=str(node.get("unique_id")),
        kind=str(node.get("resource_type")),
        relation="" if ephemeral else str(node.get("relation_name") or ""),
        settings=_settings(node),
        columns=tuple(
            MarkedColumn(str(column.get("name") or key), bool(column.get("quote")))
            for key, column in (node.get("columns") or {}).items()
        ),
        path=str(node.get("original_file_path") or ""),
        patch=str(node.get("patch_path") or "").rpartition("://")[2],
        dbt_name=name,
        version=version,
        description=str(node.get("description") or ""),
    )
