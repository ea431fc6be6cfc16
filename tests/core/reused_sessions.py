"""Lets one DuckDB session follow another in the same instance: to make an instance takes a tenth of a run.

A session has its instance alone, and a database `memory` of its own. `make test` runs the core's tests so;
its other tests, and all tests of `make test-long`, make an instance for each session, as a run does.
"""

from __future__ import annotations

import atexit
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from reverse_etl.warehouse.duckdb import adapter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_USUAL = {"autoinstall_known_extensions": "false", "threads": "1"}
# A setting that lasts as long as the instance; tests of the warehouse show that it is made.
_LASTS = "SET enable_external_access = false"
_OF_EACH_SESSION = {
    *("temp_directory", "TimeZone", "enable_progress_bar", "preserve_insertion_order"),
    "checkpoint_threshold",
}
_idle: list[duckdb.DuckDBPyConnection] = []
_reusing: list[object] = []
atexit.register(_idle.clear)  # what is left at the end, DuckDB lists on stderr


@contextmanager
def reuse_sessions() -> Iterator[None]:
    """Let sessions that are opened within the block follow others."""
    block = object()
    _reusing.append(block)
    try:
        yield
    finally:
        _reusing.remove(block)


class _Session:
    """A connection that leaves its instance to the next one when it is closed, if it can be cleared."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._is_open = True
        self._is_plain = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, text: str, parameters: Any = None) -> Any:
        """Run a statement, but for one that the next session could not undo."""
        if text == _LASTS:
            return self._connection
        if "duckdb_databases()" in text:
            text = text.replace("internal", "internal AND database_name <> 'instance'", 1)
        words = text.split(maxsplit=2)
        self._is_plain &= words[0] != "SET" or words[1] in _OF_EACH_SESSION
        self._is_plain &= "SECRET" not in words
        return self._connection.execute(text, parameters)

    def load_extension(self, name: str) -> None:
        """Load an extension, which stays."""
        self._is_plain = False
        self._connection.load_extension(name)

    def close(self) -> None:
        """Give the instance back, or close the connection."""
        if self._is_open and self._is_plain and _clear(self._connection):
            _idle.append(self._connection)
        elif self._is_open:
            self._connection.close()
        self._is_open = False


def _clear(connection: duckdb.DuckDBPyConnection) -> bool:
    """Detach what a session has attached; return whether nothing is left."""
    with suppress(duckdb.Error):  # there is no transaction, as a rule
        connection.rollback()
    try:
        connection.execute("USE instance.main")
        for name in ("memory", adapter.STATE_DATABASE):
            connection.execute(f"DETACH DATABASE IF EXISTS {name}")
        left = connection.execute("SELECT database_name FROM duckdb_databases() WHERE NOT internal")
        return left.fetchall() == [("instance",)]
    except duckdb.Error:
        return False


class _DuckDB:
    """The module `duckdb`, as the adapter sees it."""

    def __getattr__(self, name: str) -> Any:
        return getattr(duckdb, name)

    def connect(self, database: str, config: Mapping[str, str]) -> Any:
        """Open a session."""
        if not _reusing or config != _USUAL:
            return duckdb.connect(database, config=dict(config))
        connection = _idle.pop() if _idle else _make_instance()
        connection.execute("ATTACH ':memory:' AS memory")
        connection.execute("USE memory.main")
        return _Session(connection)


def _make_instance() -> duckdb.DuckDBPyConnection:
    """Make an instance whose own database is not `memory`, since that can't be detached."""
    folder = Path(tempfile.mkdtemp(prefix="instance_"))
    return duckdb.connect(folder / "instance.duckdb", config={**_USUAL})


vars(adapter)["duckdb"] = _DuckDB()
