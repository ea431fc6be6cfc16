"""`init` writes what is missing, keeps what is there byte for byte, and overwrites nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from click.testing import CliRunner

from reverse_etl.cli import app
from reverse_etl.config.people_table import PeopleTable, TableColumn, find_people_table
from reverse_etl.config.scaffold import (
    SANDBOX_DESTINATION,
    add_destination,
    render_first_model,
    render_profiles_yml,
)
from reverse_etl.state.sql.schema import SHARED_TABLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.cli.command_line import CommandLine

ADDED = f"  destinations:\n    dev: {SANDBOX_DESTINATION}\n"
PROFILES = (  # before the added lines, and after them
    ("shop:\n  target: dev\n  outputs:\n    dev: {type: duckdb}\n", ""),
    (
        "# ours\nshop:   # the shop\n  outputs:\n    dev:\n      type: duckdb  # a file\n",
        "\n# another\nother:\n  outputs:\n    x: {}\n",
    ),
    (
        "shop:\n  outputs:\n    dev: {type: duckdb}\n    # prod: {type: snowflake}\n",
        "  # what follows\n\nconfig: {}\n",
    ),
    ("shop:\n  outputs:\n    dev:\n      type: duckdb\n      note: |\n        one\n        two\n", ""),
    ('"shop":\n    outputs:\n        dev: {type: duckdb}\n', None),
)


@pytest.mark.parametrize(("before", "after"), PROFILES, ids=range(len(PROFILES)))
def test_a_destination_is_added_and_nothing_else_changes(before: str, after: str | None) -> None:
    """New lines are at the end of the profile; comments, blank lines and quotes stay."""
    added = ADDED if after is not None else f"    destinations:\n      dev: {SANDBOX_DESTINATION}\n"
    assert add_destination(before + (after or ""), "shop", "dev") == before + added + (after or "")


@pytest.mark.parametrize(("before", "after"), PROFILES[:4], ids=range(4))
def test_line_endings_stay(before: str, after: str) -> None:
    """A file from Windows stays one; a last line without an end gets no end."""
    text = (before + after).replace("\n", "\r\n")
    assert add_destination(text, "shop", "dev") == (before + ADDED + after).replace("\n", "\r\n")
    if not after and "|" not in before:  # a last line of a literal would become another text
        assert add_destination(before[:-1], "shop", "dev") == (before + ADDED)[:-1]


def test_a_second_destination_is_added_below_the_first() -> None:
    """With the indentation of those that are there; one that is there is left alone."""
    text = "shop:\n  destinations:\n      prod: {type: klaviyo}\n  outputs:\n    dev: {}\n    prod: {}\n"
    added = text.replace("klaviyo}\n", f"klaviyo}}\n      dev: {SANDBOX_DESTINATION}\n", 1)
    assert add_destination(text, "shop", "dev") == added
    assert add_destination(text, "shop", "prod") is None


@pytest.mark.parametrize(
    "text", ["shop: {outputs: {dev: {type: duckdb}}}\n", "shop:\n  outputs: {}\n  destinations: {}\n"]
)
def test_a_file_that_is_not_block_style_yaml_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="block style"):
        add_destination(text, "shop", "dev")


@pytest.mark.parametrize(
    "path", ["shop.duckdb", "a, b.duckdb", "a} #b: c.duckdb", 'it\'s "ours".duckdb', "no"]
)
def test_a_warehouse_of_any_name_is_written_as_yaml_reads_it(path: str) -> None:
    """A comma, a brace or a hash in a file's name is no part of the YAML around it."""
    written = yaml.safe_load(render_profiles_yml("the: shop", path))["the: shop"]
    assert written["outputs"]["trial"] == {"type": "duckdb", "path": path, "schema": "main"}


def _tables(**columns: str) -> dict[str, list[TableColumn]]:
    """Return tables by name, each with its columns; all of them hold text but those that begin with `is_`."""
    return {
        table: [TableColumn(name, not name.startswith("is_")) for name in names.split(",")]
        for table, names in columns.items()
    }


