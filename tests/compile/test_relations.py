# ruff: noqa: E501 - a model or a message is one line
from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reverse_etl.errors import IncompleteFile, ModelError, UsageError

if TYPE_CHECKING:
    from typing import Any

    from reverse_etl.models.model import Model
    from tests.compile.conftest import Folder

PROJECT = {"dbt_project.yml": "name: shop\nprofile: shop\n"}
MODEL = "{{ config(surface='profiles') }}\nselect email from {{ %s }}\n"


def node(name: str, package: str = "shop", kind: str = "model", **more: Any) -> dict[str, Any]:
    """Return a node as dbt writes it."""
    return {
        "resource_type": kind,
        "name": name,
        "package_name": package,
        "unique_id": f"{kind}.{package}.{name}",
        "database": "shop",
        "schema": "main",
        "alias": name,
        "relation_name": f'"shop"."main"."{name}"',
        "config": {"materialized": "table"},
        **more,
    }


def version(number: int, latest: int) -> dict[str, Any]:
    """Return one version of a versioned model."""
    return node(
        "people",
        unique_id=f"model.shop.people.v{number}",
        version=number,
        latest_version=latest,
        relation_name=f'"shop"."main"."people_v{number}"',
    )


def manifest(**changed: Any) -> str:
    """Return a manifest of a small shop, with top-level keys changed."""
    nodes = [
        node("customers"),
        node("countries", kind="seed"),
        node("customers_history", kind="snapshot"),
        node("renamed", relation_name='"shop"."marts"."other name"'),
        node("customers", "loyalty", relation_name='"shop"."loyalty"."customers"'),
        node("points", "loyalty"),
        node("twice", "loyalty"),
        node("twice", "billing"),
        version(1, 2),
        version(2, 2),
        node("thin", config={"materialized": "ephemeral"}, relation_name=None),
        node("exported", config={"materialized": "external"}),
        node("far", database="lake", relation_name='"lake"."main"."far"'),
        node("not_null_customers", kind="test"),
    ]
    content = {
        "metadata": {
            "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
            "project_name": "shop",
            "adapter_type": "duckdb",
        },
        "nodes": {each["unique_id"]: each for each in nodes},
        "sources": {
            "source.shop.erp.orders": {
                "source_name": "erp",
                "name": "orders",
                "unique_id": "source.shop.erp.orders",
                "identifier": "t_orders",
                "relation_name": '"raw"."erp_eu"."t_orders"',
            },
            "source.shop.erp.files": {
                "source_name": "erp",
                "name": "files",
                "unique_id": "source.shop.erp.files",
                "relation_name": '"shop"."erp"."files"',
                "meta": {"external_location": "files.parquet"},
            },
        },
        "disabled": {"model.shop.old": [node("old")]},
        "macros": {"macro.loyalty.tier": {"name": "tier", "package_name": "loyalty"}},
    }
    return json.dumps(content | changed)


@pytest.fixture
def dbt(project: Folder) -> Folder:
    """Change to a dbt project whose manifest dbt has written."""
    project.write({**PROJECT, "target/manifest.json": manifest()})
    return project


def compiled(folder: Folder, call: str, **given: Any) -> Model:
    """Compile one model that reads what this call gives."""
    folder.write({"reverse_etl/m.sql": MODEL % call})
    (model,) = folder.compile(**given)
    return model


