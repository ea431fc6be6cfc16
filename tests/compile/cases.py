"""Shared by the tables of mistakes: a valid profile, a valid model, and a row of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from reverse_etl.errors import Problem

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


def case(name: str, files: Mapping[str, str], *problems: Problem, **given: Any) -> pytest.ParameterSet:
    """Return a row of the table: what is written, what more is given, and every problem that is shown."""
    return pytest.param(files, given, problems, id=name)


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