@pytest.mark.parametrize(
    ("tables", "people_table"),
    [
        (
            _tables(orders="id", users="EMAIL", customers="email,customer_id", a="email"),
            ("customers", "email"),
        ),
        (_tables(orders="id", people="E-Mail"), ("people", "E-Mail")),
        (_tables(b="contact_email,Email Address", a="id"), ("b", "Email Address")),
        (_tables(a="is_valid_email", b="mail"), ("b", "mail")),
        (_tables(a="x,holds_addresses", customers="customer_id"), ("a", "holds_addresses")),
        (_tables(a="x", customers="customer_id", users="id"), ("customers", "")),
        (_tables(orders="id", a="x"), None),
        ({}, None),
    ],
)
def test_a_table_of_people_is_found_by_names_then_by_values_then_by_ids(
    tables: dict[str, list[TableColumn]], people_table: tuple[str, str] | None
) -> None:
    def find_email_column(table: str, texts: Sequence[str]) -> str:
        del table
        return "holds_addresses" if "holds_addresses" in texts else ""

    people = find_people_table(tables, find_email_column)
    assert (people and (people.table, people.email)) == people_table


@pytest.mark.parametrize(
    ("upper", "email", "select"),
    [
        (False, "Email", "select id, Email, FirstName\nfrom {{ ref('people') }}\nwhere Email is not null\n"),
        (
            False,
            'E-"Mail',
            (
                'select id, "E-""Mail" as email, FirstName\nfrom {{ ref(\'people\') }}\n'
                'where "E-""Mail" is not null\n'
            ),
        ),
        (
            True,
            "EMAIL",
            (
                'select "id" as id, EMAIL, "FirstName" as FirstName\nfrom {{ ref(\'people\') }}\n'
                "where EMAIL is not null\n"
            ),
        ),
        (
            True,
            "",
            (
                'select "id" as id, "FirstName" as FirstName\nfrom {{ ref(\'people\') }}\n'
                'where "id" is not null\n'
            ),
        ),
    ],
)
def test_names_that_need_quotes_get_them(*, upper: bool, email: str, select: str) -> None:
    people = PeopleTable("people", email, "id", {"first_name": "FirstName"})
    assert render_first_model(people, "A list", folds_to_upper_case=upper).endswith(select)


def _write_manifest(cli: CommandLine, *tables: str, **fields: Any) -> None:
    """Write what dbt writes when it has built these tables; `fields` are of the first node."""
    nodes = {
        f"model.shop.{name}": {
            "resource_type": "model",
            "name": name,
            "package_name": "shop",
            "version": None,
            "relation_name": f'"shop"."main"."{name}"',
        }
        | (fields if name == tables[0] else {})
        for name in tables
    }
    metadata = {
        "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
        "project_name": "shop",
        "adapter_type": "duckdb",
    }
    document = {"metadata": metadata, "nodes": nodes, "sources": {}, "macros": {}, "disabled": {}}
    cli.write("target/manifest.json", json.dumps(document))
    cli.write("target/run_results.json", '{"args": {"target": "trial"}, "results": []}')


