"""In a dbt project: documents, logs and files name dbt's nodes, also when the gate stops a run."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from tests.contract.normalizer import Normalizer
from tests.contract.recorder import Klaviyo
from tests.contract.shop import write_model
from tests.contract.story import LOG, one_thread, run_command

if TYPE_CHECKING:
    from tests.gold import Gold

GOLD = Path(__file__).parent / "gold" / "dbt"
PROFILES = """
shop:
  target: trial
  outputs: {trial: {type: duckdb, path: shop.duckdb}}
  destinations: {trial: {type: klaviyo, origin: "%s", create_lists: true}}
"""
DBT_PROJECT = "name: corner\nprofile: shop\nversion: '1.0'\n"
BUILT_AT = f"{datetime.now(UTC) - timedelta(minutes=5):%Y-%m-%dT%H:%M:%S.%fZ}"  # recent enough for the gate


def node(kind: str, name: str, *parents: str, **more: Any) -> dict[str, Any]:
    """Return a node of dbt's manifest."""
    return {
        "unique_id": f"{kind}.corner.{name}",
        "resource_type": kind,
        "name": name,
        "package_name": "corner",
        "path": f"{name}.sql",
        "original_file_path": f"models/{name}.sql",
        "database": "shop",
        "schema": "main",
        "alias": name,
        "relation_name": f'"shop"."main"."{name}"',
        "depends_on": {"nodes": list(parents)},
        "config": {"materialized": "table", "meta": {}},
        "columns": {},
        **more,
    }


SEND_REGULARS = {
    "materialized": "table",
    "meta": {"reverse_etl": {"surface": "list_memberships", "list": "Regulars", "tags": ["daily"]}},
}
NODES = [
    node("model", "customers", "source.corner.erp.orders"),
    node(
        "model",
        "regulars",
        "model.corner.customers",
        config=SEND_REGULARS,
        columns={"email": {"name": "email"}, "visits": {"name": "visits"}},
        description="They come every week.",
        patch_path="corner://models/schema.yml",
    ),
    node("test", "unique_regulars", "model.corner.regulars", attached_node="model.corner.regulars"),
]
MANIFEST = {
    "metadata": {
        "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
        "project_name": "corner",
    },
    "nodes": {each["unique_id"]: each for each in NODES},
    "sources": {
        "source.corner.erp.orders": {
            "unique_id": "source.corner.erp.orders",
            "resource_type": "source",
            "source_name": "erp",
            "name": "orders",
            "relation_name": '"shop"."main"."orders"',
        }
    },
}


def results(**statuses: str) -> dict[str, Any]:
    """Return dbt's run results: a status by a node's name."""
    ids = {each["name"]: each["unique_id"] for each in NODES}
    timing = [{"name": "execute", "started_at": BUILT_AT, "completed_at": BUILT_AT}]
    return {
        "metadata": {
            "dbt_schema_version": "https://schemas.getdbt.com/dbt/run-results/v6.json",
            "generated_at": BUILT_AT,
        },
        "args": {"which": "build"},
        "results": [
            {"unique_id": ids[name], "status": status, "message": f"It is {status}.", "timing": timing}
            for name, status in statuses.items()
        ],
    }


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return what commands print and write in a dbt project."""
    with Klaviyo() as klaviyo:
        return run_commands(tmp_path_factory.mktemp("dbt_documents") / "corner", klaviyo.origin)


def run_commands(folder: Path, origin: str) -> dict[str, str]:
    """Set up a dbt project in a folder, run commands, and return their output and files by name."""
    (folder / "target").mkdir(parents=True)
    (folder / "profiles.yml").write_text(PROFILES % origin)
    (folder / "dbt_project.yml").write_text(DBT_PROJECT)
    write_model(folder, "everybody", "select email, visits from {{ ref('customers') }}", surface="profiles")
    (folder / "models").rename(folder / "reverse_etl")
    (folder / "models").mkdir()
    with duckdb.connect(folder / "shop.duckdb") as warehouse:
        for table in ("customers", "regulars"):
            warehouse.execute(f"CREATE TABLE {table} AS SELECT 'ann@example.com' AS email, 3 AS visits")

    def built(**statuses: str) -> None:
        (folder / "target" / "manifest.json").write_text(json.dumps(MANIFEST))
        (folder / "target" / "run_results.json").write_text(json.dumps(results(**statuses)))

    normalizer = Normalizer({str(folder): "<folder>", origin: "<klaviyo>"})
    found: dict[str, str] = {}

    def run(name: str, *command: str, code: int = 0) -> None:
        out, err, ended = run_command(folder, *command, *LOG, *one_thread(command))
        assert ended == code, f"{name}: {ended}\n{out}\n{err}"
        found[f"{name}.log"] = normalizer.lines(err)
        if out.startswith(("{", "[")):
            found[f"{name}.json"] = normalizer.document(out)

    def left(name: str, file: str) -> None:
        text = (folder / file).read_text(encoding="utf-8")
        found[f"{name}-{Path(file).name}"] = normalizer.document(text) if file.endswith(".json") else text

    built(customers="success", regulars="success", unique_regulars="fail")
    run("ls", "ls", "--json")
    run("compile", "compile", "--json")
    run("debug-gated", "debug", "--json", code=3)
    run("run-gated", "run", "--json", code=3)
    left("run-gated", "target/reverse_etl/run_results.json")
    run("run", "run", "--json", "--no-dbt-gate")
    for file in ("manifest.json", "run_results.json"):
        left("run", f"target/reverse_etl/{file}")
    run("exposures", "exposures", "--owner-email", "crm@example.com")
    left("exposures", "models/reverse_etl_exposures.yml")
    return {name: text for name, text in found.items() if text}


def test_documents_logs_and_files_are_the_same(texts: dict[str, str], gold: Gold) -> None:
    """For a model file, and for a dbt model with `meta.reverse_etl`."""
    for name, text in texts.items():
        gold.check(GOLD / name, text)
    assert {path.name for path in GOLD.iterdir()} == texts.keys()
