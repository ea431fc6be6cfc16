# ruff: noqa: E501 - a model or a message is one line
from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import duckdb
import pytest

from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.domain.list_target import ListById, ListColumn, NamedList, OnSharedIdentifier
from reverse_etl.errors import ModelError
from reverse_etl.models.column_binding import PayloadColumn
from reverse_etl.models.config import ModelConfig
from reverse_etl.planning.stage import locate_error
from reverse_etl.surfaces.interface import GuardLimit
from reverse_etl.surfaces.list_memberships import LIST_MEMBERSHIPS
from reverse_etl.warehouse.duckdb.adapter import DIALECT

if TYPE_CHECKING:
    from reverse_etl.models.model import Model
    from tests.compile.conftest import Folder

CONFIG = "{{ config(surface='profiles') }}\n"
VIP = """\
-- People who spent much.
{{ config(
    surface='list_memberships',
    list='VIP customers',
    identifiers={'external_id': 'Customer_ID', 'email': 'email'},
    tags=['daily', 'money'],
    on_shared_identifier='reject',
    min_rows=10,
    max_removes=0.5,
    description='People who spent much',
) }}
select customer_id, email, first_name as First, lifetime_value as "LTV" -- euros
from {{ ref('customers') }}
where lifetime_value > {{ var('least', 500) }}
; -- the end
"""


def test_a_model_is_its_select_its_config_and_its_columns(project: Folder) -> None:
    """The SELECT alone: without config, semicolon and the comments around it."""
    model = project.model(VIP)
    assert model.sql == (
        'select customer_id, email, first_name as First, lifetime_value as "LTV" -- euros\n'
        'from "shop"."main"."customers"\n'
        "where lifetime_value > 500"
    )
    assert (model.name, model.path.as_posix()) == ("m", "models/m.sql")
    assert [model.locate_line(line) for line in (0, 1, 2, 3, 4)] == [
        "models/m.sql",
        "models/m.sql:12",
        "models/m.sql:13",
        "models/m.sql:14",
        "models/m.sql",
    ]
    assert model.columns == ("customer_id", "email", "First", "LTV")
    assert model.payload == (PayloadColumn("First", "first"), PayloadColumn("LTV", "LTV"))
    assert model.config == ModelConfig(
        surface=LIST_MEMBERSHIPS,
        list_target=NamedList("VIP customers"),
        identifiers={IdentifierType.EXTERNAL_ID: "customer_id", IdentifierType.EMAIL: "email"},
        tags=("daily", "money"),
        on_shared_identifier=OnSharedIdentifier.REJECT,
        min_rows=10,
        max_removes=GuardLimit(0.5, floor=10, cap=100_000),
        description="People who spent much",
    )
    assert list(model.config.identifiers) == [IdentifierType.EXTERNAL_ID, IdentifierType.EMAIL]


def test_snowflake_folds_names_that_are_not_quoted(project: Folder) -> None:
    """Columns are called as the warehouse reports them; Klaviyo gets lower case unless the model quotes."""
    model = project.model(VIP, target="prod")
    assert model.columns == ("CUSTOMER_ID", "EMAIL", "FIRST", "LTV")
    assert model.payload == (PayloadColumn("FIRST", "first"), PayloadColumn("LTV", "LTV"))
    assert model.config.identifiers[IdentifierType.EXTERNAL_ID] == "CUSTOMER_ID"


def test_duckdb_runs_the_compiled_sql_and_reports_the_same_columns(project: Folder) -> None:
    """The SQL is the model's own text, so that the warehouse reads what the user wrote."""
    model = project.model(VIP.replace("{{ ref('customers') }}", "customers"))
    warehouse = duckdb.connect()
    warehouse.execute(
        "create table customers as select 1 customer_id, 'a@example.com' email, 'A' first_name, 501 lifetime_value"
    )
    rows = warehouse.execute(f"select * from ({model.sql}\n)")
    assert tuple(column[0] for column in rows.description) == model.columns
    assert rows.fetchall() == [(1, "a@example.com", "A", 501)]


def test_the_checksum_changes_with_the_sql_and_with_the_config(project: Folder) -> None:
    """And with nothing else: a comment above, or another target of the same warehouse, is no change."""
    base = project.model(VIP).checksum
    assert project.model("-- a comment\n" + VIP).checksum == base
    assert project.model(VIP, vars={"least": 600}).checksum != base
    assert project.model(VIP.replace("'reject'", "'omit'")).checksum != base
    assert project.model(VIP.replace("list='VIP customers'", "list_id='VIP'")).checksum != base
    swapped = "{'email': 'email', 'external_id': 'Customer_ID'}"
    assert (
        project.model(VIP.replace("{'external_id': 'Customer_ID', 'email': 'email'}", swapped)).checksum
        != base
    )


