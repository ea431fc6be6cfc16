"""Files of commands are private to their user; leftovers of a killed run in the temporary folder go."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.command_line import CommandLine


def test_all_that_commands_write_about_people_is_private(cli: CommandLine) -> None:
    """State, sandbox, saved plan, report and records; with their logs of changes."""
    before = {path for path in cli.folder.rglob("*") if path.is_file()}
    for arguments in (
        ("run",),
        ("plan", "--out", "plan.json"),
        ("report",),
        ("report", "--out", "page.html"),
    ):
        assert cli.run(*arguments).code == 0
    written = {path for path in cli.folder.rglob("*") if path.is_file()} - before
    assert {path.name for path in written} >= {
        "shop.reverse_etl.duckdb",
        "klaviyo_sandbox.sqlite",
        "plan.json",
        "report.html",
        "page.html",
        "run_results.json",
    }
    assert {path.name: f"{path.stat().st_mode & 0o777:o}" for path in written} == {
        path.name: "600" for path in written
    }


def test_a_killed_run_leaves_private_files_and_the_next_clears_its_temporary_folder(cli: CommandLine) -> None:
    """The log of changes beside the state stays, and is private too."""
    temporary = cli.folder / "tmp"
    temporary.mkdir()
    cli.environ["TMPDIR"] = str(temporary)
    sandbox = cli.klaviyo(job_seconds=600)
    with cli.begin("run") as process:
        while not any(entry.path == "/api/profile-bulk-import-jobs" for entry in sandbox.log()):
            time.sleep(0.01)
        time.sleep(0.4)
        os.kill(process.pid, signal.SIGKILL)
    assert [path.name.partition("_")[0] for path in temporary.iterdir()] == ["reverse"]
    state_files = [*cli.folder.glob("shop.reverse_etl.duckdb*")]
    assert {path.stat().st_mode & 0o777 for path in state_files} == {0o600}
    sandbox.finish_jobs()
    cli.run("status")
    assert [*temporary.iterdir()] == []
