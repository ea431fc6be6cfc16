"""The task that `init --schedule snowflake` writes: SQL of Snowflake's, from the profile."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlglot
import yaml
from click.testing import CliRunner

from reverse_etl.cli import app
from reverse_etl.config.profiles import load_target
from reverse_etl.domain.engine import Engine
from reverse_etl.errors import UsageError
from reverse_etl.warehouse.snowflake.task import render_snowflake_task

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from reverse_etl.config.target import Target
    from tests.gold import Gold

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "docs" / "schedules" / "snowflake-task.sql"
ENVIRON = {"SNOWFLAKE_KEY_PATH": "key.p8"}
KEYS: dict[str, Any] = {"role": "RETL", "warehouse": "RETL_XS", "database": "ANALYTICS", "schema": "MARTS"}


def target(folder: Path, destination: Mapping[str, str] | None = None, **output: Any) -> Target:
    """Return a target of an output with these keys, and of a destination with more than its type."""
    entry = {"type": "snowflake", "account": "ab12345", "user": "RETL", "password": "hunter2"} | output
    profile = {
        "outputs": {"prod": entry},
        "destinations": {"prod": {"type": "klaviyo", **(destination or {})}},
        "target": "prod",
    }
    (folder / "profiles.yml").write_text(yaml.safe_dump({"shop": profile}))
    return load_target(folder, profiles_dir=folder, environ={})


def statements(text: str) -> list[Any]:
    """Return the statements, as sqlglot reads Snowflake's SQL."""
    return [each for each in sqlglot.parse(text, dialect="snowflake") if each is not None]


def specification(text: str) -> dict[str, dict[str, Any]]:
    """Return what the container's specification says."""
    found = re.search(r"\$\$\n(.*?)\$\$", text, flags=re.DOTALL)
    assert found is not None
    return dict(yaml.safe_load(found[1]))


def test_the_example_file_is_the_output_for_the_example_profile(tmp_path: Path, gold: Gold) -> None:
    """docs/schedules/snowflake-task.sql is generated; --update-gold brings it up to date."""
    example = tmp_path / "profiles.yml"
    example.write_text((ROOT / "profiles.example.yml").read_text())
    prod = load_target(tmp_path, profiles_dir=tmp_path, profile=None, target="prod", environ=ENVIRON)
    made = render_snowflake_task(prod, "ANALYTICS.DBT.BUILD")
    gold.check(KEPT, made)


STATEMENTS = """\
USE ROLE ACCOUNTADMIN|CREATE TRANSIENT SCHEMA IF NOT EXISTS|CREATE IMAGE REPOSITORY IF NOT EXISTS
CREATE OR REPLACE NETWORK RULE|CREATE SECRET IF NOT EXISTS|CREATE OR REPLACE EXTERNAL ACCESS INTEGRATION
CREATE COMPUTE POOL IF NOT EXISTS|GRANT USAGE ON DATABASE
GRANT USAGE, CREATE TABLE, CREATE SERVICE|GRANT USAGE, CREATE TASK
GRANT READ ON IMAGE REPOSITORY|GRANT READ ON SECRET|GRANT USAGE ON INTEGRATION
GRANT USAGE, MONITOR ON COMPUTE POOL
GRANT USAGE ON WAREHOUSE|GRANT EXECUTE TASK ON ACCOUNT|USE ROLE RETL
CREATE OR REPLACE TASK|CREATE OR REPLACE TASK|ALTER TASK|ALTER TASK"""


@pytest.mark.parametrize("after", [None, "ANALYTICS.DBT.BUILD"])
def test_every_statement_parses_as_snowflake_sql(tmp_path: Path, after: str | None) -> None:
    """It parses, statement by statement; what sqlglot has no tree for, it keeps as a command of its own."""
    made = statements(render_snowflake_task(target(tmp_path, **KEYS), after))
    expected = re.split(r"[|\n]", STATEMENTS)
    assert len(made) == len(expected)
    for statement, beginning in zip(made, expected, strict=True):
        statement.comments = None
        bare = re.sub(r"/\*.*?\*/", "", statement.sql(dialect="snowflake"), flags=re.DOTALL).split()
        assert " ".join(bare).startswith(beginning)


def test_the_container_gets_the_key_from_a_secret_and_runs_the_target(tmp_path: Path) -> None:
    """Its arguments are a command line of ours; no secret of the profile is in the SQL."""
    text = render_snowflake_task(target(tmp_path, **KEYS))
    (container,) = specification(text)["spec"]["containers"]
    assert container["image"] == "/analytics/reverse_etl/images/reverse_etl:latest"
    (secret,) = container["secrets"]
    assert secret["envVarName"] == "DESTINATIONS__KLAVIYO__PRIVATE_API_KEY"
    assert secret["snowflakeSecret"] == {"objectName": "ANALYTICS.REVERSE_ETL.KLAVIYO_KEY"}
    with app.make_context("reverse-etl", list(container["args"])) as context:
        name, command, rest = app.resolve_command(context, [*context._protected_args, *context.args])
        assert (name, rest) == ("run", ["--target", "prod"])
        assert command is not None
        command.make_context(name, rest, parent=context).close()
    assert "hunter2" not in text
    # Snowflake takes these clauses in this order alone.
    order = ["IN COMPUTE POOL", "NAME =", "EXTERNAL_ACCESS_INTEGRATIONS =", "FROM SPECIFICATION"]
    places = [text.index(clause, text.index("AS EXECUTE JOB SERVICE")) for clause in order]
    assert places == sorted(places)
    assert text.index("REVERSE_ETL_RUN RESUME") < text.index("REVERSE_ETL_CLEAR RESUME"), "a child first"


