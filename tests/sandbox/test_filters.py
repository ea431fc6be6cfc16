from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.sandbox.filters import FilterCondition, FilterField, Operand, filter_sql, parse_filter
from reverse_etl.sandbox.replies import HttpError

if TYPE_CHECKING:
    from typing import Any

FIELDS = {
    "email": FilterField("p.email", frozenset({"any", "equals"})),
    "status": FilterField("j.status", frozenset({"any"}), choices=frozenset({"queued", "complete"})),
    "joined": FilterField(
        "m.joined", frozenset({"greater-than", "greater-or-equal", "less-than", "less-or-equal"}), "time"
    ),
}


@pytest.mark.parametrize(
    ("text", "conditions"),
    [
        ('equals(email,"a")', [("equals", "email", ["a"])]),
        ("equals(email,'a')", [("equals", "email", ["a"])]),
        (' equals( email , "a, b)" ) ', [("equals", "email", ["a, b)"])]),
        (r'equals(email,"say \"hi\" \\ bye")', [("equals", "email", ['say "hi" \\ bye'])]),
        ('any(email,["a","b"])', [("any", "email", ["a", "b"])]),
        ('any(email,["a"]),equals(x,"b")', [("any", "email", ["a"]), ("equals", "x", ["b"])]),
        ("greater-than(joined,2026-01-01T00:00:00Z)", [("greater-than", "joined", ["2026-01-01T00:00:00Z"])]),
        ('equals(email,"")', [("equals", "email", [""])]),
    ],
)
def test_a_filter_is_read(text: str, conditions: list[tuple[str, str, Any]]) -> None:
    """Commas join conditions; quotes hide commas, brackets and, behind a backslash, quotes."""
    found = [
        (condition.operator, condition.field, [operand.text for operand in condition.operands])
        for condition in parse_filter(text)
    ]
    assert found == conditions


def test_null_is_not_the_text_null() -> None:
    """The word null means no value; in quotes it is four letters."""
    (word,), (text,) = parse_filter("equals(a,null)"), parse_filter('equals(a,"null")')
    assert word == FilterCondition("equals", "a", (Operand("null", quoted=False),), is_list=False)
    assert text.operands == (Operand("null", quoted=True),)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "email",
        "equals",
        'equals(email,"a"',
        'equals(email "a")',
        'equals(email,"a"),',
        'equals(email,"a"))',
        'equals(email,"a") equals(email,"b")',
        'equals(email,["a"])',
        'any(email,"a")',
        "any(email,[])",
        'any(email,["a",])',
        'any(email,["a" "b"])',
        'equals(email,"a',
        "equals(email,)",
        "equals(email)",
        'like(email,"a")',
        "any(email,[" + ",".join(['"a"'] * 101) + "])",
    ],
)
def test_a_malformed_filter_is_refused(text: str) -> None:
    with pytest.raises(HttpError) as refusal:
        parse_filter(text)
    assert (refusal.value.status, refusal.value.errors[0].parameter) == (400, "filter")


@pytest.mark.parametrize(
    ("text", "sql", "values"),
    [
        (None, "1", ()),
        ('equals(email,"a")', "p.email = ?", ("a",)),
        ("equals(email,null)", "p.email IS NULL", ()),
        ('any(email,["a","b"])', "p.email IN (?, ?)", ("a", "b")),
        ("greater-or-equal(joined,1970-01-01T00:01:00Z)", "m.joined >= ?", (60.0,)),
        ('less-than(joined,"1970-01-01T01:00:00+01:00")', "m.joined < ?", (0.0,)),
        (
            "greater-than(joined,1970-01-01T00:00:01.500),less-or-equal(joined,1970-01-02)",
            "m.joined > ? AND m.joined <= ?",
            (1.5, 86400.0),
        ),
        ('any(status,["queued"])', "j.status IN (?)", ("queued",)),
    ],
)
def test_a_filter_becomes_sql_with_bound_values(text: str | None, sql: str, values: tuple[Any, ...]) -> None:
    """Values are never part of the SQL text; a time without an offset is UTC."""
    where = filter_sql(text, FIELDS)
    assert (where.sql, where.values) == (sql, values)


@pytest.mark.parametrize(
    "text",
    [
        'equals(id,"a")',
        'greater-than(email,"a")',
        'equals(status,"queued")',
        'any(status,["cancelled"])',
        "equals(email,a)",
        'greater-than(joined,"soon")',
        "any(email,[1])",
    ],
)
def test_a_filter_on_an_unsupported_field_is_refused(text: str) -> None:
    """An unknown field, operator or value is a 400, as is text without quotes."""
    with pytest.raises(HttpError) as refusal:
        filter_sql(text, FIELDS)
    assert refusal.value.status == 400
