"""YAML files that remember on which line each of their keys stands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from reverse_etl.errors import UsageError
from reverse_etl.formatting import at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

KeyPath = tuple[str | int, ...]
_BARE_BRACES = re.compile(r"[:\-]\s+\{[{%]")


@dataclass(frozen=True)
class Document:
    """What a YAML file holds, and the line (from 1) of every key and item by its path from the root."""

    path: Path
    content: Any
    lines: Mapping[KeyPath, int]

    def where(self, keys: KeyPath) -> str:
        """Return `file:line` of a path, or of the nearest part of it that exists."""
        for length in range(len(keys), 0, -1):
            if keys[:length] in self.lines:
                return at(self.path, self.lines[keys[:length]])
        return at(self.path)

    def place(self, keys: KeyPath) -> str:
        """Return `file:line dotted.path`, as error messages show it."""
        return f"{self.where(keys)} {dotted(keys)}" if keys else self.where(keys)


def dotted(keys: KeyPath) -> str:
    """Return a path as it is written in messages: `shop.outputs.prod`."""
    return ".".join(str(key) for key in keys)


def read_yaml(path: Path) -> Document:
    """Read a YAML file (plain values only, no tags that make objects); an empty one holds an empty mapping.

    Raises UsageError with file and line when it cannot be read, is not YAML, or says one key twice.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError.of(f"{path.name} cannot be read: {_reason(error)}.", where=at(path)) from error
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        lines = dict(_lines(root, ())) if root else {}
        _refuse_twice(root, path)
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise _not_yaml(path, text, error) from None
    return Document(path, {} if content is None else content, lines)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return (error.strerror or type(error).__name__).lower()
    return "it is not UTF-8 text"


def _not_yaml(path: Path, text: str, error: yaml.YAMLError) -> UsageError:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "it cannot be read"
    advice = "Look at the indentation and the quotes of this line and of the one above it."
    line = text.splitlines()[mark.line] if mark and mark.line < len(text.splitlines()) else ""
    if _BARE_BRACES.search(line):
        problem = "a value begins with {{ and has no quotes around it"
        advice = "Write it such as \"{{ env_var('NAME') }}\"."
    where = at(path, mark.line + 1, mark.column + 1) if mark else at(path)
    return UsageError.of(f"{path.name} is not valid YAML: {problem}.", where=where, advice=advice)


def _lines(node: yaml.Node, path: KeyPath) -> Iterator[tuple[KeyPath, int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = str(key.value)
            yield (*path, name), key.start_mark.line + 1
            yield from _lines(value, (*path, name))
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield (*path, index), item.start_mark.line + 1
            yield from _lines(item, (*path, index))


def _refuse_twice(node: yaml.Node | None, path: Path) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                line = key.start_mark.line + 1
                if key.value in seen:
                    what = f"{path.name} says {key.value} twice, first on line {seen[key.value]}."
                    raise UsageError.of(what, where=at(path, line), advice="Keep one of the two.")
                seen[key.value] = line
            _refuse_twice(value, path)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_twice(item, path)
