"""`reverse-etl status --held` as a process: each row that a run keeps back, masked, with what to do."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.command_line import CommandLine

SELECT = "select email, first_name as external_id from {{ ref('customers') }}"


@pytest.fixture(scope="module")
def sent(shared_cli: CommandLine) -> CommandLine:
    """Let a row be rejected that may be the person of a row that was sent."""
    shared_cli.model("vip", SELECT, list="VIP")
    assert shared_cli.run("run").code == 0
    shared_cli.sql("UPDATE customers SET email = 'p3 at example' WHERE email = 'p3@example.com'")
    ended = shared_cli.run("run")
    assert ended.code == 1
    assert "To see which, and what to do: reverse-etl status --held" in ended.err
    shared_cli.environ.clear()  # no key is needed
    return shared_cli


@pytest.fixture
def held(cli: CommandLine, sent: CommandLine) -> CommandLine:
    """Return a copy of the project with a held row. No test sends anything."""
    cli.copy(sent)
    return cli


def test_each_held_row_is_listed_with_its_reason_and_advice(held: CommandLine) -> None:
    assert "To see which, and what to do: reverse-etl status --held" in held.run("status").out
    ended = held.run("status", "--held")
    assert ended.code == 0
    assert "p*@e******.com (external_id" in ended.out
    assert "p3@example.com" not in ended.out
    assert "the row left the model, but a rejected row may be the same person" in ended.out
    assert "which has the same external_id" in ended.out
    assert "Next steps:\n  rejected_row  Correct the rejected row" in ended.out
    shown = held.run("status", "--held", "--show-values").out
    assert "p3@example.com" in shown
    assert "p3 at example" in shown


def test_csv_and_json_have_every_row(held: CommandLine) -> None:
    records = [*csv.DictReader(held.run("status", "--held", "--format", "csv").out.splitlines())]
    (document,) = json.loads(held.run("status", "--held", "--json").out)["held"]
    assert [{name: document[name] or "" for name in record} for record in records] == records
    assert (document["code"], document["shared"], document["omitted"]) == (
        "rejected_row",
        "external_id",
        None,
    )


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--format", "csv"], "--format is for --rejected and --held, without --json."),
        (["--held", "--rejected"], "Give --rejected or --held, not both."),
    ],
)
def test_flags_that_do_not_fit_are_refused(cli: CommandLine, flags: list[str], message: str) -> None:
    ended = cli.run("status", *flags)
    assert (ended.code, message in ended.err) == (2, True)
