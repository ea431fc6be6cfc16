from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import requests

from reverse_etl.clock import SystemClock
from reverse_etl.errors import ReverseEtlError, UsageError, WarehouseError
from reverse_etl.sandbox import Fault, FaultKind, Sandbox, require_unlocked_file, serve
from tests.clocks import QuickClock
from tests.sandbox.caller import HEADERS, JOBS, Caller, import_body, people, row

if TYPE_CHECKING:
    from _io import TextIOWrapper
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

HOLD = """
import signal
import sys
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)  # a parent process may ignore it
from reverse_etl.sandbox import Sandbox, serve
sandbox = Sandbox(Path(sys.argv[1]), job_seconds=float(sys.argv[2]), limits=False)
serve(sandbox, lambda origin: print(origin, flush=True))
"""


@contextmanager
def hold(
    path: Path, job_seconds: float = 0.0, before: str = "", stderr: TextIOWrapper | None = None
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run a process that holds a sandbox, and give it with its origin; it is gone at the end in any case.

    `before` is what it runs first.
    """
    command = [sys.executable, "-c", before + HOLD, str(path), str(job_seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def test_a_restarted_sandbox_continues_where_it_stopped(tmp_path: Path) -> None:
    path = tmp_path / "trial.db"
    with Sandbox(path, job_seconds=0, limits=False) as sandbox:
        caller = Caller(sandbox)
        with caller.session:
            vip = caller.make_list("VIP")
            sandbox.add_fault(Fault(FaultKind.REFUSE_ROWS, pattern="^u3@"))
            job = caller.run_import(people(5), vip)
            sandbox.add_fault(Fault(FaultKind.STATUS, times=2))
        before = (
            sandbox.account_id,
            sandbox.lists(),
            sandbox.members(vip),
            sandbox.profiles(),
            sandbox.log(),
        )
    with Sandbox(path, job_seconds=0, limits=False) as sandbox:
        assert (
            sandbox.account_id,
            sandbox.lists(),
            sandbox.members(vip),
            sandbox.profiles(),
            sandbox.log(),
        ) == before
        caller = Caller(sandbox)
        with caller.session:
            assert [caller.ask("GET", "/api/lists").status_code for _ in range(3)] == [500, 500, 200]
            assert caller.get(f"{JOBS}/{job['id']}")["data"]["attributes"] == job["attributes"]
            assert len(caller.pages(f"{JOBS}/{job['id']}/import-errors")) == 1


def test_a_job_that_was_open_at_the_stop_ends_after_the_start(tmp_path: Path) -> None:
    path = tmp_path / "trial.db"
    with Sandbox(path, job_seconds=3600) as sandbox:
        caller = Caller(sandbox)
        with caller.session:
            caller.start_import(people(5), caller.make_list("VIP"))
    with Sandbox(path, clock=SystemClock()) as sandbox:
        assert sandbox.lists()[0]["members"] == 0
        sandbox.finish_jobs()
        assert sandbox.lists()[0]["members"] == 5


def import_on_and_on(
    session: requests.Session, origin: str, vip: str, accepted: list[str], killer: threading.Timer
) -> None:
    """Ask for imports until nobody answers, and put the ids of the accepted jobs into `accepted`.

    `killer` starts with the first one, however long that takes on a busy machine.
    """
    for number in range(10_000):
        reply = session.post(origin + JOBS, json=import_body(people(50, 50 * number), vip), timeout=5)
        accepted.append(reply.json()["data"]["id"])
        if number == 0:
            killer.start()


@pytest.mark.parametrize("round_", range(3))
def test_a_killed_process_loses_no_confirmed_request_and_no_lock_remains(tmp_path: Path, round_: int) -> None:
    """Kill -9 while imports come in: every job that was answered 202 is there, and the file is free."""
    path = tmp_path / "trial.db"
    with hold(path) as (process, origin), requests.Session() as session:
        session.headers.update(HEADERS)
        made = session.post(
            f"{origin}/api/lists", json={"data": {"type": "list", "attributes": {"name": "VIP"}}}, timeout=5
        )
        vip = made.json()["data"]["id"]
        killer = threading.Timer(0.15 + 0.1 * round_, os.kill, (process.pid, signal.SIGKILL))
        accepted: list[Any] = []
        with pytest.raises(requests.ConnectionError):
            import_on_and_on(session, origin, vip, accepted, killer)
        killer.join()
    assert process.returncode == -signal.SIGKILL
    assert accepted
    with Sandbox(path, job_seconds=0, limits=False) as sandbox:
        sandbox.finish_jobs()
        assert len(sandbox.members("VIP")) in {50 * len(accepted), 50 * len(accepted) + 50}
        caller = Caller(sandbox)
        with caller.session:
            stored = {job["id"] for job in caller.pages(JOBS, page_size="100")}
        assert set(accepted) <= stored


def test_checking_whether_a_file_is_in_use_does_not_touch_it(tmp_path: Path) -> None:
    """A file that is free stays as it is, one that is missing stays missing; a killed process holds none."""
    path = tmp_path / "trial.db"
    require_unlocked_file(path)
    assert [*tmp_path.iterdir()] == []
    with hold(path) as (process, _):
        with pytest.raises(WarehouseError, match="in use by another process"):
            require_unlocked_file(path)
        process.kill()
        process.wait()
    require_unlocked_file(path)
    with Sandbox(path):
        pass
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    require_unlocked_file(path)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_a_second_process_gets_an_error_with_the_locked_file(tmp_path: Path) -> None:
    path = tmp_path / "trial.db"
    with hold(path) as (process, origin):
        assert origin.startswith("http://127.0.0.1:")
        with pytest.raises(WarehouseError) as refusal:
            Sandbox(path).start()
        process.terminate()
    (problem,) = refusal.value.problems
    assert problem.summary == "The sandbox's state file is in use by another process."
    assert problem.where == str(path)
    assert "Stop the sandbox or the run that uses it" in problem.hint
    with Sandbox(path) as sandbox:
        assert sandbox.lists() == []


def test_a_second_sandbox_of_one_process_gets_the_same_error(tmp_path: Path) -> None:
    with Sandbox(tmp_path / "trial.db"), pytest.raises(WarehouseError):
        Sandbox(tmp_path / "trial.db").start()


def test_a_copy_is_deleted_and_leaves_the_file_unchanged(tmp_path: Path) -> None:
    """`keep=False` shows what the file holds, bears changes, and changes no file."""
    path = tmp_path / "trial.db"
    with Sandbox(path, job_seconds=0) as sandbox:
        caller = Caller(sandbox)
        with caller.session:
            caller.run_import(people(3), caller.make_list("VIP"))
        before = sandbox.account_id, sandbox.lists()
    files = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    with Sandbox(path, keep=False, job_seconds=0) as sandbox:
        assert (sandbox.account_id, sandbox.lists()) == before
        caller = Caller(sandbox)
        with caller.session:
            caller.make_list("other")
        assert len(sandbox.lists()) == 2
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == files


def test_a_copy_contains_what_a_killed_process_had_confirmed(tmp_path: Path) -> None:
    """Committed data may be in the WAL file; a copy without it would show an older state."""
    path = tmp_path / "trial.db"
    with hold(path) as (process, origin), requests.Session() as session:
        session.headers.update(HEADERS)
        body = {"data": {"type": "list", "attributes": {"name": "VIP"}}}
        assert session.post(f"{origin}/api/lists", json=body, timeout=5).status_code == 201
        with Sandbox(path, keep=False) as sandbox:
            assert [listed["name"] for listed in sandbox.lists()] == ["VIP"]
        process.kill()
    with Sandbox(path, keep=False) as sandbox:
        assert [listed["name"] for listed in sandbox.lists()] == ["VIP"]


def test_a_copy_of_a_missing_file_is_empty_and_creates_none(tmp_path: Path) -> None:
    """A trial that was never begun is not begun by looking."""
    with Sandbox(tmp_path / "trial.db", keep=False) as sandbox:
        assert sandbox.lists() == []
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_a_sandbox_is_not_changed(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("not a database, but long enough to be taken for one by its size\n" * 20)
    with pytest.raises(UsageError, match="cannot be opened"):
        Sandbox(text).start()
    assert text.read_text().startswith("not a database")


def test_a_copied_file_is_reported_under_its_own_name(tmp_path: Path) -> None:
    """A plan asks a copy. Nobody knows the copy's name, and it is gone by then."""
    path = tmp_path / "trial.db"
    path.write_text("not a database, but long enough to be taken for one by its size\n" * 20)
    with pytest.raises(UsageError) as refusal:
        Sandbox(path, keep=False).start()
    assert refusal.value.problems[0].where == str(path)


def test_a_database_of_another_program_is_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE customers (id INTEGER)")
    other.close()
    with pytest.raises(UsageError, match="not a sandbox state"):
        Sandbox(path).start()
    other = sqlite3.connect(path)
    assert [name for (name,) in other.execute("SELECT name FROM sqlite_master")] == ["customers"]
    other.close()


def test_a_full_disk_is_a_server_error_without_a_traceback(tmp_path: Path) -> None:
    """The file may grow no further: the request is answered 500 with the reason."""
    small = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))\n"
    with (tmp_path / "stderr").open("w+") as stderr, requests.Session() as session:
        with hold(tmp_path / "trial.db", before=small, stderr=stderr) as (_, origin):
            session.headers.update(HEADERS)
            statuses: list[Any] = []
            while 500 not in statuses:
                body = import_body(people(500, 500 * len(statuses)))
                reply = session.post(origin + JOBS, json=body, timeout=20)
                statuses.append(reply.status_code)
        stderr.seek(0)
        assert (set(statuses), stderr.read()) == ({202, 500}, "")
    assert "could not read or write its state file" in reply.json()["errors"][0]["detail"]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refusal:
        Sandbox(tmp_path / "no" / "trial.db").start()
    assert str(tmp_path / "no") in refusal.value.problems[0].hint


