"""The dbt package records the results of each command of the real dbt in a table."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import duckdb
import pytest

from tests.dbt.real_dbt import dbt, edit

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

PEOPLE = "models/marts/people_v2.sql"
KINDS = ("model", "seed", "snapshot", "test", "unit_test", "source")


def recorded_rows(folder: Path) -> list[tuple[str, str, int]]:
    """Return (node, status, failures) of the newest invocation, by node."""
    rows = ask(
        folder,
        "select unique_id, status, failures from reverse_etl_dbt_results where resource_type <> 'invocation' "
        "and recorded_at = (select max(recorded_at) from reverse_etl_dbt_results) order by 1",
    )
    return [(node, status, failures or 0) for node, status, failures in rows]


def ask(folder: Path, query: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    with duckdb.connect(folder / "corner_shop.duckdb", read_only=True) as connection:
        return connection.execute(query).fetchall()


def change(folder: Path, *statements: str) -> None:
    """Change the warehouse."""
    with duckdb.connect(folder / "corner_shop.duckdb") as connection:
        for statement in statements:
            connection.execute(statement)


def artifact(folder: Path, name: str = "run_results.json") -> Any:
    """Return what dbt wrote into its target folder."""
    return json.loads((folder / "target" / name).read_text())


def artifact_rows(folder: Path) -> list[tuple[str, str, int]]:
    """Return (node, status, failures) as run_results.json has them, by node."""
    results = artifact(folder)["results"]
    kept = [each for each in results if each["unique_id"].split(".")[0] in KINDS]
    return sorted((each["unique_id"], each["status"], each["failures"] or 0) for each in kept)


def test_each_command_records_what_its_run_results_say(recorded_shop: Path) -> None:
    """Node by node: a build that fails, the retry that repairs it, tests alone, one model alone."""
    shop = recorded_shop
    assert recorded_rows(shop) == artifact_rows(shop)
    assert {status for _, status, _ in recorded_rows(shop)} == {"success", "pass"}

    edit(shop / PEOPLE, "first_name, city", "first_name, cast(email as integer) as city")
    dbt(shop, "build", fails=True)
    assert recorded_rows(shop) == artifact_rows(shop)
    assert ("model.corner_shop.people.v2", "error", 0) in recorded_rows(shop)

    edit(shop / PEOPLE, "cast(email as integer) as city", "city")
    dbt(shop, "retry")
    assert recorded_rows(shop) == artifact_rows(shop)
    assert ("model.corner_shop.people.v2", "success", 0) in recorded_rows(shop)
    assert len(recorded_rows(shop)) < 16, "a retry runs what failed, and its tests"

    edit(shop / "tests/nobody_pays_less_than_nothing.sql", "spent < 0", "spent > 0")
    dbt(shop, "test", fails=True)
    assert recorded_rows(shop) == artifact_rows(shop)
    assert ("test.corner_shop.nobody_pays_less_than_nothing", "fail", 3) in recorded_rows(shop)

    dbt(shop, "run", "--select", "visits")
    assert recorded_rows(shop) == [("model.corner_shop.visits", "success", 0)]
    (counted,) = ask(shop, "select count(distinct invocation_id) from reverse_etl_dbt_results")
    assert counted == (5,)


def test_a_row_says_which_relation_when_and_by_which_command(recorded_shop: Path) -> None:
    """A generic test has the relation of what it tests. Times are UTC, and the invocation is dbt's own."""
    dbt(recorded_shop, "build", "--target", "trial", "--empty", "--select", "visits")
    results = artifact(recorded_shop)
    rows = ask(
        recorded_shop,
        "select unique_id, relation_name, command, target_name, without_rows, invocation_id, completed_at "
        "from reverse_etl_dbt_results where without_rows and resource_type <> 'invocation'",
    )
    assert len(rows) == 4
    assert {row[2:5] for row in rows} == {("build", "trial", True)}
    assert {row[5] for row in rows} == {results["metadata"]["invocation_id"]}
    relations = {row[0].split(".")[2]: row[1] for row in rows}
    relation = '"corner_shop"."shop_marts"."visit_totals"'
    assert relations == {
        "visits": relation,
        "unique_visits_email": relation,
        "not_null_visits_email": relation,
        "nobody_pays_less_than_nothing": None,
    }
    (visits,) = [each for each in results["results"] if each["unique_id"].endswith(".visits")]
    (completed,) = [row[6] for row in rows if row[0].endswith(".visits")]
    assert visits["timing"][-1]["completed_at"] == completed.isoformat() + "Z"


@pytest.mark.parametrize("command", ["compile", "docs generate", "ls", "parse", "show --inline 'select 1'"])
def test_a_command_that_builds_nothing_records_nothing(recorded_shop: Path, command: str) -> None:
    before = ask(recorded_shop, "from reverse_etl_dbt_results order by all")
    dbt(recorded_shop, *(word.strip("'") for word in command.split(maxsplit=2)))
    assert ask(recorded_shop, "from reverse_etl_dbt_results order by all") == before


