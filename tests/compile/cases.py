"""Shared by the tables of mistakes: a valid profile, a valid model, and a mistake."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

PROFILE = """\
shop:
  target: trial
  outputs:
    trial: {type: duckdb, path: shop.duckdb, schema: main}
  destinations:
    trial: {type: klaviyo, sandbox: true}
"""
MODEL = """\
{{ config(surface='profiles') }}
select email from {{ ref('customers') }}
"""


@dataclass(frozen=True)
class Case:
    """A mistake: the files that a user wrote, and the options with which they are loaded."""

    name: str
    files: Mapping[str, str]
    given: Mapping[str, Any]


def case(name: str, files: Mapping[str, str], **given: Any) -> Case:
    """Return a mistake; gold/ has every problem that is shown."""
    return Case(name, files, given)


def profile(old: str, new: str) -> dict[str, str]:
    """Return the profile with one thing written differently."""
    assert old in PROFILE
    return {"profiles.yml": PROFILE.replace(old, new)}


def model(text: str) -> dict[str, str]:
    """Return the profile and one model."""
    return {"profiles.yml": PROFILE, "models/vip.sql": text}


MANIFEST = """\
{"metadata": {"project_name": "shop", "adapter_type": "duckdb"}, "nodes": {"model.shop.customers": {
  "resource_type": "model", "name": "customers", "package_name": "shop", "unique_id": "model.shop.customers",
  "relation_name": "\\"shop\\".\\"main\\".\\"customers\\""}}}
"""
