from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reverse_etl.config.profiles import load_target
from reverse_etl.domain.engine import Engine
from reverse_etl.errors import UsageError
from reverse_etl.klaviyo.origin import parse_allowed_origin
from reverse_etl.parsing.variables import parse_vars

if TYPE_CHECKING:
    from tests.compile.conftest import Folder

EXAMPLE = Path(__file__).parents[2] / "profiles.example.yml"


def named(profile: str) -> str:
    """Return a profiles.yml whose only profile has this name."""
    return f"""\
{profile}:
  outputs:
    default: {{type: duckdb, path: shop.duckdb}}
  destinations:
    default: {{type: klaviyo, sandbox: true}}
"""


PLACES = [
    "flag/profiles.yml",
    "env/profiles.yml",
    "profiles.yml",
    "shop/profiles.yml",
    "home/.dbt/profiles.yml",
]


@pytest.mark.parametrize("first", range(len(PLACES)))
def test_profiles_yml_is_found_where_dbt_finds_it(folder: Folder, first: int) -> None:
    """The flag's folder, then the environment's, the current one, the project's, and ~/.dbt."""
    folder.write({place: named(f"p{index}") for index, place in enumerate(PLACES) if index >= first})
    (folder.path / "shop").mkdir(exist_ok=True)
    environ = {"HOME": str(folder.path / "home")}
    if first <= 1:
        environ["DBT_PROFILES_DIR"] = str(folder.path / "env")
    flag = folder.path / "flag" if first == 0 else None
    target = load_target(folder.path / "shop", profiles_dir=flag, environ=environ)
    assert target.profile == f"p{first}"
    assert target.path == folder.path / PLACES[first]


@pytest.mark.parametrize("begun", ["profiles.yml", "dbt_project.yml"])
def test_a_folder_inside_a_project_gets_a_hint_to_its_root(folder: Folder, begun: str) -> None:
    folder.write({f"shop/{begun}": named("shop")})
    inside = folder.path / "shop" / "models" / "lists"
    inside.mkdir(parents=True)
    with pytest.raises(UsageError) as caught:
        load_target(inside, environ={})
    (problem,) = caught.value.problems
    begins = folder.path / "shop"
    assert (
        problem.hint
        == f"There is a project in {begins}: run the command there, or add --project-dir {begins}"
    )


def test_a_named_folder_without_profiles_yml_is_an_error(project: Folder) -> None:
    with pytest.raises(UsageError, match=r"profiles\.yml was not found"):
        project.load(profiles_dir=project.path / "elsewhere")


@pytest.mark.parametrize(
    ("flag", "environ", "in_project", "expected"),
    [
        ("b", {"DBT_PROFILE": "c"}, "a", "b"),
        (None, {"DBT_PROFILE": "c"}, "a", "c"),
        (None, {}, "a", "a"),
    ],
)
def test_the_profile_is_the_flags_then_the_environments_then_the_projects(
    folder: Folder, flag: str | None, environ: dict[str, str], in_project: str, expected: str
) -> None:
    folder.write(
        {
            "profiles.yml": "".join(named(name) for name in "abc"),
            "dbt_project.yml": f"name: shop\nprofile: {in_project}\n",
        }
    )
    assert folder.load(profile=flag, environ=environ).profile == expected


def test_the_only_profile_is_used_and_dbts_config_key_is_not_a_profile(folder: Folder) -> None:
    """`config:` at the top of profiles.yml is an old place for dbt's settings."""
    folder.write({"profiles.yml": "config:\n  use_colors: true\n" + named("shop")})
    assert folder.load().profile == "shop"


@pytest.mark.parametrize(
    ("flag", "environ", "written", "expected"),
    [
        ("c", {"DBT_TARGET": "b"}, "a", "c"),
        (None, {"DBT_TARGET": "b"}, "a", "b"),
        (None, {}, "a", "a"),
        (None, {"WHICH": "b"}, "{{ env_var('WHICH') }}", "b"),
        (None, {}, None, "default"),
    ],
)
def test_the_target_is_the_flags_then_the_environments_then_the_profiles(
    folder: Folder, flag: str | None, environ: dict[str, str], written: str | None, expected: str
) -> None:
    """As in dbt; the profile's own is rendered, and `default` is used for none."""
    names = ["a", "b", "c", "default"]
    lines = ["shop:", f'  target: "{written}"' if written else "  # none", "  outputs:"]
    lines += [f"    {name}: {{type: duckdb, path: {name}.duckdb}}" for name in names]
    lines += ["  destinations:", *(f"    {name}: {{type: klaviyo, sandbox: true}}" for name in names)]
    folder.write({"profiles.yml": "\n".join(lines)})
    target = folder.load(target=flag, environ=environ)
    assert (target.name, target.output.settings["path"]) == (expected, f"{expected}.duckdb")


