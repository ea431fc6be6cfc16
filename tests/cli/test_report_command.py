"""`reverse-etl report` as a process: where the page goes, and what is printed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from reverse_etl.sandbox import Fault, FaultKind
from tests.cli.command_line import KEY

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.command_line import CommandLine

PAGE = "target/reverse_etl/report.html"


@pytest.fixture(scope="module")
def sent(shared_cli: CommandLine) -> CommandLine:
    """Let a run send 19 of 20 customers: one is refused, and a row has no e-mail that could be one."""
    sandbox = shared_cli.klaviyo()
    shared_cli.sql("INSERT INTO customers VALUES ('nobody@', 'x')")
    sandbox.add_fault(
        Fault(FaultKind.REFUSE_ROWS, pattern="^p3@", code="invalid", detail="Not p3@example.com.")
    )
    assert shared_cli.run("run").code == 1
    sandbox.clear_faults()
    return shared_cli


@pytest.fixture
def ran(cli: CommandLine, sent: CommandLine) -> CommandLine:
    """Return a copy of the sent project. No test changes what is in Klaviyo."""
    cli.copy(sent)
    return cli


def _files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_the_page_lies_beside_the_record_of_the_run_and_its_path_is_printed(ran: CommandLine) -> None:
    """Without a key, and without a request; a page that lies there is replaced as a whole."""
    before = _files(ran.folder)
    ran.write(PAGE, "an old page")
    ran.environ.clear()
    told = ran.run("report")
    assert (told.out, told.err, told.code) == (PAGE, "", 0)
    assert _files(ran.folder) - before == {PAGE}
    assert "target/reverse_etl/run_results.json" in before
    shown = (ran.folder / PAGE).read_text(encoding="utf-8")
    assert shown.startswith("<!doctype html>")
    assert shown.endswith("</html>\n")
    assert ">19</td>" in shown


@pytest.mark.parametrize("path", ["page.html", "site/2026-03-01/report.html"])
def test_the_page_is_written_to_the_given_path(ran: CommandLine, path: str) -> None:
    before = _files(ran.folder)
    assert ran.run("report", "--out", path).out == path
    assert _files(ran.folder) - before == {path}


def test_the_page_on_stdout_is_the_page_in_the_file(ran: CommandLine) -> None:
    """But for when it was made; and there is no file."""
    before = _files(ran.folder)
    printed = ran.run("report", "--out", "-").out.splitlines()
    assert _files(ran.folder) == before
    ran.run("report")
    kept = (ran.folder / PAGE).read_text(encoding="utf-8").splitlines()
    assert [line for line in printed if "<p>Made " not in line] == [
        line.rstrip() for line in kept if "<p>Made " not in line
    ]


def test_the_same_facts_as_json_and_no_file(ran: CommandLine) -> None:
    before = _files(ran.folder)
    document = json.loads(ran.run("report", "--json").out)
    assert _files(ran.folder) == before
    assert (document["exit_code"], document["lists"][0]["applied"]) == (1, 19)
    assert [(entry["source"], entry["rows"], entry["new_rows"]) for entry in document["rejections"]] == [
        ("check", 1, 1),
        ("klaviyo", 1, 1),
    ]
    run = json.loads(ran.run("run", "--json").out)
    again = json.loads(ran.run("report", "--json").out)
    assert again["run_id"] == run["run_id"]
    assert again["lists"] == [
        {key: value for key, value in entry.items() if key != "check_rejections"} for entry in run["lists"]
    ]
    assert json.loads(ran.run("report", document["run_id"], "--json").out)["later_run_count"] == 1


@pytest.mark.parametrize("form", ["--out=-", "--json"])
def test_people_are_masked_unless_a_flag_shows_them_and_the_key_never_appears(
    ran: CommandLine, form: str
) -> None:
    """Neither in an example, nor in what Klaviyo said of it."""
    told = ran.run("report", form).out
    assert "@example.com" not in told
    assert "nobody@" not in told
    assert "p*@e******.com" in told
    shown = ran.run("report", form, "--show-values").out
    assert "p3@example.com" in shown
    assert "nobody@" in shown
    assert KEY not in told + shown


def test_an_unknown_run_is_a_mistake_that_names_the_newest(ran: CommandLine) -> None:
    ran.write(PAGE, "an old page")
    ids = [json.loads(ran.run("report", "--json").out)["run_id"]]
    told = ran.run("report", "20200101T000000-abcdef")
    assert told.code == 2
    assert told.out == ""
    assert told.err.splitlines()[0] == "error There is no run '20200101T000000-abcdef'."
    assert told.err.splitlines()[-1].endswith(f"The newest runs are {ids[0]}.")
    assert (ran.folder / PAGE).read_text(encoding="utf-8") == "an old page"


def test_an_unwritable_path_is_reported(ran: CommandLine) -> None:
    """Nothing is left behind, and the run's record stays as it was."""
    (ran.folder / PAGE).mkdir()
    before = _files(ran.folder)
    told = ran.run("report")
    assert told.code == 4
    assert told.err.splitlines()[:2] == ["error Is a directory.", f"   at {PAGE}"]
    assert _files(ran.folder) == before
    assert [*(ran.folder / PAGE).iterdir()] == []


def test_a_refused_run_has_a_page_that_says_why(ran: CommandLine) -> None:
    ran.customers(3)
    assert ran.run("run").code == 3
    told = ran.run("report", "--out", "-").out
    assert "Nothing was sent: a guard stopped this run." in told
    assert "<li>16 of 19 rows would be removed (84.2 %);" in told


def test_a_site_has_an_index_and_a_page_for_each_list_and_each_of_the_newest_runs(ran: CommandLine) -> None:
    for _ in range(2):
        assert ran.run("run").code == 0
    ran.environ.clear()
    told = ran.run("report", "--all", "site", "--limit", "2")
    assert (told.out, told.err, told.code) == ("site/index.html", "", 0)
    files = sorted(path.name for path in (ran.folder / "site").iterdir())
    assert len(files) == 4  # two runs, a list, the index
    index = (ran.folder / "site" / "index.html").read_text(encoding="utf-8")
    assert all(f'href="{name}"' in index for name in files if name != "index.html")
    assert "p3@example.com" not in "".join(path.read_text() for path in (ran.folder / "site").iterdir())
    assert ran.run("report", "--all", "site", "--limit", "2").code == 0


def test_a_site_replaces_no_index_of_something_else(ran: CommandLine) -> None:
    """In the folder `target` it is dbt's documentation."""
    path = ran.write("target/index.html", "<h1>docs</h1>")
    ended = ran.run("report", "--all", "target")
    assert ended.code == 2
    assert "target/index.html is not an index of runs, and would be replaced." in ended.err
    assert path.read_text(encoding="utf-8") == "<h1>docs</h1>"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--all", "site", "--json"], "--all writes a site of all runs: remove RUN_ID, --out and --json."),
        (["--limit", "2"], "--limit is for --all."),
    ],
)
def test_flags_of_a_site_that_contradict_are_refused(
    cli: CommandLine, flags: list[str], message: str
) -> None:
    ended = cli.run("report", *flags)
    assert ended.code == 2
    assert message in ended.err


def test_a_site_without_a_run_says_so(cli: CommandLine) -> None:
    ended = cli.run("report", "--all", "site")
    assert ended.code == 2
    assert not (cli.folder / "site").exists()