@pytest.mark.parametrize(
    ("call", "relation", "unique_id"),
    [
        ("ref('customers')", '"shop"."main"."customers"', "model.shop.customers"),
        ("ref('shop', 'customers')", '"shop"."main"."customers"', "model.shop.customers"),
        ("ref('loyalty', 'customers')", '"shop"."loyalty"."customers"', "model.loyalty.customers"),
        ("ref('points')", '"shop"."main"."points"', "model.loyalty.points"),
        ("ref('countries')", '"shop"."main"."countries"', "seed.shop.countries"),
        ("ref('customers_history')", '"shop"."main"."customers_history"', "snapshot.shop.customers_history"),
        ("ref('renamed')", '"shop"."marts"."other name"', "model.shop.renamed"),
        ("ref('people')", '"shop"."main"."people_v2"', "model.shop.people.v2"),
        ("ref('people', v=1)", '"shop"."main"."people_v1"', "model.shop.people.v1"),
        ("ref('people', version='1')", '"shop"."main"."people_v1"', "model.shop.people.v1"),
        ("source('erp', 'orders')", '"raw"."erp_eu"."t_orders"', "source.shop.erp.orders"),
    ],
)
def test_ref_and_source_are_resolved_from_the_manifest(
    dbt: Folder, call: str, relation: str, unique_id: str
) -> None:
    """Aliases, custom schemas, packages, versions and sources lead where dbt built them."""
    model = compiled(dbt, call)
    assert model.sql == f"select email from {relation}"
    assert model.reads == (unique_id,)


@pytest.mark.parametrize(
    ("call", "what", "advice"),
    [
        (
            "ref('custmers')",
            "ref('custmers'): dbt's manifest has no model, seed or snapshot with that name.",
            "Did you mean customers? If it is new in dbt, run: dbt build",
        ),
        (
            "ref('loyalti', 'customers')",
            "ref('loyalti', 'customers'): package loyalti in dbt's manifest has no model, seed or snapshot with that name.",
            "Did you mean customers? If it is new in dbt, run: dbt build",
        ),
        (
            "ref('not_null_customers')",
            "ref('not_null_customers'): dbt's manifest has no model, seed or snapshot with that name.",
            "Did you mean customers? If it is new in dbt, run: dbt build",
        ),
        (
            "ref('thin')",
            "ref('thin'): thin is ephemeral in dbt, so the warehouse has no table for it.",
            "Materialize it as a view or a table in dbt, or write its SQL here.",
        ),
        (
            "ref('exported')",
            "ref('exported'): exported is a file in dbt, and models read no files.",
            "Let dbt build a table from it (materialized: table), and select from that with ref().",
        ),
        (
            "source('erp', 'files')",
            "source('erp', 'files'): files is a file in dbt, and models read no files.",
            "Let dbt build a table from it (materialized: table), and select from that with ref().",
        ),
        (
            "ref('old')",
            "ref('old'): old is disabled in dbt.",
            "Enable it in dbt and run: dbt build",
        ),
        (
            "ref('people', v=3)",
            "ref('people'): dbt's manifest has no version 3 of people.",
            "Available: 1, 2.",
        ),
        (
            "ref('customers', v=1)",
            "ref('customers'): dbt's manifest has no version 1 of customers.",
            "It has no versions: write ref('customers').",
        ),
        (
            "ref('twice')",
            "ref('twice'): several packages have a model twice: billing, loyalty.",
            "Name the package: ref('loyalty', 'twice').",
        ),
        (
            "source('erp', 'order')",
            "source('erp', 'order'): dbt's manifest has no such source.",
            "Did you mean erp.orders? If it is new in dbt, run: dbt build",
        ),
        ("ref()", "ref() takes the name of a dbt model.", "For example: {{ ref('customers') }}"),
        ("ref(1)", "ref() takes the name of a dbt model.", "For example: {{ ref('customers') }}"),
        (
            "source('erp')",
            "source() takes the name of a dbt source and the name of a table.",
            "For example: {{ source('shop', 'customers') }}",
        ),
        (
            "tier('gold')",
            "tier belongs to dbt and is not available in a reverse-etl model.",
            "Move that logic into a dbt model and select from it with ref().",
        ),
    ],
)
def test_a_missing_node_is_reported_with_the_nearest_name(
    dbt: Folder, call: str, what: str, advice: str
) -> None:
    """Each reason has its own message, on the line of the call."""
    with pytest.raises(ModelError) as caught:
        compiled(dbt, call)
    (problem,) = caught.value.problems
    assert (problem.summary, problem.where, problem.hint) == (what, "reverse_etl/m.sql:2", advice)


