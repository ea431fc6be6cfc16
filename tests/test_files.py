"""Files that are written as a whole, and only those that were asked for."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from reverse_etl.files import write_atomically

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_is_written_with_its_folder_and_no_leftovers(tmp_path: Path) -> None:
    """Also where a file lies there that one might write to on the way."""
    path = tmp_path / "a" / "b" / "plan.json"
    write_atomically(path, b"one")
    path.with_name("plan.json.new").write_bytes(b"mine")
    write_atomically(path, b"two")
    assert {each.name: each.read_bytes() for each in path.parent.iterdir()} == {
        "plan.json": b"two",
        "plan.json.new": b"mine",
    }


def test_a_link_stays_a_link_and_a_file_keeps_its_mode(tmp_path: Path) -> None:
    """What the link names is what was asked for."""
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    real.write_bytes(b"old")
    real.chmod(0o600)
    link.symlink_to(real)
    write_atomically(link, b"new")
    assert link.is_symlink()
    assert (real.read_bytes(), stat.S_IMODE(real.stat().st_mode)) == (b"new", 0o600)


def test_a_device_or_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    """As a pipe to another program."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_atomically(pipe, b"page")
    assert os.read(reading, 10) == b"page"
    os.close(reading)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("name", ["", "file/plan.json"])
def test_an_unwritable_path_is_named_and_left_unchanged(tmp_path: Path, name: str) -> None:
    """A folder, and what would lie in a file."""
    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(OSError) as caught:  # noqa: PT011 - which one it is differs
        write_atomically(tmp_path / name, b"new")
    assert caught.value.filename == str(tmp_path / name)
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("file", b"old")]
