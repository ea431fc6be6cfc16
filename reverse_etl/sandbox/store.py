"""The state of the sandbox: one SQLite file, one connection, one lock.

Committed data survives a kill at any time: the file is in WAL mode, and writes reach the operating system
before the reply is sent. The connection holds SQLite's exclusive lock from start to stop, so that only one
process uses the file; the operating system releases the lock of a process that ends.
"""

from __future__ import annotations

import secrets
import shutil
import sqlite3
from contextlib import closing, contextmanager, suppress
from threading import RLock
from typing import TYPE_CHECKING, Final

from reverse_etl.errors import UsageError, WarehouseError
from reverse_etl.files import PRIVATE, TemporaryFolder
from reverse_etl.sandbox.consents import CONSENT_TABLES
from reverse_etl.sandbox.event_tables import EVENT_TABLE_STATEMENTS
from reverse_etl.sandbox.other_emails import OTHER_EMAILS_TABLE
from reverse_etl.sandbox.records import RECORDS_TABLE
from reverse_etl.sandbox.request_log import REQUEST_BODIES_TABLE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_VERSION: Final = 1
_PRIVATE: Final = 0o600
_DISK_CODES: Final = frozenset(
    {sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}
)

_SCHEMA: Final = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE profiles (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
    email TEXT, phone_number TEXT, external_id TEXT,
    attributes BLOB NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL
);
CREATE INDEX profiles_email ON profiles (email) WHERE email IS NOT NULL;
CREATE INDEX profiles_phone ON profiles (phone_number) WHERE phone_number IS NOT NULL;
CREATE INDEX profiles_external ON profiles (external_id) WHERE external_id IS NOT NULL;
CREATE TABLE lists (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
    opt_in_process TEXT NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL
);
CREATE TABLE members (
    list INTEGER NOT NULL, profile INTEGER NOT NULL, joined_at INTEGER NOT NULL, PRIMARY KEY (list, profile)
) WITHOUT ROWID;
CREATE INDEX members_joined ON members (list, joined_at, profile);
CREATE INDEX members_profile ON members (profile);
CREATE TABLE jobs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, status TEXT NOT NULL,
    created_at REAL NOT NULL, starts_at REAL NOT NULL, ends_at REAL NOT NULL, expires_at REAL NOT NULL,
    total INTEGER NOT NULL, completed INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0,
    lists TEXT NOT NULL, content BLOB, fate TEXT NOT NULL
);
CREATE INDEX jobs_open ON jobs (ends_at) WHERE status IN ('queued', 'processing');
CREATE TABLE job_errors (
    seq INTEGER PRIMARY KEY, job INTEGER NOT NULL, id TEXT NOT NULL, code TEXT NOT NULL, title TEXT NOT NULL,
    detail TEXT NOT NULL, pointer TEXT, original_payload BLOB
);
CREATE INDEX job_errors_job ON job_errors (job, seq);
CREATE TABLE job_profiles (
    job INTEGER NOT NULL, profile INTEGER NOT NULL, PRIMARY KEY (job, profile)
) WITHOUT ROWID;
CREATE TABLE requests (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL, query TEXT NOT NULL,
    status INTEGER NOT NULL, items INTEGER NOT NULL, bytes INTEGER NOT NULL, fault TEXT NOT NULL
);
CREATE TABLE faults (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, spec TEXT NOT NULL, remaining INTEGER, draws INTEGER NOT NULL
);
"""


class Store:
    """An open state file, or a state in memory if `path` is None.

    With `keep=False` it works on a copy of the file that is deleted at the end. The file is only read, even
    if another process has locked it.
    """

    def __init__(self, path: Path | None, *, keep: bool = True) -> None:
        self.path = path
        self.token = secrets.token_hex(4)  # another one each time that a state is opened
        self._lock = RLock()
        self._folder = None if keep or path is None else TemporaryFolder()
        try:
            self._db = _open_database(
                _copy_state_file(path, self._folder.path) if path and self._folder else path, path
            )
        except BaseException:
            self._remove_copy()
            raise

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Yield the connection, to one thread at a time, in a transaction.

        The transaction is rolled back if the block raises.
        """
        with self._lock:
            if self._db.in_transaction:  # a nested block of the same thread joins the outer transaction
                yield self._db
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def close(self) -> None:
        """Close the file and release its lock."""
        with self._lock:
            self._db.close()
            self._remove_copy()

    def _remove_copy(self) -> None:
        if self._folder is not None:
            self._folder.close()


