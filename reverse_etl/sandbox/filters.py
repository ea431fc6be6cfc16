"""Klaviyo's filter language: `equals(email,"ann@example.com"),greater-than(created,2026-01-01T00:00:00Z)`.

Rules of the page "Filtering": a comma means AND, there is no OR, text is in quotes with backslash escapes, a
list is in square brackets, and comparisons of text are case-sensitive.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from reverse_etl.sandbox.replies import HttpError, bad_request_error
from reverse_etl.sandbox.rules import MAX_OPERANDS
from reverse_etl.sandbox.times import from_iso

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TOKEN: Final = re.compile(
    r"""\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([(),\[\]])|([^\s"'(),\[\]]+))\s*""", re.DOTALL
)
_COMPARISONS: Final = {
    "equals": "=",
    "greater-than": ">",
    "greater-or-equal": ">=",
    "less-than": "<",
    "less-or-equal": "<=",
}

_HAS: Final = "has"
NO_VALUE: Final = "NULL"  # the expression of a field that no resource of the sandbox has


@dataclass(frozen=True)
class Operand:
    """A value in a filter. `quoted` distinguishes the text `"null"` from the keyword `null`."""

    text: str
    quoted: bool


@dataclass(frozen=True)
class FilterCondition:
    """One call of a filter; comparisons have one operand, `any` has a list of them, `has` none."""

    operator: str
    field: str
    operands: tuple[Operand, ...]
    is_list: bool


@dataclass(frozen=True)
class FilterField:
    """A field that can be filtered: its SQL, operators, kind of values, and allowed values if limited.

    `template` is the SQL of a comparison, for a field with several values in another table.
    """

    expression: str
    operators: frozenset[str]
    kind: Literal["text", "time", "number"] = "text"
    choices: frozenset[str] = frozenset()
    template: str = "{expression} {comparison} ?"
    also: str = ""


@dataclass(frozen=True)
class WhereClause:
    """A filter in SQL: its condition (true without a filter), bound values and fields."""

    sql: str = "1"
    values: tuple[object, ...] = ()
    fields: frozenset[str] = field(default_factory=frozenset)


def parse_filter(text: str) -> tuple[FilterCondition, ...]:
    """Return the conditions of a filter, in order. Raises HttpError (400) if it is malformed."""
    tokens = list(_tokenize(text))
    conditions: list[FilterCondition] = []
    position = 0
    while position < len(tokens):
        condition, position = _parse_condition(tokens, position)
        conditions.append(condition)
        if position < len(tokens):
            position = _expect_mark(tokens, position, ",")
            if position == len(tokens):
                raise _malformed_filter_error("a condition should follow the last comma")
    if not conditions:
        raise _malformed_filter_error("it is empty")
    return tuple(conditions)


def filter_sql(text: str | None, fields: Mapping[str, FilterField]) -> WhereClause:
    """Return the SQL of a filter, which may be missing.

    Raises HttpError (400) for a field or an operator that `fields` does not allow.
    """
    if text is None:
        return WhereClause()
    clauses = [_condition_sql(condition, fields) for condition in parse_filter(text)]
    return WhereClause(
        " AND ".join(clause.sql for clause in clauses),
        tuple(value for clause in clauses for value in clause.values),
        frozenset(name for clause in clauses for name in clause.fields),
    )


def _condition_sql(condition: FilterCondition, fields: Mapping[str, FilterField]) -> WhereClause:
    filter_field = fields.get(condition.field)
    if filter_field is None:
        raise _malformed_filter_error(
            f"'{condition.field}' is not a field to filter by; allowed: {', '.join(sorted(fields))}"
        )
    if condition.operator not in filter_field.operators:
        raise _malformed_filter_error(f"'{condition.operator}' is not allowed on '{condition.field}'")
    field_names = frozenset({condition.field})
    if condition.operator == _HAS:
        return WhereClause(f"{filter_field.expression} IS NOT NULL", (), field_names)
    if condition.operator == "any":
        values = tuple(_bind_operand(filter_field, operand) for operand in condition.operands)
        comparison = f"IN ({', '.join('?' * len(values))})"
        if filter_field.also:
            also = filter_field.also.format(comparison=comparison)
            sql = f"({filter_field.expression} {comparison} OR {also})"
            return WhereClause(sql, values * 2, field_names)
        return WhereClause(f"{filter_field.expression} {comparison}", values, field_names)
    operand = condition.operands[0]
    if not operand.quoted and operand.text == "null":
        return WhereClause(f"{filter_field.expression} IS NULL", (), field_names)
    return WhereClause(
        filter_field.template.format(
            expression=filter_field.expression, comparison=_COMPARISONS[condition.operator]
        ),
        (_bind_operand(filter_field, operand),),
        field_names,
    )


def _bind_operand(filter_field: FilterField, operand: Operand) -> str | float:
    if filter_field.kind == "time":
        try:
            return from_iso(operand.text)
        except ValueError:
            raise _malformed_filter_error(f"'{operand.text}' is not a date-time") from None
    if filter_field.kind == "number":
        try:
            return float(operand.text)
        except ValueError:
            raise _malformed_filter_error(f"'{operand.text}' is not a number") from None
    if not operand.quoted:
        raise _malformed_filter_error(f"the text {operand.text} must be in quotes")
    if filter_field.choices and operand.text not in filter_field.choices:
        raise _malformed_filter_error(
            f"'{operand.text}' is not one of {', '.join(sorted(filter_field.choices))}"
        )
    return operand.text


def _tokenize(text: str) -> Iterator[tuple[str, str]]:
    position = 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            raise _malformed_filter_error(f"it cannot be read from '{text[position : position + 20]}'")
        position = token.end()
        double, single, mark, word = token.groups()
        if mark is not None:
            yield "mark", mark
        elif word is not None:
            yield "word", word
        else:
            yield "text", re.sub(r"\\(.)", r"\1", double if double is not None else single, flags=re.DOTALL)


def _parse_condition(tokens: list[tuple[str, str]], position: int) -> tuple[FilterCondition, int]:
    operator, position = _parse_word(tokens, position)
    if operator not in _COMPARISONS and operator not in {"any", _HAS}:
        raise _malformed_filter_error(f"'{operator}' is not an operator")
    position = _expect_mark(tokens, position, "(")
    name, position = _parse_word(tokens, position)
    if operator == _HAS:
        return FilterCondition(operator, name, (), is_list=False), _expect_mark(tokens, position, ")")
    position = _expect_mark(tokens, position, ",")
    is_list = tokens[position : position + 1] == [("mark", "[")]
    operands, position = (
        _parse_operand_list(tokens, position + 1) if is_list else _parse_operand(tokens, position)
    )
    if is_list != (operator == "any"):
        raise _malformed_filter_error(
            f"'{operator}' takes {'one value' if is_list else 'a list in square brackets'}"
        )
    return FilterCondition(operator, name, operands, is_list), _expect_mark(tokens, position, ")")


def _parse_operand_list(tokens: list[tuple[str, str]], position: int) -> tuple[tuple[Operand, ...], int]:
    operands: list[Operand] = []
    while True:
        single, position = _parse_operand(tokens, position)
        operands += single
        if tokens[position : position + 1] != [("mark", ",")]:
            break
        position += 1
    if len(operands) > MAX_OPERANDS:
        raise _malformed_filter_error(
            f"a list may hold at most {MAX_OPERANDS} values, this one holds {len(operands)}"
        )
    return tuple(operands), _expect_mark(tokens, position, "]")


def _parse_operand(tokens: list[tuple[str, str]], position: int) -> tuple[tuple[Operand, ...], int]:
    if position >= len(tokens) or tokens[position][0] == "mark":
        raise _malformed_filter_error("a value is missing")
    kind, text = tokens[position]
    return (Operand(text, quoted=kind == "text"),), position + 1


def _parse_word(tokens: list[tuple[str, str]], position: int) -> tuple[str, int]:
    if position >= len(tokens) or tokens[position][0] != "word":
        raise _malformed_filter_error("a name is missing")
    return tokens[position][1], position + 1


def _expect_mark(tokens: list[tuple[str, str]], position: int, mark: str) -> int:
    if position >= len(tokens) or tokens[position] != ("mark", mark):
        raise _malformed_filter_error(f"'{mark}' is missing")
    return position + 1


def _malformed_filter_error(reason: str) -> HttpError:
    return bad_request_error(f"The filter is not valid: {reason}.", parameter="filter")
