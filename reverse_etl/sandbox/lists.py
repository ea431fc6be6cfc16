"""Lists and their members in the state file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from reverse_etl.sandbox.identities import list_id
from reverse_etl.sandbox.store import next_number
from reverse_etl.sandbox.times import wire

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

LIST_COLUMNS: Final = "l.seq, l.id, l.name, l.opt_in_process, l.created, l.updated"
LIST_FIELDS: Final = frozenset({"id", "name", "created", "updated", "opt_in_process"})


@dataclass(frozen=True)
class StoredList:
    """A list as it is stored, in the order of `LIST_COLUMNS`."""

    seq: int
    id: str
    name: str
    opt_in_process: str
    created: int
    updated: int

    def resource(self, origin: str, wanted: frozenset[str] | None, **more: Any) -> dict[str, Any]:
        """Return the list as a JSON:API resource, with some more attributes."""
        attributes = {
            "name": self.name,
            "created": wire(self.created),
            "updated": wire(self.updated),
            "opt_in_process": self.opt_in_process,
            **more,
        }
        own = f"{origin}/api/lists/{self.id}"
        return {
            "type": "list",
            "id": self.id,
            "attributes": {
                name: value for name, value in attributes.items() if wanted is None or name in wanted
            },
            "relationships": {
                "profiles": {"links": {"self": f"{own}/relationships/profiles", "related": f"{own}/profiles"}}
            },
            "links": {"self": own},
        }


def find_list(db: sqlite3.Connection, identity: str) -> StoredList | None:
    """Return the list with this id, or None."""
    row = db.execute(f"SELECT {LIST_COLUMNS} FROM lists l WHERE l.id = ?", (identity,)).fetchone()
    return None if row is None else StoredList(*row)


def make_list(db: sqlite3.Connection, account: str, name: str, opt_in_process: str, now: float) -> StoredList:
    """Create an empty list; another list of the same name is no obstacle."""
    number = next_number(db, "lists")
    made = StoredList(number, list_id(account, number), name, opt_in_process, int(now), int(now))
    db.execute(
        "INSERT INTO lists (seq, id, name, opt_in_process, created, updated) VALUES (?, ?, ?, ?, ?, ?)",
        (made.seq, made.id, made.name, made.opt_in_process, made.created, made.updated),
    )
    return made


def rename_list(
    db: sqlite3.Connection, listed: StoredList, name: str, opt_in_process: str, now: float
) -> StoredList:
    """Change a list's name and opt-in process, and return it as it is now."""
    changed = StoredList(listed.seq, listed.id, name, opt_in_process, listed.created, int(now))
    db.execute(
        "UPDATE lists SET name = ?, opt_in_process = ?, updated = ? WHERE seq = ?",
        (changed.name, changed.opt_in_process, changed.updated, changed.seq),
    )
    return changed


def drop_list(db: sqlite3.Connection, listed: StoredList) -> None:
    """Delete a list with its memberships; the profiles stay."""
    db.execute("DELETE FROM members WHERE list = ?", (listed.seq,))
    db.execute("DELETE FROM lists WHERE seq = ?", (listed.seq,))


def join(db: sqlite3.Connection, listed: StoredList, profiles: Iterable[int], now: float) -> None:
    """Put profiles on a list; those who are on it keep the time at which they joined."""
    db.executemany(
        "INSERT OR IGNORE INTO members VALUES (?, ?, ?)", ((listed.seq, one, int(now)) for one in profiles)
    )


def leave(db: sqlite3.Connection, listed: StoredList, profiles: Iterable[int]) -> None:
    """Take profiles off a list; those who are not on it are no obstacle."""
    db.executemany(
        "DELETE FROM members WHERE list = ? AND profile = ?", ((listed.seq, one) for one in profiles)
    )


def member_count(db: sqlite3.Connection, listed: StoredList) -> int:
    """Return how many profiles are on a list."""
    return int(db.execute("SELECT count(*) FROM members WHERE list = ?", (listed.seq,)).fetchone()[0])
