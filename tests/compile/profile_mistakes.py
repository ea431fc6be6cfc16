"""Mistakes in profiles.yml."""
# ruff: noqa: E501 - a message is one line

from __future__ import annotations

from tests.compile.cases import PROFILE, case, profile

CASES = [
    case(
        "no profiles.yml",
        {},
    ),
    case(
        "yaml tab",
        {"profiles.yml": "shop:\n\ttarget: trial\n"},
    ),
    case(
        "unquoted jinja",
        profile("path: shop.duckdb", "path: {{ env_var('X') }}"),
    ),
    case(
        "key twice",
        profile("  target: trial\n", "  target: trial\n  target: prod\n"),
    ),
    case(
        "two profiles",
        {"profiles.yml": PROFILE + PROFILE.replace("shop:", "other:")},
    ),
    case(
        "unknown profile",
        {"profiles.yml": PROFILE, "dbt_project.yml": "name: shop\nprofile: shopp\n"},
    ),
    case(
        "unknown target",
        {"profiles.yml": PROFILE},
        target="trail",
    ),
    case(
        "no outputs",
        {"profiles.yml": "shop:\n  target: trial\n"},
    ),
    case(
        "outputs misspelt",
        {"profiles.yml": "shop:\n  target: trial\n  output:\n    trial: {type: duckdb, path: shop.duckdb}\n"},
    ),
    case(
        "warehouse not known",
        profile("type: duckdb", "type: postgres"),
    ),
    case(
        "no type",
        profile("type: duckdb, ", ""),
    ),
    case(
        "in memory",
        profile("path: shop.duckdb, ", ""),
    ),
    case(
        "motherduck",
        profile("path: shop.duckdb", "path: 'md:shop'"),
    ),
    case(
        "database of another name",
        profile("path: shop.duckdb", "path: data/shop.dev.duckdb, database: shop.dev"),
    ),
    case(
        "database in a lake",
        profile(
            "path: shop.duckdb",
            "path: shop.duckdb, database: lake, attach: [{path: 'ducklake:x.ducklake', alias: lake}]",
        ),
    ),
    case(
        "misspelt destinations",
        profile("destinations:", "destination:"),
    ),
    case(
        "no destination",
        {"profiles.yml": PROFILE.split("  destinations", maxsplit=1)[0]},
    ),
    case(
        "destination of other name",
        profile("    trial: {type: klaviyo", "    trail: {type: klaviyo"),
    ),
    case(
        "several wrong keys",
        profile(
            "{type: klaviyo, sandbox: true}",
            "{type: klavio, sandbx: true, job_timeout_minutes: 0, create_lists: 'yes', lists: {vip: 12}}",
        ),
    ),
    case(
        "origin",
        profile("sandbox: true", "origin: 'https://a.klaviyo.com.example.com'"),
    ),
    case(
        "sandbox + klaviyo",
        profile("sandbox: true", "sandbox: true, origin: 'https://a.klaviyo.com'"),
    ),
    case(
        "two keys",
        profile("sandbox: true", "private_api_key_file: a, private_api_key_command: [pass, show]"),
    ),
    case(
        "revision",
        profile("sandbox: true", "api_revision: latest"),
    ),
    case(
        "revision that is no day",
        profile("sandbox: true", 'api_revision: "2026-13-15"'),
    ),
    case(
        "revision env",
        profile("sandbox: true", "create_lists: false"),
        environ={"DESTINATIONS__KLAVIYO__API_REVISION": "latest"},
    ),
    case(
        "list id",
        profile("sandbox: true", "lists: {vip: 'VIP customers'}"),
    ),
    case(
        "state_schema on duckdb",
        profile("sandbox: true", "sandbox: true, state_schema: ops"),
    ),
    case(
        "state_schema elsewhere",
        profile("sandbox: true", "sandbox: true, state_schema: ops.state"),
    ),
    case(
        "state_database and sending_warehouse on duckdb",
        profile("sandbox: true", "sandbox: true, state_database: ops, sending_warehouse: xs"),
    ),
    case(
        "a state_database with a schema",
        profile("sandbox: true", "sandbox: true, state_database: ops.state"),
    ),
    case(
        "state_path on Snowflake",
        {
            "profiles.yml": "shop:\n  outputs:\n    default: {type: snowflake, account: a, database: D, schema: S}\n"
            "  destinations:\n    default: {type: klaviyo, sandbox: true, state_path: x.duckdb}\n"
        },
    ),
    case(
        "missing env",
        profile("path: shop.duckdb", "path: \"{{ env_var('SHOP_FILE') }}\""),
    ),
    case(
        "missing env of secrets",
        profile(
            "path: shop.duckdb",
            "path: shop.duckdb, password: \"{{ env_var('SHOP_PASSWORD') }}\", "
            "oauth: {token: \"{{ env_var('SHOP_TOKEN') }}\"}",
        ),
    ),
    case(
        "undefined in yaml",
        profile("path: shop.duckdb", "path: \"{{ env('SHOP_FILE') }}\""),
    ),
]
