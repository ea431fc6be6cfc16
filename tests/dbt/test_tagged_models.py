"""dbt models with `meta.reverse_etl`, in manifests of the real dbt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reverse_etl.dbt.meta import find_meta_nodes
from reverse_etl.domain.engine import Engine
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.domain.list_target import NamedList
from reverse_etl.errors import ModelError
from reverse_etl.models.column_binding import PayloadColumn
from reverse_etl.models.from_dbt import compile_meta_node
from reverse_etl.models.model import BrokenModel, Model
from reverse_etl.surfaces.list_memberships import LIST_MEMBERSHIPS
from reverse_etl.surfaces.operations import SendRequests
from tests.dbt.real_dbt import compiled, dbt, edit, rows
from tests.dbt.sample_artifacts import manifest

SECOND = """\
models:
  - name: points_again
    config: {meta: {reverse_etl: {surface: profiles, list: x, max_age: soon}}}
    columns: [{name: email}]
  - name: no_columns
    config:
      meta:
        reverse_etl:
          surface: profiles
  - name: not_a_mapping
    config:
      meta:
        reverse_etl: true
    columns: [{name: email}]
  - name: misspelt
    columns: [{name: email}, {name: retl_x}]
    meta:
      reverse_etl:
        surface: list_memberships
        lst: Members
        identifiers: {email: mail}
  - name: ephemeral_one
    config: {materialized: ephemeral, meta: {reverse_etl: {surface: profiles}}}
    columns: [{name: email}]
  - name: switched_off
    config: {meta: {reverse_etl: {enabled: false, nonsense: 1}}}
"""


def test_a_tagged_dbt_model_has_the_columns_that_its_yaml_lists(built: Path) -> None:
    """It has no file of ours; a column that is not listed is not sent."""
    model = compiled(built)["spenders"]
    assert model.sql == (
        'select\n    "email",\n    "total_spent",\n    "last_visit_on"\nfrom "corner_shop"."main"."spenders"'
    )
    assert model.path == Path("models/marts/spenders.sql")
    assert model.config.surface == LIST_MEMBERSHIPS
    assert model.config.list_target == NamedList("spenders")
    assert model.config.identifiers == {IdentifierType.EMAIL: "email"}
    assert model.config.tags == ("daily",)
    assert model.config.description == "Everybody who paid at the till."
    assert model.payload == (
        PayloadColumn("total_spent", "total_spent"),
        PayloadColumn("last_visit_on", "last_visit_on"),
    )
    assert model.reads == ("model.corner_shop.spenders",)
    assert len(rows(built, model)) == 3


def test_every_mistake_names_the_line_of_the_dbt_models_yaml(shop: Path) -> None:
    """All at once, with what to do next; what dbt's `config()` says in SQL points at that file."""
    marts = shop / "models" / "marts"
    (marts / "second.yml").write_text(SECOND)
    for name in ("points_again", "no_columns", "not_a_mapping", "misspelt", "ephemeral_one", "switched_off"):
        (marts / f"{name}.sql").write_text("select 'ann@example.com' as email, 1 as retl_x")
    (marts / "in_sql.sql").write_text("{{ config(meta={'reverse_etl': {'surface': 'x'}}) }}\nselect 1 as a")
    (shop / "reverse_etl" / "spenders.sql").write_text("{{ config(surface='profiles') }}\nselect 1 as email")
    dbt(shop, "parse")
    with pytest.raises(ModelError, match="2 models have the name spenders"):
        compiled(shop)
    (shop / "reverse_etl" / "spenders.sql").unlink()
    with pytest.raises(ModelError) as caught:
        compiled(shop)
    problems = [(each.where, each.summary) for each in caught.value.problems]
    yaml = "models/marts/second.yml"
    assert problems == [
        (
            f"{yaml}:23 model ephemeral_one, meta.reverse_etl",
            "ephemeral_one is ephemeral in dbt, so the warehouse has no table for it.",
        ),
        (
            "models/marts/in_sql.sql model in_sql, meta.reverse_etl.surface",
            "surface cannot be 'x'.",
        ),
        (
            "models/marts/in_sql.sql model in_sql, meta.reverse_etl",
            "dbt's YAML lists no columns for in_sql, so there is nothing to send.",
        ),
        (f"{yaml}:20 model misspelt, meta.reverse_etl.lst", "lst is not a key of meta.reverse_etl."),
        (
            f"{yaml}:8 model no_columns, meta.reverse_etl",
            "dbt's YAML lists no columns for no_columns, so there is nothing to send.",
        ),
        (f"{yaml}:13 model not_a_mapping, meta.reverse_etl", "meta.reverse_etl is not a mapping."),
        (
            f"{yaml}:3 model points_again, meta.reverse_etl.max_age",
            "max_age is not a duration.",
        ),
    ]
    assert "Did you mean list?" in caught.value.problems[3].hint
    assert "List them under columns" in caught.value.problems[4].hint


