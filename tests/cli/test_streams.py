"""Results go to stdout, logs to stderr: lines, JSON lines, and progress bars on a terminal."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from reverse_etl.cli.group import hoist_log_options
from reverse_etl.cli.output.progress import show_progress_bars
from reverse_etl.domain.progress import JobProgress, RemoveProgress, SendProgress
from tests.cli.command_line import KEY, PROGRAM

if TYPE_CHECKING:
    from reverse_etl.domain.progress import Progress
    from tests.cli.command_line import CommandLine


TIME = r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


def test_every_line_of_a_log_that_is_no_terminal_begins_with_the_time(cli: CommandLine) -> None:
    """By default, and with the option, wherever it is; those of errors too. Results have no time."""
    cli.klaviyo()
    failed = cli.run("run", "-s", "nobody", "--log-format=timed")
    cli.environ["REVERSE_ETL_LOG_FORMAT"] = "auto"
    ran = cli.run("run")
    lines = [*ran.err.splitlines(), *failed.err.splitlines()]
    assert len(lines) > 4
    assert all(re.match(rf"{TIME}  \S? *\S", line) for line in lines)
    assert not re.search(TIME, ran.out)


def test_a_log_on_a_terminal_has_no_time(cli: CommandLine) -> None:
    cli.environ["REVERSE_ETL_LOG_FORMAT"] = ""
    terminal, stderr = os.openpty()
    with cli.begin("run", "-s", "nobody", stderr=stderr) as process:
        assert process.wait() == 2
    assert b"error " in os.read(terminal, 10_000).split(b"\n")[0]
    os.close(terminal)
    os.close(stderr)


def test_the_environment_may_choose_the_format_of_the_log(cli: CommandLine) -> None:
    """A container says it once. The option goes before it, and errors of arguments have it too."""
    cli.environ["REVERSE_ETL_LOG_FORMAT"] = "json"
    assert json.loads(cli.run("run", "--nope").err)["event"] == "error"
    assert cli.run("run", "--nope", "--log-format", "text").err.startswith("error No such option")


def test_every_line_of_the_json_log_parses(cli: CommandLine) -> None:
    """Also those of errors, of requests, and of arguments that can't be parsed."""
    cli.klaviyo()
    ran = cli.run("--log-format", "json", "-v", "run", "--json")
    entries = [json.loads(line) for line in ran.err.splitlines()]
    assert {entry["event"] for entry in entries} >= {
        "model_staged",
        "list_created",
        "send_progress",
        "job_progress",
        "list_done",
        "request",
    }
    assert json.loads(ran.out)["exit_code"] == 0
    assert all(re.fullmatch(TIME, entry["timestamp"]) for entry in entries)
    for command in (["run", "--select", "nobody"], ["run", "--nope"], ["nope"]):
        failed = cli.run("--log-format=json", *command)
        assert failed.code == 2
        (entry,) = [json.loads(line) for line in failed.err.splitlines()]
        assert entry["event"] == "error"
        assert entry["exit_code"] == 2
        assert entry["problems"][0].keys() == {"summary", "where", "hint"}


def test_verbose_logs_show_requests_without_key_query_or_people(cli: CommandLine) -> None:
    """Method, path, status and time; once more for a run that looks people up to remove them."""
    cli.klaviyo()
    first = cli.run("-v", "run")
    cli.customers(17)
    second = cli.run("-v", "run", "--allow-removes", "vip")
    assert second.code == 0
    told = first.err + second.err
    assert re.search(r"^  GET /api/lists 200 \d\.\d\d s$", told, flags=re.MULTILINE)
    assert re.search(r"^  DELETE /api/lists/\w+/relationships/profiles 204 ", told, flags=re.MULTILINE)
    assert KEY not in told
    assert "?" not in told
    assert "@" not in told


def test_quiet_prints_only_errors_and_warnings(cli: CommandLine) -> None:
    ran = cli.run("-q", "run")
    assert (ran.code, ran.err) == (0, "")
    after = cli.run("run", "--quiet")
    assert (after.code, after.err) == (0, "")
    assert cli.run("-q", "run", "--select", "nobody").err.startswith("error No model matches nobody.")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("run -v", "-v run"),
        ("-q run --json", "-q run --json"),
        ("run --log-format json -s vip", "--log-format json run -s vip"),
        ("plan --log-format=json", "--log-format=json plan"),
        ("run --log-format", "--log-format= run"),
        ("ls -- -v", "ls -- -v"),
        ("", ""),
    ],
)
def test_log_options_work_before_and_after_the_command(written: str, read: str) -> None:
    assert hoist_log_options(written.split()) == read.split()


@pytest.mark.parametrize("command", ["plan", "plan --json", "ls", "compile", "--help"])
def test_a_closed_pipe_is_no_error(cli: CommandLine, command: str) -> None:
    with cli.begin("-q", *command.split()) as process:
        process.stdout.close()
        assert process.wait() == 0
        assert process.stderr.read() == ""


