"""DuckDB files, opened one after another in one session: to make a session takes ten times as long."""

from __future__ import annotations

import atexit
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_ONE_AT_A_TIME = Lock()


@cache
def _session() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(":memory:", config={"threads": 1})


atexit.register(_session.cache_clear)  # what is left at the end, DuckDB lists on stderr


@contextmanager
def opened(path: Path, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a file as the only one of a session, for as long as it takes; it is written and closed then."""
    with _ONE_AT_A_TIME:
        session = _session()
        session.execute(f"ATTACH '{path}' AS opened" + (" (READ_ONLY)" if read_only else ""))
        try:
            session.execute("USE opened")
            yield session
        finally:
            session.execute("USE memory")
            session.execute("DETACH opened")