def test_a_tagged_dbt_model_describes_a_request(shop: Path) -> None:
    """Its templates are between raw and endraw, or in a file: dbt renders others, which are refused."""
    request = """\
models:
  - name: links
    config:
      meta:
        reverse_etl:
          surface: request
          unique_key: [tag_id]
          request:
            method: POST
            path: "{% raw %}/api/tags/{{ tag_id }}/relationships/lists{% endraw %}"
            body_file: links.json
    columns: [{name: tag_id}]
"""
    marts = shop / "models" / "marts"
    (marts / "links.yml").write_text(request)
    (marts / "links.sql").write_text("select 't1' as tag_id")
    (shop / "links.json").write_text('{"data": [], "tag": {{ tag_id }}}')
    dbt(shop, "parse")
    upsert = compiled(shop)["links"].config.surface.upsert
    assert isinstance(upsert, SendRequests)
    assert upsert.template.path.names == ("tag_id",)
    assert upsert.template.body is not None
    (marts / "links.yml").write_text(request.replace("{% raw %}", "").replace("{% endraw %}", ""))
    dbt(shop, "parse")
    with pytest.raises(ModelError, match="The path /api/tags//relationships/lists is not a path below /api/"):
        compiled(shop)


def test_the_latest_version_of_a_model_is_sent(shop: Path) -> None:
    """Settings above the versions are the latest's alone; an older version's own make a model beside it."""
    edit(
        shop / "models" / "marts" / "marts.yml",
        "    latest_version: 2\n",
        "    latest_version: 2\n    config: {meta: {reverse_etl: {surface: profiles, "
        "identifiers: {external_id: person_id}}}}\n",
    )
    dbt(shop, "parse")
    models = compiled(shop)
    assert models["people"].reads == ("model.corner_shop.people.v2",)
    assert "people_v1" not in models
    edit(
        shop / "models" / "marts" / "marts.yml",
        "      - v: 1\n",
        "      - v: 1\n        config: {meta: {reverse_etl: {surface: profiles, tags: [old], "
        "identifiers: {external_id: person_id}}}}\n",
    )
    dbt(shop, "parse")
    models = compiled(shop)
    assert models["people_v1"].config.tags == ("old",)
    assert models["people_v1"].reads == ("model.corner_shop.people.v1",)


def test_models_of_packages_are_ignored() -> None:
    nodes = list(manifest()["nodes"].values())
    nodes[1] |= {"config": {"meta": {"reverse_etl": {"surface": "profiles"}}}}
    assert [each.name for each in find_meta_nodes(nodes, "shop")] == ["stg"]
    assert find_meta_nodes(nodes, "other") == ()


COLUMNS: list[dict[str, Any]] = [
    {"name": "email"},
    {"name": "order"},
    {"name": "First Name"},
    {"name": "Mixed"},
    {"name": "Quoted", "quote": True},
    {"name": "a, b"},
]


@pytest.mark.parametrize(
    ("warehouse", "columns"),
    [
        (Engine.DUCKDB, ["email", "order", "First Name", "Mixed", "Quoted", "a, b"]),
        (Engine.SNOWFLAKE, ["EMAIL", "ORDER", "First Name", "MIXED", "Quoted", "a, b"]),
    ],
)
def test_a_column_name_is_resolved_as_in_dbt(tmp_path: Path, warehouse: Engine, columns: list[str]) -> None:
    """Unquoted names fold, and reach Klaviyo in lower case; a name never becomes SQL of another kind."""
    node = {
        "name": "m",
        "package_name": "shop",
        "resource_type": "model",
        "unique_id": "model.shop.m",
        "relation_name": "db.s.m",
        "config": {"meta": {"reverse_etl": {"surface": "profiles"}}},
        "columns": {column["name"]: column for column in COLUMNS},
    }
    (marked,) = find_meta_nodes([node], "shop")
    model = compile_meta_node(marked, warehouse, tmp_path)
    assert isinstance(model, Model)
    assert list(model.columns) == columns
    assert model.sql.count(",") == len(columns)  # between them, and the one in a name
    assert [each.property for each in model.payload] == ["order", "First Name", "mixed", "Quoted", "a, b"]


def test_reserved_model_names_are_refused(tmp_path: Path) -> None:
    node = {
        "name": "m",
        "package_name": "shop",
        "resource_type": "model",
        "relation_name": "m",
        "meta": {"reverse_etl": {"surface": "profiles"}},
        "columns": {name: {"name": name} for name in ("email", "Email", "retl_x")},
    }
    (marked,) = find_meta_nodes([node], "shop")
    broken = compile_meta_node(marked, Engine.DUCKDB, tmp_path)
    assert isinstance(broken, BrokenModel)
    assert [problem.summary for problem in broken.problems] == [
        "Two columns have the name Email.",
        "Column retl_x begins with retl_, which is reserved for reverse-etl.",
    ]
