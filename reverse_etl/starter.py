"""The first files of a project: the `destinations` entry of profiles.yml, and one model. Pure: texts in, texts out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import yaml

SANDBOX = "{type: klaviyo, sandbox: true}"
_NAMES = ("first_name", "last_name")
_IDS = ("customer_id", "user_id", "id", "external_id")


@dataclass(frozen=True)
class Source:
    """A table that a first model can read, with its columns."""

    table: str
    columns: tuple[str, ...]


def new_profiles(profile: str, warehouse: str) -> str:
    """Return a profiles.yml for a DuckDB file and a sandbox."""
    return (
        f"{profile}:\n"
        f"  target: trial\n"
        f"  outputs:                # where models read, as in dbt\n"
        f"    trial: {{type: duckdb, path: {warehouse}, schema: main}}\n"
        f"  destinations:           # where models write, by the same target names\n"
        f"    trial: {SANDBOX}\n"
    )


def with_destination(text: str, profile: str, target: str) -> str | None:
    """Return a profiles.yml with a sandbox as the destination of a target; comments and all else stay as they are.

    None where it has one already. Raises ValueError where the profile is not written in block style, line by line.
    """
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    keys = _block(_child(root, profile))
    destinations = keys.get("destinations")
    lines = text.splitlines()
    if destinations is None:
        indent = " " * next(iter(keys.values()))[0].start_mark.column
        new = [f"{indent}destinations:", f"{indent}  {target}: {SANDBOX}"]
        return _inserted(lines, _last_line(lines, _child(root, profile)), new)
    entries = _block(destinations[1])
    if target in entries:
        return None
    indent = " " * next(iter(entries.values()))[0].start_mark.column
    return _inserted(lines, _last_line(lines, destinations[1]), [f"{indent}{target}: {SANDBOX}"])


def first_model(source: Source | None, list_name: str) -> str:
    """Return a model that puts every row of a table with an e-mail on a list."""
    columns = (
        {name.lower(): name for name in source.columns}
        if source
        else {"email": "email", "customer_id": "customer_id"}
    )
    table = source.table if source else "customers"
    id_column = next((columns[name] for name in _IDS if name in columns), None)
    identifiers = f"'email': '{columns['email']}'" + (f", 'external_id': '{id_column}'" if id_column else "")
    chosen = [
        *([id_column] if id_column else []),
        columns["email"],
        *(columns[name] for name in _NAMES if name in columns),
    ]
    return (
        f"-- Who belongs on the list: every row that this query returns, and nobody else.\n"
        f"{{{{ config(\n"
        f"    surface='list_memberships',\n"
        f"    list='{list_name}',\n"
        f"    identifiers={{{identifiers}}},\n"
        f") }}}}\n"
        f"select {', '.join(chosen)}\n"
        f"from {{{{ ref('{table}') }}}}\n"
        f"where {columns['email']} is not null\n"
    )


def likeliest(tables: Mapping[str, Sequence[str]]) -> Source | None:
    """Return the table that most likely holds people: it has an e-mail, and the best name; None where none has an e-mail."""
    people = [name for name, columns in tables.items() if "email" in {column.lower() for column in columns}]
    if not people:
        return None
    liked = ("customers", "dim_customers", "users", "people", "contacts", "profiles")
    best = min(
        people, key=lambda name: (liked.index(name.lower()) if name.lower() in liked else len(liked), name)
    )
    return Source(best, tuple(tables[best]))


_Block = dict[str, tuple[yaml.Node, yaml.Node]]


def _child(node: yaml.Node | None, key: str) -> yaml.Node:
    return _block(node)[key][1]


def _block(node: yaml.Node | None) -> _Block:
    if not isinstance(node, yaml.MappingNode) or node.flow_style or not node.value:
        raise ValueError("not a mapping in block style")
    return {key.value: (key, value) for key, value in node.value}


def _last_line(lines: Sequence[str], node: yaml.Node) -> int:
    """Return the number (from 0) of the last line that says something of a node."""
    last = (
        min(node.end_mark.line, len(lines)) - 1
        if node.end_mark.column == 0 or not node.flow_style
        else node.end_mark.line
    )
    while last > node.start_mark.line and (not lines[last].strip() or lines[last].lstrip().startswith("#")):
        last -= 1
    return last


def _inserted(lines: Sequence[str], after: int, new: Sequence[str]) -> str:
    return "\n".join([*lines[: after + 1], *new, *lines[after + 1 :]]) + "\n"
