"""`--json` of plan, run and status: the first two share their words; docs/cli.md has every one of them."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.domain.identifiers import mask_identifiers, mask_person, mask_value
from tests.cli.command_line import SELECT

if TYPE_CHECKING:
    from tests.cli.command_line import CommandLine

DOCUMENT = Path(__file__).parents[2] / "docs" / "cli.md"
FIGURES = (
    "rows",
    "snapshot_rows",
    "adds",
    "updates",
    "removes",
    "left_in_place",
    "unchanged",
    "deferred",
    "held_at_plan",
    "rejected_by_check",
    "clears",
    "without_profile",
    "check_rejections",
)


def _document(cli: CommandLine, *command: str) -> dict[str, Any]:
    document = json.loads(cli.run(*command, "--json").out)
    assert isinstance(document, dict)
    return document


def _busy(cli: CommandLine) -> None:
    """Let the model have rows that are malformed, repeated, or different though of one identity."""
    cli.sql(
        "INSERT INTO customers VALUES ('x', 'y'), ('p1@example.com', 'other'), ('p2@example.com', 'First 2')"
    )


def _keys(document: dict[str, Any]) -> set[str]:
    """Return the keys of a document, those inside a list under its name."""
    inner = {name: value for name, value in document.items() if name in {"models", "lists"}}
    return {name for name in document if name not in inner} | {
        f"{name}[].{key}" for name, value in inner.items() for item in value for key in item
    }


def _documented() -> dict[str, set[str]]:
    """Return the keys of a plan and of a run, as the tables of the document have them."""
    text = DOCUMENT.read_text(encoding="utf-8").partition("## What `--json` says")[2]
    keys_by_command: dict[str, set[str]] = {"plan": set(), "run": set()}
    for keys, of in re.findall(r"^\| (`.*?) \| (plan|run|both) \|", text, flags=re.MULTILINE):
        for command in keys_by_command if of == "both" else (of,):
            keys_by_command[command] |= _named(keys)
    return keys_by_command


def _named(cell: str) -> set[str]:
    """Return the keys that a cell names: `lists[].list`, and `.list_id` behind it for another of lists."""
    names, prefix = set(), ""
    for key in re.findall(r"`([^`]+)`", cell):
        prefix = key.rpartition(".")[0] or prefix
        names.add(f"{prefix}{key}" if key.startswith(".") else key)
    return names


def test_the_document_has_every_key_of_a_plan_and_of_a_run(cli: CommandLine) -> None:
    _busy(cli)
    printed = {command: _keys(_document(cli, command)) for command in ("plan", "run")}
    assert printed == _documented()


def _documented_of(command: str) -> set[str]:
    """Return the keys of a command's JSON, as its table in the document has them."""
    text = DOCUMENT.read_text(encoding="utf-8").partition(f"## What `{command} --json` says")[2]
    cells = re.findall(r"^\| (`.*?) \| ", text.partition("\n## ")[0], flags=re.MULTILINE)
    return set().union(*(_named(cell) for cell in cells))


def test_the_document_has_every_key_of_a_status(cli: CommandLine) -> None:
    _busy(cli)
    cli.run("run")
    assert _keys(_document(cli, "status")) == _documented_of("status")


def test_the_document_has_every_key_of_the_state_commands(cli: CommandLine) -> None:
    cli.klaviyo()
    cli.run("run")
    (cli.folder / "models" / "vip.sql").unlink()
    cli.model("club", SELECT, list="VIP")
    renamed = _keys(_document(cli, "state", "rename", "vip", "club"))
    (cli.folder / "models" / "club.sql").unlink()
    cli.model("other", SELECT, list="Other")
    readmitted = _keys(_document(cli, "state", "readmit", "email:ann@example.com"))
    forgotten = _keys(_document(cli, "state", "forget", "club"))
    assert renamed | forgotten | readmitted == _documented_of("state")