def test_a_port_in_use_is_named(sandbox: Sandbox) -> None:
    port = int(sandbox.origin.rpartition(":")[2])
    with pytest.raises(UsageError, match=f"port {port}"):
        Sandbox(None, port=port).start()


def test_two_sandboxes_have_two_accounts_unless_they_share_a_seed(tmp_path: Path) -> None:
    """The account id is made once for each file; with a seed, all ids come out the same."""

    def made(name: str, **options: Any) -> tuple[str, str, str, list[str]]:
        with Sandbox(tmp_path / name, job_seconds=0, limits=False, **options) as sandbox:
            caller = Caller(sandbox)
            with caller.session:
                vip = caller.make_list("VIP")
                job = caller.run_import(people(2), vip)["id"]
            return sandbox.account_id, vip, job, [profile["id"] for profile in sandbox.profiles()]

    assert made("a.db")[0] != made("b.db")[0]
    assert made("c.db", account_seed=1) == made("d.db", account_seed=1)
    assert made("e.db", account_seed=2)[0] != made("f.db", account_seed=1)[0]


def test_time_does_not_go_back_when_a_fast_clock_restarts(tmp_path: Path) -> None:
    """Yesterday's clock ran ahead of today's; new members still join after the old ones."""
    path = tmp_path / "trial.db"
    ahead = QuickClock(time.time() + 5_000.0)
    with Sandbox(path, clock=ahead, job_seconds=0, limits=False) as sandbox:
        caller = Caller(sandbox)
        with caller.session:
            vip = caller.make_list("VIP")
            caller.run_import([row(email="early@example.com")], vip)
    with Sandbox(path, job_seconds=0, limits=False) as sandbox:
        caller = Caller(sandbox)
        with caller.session:
            caller.run_import([row(email="late@example.com")], vip)
        early, late = sandbox.members(vip)
        assert (early["email"], late["email"]) == ("early@example.com", "late@example.com")
        assert late["joined_group_at"] >= early["joined_group_at"]


