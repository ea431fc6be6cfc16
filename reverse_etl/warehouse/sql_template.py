"""Statements as files: Jinja templates that can print nothing but SQL.

A template is a `.sql.j2` file of the package with one statement, or a macro of such a file.
It prints values of type `Sql` and table names. Everything else goes through a filter: `identifier` and
`literal` quote, `number` takes integers, `bind` and `bind_all` make parameters, `commas` joins SQL, and
`state_table`, `temp_table`, `create_temp_table` and `replace_temp_table` take the short name of a table.
Templates are checked when they are loaded: they can't put text together.
"""

from __future__ import annotations

import re
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, Template, nodes, pass_context
from jinja2.exceptions import TemplateAssertionError

from reverse_etl.warehouse.statement import Sql, TableName, quote_identifier
from reverse_etl.warehouse.template_cache import TemplateCache

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from jinja2.runtime import Context

    from reverse_etl.warehouse.dialect import Dialect

_SUFFIX: Final = ".sql.j2"
_MARK: Final = "\0"  # around the number of a parameter in the text; it occurs nowhere else
_MARKED: Final = re.compile(f"{_MARK}([0-9]+){_MARK}")


@dataclass
class _Rendering:
    dialect: Dialect
    parameters: list[Any] = field(default_factory=list)


_RENDERING: Final[ContextVar[_Rendering]] = ContextVar("rendering")


def render_sql(template: str, dialect: Dialect, **values: object) -> tuple[Sql, tuple[Any, ...]]:
    """Return a template's text, with ? for each parameter, and the parameters in the order of the text.

    `template` is the file's path in the package, without its suffix; in a file with several statements, one
    macro each, the name of the macro follows after a colon. Raises TypeError if the template prints a value
    that is not SQL, and jinja2.UndefinedError if it uses a value that is missing.
    """
    path, _, macro = template.partition(":")
    return _render(_ENVIRONMENT.get_template(path + _SUFFIX), dialect, values, macro)


def _render(
    template: Template, dialect: Dialect, values: Mapping[str, object], macro: str = ""
) -> tuple[Sql, tuple[Any, ...]]:
    rendering = _Rendering(dialect)
    token = _RENDERING.set(rendering)
    try:
        text = _render_macro(template, macro, values) if macro else template.render(values)
    finally:
        _RENDERING.reset(token)
    numbers = [int(number) for number in _MARKED.findall(text)]
    return Sql(_MARKED.sub("?", text)), tuple(rendering.parameters[number] for number in numbers)


def _render_macro(template: Template, name: str, values: Mapping[str, object]) -> str:
    """Return the text of a macro, which takes those of the values that it names."""
    macro = getattr(template.module, name)
    text: str = macro(**{argument: values[argument] for argument in macro.arguments if argument in values})
    return text.strip("\n")


def _check_text(value: object) -> str:
    """Return a text that is not SQL yet.

    Raises TypeError for anything else, ValueError for a text that can't be part of a statement.
    """
    if not isinstance(value, str) or isinstance(value, Sql):
        raise TypeError(f"A filter quotes text, not {type(value).__name__}.")
    if _MARK in value:
        raise ValueError("A text with a NUL character can't be part of a statement.")
    return str(value)


def _identifier(name: object) -> Sql:
    return quote_identifier(_check_text(name))


def _literal(text: object) -> Sql:
    return Sql(_RENDERING.get().dialect.quote_literal(_check_text(text)))


def _state_table(name: object) -> Sql:
    return Sql(_RENDERING.get().dialect.state_table(_check_text(name)))


def _temp_table(name: object) -> Sql:
    return Sql(_RENDERING.get().dialect.temp_table(_check_text(name)))


def _create_temp_table(name: object) -> Sql:
    return Sql(_RENDERING.get().dialect.create_temp_table_sql(_check_text(name)))


def _replace_temp_table(name: object) -> Sql:
    return Sql(_RENDERING.get().dialect.replace_temp_table_sql(_check_text(name)))


def _number(value: object) -> Sql:
    if type(value) is not int:
        raise TypeError(f"A number is an int, not {type(value).__name__}.")
    return Sql(value)


def _bind(value: object) -> Sql:
    if isinstance(value, StrictUndefined):
        str(value)  # raises UndefinedError, which names it
    parameters = _RENDERING.get().parameters
    parameters.append(value)
    return Sql(f"{_MARK}{len(parameters) - 1}{_MARK}")


