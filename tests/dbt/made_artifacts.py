"""Artifacts as dbt writes them, of a shop that has as little as a case needs, and models that read it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from reverse_etl.dbt.gate import GatedModel, check_gate, read_gate_evidence

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reverse_etl.errors import Problem

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
# raw -> stg (ephemeral) -> customers -> vips; erp.orders -> orders
PARENTS = {
    "seed.shop.raw": [],
    "model.shop.stg": ["seed.shop.raw"],
    "model.shop.customers": ["model.shop.stg"],
    "model.shop.vips": ["model.shop.customers"],
    "model.shop.orders": ["source.shop.erp.orders"],
    "test.shop.unique_vips": ["model.shop.vips"],
    "test.shop.unique_customers": ["model.shop.customers"],
    "test.shop.unique_raw": ["seed.shop.raw"],
    "test.shop.orders_have_customers": ["model.shop.orders", "model.shop.customers"],
    "test.shop.sums_agree": ["model.shop.orders", "model.shop.vips"],
}
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
            "config": {"materialized": "ephemeral" if name == "model.shop.stg" else "table"},
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
    found = {"unique_id": "source.shop.erp.orders", "status": status, "max_loaded_at": loaded}
    return {"metadata": {}, "results": [found]}


def model(*reads: str, max_age: int | None = None) -> GatedModel:
    """Return a model that reads these nodes."""
    return GatedModel("members", reads, max_age)


def held(folder: Path, asked: GatedModel, **artifacts: Any) -> tuple[Problem, ...]:
    """Write the artifacts, and return why the model is held back."""
    return held_of(folder, [asked], **artifacts)


def held_of(folder: Path, asked: Sequence[GatedModel], **artifacts: Any) -> tuple[Problem, ...]:
    """Write the artifacts, and return why models are held back."""
    for name, content in ({"manifest": manifest()} | artifacts).items():
        (folder / f"{name}.json").write_bytes(orjson.dumps(content))
    return check_gate(asked, read_gate_evidence(folder / "manifest.json"), target="prod", now=NOW)