def test_a_sandbox_that_is_not_running_says_so() -> None:
    with pytest.raises(ReverseEtlError, match="not running"):
        Sandbox(None).lists()


def test_serve_runs_until_the_stop_event_is_set() -> None:
    origins: list[Any] = []
    until = threading.Event()
    thread = threading.Thread(target=serve, args=(Sandbox(None), origins.append, until))
    thread.start()
    while not origins:
        time.sleep(0.01)
    assert requests.get(origins[0], timeout=5).status_code == 200
    until.set()
    thread.join(5)
    with pytest.raises(requests.ConnectionError):
        requests.get(origins[0], timeout=5)


def test_an_interrupt_ends_serve_without_a_traceback(tmp_path: Path) -> None:
    with hold(tmp_path / "trial.db") as (process, _):
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0


def test_many_clients_at_once_lose_nothing(sandbox: Sandbox) -> None:
    counts = []

    def work(number: int) -> None:
        caller = Caller(sandbox)
        with caller.session:
            mine = caller.make_list(f"list {number}")
            for part in range(5):
                caller.start_import(people(20, 1000 * number + 20 * part), mine)
            counts.append(len(caller.pages(f"/api/lists/{mine}/profiles", page_size="100")))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [100] * 8
    assert sandbox.profile_count() == 800
