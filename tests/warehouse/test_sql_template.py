"""Statements as files: what a template can't do, so that nothing is printed unquoted."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
from jinja2 import DictLoader, TemplateError, UndefinedError
from jinja2.bccache import bc_magic

from reverse_etl.warehouse.duckdb.adapter import DIALECT as DUCKDB
from reverse_etl.warehouse.snowflake.dialect import SnowflakeDialect
from reverse_etl.warehouse.sql_template import _ENVIRONMENT, _render, _SqlEnvironment
from reverse_etl.warehouse.statement import Sql, TableName

if TYPE_CHECKING:
    from pathlib import Path

    from jinja2 import nodes

    from reverse_etl.warehouse.dialect import Dialect

EVIL = "x'; DROP TABLE t; --"
SNOWFLAKE = SnowflakeDialect('"S"', '"S"')


def render(source: str, dialect: Dialect = DUCKDB, **values: object) -> tuple[str, tuple[Any, ...]]:
    """Render the text of a template."""
    return _render(_ENVIRONMENT.from_string(source), dialect, values)


@pytest.mark.parametrize(
    "source",
    [
        "{{ evil }}",
        "{{ evil.upper() }}",
        "{{ sql.replace('a', evil) }}",
        "{{ sql.format(evil) }}",
        "{{ sql.join(evils) }}",
        "{{ evils }}",
        "{{ evil if evil else sql }}",
        "{{ evils | commas }}",
        "{% macro m(x) %}{{ x }}{% endmacro %}{{ m(evil) }}",
        "{% set x %}{{ evil }}{% endset %}{{ x }}",
        "{{ nothing }}",
        "{{ number }}",
        "{{ evil | number }}",
        "{{ sql | identifier }}",
        "{{ sql | literal }}",
    ],
)
def test_a_value_that_is_not_sql_is_not_printed(source: str) -> None:
    """Whichever way it comes, and text that was made of SQL by Python's own methods."""
    with pytest.raises(TypeError):
        render(source, evil=EVIL, evils=[EVIL], sql=Sql("a {}"), number=1, nothing=None)


@pytest.mark.parametrize(
    "source",
    [
        "{{ 'a' ~ evil }}",
        "{{ 'a' + evil }}",
        "{{ '%s' % evil }}",
        "{{ evil * 2 }}",
        "{{ 'DROP TABLE t' }}",
        "{{ 1 }}",
        "{{ sql if evil else 'DROP TABLE t' }}",
        "{{ sql or 'DROP TABLE t' }}",
        "{{ sql.__class__(evil) }}",
        "{{ evil[:3] }}",
        "{{ none }}",
        "{{ evil | safe }}",
        "{{ evil | string }}",
        "{{ evil is defined }}",
        "{% include evil %}",
        "{% extends evil %}",
        "{% from evil import m %}",
        "{% autoescape true %}{% endautoescape %}",
        "SELECT ?",
    ],
)
def test_a_template_that_could_join_text_is_refused_when_it_is_loaded(source: str) -> None:
    """Also in a branch that no test renders."""
    with pytest.raises(TemplateError):
        render("{% if false %}" + source + "{% endif %}", evil=EVIL, sql=Sql("a"))


@pytest.mark.parametrize("source", ["{{ missing }}", "{{ table.missing }}", "{{ lipsum }}"])
def test_a_missing_value_is_an_error(source: str) -> None:
    with pytest.raises(UndefinedError):
        render(source, table=Sql("t"))


@pytest.mark.parametrize("text", [EVIL, 'a"b', "a\\' OR 1=1 --", "Is VIP?", "{{ 1 }}", "a\nb"])
def test_a_quoted_value_stays_inside_its_quotes(text: str) -> None:
    source = "SELECT {{ text | literal }} AS {{ text | identifier }}"
    doubled = text.replace("'", "''")
    column = '"' + text.replace('"', '""') + '"'
    assert render(source, text=text) == (f"SELECT '{doubled}' AS {column}", ())
    escaped = doubled.replace("\\", "\\\\")
    assert render(source, SNOWFLAKE, text=text)[0] == f"SELECT '{escaped}' AS {column}"


def test_a_text_cannot_pass_for_a_parameter() -> None:
    """The mark of a parameter is a character that no statement holds."""
    with pytest.raises(ValueError, match="NUL"):
        render("{{ 'a' | bind }}{{ text | literal }}", text="\0" + "0" + "\0")


def test_parameters_come_in_the_order_of_the_text() -> None:
    """Also of a part that is printed twice, or later than it was made; a column may be called "Is VIP?"."""
    source = (
        "{% set part %}l = {{ later | bind }}{% endset %}SELECT {{ 'Is VIP?' | identifier }}, "
        "{{ first | bind }} WHERE {{ part }} AND {{ part }} IN ({{ many | bind_all }})"
    )
    text, parameters = render(source, first=EVIL, later="?", many=["a", 2])
    assert text == 'SELECT "Is VIP?", ? WHERE l = ? AND l = ? IN (?, ?)'
    assert parameters == (EVIL, "?", "?", "a", 2)


