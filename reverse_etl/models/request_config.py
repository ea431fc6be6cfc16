"""The settings `request`, `on_update` and `on_remove` of a model, and the templates made of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeAlias

from reverse_etl.errors import Problem
from reverse_etl.formatting import format_location
from reverse_etl.klaviyo.custom_requests import (
    PLACEHOLDER_RULE,
    TextTemplate,
    fill_key_placeholder,
    is_legacy_list_path,
)
from reverse_etl.models.column_binding import property_name
from reverse_etl.models.request_input import RequestInput
from reverse_etl.parsing.json_template import JsonTemplate, JsonTemplateError
from reverse_etl.parsing.suggestions import did_you_mean
from reverse_etl.parsing.validation import validate_mapping
from reverse_etl.surfaces import request_template as templates
from reverse_etl.surfaces.request import ModelRequests, RequestSettings, configure
from reverse_etl.surfaces.request_rules import find_risky_path
from reverse_etl.surfaces.request_template import (
    ROWS,
    RefusalMeaning,
    Repeat,
    RequestMode,
    RequestTemplate,
)

if TYPE_CHECKING:
    from pathlib import Path

    from reverse_etl.models.config import ConfigInput
    from reverse_etl.models.parsed_query import OutputColumn
    from reverse_etl.surfaces.interface import Surface

Locate: TypeAlias = Callable[[tuple[str | int, ...]], str]


@dataclass(frozen=True)
class _RequestReader:
    """Makes templates of one model's settings, and collects problems. `names` are the model's columns."""

    project_dir: Path
    names: Sequence[str]
    locate: Locate
    problems: list[Problem]

    def read(self, setting: str, values: dict[str, Any], *, unsafe: bool) -> RequestTemplate | None:
        """Return the template of a request, None if it has problems."""
        request, problems = validate_mapping(
            RequestInput,
            values,
            mapping_name=setting,
            locate=lambda keys: self.locate(keys or (setting,)),
        )
        self.problems.extend(problems)
        if request is None:
            return None
        path = TextTemplate(request.path)
        if not unsafe and (risky := find_risky_path(path.rest)) is not None:
            instead = f"Use surface='{risky.instead}'. " if risky.instead else ""
            self.add(
                "path",
                f"The request {request.method} {request.path} {risky.effect}.",
                f"{instead}If that is what you want, write unsafe=true; each run then needs --allow-request.",
            )
        query = {name: TextTemplate(value) for name, value in request.query.items()}
        self.check_names("path", path.names)
        for name, text in query.items():
            self.check_names("query", text.names)
            if text.has_expression or TextTemplate(name).rest != name:
                self.add(
                    "query",
                    f"The parameter {name} has an expression.",
                    f"{PLACEHOLDER_RULE[:1].upper()}{PLACEHOLDER_RULE[1:]}.",
                )
        provided = frozenset({ROWS}) if request.mode is not RequestMode.ONE else frozenset()
        body_text = fill_key_placeholder(request.body) if is_legacy_list_path(path) else request.body
        body = self.parse("body", body_text, request.body_file, provided)
        row = self.parse("row", request.row, request.row_file)
        if self.problems:
            return None
        template = RequestTemplate(
            method=request.method,
            path=path,
            query=query,
            headers=request.headers,
            body=body,
            row=row,
            mode=request.mode,
            group_by=self.find_groups(request, path, query, body),
            max_rows=1 if request.mode is RequestMode.ONE else request.max_rows,
            max_bytes=request.max_bytes,
            success=frozenset(request.success),
            repeat=request.repeat or (Repeat.ONCE if request.method == "POST" else Repeat.SAFE),
            meanings=_collect_meanings(request),
        )
        if not self.problems and (invalid := templates.find_invalid_json(template, self.names)) is not None:
            part, error = invalid
            self.add_template_error(part, request.row_file if part == "row" else request.body_file, error)
        return None if self.problems else template

    def find_groups(
        self,
        request: RequestInput,
        path: TextTemplate,
        query: dict[str, TextTemplate],
        body: JsonTemplate | None,
    ) -> tuple[str, ...]:
        """Return the columns by which rows are grouped; report those that one request can't have."""
        if request.mode is RequestMode.ONE:
            return ()
        used = [*path.names, *(name for value in query.values() for name in value.names)]
        used += sorted((body.names if body else frozenset()) - {ROWS})
        groups = tuple(
            dict.fromkeys(request.group_by or (used if request.mode is RequestMode.GROUPED else ()))
        )
        self.check_names("group_by", groups)
        for name in dict.fromkeys(used):
            if name not in groups:
                self.add(
                    "path" if name in path.names else "body",
                    f"The request holds many rows, but uses the column {name} once.",
                    "Write mode='grouped': then all rows of a request have the same value.",
                )
        return groups

    def parse(
        self, name: str, text: str, file: str, provided: frozenset[str] = frozenset()
    ) -> JsonTemplate | None:
        """Return the template of a setting or of the file that it names.

        `provided` are the names that it can use beside those of columns.
        """
        if file:
            path = (self.project_dir / file).resolve()
            if not path.is_relative_to(self.project_dir.resolve()):
                self.add(
                    f"{name}_file",
                    f"The file {file} is not in the project's folder.",
                    "Its text would be sent. Copy the file into the project.",
                )
                return None
            try:
                text = path.read_text(encoding="utf-8-sig")
            except (OSError, UnicodeDecodeError):
                self.add(
                    f"{name}_file",
                    f"The file {file} cannot be read as UTF-8 text.",
                    "Its path starts in the project's folder.",
                )
                return None
        if not text:
            return None
        try:
            template = JsonTemplate.parse(text)
        except JsonTemplateError as error:
            self.add_template_error(name, file, error)
            return None
        for column in sorted(template.names - provided):
            where = format_location(self.project_dir / file, template.lines.get(column)) if file else ""
            self.check_names(name, [column], where)
        return template

    def check_names(self, setting: str, names: Sequence[str], where: str = "") -> None:
        """Report the names that are no columns, at the setting unless `where` is another place."""
        for name in names:
            if name not in self.names:
                summary, hint = f"The column {name} is not selected.", did_you_mean(name, self.names)
                self.problems.append(Problem(summary, where or self.locate((setting,)), hint))

    def add_template_error(self, name: str, file: str, error: JsonTemplateError) -> None:
        where = format_location(self.project_dir / file, error.line) if file else self.locate((name,))
        self.problems.append(Problem(error.summary, where, error.hint))

    def add(self, setting: str, summary: str, hint: str) -> None:
        self.problems.append(Problem(summary, self.locate((setting,)), hint))


