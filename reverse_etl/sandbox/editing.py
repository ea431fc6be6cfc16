"""Changes of single profiles that an import cannot make: clearing a value, merging two profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reverse_etl.sandbox.consents import merge_subscriptions
from reverse_etl.sandbox.matching import StoredProfile, merge_attributes
from reverse_etl.sandbox.profiles import save_profiles
from reverse_etl.sandbox.validation import IDENTIFIERS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping


def find_identifier_owner(
    db: sqlite3.Connection, profile: StoredProfile | None, attributes: Mapping[str, Any]
) -> str | None:
    """Return the id of another profile that has one of these identifiers, or None."""
    for name in IDENTIFIERS:
        value = attributes.get(name)
        if value is not None:
            stored = value.strip().lower() if name == "email" else value
            owner = db.execute(
                f"SELECT id FROM profiles WHERE {name} = ? AND seq IS NOT ? ORDER BY seq",
                (stored, profile and profile.seq),
            ).fetchone()
            if owner is not None:
                return str(owner[0])
    return None


def write_profile(
    db: sqlite3.Connection, profile: StoredProfile, attributes: Mapping[str, Any], now: int
) -> None:
    """Write attributes to a profile; null clears an attribute or a custom property.

    Callers have checked that no other profile has the identifiers.
    """
    for name, value in attributes.items():
        if name in IDENTIFIERS:
            setattr(profile, name, value.strip().lower() if name == "email" and value is not None else value)
        elif value is None:
            profile.attributes.pop(name, None)
        elif name in {"properties", "location"}:
            for key in [key for key, item in value.items() if item is None]:
                profile.attributes.get(name, {}).pop(key, None)
    merge_attributes(profile.attributes, attributes)
    profile.updated = now
    save_profiles(db, [profile])


def merge_stored_profiles(
    db: sqlite3.Connection, target: StoredProfile, source: StoredProfile, now: int
) -> None:
    """Copy missing attributes and the list memberships of `source` to `target`, and delete `source`."""
    for name in IDENTIFIERS:
        if getattr(target, name) is None:
            setattr(target, name, getattr(source, name))
    merged = dict(source.attributes)
    merge_attributes(merged, target.attributes)
    target.attributes = merged
    target.updated = now
    save_profiles(db, [target])
    db.execute(
        "INSERT OR IGNORE INTO members SELECT list, ?, joined_at FROM members WHERE profile = ?",
        (target.seq, source.seq),
    )
    db.execute("DELETE FROM members WHERE profile = ?", (source.seq,))
    merge_subscriptions(db, target.seq, source.seq)
    db.execute("UPDATE OR IGNORE events SET profile = ? WHERE profile = ?", (target.seq, source.seq))
    db.execute("DELETE FROM events WHERE profile = ?", (source.seq,))
    db.execute("DELETE FROM job_profiles WHERE profile = ?", (source.seq,))
    db.execute("DELETE FROM profiles WHERE seq = ?", (source.seq,))
