"""Records of resources that the sandbox knows only by id: tags, coupons, catalog items and the like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

if TYPE_CHECKING:
    import sqlite3

RECORDS_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS records "
    "(kind TEXT NOT NULL, id TEXT NOT NULL, content BLOB NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID"
)


def put_record(db: sqlite3.Connection, kind: str, record_id: str, content: Any) -> None:
    """Keep a record in the place of one with the same id."""
    db.execute("INSERT OR REPLACE INTO records VALUES (?, ?, ?)", (kind, record_id, orjson.dumps(content)))


def find_record(db: sqlite3.Connection, kind: str, record_id: str) -> Any:
    """Return the content of a record, None if there is none."""
    row = db.execute("SELECT content FROM records WHERE kind = ? AND id = ?", (kind, record_id)).fetchone()
    return orjson.loads(row[0]) if row else None


def drop_record(db: sqlite3.Connection, kind: str, record_id: str) -> bool:
    """Delete a record, and return whether there was one."""
    query = "DELETE FROM records WHERE kind = ? AND id = ?"
    return db.execute(query, (kind, record_id)).rowcount > 0


def read_records(db: sqlite3.Connection, kind: str) -> dict[str, Any]:
    """Return the records of a kind by id, sorted by it."""
    rows = db.execute("SELECT id, content FROM records WHERE kind = ? ORDER BY id", (kind,))
    return {record_id: orjson.loads(content) for record_id, content in rows}
