"""Read and write lists and their members in the state file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from reverse_etl.sandbox.identities import derive_list_id
from reverse_etl.sandbox.replies import select_fields
from reverse_etl.sandbox.store import next_number
from reverse_etl.sandbox.times import to_iso

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

LIST_COLUMNS: Final = "l.seq, l.id, l.name, l.opt_in_process, l.created, l.updated"
LIST_FIELDS: Final = frozenset({"id", "name", "created", "updated", "opt_in_process"})


@dataclass(frozen=True)
class StoredList:
    """A stored list, in the order of `LIST_COLUMNS`."""

    seq: int
    id: str
    name: str
    opt_in_process: str
    created: int
    updated: int

    def to_resource(
        self, origin: str, requested_fields: frozenset[str] | None, **extra_attributes: Any
    ) -> dict[str, Any]:
        """Return the list as a JSON:API resource, with additional attributes."""
        attributes = {
            "name": self.name,
            "created": to_iso(self.created),
            "updated": to_iso(self.updated),
            "opt_in_process": self.opt_in_process,
            **extra_attributes,
        }
        self_url = f"{origin}/api/lists/{self.id}"
        return {
            "type": "list",
            "id": self.id,
            "attributes": select_fields(attributes, requested_fields),
            "relationships": {
                name: {
                    "links": {
                        "self": f"{self_url}/relationships/{name}/",
                        "related": f"{self_url}/{name}/",
                    }
                }
                for name in ("profiles", "tags", "flow-triggers")
            },
            "links": {"self": f"{self_url}/"},
        }


def find_list(db: sqlite3.Connection, resource_id: str) -> StoredList | None:
    """Return the list with this id, or None."""
    row = db.execute(f"SELECT {LIST_COLUMNS} FROM lists l WHERE l.id = ?", (resource_id,)).fetchone()
    return None if row is None else StoredList(*row)


def make_list(
    db: sqlite3.Connection, account_id: str, name: str, opt_in_process: str, now: float
) -> StoredList:
    """Create an empty list. Several lists may have the same name."""
    number = next_number(db, "lists")
    stored_list = StoredList(
        number, derive_list_id(account_id, number), name, opt_in_process, int(now), int(now)
    )
    db.execute(
        "INSERT INTO lists (seq, id, name, opt_in_process, created, updated) VALUES (?, ?, ?, ?, ?, ?)",
        (
            stored_list.seq,
            stored_list.id,
            stored_list.name,
            stored_list.opt_in_process,
            stored_list.created,
            stored_list.updated,
        ),
    )
    return stored_list


def rename_list(
    db: sqlite3.Connection, stored_list: StoredList, name: str, opt_in_process: str, now: float
) -> StoredList:
    """Change a list's name and opt-in process, and return the changed list."""
    changed = StoredList(stored_list.seq, stored_list.id, name, opt_in_process, stored_list.created, int(now))
    db.execute(
        "UPDATE lists SET name = ?, opt_in_process = ?, updated = ? WHERE seq = ?",
        (changed.name, changed.opt_in_process, changed.updated, changed.seq),
    )
    return changed


def drop_list(db: sqlite3.Connection, stored_list: StoredList) -> None:
    """Delete a list with its memberships; the profiles stay."""
    db.execute("DELETE FROM members WHERE list = ?", (stored_list.seq,))
    db.execute("DELETE FROM lists WHERE seq = ?", (stored_list.seq,))


def add_members(db: sqlite3.Connection, stored_list: StoredList, profiles: Iterable[int], now: float) -> None:
    """Add profiles to a list. Existing members keep the time at which they joined."""
    db.executemany(
        "INSERT OR IGNORE INTO members VALUES (?, ?, ?)",
        ((stored_list.seq, profile_seq, int(now)) for profile_seq in profiles),
    )


def remove_members(db: sqlite3.Connection, stored_list: StoredList, profiles: Iterable[int]) -> None:
    """Remove profiles from a list. Profiles that are not members are ignored."""
    db.executemany(
        "DELETE FROM members WHERE list = ? AND profile = ?",
        ((stored_list.seq, profile_seq) for profile_seq in profiles),
    )


def count_members(db: sqlite3.Connection, stored_list: StoredList) -> int:
    """Return the number of members of a list."""
    return int(db.execute("SELECT count(*) FROM members WHERE list = ?", (stored_list.seq,)).fetchone()[0])
