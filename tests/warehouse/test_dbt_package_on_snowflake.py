"""The dbt package with the real dbt-snowflake: results are recorded in one block, which catches errors."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import yaml

from reverse_etl.dbt.gate import GateVerdict
from reverse_etl.errors import UsageError
from reverse_etl.project import Project
from tests.dbt.real_dbt import add_package, dbt

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from tests.warehouse.snowflake_accounts import Place

PEOPLE = "select 1 as id, 'ann@example.com' as email"
MODELS = """\
models:
  - name: people
    columns:
      - name: id
        data_tests: [unique]
"""


@pytest.fixture
def shop(tmp_path: Path, place: Place) -> Path:
    """Return the folder of a dbt project of two tables, with our dbt package."""
    project = {"name": "shop", "version": "1.0", "profile": "shop", "models": {"+materialized": "table"}}
    profile = {"target": "prod", "outputs": {"prod": {**place.dbt, "threads": 1}}}
    (tmp_path / "dbt_project.yml").write_text(yaml.safe_dump(project))
    (tmp_path / "profiles.yml").write_text(yaml.safe_dump({"shop": profile}))
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "people.sql").write_text(PEOPLE)
    (tmp_path / "models" / "visits.sql").write_text("select * from {{ ref('people') }}")
    (tmp_path / "models" / "models.yml").write_text(MODELS)
    add_package(tmp_path)
    dbt(tmp_path, "deps")
    return tmp_path


def verdict(shop: Path, place: Place) -> GateVerdict:
    """Return what the gate says of a model that reads `people`."""
    (shop / "reverse_etl").mkdir(exist_ok=True)
    (shop / "reverse_etl" / "everyone.sql").write_text(
        "{{ config(surface='profiles', identifiers={'email': 'email'}) }}\n"
        "select email from {{ ref('people') }}"
    )
    profile: dict[str, Any] = {"target": "live", "outputs": {"live": dict(place.output)}}
    destination = {"type": "klaviyo", "sandbox": True, "state_schema": place.state_schema}
    profile["destinations"] = {"live": destination}
    (shop / "ours").mkdir(exist_ok=True)
    (shop / "ours" / "profiles.yml").write_text(yaml.safe_dump({"shop": profile}))
    project = Project.load(shop, profiles_dir=shop / "ours", environ={})
    return project.check_gate(project.models)


def recorded_rows(place: Place) -> list[tuple[Any, ...]]:
    """Return (node, relation, status, failures, command, without rows) of all results."""
    columns = "unique_id, upper(relation_name), status, failures, command, without_rows"
    query = f"SELECT {columns} FROM reverse_etl_dbt_results WHERE resource_type <> 'invocation'"
    return sorted(place.ask(query))


def test_results_are_recorded_beside_the_tables_and_the_gate_reads_them(shop: Path, place: Place) -> None:
    """A first build creates the table, and a second one, which fails, is recorded too.

    A failed test is not forgotten by a later build, whatever dbt calls the target.
    """
    dbt(shop, "build")
    schema = f"{place.dbt['database']}.{place.dbt['schema']}".upper()
    assert recorded_rows(place) == [
        ("model.shop.people", f"{schema}.PEOPLE", "success", None, "build", False),
        ("model.shop.visits", f"{schema}.VISITS", "success", None, "build", False),
        ("test.shop.unique_people_id.ab01dd072f", f"{schema}.PEOPLE", "pass", 0, "build", False),
    ]
    assert verdict(shop, place) == GateVerdict()
    (shop / "models" / "people.sql").write_text(f"{PEOPLE} union all {PEOPLE}")
    dbt(shop, "build", "--select", "people", fails=True)
    statuses = sorted(row[2] for row in recorded_rows(place))
    assert statuses == ["fail", "pass", "success", "success", "success"]
    invocation = json.loads((shop / "target" / "run_results.json").read_text())["metadata"]["invocation_id"]
    query = (
        "SELECT command, target_name FROM reverse_etl_dbt_results WHERE invocation_id = ? AND unique_id = ''"
    )
    assert place.ask(query, (invocation,)) == [("build", "prod")]
    dbt(shop, "run", "--select", "people")
    (problem,) = verdict(shop, place).refusals
    assert problem.summary.startswith("The test unique_people_id of model.shop.people failed in `dbt build`")
    place.sql("DROP TABLE reverse_etl_dbt_results")
    with pytest.raises(UsageError, match="the table in which it records results is missing"):
        verdict(shop, place)


def test_names_with_quotes_dollars_and_backslashes_stay_inside_the_block(shop: Path, place: Place) -> None:
    """A target may be called whatever YAML takes."""
    text = (shop / "profiles.yml").read_text()
    name = r"it's $$ a \ name"
    profile = yaml.safe_load(text)
    profile["shop"] |= {"target": name, "outputs": {name: profile["shop"]["outputs"]["prod"]}}
    (shop / "profiles.yml").write_text(yaml.safe_dump(profile))
    dbt(shop, "run", "--select", "people")
    query = "SELECT DISTINCT target_name FROM reverse_etl_dbt_results"
    assert place.ask(query) == [(name,)]


def test_a_table_that_cannot_be_written_is_a_warning_and_fails_no_build(shop: Path, place: Place) -> None:
    """The block returns Snowflake's error."""
    place.sql("CREATE TABLE reverse_etl_dbt_results (unique_id VARCHAR)")
    printed = dbt(shop, "build")
    assert "[WARNING]: reverse_etl could not record the results of this command" in printed
    assert "ERROR=0" in printed
    assert place.ask("SELECT COUNT(*) FROM reverse_etl_dbt_results") == [(0,)]


def test_old_results_are_deleted_except_the_newest_of_each_node(shop: Path, place: Place) -> None:
    """The DELETE is a statement of its own: if it fails, the results are recorded already."""
    dbt(shop, "run")
    gone = "SELECT 'model.shop.gone', 'error', TO_TIMESTAMP_NTZ('2020-01-01 00:00:00')"
    place.sql(
        "UPDATE reverse_etl_dbt_results SET recorded_at = DATEADD('day', -200, recorded_at)",
        f"INSERT INTO reverse_etl_dbt_results (unique_id, status, recorded_at) {gone}",
    )
    dbt(shop, "run")
    assert [row[0] for row in recorded_rows(place)] == ["model.shop.people", "model.shop.visits"]
    query = "SELECT COUNT(*) FROM reverse_etl_dbt_results WHERE unique_id = 'model.shop.gone'"
    assert place.ask(query) == [(1,)]