def test_the_json_of_a_run_repeats_the_figures_of_its_plan(cli: CommandLine) -> None:
    """The same numbers by the same names: also rows deferred, repeated, and rejected with their reasons."""
    _busy(cli)
    planned = _document(cli, "plan", "--limit", "5")
    ran = _document(cli, "run", "--limit", "5")
    (of_plan,), (of_run,) = planned["lists"], ran["lists"]
    assert {name: of_plan[name] for name in FIGURES} == {name: of_run[name] for name in FIGURES}
    assert planned["models"] == ran["models"]
    assert planned["models"][0]["duplicate_rows"] == 1
    assert (of_plan["deferred"], of_plan["adds"], of_plan["rejected_by_check"]) == (14, 5, 3)
    rows = ("unchanged", "adds", "updates", "deferred", "rejected_by_check")
    assert sum(of_plan[name] for name in rows) == 23 - 1


def test_a_plan_counts_interrupted_runs(cli: CommandLine) -> None:
    cli.klaviyo(job_seconds=600.0)
    assert _document(cli, "plan")["unfinished_runs"] == 0
    with cli.begin("run") as process:
        for line in process.stderr:
            if ": processed " in line:
                break
        else:
            raise AssertionError("The run ended without saying that it handed rows over.")
        process.send_signal(signal.SIGKILL)
    assert _document(cli, "plan")["unfinished_runs"] == 1


def test_a_table_shows_deferred_and_repeated_rows_where_there_are_any(cli: CommandLine) -> None:
    """`--limit` leaves rows for another run, and equal rows count once: nobody should have to add it up."""
    assert "deferred" not in cli.run("plan").out
    _busy(cli)
    told = cli.run("plan", "--limit", "5").out
    headings, _, row = [re.split(r"\s{2,}", line.strip()) for line in told.splitlines()[:3]]
    assert dict(zip(headings, row, strict=True))["deferred"] == "14"
    assert "  1 row repeats another in every column; equal rows count once" in told


def test_a_model_whose_rows_name_no_list_has_empty_tables(cli: CommandLine) -> None:
    cli.model(
        "vip", "select 'Tea' as club, email from {{ ref('customers') }} where false", list_column="club"
    )
    for command in ("plan", "run"):
        ended = cli.run(command)
        assert (ended.code, ended.out.split()[:2]) == (0, ["list", "model"])
        assert _document(cli, command)["lists"] == []


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("ann@example.com", "a**@e******.com"),
        ("a@b.co", "*@*.co"),
        ("call +14155550100 or x@y.com", "call +14*******00 or *@*.com"),
        ("+1 (415) 555-0100", "+1 ************00"),
        ("2026-01-01", "2026-01-01"),
        (3, 3),
        (None, None),
    ],
)
def test_people_are_masked_in_every_column(value: object, shown: object) -> None:
    assert mask_value(value) == shown


@pytest.mark.parametrize(
    ("external_id", "shown"),
    [("14155550100", "141******00"), ("(415) 555-0100", "(41*********00"), ("555", "555"), ("7", "7")],
)
def test_an_id_that_is_the_phone_of_its_row_is_masked(external_id: str, shown: str) -> None:
    identifiers = {"phone_e164": "+14155550100", "external_id": external_id}
    assert mask_identifiers(identifiers)["external_id"] == shown
    person = mask_person("phone_e164:+14155550100", identifiers)
    assert person == f"+14*******00 (external_id {shown})"


def test_debug_reports_the_result_of_each_check(cli: CommandLine) -> None:
    """The same as for people, with every problem's place and advice; its keys are those of the document."""
    cli.klaviyo()
    works = _document(cli, "debug")
    assert (works["works"], works["exit_code"]) == (True, 0)
    names = ["profile", "target", "to", "models", "warehouse", "state", "klaviyo"]
    assert [(check["name"], check["ok"]) for check in works["checks"]] == [(name, True) for name in names]
    cli.model("broken", "select email, nothing from {{ ref('customers') }}", surface="profiles")
    broken = _document(cli, "debug")
    assert (broken["works"], broken["exit_code"]) == (False, 2)
    (failed,) = [check for check in broken["checks"] if not check["ok"]]
    assert failed["name"] == "warehouse"
    assert [problem["where"] for problem in failed["problems"]] == ["models/broken.sql:2:15"]
    text = DOCUMENT.read_text(encoding="utf-8").partition("## What `debug --json` says")[2]
    keys = {
        name
        for line in re.findall(r"^\| (`.*?) \|", text.partition("\n## ")[0], re.MULTILINE)
        for name in _named(line)
    }
    assert keys == set(works) - {"checks"} | {f"checks[].{key}" for key in failed}
