"""Klaviyo's filter language: `equals(email,"ann@example.com"),greater-than(created,2026-01-01T00:00:00Z)`.

From the page "Filtering": a comma means AND, there is no OR, text stands in quotes with backslash escapes, a
list in square brackets, and text is compared with regard to case.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from reverse_etl.sandbox.replies import Refusal, invalid
from reverse_etl.sandbox.rules import MAX_OPERANDS
from reverse_etl.sandbox.times import unwire

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


@dataclass(frozen=True)
class Operand:
    """A value in a filter. `quoted` tells the text `"null"` from the word `null`."""

    text: str
    quoted: bool


@dataclass(frozen=True)
class Condition:
    """One call of a filter; `equals` and the comparisons have one operand, `any` has a list of them."""

    operator: str
    field: str
    operands: tuple[Operand, ...]
    listed: bool


@dataclass(frozen=True)
class Field:
    """What may be asked of a field: its SQL, its operators, the kind of its values, and the few there are."""

    expression: str
    operators: frozenset[str]
    kind: Literal["text", "time"] = "text"
    choices: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Where:
    """A filter in SQL: a condition (true if there is no filter), its bound values, the fields it looks at."""

    sql: str = "1"
    values: tuple[object, ...] = ()
    fields: frozenset[str] = field(default_factory=frozenset)


def parse_filter(text: str) -> tuple[Condition, ...]:
    """Return the conditions of a filter, in order. Raises Refusal (400) where it is not well-formed."""
    tokens = list(_tokens(text))
    conditions: list[Condition] = []
    position = 0
    while position < len(tokens):
        condition, position = _call(tokens, position)
        conditions.append(condition)
        if position < len(tokens):
            position = _expect(tokens, position, ",")
            if position == len(tokens):
                raise _malformed("a condition should follow the last comma")
    if not conditions:
        raise _malformed("it is empty")
    return tuple(conditions)


def filter_sql(text: str | None, fields: Mapping[str, Field]) -> Where:
    """Return the SQL of a filter, or of no filter.

    Raises Refusal (400) for a field or an operator that `fields` does not allow.
    """
    if text is None:
        return Where()
    clauses = [_condition_sql(condition, fields) for condition in parse_filter(text)]
    return Where(
        " AND ".join(clause.sql for clause in clauses),
        tuple(value for clause in clauses for value in clause.values),
        frozenset(name for clause in clauses for name in clause.fields),
    )


def _condition_sql(condition: Condition, fields: Mapping[str, Field]) -> Where:
    known = fields.get(condition.field)
    if known is None:
        raise _malformed(
            f"'{condition.field}' is not a field to filter by; allowed: {', '.join(sorted(fields))}"
        )
    if condition.operator not in known.operators:
        raise _malformed(f"'{condition.operator}' is not allowed on '{condition.field}'")
    looked_at = frozenset({condition.field})
    if condition.operator == "any":
        values = tuple(_bound(known, operand) for operand in condition.operands)
        return Where(f"{known.expression} IN ({', '.join('?' * len(values))})", values, looked_at)
    operand = condition.operands[0]
    if not operand.quoted and operand.text == "null":
        return Where(f"{known.expression} IS NULL", (), looked_at)
    return Where(
        f"{known.expression} {_COMPARISONS[condition.operator]} ?", (_bound(known, operand),), looked_at
    )


def _bound(known: Field, operand: Operand) -> str | float:
    if known.kind == "time":
        try:
            return unwire(operand.text)
        except ValueError:
            raise _malformed(f"'{operand.text}' is not a date-time") from None
    if not operand.quoted:
        raise _malformed(f"the text {operand.text} should stand in quotes")
    if known.choices and operand.text not in known.choices:
        raise _malformed(f"'{operand.text}' is not one of {', '.join(sorted(known.choices))}")
    return operand.text


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    position = 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise _malformed(f"it cannot be read from '{text[position : position + 20]}'")
        position = found.end()
        double, single, mark, word = found.groups()
        if mark is not None:
            yield "mark", mark
        elif word is not None:
            yield "word", word
        else:
            yield "text", re.sub(r"\\(.)", r"\1", double if double is not None else single, flags=re.DOTALL)


def _call(tokens: list[tuple[str, str]], position: int) -> tuple[Condition, int]:
    operator, position = _word(tokens, position)
    if operator not in _COMPARISONS and operator != "any":
        raise _malformed(f"'{operator}' is not an operator")
    position = _expect(tokens, position, "(")
    name, position = _word(tokens, position)
    position = _expect(tokens, position, ",")
    listed = tokens[position : position + 1] == [("mark", "[")]
    operands, position = _list(tokens, position + 1) if listed else _single(tokens, position)
    if listed != (operator == "any"):
        raise _malformed(f"'{operator}' takes {'one value' if listed else 'a list in square brackets'}")
    return Condition(operator, name, operands, listed), _expect(tokens, position, ")")


def _list(tokens: list[tuple[str, str]], position: int) -> tuple[tuple[Operand, ...], int]:
    operands: list[Operand] = []
    while True:
        single, position = _single(tokens, position)
        operands += single
        if tokens[position : position + 1] != [("mark", ",")]:
            break
        position += 1
    if len(operands) > MAX_OPERANDS:
        raise _malformed(f"a list may hold at most {MAX_OPERANDS} values, this one holds {len(operands)}")
    return tuple(operands), _expect(tokens, position, "]")


def _single(tokens: list[tuple[str, str]], position: int) -> tuple[tuple[Operand, ...], int]:
    if position >= len(tokens) or tokens[position][0] == "mark":
        raise _malformed("a value is missing")
    kind, text = tokens[position]
    return (Operand(text, quoted=kind == "text"),), position + 1


def _word(tokens: list[tuple[str, str]], position: int) -> tuple[str, int]:
    if position >= len(tokens) or tokens[position][0] != "word":
        raise _malformed("a name is missing")
    return tokens[position][1], position + 1


def _expect(tokens: list[tuple[str, str]], position: int, mark: str) -> int:
    if position >= len(tokens) or tokens[position] != ("mark", mark):
        raise _malformed(f"'{mark}' is missing")
    return position + 1


def _malformed(why: str) -> Refusal:
    return invalid(f"The filter is not valid: {why}.", parameter="filter")