@pytest.mark.parametrize("command", ["plan --json", "run", "--help"])
def test_a_full_disk_under_stdout_is_reported_and_the_run_goes_on(cli: CommandLine, command: str) -> None:
    """The command goes on to its end, and then says that what it printed is lost."""
    cli.klaviyo()
    with Path("/dev/full").open("w") as full, cli.begin("-q", *command.split(), stdout=full) as process:
        assert process.wait() == 4
        assert process.stderr.read() == (
            "error No space left on device.\n"
            "   at stdout\n"
            " next Free some disk space, or write to another path. It is safe to run again.\n"
        )
    if command == "run":
        assert "Nothing to send." in cli.run("plan").out


@pytest.mark.parametrize(
    ("command", "told"), [("run", "error No space"), ("ls --select nobody", "error No model")]
)
def test_a_full_disk_outranks_rows_needing_attention_but_not_a_configuration_error(
    cli: CommandLine, command: str, told: str
) -> None:
    """The exit code is the first that fits: 2, then 4, then 1 for rows that were rejected."""
    cli.klaviyo()
    cli.sql("INSERT INTO customers VALUES ('x', 'y')")
    with Path("/dev/full").open("w") as full, cli.begin("-q", *command.split(), stdout=full) as process:
        assert process.wait() == (4 if command == "run" else 2)
        assert process.stderr.read().splitlines()[-3].startswith(told)


def test_a_process_may_have_no_stdout_and_no_stderr(cli: CommandLine) -> None:
    cli.klaviyo()
    shell = subprocess.run(
        ["/bin/sh", "-c", f"{PROGRAM} run >&- 2>&-"], cwd=cli.folder, env=cli.environment(), check=False
    )
    assert shell.returncode == 0
    assert "Nothing to send." in cli.run("plan").out


@pytest.mark.parametrize("command", ["plan", "run", "--help"])
def test_a_full_disk_under_stderr_changes_nothing(cli: CommandLine, command: str) -> None:
    cli.klaviyo()
    with Path("/dev/full").open("w") as full, cli.begin(command, stderr=full) as process:
        assert process.wait() == 0


def test_a_terminal_shows_progress_bars(cli: CommandLine) -> None:
    """A bar moves where stderr is a terminal; there are plain lines elsewhere."""
    cli.klaviyo(job_seconds=1.0)
    controller, terminal = pty.openpty()
    with cli.begin("run", stderr=terminal) as process:
        os.close(terminal)
        shown = b""
        while True:
            try:
                shown += os.read(controller, 65536)
            except OSError:  # the process has closed its end
                break
        assert process.wait() == 0
    text = shown.decode()
    assert "━" in text
    assert "1 import under way" in text
    assert "\x1b[" in text
    cli.customers(25)
    plain = cli.run("run").err
    assert "VIP: processed 5 of 5 rows" in plain
    assert "━" not in plain
    assert "\x1b" not in plain


def test_version_and_help_need_neither_warehouse_nor_web_framework() -> None:
    """Commands are loaded when they are asked for; Snowflake's connector by none that runs on DuckDB."""
    heavy = {"duckdb", "flask", "jinja2", "pydantic", "requests", "rich", "sqlglot"}
    assert not heavy & _loaded_by("reverse_etl.cli")
    assert not heavy & _loaded_by(
        "click.testing, reverse_etl.cli as c", "click.testing.CliRunner().invoke(c.app, ['--help'])"
    )
    assert not {"flask", "snowflake.connector"} & _loaded_by("reverse_etl.cli.commands.run")


def _loaded_by(module: str, action: str = "") -> set[str]:
    code = f"import sys, {module}; {action or 'pass'}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_a_bar_says_how_fast_rows_go_and_how_long_the_rest_takes() -> None:
    """At the speed of the last half minute, and only while rows are left: a job's time is not known.

    The first requests end together, almost at once, which says nothing of those that follow.
    """
    now, screen = 0.0, io.StringIO()
    with show_progress_bars(Console(file=screen, width=150, force_terminal=True), lambda: now) as bars:

        def show(progress: Progress, seconds: float) -> str:
            nonlocal now
            now = seconds
            assert bars.show_progress(progress)
            screen.truncate(0)
            bars.refresh()
            return re.sub(r"\x1b\[[^A-Za-z]*[A-Za-z]|━|╸|╺", "", screen.getvalue())

        show(SendProgress("vip", "VIP", 0, 10_000), 0)
        assert "rows/s" not in show(SendProgress("vip", "VIP", 1_000, 10_000), 0.2)
        assert "rows/s" not in show(SendProgress("vip", "VIP", 2_000, 10_000), 0.201)
        assert "750 rows/s, 0:00:09 left" in show(SendProgress("vip", "VIP", 3_000, 10_000), 4)
        assert "left" not in show(SendProgress("vip", "VIP", 10_000, 10_000), 18)
        assert "2 imports under way" in show(JobProgress("vip", "VIP", 2), 18)
        shown = show(RemoveProgress("vip", "VIP", 5, 20), 20)
        assert re.search(r"VIP: removals +5/20 .* removing", shown)
        bars.stop()
        assert "\x1b[?25h" in screen.getvalue(), "the cursor is shown again"


def test_a_current_folder_that_was_deleted_is_reported(cli: CommandLine) -> None:
    """A deployment replaces the folder in which a job waits."""
    script = f"mkdir old; cd old; rmdir ../old; exec {PROGRAM} status"
    ended = subprocess.run(
        ["/bin/sh", "-c", script],
        cwd=cli.folder,
        env=cli.environment(),
        check=False,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith("error The current folder was deleted.")