def test_only_the_chosen_target_is_rendered(folder: Folder) -> None:
    folder.write(
        {
            "profiles.yml": """\
            shop:
              target: trial
              outputs:
                trial: {type: duckdb, path: shop.duckdb}
                prod: {type: snowflake, password: "{{ env_var('PASSWORD') }}"}
              destinations:
                trial: {type: klaviyo, sandbox: true}
                prod: {type: klaviyo, api_revision: "{{ env_var('REVISION') }}"}
            """
        }
    )
    assert folder.load().output.settings == {"type": "duckdb", "path": "shop.duckdb"}


def test_rendered_values_are_text_unless_a_filter_says_otherwise(folder: Folder) -> None:
    """As in dbt: env_var gives text; as_number, as_native, as_bool and int make other types."""
    folder.write(
        {
            "profiles.yml": """\
            shop:
              target: t
              outputs:
                t:
                  type: duckdb
                  path: "{{ target.name }}/{{ var('file') }}.duckdb"
                  plain: "{{ env_var('N') }}"
                  number: "{{ env_var('N') | as_number }}"
                  whole: "{{ env_var('N') | int }}"
                  flag: "{{ env_var('B') | as_bool }}"
                  list: "{{ env_var('L') | as_native }}"
                  kept: {deep: ["{{ env_var('N') }}", 4, null]}
                  default: "{{ env_var('NONE', 7) }}"
              destinations:
                t: {type: klaviyo, sandbox: "{{ env_var('B') | as_bool }}"}
            """
        }
    )
    target = folder.load(environ={"N": "5", "B": "True", "L": "[1, 2]"}, vars={"file": "shop"})
    assert target.output.settings == {
        "type": "duckdb",
        "path": "t/shop.duckdb",
        "plain": "5",
        "number": 5,
        "whole": 5,
        "flag": True,
        "list": [1, 2],
        "kept": {"deep": ["5", 4, None]},
        "default": "7",
    }
    assert target.destination.sandbox


@pytest.mark.parametrize(
    ("written", "environ", "expected"),
    [
        ("", {}, "2026-10-15"),
        ("api_revision: 2026-07-15", {}, "2026-07-15"),
        ('api_revision: "2026-10-15.pre"', {}, "2026-10-15.pre"),
        ("", {"DESTINATIONS__KLAVIYO__API_REVISION": "2026-07-15"}, "2026-07-15"),
        ("api_revision: 2026-04-15", {"DESTINATIONS__KLAVIYO__API_REVISION": "2026-10-15"}, "2026-04-15"),
    ],
)
def test_the_revision_is_the_profiles_then_the_environments_then_ours(
    folder: Folder, written: str, environ: dict[str, str], expected: str
) -> None:
    """A date without quotes is a date to YAML, and is taken as the text that was meant."""
    text = named("shop").replace("sandbox: true", f"sandbox: true, {written}" if written else "sandbox: true")
    folder.write({"profiles.yml": text})
    assert folder.load(environ=environ).destination.api_revision == expected


def test_lists_are_created_by_default_in_a_sandbox_only(project: Folder) -> None:
    """The default of `create_lists` is safe where lists are real."""
    assert project.load(target="trial").destination.create_lists
    prod = project.load(target="prod").destination
    assert (prod.create_lists, prod.origin, prod.sandbox) == (False, "https://a.klaviyo.com", False)
    assert project.load(target="trial").destination.origin == ""


@pytest.mark.parametrize(
    ("written", "expected"), [("", "REVERSE_ETL"), ("ops", "ops"), ("'\"Mixed.Case\"'", '"Mixed.Case"')]
)
def test_a_company_may_choose_the_schema_of_the_state(folder: Folder, written: str, expected: str) -> None:
    """As it is written: the warehouse folds it like every other name of profiles.yml."""
    text = named("shop").replace("{type: duckdb, path: shop.duckdb}", "{type: snowflake, account: acc}")
    if written:
        text = text.replace("sandbox: true", f"sandbox: true, state_schema: {written}")
    folder.write({"profiles.yml": text})
    assert folder.load().state_schema == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("https://a.klaviyo.com", "https://a.klaviyo.com"),
        ("https://a.klaviyo.com:443/", "https://a.klaviyo.com"),
        ("HTTPS://A.KLAVIYO.COM", "https://a.klaviyo.com"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://localhost", "http://localhost"),
        ("http://[::1]:9/", "http://[::1]:9"),
        ("http://127.0.0.2:8080", "http://127.0.0.2:8080"),
    ],
)
def test_the_key_may_go_to_klaviyo_or_to_this_machine(written: str, expected: str) -> None:
    """An origin is taken down to scheme, host and port."""
    assert parse_allowed_origin(written) == expected


