"""Where the state file is: beside the outermost link of the warehouse's path, so that releases share it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import duckdb
import pytest

from reverse_etl.errors import UsageError, WarehouseError
from reverse_etl.warehouse.duckdb.adapter import DuckDB
from reverse_etl.warehouse.duckdb.state_file import find_state_file, warehouse_path
from reverse_etl.warehouse.statement import Statement

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with two releases, of which `current` is the first; it is the current folder."""
    for release in ("r1", "r2"):
        folder = tmp_path / "releases" / release / "data"
        folder.mkdir(parents=True)
        with duckdb.connect(str(folder / "shop.duckdb")) as connection:
            connection.execute(f"CREATE TABLE t AS SELECT '{release}' AS release")
    (tmp_path / "current").symlink_to("releases/r1")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def move_link(link: Path, target: str) -> None:
    """Let a link lead elsewhere."""
    link.unlink()
    link.symlink_to(target)


def open_and_close(path: str, *, read_only: bool = False, state_path: str = "") -> tuple[str, ...]:
    """Open a warehouse, add a row to its state unless it is read-only, and return the notes."""
    warehouse = DuckDB({"path": path}, read_only=read_only, state_path=state_path)
    if not read_only:
        table = warehouse.dialect.state_table("kept")
        warehouse.execute(Statement.create(table, f"CREATE TABLE IF NOT EXISTS {table} (x INT)"))
        warehouse.execute(Statement.insert(table, f"INSERT INTO {table} VALUES (1)"))
    warehouse.close()
    return warehouse.opening_notes


def count_rows(state: Path) -> int:
    """Return how often a state was opened."""
    with duckdb.connect(str(state), read_only=True) as connection:
        row = connection.execute("SELECT COUNT(*) FROM kept").fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize(
    ("path", "state"),
    [
        ("releases/r1/data/shop.duckdb", "releases/r1/data/shop.reverse_etl.duckdb"),
        ("current/data/shop.duckdb", "current+data+shop.reverse_etl.duckdb"),
        ("{site}/current/data/shop.duckdb", "current+data+shop.reverse_etl.duckdb"),
        ("releases/../current/data/shop.duckdb", "releases/../current+data+shop.reverse_etl.duckdb"),
        ("shop.dev.duckdb", "shop.dev.reverse_etl.duckdb"),
    ],
)
def test_the_state_is_beside_the_outermost_link_of_the_path(site: Path, path: str, state: str) -> None:
    """Its name is made from the rest of the path; without a link it is beside the file."""
    assert find_state_file({"path": path.format(site=site)}).path == site / state


def test_releases_share_one_state(site: Path) -> None:
    """The link moves, and the state stays."""
    open_and_close("current/data/shop.duckdb")
    move_link(site / "current", "releases/r2")
    open_and_close("current/data/shop.duckdb")
    assert count_rows(site / "current+data+shop.reverse_etl.duckdb") == 2
    assert not [*(site / "releases").rglob("*.reverse_etl.*")]


def test_a_link_to_the_file_itself_counts_and_gives_its_name(site: Path) -> None:
    """The database is called by the name of the link, as dbt calls it."""
    link = site / "store.duckdb"
    link.symlink_to("releases/r1/data/shop.duckdb")
    assert find_state_file({"path": "store.duckdb"}).path == site / "store.reverse_etl.duckdb"
    warehouse = DuckDB({"path": "store.duckdb"}, read_only=True)
    with warehouse.staging():
        assert warehouse.fetch(Statement.read("SELECT release FROM store.main.t")) == [("r1",)]
    warehouse.close()


def test_a_state_beside_the_file_is_moved_with_a_warning(site: Path) -> None:
    """Earlier versions kept it there. A command that changes nothing reads it where it is."""
    open_and_close("releases/r1/data/shop.duckdb")
    old = site / "releases/r1/data/shop.reverse_etl.duckdb"
    assert open_and_close("current/data/shop.duckdb", read_only=True) == ()
    assert count_rows(old) == 1
    (note,) = open_and_close("current/data/shop.duckdb")
    new = site / "current+data+shop.reverse_etl.duckdb"
    assert (note, old.exists(), count_rows(new)) == (f"The state was moved from {old} to {new}.", False, 2)
    assert open_and_close("current/data/shop.duckdb") == ()


def test_state_path_goes_before_all_other_places(site: Path) -> None:
    """A state at a default place is moved to it."""
    open_and_close("current/data/shop.duckdb")
    (site / "kept").mkdir()
    assert open_and_close("current/data/shop.duckdb", state_path="kept/state.duckdb") != ()
    assert count_rows(site / "kept/state.duckdb") == 2
    assert not (site / "current+data+shop.reverse_etl.duckdb").exists()


def test_two_states_stop_the_command_and_both_are_named(site: Path) -> None:
    """Nothing says which one is right, and the wrong one would remove nobody or too many."""
    open_and_close("current/data/shop.duckdb")
    open_and_close("releases/r1/data/shop.duckdb")
    for read_only in (True, False):
        with pytest.raises(UsageError, match="There are two states") as caught:
            DuckDB({"path": "current/data/shop.duckdb"}, read_only=read_only)
        (problem,) = caught.value.problems
        assert problem.where == (
            f"{site / 'current+data+shop.reverse_etl.duckdb'} and "
            f"{site / 'releases/r1/data/shop.reverse_etl.duckdb'}"
        )


def test_a_folder_that_cannot_be_written_to_is_passed_over(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A home folder may be a link of the system, beside which a user can't write."""
    monkeypatch.setattr(os, "access", lambda folder, _: folder != site)
    assert find_state_file({"path": "current/data/shop.duckdb"}).path == (
        site / "releases/r1/data/shop.reverse_etl.duckdb"
    )


def test_a_state_that_is_a_broken_link_is_no_empty_state(site: Path) -> None:
    """Its disk may be missing."""
    (site / "current+data+shop.reverse_etl.duckdb").symlink_to("elsewhere.duckdb")
    with pytest.raises(UsageError, match="link to a file that is missing"):
        find_state_file({"path": "current/data/shop.duckdb"})


def test_a_state_that_another_process_uses_is_not_moved(site: Path) -> None:
    """It is locked; nothing is changed."""
    open_and_close("releases/r1/data/shop.duckdb")
    state = site / "releases/r1/data/shop.reverse_etl.duckdb"
    code = f"import duckdb, sys; c = duckdb.connect({str(state)!r}); print(1, flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        process.stdout.readline()
        with pytest.raises(WarehouseError, match="Another process holds"):
            open_and_close("current/data/shop.duckdb")
        process.stdin.close()
    assert state.exists()


def test_a_new_state_is_private_to_its_user(site: Path) -> None:
    """It holds e-mail addresses."""
    open_and_close("releases/r1/data/shop.duckdb")
    assert (site / "releases/r1/data/shop.reverse_etl.duckdb").stat().st_mode & 0o777 == 0o600


def test_a_path_in_memory_with_an_attached_database_is_that_of_its_file(site: Path) -> None:
    """As in dbt: `database` is the alias of the file in which dbt builds."""
    output = {
        "path": ":memory:",
        "database": "lager",
        "attach": [{"path": "current/data/shop.duckdb", "alias": "lager"}],
    }
    assert warehouse_path(output) == site / "current/data/shop.duckdb"
    warehouse = DuckDB(output, read_only=True)
    with warehouse.staging():
        assert warehouse.fetch(Statement.read("SELECT release FROM t")) == [("r1",)]
        assert warehouse.fetch(Statement.read("SELECT release FROM lager.main.t")) == [("r1",)]
    warehouse.close()
