"""`plan --rows` and `--format` as a process: changes for a terminal, a pull request or a spreadsheet."""

from __future__ import annotations

import csv
import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.cli.command_line import SELECT

if TYPE_CHECKING:
    from tests.cli.command_line import CommandLine


@pytest.fixture(scope="module")
def sent(shared_cli: CommandLine) -> CommandLine:
    """Let a list be sent, and then change: 3 rows go, 1 comes, and 16 get another name."""
    shared_cli.klaviyo()
    assert shared_cli.run("run").code == 0
    shared_cli.sql(
        "DELETE FROM customers WHERE email IN ('p1@example.com', 'p2@example.com', 'p3@example.com')",
        "UPDATE customers SET first_name = 'New' WHERE email <> 'p0@example.com'",
        "INSERT INTO customers VALUES ('new@example.com', 'N')",
    )
    return shared_cli


@pytest.fixture
def changed(cli: CommandLine, sent: CommandLine) -> CommandLine:
    """Return a copy of the project whose list changed. No test sends anything."""
    cli.copy(sent)
    return cli


def _changes(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.startswith(("  +", "  ~", "  -"))]


def test_a_plan_says_how_many_changes_it_does_not_show(changed: CommandLine) -> None:
    shown = changed.run("plan").out
    assert len(_changes(shown)) == 7
    assert shown.splitlines()[-2:] == [
        "  … and 13 more (--rows all)",
        "  lines that look alike are different rows; --show-values shows their values",
    ]


def test_all_changes_are_shown(changed: CommandLine) -> None:
    shown = changed.run("plan", "--rows", "all").out
    assert len(_changes(shown)) == 20
    assert "more (--rows" not in shown
    assert len(_changes(changed.run("plan", "--rows", "5").out)) == 9


def test_csv_has_each_change_with_its_values(changed: CommandLine) -> None:
    ended = changed.run("plan", "--format", "csv", "--show-values")
    records = [*csv.DictReader(ended.out.splitlines())]
    assert len(records) == 20
    assert {record["model"] for record in records} == {"vip"}
    of_row = {record["row"]: record for record in records}
    assert (of_row["new@example.com"]["operation"], of_row["new@example.com"]["changes"]) == ("add", "")
    assert of_row["p3@example.com"]["operation"] == "remove"
    assert json.loads(of_row["p4@example.com"]["changes"]) == {"first_name": ["First 4", "New"]}


def test_csv_has_no_id_of_a_list_that_is_to_be_created(cli: CommandLine) -> None:
    records = [*csv.DictReader(cli.run("plan", "--format", "csv").out.splitlines())]
    assert {(record["list_id"], record["list"]) for record in records} == {("", "VIP")}


def test_csv_is_masked_by_default(changed: CommandLine) -> None:
    assert "@example.com" not in changed.run("plan", "--format", "csv").out


def test_markdown_has_a_table_and_a_block_of_changes(changed: CommandLine) -> None:
    first, _, *lines = changed.run("plan", "--format", "markdown").out.splitlines()
    where = "Plan of profile `shop`, target `trial`, to `trial/[^`]+`"
    assert re.fullmatch(rf"{where}, made at 2\d{{3}}-\d\d-\d\dT[\d:.]+Z", first)
    assert lines[:2] == [
        (
            "| list | model | staged | valid | snapshot rows | adds | updates | removes "
            "| held | rejected | unchanged |"
        ),
        "| --- | --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |",
    ]
    assert lines[2] == "| `VIP` | `vip` | 18 | 18 | 20 | 1 | 16 | 3 | 0 | 0 | 1 |"
    start = lines.index("```diff")
    assert lines[start - 2] == "### `VIP`, by `vip`"
    block = lines[start + 1 : lines.index("```")]
    assert [line[0] for line in block if line[0] in "+-~"] == ["+", "~", "~", "~", "-", "-", "-"]


def test_no_name_is_read_as_markdown(cli: CommandLine) -> None:
    """A list name with a table's bar, a mention or a code fence stays text."""
    cli.model("vip", SELECT, list="a|b `@team` ```")
    lines = cli.run("plan", "--format", "markdown").out.splitlines()[2:]
    assert lines[2].startswith("| ````a\\|b `@team` ``` *```` | `vip` |")
    assert "### ```` a|b `@team` ``` ````, by `vip`" in lines
    assert "\\* assumed new; Klaviyo was not asked" in lines


def test_a_stopped_list_says_so_in_markdown(changed: CommandLine) -> None:
    changed.sql("DELETE FROM customers")
    ended = changed.run("plan", "--format", "markdown")
    assert ended.code == 3
    assert any(line.startswith("stopped: ") for line in ended.out.splitlines())


