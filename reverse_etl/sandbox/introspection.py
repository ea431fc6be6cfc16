"""The state as plain values, for tests, the demo and the page: nothing of the wire format but the names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reverse_etl.errors import UsageError
from reverse_etl.sandbox.lists import LIST_COLUMNS, StoredList
from reverse_etl.sandbox.profiles import COLUMNS, person_of
from reverse_etl.sandbox.times import wire

if TYPE_CHECKING:
    import sqlite3

    from reverse_etl.sandbox.matching import Person


def list_summaries(db: sqlite3.Connection) -> list[dict[str, Any]]:
    """Return every list, oldest first: id, name, created, members (how many)."""
    rows = db.execute(
        f"SELECT {LIST_COLUMNS}, (SELECT count(*) FROM members m WHERE m.list = l.seq) "
        "FROM lists l ORDER BY l.seq"
    )
    found = ((StoredList(*columns), count) for *columns, count in rows)
    return [
        {"id": one.id, "name": one.name, "created": wire(one.created), "members": count}
        for one, count in found
    ]


def list_members(db: sqlite3.Connection, named: str) -> list[dict[str, Any]]:
    """Return the profiles on the list with this name or id, in the order of joining.

    Each has its `joined_group_at`. Raises UsageError unless there is exactly one such list.
    """
    found = db.execute("SELECT seq FROM lists WHERE ? IN (id, name)", (named,)).fetchall()
    if len(found) != 1:
        names = ", ".join(repr(one["name"]) for one in list_summaries(db)) or "none"
        raise UsageError.of(
            f"The sandbox has {len(found) or 'no'} lists called {named!r}.", advice=f"Its lists: {names}."
        )
    rows = db.execute(
        f"SELECT m.joined_at, {COLUMNS} FROM members m CROSS JOIN profiles p ON p.seq = m.profile "
        "WHERE m.list = ? ORDER BY m.joined_at, m.profile",
        found[0],
    )
    return [{**_flat(person_of(row[1:])), "joined_group_at": wire(row[0])} for row in rows]


def profile_summaries(db: sqlite3.Connection) -> list[dict[str, Any]]:
    """Return every profile, oldest first."""
    return [_flat(person_of(row)) for row in db.execute(f"SELECT {COLUMNS} FROM profiles p ORDER BY p.seq")]


def profile_count(db: sqlite3.Connection) -> int:
    """Return how many profiles the account has."""
    return int(db.execute("SELECT count(*) FROM profiles").fetchone()[0])


def _flat(person: Person) -> dict[str, Any]:
    return {
        "id": person.id,
        "email": person.email,
        "phone_number": person.phone_number,
        "external_id": person.external_id,
        "properties": {},
        **person.attributes,
        "created": wire(person.created),
        "updated": wire(person.updated),
    }
