"""The log of requests: what arrived, in order, and what was answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import sqlite3

_COLUMNS: Final = "at, method, path, query, status, items, bytes, fault"


@dataclass(frozen=True)
class LoggedRequest:
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

    def document(self) -> dict[str, Any]:
        """Return the entry as a JSON object, as /sandbox/log shows it."""
        return {
            "at": self.at,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "status": self.status,
            "rows": self.rows,
            "bytes": self.bytes,
            "fault": self.fault,
            "number": self.number,
        }


def log_request(db: sqlite3.Connection, logged_request: LoggedRequest) -> None:
    """Append an entry; its number is given here."""
    row = (
        logged_request.at,
        logged_request.method,
        logged_request.path,
        logged_request.query,
        logged_request.status,
        logged_request.rows,
        logged_request.bytes,
        logged_request.fault,
    )
    db.execute(f"INSERT INTO requests ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)


def load_requests(db: sqlite3.Connection, after: int = 0) -> list[LoggedRequest]:
    """Return the entries with a number above `after`, oldest first."""
    return [
        LoggedRequest(*row)
        for row in db.execute(f"SELECT {_COLUMNS}, seq FROM requests WHERE seq > ? ORDER BY seq", (after,))
    ]


def load_latest_requests(db: sqlite3.Connection, count: int) -> list[LoggedRequest]:
    """Return the last `count` entries, newest first."""
    return [
        LoggedRequest(*row)
        for row in db.execute(f"SELECT {_COLUMNS}, seq FROM requests ORDER BY seq DESC LIMIT ?", (count,))
    ]


def clear_requests(db: sqlite3.Connection) -> None:
    """Empty the log; numbers go on where they were."""
    db.execute("DELETE FROM requests")
