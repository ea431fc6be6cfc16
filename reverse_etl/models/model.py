"""A compiled model: what the rest of the package knows of an SQL file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import orjson

from reverse_etl.domain.list_target import ListById, ListColumn, NamedList
from reverse_etl.errors import Problem
from reverse_etl.formatting import format_location

if TYPE_CHECKING:
    from pathlib import Path

    from reverse_etl.domain.list_target import ListTarget
    from reverse_etl.models.config import ModelConfig, PayloadColumn
    from reverse_etl.parsing.jinja import RenderedFile


@dataclass(frozen=True)
class Model:
    """A compiled model.

    `path` is relative to the project's folder. `sql` is one SELECT in the output's dialect, without a
    semicolon or comments around it; it begins at the character `sql_start` of the `rendered` file, which is
    None for a dbt model that is itself to be sent. `columns` are named as the warehouse will report them, but
    that a warehouse may report a column that is selected as it is in its table's own case. `reads` are dbt's
    unique ids, or bare names where there is no manifest. `checksum` changes with the SQL and the config.
    """

    name: str
    path: Path
    sql: str = field(repr=False)
    rendered: RenderedFile | None = field(repr=False)
    sql_start: int
    config: ModelConfig
    columns: tuple[str, ...]
    payload: tuple[PayloadColumn, ...]
    reads: tuple[str, ...]
    checksum: str

    def locate_line(self, line: int, column: int | None = None) -> str:
        """Return where a line of the SQL, and a character of it (both from 1), stand in the model's file.

        The column is left out where the file does not say it; and so is the line that the SQL does not have.
        """
        lines = self.sql.split("\n")
        if self.rendered is None or not 1 <= line <= len(lines):
            return format_location(self.path)
        before = sum(len(sql_line) + 1 for sql_line in lines[: line - 1])
        position = self.rendered.position(self.sql_start + before + (column or 1) - 1)
        return format_location(self.path, position[0], position[1] if column else None)


def shared_list_problem(list_name: str, first: Model, second: Model) -> Problem:
    """Return what is wrong where two models drive one list: each would take off whom the other put on it."""
    return Problem(
        f"The list {list_name!r} is driven by the model {first.name}, and by {second.name} too.",
        f"{first.path} and {second.path}",
        "A list has one model: join the two with UNION, or give one of them another.",
        (first.name, second.name),
    )


def compute_checksum(sql: str, config: ModelConfig) -> str:
    """Return a text that changes with the SQL and the config.

    It is kept beside rejections, which end where it changes. So its names are written out here and stay, also
    where a field or a class gets another name.
    """
    content = {
        "surface": config.surface.name,
        "target": _target(config.list_target),
        "identifiers": [[kind.value, column] for kind, column in config.identifiers.items()],
        "tags": config.tags,
        "on_shared_identifier": config.on_shared_identifier.value,
        "min_rows": config.min_rows,
        "max_removes": config.max_removes,
        "enabled": config.enabled,
        "description": config.description,
        "max_age": config.max_age,
    }
    config_bytes = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(sql.encode() + b"\0" + config_bytes).hexdigest()


def _target(target: ListTarget | None) -> tuple[str, str]:
    match target:
        case NamedList(name):
            return "NamedList", name
        case ListById(list_id):
            return "ListById", f"id {list_id}"
        case ListColumn(column):
            return "ListColumn", f"named by {column}"
        case None:
            return "NoneType", "None"
