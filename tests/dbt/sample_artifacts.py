"""Artifacts in dbt's format for a minimal shop, and models that read it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from reverse_etl.dbt.evidence import merge_results
from reverse_etl.dbt.findings import GatedModel, GateInput, TargetSchema
from reverse_etl.dbt.folders import read_artifacts
from reverse_etl.dbt.gate import check_gate
from reverse_etl.dbt.graph import read_graph

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reverse_etl.dbt.gate import GateVerdict
    from reverse_etl.errors import Problem

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
# raw -> stg (ephemeral) -> customers -> vips; vips, raw -> latest (view); erp.orders -> orders
PARENTS = {
    "seed.shop.raw": [],
    "model.shop.stg": ["seed.shop.raw"],
    "model.shop.customers": ["model.shop.stg"],
    "model.shop.vips": ["model.shop.customers"],
    "model.shop.orders": ["source.shop.erp.orders"],
    "model.shop.latest": ["model.shop.vips", "seed.shop.raw"],
    "test.shop.unique_vips": ["model.shop.vips"],
    "test.shop.unique_customers": ["model.shop.customers"],
    "test.shop.unique_raw": ["seed.shop.raw"],
    "test.shop.orders_have_customers": ["model.shop.orders", "model.shop.customers"],
    "test.shop.sums_agree": ["model.shop.orders", "model.shop.vips"],
}
MATERIALIZED = {"model.shop.stg": "ephemeral", "model.shop.latest": "view"}
ATTACHED = {
    "test.shop.orders_have_customers": "model.shop.orders",
    "test.shop.unique_vips": "model.shop.vips",
}


def manifest(**changed: Any) -> dict[str, Any]:
    """Return a manifest, with top-level keys changed."""
    nodes = {
        name: {
            "unique_id": name,
            "resource_type": name.split(".")[0],
            "name": name.split(".")[-1],
            "package_name": "shop",
            "depends_on": {"nodes": parents},
            "config": {"materialized": MATERIALIZED.get(name, "table")},
            "database": "shop",
            "schema": "marts",
            "relation_name": f'"shop"."marts"."{name.split(".")[-1]}"' if name.startswith("model.") else None,
            "attached_node": ATTACHED.get(name),
        }
        for name, parents in PARENTS.items()
    }
    source = {"unique_id": "source.shop.erp.orders", "resource_type": "source", "source_name": "erp"}
    return {
        "metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json"},
        "nodes": nodes,
        "sources": {"source.shop.erp.orders": source | {"name": "orders"}},
    } | changed


def results(
    statuses: dict[str, str], *, which: str | None = "build", at: str = "2026-11-22T07:00:00Z", **args: Any
) -> dict[str, Any]:
    """Return run results: a status by the last part of a node's id."""
    ids = {name.split(".")[-1]: name for name in PARENTS}
    return {
        "metadata": {
            "dbt_schema_version": "https://schemas.getdbt.com/dbt/run-results/v6.json",
            "generated_at": at,
        },
        "args": {"which": which} | args if which else args,
        "results": [
            {
                "unique_id": ids[name],
                "status": status,
                "message": f"It came to {status}.\nann@example.com",
                "timing": [{"name": "execute", "started_at": at, "completed_at": at}],
            }
            for name, status in statuses.items()
        ],
    }


def freshness(status: str, loaded: str) -> dict[str, Any]:
    """Return what `dbt source freshness` found of the one source."""
    result = {"unique_id": "source.shop.erp.orders", "status": status, "max_loaded_at": loaded}
    return {"metadata": {}, "results": [result]}


def model(*reads: str, max_age: int | None = None) -> GatedModel:
    """Return a model that reads these nodes."""
    return GatedModel("members", reads, max_age)


def held(folder: Path, asked: GatedModel, **artifacts: Any) -> tuple[Problem, ...]:
    """Write the artifacts, and return why the model is held back."""
    return verdict(folder, [asked], **artifacts).refusals


def verdict(
    folder: Path, asked: Sequence[GatedModel], *, strict: bool = False, given: Any = None, **artifacts: Any
) -> GateVerdict:
    """Write the artifacts, and return the gate's verdict. `given` are other fields of the gate's input."""
    for name, content in ({"manifest": manifest()} | artifacts).items():
        (folder / f"{name}.json").write_bytes(orjson.dumps(content))
    graph, dbt_artifacts = read_graph(folder / "manifest.json"), read_artifacts([folder])
    results = [each for invocation in dbt_artifacts.invocations for each in invocation.results]
    gate_input = GateInput(
        evidence=merge_results(graph, [*results, *dbt_artifacts.freshness]),
        target_schema=TargetSchema("prod", "shop", "marts"),
        now=NOW,
        invocations=dbt_artifacts.invocations,
    )
    return check_gate(asked, replace(gate_input, **(given or {})), strict=strict)
