"""Select dbt nodes by name, path, tag or source, as dbt does."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import PurePath, PurePosixPath
from typing import TYPE_CHECKING

from reverse_etl.dbt.graph import Node
from reverse_etl.parsing.suggestions import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable

NodeMatcher = Callable[[Node], bool]


def node_methods(value: str) -> dict[str, NodeMatcher]:
    """Return the condition of each selection method; the method "" matches a name or a path."""
    return {
        "": lambda node: _matches_name(node, value) or matches_path(PurePosixPath(node.path), value),
        "name": lambda node: _matches_name(node, value),
        "path": lambda node: matches_path(PurePosixPath(node.path), value),
        "tag": lambda node: any(fnmatchcase(tag, value) for tag in node.tags),
        "source": lambda node: any(fnmatchcase(name, value) for name in _source_names(node)),
    }


def matches_path(path: PurePath, pattern: str) -> bool:
    """Return whether the path or glob `pattern` matches a file or one of its folders."""
    normalized = pattern.removeprefix("./").rstrip("/")
    paths = [path.as_posix(), *(parent.as_posix() for parent in path.parents if parent.name)]
    return any(fnmatchcase(candidate, normalized) for candidate in paths)


def make_bare_nodes(reads: Iterable[str]) -> list[Node]:
    """Return nodes for names that models read without a manifest: `people`, or `erp.orders` of a source."""
    nodes: list[Node] = []
    for read in dict.fromkeys(reads):
        source, dot, table = read.partition(".")
        nodes.append(Node(read, "source", table, source_name=source) if dot else Node(read, "model", read))
    return nodes


def suggest_nodes(nodes: Iterable[Node], method: str, value: str) -> str:
    """Return a hint for a `method:value` that matches no node."""
    match method:
        case "tag":
            known_names = [tag for node in nodes for tag in node.tags]
        case "source":
            known_names = [name for node in nodes for name in _source_names(node)[:2]]
        case _:
            known_names = [node.name for node in nodes if node.resource_type in {"model", "seed", "snapshot"}]
    return did_you_mean(value, known_names)


def _matches_name(node: Node, pattern: str) -> bool:
    if node.source_name:
        return fnmatchcase(node.unique_id, pattern)
    versioned = f"{node.name}.v{node.version}" if node.version else node.name
    names = (node.name, versioned, f"{node.package}.{node.name}", node.unique_id)
    return any(fnmatchcase(name, pattern) for name in names)


def _source_names(node: Node) -> tuple[str, ...]:
    if not node.source_name:
        return ()
    table = f"{node.source_name}.{node.name}"
    return node.source_name, table, f"{node.package}.{table}"
