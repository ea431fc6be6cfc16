"""Write dbt exposures, so that dbt's lineage shows the lists that models send to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import yaml

from reverse_etl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.dbt.graph import Graph, Node

_HEADER: Final = """\
# Written by `reverse-etl exposures`. It overwrites name, label, type, description and depends_on, and keeps
# the other keys of an exposure (owner, url, maturity, config).
"""
_GENERATED_KEYS: Final = ("name", "label", "type", "description", "depends_on")


@dataclass(frozen=True)
class ExposedModel:
    """A model as an exposure. `reads` are the unique ids of the dbt nodes that it reads."""

    model: str
    label: str
    description: str
    reads: tuple[str, ...]


def render_exposures(
    models: Sequence[ExposedModel], graph: Graph, project: str, owner: Mapping[str, str], existing: Any = None
) -> str:
    """Return YAML with one exposure per model, in the models' order. Idempotent.

    `existing` is the present content of the file; keys that people added to an exposure are kept. Raises
    UsageError if a model reads a node that is not in dbt's manifest.
    """
    existing_entries = _read_entries(existing)
    entries = []
    for name, model in zip(_exposure_names(models), models, strict=True):
        entry: dict[str, Any] = {
            "name": name,
            "label": model.label,
            "type": "application",
            "description": model.description,
            "depends_on": [_depends_on_call(read, graph, project, model.model) for read in model.reads],
        }
        user_keys = {
            key: value for key, value in existing_entries.get(name, {}).items() if key not in _GENERATED_KEYS
        }
        entries.append({**entry, **({"owner": dict(owner)} | user_keys)})
    body = yaml.safe_dump({"exposures": entries}, sort_keys=False, allow_unicode=True, width=110)
    return _HEADER + body


def find_changed_exposures(before: Any, after: Any) -> tuple[str, ...]:
    """Return the names of the exposures that differ between two contents of the file, sorted."""
    old, new = _read_entries(before), _read_entries(after)
    return tuple(sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name)))


def _read_entries(content: Any) -> dict[str, Mapping[str, Any]]:
    listed = content.get("exposures") if isinstance(content, dict) else None
    return {str(entry.get("name")): entry for entry in listed or () if isinstance(entry, dict)}


def _exposure_names(models: Sequence[ExposedModel]) -> list[str]:
    """Return names of letters, digits and underscores, as dbt requires; a repeated name gets a number."""
    names: list[str] = []
    for model in models:
        base_name = "klaviyo_" + re.sub(r"\W", "_", model.model, flags=re.ASCII)
        same_names = [name for name in names if re.fullmatch(rf"{base_name}(_\d+)?", name)]
        names.append(f"{base_name}_{len(same_names) + 1}" if same_names else base_name)
    return names


def _depends_on_call(unique_id: str, graph: Graph, project: str, model: str) -> str:
    node = graph.nodes.get(unique_id)
    if node is None:
        raise UsageError.of(
            f"dbt's manifest has no {unique_id}.", where=f"model {model}", hint="Run: dbt parse"
        )
    return f"source('{node.source_name}', '{node.name}')" if node.source_name else _ref_call(node, project)


def _ref_call(node: Node, project: str) -> str:
    package = "" if node.package in ("", project) else f"'{node.package}', "
    version = f", v={node.version if node.version.isdigit() else repr(node.version)}" if node.version else ""
    return f"ref({package}'{node.name}'{version})"
