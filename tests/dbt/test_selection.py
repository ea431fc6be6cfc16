# ruff: noqa: E501 - a message is one line
from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reverse_etl.dbt.graph import Graph, Node
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.domain.list_target import NamedList
from reverse_etl.errors import Problem, UsageError
from reverse_etl.models.config import ModelConfig
from reverse_etl.models.model import Model
from reverse_etl.models.selection import select_models
from reverse_etl.surfaces.list_memberships import LIST_MEMBERSHIPS

if TYPE_CHECKING:
    from collections.abc import Sequence


def node(
    unique_id: str, *parents: str, tags: tuple[str, ...] = (), path: str = "", version: str = ""
) -> Node:
    """Return a node of dbt's graph."""
    kind, package, *names = unique_id.split(".")
    source, name = names if kind == "source" else ("", names[0])
    return Node(unique_id, kind, name, package, path, source, version, tags, parents)


NODES = [
    node("seed.shop.raw", path="seeds/raw.csv"),
    node("source.shop.erp.orders"),
    node("source.shop.erp.refunds"),
    node("model.shop.stg_people", "seed.shop.raw", path="models/staging/stg_people.sql", tags=("nightly",)),
    node("model.shop.people.v1", "model.shop.stg_people", path="models/marts/people_v1.sql", version="1"),
    node("model.shop.people.v2", "model.shop.stg_people", path="models/marts/people_v2.sql", version="2"),
    node("model.shop.orders", "source.shop.erp.orders", path="models/marts/orders.sql", tags=("hourly",)),
    node("model.loyalty.points", "model.shop.orders", path="models/points.sql"),
    node("model.shop.lonely"),
    node("test.shop.unique_people", "model.shop.people.v2"),
]
READS = {
    "old": ["model.shop.people.v1"],
    "vip": ["model.shop.people.v2", "model.shop.orders"],
    "collectors": ["model.loyalty.points"],
    "returns": ["source.shop.erp.refunds"],
    "alone": [],
}


def model(name: str, reads: Sequence[str]) -> Model:
    """Return a model on the list 'Grade A+' that reads nodes of dbt."""
    config = ModelConfig(
        LIST_MEMBERSHIPS, NamedList("Grade A+"), {IdentifierType.EMAIL: "email"}, tags=(name[0],)
    )
    path = Path(f"reverse_etl/{name}.sql")
    return Model(name, path, "select 1", None, 0, config, ("email",), (), tuple(reads), "")


MODELS = [model(name, READS[name]) for name in sorted(READS)]
GRAPH = Graph({each.unique_id: each for each in NODES})


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ("people+", "old vip"),
        ("people.v1+", "old"),
        ("stg_*+", "old vip"),
        ("raw+", "old vip"),
        ("model.shop.people.v2+", "vip"),
        ("shop.orders+", "collectors vip"),
        ("points+", "collectors"),
        ("source:erp+", "collectors returns vip"),
        ("source:erp.orders+", "collectors vip"),
        ("source:shop.erp.refunds+", "returns"),
        ("source.shop.erp.refunds+", "returns"),
        ("tag:nightly+", "old vip"),
        ("tag:nightly+ tag:c", "collectors old vip"),
        ("path:models/staging+", "old vip"),
        ("models/marts/orders.sql+", "collectors vip"),
        ("raw+,source:erp+", "vip"),
        ("raw+,tag:v", "vip"),
        ("vip+", "vip"),
        ("list:Grade A+", "alone collectors old returns vip"),
        ("list:Grade A+,raw+", "old vip"),
    ],
)
def test_a_plus_selects_all_models_that_depend_on_a_dbt_node(chosen: str, expected: str) -> None:
    """Directly or through others; it adds up and narrows as every selector; a list may be called so."""
    assert " ".join(each.name for each in select_models(MODELS, [chosen], graph=lambda: GRAPH)) == expected


def test_models_that_depend_on_a_node_can_be_excluded() -> None:
    kept = select_models(MODELS, [], ["source:erp+", "alone"], graph=lambda: GRAPH)
    assert [each.name for each in kept] == ["old"]


@pytest.mark.parametrize(
    ("chosen", "what", "advice"),
    [
        ("poeple+", "No model matches poeple+.", "Did you mean people? Available: raw, stg_people, people, orders, points, lonely."),
        ("source:erb+", "No model matches source:erb+.", "Did you mean erp? Available: erp, erp.orders, erp.refunds."),
        ("tag:hurly+", "No model matches tag:hurly+.", "Did you mean hourly? Available: nightly, hourly."),
        ("lonely+", "No model matches lonely+.", "The node exists in dbt, but no model depends on it."),
        ("surface:x+", "No model matches surface:x+.", "surface: is not a selection method for dbt nodes. Did you mean source:? Available: name:, path:, tag:, source:."),
        ("source:erp", "No model matches source:erp.", "To select the models that depend on a source: source:erp+"),
        ("+vip", "No model matches +vip.", "Write + at the end: dbt_model+ selects all models that depend on dbt_model."),
        ("people+1", "No model matches people+1.", "Write + at the end: dbt_model+ selects all models that depend on dbt_model."),
        ("@people", "No model matches @people.", "Write + at the end: dbt_model+ selects all models that depend on dbt_model."),
    ],
)  # fmt: skip
def test_a_node_without_dependent_models_is_an_error(chosen: str, what: str, advice: str) -> None:
    with pytest.raises(UsageError) as caught:
        select_models(MODELS, [chosen], graph=lambda: GRAPH)
    (problem,) = caught.value.problems
    assert problem == Problem(what, "--select", advice)


def test_without_a_manifest_reads_are_known_by_bare_names() -> None:
    models = [model("a", ["people", "erp.orders"]), model("b", ["erp.refunds"])]
    assert [each.name for each in select_models(models, ["people+"])] == ["a"]
    assert [each.name for each in select_models(models, ["source:erp+"])] == ["a", "b"]
    assert [each.name for each in select_models(models, ["source:erp.refunds+"])] == ["b"]
    with pytest.raises(UsageError) as caught:
        select_models(models, ["orders+"])
    assert caught.value.problems == (Problem("No model matches orders+.", "--select", "Available: people."),)