@pytest.mark.parametrize(
    ("settings", "target"),
    [
        ("list='VIP'", NamedList("VIP")),
        ("list_id='XyZ123'", ListById("XyZ123")),
        ("list_column='Club'", ListColumn("club")),
    ],
)
def test_a_list_is_given_in_one_of_three_ways(
    project: Folder, settings: str, target: ListById | ListColumn | NamedList
) -> None:
    """A list_column is found without regard to case, and is no payload."""
    text = f"{{{{ config(surface='list_memberships', {settings}) }}}}\nselect email, club from t"
    model = project.model(text)
    assert model.config.list_target == target
    assert model.payload == (() if "column" in settings else (PayloadColumn("club", "club"),))


def test_identifiers_are_by_default_the_columns_of_their_names(project: Folder) -> None:
    """In the order of the types, whatever the order of the columns."""
    model = project.model(CONFIG + "select name, external_id, EMAIL, phone_e164 from t")
    assert model.config.identifiers == {
        IdentifierType.EMAIL: "EMAIL",
        IdentifierType.PHONE: "phone_e164",
        IdentifierType.EXTERNAL_ID: "external_id",
    }
    assert next(iter(model.config.identifiers)) is IdentifierType.EMAIL
    assert model.payload == (PayloadColumn("name", "name"),)


def test_config_can_be_anywhere_and_can_be_one_mapping(project: Folder) -> None:
    model = project.model("select email from t\n{{ config({'surface': 'profiles', 'tags': 'daily'}) }}")
    assert model.config.tags == ("daily",)


def test_a_disabled_model_is_left_out(project: Folder) -> None:
    project.write(
        {
            "models/off.sql": "{{ config(surface='profiles', enabled=var('on', false)) }}\nselect {{ ref() }} frm",
            "models/on.sql": CONFIG + "select email from t",
        }
    )
    assert [model.name for model in project.compile()] == ["on"]


def test_a_byte_order_mark_and_windows_line_ends_are_ignored(project: Folder) -> None:
    path = project.path / "models" / "m.sql"
    path.parent.mkdir()
    path.write_bytes(b"\xef\xbb\xbf" + CONFIG.replace("\n", "\r\n").encode() + b"select email\r\nfrom t\r\n")
    (model,) = project.compile()
    assert model.sql == "select email\nfrom t"
    assert [model.locate_line(1, 8), model.locate_line(2)] == ["models/m.sql:2:8", "models/m.sql:3"]


def test_models_are_found_in_folders_and_sorted_by_name(project: Folder) -> None:
    text = CONFIG + "select email from t"
    project.write(
        dict.fromkeys(("models/z/b.sql", "models/c.sql", "models/z/y/a.sql", "reverse_etl/d.sql"), text)
    )
    assert [(model.name, model.path.as_posix()) for model in project.compile()] == [
        ("a", "models/z/y/a.sql"),
        ("b", "models/z/b.sql"),
        ("c", "models/c.sql"),
    ]


def test_in_a_dbt_project_models_lie_where_dbt_does_not_build_them(project: Folder) -> None:
    """Beside a dbt_project.yml, `models` is dbt's."""
    text = CONFIG + "select email from t"
    project.write(
        {
            "dbt_project.yml": "name: shop\nprofile: shop\n",
            "target/manifest.json": '{"nodes": {}}',
            "models/a.sql": "{{ dbt }}",
            "reverse_etl/b.sql": text,
        }
    )
    assert [model.path.as_posix() for model in project.compile()] == ["reverse_etl/b.sql"]


def test_target_is_dbts_and_holds_no_secret(project: Folder) -> None:
    """Models can ask where they run; they cannot read a password."""
    profiles = (
        (project.path / "profiles.yml")
        .read_text()
        .replace("schema: main", "schema: main, password: p, threads: 4")
    )
    project.write({"profiles.yml": profiles})
    names = ["name", "schema", "type", "database", "profile_name", "threads"]
    columns = ", ".join(f"'{{{{ target.{name} }}}}' as c_{name}" for name in names)
    assert project.model(CONFIG + f"select email, {columns} from t").sql == (
        "select email, 'trial' as c_name, 'main' as c_schema, 'duckdb' as c_type, 'shop' as c_database, "
        "'shop' as c_profile_name, '4' as c_threads from t"
    )
    with pytest.raises(ModelError, match="has no attribute 'password'"):
        project.model(CONFIG + "select email, '{{ target.password }}' as p from t")


def test_the_template_runs_in_a_sandbox(project: Folder) -> None:
    """A model cannot reach Python through Jinja."""
    with pytest.raises(ModelError, match="unsafe"):
        project.model(CONFIG + "select {{ ''.__class__.__mro__ }} as a from t")