@pytest.mark.parametrize(
    "table",
    [
        "shoppers AS SELECT email AS reach, first_name FROM customers",
        "users AS SELECT row_number() OVER () AS user_id, first_name FROM customers",
    ],
)
def test_models_of_a_people_table_of_any_kind_can_run(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    """The first model, and the ready models of people: a list, a list column, and profiles."""
    (cli.folder / "models" / "vip.sql").unlink()
    (cli.folder / "profiles.yml").unlink()
    cli.sql(f"CREATE TABLE {table}", "DROP TABLE customers")
    monkeypatch.chdir(cli.folder)
    for flags in ((), *(("--template", name) for name in ("join", "list_column", "profiles"))):
        written = CliRunner().invoke(app, ["init", *flags])
        assert written.exit_code == 0, written.output
        assert f"reads {table.split(maxsplit=1)[0]}" in written.output or not flags
    ended = cli.run("run")
    assert (ended.code, ended.out.count(" 20 ")) == (0, 4), ended


def test_a_name_that_would_be_jinja_in_a_model_is_left_out(cli: CommandLine) -> None:
    (cli.folder / "models" / "vip.sql").unlink()
    (cli.folder / "profiles.yml").unlink()
    cli.sql(
        """CREATE TABLE "customers') }} {{ env_var('HOME" AS SELECT email FROM customers""",
        """CREATE TABLE shoppers AS SELECT email, first_name AS "first{{ 1/0 }}name" FROM customers""",
        "DROP TABLE customers",
    )
    assert cli.run("init").code == 0
    text = (cli.folder / "models" / "first_list.sql").read_text()
    assert text.endswith("select email\nfrom {{ ref('shoppers') }}\nwhere email is not null\n")
    assert cli.run("plan").code == 0


def test_in_a_folder_with_a_warehouse_the_next_commands_work(cli: CommandLine) -> None:
    (cli.folder / "profiles.yml").unlink()
    (cli.folder / "models" / "vip.sql").unlink()
    begun = cli.run("init")
    assert begun.code == 0
    assert begun.out == (
        "wrote profiles.yml: the warehouse is shop.duckdb, the destination a sandbox\n"
        "wrote models/first_list.sql: selects everyone in customers with an e-mail; adapt it\n"
        "\nNext: reverse-etl debug, then reverse-etl plan"
    )
    assert (cli.folder / "models" / "first_list.sql").read_text() == (
        "-- Each row that this query returns becomes a member of the list.\n"
        "-- A member whose row disappears is removed, if this model added it.\n"
        "{{ config(\n    surface='list_memberships',\n    list='My first list',\n"
        "    identifiers={'email': 'email'},\n) }}\n"
        "select email, first_name\nfrom {{ ref('customers') }}\nwhere email is not null\n"
    )
    assert cli.run("debug").code == 0
    assert cli.run("plan").code == 0
    assert cli.run("run").code == 0
    again = cli.run("init")
    assert again.code == 0
    assert "has a destination for" in again.out
    assert "models already has models" in again.out


def test_a_project_in_another_folder_gets_a_path_that_is_found(cli: CommandLine) -> None:
    """Paths of profiles.yml are relative to the current folder, from which `init` is called."""
    cli.sql("CREATE TABLE users AS SELECT 'ann@example.com' AS email", file="shop.duckdb")
    (cli.folder / "inner").mkdir()
    (cli.folder / "shop.duckdb").rename(cli.folder / "inner" / "shop.duckdb")
    (cli.folder / "profiles.yml").unlink()
    for command in ("init", "plan"):
        ended = cli.run(command, "--project-dir", "inner")
        assert ended.code == 0, ended


def test_a_folder_with_a_warehouse_does_not_use_the_home_folders_profile(cli: CommandLine) -> None:
    (cli.folder / "profiles.yml").unlink()
    cli.write("b.duckdb", "")
    home = "other:\n  outputs:\n    dev: {type: duckdb, path: elsewhere.duckdb}\n"
    cli.write("home/.dbt/profiles.yml", home)
    begun = cli.run("init", "--warehouse", "shop.duckdb")
    assert begun.code == 0
    assert "wrote profiles.yml: the warehouse is shop.duckdb" in begun.out
    assert (cli.folder / "home" / ".dbt" / "profiles.yml").read_text() == home
    again = cli.run("init", "--warehouse", "b.duckdb")
    assert (again.code, "profiles.yml exists already" in again.err) == (2, True)


@pytest.mark.parametrize("comments", ["", "# ours", "# ours\r\n\r\n"])
def test_a_profiles_file_without_profiles_is_continued(cli: CommandLine, comments: str) -> None:
    """`plan` says of it: run init."""
    path = cli.folder / "profiles.yml"
    path.write_bytes(comments.encode())
    assert cli.run("init").code == 0
    assert path.read_bytes().startswith(comments.encode())
    assert "trial" in yaml.safe_load(path.read_bytes())[cli.folder.name]["destinations"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("config: {}", "No profile has outputs."),
        ("shop:", "No profile has outputs."),
        ("x", "is not a mapping"),
    ],
)
def test_a_profiles_file_without_outputs_is_not_changed(
    cli: CommandLine, content: str, expected: str
) -> None:
    path = cli.write("profiles.yml", content)
    ended = cli.run("init")
    assert (ended.code, path.read_text(encoding="utf-8")) == (2, content)
    assert expected in ended.err