def test_a_source_is_recorded_with_the_time_of_its_newest_row(recorded_shop: Path) -> None:
    fresh = "{error_after: {count: 1, period: day}}"
    edit(
        recorded_shop / "models/sources.yml",
        "identifier: receipts\n",
        "identifier: receipts\n        loaded_at_field: cast(paid_on as timestamp)\n"
        f"        freshness: {fresh}\n",
    )
    dbt(recorded_shop, "source", "freshness", fails=True)
    rows = ask(
        recorded_shop,
        "select unique_id, status, max_loaded_at::text from reverse_etl_dbt_results "
        "where resource_type = 'source'",
    )
    assert rows == [("source.corner_shop.till.payments", "error", "2026-05-11 00:00:00")]


def test_nodes_skipped_after_a_failed_hook_are_recorded(recorded_shop: Path) -> None:
    """Dbt gives its last hook no results then."""
    edit(
        recorded_shop / "dbt_project.yml",
        "flags:\n",
        "flags:\n  skip_nodes_if_on_run_start_fails: true\n",
    )
    edit(recorded_shop / "dbt_project.yml", "on-run-start:\n", 'on-run-start:\n  - "select * from nothing"\n')
    dbt(recorded_shop, "build", "--select", "visits", fails=True)
    assert recorded_rows(recorded_shop) == artifact_rows(recorded_shop)
    assert {status for _, status, _ in recorded_rows(recorded_shop)} == {"skipped"}


REFUSALS = {
    "a view has the name": (
        ["drop table reverse_etl_dbt_results", "create view reverse_etl_dbt_results as select 1 as a"],
        "a view has this name",
    ),
    "a table of another make has the name": (
        ["drop table reverse_etl_dbt_results", "create table reverse_etl_dbt_results (unique_id varchar)"],
        "a table with other columns has this name",
    ),
}


@pytest.mark.parametrize(("statements", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_a_table_that_cannot_be_written_is_a_warning_and_fails_no_build(
    recorded_shop: Path, statements: list[str], reason: str
) -> None:
    """Also where dbt makes its own warnings errors."""
    change(recorded_shop, *statements)
    printed = dbt(
        recorded_shop, "--warn-error-options", "{error: [JinjaLogWarning]}", "build", "-s", "visits"
    )
    assert "[WARNING]: reverse_etl could not record the results of this command" in printed
    assert reason in printed
    assert "ERROR=0" in printed


def test_a_missing_table_and_schema_are_created(recorded_shop: Path) -> None:
    edit(recorded_shop / "profiles.yml", "schema: main, threads", "schema: fresh, threads")
    dbt(recorded_shop, "build", "--select", "visits")
    (count,) = ask(recorded_shop, "select count(*) from fresh.reverse_etl_dbt_results")
    assert count == (5,)


def test_old_results_are_deleted_except_the_newest_of_each_node(recorded_shop: Path) -> None:
    """The table stays small, and what a node came to last stays known."""
    table = "reverse_etl_dbt_results"
    gone = "'model.shop.gone', 'error', timestamp '2020-01-01'"
    change(
        recorded_shop,
        f"insert into {table} select * replace (recorded_at - interval 200 days as recorded_at) from {table}",
        f"insert into {table} (unique_id, status, recorded_at) values ({gone})",
    )
    dbt(recorded_shop, "run", "--select", "visits")
    assert ask(
        recorded_shop, f"select count(*) from {table} where recorded_at < now() - interval 100 days"
    ) == [(1,)]
    dbt(recorded_shop, "run", "--select", "visits", "--vars", "{reverse_etl_keep_days: 0}")
    assert ask(recorded_shop, f"select count(*), count(distinct unique_id) from {table}") == [(18, 18)]


def test_names_with_quotes_are_written_as_they_are(recorded_shop: Path) -> None:
    edit(recorded_shop / "models/marts/visits.sql", "alias='visit_totals'", '''alias="it's a \\\\ $$"''')
    dbt(recorded_shop, "run", "--select", "visits")
    rows = ask(
        recorded_shop,
        "select relation_name from reverse_etl_dbt_results where unique_id = 'model.corner_shop.visits' "
        "order by recorded_at desc limit 1",
    )
    (visits,) = [each for each in artifact(recorded_shop)["results"] if each["unique_id"].endswith(".visits")]
    assert "it's a" in visits["relation_name"]
    assert rows == [(visits["relation_name"],)]


def test_more_results_than_one_statement_takes_are_all_recorded(recorded_shop: Path) -> None:
    """500 rows go into one INSERT."""
    macro = """
        {% macro record_made_up_results(count) %}
            {% set now, rows = modules.datetime.datetime.now(modules.pytz.utc), [] %}
            {% for number in range(count) %}
                {% do rows.append(reverse_etl.row('model.m' ~ number, 'model', 'success', now, now)) %}
            {% endfor %}
            {% do adapter.dispatch('write_results', 'reverse_etl')(rows) %}
        {% endmacro %}
    """
    (recorded_shop / "macros").mkdir(exist_ok=True)
    (recorded_shop / "macros/record_made_up_results.sql").write_text(macro)
    dbt(recorded_shop, "run-operation", "record_made_up_results", "--args", "{count: 1205}")
    nodes = [node for node, _, _ in recorded_rows(recorded_shop)]
    assert nodes == sorted(f"model.m{number}" for number in range(1205))


def test_without_the_package_there_is_no_table(built: Path) -> None:
    assert not ask(built, "from duckdb_tables() where table_name = 'reverse_etl_dbt_results'")
    assert not (built / "dbt_packages" / "reverse_etl").exists()