def test_the_documented_output_for_the_container_loads(tmp_path: Path) -> None:
    """It signs in by the token that Snowflake lays there."""
    text = render_snowflake_task(target(tmp_path, **KEYS))
    lines = [line.removeprefix("--        ") for line in text.splitlines() if line.startswith("--        ")]
    shown = yaml.safe_load("\n".join(lines))
    profile = {"outputs": shown, "destinations": {"prod": {"type": "klaviyo"}}, "target": "prod"}
    (tmp_path / "profiles.yml").write_text(yaml.safe_dump({"shop": profile}))
    environ = {"SNOWFLAKE_ACCOUNT": "ab12345", "SNOWFLAKE_HOST": "snowflake.example.com"}
    loaded = load_target(tmp_path, profiles_dir=tmp_path, environ=environ)
    assert loaded.output.type is Engine.SNOWFLAKE
    assert loaded.output.settings["token_file_path"] == "/snowflake/session/token"
    assert loaded.output.settings["authenticator"] == "oauth"


def test_names_that_need_quotes_get_them(tmp_path: Path) -> None:
    text = render_snowflake_task(target(tmp_path, **KEYS | {"role": "retl job"}))
    assert 'TO ROLE "retl job";' in text
    assert statements(text)


def test_a_task_after_dbt_has_no_schedule_and_lies_in_dbts_schema(
    tmp_path: Path,
) -> None:
    """A task graph lies in one schema, and a predecessor that failed starts nothing."""
    text = render_snowflake_task(target(tmp_path, **KEYS), 'ANALYTICS."Dbt jobs".BUILD')
    code = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    assert "SCHEDULE" not in code
    assert 'AFTER ANALYTICS."Dbt jobs".BUILD' in code
    tasks = re.findall(r"CREATE OR REPLACE TASK (\S+ ?\S+)\n", code)
    assert tasks == ['ANALYTICS."Dbt jobs".REVERSE_ETL_CLEAR', 'ANALYTICS."Dbt jobs".REVERSE_ETL_RUN']
    assert "NAME = ANALYTICS.REVERSE_ETL.REVERSE_ETL_JOB" in code
    for name in ("BUILD", "DBT.BUILD", "A.B.C; DROP TABLE T"):
        with pytest.raises(UsageError, match="is not the full name of a task"):
            render_snowflake_task(target(tmp_path, **KEYS), name)


def test_its_objects_lie_in_the_schema_of_the_state(tmp_path: Path) -> None:
    """Where the role keeps its tables; a quoted name stays one."""
    for written, place in (("ops", "ANALYTICS.ops"), ('"Ops state"', 'ANALYTICS."Ops state"')):
        text = render_snowflake_task(target(tmp_path, {"state_schema": written}, **KEYS))
        assert f"GRANT USAGE, CREATE TABLE, CREATE SERVICE ON SCHEMA {place} TO ROLE" in text
        assert f"GRANT USAGE, CREATE TASK ON SCHEMA {place} TO ROLE" in text
        assert "REVERSE_ETL." not in text
        assert statements(text)


@pytest.mark.parametrize(
    ("output", "what"),
    [
        (
            {"type": "duckdb", "path": "a.duckdb"},
            "A Snowflake task runs a target of Snowflake, and prod is duckdb.",
        ),
        ({"database": "A", "schema": "B"}, "The target has no warehouse and no role, which a task needs."),
    ],
)
def test_a_target_that_cannot_be_a_task_says_why(tmp_path: Path, output: dict[str, Any], what: str) -> None:
    with pytest.raises(UsageError) as caught:
        render_snowflake_task(target(tmp_path, **output))
    (problem,) = caught.value.problems
    assert (problem.summary, problem.where) == (what, "shop.outputs.prod")


def test_init_prints_it_and_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made = render_snowflake_task(target(tmp_path, **KEYS), "ANALYTICS.DBT.BUILD")
    before = sorted(tmp_path.iterdir())
    done = CliRunner().invoke(app, ["init", "--schedule", "snowflake", "--after", "ANALYTICS.DBT.BUILD"])
    assert done.exit_code == 0, done.output
    assert done.stdout == made + "\n"
    assert sorted(tmp_path.iterdir()) == before
