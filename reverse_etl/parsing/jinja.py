"""Jinja as dbt uses it, in a sandbox and strict about names that do not exist.

Two kinds of text are rendered: a model's file, whose lines stay known, and single values of YAML files,
which may become numbers or truth values by a filter.
"""

from __future__ import annotations

import ast
import re
import sys
import traceback
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, Undefined, UndefinedError
from jinja2.ext import Extension
from jinja2.lexer import Token
from jinja2.nativetypes import NativeEnvironment
from jinja2.sandbox import SandboxedEnvironment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from types import FrameType

    from jinja2.lexer import TokenStream

_FILE: Final = "<a template>"
_PAIRS: Final = "Braces come in pairs: {{ a value }}, {% a statement %}, {# a comment #}."
# A mark is a line number between two characters of Unicode's private use area, which no SQL file holds.
_MARK = re.compile("\ue0f0([0-9]+)\ue0f1")
_UNDEFINED = re.compile(r"^'(\w+)' is undefined$")


class TemplateError(Exception):
    """A template cannot be rendered: what happened, on which of its lines, and what to do next.

    `name` is the undefined name where that is the reason; `cause` is the error of a called function where
    that is.
    """

    def __init__(
        self,
        what: str,
        line: int | None,
        *,
        name: str = "",
        advice: str = "",
        cause: ContextError | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.line = line
        self.name = name
        self.cause = cause
        self.advice = cause.advice if cause else advice


class ContextError(Exception):
    """Raised by a function that a template calls, such as `env_var`: what happened and what to do next."""

    def __init__(self, what: str, advice: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.advice = advice


@dataclass(frozen=True)
class Rendered:
    """A rendered file: its text, and the line of the file (from 1) on which each line of it stood."""

    text: str
    lines: tuple[int, ...]
    source: str

    def position(self, offset: int) -> tuple[int, int | None]:
        """Return the line and column (from 1) in the file of a character of the text.

        The column is None where an expression stands both before and after the character on its line, since
        its length in the file and in the text differ.
        """
        starts = [0, *(match.end() for match in re.finditer("\n", self.text))]
        index = bisect_right(starts, offset) - 1
        line = self.lines[index]
        column = offset - starts[index]
        return line, _same_column(self.text.split("\n")[index], self.source.split("\n")[line - 1], column)


def _same_column(text: str, source: str, column: int) -> int | None:
    if text[:column] == source[:column]:  # there it is, or the expression that it comes out of
        return column + 1
    rest = text[column:]
    return len(source) - len(rest) + 1 if rest and source.endswith(rest) else None


class _LineMarks(Extension):
    """Marks the lines of a template's own text with their numbers: loops and conditions lose none."""

    def filter_stream(self, stream: TokenStream) -> Iterable[Token]:
        """Yield the tokens, the texts with marks; `set` blocks get none at their start, to be compared."""
        return _marked(stream)


def _marked(stream: TokenStream) -> Iterator[Token]:
    line = 1
    tag = ""
    previous = ""
    for token in stream:
        if token.type == "data":
            text = re.sub("\n", _count(token.lineno), token.value)
            jumped = token.lineno != line or (previous == "block_end" and tag != "set")
            yield Token(token.lineno, "data", (_mark(token.lineno) if jumped else "") + text)
            line = token.lineno + token.value.count("\n")
        else:
            if previous == "block_begin":
                tag = token.value
            yield token
        previous = token.type


def _count(line: int) -> Callable[[re.Match[str]], str]:
    numbers = accumulate(iter(lambda: 1, 0), initial=line)
    next(numbers)
    return lambda _: "\n" + _mark(next(numbers))


def _mark(line: int) -> str:
    return f"\ue0f0{line}\ue0f1"


def _unmark(text: str, source: str) -> Rendered:
    lines: list[int] = []
    at = 1
    for each in text.split("\n"):
        marks = _MARK.findall(each)
        at = int(marks[-1]) if marks else at
        lines.append(at)
    return Rendered(_MARK.sub("", text), tuple(lines), source)


class _ModelEnvironment(SandboxedEnvironment):
    """The environment of models: extensions that dbt also has, and line marks."""


class _ValueEnvironment(SandboxedEnvironment, NativeEnvironment):
    """The environment of YAML values: a lone expression that is not text keeps its type."""

    @staticmethod
    def concat(values: Iterable[Any]) -> Any:
        """Return the only value as it is, or all of them joined as text; an undefined one raises."""
        parts = [str(part) if isinstance(part, Undefined) else part for part in values]
        return parts[0] if len(parts) == 1 else "".join(str(part) for part in parts)


_MODELS = _ModelEnvironment(
    undefined=StrictUndefined,
    extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols", _LineMarks],
    autoescape=False,
)
_VALUES = _ValueEnvironment(undefined=StrictUndefined, autoescape=False)


def _as_native(value: Any) -> Any:
    try:
        return ast.literal_eval(value) if isinstance(value, str) else value
    except (ValueError, SyntaxError):
        return value


def _as_bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).strip().lower() in {"true", "false"}:
        return str(value).strip().lower() == "true"
    raise ContextError("The filter as_bool was given something that is neither true nor false.")


def _as_number(value: Any) -> int | float:
    try:
        return int(str(value))
    except ValueError:
        try:
            return float(str(value))
        except ValueError:
            raise ContextError("The filter as_number was given something that is not a number.") from None


for _environment in (_MODELS, _VALUES):
    _environment.filters.update(as_text=str, as_native=_as_native, as_bool=_as_bool, as_number=_as_number)


def render_file(source: str, context: Mapping[str, Any]) -> Rendered:
    """Render a model's file. Raises TemplateError."""
    return _unmark(str(_render(_MODELS, source, context)), source)


def render_value(source: str, context: Mapping[str, Any]) -> Any:
    """Render one value of a YAML file.

    It is text, unless a filter (as_number, as_native, as_bool, int) made it something else. Raises
    TemplateError.
    """
    if "{{" not in source and "{%" not in source:
        return source
    return _render(_VALUES, source, context)


def _render(environment: SandboxedEnvironment, source: str, context: Mapping[str, Any]) -> Any:
    try:
        code = environment.compile(source, name=_FILE, filename=_FILE)
        return Template.from_code(environment, code, {}).render(dict(context))
    except TemplateSyntaxError as error:
        reason = (error.message or "it has an error").strip().rstrip(".")
        what = f"The template cannot be read: {reason[:1].lower()}{reason[1:]}."
        raise TemplateError(what, error.lineno, advice=_PAIRS) from None
    except ContextError as error:
        raise TemplateError(error.what, _line(error), cause=error) from None
    except UndefinedError as error:
        found = _UNDEFINED.match(error.message or "")
        raise TemplateError(
            _sentence(error.message or ""), _line(error), name=found[1] if found else ""
        ) from None
    except Exception as error:  # noqa: BLE001 - an expression of a template can raise anything
        raise TemplateError(_sentence(str(error) or type(error).__name__), _line(error)) from None


def _line(error: Exception) -> int | None:
    frames = traceback.extract_tb(error.__traceback__)
    return next((frame.lineno for frame in reversed(frames) if frame.filename == _FILE), None)


def _sentence(text: str) -> str:
    stripped = text.strip().rstrip(".")
    return f"{stripped[:1].upper()}{stripped[1:]}."


def current_line() -> int | None:
    """Return the line of the template that is being rendered, for a function that it called."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - the only way to learn who calls; Jinja's own tracebacks do the same
    while frame is not None:
        template = frame.f_globals.get("__jinja_template__")
        if isinstance(template, Template):
            return template.get_corresponding_lineno(frame.f_lineno)
        frame = frame.f_back
    return None
