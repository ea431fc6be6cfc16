"""Templates of JSON: every value is encoded, nothing leads out of the sandbox, and each one ends soon."""

from __future__ import annotations

from typing import Any

import pytest

from reverse_etl.parsing.json_template import JsonTemplate, JsonTemplateError

VALUES: dict[str, Any] = {
    "name": "Ann",
    "none": None,
    "numbers": [*range(3_000)],
    "big": "é" * 4_000_000,
    "order": {"items": [1, 2], "keys": "k", "total": 3},
    "email": "ann@example.com",
    "nothing": {},
    "nan": float("nan"),
}


def render(source: str, **values: Any) -> Any:
    """Return the document of a template."""
    return JsonTemplate.parse(source).render_document(VALUES | values)


@pytest.mark.parametrize(
    "value",
    ['a"b', "{{ 7 * 7 }}", "{% raw %}", '", "admin": true, "x": "', "\\", "\0", "\x1b[31m", "\u2028", "}}"],
)
def test_no_text_changes_the_document(value: str) -> None:
    """It is neither rendered again nor does it end its text."""
    assert render('{"a": {{ name }}, "b": [{{ name ~ "" }}]}', name=value) == {"a": value, "b": [value]}
    assert render('{"a": {{ name | tojson }}}', name=value) == {"a": value}


@pytest.mark.parametrize(
    ("source", "document"),
    [
        ("{{ order.items }}", [1, 2]),
        ("{{ order.keys }}", "k"),
        ("{{ order['total'] * 2 }}", 6),
        ("{{ name.upper() ~ '-' ~ 1 }}", "ANN-1"),
        ("{{ name.replace('n', 'm') }}", "Amm"),
        ("{{ ','.join(['a', 'b']) }}", "a,b"),
        ("{{ name.split('n')[0] }}", "A"),
        ("{{ [1, 2, 3] | map('string') | join('-') }}", "1-2-3"),
        ("{{ 3.14159 | round(2) }}", 3.14),
        ("[{% for n in order['items'] %}{{ n }}{% if not loop.last %},{% endif %}{% endfor %}]", [1, 2]),
        ("{{ none | default('x', true) }}", "x"),
        ("{% set full = name ~ ' B.' %}{{ full }}", "Ann B."),
    ],
)
def test_templates_can_do_what_models_need(source: str, document: Any) -> None:
    """Members that are named like a method, methods and filters of texts, loops."""
    assert render(source) == document


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__ }}",
        "{{ ().__class__.__mro__ }}",
        "{{ name | attr('__class__') }}",
        "{{ '{0.__class__}'.format(name) }}",
        "{{ name | map(attribute='__class__') | list }}",
        "{{ order.update({'a': 1}) }}",
        "{{ numbers.append(1) }}",
        "{{ self._TemplateReference__context }}",
        "{{ lipsum.__globals__ }}",
        "{{ lipsum() }}",
        "{{ [1, 2] | random }}",
        "{% include 'profiles.yml' %}",
        "{% import 'x' as x %}",
        "{% macro x() %}{% endmacro %}",
        "{{ nan }}",
        "{{ [1e308 * 10] }}",
        "{{ {'a': 1e308 * 10} }}",
    ],
)
def test_nothing_leads_out_of_the_sandbox(source: str) -> None:
    """Nor is anything random, or no number printed as null."""
    with pytest.raises(JsonTemplateError):
        render(source)


@pytest.mark.parametrize(
    "source",
    [
        "{{ 'x' * 10**9 }}",
        "{{ 10**9 * [1] }}",
        "{{ 10**10**10 }}",
        "{% set n = 9**99 %}" + "{% set n = n * n %}" * 40 + "{{ n }}",
        "{% set t = 'xxxxxxxxxx' %}" + "{% set t = t ~ t %}" * 60 + "{{ t }}",
        "{% set t = 'xxxxxxxxxx' %}" + "{% set t = t + t %}" * 60 + "{{ t }}",
        "{% for a in numbers %}" * 3 + "1" + "{% endfor %}" * 3,
        "{% for a in [1] recursive %}{{ loop([1]) }}{{ loop([1]) }}{% endfor %}",
        "{% for a in numbers %}{{ big }}{% endfor %}",
        "{{ 'a'.center(10**9) }}",
        "{{ 'a' | center(10**9) }}",
        "{{ 'a'.ljust(10**9) }}",
        "{{ 'a\tb'.expandtabs(10**9) }}",
        "{{ '%1000000000d' % 5 }}",
        "{{ '{:1000000000}'.format(5) }}",
        "{{ 5 | round(-10**9) }}",
        "{{ 5 | round(10**9, 'ceil') }}",
        "{{ big | replace('é', big) }}",
        "{{ big.replace('é', big) }}",
        "{{ big.join(numbers) }}",
        "{{ numbers | join(big) }}",
        "{{ [1] | batch(10**9, 0) | list }}",
        "{{ 'a' | indent(10**9) }}",
    ],
)
def test_a_template_that_would_not_end_or_fill_the_memory_is_an_error(source: str) -> None:
    """Before it takes long."""
    with pytest.raises(JsonTemplateError):
        render(source)


def test_an_error_repeats_no_value_of_the_row() -> None:
    """It goes into the state and into reports."""
    for source in ("{{ nothing[email] }}", "{{ order[email].total }}"):
        with pytest.raises(JsonTemplateError) as raised:
            render(source)
        assert "ann" not in raised.value.summary
    with pytest.raises(JsonTemplateError, match="'str object' has no attribute 'total'"):
        render("{{ email.total }}")