def test_in_a_dbt_project_the_table_is_a_dbt_model(cli: CommandLine) -> None:
    """A raw table of a likelier name lies beside them; `ref` would not find it."""
    cli.write("dbt_project.yml", "name: shop\nprofile: shop\nversion: '1'\n")
    (cli.folder / "models" / "vip.sql").unlink()
    cli.sql("CREATE TABLE clean_people AS SELECT * FROM customers")
    _write_manifest(cli, "clean_people")
    begun = cli.run("init")
    assert begun.code == 0, begun
    assert "everyone in clean_people with an e-mail" in begun.out, begun
    assert cli.run("debug").code == 0


def test_a_dbt_model_in_a_schema_of_its_own_is_found(cli: CommandLine) -> None:
    """A table of its name in the target's schema is another one."""
    cli.write("dbt_project.yml", "name: shop\nprofile: shop\nversion: '1'\n")
    (cli.folder / "models" / "vip.sql").unlink()
    cli.sql(
        "CREATE SCHEMA main_raw",
        "CREATE TABLE main_raw.buyers AS SELECT email AS contact FROM customers",
        "CREATE TABLE buyers AS SELECT 1 AS other",
    )
    _write_manifest(cli, "buyers", schema="main_raw", relation_name='"shop"."main_raw"."buyers"')
    printed = cli.run("init", "--from-dbt", "buyers")
    assert (printed.code, "contact" in printed.out) == (0, True), printed
    begun = cli.run("init")
    assert "everyone in buyers with an e-mail" in begun.out, begun


def test_a_dbt_source_of_the_state_is_written_once(cli: CommandLine) -> None:
    """It names the journal's columns, and nothing is overwritten; the path may have an apostrophe."""
    (cli.folder / "it's").mkdir()
    cli.profiles({"type": "klaviyo", "sandbox": True}, {"path": "it's/shop.duckdb"})
    cli.write("dbt_project.yml", "name: shop\nprofile: shop\nversion: '1'\n")
    begun = cli.run("init", "--dbt-source")
    assert begun.code == 0, begun
    hook = yaml.safe_load(begun.out.partition("dbt_project.yml: ")[2].partition("; add to")[0])
    path = str(cli.folder / "it's" / "shop.reverse_etl.duckdb").replace("'", "''")
    assert hook["on-run-start"].startswith(
        f"ATTACH IF NOT EXISTS '{path}' AS ".replace(str(cli.folder), "<folder>")
    )
    assert "journal: 90d" in begun.out
    (source,) = yaml.safe_load((cli.folder / "models/reverse_etl_state.yml").read_text("utf-8"))["sources"]
    assert (source["database"], source["schema"]) == ("reverse_etl_state", "main")
    for table in source["tables"]:
        columns = [column["name"] for column in table.get("columns", ())]
        known = [part.split()[0] for part in SHARED_TABLES[table["name"]].split(", ")]
        assert [name for name in known if name in columns] == columns
        assert table["name"] != "journal" or columns == known
    again = cli.run("init", "--dbt-source")
    assert (again.code, "exists already" in again.err) == (2, True)


