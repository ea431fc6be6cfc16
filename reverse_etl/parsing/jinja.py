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

_TEMPLATE_NAME: Final = "<a template>"
_BRACES_HINT: Final = "Braces come in pairs: {{ a value }}, {% a statement %}, {# a comment #}."
# A mark is a line number between two characters of Unicode's private use area, which no SQL file holds.
_MARK = re.compile("\ue0f0([0-9]+)\ue0f1")
_UNDEFINED = re.compile(r"^'(\w+)' is undefined$")


class TemplateError(Exception):
    """A template cannot be rendered: what happened, on which of its lines, and what to do next.

    `undefined_name` is the undefined name where that is the reason; `cause` is the error of a called function
    where that is.
    """

    def __init__(
        self,
        summary: str,
        line: int | None,
        *,
        undefined_name: str = "",
        hint: str = "",
        cause: ContextError | None = None,
    ) -> None:
        super().__init__(summary)
        self.summary = summary
        self.line = line
        self.undefined_name = undefined_name
        self.cause = cause
        self.hint = cause.hint if cause else hint


class ContextError(Exception):
    """Raised by a function that a template calls, such as `env_var`: what happened and what to do next."""

    def __init__(self, summary: str, hint: str = "") -> None:
        super().__init__(summary)
        self.summary = summary
        self.hint = hint


@dataclass(frozen=True)
class RenderedFile:
    """A rendered file: its text, and the line of the file (from 1) on which each line of it stood."""

    text: str
    source_lines: tuple[int, ...]
    source: str

    def position(self, offset: int) -> tuple[int, int | None]:
        """Return the line and column (from 1) in the file of a character of the text.

        The column is None where an expression stands both before and after the character on its line, since
        its length in the file and in the text differ.
        """
        starts = [0, *(match.end() for match in re.finditer("\n", self.text))]
        index = bisect_right(starts, offset) - 1
        line = self.source_lines[index]
        column = offset - starts[index]
        return line, _find_source_column(
            self.text.split("\n")[index], self.source.split("\n")[line - 1], column
        )


def _find_source_column(text: str, source: str, column: int) -> int | None:
    if text[:column] == source[:column]:  # there it is, or the expression that it comes out of
        return column + 1
    rest = text[column:]
    return len(source) - len(rest) + 1 if rest and source.endswith(rest) else None


class _LineMarks(Extension):
    """Marks the lines of a template's own text with their numbers: loops and conditions lose none."""

    def filter_stream(self, stream: TokenStream) -> Iterable[Token]:
        """Yield the tokens, the texts with marks; `set` blocks get none at their start, to be compared."""
        return _mark_lines(stream)


def _mark_lines(stream: TokenStream) -> Iterator[Token]:
    line = 1
    tag = ""
    previous = ""
    for token in stream:
        if token.type == "data":
            text = re.sub("\n", _numbered_newlines(token.lineno), token.value)
            jumped = token.lineno != line or (previous == "block_end" and tag != "set")
            yield Token(token.lineno, "data", (_line_mark(token.lineno) if jumped else "") + text)
            line = token.lineno + token.value.count("\n")
        else:
            if previous == "block_begin":
                tag = token.value
            yield token
        previous = token.type


def _numbered_newlines(line: int) -> Callable[[re.Match[str]], str]:
    numbers = accumulate(iter(lambda: 1, 0), initial=line)
    next(numbers)
    return lambda _: "\n" + _line_mark(next(numbers))


def _line_mark(line: int) -> str:
    return f"\ue0f0{line}\ue0f1"


def _remove_marks(text: str, source: str) -> RenderedFile:
    lines: list[int] = []
    line = 1
    for marked_line in text.split("\n"):
        marks = _MARK.findall(marked_line)
        line = int(marks[-1]) if marks else line
        lines.append(line)
    return RenderedFile(_MARK.sub("", text), tuple(lines), source)


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


def render_file(source: str, context: Mapping[str, Any]) -> RenderedFile:
    """Render a model's file. Raises TemplateError."""
    return _remove_marks(str(_render(_MODELS, source, context)), source)


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
        code = environment.compile(source, name=_TEMPLATE_NAME, filename=_TEMPLATE_NAME)
        return Template.from_code(environment, code, {}).render(dict(context))
    except TemplateSyntaxError as error:
        reason = (error.message or "it has an error").strip().rstrip(".")
        summary = f"The template cannot be read: {reason[:1].lower()}{reason[1:]}."
        raise TemplateError(summary, error.lineno, hint=_BRACES_HINT) from None
    except ContextError as error:
        raise TemplateError(error.summary, _template_line(error), cause=error) from None
    except UndefinedError as error:
        match = _UNDEFINED.match(error.message or "")
        raise TemplateError(
            _to_sentence(error.message or ""), _template_line(error), undefined_name=match[1] if match else ""
        ) from None
    except Exception as error:  # noqa: BLE001 - an expression of a template can raise anything
        raise TemplateError(_to_sentence(str(error) or type(error).__name__), _template_line(error)) from None


def _template_line(error: Exception) -> int | None:
    frames = traceback.extract_tb(error.__traceback__)
    return next((frame.lineno for frame in reversed(frames) if frame.filename == _TEMPLATE_NAME), None)


def _to_sentence(text: str) -> str:
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
