"""`reverse-etl history` as a process: the runs, and what each did to a model's lists."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.report.wording import RunEnding
from reverse_etl.sandbox import Fault, FaultKind

if TYPE_CHECKING:
    from tests.cli.command_line import CommandLine

DOCUMENT = Path(__file__).parents[2] / "docs" / "cli.md"


@pytest.fixture(scope="module")
def recorded(shared_cli: CommandLine) -> CommandLine:
    """Let three runs be recorded: with a refused row, without changes, and stopped by a guard."""
    sandbox = shared_cli.klaviyo()
    sandbox.add_fault(Fault(FaultKind.REFUSE_ROWS, pattern="^p3@", code="invalid", detail="No."))
    assert shared_cli.run("run").code == 1
    sandbox.clear_faults()
    assert shared_cli.run("run").code == 0
    shared_cli.sql("DELETE FROM customers")
    assert shared_cli.run("run").code == 3
    return shared_cli


@pytest.fixture
def three_runs(cli: CommandLine, recorded: CommandLine) -> CommandLine:
    """Return a copy of the project with three runs."""
    cli.copy(recorded)
    return cli


def rows(text: str) -> list[list[str]]:
    """Return the cells of a table's rows."""
    return [re.split(r"\s{2,}", line.strip()) for line in text.splitlines()[2:]]


def test_runs_are_listed_newest_first_without_a_key(three_runs: CommandLine) -> None:
    three_runs.environ.clear()
    ended = three_runs.run("history")
    assert ended.code == 0
    shown = rows(ended.out)
    assert [row[3] if len(row) == 10 else row[2] for row in shown] == [
        "stopped by a guard",
        "done",
        "rows need attention",
    ]
    assert shown[2][-5:] == ["19", "0", "1", "0", "0"]


def test_the_lists_of_a_model_are_shown_run_by_run(three_runs: CommandLine) -> None:
    """A run that did not include the model is left out, and so is one that recorded no list."""
    shown = rows(three_runs.run("history", "--model", "vip").out)
    assert [row[2:5] for row in shown] == [["vip", "VIP", "unchanged"], ["vip", "VIP", "updated"]]
    missing = three_runs.run("history", "--model", "other").out
    assert missing == "No recorded run included other. To see the models: reverse-etl ls"


def test_a_project_without_runs_has_no_history(cli: CommandLine) -> None:
    for arguments in ([], ["--model", "vip"]):
        assert cli.run("history", *arguments).out.startswith("No run is recorded yet.")


def test_rows_that_a_limit_defers_count_once(cli: CommandLine) -> None:
    """A run counts a deferred row as not sent, too."""
    cli.klaviyo()
    assert cli.run("run", "--limit", "5").code == 0
    assert rows(cli.run("history").out)[0][-1] == "15"
    assert rows(cli.run("history", "--model", "vip").out)[0][-1] == "15"


def test_a_limit_says_how_many_runs_are_not_shown(three_runs: CommandLine) -> None:
    ended = three_runs.run("history", "--limit", "1")
    assert len(rows(ended.out)) == 2
    assert ended.out.endswith("… and 2 earlier runs: --limit 3")
    assert three_runs.run("history", "--limit", "2").out.endswith("… and 1 earlier run: --limit 3")


def test_the_json_has_every_run_with_its_lists(three_runs: CommandLine) -> None:
    """The document of the command line has its keys."""
    document = json.loads(three_runs.run("history", "--json").out)
    assert {run["result"] for run in document["runs"]} <= {*RunEnding}
    assert document["run_count"] == 3
    assert [(run["exit_code"], len(run["lists"])) for run in document["runs"]] == [(3, 0), (0, 1), (1, 1)]
    assert document["runs"][2]["lists"][0]["applied"] == 19
    section = DOCUMENT.read_text(encoding="utf-8").partition("## What `history --json` says")[2]
    section = section.partition("\n## ")[0]
    keys: set[Any] = {*document, *document["runs"][0]}
    assert keys <= set(re.findall(r"[.`]([a-z_]+)[`\[]", section))


def test_a_project_without_runs_says_what_to_do(cli: CommandLine) -> None:
    cli.klaviyo()
    ended = cli.run("history")
    assert (ended.out, ended.code) == (
        "No run is recorded yet. To see what a run would send: reverse-etl plan",
        0,
    )


def test_a_run_that_failed_before_it_sent_a_row_is_shown_with_its_reason(three_runs: CommandLine) -> None:
    three_runs.model("other", "select email from nowhere", list="Other")
    assert three_runs.run("run").code == 2
    assert three_runs.run("run", "--select", "nobody").code == 2  # names no model: this is no run
    table, line = three_runs.run("history").out.rsplit("\n", 1)
    assert "failed before it sent a row" in table.splitlines()[2]
    assert len(rows(table)) == 4
    assert re.fullmatch(
        r"Run \S+ failed before it sent a row \(model\): .* nowhere .* At models/other.sql:2:\d+\.", line
    )
