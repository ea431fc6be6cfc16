"""Shared by all folders of tests: the switch that rewrites gold files, a temporary folder, the CPU used."""

from __future__ import annotations

import gc
import os
import resource
import tempfile
from multiprocessing import forkserver, util
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from xdist.scheduler import LoadFileScheduling

from tests.gold import OPTION, Gold

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xdist.remote import Producer

    from tests.warehouse.snowflake_accounts import Server


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the switch."""
    parser.addoption(OPTION, action="store_true", help="write the gold files again; then read the diff")


_MEMORY_FOLDER = Path("/dev/shm")  # noqa: S108 - Linux keeps its files in memory
_MEMORY_NEEDED = 4_000_000_000


def pytest_configure(config: pytest.Config) -> None:
    """Refuse the switch in a pipeline, where nobody reads the diff; let no test's log have the time.

    Where memory can hold files, temporary ones are there: each commit would wait for a disk and cost its CPU.
    The long tests write too much for that.
    """
    os.environ["REVERSE_ETL_LOG_FORMAT"] = "text"
    if "not long" in config.option.markexpr and "TMPDIR" not in os.environ and _has_room(_MEMORY_FOLDER):
        os.environ["TMPDIR"] = tempfile.tempdir = str(_MEMORY_FOLDER)
    if config.getoption(OPTION) and os.environ.get("CI"):
        raise pytest.UsageError(f"{OPTION} rewrites gold files, which a pipeline (CI is set) must not do.")


def _has_room(folder: Path) -> bool:
    """Return whether temporary files fit into a folder, and programs among them may run there."""
    if not os.access(folder, os.W_OK):
        return False
    facts = os.statvfs(folder)
    return not facts.f_flag & os.ST_NOEXEC and facts.f_bavail * facts.f_frsize > _MEMORY_NEEDED


class _Scheduling(LoadFileScheduling):  # type: ignore[misc]  # untyped
    """Runs each file on one worker, and all folders with dbt or Snowflake's stand-in on the same one.

    The stand-in translates each statement once, and both take seconds to start.
    """

    def _split_scope(self, nodeid: str) -> str:
        folders = ("tests/contract/", "tests/dbt/", "tests/warehouse/")
        return "tests" if nodeid.startswith(folders) else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    """Give the tests to the workers as `make test` asks."""
    return _Scheduling(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.fixture(scope="session")
def gold(request: pytest.FixtureRequest) -> Gold:
    """Return what compares a text with a gold file."""
    return Gold(update=bool(request.config.getoption(OPTION)))


def pytest_collection_finish() -> None:
    """Keep the collected tests, which are many objects, out of each garbage collection."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000)


def pytest_sessionfinish() -> None:
    """End the process that commands are forked from, so that its CPU counts."""
    forkserver._forkserver._stop()  # type: ignore[attr-defined]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what the tests cost, however busy the machine is: `make test` takes at most 600 s."""
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    seconds = sum(usage.ru_utime + usage.ru_stime for usage in usages)
    terminalreporter.write_line(f"CPU: {seconds:.1f} s (user and system, with all processes)")


@pytest.fixture(scope="session", autouse=True)
def temporary_folder() -> Iterator[None]:
    """Make a temporary folder for these tests alone: the program searches it for its abandoned folders."""
    util.get_temp_dir()  # multiprocessing removes its own at exit, after this one is gone
    with tempfile.TemporaryDirectory(prefix="tests_") as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", folder)
        patch.setattr(tempfile, "tempdir", folder)
        yield


@pytest.fixture(scope="session")
def snowflake_server() -> Iterator[Server]:
    """Start the stand-in for Snowflake, for the tests of all folders."""
    from tests.warehouse.snowflake_accounts import Server  # noqa: PLC0415 - few tests need the connector

    started = Server()
    yield started
    started.close()
