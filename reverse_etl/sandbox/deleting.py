"""Delete people on their request: with all they have, after a while, and for good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from reverse_etl.sandbox.replies import ErrorObject, HttpError, bad_request_error
from reverse_etl.sandbox.validation import parse_resource, require_object

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

_POINTER: Final = "/data/attributes/profile/data"
_IDENTIFIERS: Final = ("email", "phone_number")
_TABLES: Final = (
    "members",
    "job_profiles",
    "consents",
    "suppressions",
    "confirmations",
    "subscribed_events",
    "events",
)


def parse_deletion(document: Any) -> tuple[str, str]:
    """Return the name and the value of the one identifier in a body. Raises HttpError (400)."""
    resource = parse_resource(document, "data-privacy-deletion-job")
    attributes = require_object(resource.get("attributes"), "/data/attributes", {"profile"})
    holder = require_object(attributes.get("profile"), "/data/attributes/profile", {"data"})
    profile = require_object(holder.get("data"), _POINTER, {"type", "id", "attributes"})
    if profile.get("type") != "profile":
        raise bad_request_error("The type should be 'profile'.", pointer=f"{_POINTER}/type")
    given = require_object(profile.get("attributes"), f"{_POINTER}/attributes", set(_IDENTIFIERS))
    values = {"id": profile.get("id"), **{name: given.get(name) for name in _IDENTIFIERS}}
    present = {name: value for name, value in values.items() if value is not None}
    if len(present) != 1:
        raise bad_request_error("Exactly one identifier is required.", pointer=_POINTER)
    ((name, value),) = present.items()
    if not isinstance(value, str):
        raise bad_request_error(f"'{name}' should be text.", pointer=f"{_POINTER}/attributes/{name}")
    return name, value.strip().lower() if name == "email" else value


def accept_deletion(db: sqlite3.Connection, name: str, value: str, due_at: float) -> None:
    """Store the deletion of all profiles with this identifier. Raises HttpError (404) if there is none."""
    rows = db.execute(f"SELECT seq FROM profiles WHERE {name} = ?", (value,)).fetchall()
    if not rows:
        detail = "There is no such profile. It may have already been deleted."
        raise HttpError(404, ErrorObject(detail, "/data/"))
    db.executemany("INSERT OR IGNORE INTO pending_deletions VALUES (?, ?)", ((*row, due_at) for row in rows))


def advance_deletions(db: sqlite3.Connection, now: float) -> None:
    """Delete the profiles that are due."""
    due = db.execute("DELETE FROM pending_deletions WHERE due_at <= ? RETURNING profile", (now,)).fetchall()
    delete_profiles(db, [profile for (profile,) in due])


def finish_deletions(db: sqlite3.Connection, now: float) -> None:
    """Let all accepted deletions take effect now."""
    db.execute("UPDATE pending_deletions SET due_at = min(due_at, ?)", (now,))


def delete_profiles(db: sqlite3.Connection, profiles: Sequence[int]) -> None:
    """Delete profiles with their memberships, consents and events."""
    for table in _TABLES:
        db.executemany(f"DELETE FROM {table} WHERE profile = ?", ((profile,) for profile in profiles))
    db.executemany("DELETE FROM profiles WHERE seq = ?", ((profile,) for profile in profiles))
