"""The log of requests and their replies, in order, the newest ones with bodies. Headers are not kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import sqlite3

REQUEST_BODIES_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS request_bodies (seq INTEGER PRIMARY KEY, "
    "request BLOB NOT NULL, response BLOB NOT NULL, response_bytes INTEGER NOT NULL)"
)
MAX_STORED_BYTES: Final = 16_384
REQUESTS_WITH_BODIES: Final = 500
_COLUMNS: Final = "at, method, path, query, status, items, bytes, fault"


@dataclass(frozen=True)
class LoggedRequest:
    """One request.

    `at` is the sandbox's time in seconds since the epoch, `rows` the number of items in the body (0 if it was
    not parsed), and `bytes` the size of the body. `fault` describes an injected fault and is usually empty.
    `status` is the status of the reply, or the status without the fault. A request whose fault begins with
    "not carried out" changed nothing; its status is 0 if there was no reply.
    """

    received_at: float
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
            "at": self.received_at,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "status": self.status,
            "rows": self.rows,
            "bytes": self.bytes,
            "fault": self.fault,
            "number": self.number,
        }


@dataclass(frozen=True)
class LoggedBodies:
    """The first `MAX_STORED_BYTES` of a request's and a reply's body, and the size of the reply's."""

    request: bytes
    response: bytes
    response_bytes: int


def log_request(
    db: sqlite3.Connection, logged_request: LoggedRequest, request_body: bytes, response_body: bytes
) -> None:
    """Append an entry; the log assigns its number. Only the newest entries keep their bodies."""
    row = (
        logged_request.received_at,
        logged_request.method,
        logged_request.path,
        logged_request.query,
        logged_request.status,
        logged_request.rows,
        logged_request.bytes,
        logged_request.fault,
    )
    number = db.execute(f"INSERT INTO requests ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row).lastrowid
    bodies = (request_body[:MAX_STORED_BYTES], response_body[:MAX_STORED_BYTES], len(response_body))
    db.execute("INSERT INTO request_bodies VALUES (?, ?, ?, ?)", (number, *bodies))
    db.execute("DELETE FROM request_bodies WHERE seq <= ?", ((number or 0) - REQUESTS_WITH_BODIES,))


def load_requests(db: sqlite3.Connection, after: int = 0) -> list[LoggedRequest]:
    """Return the entries with a number above `after`, oldest first."""
    return [
        LoggedRequest(*row)
        for row in db.execute(f"SELECT {_COLUMNS}, seq FROM requests WHERE seq > ? ORDER BY seq", (after,))
    ]


def count_requests(db: sqlite3.Connection) -> int:
    """Return the number of entries."""
    return int(db.execute("SELECT count(*) FROM requests").fetchone()[0])


def load_latest_requests(db: sqlite3.Connection, count: int, skipped: int = 0) -> list[LoggedRequest]:
    """Return `count` entries, newest first, after the newest `skipped` ones."""
    rows = db.execute(
        f"SELECT {_COLUMNS}, seq FROM requests ORDER BY seq DESC LIMIT ? OFFSET ?", (count, skipped)
    )
    return [LoggedRequest(*row) for row in rows]


def find_request(db: sqlite3.Connection, number: int) -> tuple[LoggedRequest, LoggedBodies | None] | None:
    """Return an entry, and its bodies if they are still kept; None for an unknown number."""
    row = db.execute(f"SELECT {_COLUMNS}, seq FROM requests WHERE seq = ?", (number,)).fetchone()
    if row is None:
        return None
    bodies = db.execute(
        "SELECT request, response, response_bytes FROM request_bodies WHERE seq = ?", (number,)
    ).fetchone()
    return LoggedRequest(*row), LoggedBodies(*bodies) if bodies else None


def clear_requests(db: sqlite3.Connection) -> None:
    """Empty the log. Numbering continues."""
    db.execute("DELETE FROM requests")
    db.execute("DELETE FROM request_bodies")