def test_filters_of_constants_are_evaluated_in_each_rendering() -> None:
    """A compiled template is kept, and serves every dialect."""
    template = _ENVIRONMENT.from_string("SELECT {{ 'a\\\\' | literal }}, {{ 'x' | bind }}")
    assert _render(template, DUCKDB, {}) == ("SELECT 'a\\', ?", ("x",))
    assert _render(template, SNOWFLAKE, {}) == ("SELECT 'a\\\\', ?", ("x",))


def test_tables_numbers_and_lists_of_sql_are_printed() -> None:
    source = "SELECT {{ columns | commas('s') }} FROM {{ table }} AS s LIMIT {{ limit | number }}"
    table = TableName('"t"', temporary=True)
    text, _ = render(source, columns=[Sql("a"), Sql('"B"')], table=table, limit=3)
    assert text == 'SELECT s.a, s."B" FROM "t" AS s LIMIT 3'


@pytest.mark.parametrize("dialect", [DUCKDB, SNOWFLAKE])
def test_a_short_name_becomes_the_name_of_a_table(dialect: Dialect) -> None:
    """The dialect says where state tables and scratch tables lie, and how scratch tables are made."""
    source = (
        "{{ n | state_table }}|{{ n | temp_table }}|{{ n | create_temp_table }}|{{ n | replace_temp_table }}"
    )
    assert render(source, dialect, n="runs")[0].split("|") == [
        dialect.state_table("runs").sql,
        dialect.temp_table("runs").sql,
        dialect.create_temp_table_sql("runs"),
        dialect.replace_temp_table_sql("runs"),
    ]
    with pytest.raises(TypeError):
        render("{{ n | temp_table }}", dialect, n=dialect.temp_table("runs"))


@pytest.mark.parametrize(
    "name", _ENVIRONMENT.list_templates(filter_func=lambda name: name.endswith(".sql.j2"))
)
def test_every_statement_of_the_package_passes_the_check(name: str) -> None:
    assert _ENVIRONMENT.get_template(name).name == name


def test_a_macro_is_a_statement_with_the_values_that_it_names() -> None:
    source = """
{% macro is_of(owner) %}owner = {{ owner | bind }}{% endmacro %}

{#- The orders of an owner. -#}
{% macro delete_orders(tables, owner) %}
DELETE FROM {{ tables | commas }}
WHERE {{ is_of(owner) }}
{% endmacro %}
"""
    values = {"tables": [Sql("orders")], "owner": EVIL, "other": 1}
    template = _ENVIRONMENT.from_string(source)
    statement = _render(template, DUCKDB, values, "delete_orders")
    assert statement == ("DELETE FROM orders\nWHERE owner = ?", (EVIL,))
    with pytest.raises(UndefinedError, match="owner"):
        _render(template, DUCKDB, {"tables": [Sql("orders")]}, "delete_orders")
    with pytest.raises(TypeError):
        _render(template, DUCKDB, values | {"tables": [EVIL]}, "delete_orders")


class Parsing(_SqlEnvironment):
    """Templates of a process that starts, and those that it had to parse."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loader = DictLoader({"kept.sql.j2": text})
        self.parsed: list[str | None] = []

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        self.parsed.append(name)
        return super()._parse(source, name, filename)


def parses(text: str) -> bool:
    """Return whether a process that starts has to parse a template of this text, and render it."""
    environment = Parsing(text)
    assert _render(environment.get_template("kept.sql.j2"), DUCKDB, {})[0] == text
    return bool(environment.parsed)


def test_a_compiled_statement_is_kept_as_python_keeps_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is compiled again if its text changed, or if what is kept was cut off or damaged."""
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert parses("SELECT 1")
    assert parses("SELECT 1")
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    assert [parses("SELECT 1"), parses("SELECT 1")] == [True, False]
    assert [parses("SELECT 2"), parses("SELECT 2")] == [True, False]
    (kept,) = tmp_path.rglob("*.pyc")
    for length in range(0, len(content := kept.read_bytes()), 7):
        kept.write_bytes(content[:length])
        assert [parses("SELECT 2"), parses("SELECT 2")] == [True, False]
    for place in (len(bc_magic) + 1, content.index(b"X") + 6):  # pickle's version, and a letter of the hash
        kept.write_bytes(content[:place] + b"\xf4" + content[place + 1 :])
        assert [parses("SELECT 2"), parses("SELECT 2")] == [True, False]