def test_a_model_is_a_value(project: Folder) -> None:
    model = project.model(VIP)
    with pytest.raises(dataclasses.FrozenInstanceError):
        model.name = "other"  # type: ignore[misc]  # what mypy refuses, Python refuses too


# Each template has one mistake, at the place of HERE; HERE itself is a column without a name.
PLACES = [
    ("config({{ x }}) on one line", "{{ config(surface='profiles') }}\nselect email, HERE from t", (2, 15)),
    ("config on several lines", "{{ config(\n  surface='profiles',\n) }}\nselect email, HERE from t", (4, 15)),
    ("on config's last line", "{{ config(\n  surface='profiles',\n) }} select email, HERE from t", (3, 20)),
    ("after a comment", CONFIG + "{#\n  why\n#}\nselect email,\n  HERE\nfrom t", (6, 3)),
    ("after a call on several lines", CONFIG + "select {{ var(\n  'a',\n  'b'\n) }} as a, email,\n HERE from t", (6, 2)),
    ("after what is left out", CONFIG + "{% if false %}\nx\ny\n{% endif %}\nselect email, HERE from t", (6, 15)),
    ("after a loop", CONFIG + "select\n{% for n in [1, 2, 3] %}\n  {{ n }} as c{{ n }},\n{% endfor %}\n  email, HERE from t", (6, 10)),
    ("after a set block", CONFIG + "{% set w %}\nwhere\n  true\n{% endset %}\nselect email, HERE from t {{ w }}", (6, 15)),
    ("after a statement on several lines", CONFIG + "{% set w = [\n1,\n2] %}\nselect email, HERE from t", (5, 15)),
    ("where blanks are trimmed", CONFIG + "select email,\n\n  {{- ' 1 as a,' }}\n\n {%- if true %}\n\n  HERE {%- endif %} from t", (8, 3)),
    ("after an expression on its line", CONFIG + "select {{ 'email' }}, HERE from t", (2, 23)),
    ("between expressions on its line", CONFIG + "select {{ 'email' }}, HERE, {{ 1 }} as a from t", (2, None)),
    ("in a macro", CONFIG + "{% macro c() %}\n1 as a,\nHERE\n{% endmacro %}\nselect email, {{ c() }} from t", (4, 1)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "place"), [pytest.param(text, place, id=name) for name, text, place in PLACES]
)
def test_the_location_of_a_problem_is_the_line_of_the_file(
    project: Folder, text: str, place: tuple[int, int | None]
) -> None:
    """Line and column are counted in the file; the column is left out where it cannot be known."""
    with pytest.raises(ModelError) as caught:
        project.model(text.replace("HERE", "abs(x)"))
    (problem,) = caught.value.problems
    line, column = place
    assert problem.where == (f"models/m.sql:{line}:{column}" if column else f"models/m.sql:{line}")


def complaint(model: Model) -> str:
    """Return what DuckDB says of a model of a table that lacks a column."""
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t AS SELECT 'ann@example.com' AS email, 1 AS b")
        with pytest.raises(duckdb.Error) as caught:
            connection.execute(f"DESCRIBE (\n{model.sql}\n)")
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "place"), [pytest.param(text, place, id=name) for name, text, place in PLACES]
)
def test_an_error_of_the_warehouse_has_its_location_in_the_file(
    project: Folder, text: str, place: tuple[int, int | None]
) -> None:
    """DuckDB says where in the SQL that it was given: with the help of what it shows of the line."""
    model = project.model(text.replace("HERE", "frist"))
    line, column = place
    located = locate_error(DIALECT, model, complaint(model))
    assert located == (f"models/m.sql:{line}:{column}" if column else f"models/m.sql:{line}")


def test_a_long_line_that_duckdb_truncates_still_has_its_column(project: Folder) -> None:
    """And a complaint that shows nothing of the model is of its file."""
    model = project.model(CONFIG + f"select email, '{'x' * 200}' as a, '{'y' * 200}' as b, frist from t")
    assert "LINE 2: ..." in complaint(model)
    assert locate_error(DIALECT, model, complaint(model)) == f"models/m.sql:2:{model.sql.index('frist') + 1}"
    assert locate_error(DIALECT, model, "Connection lost") == "models/m.sql"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (CONFIG + "select email\nfrom {{ nothing }}", 3),
        (CONFIG + "select email\nfrom {{ 1 / 0 }}", 3),
        (CONFIG + "select email\n{% for x in y %}\nfrom t", 3),
        (CONFIG + "{% macro m() %}\n{{ nothing }}\n{% endmacro %}\nselect {{ m() }} from t", 3),
        (CONFIG + "select email\nfrom {{ env_var('NOTHING') }}", 3),
    ],
)
def test_a_template_error_has_its_line(project: Folder, text: str, line: int) -> None:
    with pytest.raises(ModelError) as caught:
        project.model(text)
    assert caught.value.problems[0].where == f"models/m.sql:{line}"
