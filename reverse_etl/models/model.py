"""The compiled model, as the rest of the package sees it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import orjson

from reverse_etl.domain.list_target import ListById, ListColumn, NamedList
from reverse_etl.errors import Problem
from reverse_etl.formatting import format_location
from reverse_etl.surfaces.interface import ListAspect
from reverse_etl.surfaces.read_back import ReadMembers

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reverse_etl.domain.list_target import ListTarget
    from reverse_etl.models.column_binding import PayloadColumn
    from reverse_etl.models.config import ModelConfig
    from reverse_etl.parsing.jinja import RenderedFile


@dataclass(frozen=True)
class Traits:
    """The values that selectors compare, apart from name and path; `lists` holds names, ids or a list_column.

    `reads` are dbt's unique ids, or bare names without a manifest; None if not all of them are known.
    """

    surface: str
    tags: tuple[str, ...]
    lists: tuple[str, ...]
    reads: tuple[str, ...] | None


@dataclass(frozen=True)
class BrokenModel:
    """A model that does not compile, with its problems, or one that was not compiled, without.

    `traits` is None if they are not certain.
    """

    name: str
    path: Path
    problems: tuple[Problem, ...]
    traits: Traits | None = None
    list_target: ListTarget | None = None
    list_aspect: ListAspect = ListAspect.MEMBERS

    @property
    def surface_name(self) -> str:
        """Return the name of the surface, '' if it is not certain."""
        return self.traits.surface if self.traits else ""


@dataclass(frozen=True)
class Model:
    """A compiled model.

    `path` is relative to the project's folder. `sql` is one SELECT in the output's dialect, without a
    semicolon or surrounding comments. It begins at character `sql_start` of the `rendered` file, which is
    None for a dbt model with `meta.reverse_etl`. `columns` are the names that the warehouse reports, though
    it may report a plain column in the case of its table. `reads` are dbt's unique ids, or bare names without
    a manifest. `checksum` changes with the SQL and the config. `warnings` stop nothing, and `hints` are
    for those who change the model: a run does not give them. `state_reads` are
    what it reads of the state, kept responses of a model or the journal, each with the place in the file;
    `state_sources_sql` defines them, on one line, once the state is known.
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
    warnings: tuple[Problem, ...] = ()
    hints: tuple[Problem, ...] = ()
    state_reads: Mapping[str, str] = field(default_factory=dict)
    state_sources_sql: str = field(default="", repr=False)

    @cached_property
    def names_by_column(self) -> dict[str, str]:
        """Return the name under which each payload column reaches Klaviyo, by the column in lower case."""
        return {part.column.lower(): part.property for part in self.payload}

    @property
    def list_target(self) -> ListTarget | None:
        """Return how the model names its list, or None if it has none."""
        return self.config.list_target

    @property
    def list_aspect(self) -> ListAspect:
        """Return what the model's rows are of its list."""
        return self.config.surface.list_aspect

    @property
    def owns_members(self) -> bool:
        """Return whether the model says who is on its lists."""
        return isinstance(self.config.surface.read_back, ReadMembers)

    @property
    def traits(self) -> Traits:
        """Return the values that selectors compare."""
        return Traits(
            self.config.surface.name, self.config.tags, list_names(self.config.list_target), self.reads
        )

    @property
    def query(self) -> str:
        """Return the SELECT as the warehouse runs it, with the queries of what it reads of the state."""
        if not self.state_sources_sql:
            return self.sql
        return f"WITH {self.state_sources_sql} SELECT * FROM (\n{self.sql}\n) AS retl_model"

    @property
    def keeps_responses(self) -> bool:
        """Return whether other models may read Klaviyo's responses to this one's requests."""
        return self.config.surface.upsert.keeps_responses

    def locate_line(self, line: int, column: int | None = None) -> str:
        """Return the location in the model's file of a line and column, both from 1, of the query.

        Line and column are left out if they are not known.
        """
        line -= bool(self.state_sources_sql)
        lines = self.sql.split("\n")
        if self.rendered is None or not 1 <= line <= len(lines):
            return format_location(self.path)
        before = sum(len(sql_line) + 1 for sql_line in lines[: line - 1])
        position = self.rendered.position(self.sql_start + before + (column or 1) - 1)
        return format_location(self.path, position[0], position[1] if column else None)


ProjectModel = Model | BrokenModel


def list_names(target: ListTarget | None) -> tuple[str, ...]:
    """Return the name or id of a model's list, or the column that names its lists."""
    match target:
        case NamedList(name):
            return (name,)
        case ListById(list_id):
            return (list_id,)
        case ListColumn(column):
            return (column,)
        case None:
            return ()


def shared_list_problem(list_name: str, first: ProjectModel, second: ProjectModel) -> Problem:
    """Return the problem of a list with two models: each would take back what the other sent."""
    of_aspect = "" if first.list_aspect is ListAspect.MEMBERS else f" for its {first.list_aspect.words}"
    return Problem(
        f"The models {first.name} and {second.name} use the same list {list_name!r}{of_aspect}.",
        f"{first.path} and {second.path}",
        f"A list has one model{of_aspect}: combine the two with UNION ALL, or give one of them another list.",
        (first.name, second.name),
    )


def compute_checksum(sql: str, config: ModelConfig) -> str:
    """Return a hash of the SQL and the config.

    The state stores it with each rejection, which ends when the hash changes. The names in it must therefore
    stay the same if a field or class is renamed. Limits of guards change no row; only the share of
    `max_removes` is part of it, as it always was.
    """
    content: dict[str, Any] = {
        "surface": config.surface.name,
        "target": _target(config.list_target),
        "identifiers": [[kind.value, column] for kind, column in config.identifiers.items()],
        "tags": config.tags,
        "on_shared_identifier": config.on_shared_identifier.value,
        "min_rows": config.min_rows,
        "max_removes": config.max_removes.share,
        "enabled": config.enabled,
        "description": config.description,
        "max_age": config.max_age,
    }
    surface = config.surface
    requests = surface.upsert.describe_requests() | (
        surface.remove.describe_requests() if surface.remove else {}
    )
    if requests:
        content |= requests | {"max_requests": surface.max_requests, "unsafe": surface.unsafe}
    if config.settings:
        content["settings"] = config.settings
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