def _bind_all(values: Iterable[object]) -> Sql:
    return Sql(", ".join(map(_bind, values)))


def _commas(values: Iterable[object], alias: str = "") -> Sql:
    """Return values of SQL, comma-separated, each after an alias of the template's if there is one."""
    prefix = f"{alias}." if alias else ""
    return Sql(", ".join(prefix + _finalize(value) for value in values))


def _finalize(value: object) -> str:
    """Return what may be printed. Raises TypeError for everything that is not SQL."""
    match value:
        case Sql():
            return value
        case TableName():
            return value.sql
        case StrictUndefined():
            return str(value)  # raises UndefinedError, which names it
        case _:
            raise TypeError(
                f"A statement's template prints SQL, not {type(value).__name__}: quote or bind it."
            )


@pass_context
def _finalize_output(_context: Context, value: object) -> str:
    return _finalize(value)  # with the context, Jinja works out no output before the rendering


_FILTERS: Final[Mapping[str, Callable[..., Sql]]] = {
    "identifier": _identifier,
    "literal": _literal,
    "state_table": _state_table,
    "temp_table": _temp_table,
    "create_temp_table": _create_temp_table,
    "replace_temp_table": _replace_temp_table,
    "number": _number,
    "bind": _bind,
    "bind_all": _bind_all,
    "commas": _commas,
}
_ALLOWED_NODES: Final = (
    *(
        nodes.Template,
        nodes.Output,
        nodes.TemplateData,
        nodes.Name,
        nodes.Const,
        nodes.Getattr,
        nodes.Getitem,
    ),
    *(nodes.Filter, nodes.Call, nodes.Keyword, nodes.Tuple, nodes.Compare, nodes.Operand),
    *(nodes.If, nodes.For, nodes.Not, nodes.And, nodes.Or, nodes.CondExpr),
    *(nodes.FromImport, nodes.Macro, nodes.Assign, nodes.AssignBlock),
)


def _check_template(tree: nodes.Template, name: str | None) -> None:
    """Raise TemplateAssertionError if a template does what the module's docstring rules out."""
    for node in tree.find_all(nodes.Node):
        problem = _find_problem(node)
        if problem:
            raise TemplateAssertionError(f"A statement's template {problem}.", node.lineno or 1, name)


def _find_problem(node: nodes.Node) -> str:
    problems = (
        (not isinstance(node, _ALLOWED_NODES), f"does without {type(node).__name__}"),
        (_has_mark(node), "binds parameters by the filter `bind`, and has no ? of its own"),
        (_prints_constant(node), "writes its text as it is, and prints no constants"),
        (isinstance(node, nodes.Filter) and node.name not in _FILTERS, "uses our own filters only"),
        (isinstance(node, nodes.Getattr) and node.attr.startswith("_"), "uses no private attributes"),
        (
            isinstance(node, nodes.FromImport) and not isinstance(node.template, nodes.Const),
            "imports files by their names",
        ),
    )
    return next((problem for is_found, problem in problems if is_found), "")


def _has_mark(node: nodes.Node) -> bool:
    return isinstance(node, nodes.TemplateData) and bool({"?", _MARK} & {*node.data})


def _prints_constant(node: nodes.Node) -> bool:
    is_output = isinstance(node, nodes.Output)
    return is_output and any(isinstance(printed, nodes.Const) for printed in _printed(node))


def _printed(node: nodes.Node) -> Iterable[nodes.Node]:
    """Yield the expressions of which an output prints one."""
    for child in node.iter_child_nodes(exclude=("test",)):
        if isinstance(child, nodes.CondExpr | nodes.And | nodes.Or):
            yield from _printed(child)
        else:
            yield child


class _SqlEnvironment(Environment):
    """Jinja with our filters alone, which compiles only templates that pass the check."""

    concat = staticmethod(lambda parts: Sql("".join(parts)))  # what a template or a macro printed is SQL

    def __init__(self) -> None:
        super().__init__(
            loader=PackageLoader("reverse_etl", ""),
            finalize=_finalize_output,
            undefined=StrictUndefined,
            optimized=False,  # a filter's result depends on the rendering, so that none is worked out before
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            cache_size=-1,
            bytecode_cache=TemplateCache(Path(__file__)),
        )
        self.globals.clear()
        self.tests.clear()
        self.filters.clear()
        self.filters |= _FILTERS

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        _check_template(tree, name)
        return tree


_ENVIRONMENT: Final = _SqlEnvironment()