def require_unlocked_file(path: Path) -> None:
    """Raise WarehouseError if another process has locked the file. Creates and changes nothing."""
    if not path.exists():
        return
    try:
        with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as db:
            db.execute("PRAGMA locking_mode = EXCLUSIVE")
            db.execute("BEGIN EXCLUSIVE")
            db.execute("ROLLBACK")
    except sqlite3.Error as error:
        raise _open_error(path, error) from error


def _copy_state_file(path: Path, folder: Path) -> Path:
    # Data committed by a killed process may still be in the WAL file, which SQLite reads when it opens.
    for suffix in ("", "-wal"):
        source_path = path.with_name(path.name + suffix)
        if source_path.exists():
            shutil.copyfile(source_path, folder / source_path.name)
    return folder / path.name


def next_number(db: sqlite3.Connection, table: str) -> int:
    """Return the number of a table's next row; numbers of deleted rows are not reused."""
    query = "SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = ?"
    return int(db.execute(query, (table,)).fetchone()[0])


def _open_database(path: Path | None, shown_path: Path | None) -> sqlite3.Connection:
    """Open a file, or a state in memory. Errors show the file name that the user knows."""
    if path is not None and not path.parent.is_dir():
        raise UsageError.of(
            "The sandbox's state file cannot be created: its folder does not exist.",
            where=str(shown_path),
            hint=f"Create the folder {path.parent}, or choose another file.",
        )
    if path is not None:
        _make_private(path)
    try:
        if path is not None and not path.exists():
            path.touch(PRIVATE)  # SQLite gives its other files the same mode
        db = sqlite3.connect(path or ":memory:", timeout=0, isolation_level=None, check_same_thread=False)
    except (sqlite3.Error, OSError) as error:
        raise _open_error(shown_path, error) from error
    try:
        _prepare_database(db, shown_path)
    except sqlite3.Error as error:
        db.close()
        raise _open_error(shown_path, error) from error
    except UsageError:
        db.close()
        raise
    return db


def _make_private(path: Path) -> None:
    """Create the file, if it is missing, for its user alone; take an existing one away from other users.

    SQLite gives the files beside it the same permissions. A file of another user stays as it is.
    """
    with suppress(OSError):
        path.touch(mode=_PRIVATE)
        if path.is_file():
            path.chmod(_PRIVATE)


def _prepare_database(db: sqlite3.Connection, shown_path: Path | None) -> None:
    db.execute("PRAGMA locking_mode = EXCLUSIVE")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute(
        "PRAGMA synchronous = OFF"
    )  # safe if the process dies; only a power failure could lose committed data
    db.execute("PRAGMA cache_size = -65536")
    db.execute("BEGIN EXCLUSIVE")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version == 0 and not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        for statement in _SCHEMA.split(";\n"):
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {_VERSION}")
    elif version != _VERSION:
        db.execute("ROLLBACK")
        raise UsageError.of(
            f"The file is not a sandbox state of version {_VERSION}.",
            where=str(shown_path),
            hint="Choose another file. If this is an old sandbox, delete it to start with an empty one.",
        )
    for statement in (
        RECORDS_TABLE,
        OTHER_EMAILS_TABLE,
        REQUEST_BODIES_TABLE,
        *CONSENT_TABLES,
        *EVENT_TABLE_STATEMENTS,
    ):
        db.execute(statement)
    db.execute("COMMIT")


def _open_error(path: Path | None, error: sqlite3.Error | OSError) -> WarehouseError | UsageError:
    if isinstance(error, sqlite3.Error) and error.sqlite_errorcode in {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
    }:
        return WarehouseError.of(
            "The sandbox's state file is in use by another process.",
            where=str(path),
            hint="Stop the sandbox or the run that uses it, or set `origin` in the destination in "
            "profiles.yml to the URL that `reverse-etl sandbox` printed, or choose another file.",
        )
    is_of_disk = isinstance(error, OSError) or error.sqlite_errorcode & 0xFF in _DISK_CODES
    return UsageError.of(
        f"The sandbox's state file cannot be opened: {error}.",
        where=str(path),
        hint="Free disk space, check the permissions of its folder, or choose another file."
        if is_of_disk
        else "Choose another file. If this is an old sandbox, delete it to start with an empty one.",
    )
