"""Every surface in dbt: `meta.reverse_etl` takes its keys, and an exposure names it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.cli.commands.exposures import describe_target
from reverse_etl.dbt.meta import find_meta_nodes
from reverse_etl.domain.engine import Engine
from reverse_etl.models.from_dbt import compile_meta_node
from reverse_etl.models.model import Model
from reverse_etl.surfaces.catalog import surface_names

if TYPE_CHECKING:
    from pathlib import Path

REQUEST = {"method": "POST", "path": "/api/tags", "body": '{"name": {{ name }}}'}
SETTINGS: dict[str, tuple[dict[str, Any], list[str], str]] = {
    "profiles": (
        {"on_null": {"tier": "unset"}, "create": "never", "arrays": {"tags": "append"}},
        ["email", "tier", "tags"],
        "Klaviyo profiles",
    ),
    "list_memberships": ({"list": "VIP", "on_null": "clear"}, ["email", "tier"], "Klaviyo list VIP"),
    "list_memberships_by_profile_id": ({"list": "VIP"}, ["klaviyo_profile_id"], "Klaviyo list VIP"),
    "subscriptions": (
        {"list": "News", "channel": "email", "on_remove": "unsubscribe"},
        ["email", "consented_at"],
        "Klaviyo subscriptions of list News",
    ),
    "suppressions": ({"on_remove": "unsuppress"}, ["email"], "Klaviyo suppressions"),
    "events": (
        {"metric": "Placed Order", "backfill": "before_live", "horizon": "10d"},
        ["unique_id", "email", "time"],
        "Klaviyo events",
    ),
    "profile_deletions": ({}, ["email"], "Klaviyo profile deletions"),
    "request": (
        {
            "unique_key": "name",
            "request": REQUEST,
            "responses": ["data.id"],
            "max_requests": 5,
            "append": True,
        },
        ["name"],
        "Klaviyo request",
    ),
}


def test_each_surface_has_a_case() -> None:
    assert {*SETTINGS} == {*surface_names()}


@pytest.mark.parametrize("surface", SETTINGS)
def test_a_dbt_model_can_have_every_surface_with_its_keys(tmp_path: Path, surface: str) -> None:
    """And its exposure says what it controls."""
    settings, columns, label = SETTINGS[surface]
    node = {
        "name": "sent",
        "unique_id": "model.shop.sent",
        "package_name": "shop",
        "resource_type": "model",
        "relation_name": "shop.main.sent",
        "original_file_path": "models/sent.sql",
        "config": {"meta": {"reverse_etl": {"surface": surface, **settings}}},
        "columns": {name: {"name": name} for name in columns},
    }
    (meta_node,) = find_meta_nodes([node], "shop")
    model = compile_meta_node(meta_node, Engine.DUCKDB, tmp_path)
    assert isinstance(model, Model), getattr(model, "problems", "")
    assert model.config.surface.name == surface
    assert describe_target(model) == label
