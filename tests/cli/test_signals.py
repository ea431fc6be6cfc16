"""Ctrl-C and SIGTERM end a command within seconds, say that it is safe, and leave no lock behind."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import subprocess

    from tests.cli.world import World

SAFE = "It is safe to run again: the next run settles unfinished rows first."
LONG = "select sum(a.range * b.range) from range(1000000) a, range(10000000) b"
ENDLESS = f"select email, ({LONG}) as x from {{{{ ref('customers') }}}}"
SIGNALS = pytest.mark.parametrize(
    ("number", "word"), [(signal.SIGINT, "Interrupted"), (signal.SIGTERM, "Terminated")], ids=["int", "term"]
)


def _end(process: subprocess.Popen[str], number: signal.Signals) -> tuple[str, float]:
    """Send a signal; returns what is said after it, and how long it takes."""
    begun = time.monotonic()
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    return err, time.monotonic() - begun


@SIGNALS
def test_a_run_that_waits_for_a_job_stops_at_once(world: World, number: signal.Signals, word: str) -> None:
    """The job goes on at Klaviyo; the next run settles it."""
    sandbox = world.klaviyo(job_seconds=600)
    with world.begin("run") as process:
        while not any(entry.path == "/api/profile-bulk-import-jobs" for entry in sandbox.log()):
            time.sleep(0.01)
        time.sleep(0.4)
        said, seconds = _end(process, number)
    assert process.returncode == 128 + number
    assert said.splitlines()[-1] == f"{word}. {SAFE}"
    assert seconds < 4
    sandbox.finish_jobs()
    again = world.run("run")
    assert again.code == 0
    assert "Settling 1 unfinished run first: 1 known import job" in again.err
    assert len(sandbox.members("VIP")) == 20


def test_a_run_with_an_embedded_sandbox_stops_and_resumes(world: World) -> None:
    """The sandbox lives in the process that is ended; what it had taken, it still has."""
    world.customers(30_000)
    with world.begin("run") as process:
        assert process.stderr is not None
        while ": sent " not in process.stderr.readline():
            assert process.poll() is None
        said, seconds = _end(process, signal.SIGTERM)
    assert process.returncode == 143
    assert said.splitlines()[-1] == f"Terminated. {SAFE}"
    assert seconds < 6
    assert world.run("run").code == 0
    assert world.run("-q", "run", "--json").code == 0


def test_an_endless_query_is_interrupted_within_seconds(world: World) -> None:
    """DuckDB does not always give way to a signal; the process ends all the same."""
    world.model("vip", ENDLESS, list="VIP")
    with world.begin("plan") as process:
        time.sleep(2.5)
        said, seconds = _end(process, signal.SIGTERM)
    assert process.returncode == 143
    assert said == f"Terminated. {SAFE}\n"
    assert seconds < 8
    world.model("vip", "select email from {{ ref('customers') }}", list="VIP")
    assert world.run("plan").code == 0


def test_json_lines_stay_json_to_the_end(world: World) -> None:
    """The last word is an entry like the others."""
    world.klaviyo(job_seconds=600)
    with world.begin("--log-format", "json", "run") as process:
        assert process.stderr is not None
        while '"send_progress"' not in process.stderr.readline():
            assert process.poll() is None
        said, _ = _end(process, signal.SIGINT)
    assert process.returncode == 130
    assert '"event": "interrupted"' in said.splitlines()[-1]