@pytest.mark.parametrize(
    "written",
    [
        "http://a.klaviyo.com",
        "https://a.klaviyo.com.example.com",
        "https://example.com/a.klaviyo.com",
        "https://a.klaviyo.com@example.com",
        "https://a.klaviyo.com:8443",
        "https://b.klaviyo.com",
        "http://127.0.0.1@example.com",
        "http://127.0.0.1.example.com",
        "http://127.0.0.1\\@example.com",
        "http://user:pass@127.0.0.1:8000",
        "http://127.0.0.1:8000/api",
        "http://127.0.0.1:8000?to=example.com",
        "https://127.0.0.1:8000",
        "http://10.0.0.1:8000",
        "http://0.0.0.0:8000",
        "http://127.0.0.1:99999",
        "http://localhost:0",
        "http://[::1",
        "ftp://localhost",
        "a.klaviyo.com",
    ],
)
def test_the_key_goes_to_no_other_origin(written: str) -> None:
    """Names that look like Klaviyo's, other machines, and addresses with something hidden in them."""
    assert parse_allowed_origin(written) is None


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("type: duckdb, path: data/shop.duckdb", (Engine.DUCKDB, "shop", "main")),
        ("type: duckdb, path: shop.dev.duckdb, database: shop, schema: s", (Engine.DUCKDB, "shop", "s")),
        (
            "type: duckdb, path: shop.duckdb, database: d, attach: [{path: x.db, alias: d}]",
            (Engine.DUCKDB, "d", "main"),
        ),
        ("type: snowflake, database: ANALYTICS, schema: MARTS", (Engine.SNOWFLAKE, "ANALYTICS", "MARTS")),
    ],
)
def test_the_database_and_schema_are_those_in_which_dbt_builds(
    folder: Folder, settings: str, expected: tuple[Engine, str, str]
) -> None:
    """dbt-duckdb derives the database from the file's name and has the schema `main`."""
    folder.write({"profiles.yml": named("shop").replace("type: duckdb, path: shop.duckdb", settings)})
    output = folder.load().output
    assert (output.type, output.database, output.schema) == expected


def test_all_problems_of_output_and_destination_are_reported_together(folder: Folder) -> None:
    text = named("shop").replace("path: shop.duckdb", "path: \"{{ env_var('A') }}\"")
    folder.write({"profiles.yml": text.replace("sandbox: true", "sandbx: true, create_list: true")})
    with pytest.raises(UsageError) as caught:
        folder.load()
    assert [problem.summary for problem in caught.value.problems] == [
        "The environment variable A is not set.",
        "sandbx is not a key of a destination.",
        "create_list is not a key of a destination.",
    ]


@pytest.mark.parametrize("target", ["trial", "prod"])
def test_the_example_profile_loads(folder: Folder, target: str) -> None:
    folder.write({"profiles.yml": EXAMPLE.read_text(encoding="utf-8")})
    loaded = folder.load(target=target, environ={"SNOWFLAKE_KEY_PATH": "key.p8"})
    assert loaded.destination.sandbox is (target == "trial")
    assert loaded.warnings == ()
    assert (loaded.destination.key is None) is (target == "prod")


def test_the_example_profile_reads_the_key_from_the_environment(folder: Folder) -> None:
    folder.write({"profiles.yml": EXAMPLE.read_text(encoding="utf-8")})
    environ = {"SNOWFLAKE_KEY_PATH": "key.p8", "DESTINATIONS__KLAVIYO__PRIVATE_API_KEY": "pk_dummy"}
    prod = folder.load(target="prod", environ=environ)
    assert prod.destination.require_key().reveal() == "pk_dummy"
    assert prod.destination.lists == {"vip": "XyZ123"}
    assert prod.output.settings["private_key_path"] == "key.p8"


@pytest.mark.parametrize("text", ["[1]", "a", "{a: ", "1"])
def test_vars_that_are_no_mapping_are_an_error(text: str) -> None:
    with pytest.raises(UsageError, match="--vars is not a YAML mapping"):
        parse_vars(text)


def test_vars_are_yaml() -> None:
    assert parse_vars("{min_value: 500, names: [a, b]}") == {"min_value": 500, "names": ["a", "b"]}
    assert parse_vars(None) == parse_vars("") == {}
