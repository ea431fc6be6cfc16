"""JSON Schemas for editors: the files of the docs are the program's, and accept what it accepts."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from reverse_etl.models.config import validate_config
from reverse_etl.models.editor_schema import SchemaName, build_editor_schema
from reverse_etl.models.key_descriptions import KEY_DESCRIPTIONS
from tests.dbt.real_dbt import DBT

if TYPE_CHECKING:
    from tests.gold import Gold

FILES = Path(__file__).parents[2] / "docs" / "schemas"
VALIDATE = """
import json, sys
from jsonschema import Draft7Validator
schema, documents = json.load(sys.stdin)
Draft7Validator.check_schema(schema)
print(json.dumps([Draft7Validator(schema).is_valid(document) for document in documents]))
"""
# Settings of a model, and whether they are right.
SETTINGS: tuple[tuple[str, bool], ...] = (
    ("{surface: list_memberships, list: VIP, tags: daily, max_removes: 0.5}", True),
    ("{surface: list_memberships, list: VIP, tags: [a, b], max_adds: {floor: 5}}", True),
    ("{surface: list_memberships, list_column: club, identifiers: {email: mail}}", True),
    ("{surface: profiles, on_null: {tier: clear, '*': omit}, arrays: {tags: append}}", True),
    ("{surface: profiles, on_null: clear, create: never}", True),
    ("{surface: events, metric: Placed Order, backfill: never, min_rows: 0}", True),
    ("{surface: subscriptions, channel: email, list: News, on_remove: unsubscribe}", True),
    ("{surface: suppressions, on_remove: unsuppress}", True),
    ("{surface: list_memberships, list: VIP, lists: VIP}", False),
    ("{surface: list_membership, list: VIP}", False),
    ("{surface: profiles, metric: Placed Order}", False),
    ("{surface: list_memberships, list: VIP, max_removes: {most: 5}}", False),
    ("{surface: list_memberships, list: VIP, identifiers: {mail: email}}", False),
    ("{surface: profiles, create: sometimes}", False),
    ("{list: VIP}", False),
)
DESTINATIONS: tuple[tuple[str, bool], ...] = (
    ("{type: klaviyo, sandbox: true}", True),
    ("{type: klaviyo, sandbox: \"{{ target.name == 'dev' }}\", lists: {vip: XyZ123}}", True),
    ("{type: klaviyo, private_api_key: \"{{ env_var('KEY') }}\", notify: {kinds: [failed]}}", True),
    ("{type: hubspot}", False),
    ("{type: klaviyo, private_key: x}", False),
    ("{type: klaviyo, notify: {kinds: [always]}}", False),
)


def _accepted(name: SchemaName, documents: list[dict[str, Any]]) -> list[bool]:
    """Return which documents a schema accepts, by the validator that comes with dbt."""
    ended = subprocess.run(
        [DBT.with_name("python"), "-c", VALIDATE],
        input=json.dumps([build_editor_schema(name), documents]),
        capture_output=True,
        text=True,
        check=True,
    )
    accepted: list[bool] = json.loads(ended.stdout)
    return accepted


@pytest.mark.parametrize("name", SchemaName)
def test_the_files_of_the_docs_are_those_that_the_command_prints(gold: Gold, name: SchemaName) -> None:
    gold.check(
        FILES / f"{name.removesuffix('.yml')}.schema.json",
        json.dumps(build_editor_schema(name), indent=2) + "\n",
    )


@pytest.mark.parametrize("name", SchemaName)
def test_each_key_says_what_it_means(name: SchemaName) -> None:
    """An editor shows it beside the key. Rules of NULLs are written in a short form, which has no keys."""
    definitions = build_editor_schema(name)["definitions"]
    definitions |= {"request": definitions.get("model", {}).get("properties", {}).get("request", {})}
    definitions.pop("NullRules", None)
    keys = [
        (of, key, KEY_DESCRIPTIONS.get(of, {}).get(key))
        for of, schema in definitions.items()
        for key, value in schema.get("properties", {}).items()
    ]
    assert [key for key in keys if not key[2]] == []
    assert len(keys) > 20


def test_an_editor_accepts_the_settings_that_the_program_accepts() -> None:
    settings = [yaml.safe_load(text) for text, _ in SETTINGS]
    documents = [
        {"models": [{"name": "m", "config": {"meta": {"reverse_etl": setting}}}]} for setting in settings
    ]
    documents += [{"models": [{"name": "m", "meta": {"reverse_etl": setting}}]} for setting in settings]
    right = [is_right for _, is_right in SETTINGS]
    assert _accepted(SchemaName.DBT, documents) == [*right, *right]
    checked = [
        validate_config(setting, mapping_name="config", locate=str)[0] is not None for setting in settings
    ]
    assert checked == right


def test_an_editor_accepts_destinations_and_the_outputs_of_dbt() -> None:
    profiles = [
        {
            "shop": {"target": "dev", "outputs": {}, "destinations": {"dev": yaml.safe_load(text)}},
            "config": {},
        }
        for text, _ in DESTINATIONS
    ]
    assert _accepted(SchemaName.PROFILES, profiles) == [is_right for _, is_right in DESTINATIONS]
