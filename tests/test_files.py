"""Files that are written as a whole, and only those that were asked for."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

import pytest

from reverse_etl.files import TemporaryFolder, private_files, write_atomically

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_is_written_with_its_folder_and_no_leftovers(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "plan.json"
    write_atomically(path, b"one")
    path.with_name("plan.json.new").write_bytes(b"mine")
    write_atomically(path, b"two")
    assert {each.name: each.read_bytes() for each in path.parent.iterdir()} == {
        "plan.json": b"two",
        "plan.json.new": b"mine",
    }


def test_a_link_stays_a_link_and_a_file_keeps_its_mode(tmp_path: Path) -> None:
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    real.write_bytes(b"old")
    real.chmod(0o600)
    link.symlink_to(real)
    write_atomically(link, b"new")
    assert link.is_symlink()
    assert (real.read_bytes(), stat.S_IMODE(real.stat().st_mode)) == (b"new", 0o600)


def test_a_device_or_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_atomically(pipe, b"page")
    assert os.read(reading, 10) == b"page"
    os.close(reading)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("name", ["", "file/plan.json"])
def test_an_unwritable_path_is_named_and_left_unchanged(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(OSError) as caught:  # noqa: PT011 - which one it is differs
        write_atomically(tmp_path / name, b"new")
    assert caught.value.filename == str(tmp_path / name)
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("file", b"old")]


def test_a_new_file_is_private_to_its_user(tmp_path: Path) -> None:
    """Plans, reports and records hold values of people."""
    path = tmp_path / "plan.json"
    write_atomically(path, b"one")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_files_that_a_library_writes_meanwhile_are_private_too(tmp_path: Path) -> None:
    """As the log of changes that DuckDB keeps beside a file."""
    previous = os.umask(0o022)
    with private_files():
        (tmp_path / "wal").write_bytes(b"x")
    (tmp_path / "model.sql").write_bytes(b"x")
    os.umask(previous)
    assert stat.S_IMODE((tmp_path / "wal").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "model.sql").stat().st_mode) == 0o644


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder that is the temporary folder of this test and of its processes."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def test_a_folder_of_a_killed_process_is_removed_by_the_next_one(temporary: Path) -> None:
    """A folder of a process that lives stays, and so does what belongs to nobody of ours."""
    (temporary / "reverse_etl_of_old_version").mkdir()
    (temporary / "other").mkdir()
    code = (
        "import sys; from reverse_etl.files import TemporaryFolder as T; t = T(); "
        "print(t.path, flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        left = process.stdout.readline().strip()
        TemporaryFolder().close()
        assert left in {str(path) for path in temporary.iterdir()}
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert left in {str(path) for path in temporary.iterdir()}
    mine = TemporaryFolder()
    assert stat.S_IMODE(mine.path.stat().st_mode) == 0o700
    mine.close()
    mine.close()
    assert {path.name for path in temporary.iterdir()} == {"reverse_etl_of_old_version", "other"}


def test_a_folder_of_an_earlier_version_is_removed_after_a_day(temporary: Path) -> None:
    """It has no lock; a younger one may just be made."""
    folder = temporary / "reverse_etl_of_old_version"
    folder.mkdir()
    os.utime(folder, (0, 0))
    TemporaryFolder().close()
    assert not folder.exists()
