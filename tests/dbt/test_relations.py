"""In a project of the real dbt, dbt ignores our models, and our models read the relations that it built."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import duckdb
import pytest

from reverse_etl.errors import ModelError, UsageError
from reverse_etl.models.compile import compile_models
from reverse_etl.models.relations import load_relations
from reverse_etl.parsing.jinja import ContextError
from tests.dbt.real_dbt import compiled, dbt, edit, rows, trial


def test_dbt_builds_the_project_though_our_models_and_destinations_are_in_it(built: Path) -> None:
    """Every node passes; dbt neither parses reverse_etl/ nor minds `destinations` in profiles.yml."""
    results = json.loads((built / "target" / "run_results.json").read_text())["results"]
    assert {result["status"] for result in results} == {"success", "pass"}
    manifest = json.loads((built / "target" / "manifest.json").read_text())
    nodes = [node for node in manifest["nodes"].values() if node["resource_type"] != "operation"]
    assert {Path(node["original_file_path"]).parts[0] for node in nodes} == {"models", "seeds", "tests"}


RELATIONS = {
    "a seed": (("raw_people", None, None), '"corner_shop"."main"."raw_people"'),
    "an alias in a schema of its own": (("visits", None, None), '"corner_shop"."shop_marts"."visit_totals"'),
    "the latest version": (("people", None, None), '"corner_shop"."main"."people_v2"'),
    "an older version": (("people", None, "1"), '"corner_shop"."main"."people_v1"'),
    "a version of the named project": (("people", "corner_shop", "2"), '"corner_shop"."main"."people_v2"'),
    "a package's model of the same name": (("people", "loyalty", None), '"corner_shop"."main"."people"'),
    "a package's model": (("points", None, None), '"corner_shop"."main"."points"'),
}


@pytest.mark.parametrize(("call", "relation"), RELATIONS.values(), ids=RELATIONS)
def test_ref_is_the_relation_that_dbt_built(
    built: Path, call: tuple[str, str | None, str | None], relation: str
) -> None:
    """The name comes from dbt's manifest: aliases, schemas and versions are dbt's."""
    resolved = str(load_relations(trial(built), built / "target" / "manifest.json").ref(*call))
    assert resolved == relation
    with duckdb.connect(built / "corner_shop.duckdb", read_only=True) as connection:
        assert connection.execute(f"select count(*) > 0 from {resolved}").fetchall() == [(True,)]


def test_source_is_the_table_that_the_source_names(built: Path) -> None:
    """The source's schema and identifier are used, not its name."""
    relations = load_relations(trial(built), built / "target" / "manifest.json")
    assert str(relations.source("till", "payments")) == '"corner_shop"."till_data"."receipts"'


REFUSED = {
    "an ephemeral model": (("stg_people", None, None), "stg_people is ephemeral in dbt"),
    "a disabled model": (("closed_shop", None, None), "closed_shop is disabled in dbt"),
    "a version that is not there": (("people", None, "3"), "no version 3 of people"),
    "a name that is not there": (("peopel", None, None), "no model, seed or snapshot with that name"),
    "another package's name": (("people", "other_shop", None), "package other_shop"),
}


@pytest.mark.parametrize(("call", "message"), REFUSED.values(), ids=REFUSED)
def test_a_relation_that_dbt_did_not_build_cannot_be_read(
    built: Path, call: tuple[str, str | None, str | None], message: str
) -> None:
    with pytest.raises(ContextError) as caught:
        load_relations(trial(built), built / "target" / "manifest.json").ref(*call)
    assert message in caught.value.summary


def test_models_run_on_relations_that_dbt_built(built: Path) -> None:
    """Compiled SQL runs as it is on dbt's file, and knows which of dbt's nodes it reads."""
    models = compiled(built)
    assert list(models) == ["neighbours", "regulars", "spenders"]
    regulars = rows(built, models["regulars"])
    assert [(row[1], row[3]) for row in regulars] == [("ann@example.com", 3), ("zoe@example.net", 4)]
    assert len(rows(built, models["neighbours"])) == 5
    assert set(models["regulars"].reads) == {"model.corner_shop.people.v2", "model.corner_shop.visits"}
    assert set(models["neighbours"].reads) == {
        "model.corner_shop.people.v2",
        "source.corner_shop.till.payments",
    }


