"""The exact messages for mistakes in profiles.yml."""
# ruff: noqa: E501 - a message stands on one line

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.errors import Problem, UsageError
from tests.compile.cases import PROFILE, case, profile

if TYPE_CHECKING:
    from typing import Any

    from tests.compile.conftest import Folder

CASES = [
    case(
        "no profiles.yml",
        {},
        Problem(
            "profiles.yml was not found.",
            "searched FOLDER",
            "Run: reverse-etl init. Or give its folder: --profiles-dir FOLDER",
        ),
    ),
    case(
        "yaml tab",
        {"profiles.yml": "shop:\n\ttarget: trial\n"},
        Problem(
            "profiles.yml is not valid YAML: found character '\\t' that cannot start any token.",
            "profiles.yml:2:1",
            "Check the indentation and the quotes of this line and the line above.",
        ),
    ),
    case(
        "unquoted jinja",
        profile("path: shop.duckdb", "path: {{ env_var('X') }}"),
        Problem(
            "profiles.yml is not valid YAML: a value that begins with {{ needs quotes.",
            "profiles.yml:4:34",
            "For example: \"{{ env_var('NAME') }}\"",
        ),
    ),
    case(
        "key twice",
        profile("  target: trial\n", "  target: trial\n  target: prod\n"),
        Problem(
            "profiles.yml has the key target twice, first on line 2.", "profiles.yml:3", "Remove one of them."
        ),
    ),
    case(
        "two profiles",
        {"profiles.yml": PROFILE + PROFILE.replace("shop:", "other:")},
        Problem(
            "profiles.yml has several profiles.", "profiles.yml", "Choose one with --profile: shop, other"
        ),
    ),
    case(
        "unknown profile",
        {"profiles.yml": PROFILE, "dbt_project.yml": "name: shop\nprofile: shopp\n"},
        Problem(
            "There is no profile shopp, which dbt_project.yml uses.", "profiles.yml", "Did you mean shop?"
        ),
    ),
    case(
        "unknown target",
        {"profiles.yml": PROFILE},
        Problem("Profile shop has no target trail.", "profiles.yml:3 shop.outputs", "Did you mean trial?"),
        target="trail",
    ),
    case(
        "no outputs",
        {"profiles.yml": "shop:\n  target: trial\n"},
        Problem(
            "Profile shop has no outputs.",
            "profiles.yml:1 shop",
            "Add them, as in dbt:\n  outputs:\n    trial: {type: duckdb, path: shop.duckdb}",
        ),
    ),
    case(
        "outputs misspelt",
        {"profiles.yml": "shop:\n  target: trial\n  output:\n    trial: {type: duckdb, path: shop.duckdb}\n"},
        Problem("Profile shop has no outputs.", "profiles.yml:1 shop", "Did you mean outputs for output?"),
    ),
    case(
        "warehouse not known",
        profile("type: duckdb", "type: postgres"),
        Problem(
            "The output's type cannot be 'postgres'.",
            "profiles.yml:4 shop.outputs.trial.type",
            "Available: duckdb, snowflake.",
        ),
    ),
    case(
        "no type",
        profile("type: duckdb, ", ""),
        Problem(
            "The output has no type.",
            "profiles.yml:4 shop.outputs.trial.type",
            "Available: duckdb, snowflake.",
        ),
    ),
    case(
        "in memory",
        profile("path: shop.duckdb, ", ""),
        Problem(
            "The duckdb output has no file: what dbt builds in memory is lost when dbt exits.",
            "profiles.yml:4 shop.outputs.trial.path",
            "Set path to the file that dbt builds, for example path: shop.duckdb",
        ),
    ),
    case(
        "motherduck",
        profile("path: shop.duckdb", "path: 'md:shop'"),
        Problem(
            "The output's path leads to MotherDuck, which is no file that can be read alone.",
            "profiles.yml:4 shop.outputs.trial.path",
            "Let dbt build the tables that your models read into a file (path: shop.duckdb), and attach MotherDuck to that output in dbt (attach: [{path: 'md:shop', alias: lake}]), so that dbt reads from it.",
        ),
    ),
    case(
        "database of another name",
        profile("path: shop.duckdb", "path: data/shop.dev.duckdb, database: shop.dev"),
        Problem(
            "The output's database is shop.dev, but dbt calls its file shop.",
            "profiles.yml:4 shop.outputs.trial.database",
            "As in dbt, write database: shop or the alias of an attached database. You can also remove it.",
        ),
    ),
    case(
        "database in a lake",
        profile(
            "path: shop.duckdb",
            "path: shop.duckdb, database: lake, attach: [{path: 'ducklake:x.ducklake', alias: lake}]",
        ),
        Problem(
            "dbt builds in lake, which is a DuckLake and cannot be read.",
            "profiles.yml:4 shop.outputs.trial.database",
            "Let dbt build the tables that your models read into the file of path; there it can read from lake. Remove database from the output, or add a target without it.",
        ),
    ),
    case(
        "misspelt destinations",
        profile("destinations:", "destination:"),
        Problem(
            "destination is not a key of a profile.",
            "profiles.yml:5 shop.destination",
            "Did you mean destinations?",
        ),
    ),
    case(
        "no destination",
        {"profiles.yml": PROFILE.split("  destinations", maxsplit=1)[0]},
        Problem(
            "Target trial has no destination.",
            "profiles.yml:1 shop",
            "Add one beside the outputs:\n  destinations:\n    trial: {type: klaviyo, sandbox: true}\n`sandbox: true` is a stand-in for Klaviyo on this machine. Without it, runs send to Klaviyo.",
        ),
    ),
    case(
        "destination of other name",
        profile("    trial: {type: klaviyo", "    trail: {type: klaviyo"),
        Problem(
            "Target trial has no destination.",
            "profiles.yml:5 shop.destinations",
            "A destination has the same name as its target. Did you mean trail?",
        ),
    ),
    case(
        "several wrong keys",
        profile(
            "{type: klaviyo, sandbox: true}",
            "{type: klavio, sandbx: true, job_timeout_minutes: 0, create_lists: 'yes', lists: {vip: 12}}",
        ),
        Problem(
            "type cannot be 'klavio'.",
            "profiles.yml:6 shop.destinations.trial.type",
            "Write type: klaviyo",
        ),
        Problem(
            "lists.vip must be text, in quotes.",
            "profiles.yml:6 shop.destinations.trial.lists.vip",
            "Write each as name: id, for example vip: XyZ123",
        ),
        Problem("create_lists must be true or false.", "profiles.yml:6 shop.destinations.trial.create_lists"),
        Problem(
            "job_timeout_minutes must be at least 1.",
            "profiles.yml:6 shop.destinations.trial.job_timeout_minutes",
        ),
        Problem(
            "sandbx is not a key of a destination.",
            "profiles.yml:6 shop.destinations.trial.sandbx",
            "Did you mean sandbox? Available: type, sandbox, origin, private_api_key, private_api_key_file, private_api_key_command, api_revision, lists, create_lists, job_timeout_minutes, state_schema, state_database, state_path, sending_warehouse.",
        ),
    ),
    case(
        "origin",
        profile("sandbox: true", "origin: 'https://a.klaviyo.com.example.com'"),
        Problem(
            "origin is not an address to which the private key may be sent.",
            "profiles.yml:6 shop.destinations.trial.origin",
            "Use https://a.klaviyo.com (the default), or a sandbox on this machine, for example http://127.0.0.1:8000.",
        ),
    ),
    case(
        "sandbox + klaviyo",
        profile("sandbox: true", "sandbox: true, origin: 'https://a.klaviyo.com'"),
        Problem(
            "sandbox is true, but origin is the real Klaviyo.",
            "profiles.yml:6 shop.destinations.trial",
            "Remove origin to use the sandbox, or remove sandbox to send to Klaviyo.",
        ),
    ),
    case(
        "two keys",
        profile("sandbox: true", "private_api_key_file: a, private_api_key_command: [pass, show]"),
        Problem(
            "private_api_key_file and private_api_key_command cannot be combined.",
            "profiles.yml:6 shop.destinations.trial",
            "Keep one of them.",
        ),
    ),
    case(
        "revision",
        profile("sandbox: true", "api_revision: latest"),
        Problem(
            "api_revision is not a revision of Klaviyo's API.",
            "profiles.yml:6 shop.destinations.trial.api_revision",
            "Write a date, for example 2026-10-15.",
        ),
    ),
    case(
        "revision that is no day",
        profile("sandbox: true", 'api_revision: "2026-13-15"'),
        Problem(
            "api_revision is not a revision of Klaviyo's API.",
            "profiles.yml:6 shop.destinations.trial.api_revision",
            "Write a date, for example 2026-10-15.",
        ),
    ),
    case(
        "revision env",
        profile("sandbox: true", "create_lists: false"),
        Problem(
            "The environment variable DESTINATIONS__KLAVIYO__API_REVISION is not a revision of Klaviyo's API.",
            "the environment",
            "Write a date, for example 2026-10-15.",
        ),
        environ={"DESTINATIONS__KLAVIYO__API_REVISION": "latest"},
    ),
    case(
        "list id",
        profile("sandbox: true", "lists: {vip: 'VIP customers'}"),
        Problem(
            "lists.vip is not a list id.",
            "profiles.yml:6 shop.destinations.trial.lists",
            "Klaviyo shows it in the list's settings: letters and digits, for example XyZ123.",
        ),
    ),
    case(
        "state_schema on duckdb",
        profile("sandbox: true", "sandbox: true, state_schema: ops"),
        Problem(
            "state_schema cannot be used with a duckdb output: its state is a file.",
            "profiles.yml:6 shop.destinations.trial.state_schema",
            "Remove it. To choose the file: state_path",
        ),
    ),
    case(
        "state_schema elsewhere",
        profile("sandbox: true", "sandbox: true, state_schema: ops.state"),
        Problem(
            "state_schema is not the name of a schema.",
            "profiles.yml:6 shop.destinations.trial.state_schema",
            "Write the schema name only; the schema is in the output's database, or in state_database.",
        ),
    ),
    case(
        "state_database and sending_warehouse on duckdb",
        profile("sandbox: true", "sandbox: true, state_database: ops, sending_warehouse: xs"),
        Problem(
            "state_database cannot be used with a duckdb output: its state is a file.",
            "profiles.yml:6 shop.destinations.trial.state_database",
            "Remove it. To choose the file: state_path",
        ),
        Problem(
            "sending_warehouse cannot be used with a duckdb output: it has no warehouses.",
            "profiles.yml:6 shop.destinations.trial.sending_warehouse",
            "Remove it.",
        ),
    ),
    case(
        "a state_database with a schema",
        profile("sandbox: true", "sandbox: true, state_database: ops.state"),
        Problem(
            "state_database is not a name.",
            "profiles.yml:6 shop.destinations.trial.state_database",
            "Write one name, without a dot.",
        ),
    ),
    case(
        "state_path on Snowflake",
        {
            "profiles.yml": "shop:\n  outputs:\n    default: {type: snowflake, account: a, database: D, schema: S}\n"
            "  destinations:\n    default: {type: klaviyo, sandbox: true, state_path: x.duckdb}\n"
        },
        Problem(
            "state_path cannot be used with a snowflake output: its state is a schema.",
            "profiles.yml:5 shop.destinations.default.state_path",
            "Remove it. To choose the schema: state_schema",
        ),
    ),
    case(
        "missing env",
        profile("path: shop.duckdb", "path: \"{{ env_var('SHOP_FILE') }}\""),
        Problem(
            "The environment variable SHOP_FILE is not set.",
            "profiles.yml:4 shop.outputs.trial.path",
            "Set it, or write a default: env_var('SHOP_FILE', 'default').",
        ),
    ),
    case(
        "undefined in yaml",
        profile("path: shop.duckdb", "path: \"{{ env('SHOP_FILE') }}\""),
        Problem(
            "env is undefined.",
            "profiles.yml:4 shop.outputs.trial.path",
            "Did you mean env_var? Available: env_var, var, target.",
        ),
    ),
]


@pytest.mark.parametrize(("files", "given", "problems"), CASES)
def test_a_mistake_is_explained(
    folder: Folder, files: dict[str, str], given: dict[str, Any], problems: tuple[Problem, ...]
) -> None:
    folder.write(files)
    with pytest.raises(UsageError) as caught:
        folder.compile(**given)
    assert folder.shown(caught.value) == problems
