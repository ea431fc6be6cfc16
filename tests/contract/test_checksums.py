"""Checksums of models and digests of plans are the same in every version.

If the checksum of an unchanged model changes, its rejections end and saved plans become stale; if
a digest changes, `apply` refuses saved plans. `--update-gold` does not touch these constants.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from tests.contract.shop import write_model
from tests.contract.story import run_command

if TYPE_CHECKING:
    from pathlib import Path

PROFILES = """
shop:
  target: trial
  outputs: {trial: {type: duckdb, path: shop.duckdb}}
  destinations: {trial: {type: klaviyo, sandbox: true, create_lists: true}}
"""
CUSTOMERS = """
CREATE TABLE customers AS SELECT * FROM (VALUES
    (1, 'ann@example.com', '+14155550101', 'P1', 'Ann', 1.50, DATE '2019-02-28', 'Tea'),
    (2, 'bob@example.com', NULL, 'P2', NULL, NULL, NULL, 'Coffee')
) AS t(id, email, phone, profile_id, first_name, spent, since, club)
"""


@dataclass(frozen=True)
class ChecksumCase:
    """A model, with its checksum and the digest of its plan."""

    select: str
    config: dict[str, Any]
    checksum: str
    digest: str


MODELS = {
    "plain": ChecksumCase(
        "select email from {{ ref('customers') }}",
        {"surface": "profiles"},
        "e72edc791573987e79e4c55f3f1f7ff1ab3593a3e3a19df753c75cb98188c110",
        "5144b6cbefad161fd04ef94fd4ecd632b35d29d30f1df72a84ebb8d7060bdb18",
    ),
    "every_option": ChecksumCase(
        "select id, email, phone, first_name, spent as \"Spent\", since from {{ ref('customers') }}",
        {
            "surface": "list_memberships",
            "list": "VIP",
            "identifiers": {"phone_e164": "phone", "email": "email", "external_id": "id"},
            "on_shared_identifier": "reject",
            "on_null": "omit",
            "min_rows": 2,
            "max_removes": 0.25,
            "max_age": "36h",
            "tags": ["daily", "people"],
            "description": "Everybody: é.",
            "enabled": True,
        },
        "0213a1d52dafc4b5c902e81b6649f6afaca32c38d48686b3d1bb6dfb2f46bbdb",
        "cd3de8c165238d62a742f6b28226c0e85da599fd3edbca370e8b390a709ce882",
    ),
    "by_list_id": ChecksumCase(
        "select email from {{ ref('customers') }} where id > {{ var('above', 0) }}",
        {"surface": "list_memberships", "list_id": "AbC123"},
        "57640bfabf173fb56305b2d74f27047852f2cce7b78c9908b44fe80482dd2081",
        "f3e38360c593d82f3e87b7ef3c90af8e0009ff6c1a4c200c078cb979e96b6fa1",
    ),
    "many_lists": ChecksumCase(
        "select email, club from {{ ref('customers') }}",
        {"surface": "list_memberships", "list_column": "club"},
        "c0b26bc9bb333be046897b43df1dfc69bcacbdd2225208adb6ad52b940829c7b",
        "d384a1857235381de9b6e50143be4907a405d8f1febe64a8e9a1b758cce555c7",
    ),
    "by_profile_id": ChecksumCase(
        "select profile_id as klaviyo_profile_id from {{ ref('customers') }}",
        {"surface": "list_memberships_by_profile_id", "list": "Testers"},
        "e7639cf0209df44629fc6b73223f52c0fdc3948a4c6f4ccee23a9a8a5025d1f0",
        "6614e03311b930e511c7e34ab01bb2d84f87f1bdd69ca57075003258cca2c0dd",
    ),
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, str]]:
    """Return the checksum and the digest of each model in a saved plan."""
    folder: Path = tmp_path_factory.mktemp("checksums") / "shop"
    folder.mkdir()
    (folder / "profiles.yml").write_text(PROFILES)
    with duckdb.connect(folder / "shop.duckdb") as warehouse:
        warehouse.execute(CUSTOMERS)
    for name, case in MODELS.items():
        write_model(folder, name, case.select, **case.config)
    out, err, code = run_command(folder, "plan", "--out", "saved.json", "--no-dbt-gate")
    assert code == 0, out + err
    models = json.loads((folder / "saved.json").read_text())["plan"]["models"]
    return {each["name"]: (each["checksum"], each["digest"]) for each in models}


@pytest.mark.parametrize("name", MODELS)
def test_checksum_and_digest_never_change(saved: dict[str, tuple[str, str]], name: str) -> None:
    """They do not depend on names of classes, fields or modules."""
    assert saved[name] == (MODELS[name].checksum, MODELS[name].digest)
