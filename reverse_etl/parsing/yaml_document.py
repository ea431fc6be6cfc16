"""Read YAML files and keep the line number of each key."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import yaml

from reverse_etl.errors import UsageError
from reverse_etl.formatting import format_location

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

KeyPath = tuple[str | int, ...]
_MAX_VALUES: Final = 200_000  # a few aliases of aliases would fill the memory
_BARE_BRACES = re.compile(r"[:\-]\s+\{[{%]")


@dataclass(frozen=True)
class YamlDocument:
    """The content of a YAML file. `lines` holds the line, from 1, of each key and item by its path."""

    path: Path
    content: Any
    lines: Mapping[KeyPath, int]

    def locate_line(self, keys: KeyPath) -> str:
        """Return `file:line` of a key path, or of its longest part that exists."""
        for length in range(len(keys), 0, -1):
            if keys[:length] in self.lines:
                return format_location(self.path, self.lines[keys[:length]])
        return format_location(self.path)

    def locate_key(self, keys: KeyPath) -> str:
        """Return `file:line dotted.path`, for error messages."""
        return f"{self.locate_line(keys)} {format_key_path(keys)}" if keys else self.locate_line(keys)


def format_key_path(keys: KeyPath) -> str:
    """Return a key path as text: `shop.outputs.prod`."""
    return ".".join(str(key) for key in keys)


def read_yaml(path: Path) -> YamlDocument:
    """Read a YAML file with the safe loader. The content of an empty file is an empty mapping.

    Raises UsageError with file and line if the file cannot be read, is not YAML, repeats a key, is nested too
    deep, or is too large with what its aliases repeat.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError.of(
            f"{path.name} cannot be read: {_read_error_reason(error)}.", where=format_location(path)
        ) from error
    try:
        with suppress(
            yaml.YAMLError
        ):  # libyaml is ten times faster; the other loader explains mistakes better
            return _parse(path, text, yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader)
        return _parse(path, text, yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise _invalid_yaml_error(path, text, error) from None
    except RecursionError:
        raise _too_large_error(path, "nested too deep, or an alias is a part of itself") from None


def _parse(path: Path, text: str, loader_class: type[yaml.SafeLoader | yaml.CSafeLoader]) -> YamlDocument:
    loader = loader_class(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return YamlDocument(path, {}, {})
        lines = dict(islice(_key_lines(root, ()), _MAX_VALUES + 1))
        if len(lines) > _MAX_VALUES:
            raise _too_large_error(path, f"more than {_MAX_VALUES:,} values, with those of aliases")
        _reject_duplicate_keys(root, path)
        content = loader.construct_document(root)
    finally:
        loader.dispose()
    return YamlDocument(path, {} if content is None else content, lines)


def _too_large_error(path: Path, reason: str) -> UsageError:
    return UsageError.of(f"{path.name} is too large: {reason}.", where=format_location(path))


def _read_error_reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return (error.strerror or type(error).__name__).lower()
    return "it is not UTF-8 text"


def _invalid_yaml_error(path: Path, text: str, error: yaml.YAMLError) -> UsageError:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "it cannot be read"
    hint = "Check the indentation and the quotes of this line and the line above."
    line = text.splitlines()[mark.line] if mark and mark.line < len(text.splitlines()) else ""
    if _BARE_BRACES.search(line):
        problem = "a value that begins with {{ needs quotes"
        hint = "For example: \"{{ env_var('NAME') }}\""
    where = format_location(path, mark.line + 1, mark.column + 1) if mark else format_location(path)
    return UsageError.of(f"{path.name} is not valid YAML: {problem}.", where=where, hint=hint)


def _key_lines(node: yaml.Node, path: KeyPath) -> Iterator[tuple[KeyPath, int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = str(key.value)
            yield (*path, name), key.start_mark.line + 1
            yield from _key_lines(value, (*path, name))
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield (*path, index), item.start_mark.line + 1
            yield from _key_lines(item, (*path, index))


def _reject_duplicate_keys(node: yaml.Node | None, path: Path) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                line = key.start_mark.line + 1
                if key.value in seen:
                    summary = f"{path.name} has the key {key.value} twice, first on line {seen[key.value]}."
                    raise UsageError.of(
                        summary, where=format_location(path, line), hint="Remove one of them."
                    )
                seen[key.value] = line
            _reject_duplicate_keys(value, path)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _reject_duplicate_keys(item, path)