def test_a_variable_of_the_command_line_beats_the_projects(built: Path) -> None:
    assert len(rows(built, compiled(built, regular_from=4)["regulars"])) == 1


def test_a_dbt_project_without_a_manifest_is_refused(built: Path, tmp_path: Path) -> None:
    """Other tables with the same names would be read, and members removed because of them."""
    folder = tmp_path / "corner_shop"
    shutil.copytree(built, folder, ignore=shutil.ignore_patterns("target"))
    with pytest.raises(UsageError) as caught:
        compiled(folder)
    (problem,) = caught.value.problems
    assert (problem.summary.split(",")[0], problem.where) == (
        "dbt's manifest is missing",
        str(folder / "target/manifest.json"),
    )


def test_a_manifest_of_another_database_is_refused(shop: Path) -> None:
    """A manifest that dbt wrote for another target would send us to the wrong tables."""
    edit(shop / "profiles.yml", "path: corner_shop.duckdb", "path: other_shop.duckdb")
    with pytest.raises(ModelError, match="written for another target"):
        compiled(shop)


CALLS = """\
select
    '{{ ref('people') }}' as a, '{{ ref('people', v=1) }}' as b, '{{ ref('people', version=2) }}' as c,
    '{{ ref('loyalty', 'people') }}' as d, '{{ ref('points') }}' as e, '{{ ref('visits') }}' as f,
    '{{ ref('corner_shop', 'people', v=1) }}' as g, '{{ source('till', 'payments') }}' as h,
    '{{ source('loyalty', 'cards') }}' as i, '{{ ref('raw_people').identifier }}' as j,
    '{{ var('everywhere') }}' as k, '{{ var('here') }}' as l, '{{ var('said') }}' as m,
    '{{ var('nowhere', 'default') }}' as n, '{{ var('many')[1] }}' as o,
    '{{ target.name }} {{ target.schema }} {{ target.type }} {{ target.database }} {{ target.threads }}' as p
"""
VARIABLES = """\
  everywhere: 1
  here: 1
  said: 1
  many: [1, 2]
  corner_shop: {here: 2, said: 2}
  loyalty: {here: 4, everywhere: 4}
"""


def test_a_model_renders_as_in_dbt(shop: Path) -> None:
    """`ref` with package and version, `source`, `var` by dbt's precedence, `target`: rendered alike."""
    edit(shop / "dbt_project.yml", "  regular_from: 3\n", f"  regular_from: 3\n{VARIABLES}")
    shutil.rmtree(shop / "reverse_etl")
    (shop / "reverse_etl").mkdir()
    config = "{{ config(surface='profiles', identifiers={'email': 'a'}) }}\n"
    (shop / "reverse_etl" / "calls.sql").write_text(config + CALLS)
    said = dbt(shop, "--quiet", "compile", "--inline", CALLS, "--vars", "{said: 3}")
    model, _ = compile_models(shop, trial(shop), vars={"said": 3}, environ={})
    assert re.sub(r"\s+", " ", model.sql) == re.sub(r"\s+", " ", said).strip()
    assert "'1' as k, '2' as l, '3' as m" in model.sql


def test_a_manifest_of_any_later_dbt_command_can_be_read(built: Path) -> None:
    """`dbt parse` and `dbt ls` write the manifest again: relation names stay."""
    before = {name: model.sql for name, model in compiled(built).items()}
    listed = dbt(built, "ls", "--resource-type", "model")
    assert "corner_shop.marts.visits" in listed
    assert "regulars" not in listed
    assert {name: model.sql for name, model in compiled(built).items()} == before
