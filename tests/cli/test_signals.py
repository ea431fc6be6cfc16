"""Ctrl-C and SIGTERM end a command at once, say that it is safe to run again, and leave no lock behind."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.paths import IMPORTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.sandbox import LoggedRequest
    from tests.cli.command_line import CommandLine
    from tests.cli.process import Running

JOB_SECONDS = 600  # longer than a test may take: a process that waits for its job fails the test
SAFE = "It is safe to run again: the next run settles unfinished rows first."
LONG = "select sum(a.range * b.range) from range(1000000) a, range(10000000) b"
BUSY_SECONDS = 1.0  # of CPU: more than the program needs before it runs the query
ENDLESS = f"select email, ({LONG}) as x from {{{{ ref('customers') }}}}"
SIGNALS = pytest.mark.parametrize(
    ("number", "word"), [(signal.SIGINT, "Interrupted"), (signal.SIGTERM, "Terminated")], ids=["int", "term"]
)


def _end(process: Running, number: signal.Signals) -> str:
    """Send a signal; return what the process prints after it. Its work would take ten minutes."""
    process.send_signal(number)
    return process.communicate()[1]


def _has_asked_for_job(log: Sequence[LoggedRequest]) -> bool:
    """Return whether a job was started, and asked for afterwards: alone, or among all jobs."""
    methods = [entry.method for entry in log if entry.path.startswith(IMPORTS)]
    return "POST" in methods and "GET" in methods[methods.index("POST") :]


@SIGNALS
def test_a_run_that_waits_for_a_job_stops_at_once(
    cli: CommandLine, number: signal.Signals, word: str
) -> None:
    """The job goes on at Klaviyo; the next run settles it."""
    sandbox = cli.klaviyo(job_seconds=JOB_SECONDS)
    with cli.begin("run") as process:
        while not _has_asked_for_job(sandbox.log()):
            assert process.returncode is None
            time.sleep(0.01)
        said = _end(process, number)
    assert process.returncode == 128 + number
    assert said.splitlines()[-1] == f"{word}. {SAFE}"
    sandbox.finish_jobs()
    again = cli.run("run")
    assert again.code == 0
    assert "Settling 1 unfinished run first: 1 known import job" in again.err
    assert len(sandbox.members("VIP")) == 20


def test_a_run_with_an_embedded_sandbox_stops_and_resumes(cli: CommandLine) -> None:
    """The sandbox lives in the process that is ended; what it had taken, it still has."""
    cli.customers(30_000)
    with cli.begin("run") as process:
        while ": processed " not in process.stderr.readline():
            assert process.returncode is None
        said = _end(process, signal.SIGTERM)
    assert process.returncode == 143
    assert said.splitlines()[-1] == f"Terminated. {SAFE}"
    assert cli.run("run").code == 0
    assert cli.run("-q", "run", "--json").code == 0


def test_an_endless_query_is_interrupted(cli: CommandLine) -> None:
    """DuckDB does not always stop at a signal; the process ends even so."""
    cli.model("vip", ENDLESS, list="VIP")
    with cli.begin("plan") as process:
        while sum(psutil.Process(process.pid).cpu_times()[:2]) < BUSY_SECONDS:
            time.sleep(0.01)
        said = _end(process, signal.SIGTERM)
    assert process.returncode == 143
    assert said == f"Terminated. {SAFE}\n"
    cli.model("vip", "select email from {{ ref('customers') }}", list="VIP")
    assert cli.run("plan").code == 0


def test_json_lines_stay_json_to_the_end(cli: CommandLine) -> None:
    cli.klaviyo(job_seconds=JOB_SECONDS)
    with cli.begin("--log-format", "json", "run") as process:
        while '"send_progress"' not in process.stderr.readline():
            assert process.returncode is None
        said = _end(process, signal.SIGINT)
    assert process.returncode == 130
    assert '"event": "interrupted"' in said.splitlines()[-1]
