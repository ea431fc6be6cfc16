"""The log of requests and their replies, in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import sqlite3

_COLUMNS: Final = "at, method, path, query, status, items, bytes, fault"


@dataclass(frozen=True)
class LoggedRequest:
    """One request.

    `at` is the sandbox's time in seconds since the epoch, `rows` the number of items in the body (0 if it was
    not parsed), and `bytes` the size of the body. `fault` describes an injected fault and is usually empty.
    `status` is the status of the reply, or the status without the fault. A request whose fault begins with
    "not carried out" changed nothing; its status is 0 if there was no reply.
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
        """Return the entry as a JSON object, as shown by /sandbox/log."""
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
    """Append an entry; the log assigns its number."""
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
    """Empty the log. Numbering continues."""
    db.execute("DELETE FROM requests")
