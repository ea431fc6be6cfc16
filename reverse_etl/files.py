"""Files that are private to their user, written atomically; and temporary folders that outlive no process.

A concurrent reader sees the old content of a file or the new content, never a part of it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import shutil
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

RECORDS_FOLDER: Final = ".reverse_etl"  # of records that outlast dbt clean; git ignores it
PRIVATE: Final = 0o600  # the mode of a file that its user alone may read
_FOLDER_PREFIX: Final = "reverse_etl_"
_LOCK_FILE: Final = ".lock"
_SECONDS_WITHOUT_LOCK: Final = (
    86_400.0  # a folder that has no lock file is being made, or is of an old version
)


def write_atomically(path: Path, content: bytes) -> None:
    """Replace the content of a file atomically; create the file and its folder if they are missing.

    A symbolic link stays: the file that it points to is replaced. The file keeps its mode; a new one can be
    read by its user alone. A path that is not
    a regular file, such as a device, is written to directly. Raises OSError with the path if writing fails;
    the old file is then unchanged.
    """
    try:
        _replace_file(path.resolve(), content)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def write_in_ignored_folder(path: Path, content: bytes) -> None:
    """Replace the content of a file like `write_atomically`, in a folder that git ignores. Raises OSError."""
    ignore_file = path.parent / ".gitignore"
    if not ignore_file.exists():
        write_atomically(ignore_file, b"*\n")
    write_atomically(path, content)


def _replace_file(path: Path, content: bytes) -> None:
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if path.exists() and not path.is_file():
        path.write_bytes(content)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with open(temporary, "xb", opener=_open_private) as file:
            file.write(content)
        if path.exists():
            temporary.chmod(path.stat().st_mode & 0o7777)
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, PRIVATE)


@contextmanager
def private_files() -> Iterator[None]:
    """Let files that are created inside, by whatever library, be readable by their user alone."""
    previous = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(previous)


class TemporaryFolder:
    """A private folder that is removed by `close`, or after a kill by the next program that makes one.

    It holds a locked file while its process lives; the system frees the lock of a process that is killed.
    """

    def __init__(self) -> None:
        """Make the folder, and remove those that killed processes left."""
        _remove_abandoned_folders()
        self.path = Path(tempfile.mkdtemp(prefix=_FOLDER_PREFIX))
        self._lock = os.open(self.path / f"{_LOCK_FILE}.new", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, PRIVATE)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        (self.path / f"{_LOCK_FILE}.new").rename(self.path / _LOCK_FILE)  # it is locked once it is seen

    def close(self) -> None:
        """Remove the folder. May be called twice."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def _remove_abandoned_folders() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{_FOLDER_PREFIX}*"):
        with suppress(OSError):  # another process removed it, or it belongs to somebody else
            if folder.is_dir() and not folder.is_symlink() and folder.stat().st_uid == os.getuid():
                _remove_if_abandoned(folder)


def _remove_if_abandoned(folder: Path) -> None:
    try:
        lock = os.open(folder / _LOCK_FILE, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        if time.time() - folder.stat().st_mtime > _SECONDS_WITHOUT_LOCK:
            shutil.rmtree(folder, ignore_errors=True)
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails while its process lives
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)
