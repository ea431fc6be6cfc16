"""Changes to single profiles that an import cannot make: clearing a value, merging two people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reverse_etl.sandbox.matching import Person, merge_attributes
from reverse_etl.sandbox.profiles import save_people
from reverse_etl.sandbox.validation import IDENTIFIERS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping


def taken_by(db: sqlite3.Connection, person: Person | None, attributes: Mapping[str, Any]) -> str | None:
    """Return the id of a profile other than `person` that has one of these identifiers, or None."""
    for name in IDENTIFIERS:
        value = attributes.get(name)
        if value is not None:
            stored = value.strip().lower() if name == "email" else value
            other = db.execute(
                f"SELECT id FROM profiles WHERE {name} = ? AND seq IS NOT ? ORDER BY seq",
                (stored, person and person.seq),
            ).fetchone()
            if other is not None:
                return str(other[0])
    return None


def write_person(db: sqlite3.Connection, person: Person, attributes: Mapping[str, Any], now: int) -> None:
    """Write attributes to a profile; null clears one, also a custom property.

    Identifiers are taken to be free.
    """
    for name, value in attributes.items():
        if name in IDENTIFIERS:
            setattr(person, name, value.strip().lower() if name == "email" and value is not None else value)
        elif value is None:
            person.attributes.pop(name, None)
        elif name in {"properties", "location"}:
            for key in [key for key, item in value.items() if item is None]:
                person.attributes.get(name, {}).pop(key, None)
    merge_attributes(person.attributes, attributes)
    person.updated = now
    save_people(db, [person])


def merge_people(db: sqlite3.Connection, kept: Person, source: Person, now: int) -> None:
    """Give `kept` what it lacks of `source`, and the source's place on its lists; delete the source."""
    for name in IDENTIFIERS:
        if getattr(kept, name) is None:
            setattr(kept, name, getattr(source, name))
    merged = dict(source.attributes)
    merge_attributes(merged, kept.attributes)
    kept.attributes = merged
    kept.updated = now
    save_people(db, [kept])
    db.execute(
        "INSERT OR IGNORE INTO members SELECT list, ?, joined_at FROM members WHERE profile = ?",
        (kept.seq, source.seq),
    )
    db.execute("DELETE FROM members WHERE profile = ?", (source.seq,))
    db.execute("DELETE FROM job_profiles WHERE profile = ?", (source.seq,))
    db.execute("DELETE FROM profiles WHERE seq = ?", (source.seq,))
