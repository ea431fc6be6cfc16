"""dbt exposures: the lists that models drive, as dbt's lineage shows them. Pure: values in, a text out."""

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
# Written by `reverse-etl exposures`, which keeps what you add to an exposure (owner, url, maturity, config)
# and writes its name, label, type, description and depends_on anew.
"""
_OURS: Final = ("name", "label", "type", "description", "depends_on")


@dataclass(frozen=True)
class Exposed:
    """A model as an exposure: its name, what it drives in words, and the unique ids of what it reads."""

    model: str
    label: str
    description: str
    reads: tuple[str, ...]


def exposures(
    models: Sequence[Exposed], graph: Graph, project: str, owner: Mapping[str, str], before: Any = None
) -> str:
    """Return the YAML of one exposure a model, in the models' order.

    `before` is the content that the file has: what people added to an exposure that is still there is kept.
    The same models and the same `before` give the same text, and so does that text as `before`. Raises
    UsageError where a model reads something that dbt's manifest does not have.
    """
    kept = _entries(before)
    written = []
    for name, model in zip(_names(models), models, strict=True):
        entry: dict[str, Any] = {
            "name": name,
            "label": model.label,
            "type": "application",
            "description": model.description,
            "depends_on": [_call(read, graph, project, model.model) for read in model.reads],
        }
        added = {key: value for key, value in kept.get(name, {}).items() if key not in _OURS}
        written.append({**entry, **({"owner": dict(owner)} | added)})
    body = yaml.safe_dump({"exposures": written}, sort_keys=False, allow_unicode=True, width=110)
    return _HEADER + body


def changed(before: Any, after: Any) -> tuple[str, ...]:
    """Return the names of the exposures that one content has and the other lacks or has otherwise, sorted."""
    old, new = _entries(before), _entries(after)
    return tuple(sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name)))


def _entries(content: Any) -> dict[str, Mapping[str, Any]]:
    listed = content.get("exposures") if isinstance(content, dict) else None
    return {str(each.get("name")): each for each in listed or () if isinstance(each, dict)}


def _names(models: Sequence[Exposed]) -> list[str]:
    """Return dbt's names, of letters, digits and underscores; one that comes again gets a number."""
    names: list[str] = []
    for model in models:
        plain = "klaviyo_" + re.sub(r"\W", "_", model.model, flags=re.ASCII)
        again = [name for name in names if re.fullmatch(rf"{plain}(_\d+)?", name)]
        names.append(f"{plain}_{len(again) + 1}" if again else plain)
    return names


def _call(unique_id: str, graph: Graph, project: str, model: str) -> str:
    node = graph.nodes.get(unique_id)
    if node is None:
        raise UsageError.of(
            f"dbt's manifest has no {unique_id}.", where=f"model {model}", advice="Run: dbt parse"
        )
    return f"source('{node.source}', '{node.name}')" if node.source else _ref(node, project)


def _ref(node: Node, project: str) -> str:
    package = "" if node.package in ("", project) else f"'{node.package}', "
    version = f", v={node.version if node.version.isdigit() else repr(node.version)}" if node.version else ""
    return f"ref({package}'{node.name}'{version})"