def test_a_dbt_model_is_sent_by_the_yaml_that_init_prints(cli: CommandLine) -> None:
    """As dbt's manifest has it after the YAML was put into the project."""
    cli.write("dbt_project.yml", "name: shop\nprofile: shop\nversion: '1'\n")
    (cli.folder / "models" / "vip.sql").unlink()
    cli.sql('CREATE TABLE buyers AS SELECT email AS "E-Mail", first_name FROM customers')
    _write_manifest(cli, "buyers")
    printed = cli.run("init", "--from-dbt", "buyers")
    assert printed.code == 0
    (node,) = yaml.safe_load(printed.out)["models"]
    columns = {column["name"]: column for column in node["columns"]}
    assert (node["name"], [*columns]) == ("buyers", ["E-Mail", "first_name"])
    _write_manifest(cli, "buyers", config=node["config"], columns=columns)
    assert " 20 " in cli.run("plan").out
    refused = cli.run("init", "--from-dbt", "no_such_model")
    assert (refused.code, "is no table of people that dbt has built" in refused.err) == (2, True)


def test_before_the_first_build_it_says_to_build(cli: CommandLine) -> None:
    cli.write("dbt_project.yml", "name: shop\nprofile: shop\nversion: '1'\n")
    (cli.folder / "shop.duckdb").unlink()
    begun = cli.run("init")
    assert begun.code == 0
    assert begun.err.count("warning") == 1
    assert begun.out.endswith(
        "Next: dbt build, or correct the output in profiles.yml, then: reverse-etl init"
    )


def test_in_an_empty_folder_it_says_what_is_missing(cli: CommandLine) -> None:
    for path in ("profiles.yml", "shop.duckdb", "models/vip.sql"):
        (cli.folder / path).unlink()
    begun = cli.run("init")
    assert begun.code == 0
    assert begun.err == (
        "warning Could not read the warehouse, so wrote no model. "
        "There is no DuckDB file at <folder>/warehouse.duckdb."
    )
    assert begun.out.endswith("Next: correct the output in profiles.yml, then: reverse-etl init")
    assert not (cli.folder / "models" / "first_list.sql").exists()


