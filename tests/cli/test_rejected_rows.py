"""`reverse-etl status --rejected` as a process: each rejected row, masked, with its reason."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import pytest

from reverse_etl.sandbox import Fault, FaultKind
from tests.cli.command_line import SELECT

if TYPE_CHECKING:
    from tests.cli.command_line import CommandLine


@pytest.fixture(scope="module")
def sent(shared_cli: CommandLine) -> CommandLine:
    """Let rows be rejected by the checks, of which two are equal and have no identifier, and by Klaviyo."""
    sandbox = shared_cli.klaviyo()
    sandbox.add_fault(Fault(FaultKind.REFUSE_ROWS, pattern="^p3@", code="invalid", detail="No."))
    rows = "('x', 'y'), (NULL, 'nobody'), (NULL, 'nobody'), ('=1+1', 'z')"
    shared_cli.sql(f"INSERT INTO customers VALUES {rows}")
    assert shared_cli.run("run").code == 1
    shared_cli.environ.clear()  # no key is needed
    return shared_cli


@pytest.fixture
def rejected(cli: CommandLine, sent: CommandLine) -> CommandLine:
    """Return a copy of the project with rejected rows. No test sends anything."""
    cli.copy(sent)
    return cli


def test_each_rejected_row_is_listed_with_its_reason(rejected: CommandLine) -> None:
    ended = rejected.run("status", "--rejected")
    assert ended.code == 0
    listed = ended.out
    assert "p*@e******.com" in listed
    assert "p3@example.com" not in listed
    assert "error from Klaviyo: invalid (email): No." in listed
    assert "e-mail is malformed" in listed
    assert "(no identifier)" in listed
    assert "To look up a masked row: add --show-values, then reverse-etl explain VALUE." in listed
    shown = rejected.run("status", "--rejected", "--show-values").out
    assert "p3@example.com" in shown
    assert "=1+1" in shown
    assert "e-mail is malformed" in rejected.run("explain", "=1+1").out


def test_csv_has_every_row_and_runs_no_formula(rejected: CommandLine) -> None:
    ended = rejected.run("status", "--rejected", "--format", "csv", "--show-values")
    records = [*csv.DictReader(ended.out.splitlines())]
    assert {record["row"]: (record["code"], record["source"]) for record in records} == {
        "p3@example.com": ("invalid", "klaviyo"),
        "x": ("email_malformed", "check"),
        "'=1+1": ("email_malformed", "check"),
        "(no identifier)": ("no_identifier", "check"),
    }
    assert {(record["model"], record["list"]) for record in records} == {("vip", "VIP")}
    assert all(record["since"] for record in records)


def test_a_selector_that_matches_nothing_prints_no_header(rejected: CommandLine) -> None:
    ended = rejected.run("status", "--rejected", "--format", "csv", "--select", "typo")
    assert (ended.code, ended.out) == (2, "")


def test_json_has_every_row(rejected: CommandLine) -> None:
    document = json.loads(rejected.run("status", "--rejected", "--json").out)
    assert [row["rows"] for row in document["rejected"] if row["row"] is None] == [2]
    assert {"model", "list_id", "list", "row", "rows", "source", "code", "field", "detail", "since"} == set(
        document["rejected"][0]
    )


def test_only_the_rows_of_selected_models_are_listed(rejected: CommandLine) -> None:
    rejected.model("other", SELECT, list="Other")
    assert rejected.run("status", "--rejected", "--select", "other").out.strip() == "No row is rejected."


def test_a_long_table_says_how_to_get_the_rest(cli: CommandLine) -> None:
    cli.sql("INSERT INTO customers SELECT 'x' || i, 'y' FROM range(130) AS t(i)")
    assert cli.run("run", "--allow-rejected", "vip").code in {0, 1}
    ended = cli.run("status", "--rejected")
    assert len(ended.out.splitlines()) == 104
    assert "Lines that look alike are different rows; --show-values shows their values." in ended.out
    assert ended.out.rstrip().endswith(
        "… and 30 more rows. All of them: reverse-etl status --rejected --format csv"
    )


@pytest.mark.parametrize("flags", [["--format", "csv"], ["--rejected", "--format", "csv", "--json"]])
def test_a_format_is_only_for_a_list_of_rejected_rows(cli: CommandLine, flags: list[str]) -> None:
    ended = cli.run("status", *flags)
    assert ended.code == 2
    assert "--format is for --rejected and --held, without --json." in ended.err
