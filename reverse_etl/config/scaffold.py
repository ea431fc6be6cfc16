"""Texts for the first files of a project: the `destinations` entry of profiles.yml, and one model."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import yaml

from reverse_etl.surfaces.catalog import EXAMPLE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.config.people_table import PeopleTable

SANDBOX_DESTINATION = "{type: klaviyo, sandbox: true}"
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def render_profiles_yml(profile: str, database_file: str, target: str = "trial") -> str:
    """Return a profiles.yml with a DuckDB output and a sandbox destination."""
    output = {"type": "duckdb", "path": database_file, "schema": "main"}
    profile, target = _format_key(profile), _format_key(target)
    return (
        f"{profile}:\n"
        f"  target: {target}\n"
        f"  outputs:                # what models read, as in dbt\n"
        f"    {target}: {format_flow_mapping(output)}\n"
        f"  destinations:           # where rows are sent; the same target names\n"
        f"    {target}: {SANDBOX_DESTINATION}\n"
    )


def format_flow_mapping(values: Mapping[str, str]) -> str:
    """Return a mapping as one line of YAML, with quotes where values need them."""
    return yaml.safe_dump(values, default_flow_style=True, sort_keys=False, width=sys.maxsize).strip()


def _format_key(name: str) -> str:
    """Return a name as a key of YAML, with quotes if it needs them."""
    return str(yaml.safe_dump(name, width=sys.maxsize, allow_unicode=True).splitlines()[0])


def add_destination(text: str, profile: str, target: str) -> str | None:
    """Return `text` with a sandbox as the destination of a target, or None if the target has a destination.

    Comments, line endings and all other lines stay unchanged. Raises ValueError if the profile is not written
    in block style, so that no line can be added.
    """
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    keys = _block_entries(_child(root, profile))
    new_line = f"{_format_key(target)}: {SANDBOX_DESTINATION}"
    if "destinations" not in keys:
        indent = _indent(keys)
        new_lines = [f"{indent}destinations:", f"{indent}  {new_line}"]
        return _verify_change(_insert_lines(text, _child(root, profile), new_lines), text, profile, target)
    destinations = keys["destinations"][1]
    entries = _block_entries(destinations)
    if target in entries:
        return None
    new_lines = [f"{_indent(entries)}{new_line}"]
    return _verify_change(_insert_lines(text, destinations, new_lines), text, profile, target)


def render_first_model(source: PeopleTable, list_name: str, *, folds_to_upper_case: bool) -> str:
    """Return a model that puts all people of a table on a list: by e-mail, or by id if it has no e-mails.

    `folds_to_upper_case` says whether the warehouse reads a name without quotes as upper case.
    """
    columns = {"customer_id": source.id, "email": source.email, **source.names}
    texts = {
        alias: _select_column(column, alias, folds_to_upper_case=folds_to_upper_case)
        for alias, column in columns.items()
        if column
    }
    kinds = {"email": "email", "external_id": "customer_id"}
    outputs = {
        kind: _plain_output(columns[alias], alias) for kind, alias in kinds.items() if columns.get(alias)
    }
    identifiers = ", ".join(f"'{kind}': '{output}'" for kind, output in outputs.items())
    identity = texts["email" if source.email else "customer_id"].partition(" as ")[0]
    return (
        f"-- Each row that this query returns becomes a member of the list.\n"
        f"-- A member whose row disappears is removed, if this model added it.\n"
        f"{{{{ config(\n"
        f"    surface='{EXAMPLE.name}',\n"
        f"    list='{list_name}',\n"
        f"    identifiers={{{identifiers}}},\n"
        f") }}}}\n"
        f"select {', '.join(texts.values())}\n"
        f"from {{{{ ref('{source.table}') }}}}\n"
        f"where {identity} is not null\n"
    )


def _plain_output(column: str, alias: str) -> str:
    """Return the name that a column has in the model: its own, or the alias of one that needs quotes."""
    return column if _PLAIN_NAME.fullmatch(column) else alias


def _select_column(column: str, alias: str, *, folds_to_upper_case: bool) -> str:
    """Return a column as a SELECT names it, in quotes and with an alias where its name needs quotes."""
    is_plain = _PLAIN_NAME.fullmatch(column)
    if is_plain and (not folds_to_upper_case or column == column.upper()):
        return column
    quoted = '"' + column.replace('"', '""') + '"'
    return f"{quoted} as {_plain_output(column, alias)}"


def select_as(column: str, alias: str, *, folds_to_upper_case: bool) -> str:
    """Return a column as a SELECT names it, under another name."""
    text = _select_column(column, alias, folds_to_upper_case=folds_to_upper_case).partition(" as ")[0]
    return text if text.lower() == alias else f"{text} as {alias}"


def render_meta(source: PeopleTable, list_name: str) -> str:
    """Return the YAML of dbt that sends a model to a list, with its columns of people."""
    columns = [column for column in (source.email, source.id, *source.names.values()) if column]
    identifiers = {"email": source.email, "external_id": source.id}
    settings = {
        "surface": EXAMPLE.name,
        "list": list_name,
        "identifiers": {kind: column for kind, column in identifiers.items() if column},
    }
    node = {
        "name": source.table,
        "config": {"meta": {"reverse_etl": settings}},
        "columns": [
            {"name": column} | ({} if _PLAIN_NAME.fullmatch(column) else {"quote": True})
            for column in columns
        ],
    }
    return yaml.safe_dump({"models": [node]}, sort_keys=False, allow_unicode=True)


_Block = dict[str, tuple[yaml.Node, yaml.Node]]
_LINE = re.compile(r"[^\r\n\x85\u2028\u2029]*(?:\r\n|[\r\n\x85\u2028\u2029])|[^\r\n\x85\u2028\u2029]+\Z")


def _child(node: yaml.Node | None, key: str) -> yaml.Node:
    return _block_entries(node)[key][1]


def _block_entries(node: yaml.Node | None) -> _Block:
    if not isinstance(node, yaml.MappingNode) or node.flow_style or not node.value:
        raise ValueError("not a mapping in block style")
    return {key.value: (key, value) for key, value in node.value}


def _indent(block: _Block) -> str:
    return " " * next(iter(block.values()))[0].start_mark.column


def _insert_lines(text: str, block: yaml.Node, new_lines: Sequence[str]) -> str:
    """Return `text` with lines added at the end of a block, before comments about the next block."""
    lines: list[str] = _LINE.findall(text)
    last = block.end_mark.line - (block.end_mark.index < len(text))
    last = min(last, len(lines) - 1)
    while last > block.start_mark.line and _is_trailing_line(lines[last], block.start_mark.column):
        last -= 1
    line_end = "\r\n" if lines[0].endswith("\r\n") else "\n"
    if lines[last][-1] not in _LINE_ENDS:  # the last line of the file has no line ending
        return "".join([*lines[:last], lines[last] + line_end, line_end.join(new_lines)])
    return "".join([*lines[: last + 1], *(line + line_end for line in new_lines), *lines[last + 1 :]])


def _is_trailing_line(line: str, indent: int) -> bool:
    """Return whether a line is blank, or a comment that is not indented more than the block."""
    content = line.strip()
    return not content or (content[0] == "#" and len(line) - len(line.lstrip()) <= indent)


def _verify_change(changed: str, text: str, profile: str, target: str) -> str:
    """Return the changed text. Raises ValueError unless the new destination is the only change of content."""
    before, after = yaml.safe_load(text), yaml.safe_load(changed)
    before[profile]["destinations"] = {
        **before[profile].get("destinations", {}),
        target: yaml.safe_load(SANDBOX_DESTINATION),
    }
    if before != after:
        raise ValueError("the file cannot be changed line by line")
    return changed


_LINE_ENDS = "\r\n\x85\u2028\u2029"
