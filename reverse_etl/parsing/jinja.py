"""Render Jinja as dbt does, sandboxed; an undefined name is an error.

There are two kinds of templates: model files, for which the source line of every rendered line is kept, and
single YAML values, which a filter can turn into numbers or booleans.
"""

from __future__ import annotations

import ast
import re
import sys
import traceback
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, Undefined, UndefinedError
from jinja2.ext import Extension
from jinja2.lexer import Token
from jinja2.nativetypes import NativeEnvironment
from jinja2.sandbox import SandboxedEnvironment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from types import CodeType, FrameType

    from jinja2.lexer import TokenStream

_TEMPLATE_NAME: Final = "<a template>"
_BRACES_HINT: Final = "Close each pair of braces: {{ expression }}, {% statement %}, {# comment #}."
# A mark is a line number between two characters of Unicode's private use area, which SQL files do not use.
_MARK = re.compile("\ue0f0([0-9]+)\ue0f1")
_UNDEFINED = re.compile(r"^'(\w+)' is undefined$")


class TemplateError(Exception):
    """A template cannot be rendered. `line` is the line of the template, from 1, if known.

    `undefined_name` is set if a name is undefined, `cause` if a function called by the template failed.
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
    """A function that a template calls, such as `env_var`, failed."""

    def __init__(self, summary: str, hint: str = "") -> None:
        super().__init__(summary)
        self.summary = summary
        self.hint = hint


@dataclass(frozen=True)
class RenderedFile:
    """A rendered file. `source_lines` holds the source line, from 1, of each line of `text`."""

    text: str
    source_lines: tuple[int, ...]
    source: str

    def position(self, offset: int) -> tuple[int, int | None]:
        """Return the source line and column, both from 1, of the character at `offset` in `text`.

        The column is None if there are expressions before and after the character on its line: rendering
        changes their length, so that the column cannot be computed.
        """
        starts = [0, *(match.end() for match in re.finditer("\n", self.text))]
        index = bisect_right(starts, offset) - 1
        line = self.source_lines[index]
        column = offset - starts[index]
        return line, _find_source_column(
            self.text.split("\n")[index], self.source.split("\n")[line - 1], column
        )


def _find_source_column(text: str, source: str, column: int) -> int | None:
    if text[:column] == source[:column]:  # nothing before the column was rendered
        return column + 1
    rest = text[column:]
    return len(source) - len(rest) + 1 if rest and source.endswith(rest) else None


class _LineMarks(Extension):
    """Adds a line mark to each line of a template's text, so that lines survive loops and conditions."""

    def filter_stream(self, stream: TokenStream) -> Iterable[Token]:
        """Yield the tokens with marks in their text.

        The text of a `set` block has no mark at its start, since templates compare such values.
        """
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
    """The environment of model files: dbt's extensions, and line marks."""


class _ValueEnvironment(SandboxedEnvironment, NativeEnvironment):
    """The environment of YAML values: a value that is one expression keeps the type of its result."""

    @staticmethod
    def concat(values: Iterable[Any]) -> Any:
        """Return a single value unchanged, or several joined as text. Raises UndefinedError."""
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
    raise ContextError("The filter as_bool needs true or false.")


def _as_number(value: Any) -> int | float:
    try:
        return int(str(value))
    except ValueError:
        try:
            return float(str(value))
        except ValueError:
            raise ContextError("The filter as_number needs a number.") from None


for _environment in (_MODELS, _VALUES):
    _environment.filters.update(as_text=str, as_native=_as_native, as_bool=_as_bool, as_number=_as_number)


def render_file(source: str, context: Mapping[str, Any]) -> RenderedFile:
    """Render a model's file. Raises TemplateError."""
    return _remove_marks(str(_render(_MODELS, source, context)), source)


def render_value(source: str, context: Mapping[str, Any]) -> Any:
    """Render one value of a YAML file. Raises TemplateError.

    The result is text unless a filter (as_number, as_native, as_bool, int) gives it another type.
    """
    if "{{" not in source and "{%" not in source:
        return source
    return _render(_VALUES, source, context)


@lru_cache(maxsize=1_000)
def _compile(environment: SandboxedEnvironment, source: str) -> CodeType:
    """Compile a template; a process that loads a project again and again compiles each text once."""
    return environment.compile(source, name=_TEMPLATE_NAME, filename=_TEMPLATE_NAME)


def _render(environment: SandboxedEnvironment, source: str, context: Mapping[str, Any]) -> Any:
    try:
        code = _compile(environment, source)
        return Template.from_code(environment, code, {}).render(dict(context))
    except TemplateSyntaxError as error:
        reason = (error.message or "it has an error").strip().rstrip(".")
        summary = f"The template cannot be parsed: {reason[:1].lower()}{reason[1:]}."
        raise TemplateError(summary, error.lineno, hint=_BRACES_HINT) from None
    except ContextError as error:
        raise TemplateError(error.summary, _template_line(error), cause=error) from None
    except UndefinedError as error:
        match = _UNDEFINED.match(error.message or "")
        raise TemplateError(
            _to_sentence(error.message or ""), _template_line(error), undefined_name=match[1] if match else ""
        ) from None
    except Exception as error:  # noqa: BLE001 - an expression in a template can raise anything
        raise TemplateError(_to_sentence(str(error) or type(error).__name__), _template_line(error)) from None


def _template_line(error: Exception) -> int | None:
    frames = traceback.extract_tb(error.__traceback__)
    return next((frame.lineno for frame in reversed(frames) if frame.filename == _TEMPLATE_NAME), None)


def _to_sentence(text: str) -> str:
    stripped = text.strip().rstrip(".")
    return f"{stripped[:1].upper()}{stripped[1:]}."


def current_line() -> int | None:
    """Return the current line of the template that is being rendered; for functions that it calls."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - the only way to find the caller; Jinja does the same
    while frame is not None:
        template = frame.f_globals.get("__jinja_template__")
        if isinstance(template, Template):
            return template.get_corresponding_lineno(frame.f_lineno)
        frame = frame.f_back
    return None
