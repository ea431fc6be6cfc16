"""Read the state as plain values, with Klaviyo's names, for tests, the demo and the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reverse_etl.errors import UsageError
from reverse_etl.sandbox.lists import LIST_COLUMNS, StoredList
from reverse_etl.sandbox.profiles import PROFILE_COLUMNS, profile_from_row
from reverse_etl.sandbox.times import to_iso

if TYPE_CHECKING:
    import sqlite3

    from reverse_etl.sandbox.matching import StoredProfile


def list_summaries(db: sqlite3.Connection) -> list[dict[str, Any]]:
    """Return all lists, oldest first, with id, name, created and the number of members."""
    rows = db.execute(
        f"SELECT {LIST_COLUMNS}, (SELECT count(*) FROM members m WHERE m.list = l.seq) "
        "FROM lists l ORDER BY l.seq"
    )
    counted_lists = ((StoredList(*columns), count) for *columns, count in rows)
    return [
        {
            "id": stored_list.id,
            "name": stored_list.name,
            "created": to_iso(stored_list.created),
            "members": count,
        }
        for stored_list, count in counted_lists
    ]


def list_members(db: sqlite3.Connection, name_or_id: str) -> list[dict[str, Any]]:
    """Return the members of the list with this name or id, ordered by the time at which they joined.

    Each has a `joined_group_at`. Raises UsageError unless exactly one list matches.
    """
    list_rows = db.execute("SELECT seq FROM lists WHERE ? IN (id, name)", (name_or_id,)).fetchall()
    if len(list_rows) != 1:
        names = ", ".join(repr(summary["name"]) for summary in list_summaries(db)) or "none"
        raise UsageError.of(
            f"The sandbox has {len(list_rows) or 'no'} lists called {name_or_id!r}.",
            hint=f"Its lists: {names}.",
        )
    rows = db.execute(
        f"SELECT m.joined_at, {PROFILE_COLUMNS} FROM members m CROSS JOIN profiles p ON p.seq = m.profile "
        "WHERE m.list = ? ORDER BY m.joined_at, m.profile",
        list_rows[0],
    )
    return [
        {**_profile_summary(profile_from_row(row[1:])), "joined_group_at": to_iso(row[0])} for row in rows
    ]


def profile_summaries(db: sqlite3.Connection) -> list[dict[str, Any]]:
    """Return all profiles, oldest first."""
    return [
        _profile_summary(profile_from_row(row))
        for row in db.execute(f"SELECT {PROFILE_COLUMNS} FROM profiles p ORDER BY p.seq")
    ]


def profile_count(db: sqlite3.Connection) -> int:
    """Return the number of profiles of the account."""
    return int(db.execute("SELECT count(*) FROM profiles").fetchone()[0])


def _profile_summary(profile: StoredProfile) -> dict[str, Any]:
    return {
        "id": profile.id,
        "email": profile.email,
        "phone_number": profile.phone_number,
        "external_id": profile.external_id,
        "properties": {},
        **profile.attributes,
        "created": to_iso(profile.created),
        "updated": to_iso(profile.updated),
    }