def test_a_changed_address_is_one_change_of_one_person(cli: CommandLine) -> None:
    """In the text, JSON and CSV: the old and the new address, found by the other identifier."""
    cli.klaviyo()
    cli.model(
        "vip",
        "select email, first_name as id from {{ ref('customers') }}",
        list="VIP",
        identifiers={"email": "email", "external_id": "id"},
    )
    assert cli.run("run").code == 0
    cli.sql("UPDATE customers SET email = 'z@example.org' WHERE email = 'p7@example.com'")
    change = "~ z@example.org   email: 'p7@example.com' -> 'z@example.org'"
    note = "; one person, counted as an add and a remove"
    shown = cli.run("plan", "--show-values").out
    assert _changes(shown) == [change + note]
    assert "more (--rows" not in shown
    (listed,) = json.loads(cli.run("plan", "--json", "--show-values").out)["lists"]
    assert (listed["adds"], listed["removes"]) == (1, 1)
    assert listed["sample"] == [
        {
            "op": "replace",
            "identity": "email:z@example.org",
            "replaces": "email:p7@example.com",
            "identifiers": {"email": "z@example.org", "external_id": "First 7"},
            "before": {"email": "p7@example.com"},
            "after": {"email": "z@example.org"},
        }
    ]
    (record,) = csv.DictReader(cli.run("plan", "--format", "csv", "--show-values").out.splitlines())
    assert (record["operation"], record["row"], record["external_id"]) == (
        "replace",
        "z@example.org",
        "First 7",
    )


def test_an_id_tells_apart_people_whose_masked_addresses_are_the_same(cli: CommandLine) -> None:
    cli.klaviyo()
    cli.sql("DELETE FROM customers WHERE email NOT IN ('p0@example.com', 'p1@example.com', 'p2@example.com')")
    cli.model(
        "vip",
        "select email, first_name as id, {{ var('tier', 1) }} as tier from {{ ref('customers') }}",
        list="VIP",
        identifiers={"email": "email", "external_id": "id"},
    )
    people = [f"p*@e******.com (external_id First {number})" for number in range(3)]
    assert _changes(cli.run("plan").out) == [f"+ {person}" for person in people]
    assert cli.run("run").code == 0
    cli.sql("DELETE FROM customers WHERE email = 'p2@example.com'")
    shown = cli.run("plan", "--vars", "{tier: 2}").out
    updates = [f"~ {person}   tier: 1 -> 2" for person in people[:2]]
    assert _changes(shown) == [*updates, f"- {people[2]}"]
    assert "look alike" not in shown


def test_a_plan_says_why_rows_are_rejected_with_columns_and_an_example(cli: CommandLine) -> None:
    cli.sql("INSERT INTO customers VALUES ('p1@example.com', 'Other'), ('broken', 'B')")
    lines = cli.run("plan", "--show-values").out.splitlines()
    assert [cell for line in lines if line.startswith("VIP *") for cell in line.split()[2:5]] == [
        "vip",
        "22",
        "19",
    ]
    assert (
        "  2 rejected: conflicting rows for one person or key: they differ in first_name, "
        "such as p1@example.com" in lines
    )
    assert "  1 rejected: e-mail is malformed: broken" in lines


@pytest.mark.parametrize(
    ("flags", "example"),
    [((), "b***** (external_id c-1)"), (("--show-values",), "broken (external_id c-1)")],
)
def test_an_example_of_a_rejected_row_has_the_id_by_which_the_person_is_looked_up(
    cli: CommandLine, flags: tuple[str, ...], example: str
) -> None:
    """The id is that of the same row: another rejected row, with another id or none, lends it none."""
    cli.model(
        "vip",
        "select email, first_name as id from {{ ref('customers') }}",
        list="VIP",
        identifiers={"email": "email", "external_id": "id"},
    )
    cli.sql("INSERT INTO customers VALUES ('broken', 'c-1'), ('broken too', 'a-1'), ('broken as well', NULL)")
    said = f"3 rejected: e-mail is malformed, such as {example}"
    assert said in cli.run("plan", *flags).out
    (listed,) = json.loads(cli.run("plan", "--json", *flags).out)["lists"]
    (rejected,) = listed["rejected_sample"]
    assert (rejected["code"], rejected["identifiers"]["external_id"]) == ("email_malformed", "c-1")
    cli.sql("UPDATE customers SET first_name = NULL WHERE email = 'broken'")
    assert "such as b*****" in cli.run("plan").out
    assert "(external_id a-1)" not in cli.run("plan").out


def test_detailed_exit_codes_are_those_of_terraform(cli: CommandLine) -> None:
    """0 nothing to send, 2 changes, 1 an error that ends with 2 otherwise; guards keep their 3."""
    cli.klaviyo()
    flags = ("plan", "--detailed-exitcode")
    assert cli.run("plan").code == 0
    assert cli.run(*flags).code == 2
    assert cli.run("run").code == 0
    assert cli.run(*flags).code == 0
    assert cli.run(*flags, "--rows", "0").code == 1
    assert cli.run(*flags, "--select", "vipp").code == 1
    cli.sql("DELETE FROM customers")
    assert cli.run(*flags).code == 3


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--rows", "0"], "'0' is not a number of rows, and not 'all'."),
        (["--rows", "some"], "'some' is not a number of rows, and not 'all'."),
        (["--json", "--format", "csv"], "--format conflicts with --json."),
    ],
)
def test_a_view_that_cannot_be_shown_is_refused(cli: CommandLine, flags: list[str], message: str) -> None:
    ended = cli.run("plan", *flags)
    assert ended.code == 2
    assert message in ended.err