def _collect_meanings(request: RequestInput) -> dict[int, RefusalMeaning]:
    meanings = {HTTPStatus.NOT_FOUND: request.on_not_found, HTTPStatus.CONFLICT: request.on_conflict}
    return {status: meaning for status, meaning in meanings.items() if meaning is not RefusalMeaning.REJECTED}


def _check_meanings(
    reader: _RequestReader,
    request: RequestTemplate | None,
    on_update: RequestTemplate | None,
    on_remove: RequestTemplate | None,
) -> None:
    """Report requests for new and for changed rows that do not fit each other."""
    if request and on_update and {request.mode, on_update.mode} != {RequestMode.ONE}:
        reader.add(
            "on_update",
            "request and on_update must both hold one row.",
            "Remove mode, or send new and changed rows by the same request.",
        )
    allowed = {
        "request": (request, {RefusalMeaning.UPDATE} if on_update else set()),
        "on_update": (on_update, {RefusalMeaning.CREATE}),
        "on_remove": (on_remove, set()),
    }
    for setting, (template, others) in allowed.items():
        meanings = set(template.meanings.values()) if template else set()
        if meanings - others - {RefusalMeaning.APPLIED}:
            reader.add(
                setting,
                f"A refusal of {setting} can't mean that this other request is sent.",
                "Write on_conflict='update' in request, and on_not_found='create' in on_update.",
            )


def find_model_surface(
    config_input: ConfigInput, columns: Sequence[OutputColumn], project_dir: Path, locate: Locate
) -> tuple[Surface | None, tuple[Problem, ...]]:
    """Return the surface that a model names, or what it makes of that by its requests; None with problems.

    Reads the files of templates that the model names.
    """
    if not isinstance(config_input, RequestSettings):
        return config_input.configure(config_input.surface), ()
    problems: list[Problem] = []
    reader = _RequestReader(project_dir, [property_name(column) for column in columns], locate, problems)
    reader.check_names("unique_key", config_input.unique_key)
    for name in config_input.unique_key:
        if name != name.lower():
            reader.add("unique_key", f"The column {name} of unique_key is not in lower case.", "Rename it.")
    request = reader.read("request", config_input.request, unsafe=config_input.unsafe)
    on_update = (
        reader.read("on_update", config_input.on_update, unsafe=config_input.unsafe)
        if config_input.on_update
        else None
    )
    on_remove = None
    if config_input.on_remove:
        # Only the key is known of a row that left.
        key_reader = _RequestReader(project_dir, config_input.unique_key, locate, problems)
        on_remove = key_reader.read("on_remove", config_input.on_remove, unsafe=config_input.unsafe)
    _check_meanings(reader, request, on_update, on_remove)
    for template in (request, on_update, on_remove):
        for name in template.group_by if template else ():
            if name not in config_input.unique_key:
                reader.add(
                    "unique_key",
                    f"Requests are grouped by {name}, which is not part of unique_key.",
                    f"Add {name} to unique_key.",
                )
    if problems or request is None:
        return None, tuple(problems)
    requests = ModelRequests(
        config_input.unique_key,
        request,
        on_update,
        on_remove,
        append=config_input.append,
        max_requests=config_input.max_requests,
        unsafe=config_input.unsafe,
        keep=config_input.response_rule,
    )
    return configure(requests), ()