def test_a_table_in_a_database_that_is_no_file_cannot_be_read(dbt: Folder) -> None:
    """The database itself stops nothing: other models don't read it."""
    attached = "path: shop.duckdb, attach: [{path: 'md:far', alias: lake}]"
    profiles = dbt.path / "profiles.yml"
    profiles.write_text(profiles.read_text("utf-8").replace("path: shop.duckdb", attached), "utf-8")
    assert compiled(dbt, "ref('customers')").sql
    with pytest.raises(ModelError, match="dbt has far in lake, which is MotherDuck and cannot be read"):
        compiled(dbt, "ref('far')")


def test_all_failed_calls_are_reported(dbt: Folder) -> None:
    dbt.write(
        {
            "reverse_etl/a.sql": "{{ config(surface='profiles') }}\nselect x from {{ ref('a') }}\njoin {{ ref('b') }}",
            "reverse_etl/b.sql": "{{ config(surface='profiles') }}\nselect x from {{ ref('c').nothing.at.all }}",
        }
    )
    with pytest.raises(ModelError) as caught:
        dbt.compile()
    assert [problem.where for problem in caught.value.problems] == [
        "reverse_etl/a.sql:2",
        "reverse_etl/a.sql:3",
        "reverse_etl/b.sql:2",
    ]


@pytest.mark.parametrize(
    ("target", "call", "sql", "reads"),
    [
        ("trial", "ref('customers')", '"shop"."main"."customers"', "customers"),
        ("trial", "ref('people', v=2)", '"shop"."main"."people_v2"', "people_v2"),
        ("trial", "source('erp', 'or\"ders')", '"shop"."erp"."or""ders"', 'erp.or"ders'),
        ("prod", "ref('customers')", "ANALYTICS.MARTS.customers", "customers"),
        ("prod", "source('erp', 'my orders')", 'ANALYTICS.erp."my orders"', "erp.my orders"),
    ],
)
def test_without_a_manifest_names_are_in_the_targets_schema(
    project: Folder, target: str, call: str, sql: str, reads: str
) -> None:
    """Quoted as dbt quotes: always on DuckDB; on Snowflake, which folds case, only where a name needs it."""
    project.write({"models/m.sql": MODEL % call})
    (model,) = project.compile(target=target)
    assert model.sql == f"select email from {sql}"
    assert model.reads == (reads,)


def test_the_manifest_is_where_dbt_writes_it(project: Folder) -> None:
    """target-path is rendered; DBT_TARGET_PATH beats it."""
    text = "name: shop\nprofile: shop\ntarget-path: \"{{ env_var('OUT', 'out') }}\"\n"
    project.write({"dbt_project.yml": text, "out/manifest.json": manifest()})
    assert compiled(project, "ref('points')").reads == ("model.loyalty.points",)
    with pytest.raises(UsageError) as caught:
        compiled(project, "ref('points')", environ={"OUT": "none"})
    (problem,) = caught.value.problems
    assert problem.summary == "dbt's manifest is missing, so no ref() or source() can be resolved."
    assert problem.where == "none/manifest.json"
    moved = {"OUT": "none", "DBT_TARGET_PATH": "out"}
    assert compiled(project, "ref('points')", environ=moved).reads == ("model.loyalty.points",)


@pytest.mark.parametrize("number", [9, 12, 13])
def test_manifests_of_neighbouring_versions_are_read(project: Folder, number: int) -> None:
    """The parts of the manifest that are read have not changed in these versions."""
    metadata = {"dbt_schema_version": f"https://schemas.getdbt.com/dbt/manifest/v{number}.json"}
    project.write({**PROJECT, "target/manifest.json": manifest(metadata=metadata)})
    assert compiled(project, "ref('points')").reads == ("model.loyalty.points",)


