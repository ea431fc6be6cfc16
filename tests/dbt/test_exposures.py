"""Exposures: the lists in the lineage of the real dbt."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import yaml

from reverse_etl.dbt.exposures import ExposedModel, find_changed_exposures, render_exposures
from reverse_etl.dbt.graph import Graph, Node
from reverse_etl.errors import UsageError
from tests.dbt.real_dbt import dbt, edit, reverse_etl

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Any

GRAPH = Graph(
    {
        node.unique_id: node
        for node in (
            Node("model.shop.people.v2", "model", "people", "shop", version="2"),
            Node("model.shop.people.vx", "model", "people", "shop", version="x"),
            Node("model.loyalty.points", "model", "points", "loyalty"),
            Node("source.shop.erp.orders", "source", "orders", "shop", source_name="erp"),
        )
    }
)


def write(*models: ExposedModel, before: Mapping[str, Sequence[Any]] | None = None) -> dict[str, list[Any]]:
    """Return the exposures of these models as the file's content."""
    return dict(yaml.safe_load(render_exposures(models, GRAPH, "shop", {"name": "Ann"}, before)))


def test_dbts_lineage_shows_the_lists(shop: Path) -> None:
    """The real dbt parses the file, and finds what feeds a list; --check sees what is out of date."""
    missing = reverse_etl(shop, "exposures", "--check")
    assert missing.code == 1
    assert "klaviyo_neighbours, klaviyo_regulars, klaviyo_spenders" in missing.err
    written = reverse_etl(shop, "exposures", "--owner-name", "Ann", "--owner-email", "crm@example.com")
    assert written.code == 0, written.err
    assert "name: Ann" in (shop / "models/reverse_etl_exposures.yml").read_text()
    assert "wrote models/reverse_etl_exposures.yml" in written.out

    edit(
        shop / "models/reverse_etl_exposures.yml",
        "- name: klaviyo_spenders\n",
        "- name: klaviyo_spenders\n  maturity: high\n",
    )
    dbt(shop, "parse", "--warn-error")
    keys = ("--output", "json", "--output-keys", "unique_id")
    listed = dbt(shop, "--quiet", "ls", "--select", "+exposure:klaviyo_neighbours", *keys)
    unique_ids = {json.loads(line)["unique_id"] for line in listed.splitlines()}
    assert {"model.corner_shop.people.v2", "source.corner_shop.till.payments"} < unique_ids
    assert not {"model.corner_shop.people.v1", "model.corner_shop.visits"} & unique_ids
    assert reverse_etl(shop, "exposures", "--check").code == 0
    assert reverse_etl(shop, "exposures").code == 0
    assert "maturity: high" in (shop / "models/reverse_etl_exposures.yml").read_text()

    edit(shop / "reverse_etl" / "regulars.sql", "list='regulars'", "list='Stamgäste'")
    stale = reverse_etl(shop, "exposures", "--check")
    assert stale.code == 1
    assert "is not up to date: klaviyo_regulars." in stale.err


def test_reads_are_named_as_in_dbt() -> None:
    reads = ("model.shop.people.v2", "model.shop.people.vx", "model.loyalty.points", "source.shop.erp.orders")
    (entry,) = write(ExposedModel("vip", "Klaviyo list VIP", "Payers.", reads))["exposures"]
    assert entry == {
        "name": "klaviyo_vip",
        "label": "Klaviyo list VIP",
        "type": "application",
        "description": "Payers.",
        "depends_on": [
            "ref('people', v=2)",
            "ref('people', v='x')",
            "ref('loyalty', 'points')",
            "source('erp', 'orders')",
        ],
        "owner": {"name": "Ann"},
    }
    with pytest.raises(UsageError, match=r"has no model\.shop\.gone"):
        write(ExposedModel("vip", "", "", ("model.shop.gone",)))


def test_added_keys_stay_and_removed_models_disappear() -> None:
    before = write(ExposedModel("vip", "old", "old", ()), ExposedModel("gone", "", "", ()))
    before["exposures"][0] |= {"owner": {"email": "ann@example.com"}, "config": {"tags": ["crm"]}}
    after = write(ExposedModel("vip", "new", "new", ()), before=before)
    (entry,) = after["exposures"]
    assert entry["owner"] == {"email": "ann@example.com"}
    assert entry["config"] == {"tags": ["crm"]}
    assert entry["label"] == "new"
    assert write(ExposedModel("vip", "new", "new", ()), before=after) == after
    assert find_changed_exposures(before, after) == ("klaviyo_gone", "klaviyo_vip")
    assert find_changed_exposures(after, after) == ()


def test_names_are_dbts_and_each_is_there_once() -> None:
    models = [ExposedModel(name, "", "", ()) for name in ("a-b", "a b", "a_b", "é")]
    names = [each["name"] for each in write(*models)["exposures"]]
    assert names == ["klaviyo_a_b", "klaviyo_a_b_2", "klaviyo_a_b_3", "klaviyo__"]


def test_without_a_manifest_there_is_nothing_to_name(tmp_path: Path) -> None:
    (tmp_path / "profiles.yml").write_text(
        "shop: {outputs: {t: {type: duckdb, path: a.duckdb}}, target: t,\n"
        "  destinations: {t: {type: klaviyo, sandbox: true}}}"
    )
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "m.sql").write_text("{{ config(surface='profiles') }}\nselect email from t")
    done = reverse_etl(tmp_path, "exposures")
    assert done.code == 2
    assert "dbt parse" in done.err
