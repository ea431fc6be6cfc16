"""The log of requests: what arrived, in order, and what was answered."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import sqlite3

_COLUMNS: Final = "at, method, path, query, status, items, bytes, fault"


@dataclass(frozen=True)
class Entry:
    """One request.

    `at` is the sandbox's time (seconds since the epoch); `rows` the items in its body (0 where the body was
    not looked at); `bytes` the body's size.

    `status` is what was answered, or would have been: `fault` says what came in between, and is blank for
    most. A request whose fault begins with "not carried out" changed nothing; its status is 0 if nothing was
    answered.
    """

    at: float
    method: str
    path: str
    query: str
    status: int
    rows: int
    bytes: int
    fault: str = ""
    number: int = 0


def record(db: sqlite3.Connection, entry: Entry) -> None:
    """Append an entry; its number is given here."""
    db.execute(f"INSERT INTO requests ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", astuple(entry)[:-1])


def entries(db: sqlite3.Connection, after: int = 0) -> list[Entry]:
    """Return the entries with a number above `after`, oldest first."""
    return [
        Entry(*row)
        for row in db.execute(f"SELECT {_COLUMNS}, seq FROM requests WHERE seq > ? ORDER BY seq", (after,))
    ]


def latest_entries(db: sqlite3.Connection, count: int) -> list[Entry]:
    """Return the last `count` entries, newest first."""
    return [
        Entry(*row)
        for row in db.execute(f"SELECT {_COLUMNS}, seq FROM requests ORDER BY seq DESC LIMIT ?", (count,))
    ]


def forget_entries(db: sqlite3.Connection) -> None:
    """Empty the log; numbers go on where they were."""
    db.execute("DELETE FROM requests")