@pytest.mark.parametrize(
    ("text", "what", "advice"),
    [
        ("{}", "dbt's manifest has no nodes.", "Run: dbt parse"),
        (
            manifest(metadata={"dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v4.json"}),
            "dbt's manifest has version 4; versions 9 to 13 can be read.",
            "Use dbt 1.5 or later.",
        ),
        (
            manifest(metadata={"adapter_type": "snowflake"}),
            "dbt's manifest was written for snowflake, but target trial is duckdb.",
            "Run: dbt build --target trial",
        ),
        (
            manifest(metadata={"project_name": "shop"}, nodes={"a": node("a", database="dev")}),
            "dbt's manifest was written for another target: it uses database dev, but target trial reads shop.",
            "Run: dbt build --target trial",
        ),
    ],
)
def test_a_manifest_that_cannot_be_trusted_is_refused(
    project: Folder, text: str, what: str, advice: str
) -> None:
    """Above all one that another target left: its names lead to another warehouse's tables."""
    project.write({**PROJECT, "target/manifest.json": text})
    with pytest.raises(ModelError) as caught:
        compiled(project, "ref('customers')")
    (problem,) = caught.value.problems
    assert (problem.summary, problem.where, problem.hint) == (what, "target/manifest.json", advice)


def test_a_truncated_manifest_is_a_retryable_error(project: Folder) -> None:
    """As it is while dbt writes it, so the exit code is 4: trying again helps."""
    project.write({**PROJECT, "target/manifest.json": manifest()[:1000]})
    with pytest.raises(IncompleteFile, match="dbt's manifest is not complete") as caught:
        compiled(project, "ref('customers')")
    assert caught.value.exit_code == 4


def test_the_newest_manifest_of_several_folders_is_used(project: Folder) -> None:
    """By the time at which dbt generated it; a folder without one adds its results alone."""
    for folder, hour, name in (("early", 6, "old"), ("late", 7, "new")):
        metadata = {"project_name": "shop", "generated_at": f"2026-11-22T0{hour}:00:00Z"}
        nodes = {"model.shop.m": node("m", relation_name=f'"shop"."main"."{name}"')}
        project.write({f"{folder}/manifest.json": manifest(metadata=metadata, nodes=nodes)})
    project.write({**PROJECT, "results/run_results.json": "{}"})
    folders = [Path("late"), Path("early"), Path("results")]
    for given in (folders, folders[::-1]):
        assert compiled(project, "ref('m')", dbt_artifacts=given).sql.endswith('"new"')
    assert compiled(project, "ref('m')", dbt_artifacts=folders[1:]).sql.endswith('"old"')


@pytest.mark.parametrize(("name", "what"), [("nowhere", "no such folder"), ("empty", "has no manifest.json")])
def test_a_folder_without_artifacts_is_refused(dbt: Folder, name: str, what: str) -> None:
    (dbt.path / "empty").mkdir()
    with pytest.raises(UsageError) as caught:
        compiled(dbt, "ref('customers')", dbt_artifacts=[Path("target"), Path(name)])
    (problem,) = caught.value.problems
    assert what in problem.summary
    assert problem.where == f"--dbt-artifacts {name}"


def test_dbts_variables_are_the_models_and_the_command_line_wins(project: Folder) -> None:
    """The project's own scope beats the one for all packages, and --vars beats both."""
    project.write(
        {
            "target/manifest.json": manifest(),
            "dbt_project.yml": "name: shop\nprofile: shop\nvars:\n  a: 1\n  b: 1\n  c: 1\n  shop:\n    b: 2\n    c: 2\n",
            "reverse_etl/m.sql": "{{ config(surface='profiles') }}\n"
            "select email, {{ var('a') }} as a, {{ var('b') }} as b, {{ var('c') }} as c, {{ var('d', 4) }} as d",
        }
    )
    (model,) = project.compile(vars={"c": 3})
    assert model.sql == "select email, 1 as a, 2 as b, 3 as c, 4 as d"


def test_a_broken_dbt_project_is_an_error(project: Folder) -> None:
    project.write({"dbt_project.yml": "- a\n"})
    with pytest.raises(UsageError, match=r"dbt_project\.yml is not a mapping"):
        project.load()