def test_without_a_table_of_people_it_recommends_a_first_list(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    (cli.folder / "models" / "vip.sql").unlink()
    cli.sql("DROP TABLE customers", "CREATE TABLE stock (sku VARCHAR)")
    monkeypatch.chdir(cli.folder)
    printed = CliRunner().invoke(app, ["init"]).output
    assert "or begin with a ready model: reverse-etl init --template join" in printed


def test_a_dbt_project_without_profiles_gets_one_for_its_duckdb_file(cli: CommandLine) -> None:
    """Under the name that dbt_project.yml asks for, and with the target that was asked for."""
    cli.write("dbt_project.yml", "name: shop\nprofile: acme\nversion: '1'\n")
    (cli.folder / "profiles.yml").unlink()
    begun = cli.run("init", "-t", "dev")
    assert begun.code == 0, begun
    written = yaml.safe_load((cli.folder / "profiles.yml").read_text())
    assert (list(written), written["acme"]["target"]) == (["acme"], "dev")
    assert begun.out.endswith("Next: reverse-etl debug --target dev, then reverse-etl plan --target dev")
    looked = cli.run("debug", "--target", "dev")
    assert (looked.code, "dbt's manifest is missing" in looked.err) == (2, True), "dbt has built nothing yet"


def test_a_dbt_project_without_profiles_and_duckdb_file_says_what_to_do(cli: CommandLine) -> None:
    cli.write("dbt_project.yml", "name: shop\nprofile: acme\nversion: '1'\n")
    (cli.folder / "profiles.yml").unlink()
    (cli.folder / "shop.duckdb").unlink()
    begun = cli.run("init")
    assert (begun.code, "Create the profile that dbt needs" in begun.err) == (2, True)
    assert not (cli.folder / "profiles.yml").exists()


def test_in_a_dbt_project_comments_survive(cli: CommandLine) -> None:
    """The profile is dbt_project.yml's; the model goes where dbt does not build it."""
    cli.write("dbt_project.yml", "name: shop\nprofile: shop\nversion: '1'\n")
    text = (
        "# two profiles\nshop:\n  target: dev\n  outputs:  # as dbt wants them\n"
        "    dev: {type: duckdb, path: shop.duckdb}\n"
    )
    cli.write(
        "profiles.yml", text + "\n# not ours\nother:\n  outputs: {dev: {type: duckdb, path: x.duckdb}}\n"
    )
    begun = cli.run("init")
    assert begun.code == 0, begun
    assert begun.out.startswith("added a sandbox as the destination of shop.dev to profiles.yml\n")
    written = (cli.folder / "profiles.yml").read_text()
    assert (
        written == text + ADDED + "\n# not ours\nother:\n  outputs: {dev: {type: duckdb, path: x.duckdb}}\n"
    )
    assert (cli.folder / "reverse_etl" / "first_list.sql").exists()


def test_a_profile_in_flow_style_is_left_unchanged_with_advice(cli: CommandLine) -> None:
    text = yaml.safe_dump(
        {"shop": {"outputs": {"dev": {"type": "duckdb", "path": "shop.duckdb"}}}}, default_flow_style=True
    )
    cli.write("profiles.yml", text)
    begun = cli.run("init")
    assert begun.code == 2
    assert begun.err.splitlines() == [
        (
            "error init can't add a destination to the profile shop: the profile or its "
            "`destinations` is empty or written on one line."
        ),
        "   at profiles.yml",
        f" next Add this to the profile, beside outputs: destinations: {{dev: {SANDBOX_DESTINATION}}}",
    ]
    assert (cli.folder / "profiles.yml").read_text() == text


@pytest.mark.parametrize("depth", ["", "shop"])
def test_in_a_git_repository_files_with_personal_data_are_ignored(cli: CommandLine, depth: str) -> None:
    """The warehouse, the state, the sandbox and reports hold people, and may lie in the project's folder."""
    (cli.folder / ".git").mkdir()
    (cli.folder / depth).mkdir(exist_ok=True)
    ignored = cli.write(str(Path(depth) / ".gitignore"), "target")
    begun = cli.run("init", "--project-dir", depth or ".")
    assert begun.code == 0
    assert f"added the files that hold personal data to {Path(depth) / '.gitignore'}\n" in begun.out
    warehouse = [] if depth else ["/shop.duckdb*"]
    added = [*warehouse, "*.reverse_etl.duckdb*", "klaviyo_sandbox.sqlite*"]
    assert ignored.read_text().splitlines() == ["target", *added]
    ignored.write_text("*.duckdb\n")
    cli.run("init", "--project-dir", depth or ".")
    assert ignored.read_text().splitlines() == ["*.duckdb", *added[-2:], "target/"]


def test_a_profile_in_the_home_folder_is_not_changed_without_consent(cli: CommandLine) -> None:
    (cli.folder / "profiles.yml").unlink()
    cli.write("dbt_project.yml", "name: shop\nprofile: shop\nversion: '1'\n")
    home = "shop:\n  outputs:\n    dev: {type: duckdb, path: shop.duckdb}\n"
    profile = cli.write("home/.dbt/profiles.yml", home)
    begun = cli.run("init")
    assert begun.code == 2
    assert "without your consent" in begun.err
    assert profile.read_text() == home
    begun = cli.run("init", "--profiles-dir", str(profile.parent))
    assert begun.code == 0
    assert "destinations:" in profile.read_text()
    next_flags = f"--profiles-dir {profile.parent} --target dev".replace(str(cli.folder), "<folder>")
    assert begun.out.endswith(f"Next: reverse-etl debug {next_flags}, then reverse-etl plan {next_flags}")
