"""Jinja templates of JSON documents.

Every printed value is encoded as JSON, so that no value can change the structure of the document:
`{{ name }}` prints `"Ann"` with its quotes, and `{{ 'x-' ~ code }}` one text of both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

import orjson
from jinja2 import StrictUndefined, Template, TemplateSyntaxError, Undefined, UndefinedError, meta, nodes
from jinja2.exceptions import SecurityError

from reverse_etl.parsing.bounded_jinja import MAX_SIZE, STEPS_NAME, BoundedEnvironment, Steps, bound_template

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# These would print text that is encoded already, and encode it a second time.
_REFUSED_NODES: Final[tuple[type[nodes.Node], ...]] = (
    nodes.Macro,
    nodes.CallBlock,
    nodes.FilterBlock,
    nodes.AssignBlock,
    nodes.Include,
    nodes.Import,
    nodes.FromImport,
    nodes.Extends,
    nodes.Block,
)


class JsonTemplateError(Exception):
    """A template can't be parsed or rendered. `line` is the template's, from 1, if it is known."""

    def __init__(self, summary: str, line: int | None = None, hint: str = "") -> None:
        super().__init__(summary)
        self.summary = summary
        self.line = line
        self.hint = hint


class InvalidJsonError(JsonTemplateError):
    """The rendered text is not JSON."""


class EncodedJson(str):
    """JSON text that a template prints as it is."""

    __slots__ = ()


def _encode_value(value: Any) -> str:
    if isinstance(value, Undefined):
        return str(value)  # raises UndefinedError
    if isinstance(value, EncodedJson):
        return value
    if not isinstance(value, str | int) and _has_infinite_number(value):
        raise SecurityError("a number is not finite")  # orjson would print null
    return orjson.dumps(value).decode()


def _has_infinite_number(value: Any) -> bool:
    match value:
        case float():
            return not isfinite(value)
        case dict():
            return any(map(_has_infinite_number, value.values()))
        case list() | tuple():
            return any(map(_has_infinite_number, value))
        case _:
            return False


_ENVIRONMENT: Final = BoundedEnvironment(undefined=StrictUndefined, autoescape=False, finalize=_encode_value)
_ENVIRONMENT.filters["tojson"] = lambda value: value  # a printed value is encoded anyway


@dataclass(frozen=True)
class JsonTemplate:
    """A template of one JSON document.

    `names` are the names that it uses and does not set itself. `lines` has the first line of each.
    """

    source: str
    names: frozenset[str]
    lines: Mapping[str, int] = field(repr=False, compare=False)
    _template: Template = field(repr=False, compare=False)

    @classmethod
    def parse(cls, source: str) -> JsonTemplate:
        """Return the template of a text. Raises JsonTemplateError."""
        try:
            tree = _ENVIRONMENT.parse(source)
            if any(loop.recursive for loop in tree.find_all(nodes.For)):
                raise JsonTemplateError("A template of JSON can't use a recursive loop.")
            for node in tree.find_all(_REFUSED_NODES):
                raise JsonTemplateError(
                    f"A template of JSON can't use {type(node).__name__.lower()}.",
                    node.lineno,
                    "Write the JSON itself; if, for, set and filters of values are allowed.",
                )
            names = frozenset(meta.find_undeclared_variables(tree))
            lines: dict[str, int] = {}
            for node in tree.find_all(nodes.Name):
                lines[node.name] = min(node.lineno, lines.get(node.name, node.lineno))
            return cls(source, names, lines, _ENVIRONMENT.from_string(bound_template(tree)))
        except TemplateSyntaxError as error:
            reason = (error.message or "it has an error").strip().rstrip(".")
            raise JsonTemplateError(
                f"The template cannot be parsed: {reason[:1].lower()}{reason[1:]}.", error.lineno
            ) from None

    def render(self, values: Mapping[str, Any]) -> str:
        """Return the rendered text, which need not be valid JSON. Raises JsonTemplateError."""
        try:
            return self._join_pieces(self._template.generate({**values, STEPS_NAME: Steps()}))
        except UndefinedError as error:
            raise JsonTemplateError(self._describe_undefined(error.message or "")) from None
        except Exception as error:  # noqa: BLE001 - an expression in a template can raise anything
            # Only the sandbox's own message: others may repeat a value.
            reason = str(error).rstrip(".") if isinstance(error, SecurityError) else type(error).__name__
            raise JsonTemplateError(f"The template cannot be rendered: {reason}.") from None

    def render_document(self, values: Mapping[str, Any]) -> Any:
        """Return the rendered document. Raises InvalidJsonError if it is not JSON, or JsonTemplateError."""
        text = self.render(values)
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise InvalidJsonError(
                f"The rendered text is not JSON: {error.msg}.",
                self._find_line(error.lineno),
                self._find_hint(),
            ) from None

    def _join_pieces(self, pieces: Iterable[str]) -> str:
        """Return the rendered text. Raises SecurityError if it is too large."""
        rendered: list[str] = []
        size = 0
        for piece in pieces:
            size += len(piece)
            if size > MAX_SIZE:
                raise SecurityError(f"it prints more than {MAX_SIZE:,} characters")
            rendered.append(piece)
        return "".join(rendered)

    def _describe_undefined(self, message: str) -> str:
        """Return Jinja's message, without the name of a member if that is a value of the row."""
        name = re.search("'([^']*)'( is undefined|$)", message.rstrip("."))
        if name is None or name[1] not in self.source:
            return "The template uses a member that a value does not have."
        return f"{message[:1].upper()}{message[1:].rstrip('.')}."

    def _find_line(self, rendered_line: int) -> int | None:
        """Return the line of the template, which is known as long as no tag repeats or drops lines."""
        return rendered_line if "{%" not in self.source else None

    def _find_hint(self) -> str:
        quoted = re.search(r'"[^"{}\n]*(\{\{[^{}]*\}\})[^"{}\n]*"', self.source)
        if quoted is None:
            return "Check the commas and braces. Each {{ value }} prints JSON: a text has its quotes already."
        return (
            f"Remove the quotes around {quoted[1]}: a printed text has its quotes already. Join texts with ~."
        )


def locate_marker(document: Any, marker: Any) -> str | None:
    """Return the JSON pointer of the place where a document holds exactly `marker`, None if it is nowhere."""
    if document == marker and type(document) is type(marker):
        return ""
    members: list[tuple[str, Any]] = []
    match document:
        case dict():
            members = [
                (str(key).replace("~", "~0").replace("/", "~1"), value) for key, value in document.items()
            ]
        case list():
            members = [(str(index), value) for index, value in enumerate(document)]
    for key, value in members:
        if (rest := locate_marker(value, marker)) is not None:
            return f"/{key}{rest}"
    return None
